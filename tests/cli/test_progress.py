"""The line of progress goes away, whenever it is interrupted."""

from __future__ import annotations

import sys

import pytest

from tui_backprop.cli.progress import status


def test_it_goes_away_also_when_it_is_interrupted_while_it_is_written(monkeypatch):
    said = []

    def say_over(text):
        said.append(text)
        if len(said) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("tui_backprop.cli.progress.say_over", say_over)
    with pytest.raises(KeyboardInterrupt), status() as line:
        line.say("half of it")
    assert said == ["half of it", " " * 10, ""]


def test_a_note_takes_a_line_of_its_own_and_the_status_goes_on_after_it(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with status() as line:
        line.say("half of it")
        line.note("lost \x1b[2Jtcp://a:1\n")
        line.say("all of it")
    assert capsys.readouterr().err == (
        "\rhalf of it\r          \rbackprop-tui: lost ?[2Jtcp://a:1?\n\rall of it\r         \r"
    )


def test_only_notes_are_written_to_a_pipe(capsys):
    with status() as line:
        line.say("half of it")
        line.note("lost a")
    assert capsys.readouterr().err == "backprop-tui: lost a\n"
