"""The line of progress goes away, whenever it is interrupted."""

from __future__ import annotations

import sys

import click
import pytest

from tui_backprop.cli.progress import status


def test_it_goes_away_also_when_it_is_interrupted_while_it_is_written(monkeypatch):
    said = []

    def echo(text, **given):
        said.append(text)
        if len(said) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(click, "echo", echo)
    with pytest.raises(KeyboardInterrupt), status() as line:
        line.say("half of it")
    assert said == ["\rhalf of it", "\r          \r"]
