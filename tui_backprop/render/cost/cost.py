"""The readout of the cost panel: cost of every method at the chart's cursor, with its tolerance."""

from __future__ import annotations

from tui_backprop.cost.model.certainty import (
    BUSY,
    basis,
    brief_tolerance,
    busy_sentence,
    few_digits,
    machines_to_match,
    ratio_of,
    rounded_ratio,
    source,
    tolerance,
)
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Estimate
from tui_backprop.cost.model.landmarks import KNOWN, TRAINING_STEPS
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.workload import passes_in_words
from tui_backprop.render.cost.trust import trust
from tui_backprop.render.cost_state import CostState
from tui_backprop.render.draw.context import ASCII, UTF8, RenderContext
from tui_backprop.render.draw.spans import Line, cut, first_fitting, line, width, wrap
from tui_backprop.support.format import (
    format_count,
    format_duration,
    format_faster,
    format_number,
    format_short_count,
    format_times,
    inflected,
)

NAME, VALUE, NARROW_VALUE = 15, 12, 10  # columns
NARROW = 37  # columns below which values have less room
TIMED_AXES = ("time", "training")
MEASURED, PROJECTED = "●", "·"  # before a time, as in the chart
LETTER = "in chart"  # title of the letters beside the names
SPREAD_TITLES = ("within (95%)", "within")


def heading(costs: CostState, columns: int) -> Line:
    """Draw the title of the chart."""
    from tui_backprop.render.cost.chart import CHART_AXES

    return line((cut(CHART_AXES[costs.axis].label, columns), "muted"))


def legend(columns: int, context: RenderContext) -> Line:
    """Draw the legend of its marks, as many as fit."""
    parts = (
        (f"{MEASURED} ", "backprop", "measured"),
        (f"{PROJECTED} ", "backprop", "projected"),
        ("◆ ", "strong", "this network"),
    )
    spans, room = [], columns
    for mark, role, words in parts:
        if room >= len(words) + 4:
            spans += [(context.text(mark), role), (f"{words}  ", "muted")]
            room -= len(words) + 4
    return line(*spans)


def readout(costs: CostState, columns: int, rows: int = 99, context: RenderContext = UTF8) -> list[Line]:
    """Draw every method at the cursor, the ratio, a training run, and the error of the cost model: as many of these
    blocks as fit, always the first; with blank lines between them where there is room."""
    cost_model = costs.cost_model
    if cost_model is None:
        return wrap("measuring a forward pass on this machine …", columns, "muted")[:rows]
    blocks = [
        _methods(costs, cost_model, columns, context),
        _ratio(costs, cost_model, columns),
        _training(costs, cost_model, columns),
        trust(cost_model, columns, context),
    ]
    whole: list[list[Line]] = []
    for block in filter(None, blocks):
        if not whole or sum(map(len, whole)) + len(block) <= rows:
            whole.append(block)
    gaps = sum(map(len, whole)) + len(whole) - 1 <= rows
    lines = [row for block in whole for row in (*block, *((),) * gaps)]
    return (lines[:-1] if gaps else lines)[:rows]


def fixed_readout(costs: CostState, columns: int, rows: int, context: RenderContext = UTF8) -> list[Line]:
    """Draw the readout of what does not grow, with a line that says why there is no chart."""
    noun = costs.network.noun
    why = f"There is no chart: this {noun} has no larger ones, to which its cost could be projected."
    head = wrap(why, columns, "muted")
    return [*head, (), *readout(costs, columns, rows - len(head) - 1, context)][:rows]


def comparison(costs: CostState, columns: int) -> list[Line]:
    """Draw how much faster backprop is than the naive method, and what a training run takes by both."""
    cost_model = costs.cost_model
    if cost_model is None:
        return []
    return [*_ratio(costs, cost_model, columns), *_training(costs, cost_model, columns)]


