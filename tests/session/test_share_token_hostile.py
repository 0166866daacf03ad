"""Tokens that were made with care, checksum and all, to be what encode never makes: each is refused in one line."""

from __future__ import annotations

import zlib

import msgspec
import pytest

from tests.session.sessions import holding, sealed
from tui_backprop.session import share_token as token
from tui_backprop.session import validation as validity
from tui_backprop.session.share_token import MOST, START, decode
from tui_backprop.session.state import from_preset
from tui_backprop.session.validation import LAYERS, MARKS
from tui_backprop.support.errors import UserError

HUGE, NAN, INF = 2**63, float("nan"), float("inf")
RUN = {"sample": 0, "batch": 1, "lr": 0.1}
FIX = {"tensor": "W1", "index": [0, 0], "by": 0.5}


def refusal(text: str) -> str:
    with pytest.raises(UserError) as caught:
        decode(text)
    assert caught.value.field == "open"
    assert len(caught.value.message) <= 200
    assert caught.value.message.isprintable()
    return caught.value.message


def network(**changes):
    return {"network": changes}


CASES = [
    ({"step": 21}, "step"),
    ({"step": -1}, "step"),
    ({"step": HUGE}, "step"),
    ({"preset": "xor", "step": 11}, "step"),
    ({"grain": "layer", "step": 19}, "step"),
    ({"sample": 4000}, "sample"),
    ({"sample": -1}, "sample"),
    ({"batch": 0}, "batch"),
    ({"batch": 10**12}, "batch"),
    ({"lr": NAN}, "lr"),
    ({"lr": INF}, "lr"),
    ({"lr": -0.1}, "lr"),
    ({"units": [784]}, "units"),
    ({"units": [-2]}, "units"),
    ({"units": [-1] * 6}, "units"),
    ({"decade": NAN}, "decade"),
    ({"decade": INF}, "decade"),
    ({"decade": 400.0}, "decade"),
    ({"zoom": 4}, "zoom"),
    ({"zoom": -1}, "zoom"),
    ({"notch": 61}, "notch"),
    ({"accused": -1}, "accused"),
    ({"rank": -1}, "rank"),
    ({"rank": HUGE}, "rank"),
    ({"grain": "fine"}, "grain"),
    ({"view": "\x1b[2J"}, "view"),
    ({"axis": "euro"}, "axis"),
    ({"measure": ""}, "measure"),
    ({"precision": "float16"}, "precision"),
    ({"racer": "backprop"}, "racer"),
    ({"panel": "kitchen"}, "panel"),
    ({"asked": ["W1", [784, 0]]}, "asked"),
    ({"asked": ["W1", [-1, 0]]}, "asked"),
    ({"asked": ["W1", [0]]}, "asked"),
    ({"asked": ["W1", []]}, "asked"),
    ({"asked": ["W1", [0] * 50_000]}, "asked"),
    ({"asked": ["", []]}, "asked"),
    ({"asked": ["d", [0]]}, "asked"),
    ({"asked": ["t", [0]]}, "asked"),
    ({"asked": ["L", []]}, "asked"),
    ({"asked": ["__class__", [0]]}, "asked"),
    ({"pinned": ["a1", [0]]}, "pinned"),
    ({"pinned": ["W5", [0, 0]]}, "pinned"),
    ({"marked": 1}, "marked"),
    ({"marked": -1}, "marked"),
    ({"held": 0}, "held"),
    ({"held": -1}, "held"),
    ({"sought": [10, 0]}, "sought"),
    ({"sought": [0, -1]}, "sought"),
    ({"preset": "sine", "sought": [0, 0]}, "sought"),
    ({"edits": [FIX | {"tensor": "W9"}]}, "edits"),
    ({"edits": [FIX | {"tensor": "a1", "index": [0]}]}, "edits"),
    ({"edits": [FIX | {"index": [0, 256]}]}, "edits"),
    ({"edits": [FIX | {"index": [0, -1]}]}, "edits"),
    ({"edits": [FIX | {"index": [0]}]}, "edits"),
    ({"edits": [FIX | {"by": NAN}]}, "edits"),
    ({"edits": [FIX | {"by": -INF}]}, "edits"),
    ({"edits": [FIX, FIX | {"by": INF}]}, "edits"),
    ({"history": [RUN | {"sample": 4000}]}, "history"),
    ({"history": [RUN | {"sample": -1}]}, "history"),
    ({"history": [RUN | {"batch": 0}]}, "history"),
    ({"history": [RUN | {"batch": -5}]}, "history"),
    ({"preset": "xor", "history": [RUN | {"batch": 10**10}]}, "batch"),
    ({"history": [RUN | {"lr": 0.0}]}, "history"),
    ({"history": [RUN | {"lr": NAN}]}, "history"),
    ({"history": [RUN | {"count": 0}]}, "history"),
    ({"history": [RUN | {"count": 2, "stride": 4000}]}, "history"),
    ({"history": [RUN | {"count": 2, "stride": -1}]}, "history"),
    ({"history": [RUN | {"count": HUGE, "stride": 1}]}, "more than a day"),
    ({"history": [RUN | {"edits": [FIX | {"tensor": "W9"}]}]}, "edits"),
    ({"history": [RUN, RUN]}, "history"),
    (network(layers=[784]), "layers"),
    (network(layers=[]), "layers"),
    (network(layers=[784, 0, 10]), "layers"),
    (network(layers=[784, -1, 10]), "layers"),
    (network(layers=[784, 10**9, 10]), "layers"),
    (network(layers=[784, HUGE, 10]), "layers"),
    (network(layers=[784, 256, 9]), "layers"),
    (network(layers=[784, *[1] * LAYERS, 10]), "layers"),
    (network(layers=[784, *[1] * 100_000, 10]), "layers"),
    (network(activation="relu\n"), "network"),
    (network(activation="relu,\x1b,relu"), "activation"),
    (network(activation="\u202erelu"), "activation"),
    (network(loss="hinge"), "loss"),
    (network(init="he:2"), "init"),
    (network(init="normal:nan"), "init"),
    (network(init="normal:0.1\x0b"), "network"),
    (network(dtype="object"), "dtype"),
    (network(seed=-1), "seed"),
    (network(dropout=1.0), "dropout"),
    (network(dropout=NAN), "dropout"),
    (network(l2=INF), "l2"),
    ({"data": "../../etc/passwd"}, "data"),
    ({"data": "xor"}, "layers"),
    ({"preset": "nope"}, "preset"),
    ({"optimizer": {"name": "adamant"}}, "optimizer"),
    ({"optimizer": {"beta2": 1.0}}, "beta2"),
    ({"optimizer": {"horizon": 0}}, "horizon"),
    ({"marks": [{}] * (MARKS + 1)}, "marks"),
    ({"marks": [{"marks": [{}]}]}, "marks"),
    ({"marks": [{"marked": 1}]}, "marks"),
    ({"marks": [{"step": 21}]}, "step"),
    ({"marks": [network(layers=[784, 300_000, 300_000, 10])]}, "layers"),
    ({"marks": [network(layers=[784, *[i + 1] * 200, 10]) for i in range(6)]}, "layers"),
    ({"color": 1}, "color: this version knows no such thing; a newer one may"),
    ({"\x1b[2J": 1}, "this version knows no such thing"),
    (network(width=3), "width: this version knows no such thing"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("found", "why"), CASES, ids=lambda each: str(each)[:48].encode("unicode_escape").decode()
)
def test_what_no_key_leads_to_is_refused(found, why):
    assert why in refusal(holding(found))


@pytest.mark.parametrize(
    "found",
    [
        None, 1, "text", [], [1, 2], {1: 2}, {"preset": 1}, {"preset": []}, {"marks": 1}, {"marks": [1]},
        {"marks": {"a": 1}}, {"step": "1"}, {"step": 1.5}, {"step": True}, {"step": None}, {"step": []},
        {"sample": "0"}, {"batch": None}, {"lr": "0.1"}, {"lr": True}, {"data": 1}, {"units": 3},
        {"units": ["a"]}, {"units": [1.0]}, {"asked": "W1"}, {"asked": ["W1"]}, {"asked": [1, [0]]},
        {"asked": ["W1", [0, 0], 1]}, {"history": {}}, {"history": [1]}, {"history": [{}]},
        {"history": [RUN | {"count": "9"}]}, {"edits": [{"tensor": "W1"}]}, {"network": 1}, {"network": []},
        {"network": {"layers": "784,10"}}, {"network": {"bias": 0}}, {"optimizer": "adam"}, {"sought": [1]},
        {"sought": "ab"}, {"held": "x"}, {"pair": 1}, {"lesson_clock": "yes"},
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_of_the_wrong_type_is_refused(found):
    refusal(holding(found))


@pytest.mark.parametrize(
    "found",
    [
        {"step": 0}, {"preset": "lesson"}, {"lr": 1}, {"network": {}}, {"marks": []}, {"history": []},
        {"history": [RUN | {"stride": 5}]}, {"history": [RUN | {"count": 1}]}, {"history": [RUN | {"more": 1}]},
        {"marks": [{"step": 0}]}, {"view": "histogram", "step": 3}, {"preset": "xor", "data": "xor"},
        {"batch": 4, "data": "xor", "lr": 0.5, "network": msgspec.to_builtins(from_preset("xor").network)},
    ],
    ids=repr,
)  # fmt: skip
def test_a_session_written_another_way_is_refused(found):
    assert "not as backprop-tui writes them" in refusal(holding(found))


@pytest.mark.parametrize("inner", [b"\x91" * 200_000, b"\x81\xa1a" * 60_000, b"\x81\xa5marks\x91" * 30_000])
def test_deep_nesting_is_refused(inner):
    refusal(sealed(inner + b"\xc0"))
    refusal(sealed(inner))


def test_a_few_bytes_that_stand_for_many_are_not_expanded(monkeypatch):
    squeeze, expand, given_out = zlib.compressobj(9, zlib.DEFLATED, -15), zlib.decompressobj, []
    bomb = squeeze.compress(bytes(2**26)) + squeeze.flush()
    assert len(bomb) < 2**17

    class Watched:
        def __init__(self, *arguments, **named):
            self.inner = expand(*arguments, **named)

        def decompress(self, data, most=0):
            given_out.append(self.inner.decompress(data, most))
            return given_out[-1]

    monkeypatch.setattr(zlib, "decompressobj", Watched)
    assert "too large" in refusal(START + token._sealed(bomb))
    assert sum(map(len, given_out)) == MOST + 1


@pytest.mark.parametrize("squeezed", [b"", b"\x00", b"\xff" * 9, zlib.compress(b"\x80"), b"\x03\x00junk"])
def test_what_deflate_did_not_make_is_damage(squeezed):
    assert "damaged" in refusal(START + token._sealed(squeezed)) or squeezed == b""
    refusal(START + token._sealed(squeezed))


def test_a_network_that_does_not_fit_is_refused_before_its_walk_is_drawn_up(monkeypatch):
    monkeypatch.setattr(validity, "steps", lambda session: pytest.fail("its walk was drawn up"))
    for layers in ([784, 10**6, 10**6, 10], [784, *[1] * 5000, 10]):
        assert "layers" in refusal(holding(network(layers=layers)))
