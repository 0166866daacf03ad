"""Capabilities of the terminal, each with its reason: from the environment, and from the settings."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass

SSH = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
MULTIPLEXERS = (("TMUX", "tmux"), ("STY", "screen"), ("ZELLIJ", "zellij"))
TRUECOLOR_NAMES = ("truecolor", "24bit")  # COLORTERM of a terminal with true color
COLOR_SYSTEMS = {"truecolor": "true", "256": "256", "standard": "16"}  # of TEXTUAL_COLOR_SYSTEM
TERM_SUFFIXES = {"256color": "256", "kitty": "256", "16color": "16"}  # of TERM, as Rich reads it
LIGHT_SUFFIXES = (";7", ";15")  # of COLORFGBG, "text;background": white backgrounds

# Variables that Rich and Textual read when they are imported, by level of color: to set, or to unset (None).
COLOR_VARIABLES: dict[str, dict[str, str | None]] = {
    "true": {"NO_COLOR": None, "TEXTUAL_COLOR_SYSTEM": "truecolor"},
    "256": {"NO_COLOR": None, "TEXTUAL_COLOR_SYSTEM": "256"},
    "16": {"NO_COLOR": None, "TEXTUAL_COLOR_SYSTEM": "standard"},
    "none": {"NO_COLOR": "1"},
}


@dataclass(frozen=True)
class Capability:
    """A capability of the terminal, and the reason for it."""

    value: str
    why: str


def colors(chosen: str, environ: Mapping[str, str]) -> Capability:
    """Choose how many colors to use: "true", "256", "16" or "none". ``chosen`` is one of those, or "auto".

    True color is used only if it is chosen: the palette needs 256 colors, whose codes are half as long.
    """
    if chosen != "auto":
        return Capability(chosen, "chosen")
    if environ.get("NO_COLOR"):
        return Capability("none", "NO_COLOR is set")
    if (system := environ.get("TEXTUAL_COLOR_SYSTEM", "")) in COLOR_SYSTEMS:
        return Capability(COLOR_SYSTEMS[system], f"TEXTUAL_COLOR_SYSTEM={system}")
    term, many = environ.get("TERM", ""), environ.get("COLORTERM", "").strip().lower()
    if many in TRUECOLOR_NAMES:
        return Capability("256", f"COLORTERM={many}; the palette needs no more")
    ending = term.strip().lower().rpartition("-")[2]
    if ending in TERM_SUFFIXES:
        return Capability(TERM_SUFFIXES[ending], f"TERM={term}")
    return Capability("16", f"TERM={term or '(not set)'} supports no more, and COLORTERM is not set")


def theme(chosen: str, level: str, environ: Mapping[str, str]) -> Capability:
    """Choose the theme for a level of color: "dark", "light", "terminal" or "colorless". ``chosen`` is one of the
    first three, or "auto".

    The terminal decides what each of 16 colors looks like, so only its own background is safe under them."""
    if level == "none":
        return Capability("colorless", "no colors")
    if level == "16" and chosen != "terminal":
        takes = "" if chosen == "auto" else f"{chosen} needs 256 colors; "
        return Capability("terminal", f"{takes}16 colors are the terminal's own")
    if chosen != "auto":
        return Capability(chosen, "chosen")
    if (color_pair := environ.get("COLORFGBG", "")).endswith(LIGHT_SUFFIXES):
        return Capability("light", f"COLORFGBG={color_pair}")
    return Capability("dark", "COLORFGBG does not say that the terminal is light")


def glyph_set(chosen: str, encoding: str | None) -> Capability:
    """Choose the characters to draw with, "utf-8" or "ascii", for a stream with an encoding."""
    if chosen != "auto":
        return Capability(chosen, "chosen")
    try:
        name = codecs.lookup(encoding or "ascii").name
    except LookupError:
        return Capability("ascii", f"unknown encoding {encoding}")
    carries = name == "utf-8"
    return Capability("utf-8" if carries else "ascii", f"the encoding is {name}")


def link(environ: Mapping[str, str]) -> Capability:
    """Determine if the terminal is "local" or connected by "ssh". The reason contains no address."""
    for name in SSH:
        if environ.get(name):
            return Capability("ssh", f"{name} is set")
    return Capability("local", f"{SSH[0]} is not set")


def motion(chosen: bool | None, environ: Mapping[str, str]) -> Capability:
    """Decide if anything is animated, "yes" or "no"."""
    if chosen is not None:
        return Capability("yes" if chosen else "no", "chosen")
    over = link(environ)
    return Capability("no" if over.value == "ssh" else "yes", over.why)


def multiplexer(environ: Mapping[str, str]) -> Capability:
    """Name the terminal multiplexer, or "none"."""
    for variable, name in MULTIPLEXERS:
        if environ.get(variable):
            return Capability(name, f"{variable} is set")
    if environ.get("TERM", "").startswith(("screen", "tmux")):
        return Capability(environ["TERM"].partition("-")[0], f"TERM={environ['TERM']}")
    return Capability("none", f"none of {', '.join(variable for variable, _ in MULTIPLEXERS)} is set")
