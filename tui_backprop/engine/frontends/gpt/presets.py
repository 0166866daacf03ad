"""GPTs to begin with."""

from __future__ import annotations

from tui_backprop.engine.network.model import Model

FRONTEND = "gpt"
NORMS = ("rms", "layer")  # RMS normalization without gain; layer normalization with gain and shift


def microgpt() -> Model:
    """Build a GPT of 4,192 parameters: one block of width 16 on up to 16 characters."""
    from tui_backprop.engine.frontends.gpt.spec import GptSpec  # it is large

    return GptSpec()
