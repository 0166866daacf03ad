"""What each role looks like. One accent for the forward signal, one for the backward one.

All colours are from the 256-colour cube, so that they look the same where a connection carries only 256 (ssh
does not forward COLORTERM), and cost half the bytes of true colour on the wire.
"""

from __future__ import annotations

from rich.style import Style

BACKGROUND = "#121212"
SURFACE = "#262626"
GRID = "#444444"
FIELD = "#444444"
TEXT = "#d0d0d0"
STRONG = "#ffffff"
MUTED = "#949494"
FAINT = "#5f5f5f"
FORWARD = "#5fd7ff"
BACKWARD = "#ffaf5f"
UPDATE = "#87d787"
LOSS = "#ff87af"
IMPROVED = "#af87ff"
SPSA = "#5fafaf"

LOOKS = {
    "text": Style(color=TEXT),
    "strong": Style(color=STRONG, bold=True),
    "muted": Style(color=MUTED),
    "faint": Style(color=FAINT),
    "title": Style(color=STRONG, bold=True),
    "forward": Style(color=FORWARD),
    "loss": Style(color=LOSS),
    "backward": Style(color=BACKWARD),
    "update": Style(color=UPDATE),
    "naive": Style(color=LOSS),
    "improved": Style(color=IMPROVED),
    "spsa": Style(color=SPSA),
    "backprop": Style(color=BACKWARD),
    "mark": Style(color=MUTED),
    "grid": Style(color=GRID),
    "cursor": Style(color=STRONG, bold=True, reverse=True),
    "field": Style(color=STRONG, bgcolor=FIELD, bold=True),
    "key": Style(color=STRONG, bold=True),
    "good": Style(color=UPDATE),
    "bad": Style(color=LOSS, bold=True),
}
