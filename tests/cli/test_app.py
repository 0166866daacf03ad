"""--open and --resume: the session of a token or of the last time is the one that the app opens on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner

from tui_backprop.cli import app as app_module
from tui_backprop.cli.main import main
from tui_backprop.lesson.progress import Progress
from tui_backprop.lesson.progress import save as save_progress
from tui_backprop.session import autosave
from tui_backprop.session.autosave import save
from tui_backprop.session.share_token import encode
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_training, at_step

STEP = "naive/perturb"
MOMENT = at_step(after_training(from_preset("xor"), 120), 7)


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """Run the command line with an app that is only asked to open; ``opened(*arguments)`` is what it was given."""
    given = []
    monkeypatch.setattr(
        app_module,
        "open_app",
        lambda session, chosen, again=False, chapter="": given.append((session, chosen, again)),
    )
    monkeypatch.setattr(autosave, "state_folder", lambda: tmp_path)
    monkeypatch.setenv("BACKPROP_TUI_CONFIG", "")

    def run(*arguments):
        result = CliRunner().invoke(main, arguments)
        assert (result.exit_code, result.stderr) == (0, "")
        return given.pop()

    return run


def refusal(*arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.isprintable()
    return line.removeprefix("backprop-tui: ")


def test_a_token_is_opened(opened):
    assert opened("--open", encode(MOMENT))[0] == MOMENT
    assert opened("--open", f"  {encode(MOMENT)[:20]}\n{encode(MOMENT)[20:]}\n")[0] == MOMENT


def test_the_last_session_is_resumed(opened, tmp_path):
    save(MOMENT, tmp_path)
    assert opened("--resume")[0] == MOMENT


def test_without_either_it_is_what_the_options_say(opened):
    assert opened()[0] == from_preset("lesson")
    assert opened("--sample", "0")[0] == Session()
    assert opened("--preset", "xor")[0] == from_preset("xor")


def test_settings_come_along(opened, monkeypatch):
    monkeypatch.setenv("BACKPROP_TUI_COLOR", "16")
    _, chosen, again = opened(
        "--open", encode(MOMENT), "--memory", "64", "--no-mouse", "--no-motion", "--ascii"
    )
    assert again
    assert (chosen.color, chosen.memory, chosen.mouse, chosen.motion, chosen.glyphs) == (
        "16",
        64,
        False,
        False,
        "ascii",
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--open", "hello"), '--open: "hello" is no token; they begin with bp4-'),
        (("--open", "\x1b[2J[red]"), '--open: "?[2J[red]" is no token; they begin with bp4-'),
        (("--open", "bp4-u8P902sAAB"), "--open: this token is damaged; copy it again, all of it"),
        (
            ("--open", "bp5-"),
            "--open: this token is of a newer format (bp5-); this program reads bp4-",
        ),
        (
            ("--open", "bp4-u8P902sAAA", "--resume"),
            "--resume: cannot be combined with --open",
        ),
        (
            ("--open", "bp4-u8P902sAAA", "--weight-decay", "0.1"),
            "--open: cannot be combined with --weight-decay: the session has its own network and data",
        ),
        (
            ("--resume", "--layers", "2,2"),
            "--resume: cannot be combined with --layers: the session has its own network and data",
        ),
        (("--memory", "0"), '--memory: invalid value "0"; expected a number of megabytes, such as 256'),
        (("--config", "no/such/file"), "--config: no/such/file does not exist"),
    ],
    ids=lambda each: " ".join(each)[:40] if isinstance(each, tuple) else "",
)
def test_what_does_not_do_is_refused_in_one_line(arguments, line):
    assert refusal(*arguments) == line


def test_a_chapter_opens_the_lesson_in_the_state_that_it_starts_from(opened):
    for text, start in (("3.2", from_preset("lesson")), ("6", replace(from_preset("xor"), batch=1))):
        session, chosen, _ = opened("--chapter", text)
        assert (session, chosen.lesson) == (start, True)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--chapter", "14"), '--chapter: there is no chapter or step "14"; choose 0 to 13, or a step such as 3.2'),
        (("--chapter", "1", "--preset", "xor"),
         "--chapter: cannot be combined with --preset: a chapter has its own network and data"),
        (("--chapter", "1", "--resume"),
         "--chapter: cannot be combined with --resume: a chapter has its own network and data"),
        (("--chapter", "1", "lesson"),
         "--chapter: applies to the app; backprop-tui lesson --chapter 3 prints a chapter"),
    ],
)  # fmt: skip
def test_a_chapter_that_does_not_do_is_refused(arguments, line):
    assert refusal(*arguments) == line


def test_where_nothing_is_kept_resume_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(autosave, "state_folder", lambda: tmp_path)
    assert (
        refusal("--resume")
        == f"--resume: there is no {tmp_path}/last-session yet; the app keeps one at each step"
    )


def test_who_goes_on_is_shown_the_lesson_where_it_was_open_or_asked_for(opened, monkeypatch, tmp_path):
    monkeypatch.delenv("BACKPROP_TUI_LESSON")
    save(MOMENT, tmp_path)
    ways = ((), ("--resume",), ("--open", encode(MOMENT)))
    assert [opened(*given)[1].lesson for given in ways] == [None, False, False]
    assert opened("--resume", "--lesson")[1].lesson is True
    for progress, shown in ((Progress(at=STEP), True), (Progress(at=STEP, hidden=True), False)):
        save_progress(progress)
        assert [opened(*given)[1].lesson for given in ways] == [None, shown, False]
    assert opened("--no-lesson")[1].lesson is False
