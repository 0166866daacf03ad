"""The other half of the random keys; see test_pty_monkey.py."""

from __future__ import annotations

import pytest

from tests.pty.monkey import side_by_side

pytestmark = pytest.mark.pty


def test_more_random_keys_do_no_harm(terminal):
    side_by_side(terminal, (3, 4))
