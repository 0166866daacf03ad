"""Thousands of random keys and sizes: nothing crashes, memory does not grow, and a step back undoes a step
forward."""

from __future__ import annotations

import pytest
from textual.keys import key_to_character

from tests.pty.monkey import ALL, LEFT_OUT, POOL, side_by_side
from tui_backprop.keys.table import KEYS

pytestmark = pytest.mark.pty

NAMES = {"plus": "+", "minus": "-", "slash": "/"}  # names of Textual that are not those of Unicode
ENDING = {"quit", "suspend_process", "command_palette"}


def test_every_key_of_the_app_is_pressed_but_those_that_end_it():
    for key in KEYS:
        names = {NAMES.get(name) or key_to_character(name) or name for name in key.keys.split(",")}
        assert names <= set(ALL), names
        if not ENDING & {key.action.removeprefix("app.")}:
            assert names & set(POOL), names
    assert {"q", "ctrl+q", "ctrl+z"} <= LEFT_OUT


@pytest.mark.slow
def test_random_keys_do_no_harm(terminal):
    side_by_side(terminal)
