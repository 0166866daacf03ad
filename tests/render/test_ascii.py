"""The plain set of characters: longer words for the same glyphs, and still in columns."""

from __future__ import annotations

import re

import pytest

from tui_backprop.engine.explain.notation import ASCII as WORDS
from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.walk.equation import shape_text
from tui_backprop.report.trace import trace_text
from tui_backprop.session.presets import NETWORKS
from tui_backprop.session.state import from_preset

SETS = pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])
VALUE = r"[+−-]?[\d.]+(e[+-]\d+)?"


def blocks(snapshots, name, context):
    """(step, lines) of the walk as text."""
    session = from_preset(name)
    parts = trace_text(session, snapshots(session)[0].iteration, context).split("\n\n")[1:]
    return [
        (snapshot.step, part.splitlines()) for snapshot, part in zip(snapshots(session), parts, strict=True)
    ]


@SETS
@pytest.mark.parametrize("name", NETWORKS)
def test_the_values_of_a_receipt_end_in_one_column(snapshots, name, context):
    for step, lines in blocks(snapshots, name, context):
        values = [text for text in lines[3:] if re.fullmatch(rf"     [ =×÷x/−-] \S.*  {VALUE}", text)]
        assert values, lines
        assert len({len(text) for text in values}) == 1, "\n".join(values)
        assert step.index == int(lines[0].split()[0])


@SETS
@pytest.mark.parametrize("name", NETWORKS)
def test_a_shape_stands_below_its_name(snapshots, name, context):
    for step, (_, above, below, *_) in blocks(snapshots, name, context):
        named = [(operand, shape_text(shape)) for operand, shape in step.operands]
        if context.plain:
            named = [(ascii_formula(operand), shape) for operand, shape in named]
        for found in re.finditer(r"\S+", below):
            over = above[max(found.start() - 2, 0) : found.end() + 2]
            assert any(operand in over for operand, shape in named if shape == found.group()), (above, below)


def test_every_word_for_a_glyph_is_ascii():
    assert all(word.isascii() for word in WORDS.values())
    assert ascii_formula("δ1 = (δ2 W2ᵀ) ⊙ (1 − a1²)") == "delta1 = (delta2 W2^T) * (1 - a1^2)"


def test_a_line_keeps_its_roles_when_its_glyphs_are_replaced():
    row = (("δ1 ", "backward"), ("→", "forward"))
    assert UTF8.fit(row) == row
    assert ASCII.fit(row) == (("delta1 ", "backward"), ("->", "forward"))


@pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])
def test_the_glyphs_of_a_set_are_one_column_wide_and_differ_where_they_have_to(context):
    alone = (context.zero, context.done, context.left, context.here, context.on, context.back)
    assert all(len(glyph) == 1 for glyph in alone)
    assert len({context.done, context.left, context.here}) == 3
    assert len(context.up) == len(context.down)
    assert not context.plain or "".join(map(plain, [((g, "text"),) for g in alone])).isascii()


def test_layers_are_joined_by_hyphens_and_factors_by_stars():
    assert ASCII.text("784·256·10, a1[3]·W2[3,1], 2·3×10") == "784-256-10, a1[3]*W2[3,1], 2-3x10"
