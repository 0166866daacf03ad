"""Text from outside that contains markup, escape sequences, line breaks or right-to-left overrides, and the places
that it can come from."""

from __future__ import annotations

MARKUP = "[red]x[/][@click=app.quit]y[/]"
HOSTILE = {
    "markup": MARKUP,
    "sequences": "\x1b]0;evil\x07\x1b[2J\x9b31m\x1b_evil\x1b\\",
    "breaks": "a\nb\rc\x0bd\x85e\u2028f\u2029g",
    "reversed": "\u202ez\u2066\u200f",
}
OPTIONS = (
    "--config", "--open", "--layers", "--activation", "--loss", "--init", "--preset", "--data", "--sample", "--batch",
    "--seed", "--dtype", "--lr", "--optimizer", "--schedule", "--color", "--glyphs", "--memory",
)  # fmt: skip
LINES = ("--{}", "-{}", "{}", "trace {}", "check --method {}", "completion {}", "man {}")
VARIABLES = ("COLOR", "GLYPHS", "MOUSE", "MOTION", "MEMORY", "CONFIG")
SETTINGS = ('color = "{}"', '"{}" = 1', '[keys]\n"{}" = 1', '[keys]\nview = ["{}"]', "{}")
NAMED = ("nonsense = 1", "color = ", "[keys]\nnonsense = 1")  # settings in a file of a hostile name


def escaped(text: str) -> str:
    """Write a text as a string of TOML contains it."""
    return "".join(c if c.isascii() and c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def file_name(text: str) -> str:
    return text.replace("/", "")
