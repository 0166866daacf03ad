"""Recurrent networks to begin with."""

from __future__ import annotations

from tui_backprop.engine.network.model import Model

FRONTEND = "rnn"


def names_rnn() -> Model:
    """Build a recurrent network of 32 units, unrolled over 16 characters."""
    from tui_backprop.engine.frontends.rnn.spec import RnnSpec  # it is large

    return RnnSpec()
