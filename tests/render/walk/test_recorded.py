"""A step of a recording says how it agrees with the same step computed again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.record.recordings import FOLDER, SMALL, changed
from tui_backprop.data.catalogue import GIVEN
from tui_backprop.render.view_state import Snapshot
from tui_backprop.render.walk.recorded import recorded_words
from tui_backprop.session.recorded_files import recorded_model
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.walk_steps import steps_of


def snapshots(path):
    session = Session(recorded_model(path), GIVEN)
    iteration, steps = Replay(0).take(session), steps_of(session)
    for step in steps:
        walk = replace(session.walk, step=step.index)
        yield Snapshot(replace(session, walk=walk), steps, iteration)


@pytest.mark.parametrize("name", ["mlp-relu", "gpt-double"])
def test_every_step_that_was_recorded_agrees(name):
    words = [recorded_words(each) for each in snapshots(FOLDER / f"{name}.bp")]
    said = [each for each in words if each]
    assert len(said) > len(words) / 4
    assert all(text.startswith("as PyTorch recorded it") and role == "muted" for text, role in said)


@pytest.mark.parametrize(
    ("what", "start"), [("array", "v7["), ("cotangent", "what this operation adds to dv7[")]
)
def test_a_number_that_differs_is_named_with_both_numbers(tmp_path, what, start):
    model = recorded_model(SMALL)
    number = next(op.outputs[0] for op in model.iteration.ops if op.name == "aten.relu.default")
    key = getattr(model.iteration.values[number], what)
    path = changed(tmp_path, lambda d, s: None, {key: model.held.arrays[key] + 1})
    said = [each for each in map(recorded_words, snapshots(path)) if each and each[1] == "bad"]
    assert any(text.startswith(f"DIFFERS: PyTorch recorded {start}") for text, _ in said)
    assert all("computed again, it is" in text for text, _ in said)


def test_an_operation_without_a_rule_is_only_recorded(tmp_path):
    def renamed(description, step):
        for op in step["ops"]:
            if op["name"] == "aten.relu.default":
                op["name"] = "aten.unknown.default"

    words = [each[0] for each in map(recorded_words, snapshots(changed(tmp_path, renamed))) if each]
    assert (
        words.count("only recorded: there is no rule to compute it again by") == 4
    )  # two, forward and backward


def test_a_pass_of_our_own_says_nothing():
    session = from_preset("xor")
    iteration, steps = Replay(0).take(session), steps_of(session)
    assert all(recorded_words(Snapshot(session, (step,), iteration)) is None for step in steps[:2])
