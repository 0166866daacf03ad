"""Numbers below each other."""

from __future__ import annotations

from collections.abc import Sequence


def on_the_point(texts: Sequence[str]) -> list[str]:
    """Pad numbers on the right, so that their points are below each other once they are set to the right; an empty
    text stays empty."""
    after = [len(text) - text.index(".") if "." in text else 0 for text in texts]
    return [
        text + " " * (max(after) - digits) if text else "" for text, digits in zip(texts, after, strict=True)
    ]
