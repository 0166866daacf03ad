"""The text of ``cost`` for --sweep, --chart and --race."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from math import isfinite

from tui_backprop.cost.measure.sweep import Progress
from tui_backprop.cost.model.busy_machine import QUIET_SHARE
from tui_backprop.cost.model.certainty import tolerance
from tui_backprop.cost.model.estimates import LeftOut, Measured
from tui_backprop.cost.model.methods import COST_METHODS, cost_method_of
from tui_backprop.data.catalogue import title
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import cut
from tui_backprop.render.session_text import sample_text
from tui_backprop.report.cost_result import CostResult, Raced
from tui_backprop.report.place import place_text
from tui_backprop.report.rows import Column, Drawing, Fact, Forms, Row, Sentence, Table
from tui_backprop.support.format import format_faster, format_number, format_ratio, format_share
from tui_backprop.support.quantity import Content, Quantity, Text, phrase, ratio, seconds

NAME = 11  # columns of the label of a line
CHART = 100, 30  # columns and rows
LAYERS = 24  # characters of the layers of a network that was swept
SWEEP = (
    Column("parameters"),
    Column("layers", "left"),
    Column("forward", "unit"),
    Column(""),
    Column("backprop", "unit"),
    Column(""),
    Column("ratio"),
    Column("predicted"),
    Column(""),
    Column("", "left"),
)


def sweep_rows(result: CostResult, swept: Progress) -> Iterator[Row]:
    """Yield a row for each network that was swept."""
    ended = f": {'out of time' if swept.ended == 'time' else swept.ended}" if swept.ended else ""
    yield Sentence(
        phrase(
            f"Swept {swept.done} of {swept.of} networks in {{}}{ended}. Predicted (forward, backprop):"
            " by the cost model without them, relative to measured; ±: median of the repeats",
            Text(f"{swept.seconds:.0f} s", f"{swept.seconds:.0f} seconds"),
        )
    )
    points = {(point.kind, point.shape): point for point in swept.cost_model.points}
    refused = [refusal.point for refusal in swept.cost_model.refused]
    left_out = {(one.point.kind, one.point.shape): one for one in result.cost_model.left_out}
    yield Table(
        SWEEP,
        tuple(
            _swept(
                point,
                points["backprop", shape],
                refused,
                *(left_out.get((kind, shape)) for kind in ("forward", "backprop")),
            )
            for (kind, shape), point in points.items()
            if kind == "forward"
        ),
    )


def _swept(
    forward: Measured,
    backprop: Measured,
    refused: Collection[Measured],
    forward_left: LeftOut | None,
    backprop_left: LeftOut | None,
) -> tuple[Content, ...]:
    """Return the passes of a network as measured, and as predicted by the cost model fitted without them."""
    parameters = Quantity(forward.parameters, "count")
    return (
        Text(parameters.written, f"parameters {parameters.spoken}"),
        cut(",".join(f"{n:.0f}" for n in forward.shape.widths) or forward.shape.whole.title, LAYERS),
        *_time(forward),
        *_time(backprop),
        _ratio(forward, backprop),
        _off(forward_left),
        _off(backprop_left),
        _mark(forward, backprop, refused),
    )


def _time(point: Measured) -> tuple[Quantity, Quantity]:
    """Return the time of a pass, and the distance of the median of its repeats."""
    return seconds(point.middle), Quantity(point.high / point.middle - 1, "±")


def _ratio(forward: Measured, backprop: Measured) -> Quantity:
    """Return the ratio of both, with one decimal if the machine was busy."""
    return ratio(backprop.middle / forward.middle, 1 if forward.busy or backprop.busy else 2)


def _mark(forward: Measured, backprop: Measured, refused: Collection[Measured]) -> str:
    if forward in refused or backprop in refused:
        return "refused"
    least = min(forward.share, backprop.share)
    if forward.busy or backprop.busy:
        return f"busy: {format_share(least)} ours" if least < QUIET_SHARE else "busy"
    return ""


def _off(left: LeftOut | None) -> Content:
    return ratio(left.predicted.middle / left.point.middle) if left else ""


def chart_rows(result: CostResult, context: RenderContext) -> tuple[Row, ...]:
    """Return the chart, which cannot be spoken."""
    if context.linear:
        return (Forms(spoken=(Sentence("The chart is left out: its figures are above."),)),)
    from tui_backprop.render.cost.chart import CHART_AXES, chart

    measured, here = "o#" if context.plain else "●◆"
    letters = ", ".join(f"{method.letter} {method.name}" for method in COST_METHODS.values())
    return (
        Sentence(f"{CHART_AXES[result.costs.axis].label}: {letters}"),
        Sentence(f"{measured} measured, {here} this network; dotted where projected"),
        Drawing(tuple(chart(result.costs, *CHART, context))),
    )


def race_rows(result: CostResult, raced: Raced) -> Iterator[Row]:
    """Yield the result of the race."""
    end, found = raced.end, raced.end.agreement
    step = f", h = {raced.step:.1e}" if raced.step else ""
    where = (
        f"on {raced.workers} worker{'s' if raced.workers > 1 else ''}" if raced.workers else "in one process"
    )
    yield Sentence(f"The race, run {where}: {end.method}{step}")
    on = sample_text(result.session, None)
    yield Fact("on", f"{title(result.session.data)}, {on}{place_text(result.session)}", columns=NAME)
    took = f"{{}} for {end.evaluations:,} evaluations, {{}}, each a {METHODS[end.method].unit}"
    rate = Quantity(end.rate or 0, "per second")
    yield Fact("took", phrase(took, seconds(end.seconds), rate), columns=NAME)
    backprop = f"{{}} for the same gradient: {format_faster(raced.ratio)}"
    yield Fact("backprop", phrase(backprop, seconds(end.backprop or 0)), columns=NAME)
    cosine = f"{found.cosine:.9f}" if isfinite(found.cosine) else "unknown"
    worst = f"largest error at {found.worst}, {format_number(found.error, 2)}"
    agree = f"cosine {cosine}, relative error {format_number(found.relative, 2)}, {worst}"
    yield Fact("agreement", agree, columns=NAME)
    name = cost_method_of(end.method)
    if name and result.session.batch == 1:
        predicted = result.cost_model.gradient(name, result.shape)
        met = format_ratio(end.seconds / predicted.middle)
        words = f"{{}} in one process {{}}, as projected above: the race took {met} times that"
        within = tolerance(predicted) or ""
        yield Fact("predicted", phrase(words, seconds(predicted.middle), within), columns=NAME)
    if end.share < QUIET_SHARE:
        words = f"{format_share(end.share)} of a core was the race's; on an idle core {{}}"
        yield Fact("busy", phrase(words, seconds(end.elapsed.on_idle_core)), columns=NAME)
