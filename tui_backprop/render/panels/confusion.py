"""The confusion matrix: labels in rows, predictions in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tui_backprop.keys.table import panel_key
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, Span, line, wrap
from tui_backprop.support.format import format_share

Cell = tuple[int, int]
ANY_WRONG: Cell = (-1, -1)  # all that are misclassified
CLASS_COLUMNS, WRONG_COLUMNS = 6, 8  # columns of the classes, and of the number misclassified
NONE_COLUMNS = 7  # columns of the number without a prediction, where there are any
NOT_FINITE = "outputs not finite"


@dataclass(frozen=True)
class Confusion:
    """``counts[t][s]`` samples with label t are predicted s, for ``none[t]`` of them nothing is predicted; the cursor
    is at ``chosen``, or (None) at the largest count off the diagonal. ``half``: the first of the two digits that name
    a cell was typed; ``refused``: an empty cell was asked for a sample."""

    counts: Sequence[Sequence[int]]
    chosen: Cell | None = None
    half: bool = False
    refused: bool = False
    none: Sequence[int] = ()

    @property
    def cursor(self) -> Cell:
        if self.chosen is not None:
            return self.chosen
        every = range(len(self.counts))
        return max(((t, s) for t in every for s in every if t != s), key=lambda at: self.counts[at[0]][at[1]])

    def moved(self, down: int, right: int) -> Confusion:
        """Move the cursor, within the table."""
        last, (t, s) = len(self.counts) - 1, self.cursor
        at = min(max(t + down, 0), last), min(max(s + right, 0), last)
        return replace(self, chosen=at, half=False, refused=False)

    def typed(self, digit: int) -> Confusion:
        """Type a digit: 7 and then 2 is the cell of label 7, predicted 2."""
        if digit >= len(self.counts):
            return self
        t, s = self.cursor
        at = (t, digit) if self.half else (digit, s)
        return replace(self, chosen=at, half=not self.half, refused=False)

    @property
    def count(self) -> int:
        """Number of samples in the cell under the cursor."""
        return self.counts[self.cursor[0]][self.cursor[1]]

    def asked(self) -> Confusion:
        """Ask an empty cell for a sample."""
        return replace(self, half=False, refused=True)

    @property
    def samples(self) -> int:
        return sum(map(sum, self.counts)) + self.unpredicted

    @property
    def unpredicted(self) -> int:
        """Number of samples for which nothing is predicted: an output is NaN or infinite."""
        return sum(self.none)

    @property
    def correct(self) -> int:
        """Number of samples that are predicted correctly."""
        return sum(row[t] for t, row in enumerate(self.counts))


def rows_of(classes: int) -> int:
    """Lines that the table takes."""
    return classes + 5


def footer(n: int, columns: int, context: RenderContext) -> str:
    """The keys of a table of n classes, as many as fit; moving and closing come before the others."""
    cell = f"type {7 % n}{2 % n}" if n <= 10 else ""
    keys = ("↑ ↓ ← → move", cell, "enter show one", "e any error", "esc close")
    for least in ((0, 1, 2, 3, 4), (0, 1, 2, 4), (0, 2, 4), (2, 4)):
        text = context.text("  ".join(keys[i] for i in least if keys[i]))
        if len(text) <= columns:
            break
    return text


def confusion_lines(confusion: Confusion, columns: int, context: RenderContext) -> list[Line]:
    """The table with its cursor, the cell under it in words, and the accuracy."""
    counts, (here, predicted) = confusion.counts, confusion.cursor
    n = len(counts)
    digits = max(len(f"{count}") for row in counts for count in row)
    none: Sequence[int] = confusion.none if confusion.unpredicted else ()
    beside = WRONG_COLUMNS + (NONE_COLUMNS if none else 0)
    wide = min(max((columns - CLASS_COLUMNS - beside) // n, digits + 1), digits + 3)
    head: list[Span] = [(f"{'label':<{CLASS_COLUMNS}}", "muted")]
    head += [(f"{s:>{wide}}", "strong" if s == predicted else "muted") for s in range(n)]
    lines = [
        line((" " * (CLASS_COLUMNS + wide - 1) + "predicted", "muted")),
        line(*head, (f"{'wrong':>{WRONG_COLUMNS}}" + (f"{'none':>{NONE_COLUMNS}}" if none else ""), "muted")),
    ]
    for t, row in enumerate(counts):
        cells = [(f"{t:<{CLASS_COLUMNS}}", "strong" if t == here else "muted")]
        for s, count in enumerate(row):
            text = f"{count}" if count else context.zero
            role = (
                "cursor"
                if (t, s) == (here, predicted)
                else "muted"
                if not count
                else "good"
                if t == s
                else "bad"
            )
            cells += [(" " * (wide - len(text) - 1), "text"), (f" {text}", role)]
        wrong = sum(row) - row[t]
        cells.append((f"{wrong:>{WRONG_COLUMNS},}", "text" if wrong else "muted"))
        cells += [(f"{none[t]:>{NONE_COLUMNS},}", "bad" if none[t] else "muted")] if none else []
        lines.append(line(*cells))
    return [
        *lines,
        (),
        _cell(confusion, context),
        *wrap(_accuracy(confusion, columns), columns, "bad" if none else "muted"),
    ]


def _accuracy(confusion: Confusion, columns: int) -> str:
    """The accuracy in words; a sample without a prediction is not correct."""
    none, samples = confusion.unpredicted, confusion.samples
    if none == samples:
        return f"no prediction for any of {samples:,} samples: {NOT_FINITE}"
    share = f"accuracy {format_share(confusion.correct, samples, 1)}: {confusion.correct:,} of {samples:,} correct"
    if not none:
        return share
    long = f"{share}; no prediction for {none:,}: {NOT_FINITE}"
    return long if len(long) <= columns else f"{share}; {none:,} without prediction"


def _cell(confusion: Confusion, context: RenderContext) -> Line:
    """The cell under the cursor in words."""
    (here, predicted), count = confusion.cursor, confusion.count
    if confusion.half:
        return line(
            (f"label {here}, predicted ", "strong"), ("_", "cursor"), (" type the second digit", "muted")
        )
    if not count:
        train = panel_key("train", context.keys)
        why = f" yet: esc, then train ({train})" if confusion.refused else ""
        return line(
            (f"label {here}, predicted {predicted}: ", "strong"), (f"none{why}", "bad" if why else "strong")
        )
    return line((f"label {here}, predicted {predicted}: {count:,} sample" + "s" * (count > 1), "strong"))
