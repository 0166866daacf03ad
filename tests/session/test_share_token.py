"""Tokens of sessions: equal on every machine, short, and only what ``encode`` writes is accepted."""

from __future__ import annotations

import string
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.having import having
from tests.session.sessions import EXPLORE, ROUGH, STARTS, opened, sessions
from tui_backprop.cli.opening import trained
from tui_backprop.data.catalogue import GIVEN
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.session import share_token as token
from tui_backprop.session.bookmark_changes import add_bookmark
from tui_backprop.session.presets import NETWORKS, PRESETS
from tui_backprop.session.replay import Replay
from tui_backprop.session.session_parts import Bookmarks
from tui_backprop.session.share_token import START, decode, encode
from tui_backprop.session.state import Session, UpdateRun, from_preset
from tui_backprop.session.transitions import (
    after_training,
    after_update,
    at_step,
    choose_confusion,
    edit_parameter,
    inspect,
    pin,
    restart,
    select,
)
from tui_backprop.session.validation import LAYERS, MOST_BOOKMARKS, check, check_limits, settled
from tui_backprop.support.errors import UserError

TRAINED = at_step(select(after_training(Session(), 100), 1, 40), 9)
BUSY = edit_parameter(
    inspect(add_bookmark(after_update(add_bookmark(TRAINED))), "W2", (13, 200)), "W2", (13, 200), 0.01
)
ALPHABET = string.ascii_letters + string.digits + "-_"

# Made by version 4, and held: a change of a preset, a default or a word makes earlier tokens mean something else, and
# so needs a new version.
MADE_BEFORE = {
    "bp4-u8P902sAAA": Session(),
    "bp4-mDpdh2uEOgTkJgA": from_preset("xor"),
    "bp4-eIbCMWuEOgThOgA": from_preset("vanishing"),
    "bp4-iFEucmuEOQTkRAA": from_preset("sine"),
    "bp4-xq9qGmuGqktB0jqxFSrIANHNCNR-2r6l6qH7OpFqiDkpUIMYwSY1gY3ihDh-0n8NAA": TRAINED,
    "bp4-BcyDKWuDqktB0jqxFSrIANHNCNR-2r6l6qH7OpFqiDmpUIMYIY6a2Ax1I9DZEDdP4j1zAugBuDawjU1gKzkhnpz0XwMp"
    "xzZCc_QkoAkgvUglwKRm0tyWguq2CVhsOdCERw4A": BUSY,
    "bp4-G9C-f2uDub8DGtxTmFhZmZBiYSXIyzrgAAJF0mpI2FsZ6BkYgeOPGSlCD8Nj-TAs3k_bXzYGA2BaOG3fUvXQfZ1INdjX"
    "kKCBOpMd4k5moENP219gAANE4mwFJ1ZIuoWn9tP2L2eCwCxwpjlt_wOiC56XYCkaksWYAQ": STARTS[len(NETWORKS)],
    "bp4-p_zmOmuFub8ZGtyTmJihHoN6ExxBh8AOhXkKbOZZpgigsaftr4aCAZLVE1ugljNgVQlxCTMA": after_training(
        STARTS[len(NETWORKS) + 1], 3
    ),
}


def same(text, session):
    """Return whether a text is refused, or opens as that session."""
    return opened(text) in (None, session)


@EXPLORE
@given(sessions())
def test_a_token_brings_back_the_session(session):
    check(session)
    text = encode(session)
    assert text.isascii()
    assert set(text) <= set(ALPHABET)
    assert decode(text) == session
    assert encode(decode(text)) == text


@pytest.mark.parametrize("session", STARTS, ids=range(len(STARTS)))
def test_a_token_brings_back_the_numbers_too(session):
    session = after_training(session, 7)
    parameter, shape = [*session.network.graph.parameters.items()][-1]
    session = edit_parameter(session, parameter, (0,) * len(shape), 0.125)
    one, other = (Replay().take(each) for each in (session, decode(encode(session))))
    assert one.loss == other.loss
    np.testing.assert_array_equal(one.after.parameters, other.after.parameters)


@pytest.mark.parametrize(("session", "most"), [(Session(), 20), (TRAINED, 100), (BUSY, 150)])
def test_tokens_are_short(session, most):
    assert len(encode(session)) <= most


@pytest.mark.parametrize("name", PRESETS)
def test_the_token_of_a_fresh_preset_has_about_twenty_characters(name):
    assert len(encode(from_preset(name))) <= 28


@pytest.mark.parametrize(("text", "session"), MADE_BEFORE.items(), ids=range(len(MADE_BEFORE)))
def test_tokens_that_were_made_before_open_as_they_did(text, session):
    assert decode(text) == session


def test_the_words_of_version_4_are_what_they_were():
    assert zlib.crc32(token._words()) == 0x5BAEBEDB


@EXPLORE
@given(st.data())
def test_spaces_and_broken_lines_do_no_harm(data):
    text = encode(BUSY)
    for blank in data.draw(
        st.lists(st.sampled_from([" ", "\n", "\r\n", "\t", "\u00a0", "\n    "]), max_size=9)
    ):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + blank + text[at:]
    assert decode(text) == BUSY


