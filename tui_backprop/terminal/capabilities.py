"""What the terminal is like, with the reason for each finding: from the environment, and from what was chosen."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass

SSH = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
MULTIPLEXERS = (("TMUX", "tmux"), ("STY", "screen"), ("ZELLIJ", "zellij"))
MANY = ("truecolor", "24bit")  # what COLORTERM says of a terminal with all colors
SYSTEMS = {"truecolor": "true", "256": "256", "standard": "16"}  # of TEXTUAL_COLOR_SYSTEM
ENDINGS = {"256color": "256", "kitty": "256", "16color": "16"}  # of TERM, as Rich reads it
LIGHT = (";7", ";15")  # ends of COLORFGBG, the numbers of text and background: white ones

# What Rich and Textual read when they are imported, by the level of color: variables to set, or (None) to drop.
ENVIRONMENT: dict[str, dict[str, str | None]] = {
    "true": {"NO_COLOR": None, "TEXTUAL_COLOR_SYSTEM": "truecolor"},
    "256": {"NO_COLOR": None, "TEXTUAL_COLOR_SYSTEM": "256"},
    "16": {"NO_COLOR": None, "TEXTUAL_COLOR_SYSTEM": "standard"},
    "none": {"NO_COLOR": "1"},
}


@dataclass(frozen=True)
class Found:
    """Something that was found out, and why it is so."""

    value: str
    why: str


def colors(chosen: str, environ: Mapping[str, str]) -> Found:
    """How many colors are used: "true", "256", "16" or "none". ``chosen`` is one of those, or "auto".

    True color is used only when it is chosen: the palette needs 256, whose codes are half as long.
    """
    if chosen != "auto":
        return Found(chosen, "chosen")
    if environ.get("NO_COLOR"):
        return Found("none", "NO_COLOR is set")
    if (system := environ.get("TEXTUAL_COLOR_SYSTEM", "")) in SYSTEMS:
        return Found(SYSTEMS[system], f"TEXTUAL_COLOR_SYSTEM={system}")
    term, many = environ.get("TERM", ""), environ.get("COLORTERM", "").strip().lower()
    if many in MANY:
        return Found("256", f"COLORTERM={many}; the palette needs no more")
    ending = term.strip().lower().rpartition("-")[2]
    if ending in ENDINGS:
        return Found(ENDINGS[ending], f"TERM={term}")
    return Found("16", f"TERM={term or '(not set)'} promises no more, and COLORTERM is not set")


def theme(chosen: str, level: str, environ: Mapping[str, str]) -> Found:
    """How it looks with a level of color: "dark", "light", "terminal", or "colorless". ``chosen`` is one of the
    first three, or "auto".

    With 16 colors it is the terminal that says what each one is; a ground of our own under them is a guess.
    """
    if level == "none":
        return Found("colorless", "there are no colors")
    if level == "16" and chosen != "terminal":
        takes = "" if chosen == "auto" else f"{chosen} takes 256 colors; "
        return Found("terminal", f"{takes}16 are the terminal's own")
    if chosen != "auto":
        return Found(chosen, "chosen")
    if (ground := environ.get("COLORFGBG", "")).endswith(LIGHT):
        return Found("light", f"COLORFGBG={ground}")
    return Found("dark", "COLORFGBG does not say that the terminal is light")


def glyph_set(chosen: str, encoding: str | None) -> Found:
    """Which characters are used to draw with, "utf-8" or "ascii", for a stream of that encoding."""
    if chosen != "auto":
        return Found(chosen, "chosen")
    try:
        name = codecs.lookup(encoding or "ascii").name
    except LookupError:
        return Found("ascii", f"the encoding {encoding} is not known")
    carries = name == "utf-8"
    return Found("utf-8" if carries else "ascii", f"the encoding is {name}")


def link(environ: Mapping[str, str]) -> Found:
    """Whether the terminal is "local", or comes over "ssh". No addresses are told."""
    for name in SSH:
        if environ.get(name):
            return Found("ssh", f"{name} is set")
    return Found("local", f"{SSH[0]} is not set")


def moves(chosen: bool | None, environ: Mapping[str, str]) -> Found:
    """Whether things move on the screen, "yes" or "no"."""
    if chosen is not None:
        return Found("yes" if chosen else "no", "chosen")
    over = link(environ)
    return Found("no" if over.value == "ssh" else "yes", over.why)


def multiplexer(environ: Mapping[str, str]) -> Found:
    """What shares the terminal out, or "none"."""
    for variable, name in MULTIPLEXERS:
        if environ.get(variable):
            return Found(name, f"{variable} is set")
    if environ.get("TERM", "").startswith(("screen", "tmux")):
        return Found(environ["TERM"].partition("-")[0], f"TERM={environ['TERM']}")
    return Found("none", f"none of {', '.join(variable for variable, _ in MULTIPLEXERS)} is set")
