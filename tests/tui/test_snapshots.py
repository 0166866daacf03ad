"""Whole screens as text, kept in ``snapshots/``: what a change does to them is read in its difference.

.venv/bin/python -m pytest tests/tui/test_snapshots.py -n 0 --remake-snapshots
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.having import having
from tui_backprop.data.passage import Passage
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.session.bookmark_changes import add_bookmark
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.text_changes import with_text
from tui_backprop.session.transitions import (
    after_training,
    after_update,
    at_step,
    edit_parameter,
    walk_passage,
)
from tui_backprop.session.walk_steps import steps_of

FOLDER = Path(__file__).with_name("snapshots")
LESSON, XOR = from_preset("lesson"), from_preset("xor")
SMALL, WIDE = (80, 24), (120, 40)
DEEP = Session(
    NetworkSpec((2, 6, 6, 6, 2), "gelu", layer_norm=True, residual=True, l2=0.01), "moons", batch=4
)
WIDER = replace(XOR, network=replace(XOR.network, layers=(2, 4, 1)))
TRAINED = after_training(XOR, 300)
BOOKMARKED = after_update(add_bookmark(after_update(add_bookmark(XOR))))
GPT, LENET, RNN = from_preset("microgpt"), from_preset("lenet"), from_preset("rnn")
TO_DELTA = ("right_square_bracket",) * 8
TO_LOSS = ("right_square_bracket",) * 5


def at_tensor(session, tensor):
    """The session at the step that computes a tensor."""
    return at_step(session, next(step.index for step in steps_of(session) if step.tensor == tensor))


def gpt_at(tensor):
    return at_tensor(GPT, tensor)


# Name, session, columns and rows, keys. None shows what is timed while the test runs, or what rounding errors draw
# (the step sizes): that differs between processors.
SCREENS = [
    ("opening", LESSON, SMALL, ()),
    ("opening", LESSON, WIDE, ()),
    ("opening", LESSON, (200, 60), ()),
    ("forward", LESSON, WIDE, ("right", "right", "right")),
    ("loss", LESSON, SMALL, TO_LOSS),
    ("delta", LESSON, SMALL, TO_DELTA),
    ("delta", LESSON, WIDE, TO_DELTA),
    ("update", LESSON, WIDE, ("end",)),
    ("operations", DEEP, WIDE, ("g", *("right",) * 9)),
    ("layers", XOR, SMALL, ("g", "g", "right", "right")),
    ("nodes", XOR, SMALL, ("right",) * 7),
    ("nodes", WIDER, WIDE, ("right", "z")),
    ("histogram", LESSON, WIDE, ("right", "right", "v")),
    ("largest", LESSON, SMALL, ("right", "right", "v", "v")),
    ("picture", LESSON, WIDE, ("right", "right", "v", "v", "v")),
    ("network", LESSON, SMALL, ("1",)),
    ("network", LESSON, WIDE, ("1",)),
    ("cost", LESSON, SMALL, ("3",)),
    ("cost", LESSON, WIDE, ("3", "z")),
    ("claims", LESSON, WIDE, ("3", "v", "z")),
    ("race", LESSON, SMALL, ("3", "v", "v")),
    ("blame", having(LESSON, sample=2), WIDE, ("b", "right", "down")),
    ("blame", XOR, SMALL, ("b",)),
    ("number", having(LESSON, number=("W2", (13, 200))), WIDE, ("i",)),
    ("number", XOR, SMALL, ("i",)),
    ("flow", LESSON, SMALL, ("f",)),
    ("flow", from_preset("vanishing"), WIDE, ("f", "z")),
    ("curves", XOR, WIDE, ("c", "z")),
    ("train", LESSON, SMALL, ("T",)),
    ("bookmarks", BOOKMARKED, WIDE, ("d",)),
    ("edited", edit_parameter(TRAINED, "W1", (0, 1), 0.5), SMALL, ("b",)),
    ("expression-blame", from_preset("three-uses"), SMALL, ("b",)),
    ("expression-number", from_preset("three-uses"), SMALL, ("right", "right", "i")),
    ("expression-flow", from_preset("logistic-neuron"), SMALL, (*("right",) * 9, "f")),
    ("expression-curves", from_preset("three-uses"), WIDE, ("right", "c", "z")),
    ("gpt-opening", GPT, SMALL, ()),
    ("gpt-attention", gpt_at("A1"), SMALL, ("down", "J")),
    ("gpt-attention", gpt_at("A1"), WIDE, ("z", "down", "J")),
    ("gpt-scores", gpt_at("dS1"), SMALL, ()),
    ("gpt-letters", gpt_at("L"), SMALL, ("down",)),
    ("gpt-blame", GPT, SMALL, ("b", "down")),
    ("gpt-text", with_text(walk_passage(GPT, Passage("kiane", 4))), SMALL, ("G",)),
    ("gpt-text", with_text(walk_passage(GPT, Passage("kiane", 4))), WIDE, ("G", "minus")),
    ("gpt-number", gpt_at("A1"), SMALL, ("i",)),
    ("lenet-maps", at_tensor(LENET, "u1"), SMALL, ()),
    ("lenet-patch", at_tensor(having(LENET, view="picture"), "u2"), SMALL, ("down",)),
    ("lenet-patch", at_tensor(having(LENET, view="picture"), "u1"), WIDE, ("z",)),
    ("lenet-pooling", at_tensor(having(LENET, view="picture"), "p1"), SMALL, ()),
    ("lenet-kernels", at_tensor(having(LENET, view="picture"), "dW1"), SMALL, ()),
    ("lenet-loss", at_tensor(LENET, "L"), SMALL, ()),
    ("lenet-blame", having(LENET, number=("W1", (5, 0, 4, 3))), SMALL, ("b",)),
    ("rnn-flow", RNN, SMALL, ("f",)),
    ("rnn-number", having(RNN, number=("Wh", (28, 12))), SMALL, ("i",)),
    ("confusion", LESSON, WIDE, ("C",)),
    ("find", LESSON, SMALL, ("slash",)),
    ("help", LESSON, WIDE, ("question_mark",)),
    ("palette", LESSON, SMALL, ("ctrl+p",)),
    ("lesson", LESSON, SMALL, ("L", "right")),
    ("lesson", LESSON, WIDE, ("L", "right", "full_stop")),
    ("lesson", LESSON, (200, 60), ("semicolon", *"insight", "enter", *["full_stop"] * 2, "b")),
    ("lesson-formula", LESSON, SMALL, ("semicolon", *"3.2", "enter")),
    ("chapters", LESSON, SMALL, ("L", "right", "semicolon", "down")),
    ("too-small", LESSON, (40, 10), ()),
]
NAMES = [f"{name}-{columns}x{rows}" for name, _, (columns, rows), _ in SCREENS]


def as_kept(screen: str) -> str:
    """Without the blanks at the ends of lines, which no editor keeps."""
    return "\n".join(line.rstrip() for line in screen.splitlines()) + "\n"


@pytest.mark.parametrize(("session", "size", "keys"), [row[1:] for row in SCREENS], ids=NAMES)
async def test_the_screen_is_as_it_was(open_app, request, session, size, keys):
    kept = FOLDER / f"{request.node.callspec.id}.txt"
    async with open_app(session, size=size) as ui:
        await ui.press(*keys)
        found = as_kept(ui.screen)
    if request.config.getoption("--remake-snapshots"):
        kept.write_text(found, "utf-8")
    assert found == kept.read_text("utf-8")


def test_every_file_is_of_a_screen():
    assert {path.stem for path in FOLDER.glob("*.txt")} == {*NAMES}
