"""What each role looks like. One accent for the forward signal, one for the backward one."""

from __future__ import annotations

from rich.style import Style

BACKGROUND = "#10131a"
SURFACE = "#181c26"
TEXT = "#d4d9e4"
MUTED = "#8b93a7"
FAINT = "#5a6275"
FORWARD = "#5fd0e8"
BACKWARD = "#f2b45c"
UPDATE = "#8fd18a"
LOSS = "#f07d8f"

LOOKS = {
    "text": Style(color=TEXT),
    "strong": Style(color="#ffffff", bold=True),
    "muted": Style(color=MUTED),
    "faint": Style(color=FAINT),
    "title": Style(color="#ffffff", bold=True),
    "forward": Style(color=FORWARD),
    "loss": Style(color=LOSS),
    "backward": Style(color=BACKWARD),
    "update": Style(color=UPDATE),
    "naive": Style(color=LOSS),
    "backprop": Style(color=BACKWARD),
    "mark": Style(color=MUTED),
    "cursor": Style(color="#ffffff", bold=True, reverse=True),
    "key": Style(color="#ffffff", bold=True),
    "good": Style(color=UPDATE),
    "bad": Style(color=LOSS, bold=True),
}
