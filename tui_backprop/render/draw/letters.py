"""How letters of a text and their positions are written: the same in every panel and report."""

from __future__ import annotations


def letter_at(position: int, name: str) -> str:
    """Write a token with its position: 4 (n). Position 0 is the boundary before the first letter."""
    return f"{position} ({name})"
