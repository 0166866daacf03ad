"""Every size, color level and encoding together: start, step, resize, quit; nothing lost, nothing garbled."""

from __future__ import annotations

import itertools
import re

import pytest

from tests.pty.test_pty_life import left_clean

pytestmark = pytest.mark.pty

SIZES = ((60, 18), (80, 24), (120, 40), (300, 100))
COLORS = {
    "true": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    "256": {"TERM": "xterm-256color", "COLORTERM": None},
    "16": {"TERM": "xterm", "COLORTERM": None},
    "none": {"TERM": "xterm-256color", "NO_COLOR": "1"},
}
ENCODINGS = {
    "UTF-8": {"LANG": "C.UTF-8"},
    "Latin-1": {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
    "C": {"LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
SIXTEEN = re.compile(r"\b(3|4|9|10)[0-7]\b")
ALLOWED = {
    "true": {"256"},
    "256": {"256"},
    "16": {"16"},
    "none": set(),
}  # true color codes are twice as long
STYLES = re.compile(rb"\x1b\[([\d;]*)m")


def levels(raw: bytes) -> set[str]:
    """Return the kinds of color codes that were sent."""
    kinds = set()
    for style in STYLES.findall(raw):
        text = style.decode()
        kinds |= {"true"} if re.search(r"[34]8;2;", text) else set()
        kinds |= {"256"} if re.search(r"[34]8;5;", text) else set()
        kinds |= {"16"} if SIXTEEN.search(re.sub(r"[34]8;(5;\d+|2;\d+;\d+;\d+)", "", text)) else set()
    return kinds


@pytest.mark.parametrize(("color", "encoding"), list(itertools.product(COLORS, ENCODINGS)))
def test_it_starts_steps_is_resized_to_every_size_and_quits(terminal, color, encoding):
    """Each starts at another size, and goes through all of them."""
    first = (list(COLORS).index(color) + list(ENCODINGS).index(encoding)) % len(SIZES)
    start, *others = SIZES[first:] + SIZES[:first]
    run = terminal(*start, **COLORS[color], **ENCODINGS[encoding])
    run.shows("step 0/20")
    run.press("right", "step 1/20")
    run.press("end", "step 20/20")
    run.press("home", "step 0/20")
    run.press("right", "step 1/20")
    top = run.text.splitlines()[:1]
    for size in others:
        run.resize(*size)
        run.shows("step 1/20")
        run.press("right", "step 2/20")
        run.press("left", "step 1/20")
    run.resize(*start)
    run.until(lambda: run.text.splitlines()[:1] == top, "the same top line")
    run.send("q")
    assert run.ended() == 0
    assert left_clean(run)
    raw = bytes(run.raw)
    assert b"Traceback" not in raw
    assert "\N{REPLACEMENT CHARACTER}" not in run.text
    assert encoding == "UTF-8" or raw.isascii()
    assert levels(raw) == ALLOWED[color]