def _methods(costs: CostState, cost_model: CostModel, columns: int, context: RenderContext) -> list[Line]:
    """Draw the time of a forward pass and of a gradient by every method."""
    here = f"this {costs.network.noun}: "
    where = here if costs.decade is None else "at "
    sizes = format_count(costs.parameters), format_short_count(costs.parameters)
    noun = f" {inflected(costs.parameters, 'parameter')}"
    forward = cost_model.seconds("forward", costs.at)
    heads = (line((where, "muted"), (size, "strong"), (noun, "muted"), *_known(costs)) for size in sizes)
    takes = format_duration(forward.middle), format_duration(forward.middle, brief=True)
    mark = _mark(forward, cost_model)
    first = _row("forward pass", takes, "text", columns, *_sources(forward, cost_model), mark=mark)
    return [
        first_fitting(columns, *heads),
        *busy_lines(costs, cost_model, columns, context),
        *_titles(costs, columns),
        first,
        *(_method(name, cost_model, costs, columns) for name in COST_METHODS),
    ]


def busy_lines(
    costs: CostState, cost_model: CostModel, columns: int, context: RenderContext = UTF8
) -> list[Line]:
    """Say how busy the machine was while what is shown was measured; nothing if it was not."""
    shown = [cost_model.gradient(name, costs.at) for name in COST_METHODS]
    words = busy_sentence(cost_model, cost_model.seconds("forward", costs.at), *shown)
    again = f"{context.key('measure_again')} measures again"
    return wrap(f"{words}. Times of an idle core; {again}", columns, "bad") if words else []


def _titles(costs: CostState, columns: int) -> list[Line]:
    """Draw the titles of the columns of times; what is counted or assumed has no range."""
    if costs.lesson_clock or costs.axis not in TIMED_AXES:
        return []
    letter = LETTER if costs.shape.grows else ""
    left = f"{'method':<{NAME - len(letter)}}{letter}{'time':>{_value_columns(columns)}}"
    return [first_fitting(columns, *(line((f"{left}  {title}", "muted")) for title in SPREAD_TITLES))]


def _ratio(costs: CostState, cost_model: CostModel, columns: int) -> list[Line]:
    """Draw how much faster backprop is, and how many forward passes it takes."""
    shape = costs.at
    forward = cost_model.seconds("forward", shape)
    naive, backprop = _both(costs, cost_model)
    ratio = rounded_ratio(naive, backprop)
    machines = machines_to_match(ratio)
    noun = " machine" if machines == "1" else " machines"
    return [
        first_fitting(columns, *(_faster(ratio, end) for end in (" than naive", ""))),
        first_fitting(
            columns,
            *(
                line(("  naive: ", "muted"), (machines, "text"), (noun + end, "muted"))
                for end in (" to match", "")
            ),
        ),
        line(
            "  ",
            f"{format_times(costs.at.counted_ratio)}x",
            (f" a forward pass in {costs.at.counted_in}", "muted"),
        ),
        line("  ", ratio_of(backprop, forward).written, (" in time", "muted")),
    ]


def _training(costs: CostState, cost_model: CostModel, columns: int) -> list[Line]:
    """Draw the time of a training run by both methods."""
    naive, backprop = _both(costs, cost_model)
    return [
        _run((f"{TRAINING_STEPS:,} steps: naive ", "training: naive "), naive, "naive", columns),
        _run(("  with backprop ", "  backprop "), backprop, "backprop", columns),
    ]


def _both(costs: CostState, cost_model: CostModel) -> tuple[Estimate, Estimate]:
    """Return one gradient by the naive method (as raced, if it was) and by backprop."""
    naive, backprop = (cost_model.gradient(name, costs.at) for name in ("naive", "backprop"))
    if costs.raced is None:
        return naive, backprop
    seconds = costs.raced.on_idle_core
    return Estimate(seconds, seconds, seconds), backprop


def _faster(ratio: float, end: str) -> Line:
    return line(("backprop: ", "muted"), (format_faster(ratio), "strong"), (end, "muted"))


def _run(words: tuple[str, str], once: Estimate, role: str, columns: int) -> Line:
    """Draw the time of a training run, in long or short words, with its tolerance where there is room."""
    long, short = (format_duration(TRAINING_STEPS * once.middle, brief) for brief in (False, True))
    texts = ((words[0], long), (words[0], short), (words[1], short))
    notes = [f"  {note}" for note in (_sure(once), brief_tolerance(once).written) if note] or [""]
    rows = [line((label, "muted"), (text, role), (note, "muted")) for label, text in texts for note in notes]
    rows += [line((label, "muted"), (text, role)) for label, text in texts]
    return next((row for row in rows if width(ASCII.fit(row)) <= columns), rows[-1])


