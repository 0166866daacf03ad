"""backprop-tui token: that of the last session, to be copied from a shell."""

from __future__ import annotations

from click.testing import CliRunner

from tui_backprop.cli.main import main
from tui_backprop.session.autosave import save
from tui_backprop.session.share_token import decode
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import after_update, at_step

MOMENT = at_step(after_update(from_preset("xor")), 3)


def told():
    return CliRunner().invoke(main, ["token"])


def test_it_opens_the_last_session_elsewhere():
    save(MOMENT)
    result = told()
    assert (result.exit_code, result.stderr) == (0, "")
    assert decode(result.stdout) == MOMENT


def test_without_a_session_it_says_so():
    result = told()
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(
        "backprop-tui: the last session: there is none yet; run backprop-tui once, or"
    )
    assert len(result.stderr.splitlines()) == 1


def test_it_makes_one_of_a_network_that_was_never_opened():
    result = CliRunner().invoke(main, ["token", "--preset", "xor"])
    assert decode(result.stdout) == from_preset("xor")
