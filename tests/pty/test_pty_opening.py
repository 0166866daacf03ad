"""The real command on a session from another machine, and with settings: it opens on the same screen."""

from __future__ import annotations

import pytest

from tui_backprop.session import autosave
from tui_backprop.session.share_token import encode
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import after_update, at_step, next_sample
from tui_backprop.support.paths import config_file

pytestmark = pytest.mark.pty

MOMENT = at_step(after_update(after_update(next_sample(from_preset("xor")))), 3)


def walked(terminal):
    """Return the screen after the keys that lead to MOMENT."""
    run = terminal(120, 40, "--preset", "xor")
    run.shows("step 0/10")
    before = run.text
    run.send("n")
    run.until(lambda: run.text != before, "the next samples")
    for text in ("iteration 1", "iteration 2"):
        run.press("t", text)
    for step in (1, 2, 3):
        run.press("right", f"step {step}/10")
    return run


def left_of(run) -> list[str]:
    """Return the network and walk panels; those to the right of them show measured times."""
    return [row[:79] for row in run.screen.display[:-1]]


def test_a_token_opens_the_screen_that_keys_lead_to(terminal):
    there = walked(terminal)
    opened = terminal(120, 40, "--open", encode(MOMENT))
    opened.shows("step 3/10")
    assert left_of(opened) == left_of(there)


def test_resume_opens_what_was_kept(terminal):
    autosave.save(MOMENT)
    run = terminal(80, 24, "--resume")
    run.shows("step 3/10")
    assert "iter" in run.text


def test_resume_comes_back_to_the_panel(terminal):
    run = terminal(80, 24)
    run.shows("step 0/20")
    run.press("right", "step 1/20")
    run.press("b", "measure")
    run.send("q")
    assert run.ended() == 0
    again = terminal(80, 24, "--resume")
    again.shows("measure")
    again.shows("step 1/20")


def test_the_mouse_is_not_asked_for_if_it_is_not_wanted(terminal):
    asked, without = terminal(80, 24), terminal(80, 24, "--no-mouse")
    for run in (asked, without):
        run.shows("step 0/20")
    assert b"\x1b[?1000h" in asked.raw
    assert b"\x1b[?1000h" not in without.raw


def test_plain_characters_and_few_colors_can_be_asked_for(terminal):
    run = terminal(80, 24, "--ascii", BACKPROP_TUI_COLOR="16")
    run.shows("step 0/20")
    assert bytes(run.raw).isascii()
    assert not [style for style in run.styles if "38;5" in style or "38;2" in style]


def test_a_settings_file_is_listened_to(terminal):
    config_file().parent.mkdir(parents=True)
    config_file().write_text('glyphs = "ascii"\nmouse = false\n')
    run = terminal(80, 24)
    run.shows("step 0/20")
    assert bytes(run.raw).isascii()
    assert b"\x1b[?1000h" not in run.raw


def test_a_bad_settings_file_is_refused_before_the_screen_is_taken(bare_run, tmp_path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('colour = "\\u001b[2J"')
    done = bare_run("--config", str(wrong))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("wrong.toml: colour: unknown setting; did you mean color?\n")
