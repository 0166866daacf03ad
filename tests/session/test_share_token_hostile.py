"""Tokens with a valid checksum that ``encode`` never makes: each is refused in one line."""

from __future__ import annotations

import zlib

import msgspec
import pytest

from tests.session.sessions import holding, sealed
from tui_backprop.session import share_token as token
from tui_backprop.session import validation as validity
from tui_backprop.session.share_token import MOST, START, decode
from tui_backprop.session.state import from_preset
from tui_backprop.session.validation import LAYERS, MOST_BOOKMARKS
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
    ({"walk.step": 21}, "walk.step"),
    ({"walk.step": -1}, "walk.step"),
    ({"walk.step": HUGE}, "walk.step"),
    ({"preset": "xor", "walk.step": 11}, "walk.step"),
    ({"walk.grain": "layer", "walk.step": 19}, "walk.step"),
    ({"sample": 4000}, "sample"),
    ({"sample": -1}, "sample"),
    ({"batch": 0}, "batch"),
    ({"batch": 10**12}, "batch"),
    ({"lr": NAN}, "lr"),
    ({"lr": INF}, "lr"),
    ({"lr": -0.1}, "lr"),
    ({"walk.units": [784]}, "walk.units"),
    ({"walk.units": [-2]}, "walk.units"),
    ({"walk.units": [-1] * 6}, "walk.units"),
    ({"cost.decade": NAN}, "cost.decade"),
    ({"cost.decade": INF}, "cost.decade"),
    ({"cost.decade": 400.0}, "cost.decade"),
    ({"cost.zoom": 4}, "cost.zoom"),
    ({"cost.zoom": -1}, "cost.zoom"),
    ({"cost.step_index": 61}, "cost.step_index"),
    ({"inspection.layer": -1}, "inspection.layer"),
    ({"inspection.rank": -1}, "inspection.rank"),
    ({"inspection.rank": HUGE}, "inspection.rank"),
    ({"walk.grain": "fine"}, "walk.grain"),
    ({"walk.view": "\x1b[2J"}, "walk.view"),
    ({"cost.axis": "euro"}, "cost.axis"),
    ({"inspection.measure": ""}, "inspection.measure"),
    ({"cost.precision": "float16"}, "cost.precision"),
    ({"cost.method": "backprop"}, "cost.method"),
    ({"panel": "kitchen"}, "panel"),
    ({"inspection.number": ["W1", [784, 0]]}, "inspection.number"),
    ({"inspection.number": ["W1", [-1, 0]]}, "inspection.number"),
    ({"inspection.number": ["W1", [0]]}, "inspection.number"),
    ({"inspection.number": ["W1", []]}, "inspection.number"),
    ({"inspection.number": ["W1", [0] * 50_000]}, "inspection.number"),
    ({"inspection.number": ["", []]}, "inspection.number"),
    ({"inspection.number": ["d", [0]]}, "inspection.number"),
    ({"inspection.number": ["t", [0]]}, "inspection.number"),
    ({"inspection.number": ["L", []]}, "inspection.number"),
    ({"inspection.number": ["__class__", [0]]}, "inspection.number"),
    ({"inspection.pinned": ["a1", [0]]}, "inspection.pinned"),
    ({"inspection.pinned": ["W5", [0, 0]]}, "inspection.pinned"),
    ({"bookmarks.cursor": 1}, "bookmarks.cursor"),
    ({"bookmarks.cursor": -1}, "bookmarks.cursor"),
    ({"bookmarks.held": 0}, "bookmarks.held"),
    ({"bookmarks.held": -1}, "bookmarks.held"),
    ({"inspection.confusion": [10, 0]}, "inspection.confusion"),
    ({"inspection.confusion": [0, -1]}, "inspection.confusion"),
    ({"preset": "sine", "inspection.confusion": [0, 0]}, "inspection.confusion"),
    ({"edits": [FIX | {"tensor": "W9"}]}, "edits"),
    ({"edits": [FIX | {"tensor": "a1", "index": [0]}]}, "edits"),
    ({"edits": [FIX | {"index": [0, 256]}]}, "edits"),
    ({"edits": [FIX | {"index": [0, -1]}]}, "edits"),
    ({"edits": [FIX | {"index": [0]}]}, "edits"),
    ({"edits": [FIX | {"by": NAN}]}, "edits"),
    ({"edits": [FIX | {"by": -INF}]}, "edits"),
    ({"edits": [FIX, FIX | {"by": INF}]}, "edits"),
    ({"update_log": [RUN | {"sample": 4000}]}, "update_log"),
    ({"update_log": [RUN | {"sample": -1}]}, "update_log"),
    ({"update_log": [RUN | {"batch": 0}]}, "update_log"),
    ({"update_log": [RUN | {"batch": -5}]}, "update_log"),
    ({"preset": "xor", "update_log": [RUN | {"batch": 10**10}]}, "batch"),
    ({"update_log": [RUN | {"lr": 0.0}]}, "update_log"),
    ({"update_log": [RUN | {"lr": NAN}]}, "update_log"),
    ({"update_log": [RUN | {"count": 0}]}, "update_log"),
    ({"update_log": [RUN | {"count": 2, "stride": 4000}]}, "update_log"),
    ({"update_log": [RUN | {"count": 2, "stride": -1}]}, "update_log"),
    ({"update_log": [RUN | {"count": HUGE, "stride": 1}]}, "more than a day"),
    ({"update_log": [RUN | {"edits": [FIX | {"tensor": "W9"}]}]}, "edits"),
    ({"update_log": [RUN, RUN]}, "update_log"),
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
    ({"optimizer": {"beta1": NAN}}, "beta1"),
    ({"optimizer": {"rho": -0.5}}, "rho"),
    ({"optimizer": {"epsilon": 0.0}}, "epsilon"),
    ({"optimizer": {"name": "adam", "epsilon": 1e-50}}, "epsilon"),
    ({"optimizer": {"decay_bias": 1}}, "token"),
    ({"optimizer": {"decay_bias": False}}, "not written by backprop-tui"),
    (network(l2_bias=True), "not written by backprop-tui"),
    ({"optimizer": {"horizon": 0}}, "horizon"),
    ({"bookmarked": [{}] * (MOST_BOOKMARKS + 1)}, "bookmarks"),
    ({"bookmarked": [{"bookmarks.held": 0}]}, "bookmarks"),
    ({"bookmarks.items": [{}]}, "items: this version has no such field"),
    ({"bookmarked": [{"bookmarks.cursor": 1}]}, "bookmarks"),
    ({"bookmarked": [{"walk.step": 21}]}, "walk.step"),
    ({"bookmarked": [network(layers=[784, 300_000, 300_000, 10])]}, "layers"),
    ({"bookmarked": [network(layers=[784, *[i + 1] * 200, 10]) for i in range(6)]}, "layers"),
    ({"color": 1}, "color: this version has no such field"),
    ({"\x1b[2J": 1}, "this version has no such field"),
    (network(width=3), "width: this version has no such field"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("found", "why"), CASES, ids=lambda each: str(each)[:48].encode("unicode_escape").decode()
)
def test_what_no_key_leads_to_is_refused(found, why):
    assert why in refusal(holding(found))


