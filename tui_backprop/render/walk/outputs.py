"""The outputs of a network one by one, with marks at the label and the predicted class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tui_backprop.data.catalogue import info
from tui_backprop.engine.network.predictions import prediction_of
from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.heatmap import largest
from tui_backprop.render.draw.spans import Line, Span, beside, line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.support.format import format_number

MOST_OUTPUTS = 16  # outputs that are listed one by one
INDEX_COLUMNS, GAP = 2, 2  # columns of an output's number, and between two columns of outputs
LEAST_BAR_COLUMNS, MOST_BAR_COLUMNS = 4, 24  # columns of a bar
LABEL_MARK, PREDICTED_MARK = "◆", "▸"


@dataclass(frozen=True)
class Output:
    """Index and value of an output; ``mark`` of the label or the predicted class, explained by ``words``, in the
    color of ``role``."""

    place: int
    value: float
    mark: str = ""
    words: str = ""
    role: str = "muted"


def outputs_of(snapshot: Snapshot, values: Array) -> list[Output]:
    """Return the outputs of the first sample, for the ``values`` (outputs,) of the last layer."""
    graph, iteration = snapshot.graph, snapshot.iteration
    target = np.asarray(iteration.tensor(graph.target)[0])
    if len(values) == 1 or not info(snapshot.session.data).classes:
        wanted = [f"target {format_number(float(t), sign=True)}" for t in np.atleast_1d(target)]
        return [Output(i, float(v), "", wanted[i]) for i, v in enumerate(values)]
    found = prediction_of(iteration.tensor(graph.output)[0], target, graph.loss_rule)
    marks = {found.label: (LABEL_MARK, f"{LABEL_MARK} label", "good")}
    if found.correct:
        marks[found.label] = (LABEL_MARK, f"{LABEL_MARK} label, predicted", "good")
    elif found.predicted is None:
        marks[found.label] = (LABEL_MARK, f"{LABEL_MARK} label, no prediction", "bad")
    else:
        marks[found.predicted] = (PREDICTED_MARK, f"{PREDICTED_MARK} predicted", "bad")
    return [Output(i, float(v), *marks.get(i, ())) for i, v in enumerate(values)]


def rows_for_all(outputs: Sequence[Output], columns: int) -> int:
    """Return the number of lines that all outputs take, as many beside each other as fit."""
    return -(-len(outputs) // _most_across(_texts(outputs), columns))


def _texts(outputs: Sequence[Output]) -> dict[int, str]:
    signed = any(each.value < 0 for each in outputs)
    return {each.place: format_number(each.value, sign=signed) for each in outputs}


def _least_columns(texts: Mapping[int, str]) -> int:
    """Columns of one output, with its mark."""
    return INDEX_COLUMNS + 1 + max(map(len, texts.values())) + 2


def _most_across(texts: Mapping[int, str], columns: int) -> int:
    return max((columns + GAP) // (_least_columns(texts) + GAP), 1)


def output_lines(
    outputs: Sequence[Output], unit: int, role: str, columns: int, rows: int, context: RenderContext
) -> tuple[list[Line], str]:
    """Draw outputs in at most ``rows`` lines, and return a legend if the lines have no words: of their marks, and how
    many are not shown. One output to a line if they fit; else several beside each other; else the marked ones and the
    largest. The value of the selected ``unit`` has the ``role``."""
    texts = _texts(outputs)
    wide = max(map(len, texts.values()))
    room = columns - _least_columns(texts) - max(len(context.text(each.words)) for each in outputs)
    long = len(outputs) <= rows and room >= 0
    most = 1 if long else _most_across(texts, columns)
    fits = [n for n in range(1, most + 1) if -(-len(outputs) // n) <= rows]
    across = fits[0] if fits else most
    each_wide = (columns + GAP) // across - GAP
    bar = min(room, MOST_BAR_COLUMNS) if long and room >= LEAST_BAR_COLUMNS else 0
    peak = largest(np.array([each.value for each in outputs])) or 1.0

    def entry(each: Output) -> Line:
        full = 0 if np.isnan(each.value) else round(min(abs(each.value) / peak, 1) * bar)
        here = each.place == unit
        spans: list[Span] = [
            (f"{each.place:>{INDEX_COLUMNS}}", "cursor" if here else "muted"),
            (f" {texts[each.place]:>{wide}}", role if here else "text"),
            (f" {context.done * full:<{bar}}" if bar else "", "faint"),
            (f" {each.words if long else each.mark}", each.role),
        ]
        return context.fit(line(*spans))

    shown = _marked_and_largest(outputs, across * rows)
    deep = -(-len(shown) // across)
    lines = [entry(each) for each in shown[:deep]]
    for i in range(1, -(-len(shown) // deep)):
        column = [entry(each) for each in shown[i * deep : (i + 1) * deep]]
        lines = beside(lines, column, i * (each_wide + GAP) - GAP, GAP)
    return lines, "" if long else _legend(outputs, len(outputs) - len(shown), columns, context)


def _legend(outputs: Sequence[Output], hidden: int, columns: int, context: RenderContext) -> str:
    """Explain the marks, and count the ``hidden`` outputs, which comes first where there is not room for both."""
    marks = context.text("  ".join(each.words for each in outputs if each.mark))
    if not hidden:
        return marks
    count = f"{hidden} of {len(outputs)} not shown"
    choices = (f"{marks}  {count}", count, f"{hidden} not shown")
    return next((each for each in choices if len(each) <= columns), choices[-1])


def _marked_and_largest(outputs: Sequence[Output], most: int) -> list[Output]:
    """Return at most ``most`` outputs in their order: those with a mark, then NaN, then the largest."""
    order = sorted(outputs, key=lambda each: (not each.mark, -abs(np.nan_to_num(each.value, nan=np.inf))))
    return sorted(order[:most], key=lambda each: each.place)
