"""Keys that are pressed faster than the screen follows: each still has its effect."""

from __future__ import annotations

import pytest

from tests.pty.conftest import KEYS

pytestmark = pytest.mark.pty

F3 = "\x1bOR"


def at_once(run, *names: str) -> None:
    """Send keys in one piece, as they arrive over a slow connection."""
    run.send("".join(KEYS.get(name, name) for name in names))


@pytest.mark.slow
def test_a_choice_in_a_table_that_is_not_there_yet_is_made(terminal):
    run = terminal(120, 40)
    run.shows("step 0/20")
    for _ in range(5):
        at_once(run, "C", "enter")
        run.until(lambda: "confusion matrix" not in run.text, "the app")
        run.quiet(0.3)
        assert run.child.poll() is None, run.text
        at_once(run, "C", "down", "down", "7", "\x07")
        run.until(lambda: "confusion matrix" not in run.text, "the app")
        run.quiet(0.3)
        assert run.child.poll() is None, run.text
    assert b"Traceback" not in run.raw


def test_what_is_typed_after_a_field_was_left_is_not_put_into_a_choice(terminal):
    run = terminal(120, 40)
    run.shows("step 0/20")
    run.press("1", "784,256,256,256,10")
    for value in ("leaky-relu", "elu", "gelu"):
        at_once(run, "down", "x")
        run.until(lambda: "‹" in run.text, "the field of a choice")
        run.send("right")
        run.until(lambda value=value: f" {value} " in run.text, value)
        run.send("\x1b[A")
        run.until(lambda: "‹" not in run.text, "the field above it")
    assert b"Traceback" not in run.raw


@pytest.mark.parametrize(("keys", "text"), [(("3", "v"), "[claims]"), (("1", F3, "right"), "step 1/20")])
def test_the_panel_that_was_asked_for_gets_the_next_key(terminal, keys, text):
    run = terminal(120, 40)
    run.shows("step 0/20")
    run.quiet()
    at_once(run, *keys)
    run.shows(text)
