"""The palette as Textual's widgets and styles.tcss know it."""

from __future__ import annotations

from textual.theme import Theme

from tui_backprop.ui import palette

THEME = Theme(
    name="backprop",
    primary=palette.FORWARD,
    secondary=palette.BACKWARD,
    warning=palette.BACKWARD,
    error=palette.LOSS,
    success=palette.UPDATE,
    accent=palette.BACKWARD,
    foreground=palette.TEXT,
    background=palette.BACKGROUND,
    surface=palette.SURFACE,
    panel=palette.SURFACE,
    dark=True,
    variables={
        "border": palette.FORWARD,
        "border-blurred": palette.FAINT,
        "text-muted": palette.MUTED,
        "field": palette.FIELD,
    },
)
