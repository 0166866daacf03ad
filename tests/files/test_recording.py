"""Files of recordings: what they hold comes back, and what is no recording is refused in one line."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, suppress

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from tests.record.recordings import SMALL, changed
from tui_backprop.cli.main import main
from tui_backprop.engine.analysis.rederived import rederived_of
from tui_backprop.engine.frontends.recording.recorded import RecordingHeader
from tui_backprop.files.recording import Room, open_recording, write_recording
from tui_backprop.session.recorded_files import recorded_model
from tui_backprop.support.errors import FileError, InputError


def refused(path):
    with pytest.raises(FileError) as caught:
        recorded_model(path)
    assert "\n" not in caught.value.message
    return caught.value.message


def test_what_was_written_is_read(tmp_path):
    paths = (tmp_path / name for name in ("room", "last", "run.bp"))
    with ExitStack() as stack:
        room, last, file = (stack.enter_context(path.open("w+b")) for path in paths)
        kept_in = Room(room)
        arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array(True), "c": np.zeros((0, 4), np.float32)}
        for key, array in arrays.items():
            kept_in.add(key, array)
        header, _ = open_recording(SMALL)
        kept = json.loads(msgspec.json.encode(header))
        for value in kept["iterations"][0]["values"]:
            value |= {"array": "", "cotangent": "", "before": ""}
        for op in kept["iterations"][0]["ops"]:
            op["terms"] = []
        write_recording(kept, [kept_in], last, file)
    found, read = open_recording(tmp_path / "run.bp")
    assert isinstance(found, RecordingHeader)
    for key, array in arrays.items():
        np.testing.assert_array_equal(read[key], array)
        assert read[key].shape == array.shape
        assert read[key].dtype == array.dtype
        assert not read[key].flags.writeable
    with pytest.raises(KeyError):
        read["d"]


@pytest.mark.parametrize("kept", [0, 5, 8, 100, 2000, 6000, -1])
def test_a_file_that_is_cut_off(tmp_path, kept):
    path = tmp_path / "cut.bp"
    path.write_bytes(SMALL.read_bytes()[:kept])
    assert "cut off" in refused(path) or "damaged" in refused(path)


def test_a_file_that_is_cut_off_while_it_is_open(tmp_path):
    path = tmp_path / "open.bp"
    path.write_bytes(SMALL.read_bytes())
    _, arrays = open_recording(path)
    os.truncate(path, 3000)
    with pytest.raises(OSError, match="cut off"):
        [arrays[key] for key in arrays]


@pytest.mark.parametrize("seed", range(300))
def test_changed_bytes_are_refused_or_shown(tmp_path, seed):
    rng = np.random.default_rng(seed)
    content = bytearray(SMALL.read_bytes())
    for _ in range(rng.integers(1, 6)):
        content[rng.integers(len(content))] = rng.integers(256)
    path = tmp_path / "changed.bp"
    path.write_bytes(content)
    with suppress(FileError, InputError):
        assert recorded_model(path).graph.ops


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty", b"", "cut off"),
        ("text", b"not a recording, but a text", "cut off"),
        ("pickle", b"\x80\x04\x95" + b"\0" * 100, "cut off"),
        ("long header", (2**60).to_bytes(8, "little") + b"{}" * 100, "cut off"),
        ("no json", (20).to_bytes(8, "little") + b"x" * 200, "is no recording"),
        ("no description", (2).to_bytes(8, "little") + b"{}", "without the description"),
    ],
)  # fmt: skip
def test_what_is_no_recording(tmp_path, name, content, words):
    path = tmp_path / "file.bp"
    path.write_bytes(content)
    assert words in refused(path)


def test_a_file_that_is_not_there_a_folder_and_a_pipe(tmp_path):
    assert "cannot be read" in refused(tmp_path / "none.bp")
    assert "cannot be read" in refused(tmp_path)
    os.mkfifo(tmp_path / "pipe.bp")
    assert "not a regular file" in refused(tmp_path / "pipe.bp")


def _without_parameters(description, step):
    for value in step["values"]:
        value |= {"parameter": False, "differentiable": False}


CHANGES = {
    "a later version": (lambda d, s: d.update(version=2), "version 2"),
    "no steps": (lambda d, s: d.update(iterations=[]), "no iterations"),
    "a value of a later operation": (
        lambda d, s: s["ops"][0].update(arguments=[{"value": s["ops"][-1]["outputs"][0]}]), "not computed before it",
    ),
    "a value that there is not": (lambda d, s: s["ops"][0].update(arguments=[{"value": 999}]), "not computed before"),
    "an output that is computed twice": (
        lambda d, s: s["ops"][-1].update(outputs=s["ops"][0]["outputs"]), "computes no value of its own",
    ),
    "no output": (lambda d, s: s["ops"][0].update(outputs=[]), "computes no value of its own"),
    "a negative size": (lambda d, s: s["values"][0].update(shape=[-3, 2]), "no shape"),
    "too many axes": (lambda d, s: s["values"][0].update(shape=[1] * 40), "no shape"),
    "too many entries": (lambda d, s: s["values"][0].update(shape=[2**30, 2**30]), "entries"),
    "an array of another shape": (lambda d, s: s["values"][0].update(shape=[7]), "different shapes"),
    "an array that there is not": (lambda d, s: s["values"][0].update(array="9/x"), "not in the file"),
    "a module inside itself": (lambda d, s: s["modules"][1].update(inside=1), "not inside an earlier one"),
    "an operation in no module": (lambda d, s: s["ops"][0].update(module=99), "in no module"),
    "an operation in no function": (lambda d, s: s["ops"][0].update(function=4), "in no function"),
    "a root that there is not": (lambda d, s: s.update(roots=[[999, ""]]), "begins at a value"),
    "a root without parameters": (_without_parameters, "no step to walk"),
    "a tensor that does not fit into memory": (
        lambda d, s: s["values"].append(s["values"][0] | {"shape": [2**20, 2**19], "array": "", "cotangent": ""}),
        "too large for the memory",
    ),
    "too many operations": (lambda d, s: s.update(ops=s["ops"] * 20_000), "more than 200,000 operations"),
    "a text for a number": (lambda d, s: s["values"][0].update(shape="wide"), "is no recording"),
    "lists in lists": (lambda d, s: s["ops"][0].update(arguments=[[[[[[{"value": 0}]]]]]]), "not computed before"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_description_that_lies_is_refused(tmp_path, name):
    change, words = CHANGES[name]
    assert words in refused(changed(tmp_path, change))


NONSENSE = {
    "another name": {"name": "aten.no_such_operation.default"},
    "no arguments": {"arguments": []},
    "a text": {"arguments": ["a", "b", "c"]},
    "a larger output": {"name": "aten.repeat.default", "arguments": [{"value": 0}, [10**9, 10**9]]},
    "a wide border": {"name": "aten.constant_pad_nd.default", "arguments": [{"value": 0}, [10**9] * 4]},
}


@pytest.mark.parametrize("name", NONSENSE)
def test_operations_that_have_no_row_are_only_recorded(tmp_path, name):
    def replaced(description, step):
        for op in step["ops"]:
            if op["name"] == "aten.relu.default":
                op |= NONSENSE[name] | {
                    "arguments": [*op["arguments"][:1], *NONSENSE[name].get("arguments", [])[1:]]
                }

    model = recorded_model(changed(tmp_path, replaced))
    assert len(model.recorded_graph.without_row) == (0 if name in ("no arguments", "a text") else 2)


def test_names_with_control_characters_reach_no_terminal(tmp_path):
    def named(description, step):
        step["modules"][1]["name"] = "evil\x1b[2J\n"
        step["values"][1]["name"] = "w\x1b]0;x\x07"

    path = changed(tmp_path, named)
    for command in ("trace", "blame", "check"):
        done = CliRunner().invoke(main, [command, str(path)])
        assert done.exit_code == 0
        printed = done.output
        assert "\x1b" not in printed
        assert "\x07" not in printed


def test_a_step_is_chosen_by_its_number_and_another_is_refused():
    assert recorded_model(SMALL, 0).iteration.number == 0
    with pytest.raises(InputError, match="3 is not recorded"):
        recorded_model(SMALL, 3)


def test_names_are_told_apart_and_none_is_a_number(tmp_path):
    def named(description, step):
        names = iter(["v1", "x1", "v1", "7", "0.weight", "0.weight"])
        for value in step["values"]:
            if value["parameter"]:
                value["name"] = next(names)

    model = recorded_model(changed(tmp_path, named))
    names = model.recorded_graph.names
    assert len({*names}) == len(names)
    assert "7" not in names
    assert {"v1", "x1", "p7", "0.weight"} <= {*model.graph.parameters}
    assert all(each.agrees for each in rederived_of(model))
