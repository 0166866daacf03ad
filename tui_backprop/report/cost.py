"""What ``cost`` prints: the bill of one gradient by every method, measured and projected, as text."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from statistics import median

from tui_backprop.cost.accounting.ledger import COLUMNS
from tui_backprop.cost.measure.cache import machine
from tui_backprop.cost.measure.sweep import Progress, busy
from tui_backprop.cost.model.cost_model import CostModel, Estimate, LeftOut, Measured
from tui_backprop.cost.model.landmarks import KNOWN, TRAINING_STEPS
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.render.cost.claims import claims_of
from tui_backprop.render.cost.cost import source, spread
from tui_backprop.render.cost.ledger import sentences
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import cut, plain, wrap
from tui_backprop.report.cost_plain import KNOWN_HEADS, STEPS, less_sure, said, summary
from tui_backprop.report.cost_result import CostResult, Raced
from tui_backprop.report.plain import ENDLESS, facts, table
from tui_backprop.support.format import (
    format_bytes,
    format_duration,
    format_number,
    format_ratio,
    format_short_count,
)

WIDE, CHART = 100, (100, 30)
NAME = 10  # columns of what a line is about
LAYERS = 24  # of the layers of a network that was swept


def cost_text(result: CostResult, context: RenderContext) -> str:
    """The bill; what was asked for beside it comes last. At most 100 columns wide."""
    parts = [
        _head(result, context),
        _methods(result, context),
        _ledger(result, context),
        _claims(result, context),
    ]
    parts += [_known(result, context), _trust(result.cost_model, context)]
    parts += [_sweep(result, result.swept, context)] if result.swept else []
    parts += [_chart(result, context)] if result.chart else []
    parts += [_race(result, result.raced, context)] if result.raced else []
    if context.linear:
        return "\n\n".join("\n".join(map(said, part)) for part in (summary(result), *parts))
    return "\n\n".join("\n".join(context.text(row).rstrip() for row in part) for part in parts)


def _head(result: CostResult, context: RenderContext) -> list[str]:
    spec, here = result.session.network, machine()
    found = result.swept.cost_model if result.swept else result.cost_model
    sizes = [point.parameters for point in found.points if point.kind == "forward"]
    since = "before, in a sweep that was kept; this one just now" if result.kept else "just now"
    least, most = format_short_count(min(sizes)), format_short_count(max(sizes))
    networks = f"{len(sizes)} networks of {least} to {most} parameters"
    return [
        *_about(
            "network",
            f"{','.join(map(str, spec.layers))} {spec.activation}, {spec.loss}, {spec.parameters:,} parameters,"
            f" in {spec.dtype}",
            context,
        ),
        *_about(
            "machine",
            f"{here['processor']}, {here['cores']} cores, {here['memory']}; Python {here['python']}, numpy"
            f" {here['numpy']}, {here['blas']}",
            context,
        ),
        *_about("measured", f"passes of one sample through {networks}, {since}", context),
    ]


def _methods(result: CostResult, context: RenderContext) -> list[str]:
    """What each method takes, and how they compare."""
    cost_model, shape = result.cost_model, result.shape
    forward = cost_model.seconds("forward", shape)
    takes = {name: cost_model.gradient(name, shape) for name in COST_METHODS}
    naive, backprop = takes["naive"].middle, takes["backprop"].middle
    spans = _durations([forward, *takes.values()])
    rows = [["one gradient by", "takes", "passes", "time", "how known"]]
    one = "one forward pass" if context.linear else "(one forward pass)"
    rows.append([one, "", "", spans[0], source(forward, cost_model)])
    for (name, way), time in zip(COST_METHODS.items(), spans[1:], strict=True):
        rows.append(
            [
                way.name,
                way.about,
                f"{way.passes(shape.parameters):,.0f}",
                time,
                source(takes[name], cost_model),
            ]
        )
    faster = format_ratio(result.ratio(shape))
    return [
        *(["One gradient by each method"] if context.linear else []),
        *table(rows, (0, 1, 3, 4), context),
        "",
        *_wrapped(
            f"Backprop is {faster} times faster than the naive method: so many machines, sharing its work without"
            " any loss, would tie with one.",
            context,
        ),
        f"Training, {STEPS}: {format_duration(TRAINING_STEPS * naive)} by the naive method,"
        f" {format_duration(TRAINING_STEPS * backprop)} by backprop.",
        f"Backprop takes {backprop / forward.middle:.2f} times as long as a forward pass.",
    ]


def _ledger(result: CostResult, context: RenderContext) -> list[str]:
    """Multiply-accumulates by layer, and why they are not three times those of a forward pass."""
    made, spec, batch = result.ledger, result.session.network, result.session.batch
    rows = [["layer", "weights", *COLUMNS, "kept"]]
    weights = [f"{i}x{o}" for i, o in spec.fans]
    for entry, name in zip(made.layers, weights, strict=True):
        rows.append(
            [str(entry.layer), name, *(f"{s.macs:,}" for s in entry.shares), format_bytes(entry.kept)]
        )
    total = made.total
    rows.append(
        ["total", f"{spec.weights:,}", *(f"{s.macs:,}" for s in total.shares), format_bytes(total.kept)]
    )
    samples = "one sample" if batch == 1 else f"a batch of {batch:,}"
    return [
        f"Multiply-accumulates (MACs) of one gradient, {samples}, and what is kept for the way back",
        *table(rows, (0,), context),
        "",
        *(plain(row) for row in sentences(made, ENDLESS if context.linear else WIDE)),
    ]


def _claims(result: CostResult, context: RenderContext) -> list[str]:
    """What the lesson says beside what is so here."""
    claims = claims_of(result.costs, result.cost_model)
    rows = [["", "the lesson", "here"], *([claim.what, claim.said, claim.here] for claim in claims)]
    if context.linear:
        known = [[*row, claim.how] for row, claim in zip(rows[1:], claims, strict=True)]
        return ["What the lesson claims, and what is so here", *facts([[*rows[0], ""], *known])]
    head, *left = table(rows, (0, 1, 2), context)
    lines, wide = [head], max(map(len, left)) + 2
    for row, claim in zip(left, claims, strict=True):
        how = _wrapped(context.text(claim.how), context, WIDE - wide)
        lines += [f"{row:<{wide}}{how[0]}", *(" " * wide + more for more in how[1:])]
    return lines


def _known(result: CostResult, context: RenderContext) -> list[str]:
    """Networks that have a name, by the law."""
    cost_model = result.cost_model
    shapes = [result.shape.at(float(parameters)) for _, parameters in KNOWN]
    found = {way: [cost_model.gradient(way, shape) for shape in shapes] for way in ("naive", "backprop")}
    each = [_durations(found[way]) for way in found]
    runs = [_durations([one.times(TRAINING_STEPS) for one in found[way]]) for way in found]
    rows = [["", "size", "naive", "backprop", "ratio", "naive run", "backprop run", "within"]]
    if context.linear:
        rows = [list(KNOWN_HEADS)]
    for i, (name, parameters) in enumerate(KNOWN):
        faster = result.ratio(shapes[i])
        ratio = (
            f"{format_ratio(faster)} times" if context.linear else format_short_count(float(f"{faster:.1e}"))
        )
        cells = [each[0][i], each[1][i], ratio, runs[0][i], runs[1][i]]
        sure = spread(less_sure(found["naive"][i], found["backprop"][i]))
        rows.append(
            [
                name,
                format_short_count(parameters),
                *cells,
                sure if context.linear else sure.removeprefix("within "),
            ]
        )
    return [
        f"Networks of this shape as large as known ones, projected: one gradient, and a run of {STEPS}",
        *table(rows, (0, 2, 3, 5, 6, 7), context),
    ]


def _trust(cost_model: CostModel, context: RenderContext) -> list[str]:
    """What the law says of points that were left out of it, and whether the machine was busy."""
    lines = []
    for words, left in (
        ("measured passes, each left out of the law in turn and foretold by the others", cost_model.left_out),
        ("passes of the largest networks, foretold from those 100 times smaller", cost_model.beyond),
    ):
        if left:
            usual, worst = median(one.off for one in left), max(one.off for one in left)
            inside = sum(one.inside for one in left)
            lines += _wrapped(
                f"{len(left)} {words}: within {usual:.2f}x (median), {worst:.2f}x (worst), {inside} of"
                f" {len(left)} in their interval",
                context,
            )
    if noisy := busy(cost_model):
        lines += _wrapped(
            f"{len(noisy)} of {len(cost_model.points)} points {'is' if len(noisy) == 1 else 'are'} spread wide:"
            " the machine was busy; better measured again when it is not",
            context,
        )
    return lines or ["too little was measured to say how good the law is"]


def _sweep(result: CostResult, swept: Progress, context: RenderContext) -> list[str]:
    """A row for each network that was swept."""
    points = {(p.kind, p.shape): p for p in swept.cost_model.points}
    said = {(one.point.kind, one.point.shape): one for one in result.cost_model.left_out}
    shapes = [p.shape for p in swept.cost_model.points if p.kind == "forward"]
    each = [[points[kind, shape] for shape in shapes] for kind in ("forward", "backprop")]
    forward, backprop = (_aligned([format_duration(p.median) for p in kind]) for kind in each)
    rows = [["parameters", "layers", "forward", "", "backprop", "", "ratio", "foretold", "", ""]]
    for i, (shape, down, both) in enumerate(zip(shapes, *each, strict=True)):
        layers = cut(",".join(f"{n:.0f}" for n in shape.widths), LAYERS)
        foretold = [_off(said.get((kind, shape))) for kind in ("forward", "backprop")]
        noise = "busy" if down.busy or both.busy else ""
        times_ = [forward[i], _noise(down), backprop[i], _noise(both)]
        rows.append(
            [
                format_short_count(down.parameters),
                layers,
                *times_,
                f"{both.median / down.median:.2f}x",
                *foretold,
                noise,
            ]
        )
    ended = f": {'time was up' if swept.ended == 'time' else swept.ended}" if swept.ended else ""
    return [
        *_wrapped(
            f"Swept {swept.done} of {swept.of} networks in {swept.seconds:.0f} s{ended}. Foretold (forward,"
            " backprop): by the law without them",
            context,
        ),
        *table(rows, (1, 2, 4, 9), context),
    ]


def _chart(result: CostResult, context: RenderContext) -> list[str]:
    if context.linear:
        return ["The chart is left out here: what it shows is in the figures above."]
    from tui_backprop.render.cost.chart import AXES, chart

    measured, here = "o#" if context.plain else "●◆"
    letters = ", ".join(f"{way.letter} {way.name}" for way in COST_METHODS.values())
    return [
        f"{AXES[result.costs.axis].label}: {letters}",
        f"{measured} measured, {here} this network; dotted where it is projected",
        *(plain(row) for row in chart(result.costs, *CHART, context)),
    ]


def _race(result: CostResult, raced: Raced, context: RenderContext) -> list[str]:
    """How the race came out."""
    end, found = raced.end, raced.end.agreement
    step = f", h = {raced.step:.1e}" if raced.step else ""
    where = f"on {raced.workers} workers" if raced.workers else "in one process"
    lines = [
        f"The race, run for real {where}: {end.method}{step}",
        *_about(
            "took",
            f"{format_duration(end.seconds)} for {end.evaluations:,} evaluations, {end.rate or 0:,.0f}/s, each a"
            f" {METHODS[end.method].unit}",
            context,
        ),
        *_about(
            "backprop",
            f"{format_duration(end.backprop or 0)} for the same gradient: {format_ratio(raced.ratio)} times faster",
            context,
        ),
        *_about(
            "agree",
            f"cosine {_cosine(found.cosine)}, relative error {format_number(found.relative, 2)}, worst entry"
            f" {found.worst}, off by {format_number(found.error, 2)}",
            context,
        ),
    ]
    way = next((name for name, way in COST_METHODS.items() if way.method == end.method), None)
    if way and result.session.batch == 1:
        said = result.cost_model.gradient(way, result.shape)
        lines += _about(
            "foretold",
            f"{format_duration(said.middle)} in one process {spread(said)}, as projected above",
            context,
        )
    return lines


def _cosine(value: float) -> str:
    return f"{value:.9f}" if isfinite(value) else "unknown"


def _about(name: str, text: str, context: RenderContext) -> list[str]:
    """A text with what it is about in front of it."""
    first, *more = _wrapped(text, context, WIDE - NAME)
    return [f"{name:<{NAME}}{first}", *(" " * NAME + row for row in more)]


def _wrapped(text: str, context: RenderContext, wide: int = WIDE) -> list[str]:
    """On as many lines as it takes; for screen readers on one."""
    return [plain(row) for row in wrap(text, ENDLESS if context.linear else wide)] or [""]


def _durations(estimates: Sequence[Estimate]) -> list[str]:
    return _aligned([format_duration(one.middle, brief=True) for one in estimates])


def _aligned(texts: Sequence[str]) -> list[str]:
    """Numbers to the right, their units to the left."""
    wide = max(len(text.partition(" ")[0]) for text in texts)
    return [f"{value:>{wide}} {unit}" for value, _, unit in (text.partition(" ") for text in texts)]


def _noise(point: Measured) -> str:
    wide = max(point.high / point.median, point.median / point.low)
    return f"±{100 * (wide - 1):.0f}%"


def _off(left: LeftOut | None) -> str:
    return f"{left.said.middle / left.point.median:.2f}x" if left else ""
