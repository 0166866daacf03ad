"""Where two recordings part: what is given, the first value on the way down, the first gradient on the way up."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tests.record.recordings import FOLDER, SMALL, changed
from tui_backprop.cli.main import main
from tui_backprop.engine.analysis.parting import parting
from tui_backprop.session.recorded_files import recorded_model


def unchanged(description, step):
    pass


def with_array(tmp_path, of, what, change, folder="other"):
    """A recording in which one array of the value that an operation computes, or of a parameter, is another."""
    model = recorded_model(SMALL)
    names = model.recorded_graph.names
    number = (
        names.index(of)
        if of in names
        else next(op.outputs[0] for op in model.iteration.ops if op.name.startswith(f"aten.{of}."))
    )
    key = getattr(model.iteration.values[number], what)
    (tmp_path / folder).mkdir()
    return changed(tmp_path / folder, unchanged, {key: change(model.held.arrays[key])})


def parted(path):
    return parting(recorded_model(SMALL), recorded_model(path))


def diff(*arguments, code):
    done = CliRunner().invoke(main, ["diff", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.output


@pytest.mark.parametrize("name", ["mlp-relu", "gpt", "resnet", "lstm-cell"])
def test_a_recording_agrees_with_itself(name):
    path = FOLDER / f"{name}.bp"
    found = parting(recorded_model(path), recorded_model(path))
    assert found.agrees
    assert found.matched == len(recorded_model(path).iteration.ops)
    assert found.values
    assert found.gradients
    assert "they agree" in diff(path, path, code=0)


def test_a_value_that_parts_is_the_first_on_the_way_down(tmp_path):
    path = with_array(tmp_path, "relu", "array", lambda a: a * 1.001)
    (wrong,) = [each for each in parted(path).every if not each.agrees]
    assert (wrong.kind, wrong.op) == ("value", "relu")
    text = diff(SMALL, path, code=1)
    assert "they part on the way down, first at v7, of relu in 1" in text
    assert "they agree" in diff(SMALL, path, "--tolerance", "0.01", code=0)


def test_a_gradient_that_parts_is_the_first_on_the_way_up(tmp_path):
    path = with_array(tmp_path, "relu", "cotangent", lambda a: a + 0.1)
    (wrong,) = [each for each in parted(path).every if not each.agrees]
    assert wrong.kind == "gradient"
    words = (
        "gradients part on the way up, first at dv7, which comes from addmm in 2; check tells which is wrong"
    )
    assert words in diff(SMALL, path, code=1)


def test_a_parameter_that_differs_already_is_named_before_everything(tmp_path):
    path = with_array(tmp_path, "2.weight", "array", lambda a: -a)
    (wrong,) = [each for each in parted(path).every if not each.agrees]
    assert (wrong.kind, wrong.name) == ("parameter", "2.weight")
    text = diff(SMALL, path, code=1)
    assert "What is given differs already:" in text
    assert "they part before the first operation: 2.weight, of parameter in 2" in text


def test_operations_that_one_has_alone_are_counted(tmp_path):
    def another(description, step):
        step["ops"][-2]["name"] = "aten.other.default"

    found = parted(changed(tmp_path, another))
    assert found.alone == (1, 1)
    assert not found.agrees
    assert "1 are in the first alone, 1 in the second" in diff(SMALL, tmp_path / "changed.bp", code=1)


def test_recordings_of_other_models_part_by_their_operations():
    found = parting(recorded_model(SMALL), recorded_model(FOLDER / "gpt.bp"))
    assert not found.agrees
    assert sum(found.alone) > 60


def test_everything_is_in_the_json(tmp_path):
    path = with_array(tmp_path, "relu", "array", lambda a: a * 1.001)
    found = json.loads(diff(SMALL, path, "--json", code=1))
    assert not found["agree"]
    assert found["operations"] == {"matched": 14, "first_alone": 0, "second_alone": 0}
    assert sum(not each["agrees"] for each in found["values"]) == 1
    assert "in words" not in diff(SMALL, path, "--plain", code=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("none.bp", SMALL), "cannot be read"),
        ((SMALL, SMALL, "--iteration", "7"), "7 is not recorded"),
        ((SMALL, SMALL, "--tolerance", "-1"), "tolerance"),
    ],
)
def test_bad_arguments_are_refused_in_a_line(arguments, words):
    assert words in diff(*arguments, code=2)