@pytest.mark.parametrize("session", [Session(), TRAINED, BUSY], ids=["fresh", "trained", "busy"])
def test_no_change_of_one_character_makes_another_session(session):
    text = encode(session)
    for at in range(len(text)):
        before, after = text[:at], text[at + 1 :]
        for other in ALPHABET + "=+/.\x1b\x00é€[]":
            assert same(before + other + after, session)
        assert same(before + after, session)  # left out
        assert same(before + text[at] + text[at:], session)  # twice
        assert same(before + text[at : at + 2][::-1] + text[at + 2 :], session)  # the two the other way round


def test_a_token_that_is_cut_off_is_refused():
    text = encode(BUSY)
    for length in range(len(text)):
        with pytest.raises(UserError):
            decode(text[:length])


def test_a_changed_character_is_called_damage():
    text = encode(TRAINED)
    changed = text[:30] + ("A" if text[30] != "A" else "B") + text[31:]
    with pytest.raises(UserError, match=r"open: this token is damaged; copy it again, all of it$"):
        decode(changed)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no token; they begin with bp4-"),
        ("hello", "is no token"),
        ("bp-u8P902sAAA", "is no token"),
        ("bp3-u8P902sAAA", "is of an older format (bp3-); this program reads bp4-"),
        ("bp10-", "is of a newer format (bp10-)"),
        ("bp0-u8P902sAAA", "is of an older format (bp0-)"),
        ("bp04-u8P902sAAA", "damaged"),
        ("bp4-", "damaged"),
        ("bp4-u8P902sAA+", "damaged"),
        ("bp4-u8P902sAAA==", "damaged"),
        ("bp4-u8P902sAAAAAA", "damaged"),
        ("bp4-" + "A" * 600_000, "600,004 characters are too many"),
    ],
    ids=lambda text: text[:16],
)
def test_what_is_no_token_is_told_what_is(text, why):
    with pytest.raises(UserError) as caught:
        decode(text)
    assert why in caught.value.message
    assert len(caught.value.message) < 120


@pytest.mark.parametrize(
    ("session", "gone"),
    [
        (inspect(having(TRAINED, items=()), "W9", (0, 0)), "number"),
        (inspect(Session(), "W1", (784, 0)), "number"),
        (pin(Session(), ("z1", (0,))), "pinned"),
        (choose_confusion(Session(ROUGH, "moons"), (9, 4)), "confusion"),
        (choose_confusion(from_preset("sine"), (0, 0)), "confusion"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_names_nothing_in_this_network_is_left_out(session, gone):
    assert settled(session) == having(session, **{gone: None})
    assert decode(encode(session)) == having(session, **{gone: None})
    assert decode(encode(add_bookmark(session))) == add_bookmark(having(session, **{gone: None}))


def at_many_rates(updates):
    """Return a session in which every update is a run of its own."""
    return having(Session(), update_log=tuple(UpdateRun(0, 1, 0.01 + i / 1e6) for i in range(updates)))


def test_a_session_too_large_for_a_token_is_said_to_be():
    with pytest.raises(UserError, match="too large for a token") as caught:
        encode(at_many_rates(20_000))
    assert caught.value.field == "open"


def test_a_replay_may_take_a_day_of_24_hours_and_no_more():
    network = Session().network
    each = 1e-5 * network.depth + 3 * network.weights / 1e10  # seconds, as the limit counts them
    most = int(24 * 60 * 60 / each)
    check_limits(after_training(Session(), most))
    with pytest.raises(UserError, match="more than a day"):
        check_limits(after_training(Session(), most + 1))
    assert trained(Session(), str(most)).t == most  # --steps
    with pytest.raises(UserError, match="more than a day"):
        trained(Session(), str(most + 1))


@pytest.mark.parametrize(
    ("session", "why"),
    [
        (
            having(Session(NetworkSpec((784, *[1] * (LAYERS - 1), 10))), items=(Session(),)),
            "layers: 1,004 in all networks exceed the limit of 1,000",
        ),
        (
            after_training(Session(), 10**12),
            "update_log: replaying 1,000,000,000,000 iterations would take more than a day",
        ),
        (
            having(Session(), items=(Session(),) * (MOST_BOOKMARKS + 1)),
            'bookmarks: "101" is out of range (0 to 100)',
        ),
        (restart(add_bookmark(after_training(Session(), 10**12))), "more than a day"),
    ],
    ids=["layers", "training", "bookmarks", "training of a bookmark"],
)
def test_what_no_machine_would_open_gets_no_token(session, why):
    with pytest.raises(UserError, match=r"open: this session has no token: ") as caught:
        encode(session)
    assert why in caught.value.message


def test_thousands_of_irregular_updates_still_fit():
    session = at_many_rates(5_000)
    assert decode(encode(session)) == session


def test_what_is_in_a_token_is_never_run():
    source = Path(token.__file__).read_text(encoding="utf-8")
    assert not [word for word in ("pickle", "eval(", "exec(", "marshal", "__import__") if word in source]
    assert START == "bp4-"


def test_a_session_of_an_expression_goes_through_a_token_with_bookmarks_of_networks():
    mark = from_preset("xor")
    session = replace(from_preset("micrograd"), bookmarks=Bookmarks((mark, from_preset("three-uses"))))
    assert decode(encode(session)) == session
    session = replace(mark, bookmarks=Bookmarks((from_preset("micrograd"), from_preset("sine"))))
    assert decode(encode(session)) == session
    own = ExpressionSpec("u = a*b\nL = u**2 + a", "a=2, b:=-1")
    assert decode(encode(Session(own, GIVEN))) == Session(own, GIVEN)
