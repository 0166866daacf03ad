"""What ``cost`` prints: the bill of one gradient by every method, measured and projected, as text."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from statistics import median

from tui_backprop.cost.accounting.ledger import COLUMNS
from tui_backprop.cost.measure.cache import machine
from tui_backprop.cost.measure.sweep import Progress, busy
from tui_backprop.cost.model.cost_model import Estimate, Law, LeftOut, Measured
from tui_backprop.cost.model.landmarks import KNOWN, TRAINING_STEPS
from tui_backprop.cost.model.methods import WAYS
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.render.cost.claims import claims_of
from tui_backprop.render.cost.cost import source, spread
from tui_backprop.render.cost.ledger import sentences
from tui_backprop.render.draw.glyphs import Glyphs
from tui_backprop.render.draw.spans import cut, plain, wrap
from tui_backprop.report.cost_plain import KNOWN_HEADS, STEPS, less_sure, said, summary
from tui_backprop.report.cost_result import Bill, Raced
from tui_backprop.report.plain import ENDLESS, facts, table
from tui_backprop.support.format import duration, number, short_count, size, times

WIDE, CHART = 100, (100, 30)
NAME = 10  # columns of what a line is about
LAYERS = 24  # of the layers of a network that was swept


def as_text(bill: Bill, glyphs: Glyphs) -> str:
    """The bill; what was asked for beside it comes last. At most 100 columns wide."""
    parts = [_head(bill, glyphs), _methods(bill, glyphs), _ledger(bill, glyphs), _claims(bill, glyphs)]
    parts += [_known(bill, glyphs), _trust(bill.law, glyphs)]
    parts += [_sweep(bill, bill.swept, glyphs)] if bill.swept else []
    parts += [_chart(bill, glyphs)] if bill.chart else []
    parts += [_race(bill, bill.raced, glyphs)] if bill.raced else []
    if glyphs.linear:
        return "\n\n".join("\n".join(map(said, part)) for part in (summary(bill), *parts))
    return "\n\n".join("\n".join(glyphs.text(row).rstrip() for row in part) for part in parts)


def _head(bill: Bill, glyphs: Glyphs) -> list[str]:
    spec, here = bill.session.network, machine()
    found = bill.swept.law if bill.swept else bill.law
    sizes = [point.parameters for point in found.points if point.kind == "forward"]
    since = "before, in a sweep that was kept; this one just now" if bill.kept else "just now"
    networks = f"{len(sizes)} networks of {short_count(min(sizes))} to {short_count(max(sizes))} parameters"
    return [
        *_about(
            "network",
            f"{','.join(map(str, spec.layers))} {spec.activation}, {spec.loss}, {spec.parameters:,} parameters,"
            f" in {spec.dtype}",
            glyphs,
        ),
        *_about(
            "machine",
            f"{here['processor']}, {here['cores']} cores, {here['memory']}; Python {here['python']}, numpy"
            f" {here['numpy']}, {here['blas']}",
            glyphs,
        ),
        *_about("measured", f"passes of one sample through {networks}, {since}", glyphs),
    ]


def _methods(bill: Bill, glyphs: Glyphs) -> list[str]:
    """What each method takes, and how they compare."""
    law, shape = bill.law, bill.shape
    forward = law.seconds("forward", shape)
    takes = {name: law.gradient(name, shape) for name in WAYS}
    naive, backprop = takes["naive"].middle, takes["backprop"].middle
    spans = _durations([forward, *takes.values()])
    rows = [["one gradient by", "takes", "passes", "time", "how known"]]
    one = "one forward pass" if glyphs.linear else "(one forward pass)"
    rows.append([one, "", "", spans[0], source(forward, law)])
    for (name, way), time in zip(WAYS.items(), spans[1:], strict=True):
        rows.append(
            [way.name, way.about, f"{way.passes(shape.parameters):,.0f}", time, source(takes[name], law)]
        )
    faster = times(bill.ratio(shape))
    return [
        *(["One gradient by each method"] if glyphs.linear else []),
        *table(rows, (0, 1, 3, 4), glyphs),
        "",
        *_wrapped(
            f"Backprop is {faster} times faster than the naive method: so many machines, sharing its work without"
            " any loss, would tie with one.",
            glyphs,
        ),
        f"Training, {STEPS}: {duration(TRAINING_STEPS * naive)} by the naive method,"
        f" {duration(TRAINING_STEPS * backprop)} by backprop.",
        f"Backprop takes {backprop / forward.middle:.2f} times as long as a forward pass.",
    ]


def _ledger(bill: Bill, glyphs: Glyphs) -> list[str]:
    """Multiply-accumulates by layer, and why they are not three times those of a forward pass."""
    made, spec, batch = bill.ledger, bill.session.network, bill.session.batch
    rows = [["layer", "weights", *COLUMNS, "kept"]]
    weights = [f"{i}x{o}" for i, o in spec.fans]
    for entry, name in zip(made.layers, weights, strict=True):
        rows.append([str(entry.layer), name, *(f"{s.macs:,}" for s in entry.shares), size(entry.kept)])
    total = made.total
    rows.append(["total", f"{spec.weights:,}", *(f"{s.macs:,}" for s in total.shares), size(total.kept)])
    samples = "one sample" if batch == 1 else f"a batch of {batch:,}"
    return [
        f"Multiply-accumulates (MACs) of one gradient, {samples}, and what is kept for the way back",
        *table(rows, (0,), glyphs),
        "",
        *(plain(row) for row in sentences(made, ENDLESS if glyphs.linear else WIDE)),
    ]


def _claims(bill: Bill, glyphs: Glyphs) -> list[str]:
    """What the lesson says beside what is so here."""
    claims = claims_of(bill.costs, bill.law)
    rows = [["", "the lesson", "here"], *([claim.what, claim.said, claim.here] for claim in claims)]
    if glyphs.linear:
        known = [[*row, claim.how] for row, claim in zip(rows[1:], claims, strict=True)]
        return ["What the lesson claims, and what is so here", *facts([[*rows[0], ""], *known])]
    head, *left = table(rows, (0, 1, 2), glyphs)
    lines, wide = [head], max(map(len, left)) + 2
    for row, claim in zip(left, claims, strict=True):
        how = _wrapped(glyphs.text(claim.how), glyphs, WIDE - wide)
        lines += [f"{row:<{wide}}{how[0]}", *(" " * wide + more for more in how[1:])]
    return lines


def _known(bill: Bill, glyphs: Glyphs) -> list[str]:
    """Networks that have a name, by the law."""
    law = bill.law
    shapes = [bill.shape.at(float(parameters)) for _, parameters in KNOWN]
    found = {way: [law.gradient(way, shape) for shape in shapes] for way in ("naive", "backprop")}
    each = [_durations(found[way]) for way in found]
    runs = [_durations([one.times(TRAINING_STEPS) for one in found[way]]) for way in found]
    rows = [["", "size", "naive", "backprop", "ratio", "naive run", "backprop run", "within"]]
    if glyphs.linear:
        rows = [list(KNOWN_HEADS)]
    for i, (name, parameters) in enumerate(KNOWN):
        faster = bill.ratio(shapes[i])
        ratio = f"{times(faster)} times" if glyphs.linear else short_count(float(f"{faster:.1e}"))
        cells = [each[0][i], each[1][i], ratio, runs[0][i], runs[1][i]]
        sure = spread(less_sure(found["naive"][i], found["backprop"][i]))
        rows.append(
            [name, short_count(parameters), *cells, sure if glyphs.linear else sure.removeprefix("within ")]
        )
    return [
        f"Networks of this shape as large as known ones, projected: one gradient, and a run of {STEPS}",
        *table(rows, (0, 2, 3, 5, 6, 7), glyphs),
    ]


def _trust(law: Law, glyphs: Glyphs) -> list[str]:
    """What the law says of points that were left out of it, and whether the machine was busy."""
    lines = []
    for words, left in (
        ("measured passes, each left out of the law in turn and foretold by the others", law.left_out),
        ("passes of the largest networks, foretold from those 100 times smaller", law.beyond),
    ):
        if left:
            usual, worst = median(one.off for one in left), max(one.off for one in left)
            inside = sum(one.inside for one in left)
            lines += _wrapped(
                f"{len(left)} {words}: within {usual:.2f}x (median), {worst:.2f}x (worst), {inside} of"
                f" {len(left)} in their interval",
                glyphs,
            )
    if noisy := busy(law):
        lines += _wrapped(
            f"{len(noisy)} of {len(law.points)} points {'is' if len(noisy) == 1 else 'are'} spread wide: the machine"
            " was busy; better measured again when it is not",
            glyphs,
        )
    return lines or ["too little was measured to say how good the law is"]


def _sweep(bill: Bill, swept: Progress, glyphs: Glyphs) -> list[str]:
    """A row for each network that was swept."""
    points = {(p.kind, p.shape): p for p in swept.law.points}
    said = {(one.point.kind, one.point.shape): one for one in bill.law.left_out}
    shapes = [p.shape for p in swept.law.points if p.kind == "forward"]
    each = [[points[kind, shape] for shape in shapes] for kind in ("forward", "backprop")]
    forward, backprop = (_aligned([duration(p.median) for p in kind]) for kind in each)
    rows = [["parameters", "layers", "forward", "", "backprop", "", "ratio", "foretold", "", ""]]
    for i, (shape, down, both) in enumerate(zip(shapes, *each, strict=True)):
        layers = cut(",".join(f"{n:.0f}" for n in shape.widths), LAYERS)
        foretold = [_off(said.get((kind, shape))) for kind in ("forward", "backprop")]
        noise = "busy" if down.busy or both.busy else ""
        times_ = [forward[i], _noise(down), backprop[i], _noise(both)]
        rows.append(
            [
                short_count(down.parameters),
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
            glyphs,
        ),
        *table(rows, (1, 2, 4, 9), glyphs),
    ]


def _chart(bill: Bill, glyphs: Glyphs) -> list[str]:
    if glyphs.linear:
        return ["The chart is left out here: what it shows is in the figures above."]
    from tui_backprop.render.cost.chart import AXES, chart

    measured, here = "o#" if glyphs.plain else "●◆"
    letters = ", ".join(f"{way.letter} {way.name}" for way in WAYS.values())
    return [
        f"{AXES[bill.costs.axis].label}: {letters}",
        f"{measured} measured, {here} this network; dotted where it is projected",
        *(plain(row) for row in chart(bill.costs, *CHART, glyphs)),
    ]


def _race(bill: Bill, raced: Raced, glyphs: Glyphs) -> list[str]:
    """How the race came out."""
    end, found = raced.end, raced.end.agreement
    step = f", h = {raced.step:.1e}" if raced.step else ""
    where = f"on {raced.workers} workers" if raced.workers else "in one process"
    lines = [
        f"The race, run for real {where}: {end.method}{step}",
        *_about(
            "took",
            f"{duration(end.seconds)} for {end.evaluations:,} evaluations, {end.rate or 0:,.0f}/s, each a"
            f" {METHODS[end.method].unit}",
            glyphs,
        ),
        *_about(
            "backprop",
            f"{duration(end.backprop or 0)} for the same gradient: {times(raced.ratio)} times faster",
            glyphs,
        ),
        *_about(
            "agree",
            f"cosine {_cosine(found.cosine)}, relative error {number(found.relative, 2)}, worst entry"
            f" {found.worst}, off by {number(found.error, 2)}",
            glyphs,
        ),
    ]
    way = next((name for name, way in WAYS.items() if way.method == end.method), None)
    if way and bill.session.batch == 1:
        said = bill.law.gradient(way, bill.shape)
        lines += _about(
            "foretold", f"{duration(said.middle)} in one process {spread(said)}, as projected above", glyphs
        )
    return lines


def _cosine(value: float) -> str:
    return f"{value:.9f}" if isfinite(value) else "unknown"


def _about(name: str, text: str, glyphs: Glyphs) -> list[str]:
    """A text with what it is about in front of it."""
    first, *more = _wrapped(text, glyphs, WIDE - NAME)
    return [f"{name:<{NAME}}{first}", *(" " * NAME + row for row in more)]


def _wrapped(text: str, glyphs: Glyphs, wide: int = WIDE) -> list[str]:
    """On as many lines as it takes; for screen readers on one."""
    return [plain(row) for row in wrap(text, ENDLESS if glyphs.linear else wide)] or [""]


def _durations(estimates: Sequence[Estimate]) -> list[str]:
    return _aligned([duration(one.middle, brief=True) for one in estimates])


def _aligned(texts: Sequence[str]) -> list[str]:
    """Numbers to the right, their units to the left."""
    wide = max(len(text.partition(" ")[0]) for text in texts)
    return [f"{value:>{wide}} {unit}" for value, _, unit in (text.partition(" ") for text in texts)]


def _noise(point: Measured) -> str:
    wide = max(point.high / point.median, point.median / point.low)
    return f"±{100 * (wide - 1):.0f}%"


def _off(left: LeftOut | None) -> str:
    return f"{left.said.middle / left.point.median:.2f}x" if left else ""
