"""The training panel: how the loss went, the accuracy, and a picture of what was learned.

Imports plotext, so this module is imported after the first paint.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tui_backprop.data.catalogue import info, title
from tui_backprop.data.split import Part, Split
from tui_backprop.render.draw.context import RenderContext, fitted
from tui_backprop.render.draw.spans import (
    Line,
    Span,
    beside,
    clip,
    first_fitting,
    line,
    option,
    packed,
    width,
    wrap,
)
from tui_backprop.render.panels.decision_boundary import picture_lines
from tui_backprop.render.panels.training_curves import IterationAxis, accuracy_chart, change_mark, loss_chart
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.decision_boundary import Fit, Plane
from tui_backprop.session.setting_changes import SettingChange
from tui_backprop.session.training_curve import Learning, Score, fixed_part_text
from tui_backprop.support.format import format_duration, format_number, format_share

KEY_HINTS = (  # on how to train and how to go back, as many words as fit
    "{amount(-1)} {amount(1)} number of updates, {repeat} batch, {start_training} trains,"
    " {iteration(-1)} {iteration(1)} iteration",
    "{amount(-1)} {amount(1)} number of updates, {start_training} trains,"
    " {iteration(-1)} {iteration(1)} iteration",
    "{amount(-1)} {amount(1)} updates  {start_training} train  {iteration(-1)} {iteration(1)} back",
    "{amount(-1)} {amount(1)} updates  {start_training} train",
)
UNTRAINED = "Not trained yet. Training plots the update loss, and the {what} on {part} samples of {data}."
UNTRAINED_SPLIT = (
    "Not trained yet. {data}: {split}. Training plots the update loss, and {what} of both parts side by side."
)
UNTRAINED_WITHOUT_SAMPLES = "Not trained yet. Training plots the loss before each update."
READING_BACK = "reading back the update losses of {n:,} updates …"
SIDE_BY_SIDE_COLUMNS = (
    74  # columns from which the picture is beside the curves, where the panel is wide enough
)
BESIDE_WORDS_COLUMNS = 50  # columns from which it is beside the words, while there are no curves
STACKED_ROWS = 18  # rows from which the picture is below the curves
LEAST_CHART_ROWS = 5  # rows of a chart with its heading and its axis
TWO_CHARTS_ROWS = 14  # rows of curves, from which the accuracy has a chart of its own


def training_panel(
    snapshot: Snapshot,
    learning: Learning | None,
    picture: Plane | Fit | None,
    columns: int,
    rows: int,
    context: RenderContext,
    changes: Sequence[SettingChange] = (),
) -> list[Line]:
    """At most ``rows`` lines: progress and figures, the curves with the ``changes`` of settings, and the picture if
    there is one and it fits."""
    if picture and columns >= max(SIDE_BY_SIDE_COLUMNS if learning else BESIDE_WORDS_COLUMNS, 2 * rows):
        right = min(2 * rows + 4, columns // 2)
        left = columns - right - 2
        drawn = picture_lines(picture, right, rows, context)
        lines = beside(curves(snapshot, learning, left, rows, context, changes), drawn, left)
    elif picture and rows >= STACKED_ROWS:
        below = picture_lines(picture, columns, rows // 2, context)
        room = rows - len(below) - 1
        lines = [*curves(snapshot, learning, columns, room, context, changes), (), *below]
    else:
        lines = curves(snapshot, learning, columns, rows, context, changes)
    return fitted(lines, columns, rows, context)


def amount_line(amounts: Sequence[str], chosen: int, columns: int, repeat: bool | None = None) -> Line:
    """The amounts of training to choose from, the chosen one in brackets, as many as fit; then whether each update is
    on the next batch or all ``repeat`` the same one, unless there is no choice (None)."""
    if repeat is not None:
        batch = line(
            ("on the ", "muted"), option("next", not repeat), option("same", repeat), (" batch", "muted")
        )
        rest = columns - width(batch) - 3
        if width(alone := amount_line(amounts, chosen, columns)) <= rest:
            return line(*alone, ("   ", "text"), *batch)
        if repeat:
            short = line((" same batch", "strong"))
            return line(*amount_line(amounts, chosen, columns - width(short)), *short)
    options = [option(name, i == chosen) for i, name in enumerate(amounts)]
    first, last = 0, len(options)
    label = "train " if len("train ") + width(tuple(options)) <= columns else ""
    while last - first > 1 and len(label) + width(tuple(options[first:last])) > columns:
        first, last = (first + 1, last) if chosen - first > last - 1 - chosen else (first, last - 1)
    return clip(line((label, "muted"), *options[first:last]), columns)


def key_hint(columns: int, context: RenderContext) -> Line:
    """The keys of the chooser."""
    return first_fitting(columns, *(line((context.words(words), "muted")) for words in KEY_HINTS))


def curves(
    snapshot: Snapshot,
    learning: Learning | None,
    columns: int,
    rows: int,
    context: RenderContext,
    changes: Sequence[SettingChange] = (),
) -> list[Line]:
    """Words and charts, in at most ``rows`` lines."""
    if learning is None or not (learning.done or learning.going):
        return untrained(snapshot, columns)[:rows]
    seen = [each for each in changes if learning.first <= each.t <= learning.first + learning.done]
    words = [*progress(learning, columns, context), *figures(snapshot, learning, columns)]
    words += change_lines(seen, columns, context)
    room = rows - len(words)
    if room < LEAST_CHART_ROWS or learning.done < 2 or not np.isfinite(learning.losses).any():
        return words[:rows]
    here = snapshot.session.t
    frame = IterationAxis(learning.first, learning.first + learning.done, here, columns, context, seen)
    scores = [score for score in learning.scores if score.accuracy is not None]
    below = max(room * 2 // 5, LEAST_CHART_ROWS) if scores and room >= TWO_CHARTS_ROWS else 0
    part = fixed_part_text(snapshot.session.split.training)
    charts = loss_chart(learning, frame, room - below, scale=not below)
    return [
        *words,
        *charts,
        *(accuracy_chart(scores, part, learning.recalled, frame, below) if below else ()),
    ]


# --- words -------------------------------------------------------------------------------------------------


def untrained(snapshot: Snapshot, columns: int) -> list[Line]:
    """The words shown before anything is trained, or while its losses are read back."""
    data = snapshot.session.data
    if snapshot.session.t:
        return wrap(READING_BACK.format(n=snapshot.session.t), columns, "muted")
    if snapshot.session.network.holds_numbers:
        return wrap(UNTRAINED_WITHOUT_SAMPLES, columns, "muted")
    split, classes = snapshot.session.split, info(data).classes
    if split.validation:
        what = "loss and accuracy" if classes else "the loss"
        words = UNTRAINED_SPLIT.format(what=what, data=title(data), split=split.text)
        return wrap(words, columns, "muted")
    part = fixed_part_text(split.training)
    part = part if part.startswith("all") else f"the {part}"
    words = UNTRAINED.format(what="accuracy" if classes else "loss", part=part, data=title(data))
    return wrap(words, columns, "muted")


def progress(learning: Learning, columns: int, context: RenderContext) -> list[Line]:
    """While training runs: a bar, the rate, the time left and the key that stops it. After it: the time taken."""
    updates = " update" if learning.done == 1 else " updates"
    rate: list[Sequence[Span]] = [((f"{format_number(learning.rate)}/s", "text"),)] if learning.rate else []
    stop: Sequence[Span] = ((f"{context.key('stop_training')} stops", "key"),)
    if not learning.going:
        updates += (
            f" in {format_duration(learning.seconds)}" if learning.seconds and not learning.untimed else ""
        )
        return packed([((f"{learning.done:,}", "strong"), (updates, "muted")), *rate], columns)
    if learning.wanted is None:
        amount: Sequence[Span] = ((f"{learning.done:,}", "strong"), (f"{updates}, until stopped", "muted"))
        return packed([amount, *rate, stop], columns)
    amount = ((f"{learning.done:,}", "strong"), (f" of {learning.wanted:,} updates", "muted"))
    if learning.remaining is not None:
        rate.append(((f"{format_duration(learning.remaining)} left", "text"),))
    room = columns - sum(2 + width(tuple(piece)) for piece in (amount, *rate, stop))
    if room >= 12:
        return packed([amount, bar(learning, min(room, 40), context), *rate, stop], columns)
    room = columns - sum(2 + width(tuple(piece)) for piece in rate)
    return [*packed([amount, stop], columns), *packed([bar(learning, max(room, 4), context), *rate], columns)]


def change_lines(changes: Sequence[SettingChange], columns: int, context: RenderContext) -> list[Line]:
    """The settings that changed, each after the mark of its line in the charts, the latest first; in one line."""
    pieces = [
        (
            (f"{change_mark(context)} ", "update"),
            (f"{each.t:,}: ", "muted"),
            (context.text(each.text), "text"),
        )
        for each in reversed(changes)
    ]
    for shown in range(len(pieces), 0, -1):
        earlier = len(pieces) - shown
        more = [((f"{earlier} earlier", "muted"),)] if earlier else []
        lines = packed([*pieces[:shown], *more], columns)
        if len(lines) == 1 or shown == 1:
            return [clip(row, columns) for row in lines]
    return []


def bar(learning: Learning, columns: int, context: RenderContext) -> Line:
    """The progress of training as a bar of so many columns."""
    full = min(learning.done * columns // max(learning.wanted or 1, 1), columns)
    return line((context.done * full, "update"), (context.left * (columns - full), "faint"))


def figures(snapshot: Snapshot, learning: Learning, columns: int) -> list[Line]:
    """The newest figures, and the iteration from which the loss is not finite."""
    groups: list[list[Sequence[Span]]] = []
    if learning.last:
        of = (f", iteration {learning.last.t:,}", "muted")
        groups.append([[("update ", "muted"), *_loss(learning.last.loss), of]])
    split = snapshot.session.split
    last = learning.scores[-1] if learning.scores else None
    elsewhere = last and not learning.going and last.t != snapshot.session.t
    at: list[Sequence[Span]] = [[(f"at iteration {last.t:,}", "muted")]] if last and elsewhere else []
    if last and not last.validation:
        named = (f"{fixed_part_text(split.training)}:", "muted")
        share = [] if last.accuracy is None else _accuracy(last.accuracy, last.unpredicted)
        groups.append([[named, *share], _loss(last.loss), *at])
    lines = [row for group in groups for row in packed(group, columns)]
    if len(lines) == 2:
        lines = packed(lines, columns, gap=4)
    if last and last.validation:
        lines += _parts(last, last.validation, split, columns, at)
    if learning.lost is None:
        return lines
    later = np.isfinite(learning.losses[learning.lost - learning.first :]).any()
    when = f"at iteration {learning.lost:,}" if later else f"from iteration {learning.lost:,} on"
    return [*lines, *wrap(f"The loss is not finite {when}.", columns, "bad")]


def _parts(
    training: Score, validation: Score, split: Split, columns: int, at: Sequence[Sequence[Span]]
) -> list[Line]:
    """Draw the scores of both parts below each other, each in one line, with as many words as fit."""
    drawn: list[list[Line]] = []
    for named, most in ((True, 4), (True, 3), (True, 2), (False, 2), (False, 1)):
        rows = (
            _part(split.training, training, named, at),
            _part(split.held_out, validation, named, at),
        )
        drawn = [packed(row[:most], columns) for row in rows]
        if all(len(lines) == 1 for lines in drawn):
            break
    return [lines[0] for lines in drawn]


def _part(part: Part, score: Score, named: bool, at: Sequence[Sequence[Span]]) -> list[Sequence[Span]]:
    """Return the pieces of the scores of a part: its accuracy, ``named`` or not, its loss, the samples, the
    iteration."""
    share = [] if score.accuracy is None else _accuracy(score.accuracy, score.unpredicted)
    if not named and len(share) > 1:
        share[0] = ("  ", "text")
    (label, role), (loss, of_loss) = _loss(score.loss)
    return [
        [(f"{part.name:<10}", "muted"), *share],
        [(label, role), (f"{loss:<8}", of_loss)],
        [(fixed_part_text(part), "muted")],
        *at,
    ]


def _loss(value: float) -> list[Span]:
    return [("loss ", "muted"), (format_number(value), "loss")]


def _accuracy(right: float, unpredicted: float) -> list[Span]:
    """The accuracy, and the share of samples that have no prediction, which are not correct."""
    if unpredicted == 1:
        return [(" no prediction", "bad")]
    none: list[Span] = (
        [(f", {format_share(unpredicted, decimals=1)} without a prediction", "bad")] if unpredicted else []
    )
    return [(" accuracy ", "muted"), (format_share(right, decimals=1), "good"), *none]
