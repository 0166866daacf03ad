"""The table of what is read as what: true classes in rows, what the network takes them for in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.spans import Line, Span, line, wrap

Choice = tuple[int, int]
ALL: Choice = (-1, -1)  # all that are read wrong
LEFT, RIGHT = 6, 8  # columns of the classes, and of how many of a class are read wrong


@dataclass(frozen=True)
class Confusion:
    """``counts[t][s]`` samples of class t are read as s; the cursor is at ``chosen``, or (None) at the largest count
    of those that are read wrong."""

    counts: Sequence[Sequence[int]]
    chosen: Choice | None = None

    @property
    def cursor(self) -> Choice:
        if self.chosen is not None:
            return self.chosen
        every = range(len(self.counts))
        return max(((t, s) for t in every for s in every if t != s), key=lambda at: self.counts[at[0]][at[1]])

    def moved(self, down: int, right: int) -> Confusion:
        """With the cursor so much further, going round."""
        n, (t, s) = len(self.counts), self.cursor
        return Confusion(self.counts, ((t + down) % n, (s + right) % n))

    @property
    def samples(self) -> int:
        return sum(map(sum, self.counts))

    @property
    def right(self) -> int:
        """How many samples are read as what they are."""
        return sum(row[t] for t, row in enumerate(self.counts))


def rows_of(confusion: Confusion) -> int:
    """How many lines the table takes."""
    return len(confusion.counts) + 5


def confusion_lines(confusion: Confusion, columns: int, glyphs: Glyphs) -> list[Line]:
    """The table with its cursor, and in words what is under that."""
    counts, (here, taken) = confusion.counts, confusion.cursor
    n = len(counts)
    digits = max(len(f"{count}") for row in counts for count in row)
    wide = min(max((columns - LEFT - RIGHT) // n, digits + 1), digits + 3)
    head: list[Span] = [(f"{'true':<{LEFT}}", "muted")]
    head += [(f"{s:>{wide}}", "strong" if s == taken else "muted") for s in range(n)]
    lines = [
        line((" " * (LEFT + wide - 1) + "read as", "muted")),
        line(*head, (f"{'wrong':>{RIGHT}}", "muted")),
    ]
    for t, row in enumerate(counts):
        cells = [(f"{t:<{LEFT}}", "strong" if t == here else "muted")]
        for s, count in enumerate(row):
            text = f"{count}" if count else glyphs.text("·")
            role = (
                "cursor" if (t, s) == (here, taken) else "faint" if not count else "good" if t == s else "bad"
            )
            cells += [(" " * (wide - len(text) - 1), "text"), (f" {text}", role)]
        wrong = sum(row) - row[t]
        lines.append(line(*cells, (f"{wrong:>{RIGHT},}", "text" if wrong else "faint")))
    count = counts[here][taken]
    what = f"{here}, read as {taken}: " + ("none" if not count else f"{count:,} sample" + "s" * (count > 1))
    share = f"{confusion.right:,} of {confusion.samples:,} are read right ({confusion.right / confusion.samples:.1%})"
    return [*lines, (), line((what, "strong")), *wrap(share, columns, "muted")]
