"""backprop-tui keys: lines that the settings file takes as they are."""

from __future__ import annotations

import re
import tomllib

from click.testing import CliRunner

from tui_backprop.cli.main import main
from tui_backprop.keys.remap import ACTIONS, checked_keys
from tui_backprop.keys.table import ROWS


def printed():
    result = CliRunner().invoke(main, ["keys"])
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_every_action_is_there_with_the_keys_that_it_has():
    wanted = re.sub(r"(?m)^# (?=\S+.* = \[)", "", printed())
    found = checked_keys(tomllib.loads(wanted)["keys"])
    first = {key.id: key for key in reversed(ROWS)}
    assert set(found) == set(ACTIONS)
    assert {action: ",".join(keys) for action, keys in found.items()} == {
        action: first[action].keys for action in ACTIONS
    }


def test_as_it_is_it_changes_nothing():
    assert tomllib.loads(printed()) == {"keys": {}}


def test_every_action_says_what_it_does():
    assert all(re.search(r"\]  # \S", line) for line in printed().splitlines() if " = [" in line)
