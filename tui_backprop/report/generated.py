"""What ``generate`` prints: generated texts, as lines or as an object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tui_backprop.data.text import Text
from tui_backprop.engine.analysis.generation import Choice, Sampling
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.session.state import Session
from tui_backprop.support.format import printable

Texts = Sequence[Sequence[Choice]]


def generated_text(prompt: str, text: Text, texts: Texts, context: RenderContext) -> str:
    """A line for each text."""
    lines = (prompt + text.decode([choice.token for choice in choices]) for choices in texts)
    return "\n".join(context.text(printable(line, text.samples)) for line in lines)


def generated_dict(
    session: Session, prompt: str, text: Text, names: Sequence[str], sampling: Sampling, texts: Texts
) -> dict[str, Any]:
    """What ``generate --json`` prints: of each token the probability that the network predicts, ``p``, and that with
    which it was drawn at the temperature; a text that has not ``ended`` fills the context."""
    return {
        "iteration": session.t,
        "temperature": sampling.temperature,
        "seed": sampling.seed,
        "prompt": prompt,
        "texts": [
            {
                "text": prompt + text.decode([choice.token for choice in choices]),
                "ended": bool(choices) and choices[-1].token == text.boundary,
                "tokens": [
                    {
                        "token": names[choice.token],
                        "p": float(choice.p[choice.token]),
                        "drawn_from": float(choice.drawn_from[choice.token]),
                    }
                    for choice in choices
                ],
            }
            for choices in texts
        ],
    }