def _known(costs: CostState) -> list[tuple[str, str]]:
    """Draw the name of the well-known network at the cursor, if there is one."""
    same = (name for name, parameters in KNOWN if parameters == round(costs.parameters))
    name = next(same, "")
    return [(f"  {name}", "text")] if name and costs.decade is not None else []


def _method(name: str, cost_model: CostModel, costs: CostState, columns: int) -> Line:
    """Draw a method's name, its letter and cost in the chart, and the basis of that figure."""
    from tui_backprop.render.cost.chart import CHART_AXES

    method = COST_METHODS[name]
    about = passes_in_words(method, costs.shape)
    role = "text" if method.role == "mark" else method.role
    takes = cost_model.gradient(name, costs.at)
    timed = costs.axis in TIMED_AXES
    value = CHART_AXES[costs.axis].of(cost_model, name, costs.at)
    if takes.busy and costs.axis == "passes":
        value = few_digits(value)
    text = (
        format_duration(value)
        if timed
        else format_short_count(value)
        if value >= 1e4
        else format_number(value)
    )
    whole = not timed or (
        cost_model.assumed and NAME + len(text) <= columns
    )  # there is no spread to make room for
    short = text if whole else format_duration(value, brief=True)
    mark = _mark(takes, cost_model) if timed else ""
    notes: tuple[str, ...]
    if name == "naive" and timed and costs.raced is not None:
        text = short = format_duration(
            costs.raced.on_idle_core * (TRAINING_STEPS if costs.axis == "training" else 1)
        )
        mark, notes = MEASURED, ("measured, in the race", "raced")
    elif costs.axis == "FLOPs":
        notes = (f"{about}, counted", about, "counted")
    elif name == "backprop" or costs.lesson_clock:
        notes = _sources(takes, cost_model)
    elif not _sure(takes):
        notes = (about,)
    else:
        notes = (f"{about}, {_sure(takes)}", _sure(takes), brief_tolerance(takes).written)
    notes = notes if costs.axis == "FLOPs" or costs.lesson_clock else _marked(notes, takes)
    letter = method.letter if costs.shape.grows else ""
    return _row(f"{method.name:<{NAME - 2}}{letter}", (text, short), role, columns, *notes, mark=mark)


def _marked(notes: tuple[str, ...], estimate: Estimate) -> tuple[str, ...]:
    """Mark each note of an estimate if the machine was busy; the mark stays where there is no room for a note."""
    if not estimate.busy:
        return notes
    brief = f"{brief_tolerance(estimate).written} {BUSY}"
    return (*(note if BUSY in note else f"{note}, {BUSY}" for note in notes if note), brief, BUSY)


def _mark(estimate: Estimate, cost_model: CostModel) -> str:
    """Return the mark of a time, as in the chart; none if it is assumed."""
    if cost_model.assumed:
        return ""
    return MEASURED if estimate.measured else PROJECTED


def _sources(estimate: Estimate, cost_model: CostModel) -> tuple[str, ...]:
    """Return basis and tolerance of an estimate; then shorter forms."""
    whole = source(estimate, cost_model).written
    if cost_model.assumed:
        return whole, basis(estimate, cost_model)
    return _marked((whole, _sure(estimate), brief_tolerance(estimate).written), estimate)


def _sure(estimate: Estimate) -> str:
    """Return the tolerance: ±4%, or within a factor; empty if it is exact."""
    found = tolerance(estimate)
    return found.written if found else ""


def _row(name: str, values: tuple[str, str], role: str, columns: int, *notes: str, mark: str = "") -> Line:
    """Draw a method, its figure after its mark, and the longest note that fits; else the short figure alone."""
    left = f"{name:<{NAME}}"
    for note in (*(f"  {note}" for note in notes if note), ""):
        for text in (_cell(value, mark, columns) for value in values):
            if len(ASCII.text(left + text + note)) <= columns:
                return line((left, role), (text, "text" if role == "text" else "strong"), (note, "muted"))
    return line((left, role), (_cell(values[1], mark, columns), "text" if role == "text" else "strong"))


def _value_columns(columns: int) -> int:
    return NARROW_VALUE if columns < NARROW else VALUE


def _cell(value: str, mark: str, columns: int) -> str:
    """Align a figure on the right, and its mark on the left if there is room."""
    room = _value_columns(columns) - len(value)
    return f"{mark:<{room}}{value}" if room > 0 else value
