"""Own data and weights in the form: paths complete, files are opened beside the walk, and bad ones say why."""

from __future__ import annotations

import os
import pickle
import threading

import numpy as np
import pytest
from click.testing import CliRunner

from tests.waits import GENEROUS
from tui_backprop.cli.main import main
from tui_backprop.data import own
from tui_backprop.session import autosave
from tui_backprop.session.share_token import decode, encode
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import after_training
from tui_backprop.support.memory import Available
from tui_backprop.tui.widgets import form_files
from tui_backprop.tui.widgets.form import NetworkPanel

FLOWERS = "length,width,kind\n" + "".join(f"{n},{n % 3},{('iris', 'rose')[n % 2]}\n" for n in range(30))
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)])
TYPED = "W1=[[.15,.25],[.2,.3]], b1=.35, W2=[[.4],[.45]], b2=-.6"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with files of all kinds."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    (tmp_path / "flowers.csv").write_text(FLOWERS)
    (tmp_path / "flow.txt").write_text("1,2\n")
    (tmp_path / "points.csv").write_text("a,b,c\n1,0,5\n2,1,7\n3,0,8\n")
    (tmp_path / "ragged.csv").write_text("a,b,y\n1,2,3\n4,5\n")
    (tmp_path / "text.csv").write_text("a,b,y\n1,2,3\n4,two,6\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "model.pt").write_bytes(pickle.dumps({"W1": 1}))
    (tmp_path / "junk.npz").write_bytes(b"PK\x03\x04junk")
    np.savez(tmp_path / "objects.npz", W1=np.array([{}], object))
    np.savez(tmp_path / "shape.npz", W1=np.zeros((2, 5)), b1=np.zeros(2), W2=np.zeros((2, 1)), b2=np.zeros(1))
    twins = {f"{name}.weight": np.zeros((2, 2)) for name in ("left", "right")}
    np.savez(tmp_path / "twins.npz", **twins, **{f"{name}.bias": np.zeros(2) for name in ("left", "right")})
    torch = {"fc1.weight": rng.normal(size=(4, 2)), "fc1.bias": rng.normal(size=4)}
    np.savez(
        tmp_path / "torch.npz", **torch, **{"fc2.weight": rng.normal(size=(1, 4)), "fc2.bias": np.zeros(1)}
    )
    return tmp_path


def on_the_command_line(*arguments):
    """What the command line says of a bad file or text, without the name of the option."""
    said = CliRunner().invoke(main, ["token", "--preset", "xor", *arguments]).stderr
    return said.splitlines()[-1].split(": ", 2)[2]


def said(ui):
    """The message of the form on one line, as far as it stands beside or below the fields."""
    beside = 38 if ui.app.size.width == 80 else 0
    return "".join(row[beside:].strip() for row in ui.form.splitlines()).replace(" ", "")


async def fill(ui, field, choice, path):
    await ui.choose(field, choice)
    await ui.press("down")
    await ui.type(path)


@SIZES
async def test_a_file_of_data_is_opened_then_applied_and_undone(open_app, folder, size):
    async with open_app(after_training(from_preset("xor"), 3), size=size) as ui:
        before = ui.app.session
        await fill(ui, "data", "file", "flowers.csv")
        assert "enter opens it, esc reverts" in ui.form
        await ui.press("enter")
        assert '"flowers.csv":30samples,inputs2,target:classes0=iris,1=rose' in said(ui)
        assert "restartstraining:3updateslost" in said(ui)
        assert ui.field("data") == "flowers.csv"
        assert ui.app.session == before
        await ui.press("enter")
        after = ui.app.session
        assert own.table_of(after.data).classes == ("iris", "rose")
        assert decode(encode(after)) == after
        await ui.press("f3", "u")
        assert ui.app.session == before


async def test_a_file_of_data_is_the_same_session_as_on_the_command_line(open_app, folder):
    arguments = ["--preset", "xor", "--data", "points.csv", "--target", "b", "--scale", "minmax"]
    made = decode(CliRunner().invoke(main, ["token", *arguments]).stdout)
    async with open_app(from_preset("xor")) as ui:
        await fill(ui, "data", "file", "points.csv")
        await ui.to_field("target")
        await ui.type("b")
        await ui.choose("scale", "minmax")
        await ui.press("enter")
        await ui.press("enter")
        assert (ui.app.session.data, ui.app.session.network) == (made.data, made.network)


@SIZES
async def test_weights_say_what_was_taken_for_what(open_app, folder, size):
    async with open_app(from_preset("xor"), size=size) as ui:
        await fill(ui, "weights", "file", "torch.npz")
        await ui.press("enter")
        assert "W1=fc1.weighttransposed,b1=fc1.bias" in said(ui)
        assert ui.field("layers") == "2,4,1"
        assert "also adapted: layers" in ui.form
        await ui.press("enter")
        with np.load(folder / "torch.npz") as file:
            expected = np.concatenate([file["fc1.weight"].T.ravel(), file["fc1.bias"]])
        assert np.array_equal(ui.app.state.replay.state(ui.app.session).parameters[:12], expected)


async def test_typed_and_filed_weights_give_the_same_session(open_app, folder):
    made = CliRunner().invoke(
        main, ["trace", "--preset", "xor", "--layers", "2,2,1", "--set", TYPED, "--save", "w.npz"]
    )
    assert made.exit_code == 0, made.output
    found = []
    for choice, text, enters in (("typed", TYPED, 1), ("file", "w.npz", 2)):
        async with open_app(from_preset("xor")) as ui:
            await ui.to_field("layers")
            await ui.type("2,2,1")
            await fill(ui, "weights", choice, text)
            for _ in range(enters):
                await ui.press("enter")
            found.append(ui.app.session)
    assert found[0].network.start == found[1].network.start
    assert found[0] == found[1]
    assert decode(encode(found[0])) == found[1]


BAD = [
    ("data", "nowhere.csv"), ("data", "data/"), ("data", "ragged.csv"), ("data", "text.csv"), ("data", "model.pt"),
    ("data", "junk.npz"), ("data", "/dev/null"), ("weights", "nowhere.npz"), ("weights", "data"),
    ("weights", "model.pt"), ("weights", "junk.npz"), ("weights", "objects.npz"), ("weights", "shape.npz"),
    ("weights", "twins.npz"), ("weights", "flowers.csv"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "path"), BAD)
async def test_a_bad_file_says_why_in_the_words_of_the_command_line_and_nothing_changes(
    open_app, folder, field, path
):
    line = on_the_command_line(f"--{field}", path)
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        before, walk = ui.app.session, ui.walk
        await fill(ui, field, "file", path)
        await ui.press("enter")
        assert line.replace(" ", "") in said(ui)
        assert "file!" in ui.form.replace(" ", "")
        await ui.press("enter")  # tries again
        assert line.replace(" ", "") in said(ui)
        assert (ui.app.session, ui.walk) == (before, walk)
        await ui.press("escape")
        assert ui.field(field) != "file"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
async def test_a_file_that_may_not_be_read_says_so(open_app, folder):
    (folder / "flowers.csv").chmod(0)
    async with open_app(from_preset("xor")) as ui:
        await fill(ui, "data", "file", "flowers.csv")
        await ui.press("enter")
        assert "Permission denied" in ui.form


async def test_a_file_that_is_too_large_says_so(open_app, folder, monkeypatch):
    monkeypatch.setattr("tui_backprop.data.table_file.available", lambda: Available(1000))
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await fill(ui, "data", "file", "flowers.csv")
        await ui.press("enter")
        assert "itislargerthan150bytes" in said(ui)


async def test_memory_that_runs_out_in_the_middle_is_an_error_of_the_file(open_app, folder, monkeypatch):
    def out_of_memory(*given):
        raise MemoryError

    monkeypatch.setattr(form_files, "opened", out_of_memory)
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await fill(ui, "data", "file", "flowers.csv")
        await ui.press("enter")
        assert "file: " in ui.form
        assert "memory" in ui.form


async def test_no_path_and_a_column_that_is_not_there_are_said_in_their_fields(open_app, folder):
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await ui.choose("data", "file")
        await ui.press("enter")
        assert "file:nameafile,suchaspoints.csv" in said(ui)
        await ui.press("down")
        await ui.type("flowers.csv")
        await ui.to_field("target")
        await ui.type("color")
        await ui.press("enter")
        assert 'target:thereisnocolumn"color";choosefromlength,width,kind' in said(ui)
        await ui.type("kind")
        assert "no column" not in ui.form
        await ui.press("enter")
        assert ui.field("data") == "flowers.csv"


class SlowFile:
    """A file of ten parts of which the second comes when it is let through."""

    def __init__(self):
        self.through, self.seen = threading.Event(), []

    def __call__(self, texts, session, watch):
        watch(1, 10)
        assert self.through.wait(GENEROUS)
        self.seen.append("read on")
        watch(2, 10)
        self.seen.append("read to the end")
        return form_files.Opened({**texts, "data": "moons"}, ("all read",))


@pytest.fixture
def slow_file(monkeypatch):
    slow = SlowFile()
    monkeypatch.setattr(form_files, "opened", slow)
    yield slow
    slow.through.set()


async def test_reading_is_shown_everywhere_leaves_the_walk_alone_and_is_stopped_by_escape(
    open_app, folder, slow_file
):
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await fill(ui, "data", "file", "flowers.csv")
        await ui.pilot.press("enter")
        await ui.until(lambda: "reading 10%" in ui.form, "progress")
        assert "esc stops it" in ui.form
        assert "reading 10%" in ui.status
        assert "esc stop" in ui.keys
        await ui.pilot.press("f3", "right")
        await ui.until(lambda: ui.step == 1, "a step beside the reading")
        await ui.pilot.press("f2", "escape")
        await ui.until(lambda: "reading" not in ui.form, "the end of the reading")
        slow_file.through.set()
        await ui.settled()
        assert slow_file.seen == ["read on"]
        assert "reading" not in ui.status
        assert "enter opens it" in ui.form  # the path is still there
        assert "all read" not in ui.form


async def test_a_reading_is_dropped_when_another_file_is_named(open_app, folder, slow_file):
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await fill(ui, "data", "file", "flowers.csv")
        await ui.pilot.press("enter")
        await ui.until(lambda: "reading 10%" in ui.form, "progress")
        await ui.pilot.press("x")
        await ui.until(lambda: "reading" not in ui.form, "the end of the reading")
        slow_file.through.set()
        await ui.settled()
        assert ui.field("file") == "flowers.csvx"


async def test_other_edits_beside_a_reading_are_kept(open_app, folder, slow_file):
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await fill(ui, "data", "file", "flowers.csv")
        await ui.pilot.press("enter")
        await ui.until(lambda: "reading 10%" in ui.form, "progress")
        await ui.pilot.press(*["down"] * 4, "7")
        await ui.until(lambda: ui.field("batch") == "7", "the edit")
        slow_file.through.set()
        await ui.settled()
        assert "all read" in ui.form
        assert ui.field("batch") == "7"


@SIZES
async def test_tab_completes_a_path_and_what_it_may_go_on_to_is_listed(open_app, folder, size):
    async with open_app(from_preset("xor"), size=size) as ui:
        await ui.choose("data", "file")
        await ui.press("down")
        assert {"data/", "flow.txt", "flowers.csv"} <= set(ui.form.split())
        await ui.press("f", "tab")
        assert ui.field("file") == "flow"
        await ui.press("tab")  # which to choose?
        assert ui.field("file") == "flow"
        await ui.press("e", "tab")
        assert ui.field("file") == "flowers.csv"
        assert "flow.txt" not in ui.form
        await ui.press("tab")
        assert ui.app.query_one(NetworkPanel).form.selected == "target"


async def test_a_path_typed_on_the_field_of_data_is_a_file(open_app, folder):
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await ui.to_field("data")
        await ui.press(*"Flo")
        assert ui.field("data") == "file"
        assert ui.field("file") == "Flo"
        await ui.press("escape")
        await ui.to_field("data")
        await ui.type("flowers.csv")
        assert ui.field("file") == "flowers.csv"


@pytest.mark.parametrize("words", ["csv", "own data", "import numpy", "open data", "spreadsheet"])
async def test_the_palette_opens_data(open_app, folder, words):
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await ui.press("ctrl+p", *words, "enter")
        assert ui.focused == "network"
        assert ui.app.query_one(NetworkPanel).form.selected == "file"


@pytest.mark.parametrize(
    ("words", "row"),
    [
        ("load weights", "weights-file"),
        ("safetensors", "weights-file"),
        ("type weights", "set"),
        ("type sample", "x"),
    ],
)
async def test_the_palette_has_the_other_doors(open_app, words, row):
    async with open_app(from_preset("three-uses"), size=(80, 24)) as ui:
        await ui.press("ctrl+p", *words, "enter")
        assert ui.app.query_one(NetworkPanel).form.selected == row
        assert ui.app.session == from_preset("three-uses")


async def test_a_sample_is_typed_in_place_of_an_expression(open_app):
    async with open_app(from_preset("three-uses"), size=(80, 24)) as ui:
        await ui.press("ctrl+p", *"type a sample", "enter")
        await ui.type("[[1, 2], [3, 4]]")
        await ui.press("down")
        await ui.type("[0, 1]")
        await ui.to_field("layers")
        await ui.type("2,3,2")
        await ui.press("enter")
        assert own.parsed(ui.app.session.data).x == ((1.0, 2.0), (3.0, 4.0))
        assert (ui.app.session.network.layers, ui.app.session.batch) == ((2, 3, 2), 2)


async def test_a_large_file_is_resumed_by_its_content(open_app, folder, monkeypatch):
    rng = np.random.default_rng(0)
    np.savetxt(folder / "large.csv", rng.normal(size=(2000, 3)), delimiter=",")
    async with open_app(from_preset("sine")) as ui:
        await fill(ui, "data", "file", "large.csv")
        await ui.press("enter")
        await ui.press("enter")
        session = ui.app.session
    autosave.save(session)
    monkeypatch.setattr(own, "_held", {})
    own.info.cache_clear()
    assert autosave.load() == session


async def test_what_was_brought_can_be_edited_again(open_app):
    async with open_app(from_preset("mazur"), size=(80, 24)) as ui:
        await ui.choose("data", "typed")
        await ui.to_field("x")
        await ui.type("[[1, 2]]")
        await ui.press("enter")
        assert ui.field("x") == "[[1.0,2.0]]"
        await ui.type("[[1, 3]]")
        await ui.press("enter")
        assert own.parsed(ui.app.session.data).x == ((1.0, 3.0),)


BAD_TEXTS = [
    ("data", "x", "[[1,2],[3]]"), ("data", "x", "[[1,2],[3,4]]"), ("data", "x", "one"), ("data", "y", "[0.5]"),
    ("data", "y", "[[1],[2]]"), ("weights", "set", "W9=1"), ("weights", "set", "W1=[[1,2,3]]"),
    ("weights", "set", "W1"), ("weights", "set", "b1=1, b1=2"), ("weights", "set", "W1=[[1,2],[3]]"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "row", "text"), BAD_TEXTS)
async def test_a_bad_text_says_why_while_it_is_typed_in_the_words_of_the_command_line(
    open_app, field, row, text
):
    samples = {"x": "[[0.05, 0.1]]", "y": "[1]", row: text}
    arguments = ["--set", text] if field == "weights" else ["--x", samples["x"], "--y", samples["y"]]
    line = on_the_command_line(*arguments)
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        before = ui.app.session
        await ui.choose(field, "typed")
        await ui.to_field(row)
        await ui.type(text)
        assert line.replace(" ", "") in said(ui)
        await ui.press("enter")
        assert ui.app.session == before
        await ui.press("escape")
        assert ui.field(field) != "typed"


async def test_the_parameters_that_may_be_typed_are_listed_with_their_shapes(open_app):
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await ui.choose("weights", "typed")
        await ui.to_field("layers")
        await ui.type("2,3,1")
        await ui.to_field("set")
        assert all(each in ui.form for each in ("W1 2×3", "b1 3", "W2 3×1", "b2 1"))
