"""The style of each role in each theme: one accent for the forward signal, one for the backward signal.

The colors of ``dark`` and ``light`` are from the 256-color cube, so that they look the same where a connection
carries only 256 (ssh does not forward COLORTERM), and take half the bytes of true color. ``terminal`` uses the
terminal's own colors by number, and paints no background: of the sixteen, those that are readable on dark and on
light backgrounds. ``colorless`` distinguishes roles by bold, dim and reverse video."""

from __future__ import annotations

from types import MappingProxyType

from rich.style import Style

THEMES = ("dark", "light", "terminal", "colorless")

ROLES = {
    # role        dark                       light                      terminal               colorless
    "text":     ("#d0d0d0",                 "#262626",                 "",                    ""),
    "strong":   ("bold #ffffff",            "bold #000000",            "bold",                "bold"),
    "muted":    ("#949494",                 "#5f5f5f",                 "dim",                 "dim"),
    "faint":    ("#5f5f5f",                 "#9e9e9e",                 "dim",                 "dim"),
    "title":    ("bold #ffffff",            "bold #000000",            "bold",                "bold"),
    "forward":  ("#5fd7ff",                 "#005fd7",                 "bright_blue",         ""),
    "loss":     ("#ff87af",                 "#af005f",                 "bright_magenta",      ""),
    "backward": ("#ffaf5f",                 "#875f00",                 "bright_red",          ""),
    "update":   ("#87d787",                 "#005f00",                 "green",               ""),
    "naive":    ("#ff87af",                 "#af005f",                 "bright_magenta",      ""),
    "batched":  ("#af87ff",                 "#8700d7",                 "bright_blue",         ""),
    "spsa":     ("#5fafaf",                 "#005f5f",                 "cyan",                ""),
    "backprop": ("#ffaf5f",                 "#875f00",                 "bright_red",          ""),
    "mark":     ("#949494",                 "#5f5f5f",                 "dim",                 "dim"),
    "grid":     ("#444444",                 "#bcbcbc",                 "dim",                 "dim"),
    "cursor":   ("bold reverse #ffffff",    "bold reverse #000000",    "bold reverse",        "bold reverse"),
    "field":    ("bold #ffffff on #444444", "bold #000000 on #d0d0d0", "reverse",             "reverse"),
    "key":      ("bold #ffffff",            "bold #000000",            "bold",                "bold"),
    "good":     ("#87d787",                 "#005f00",                 "green",               ""),
    "bad":      ("bold #ff87af",            "bold #af005f",            "bold bright_magenta", "bold"),
}  # fmt: skip

# Colors named in stylesheets. Bright black stands for dim text, a white background for reverse (see tui/theme.py).
GROUNDS = {
    # name            dark           light          terminal             colorless
    "background":     ("#121212",     "#ffffff",     "ansi_default",      "ansi_default"),
    "surface":        ("#262626",     "#eeeeee",     "ansi_default",      "ansi_default"),
    "foreground":     ("#d0d0d0",     "#262626",     "ansi_default",      "ansi_default"),
    "muted":          ("#949494",     "#5f5f5f",     "ansi_bright_black", "ansi_bright_black"),
    "field":          ("#444444",     "#d0d0d0",     "ansi_default",      "ansi_default"),
    "cursor":         ("#444444",     "#d0d0d0",     "ansi_white",        "ansi_white"),
    "veil":           ("#121212 60%", "#ffffff 60%", "transparent",       "transparent"),
    "border":         ("#5fd7ff",     "#005fd7",     "ansi_bright_blue",  "ansi_default"),
    "border-blurred": ("#5f5f5f",     "#9e9e9e",     "ansi_bright_black", "ansi_bright_black"),
}  # fmt: skip


def _column(theme: str) -> dict[str, Style]:
    return {role: Style.parse(looks[THEMES.index(theme)]) for role, looks in ROLES.items()}


LOOKS = MappingProxyType({theme: _column(theme) for theme in THEMES})