@pytest.mark.parametrize(
    "found",
    [
        None, 1, "text", [], [1, 2], {1: 2}, {"preset": 1}, {"preset": []}, {"bookmarked": 1}, {"bookmarked": [1]},
        {"bookmarked": {"a": 1}}, {"walk.step": "1"}, {"walk.step": 1.5}, {"walk.step": True},
        {"walk.step": None}, {"walk.step": []},
        {"sample": "0"}, {"batch": None}, {"lr": "0.1"}, {"lr": True}, {"data": 1}, {"walk.units": 3},
        {"walk.units": ["a"]}, {"walk.units": [1.0]}, {"inspection.number": "W1"}, {"inspection.number": ["W1"]},
        {"inspection.number": [1, [0]]},
        {"inspection.number": ["W1", [0, 0], 1]}, {"update_log": {}}, {"update_log": [1]}, {"update_log": [{}]},
        {"update_log": [RUN | {"count": "9"}]}, {"edits": [{"tensor": "W1"}]}, {"network": 1}, {"network": []},
        {"network": {"layers": "784,10"}}, {"network": {"bias": 0}}, {"optimizer": "adam"},
        {"inspection.confusion": [1]},
        {"inspection.confusion": "ab"}, {"bookmarks.held": "x"}, {"inspection.pair": 1}, {"cost.lesson_clock": "yes"},
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_of_the_wrong_type_is_refused(found):
    refusal(holding(found))


@pytest.mark.parametrize(
    "found",
    [
        {"walk.step": 0}, {"preset": "lesson"}, {"lr": 1}, {"network": {}}, {"bookmarked": []}, {"update_log": []},
        {"update_log": [RUN | {"stride": 5}]}, {"update_log": [RUN | {"count": 1}]},
        {"update_log": [RUN | {"more": 1}]},
        {"bookmarked": [{"walk.step": 0}]}, {"walk.view": "histogram", "walk.step": 3},
        {"preset": "xor", "data": "xor"},
        {"batch": 4, "data": "xor", "lr": 0.5, "network": msgspec.to_builtins(from_preset("xor").network)},
    ],
    ids=repr,
)  # fmt: skip
def test_a_session_written_another_way_is_refused(found):
    assert "not written by backprop-tui" in refusal(holding(found))


@pytest.mark.parametrize(
    "inner", [b"\x91" * 200_000, b"\x81\xa1a" * 60_000, b"\x81\xaabookmarked\x91" * 30_000]
)
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
    monkeypatch.setattr(validity, "steps_of", lambda session: pytest.fail("its walk was drawn up"))
    for layers in ([784, 10**6, 10**6, 10], [784, *[1] * 5000, 10]):
        assert "layers" in refusal(holding(network(layers=layers)))
