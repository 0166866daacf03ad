"""The path of a parameter's largest influence on the loss: its factors, and its share of the sum over all paths."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isclose, isfinite, prod

from tui_backprop.cost.accounting.path_counts import countable, paths
from tui_backprop.engine.analysis.influence import PathStep
from tui_backprop.engine.analysis.parameter_detail import ParameterDetail
from tui_backprop.engine.network.axes import HEAD, POSITION, TOKEN
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.render.draw.context import UTF8, RenderContext
from tui_backprop.render.draw.spans import (
    Line,
    Span,
    first_fitting,
    flowing,
    line,
    pad,
    wrap,
)
from tui_backprop.render.panels.nudge_table import NUMBER_COLUMNS
from tui_backprop.render.sample_text import text_of
from tui_backprop.session.state import Session
from tui_backprop.support.format import format_count, format_number, format_share

PLAIN_NUMBER = re.compile(r"[−\d. ]+")  # a factor that is its own name
WAY = (POSITION, HEAD, TOKEN)  # axes on which a path is followed
FACTOR_COLUMNS = 22  # columns of a factor's formula


def path_lines(
    session: Session,
    found: ParameterDetail,
    columns: int,
    rows: int,
    several: bool,
    table: bool = True,
    context: RenderContext = UTF8,
) -> list[Line]:
    """Draw the path of largest influence, of the sample with the largest gradient where there are ``several``: its
    factors (except those that are 1 for every input), and its share of the sum over all paths. One row per factor, or
    running text; where they are too many for ``rows``, those in the middle are multiplied."""
    sample = session.part.after(session.sample, found.sample)
    if len(found.paths) > 1:
        return every_path(found, columns, table, context)
    if found.missing:
        return wrap(found.missing.why, columns, "bad" if found.missing.bad else "muted")
    count = path_count(session, found)
    route = [row for row in flowing(_route(found, found.path, context), columns, 1) if found.paths]
    largest = f"1 of {format_count(found.path_ties)} largest" if found.path_ties > 1 else "largest"
    which = (
        f"{largest} of {format_count(count)} paths"
        if count
        else f"{largest} path{'s' * (found.path_ties > 1)}"
    )
    which = "the only path" if count == 1 else which
    heads = [f", sample {sample}"] if several else [" to the loss"]
    head = first_fitting(columns, *(line((which + more, "muted")) for more in (*heads, "")))
    result = flowing(_share(found, count), columns, 1)
    factors = path_factors(found)
    room = max(rows - 1 - len(result), 1)
    if table:
        body = [
            _term("×" if i else " ", (label, "text"), factor, "text", columns)
            for i, (label, factor) in enumerate(_folded(factors, room))
        ]
        return [head, *route, *body, *result]
    body = flowing(_running(_folded(factors, 3 * room)), columns, 1)
    for most in range(3 * room, 2, -1):
        if len(body) <= room:
            break
        body = flowing(_running(_folded(factors, most)), columns, 1)
    return [head, *route, *body, *result]


def way_lines(
    session: Session, iteration: Iteration, found: ParameterDetail, columns: int, context: RenderContext
) -> list[Line]:
    """Draw where the path leads on axes with names: position 1 (a) → head 2 → position 4 (t) → token n."""
    text, last = text_of(session, iteration, found.sample), dict[str, int]()
    parts: list[str] = []
    for step in found.path if text else ():
        places = dict(zip(iteration.graph.by_name[step.value].axes, step.index, strict=False))
        for axis in WAY:
            if axis in places and last.get(axis) != places[axis]:
                last[axis] = places[axis]
                parts.append(text.words(axis, places[axis]) if text else "")
    return wrap(context.text(f"through {' → '.join(parts)}"), columns, "muted") if parts else []


def every_path(found: ParameterDetail, columns: int, table: bool, context: RenderContext) -> list[Line]:
    """Draw all paths, each with its route and its product, and their sum; in a ``table`` also with its factors."""
    lines = [line((f"{len(found.paths)} paths to the loss", "muted"))]
    for path in found.paths:
        route = flowing(_route(found, path, context), columns - NUMBER_COLUMNS, 1)
        product = format_number(prod(step.factor for step in path), sign=True)
        last = pad(route[-1], columns - NUMBER_COLUMNS)
        lines += [*route[:-1], line(*last, (f"{product:>{NUMBER_COLUMNS}}", "text"))]
        factors = [(step.formula, step.factor) for step in path if step.formula != "1"]
        if table and factors:
            lines += [line("  ", *row) for row in flowing(_running(factors), columns - 2, 1)]
    total = found.attribution.gradient
    label = pad(line(("= their sum", "muted")), columns - NUMBER_COLUMNS)
    return [*lines, line(*label, (f"{format_number(total, sign=True):>{NUMBER_COLUMNS}}", "backward"))]


def _route(found: ParameterDetail, path: Sequence[PathStep], context: RenderContext) -> list[Line]:
    """Name the values along a path, from the parameter to the loss."""
    names = [found.attribution.tensor, *(step.value for step in path)]
    arrow = context.text(" →")
    return [
        line((context.text(name), "text"), (arrow if i < len(path) else "", "muted"))
        for i, name in enumerate(names)
    ]


def path_count(session: Session, found: ParameterDetail) -> int:
    """Return the number of paths from the parameter to the loss; 0 where they cannot be counted."""
    if not countable(session.network.graph):
        return len(found.paths)
    return paths(session.network, found.attribution.tensor).paths


def path_factors(found: ParameterDetail) -> list[tuple[str, float]]:
    """Return formulas and values of the factors of the path."""
    return [(hop.formula, hop.factor) for hop in found.path if hop.formula != "1"]


def _folded(factors: list[tuple[str, float]], most: int) -> list[tuple[str, float]]:
    """Reduce factors to at most ``most``: those in the middle become one."""
    if len(factors) <= most:
        return factors
    front, back = most // 2, len(factors) - (most - 1) // 2
    middle = [factor for _, factor in factors[front:back]]
    return [*factors[:front], (f"{len(middle)} factors", prod(middle)), *factors[back:]]


def _running(factors: Sequence[tuple[str, float]]) -> list[Line]:
    last = len(factors) - 1
    return [
        line(
            ("" if PLAIN_NUMBER.fullmatch(label) else f"{label} ", "muted"),
            (format_number(factor), "text"),
            (" ×" if i < last else "", "muted"),
        )
        for i, (label, factor) in enumerate(factors)
    ]


def _share(found: ParameterDetail, count: int) -> list[Line]:
    """Draw the product of the path, and its share of the sum over all paths, which is the sample's gradient."""
    pull = found.sample_gradients[0].gradient
    own = line(("= ", "muted"), (format_number(found.path_product, sign=True), "text"))
    if count == 1:
        return [own]
    share = found.path_product / pull if pull else float("nan")
    share = 1.0 if isclose(share, 1.0, rel_tol=1e-9) else share
    words = (
        f"{format_share(share, decimals=1)} of the sum"
        if 0 < share <= 1
        else "more than the sum"
        if share > 1
        else "against the sum"
        if share < 0
        else "the sum is"
    )
    words = words if isfinite(share) else "the sum is"
    return [
        line(*own, (",", "muted")),
        line((f"{words} ", "muted"), (format_number(pull, sign=True), "backward")),
    ]


def _term(sign: str, label: Span, value: float, role: str, columns: int) -> Line:
    """Draw one factor of the product."""
    text = f"{format_number(value, sign=True):>{NUMBER_COLUMNS}}"
    return line(
        (f"{sign} ", "muted"),
        *pad(line(label), min(columns - 2 - NUMBER_COLUMNS, FACTOR_COLUMNS + 2)),
        (text, role),
    )
