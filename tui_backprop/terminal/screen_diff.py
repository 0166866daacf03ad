"""The screen difference: only cells that changed are sent to the terminal, in as few bytes as possible.

Textual repaints whole regions, and gives each piece of a line its full style. ``ScreenDiff`` keeps what was painted
and what the terminal shows, and sends the cells that differ, with the shortest cursor moves and style changes. One
update is enough to bring the terminal up to date, however much was painted since the last; none has to be queued.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from rich.cells import cell_len

from tui_backprop.terminal.sgr import DEFAULT_STYLE, SgrStyle, style_change

TOKEN = re.compile(
    r"\x1b\[(?P<style>[\d;]*)m|\x1b\[(?P<row>\d+);(?P<column>\d+)H|(?P<line>\r?\n)|(?P<frame>\x1b\[\?2026[hl])"
    r"|(?P<other>\x1b\[[0-?]*[ -/]*[@-~]|\x1b[]P_^X].*?(?:\x07|\x1b\\)|\x1b.|[\x00-\x1f\x7f])",
    re.DOTALL,
)
# Codes without a visible effect: modes (except the alternate screen), queries, keyboard protocol, titles.
NOT_VISIBLE = re.compile(
    r"\x1b\[\?(?!1049|1047|47)\d+[hl]|\x1b\[[?>=<]?[\d;]*\$?[cnpqtu]|\x1b\].*|\x07", re.DOTALL
)
SYNCHRONIZED_UPDATE = "\x1b[?2026h", "\x1b[?2026l"  # around an update, if the terminal supports it
UNLIMITED = 2**31
AT_EDGE = -1  # a column that is not known: at the right edge, terminals keep the cursor in the last column
MAX_REWRITTEN_GAP = (
    4  # unchanged cells that are written again rather than skipped: a move takes as many bytes
)
MAX_WRITTEN_BLANKS = 10  # in a row; more are erased
MAX_WRITTEN_BLANKS_AT_END = 5  # of a run, where no move follows


@dataclass
class CellRow:
    """Cells of a line: characters, and the styles they are written with (None: not known)."""

    characters: list[str] = field(default_factory=list)
    styles: list[SgrStyle | None] = field(default_factory=list)
    variable_width: bool = False  # some characters are not one column wide: the row is sent as a whole

    def grow(self, columns: int) -> None:
        """Add unknown cells, up to so many columns."""
        more = columns - len(self.characters)
        if more > 0:
            self.characters += [""] * more
            self.styles += [None] * more

    def truncate(self, columns: int) -> None:
        """Drop the cells from a column on."""
        del self.characters[columns:], self.styles[columns:]

    def put(self, column: int, characters: list[str] | str, style: SgrStyle | None) -> int:
        """Write from a column on; return the column after the last."""
        end = column + len(characters)
        self.grow(end)
        self.characters[column:end] = characters
        self.styles[column:end] = [style] * len(characters)
        return end


class ScreenDiff:
    """Collects what Textual paints, and produces what has to be sent."""

    def __init__(self, erases: bool = False) -> None:
        """``erases``: the terminal fills erased cells with the current background."""
        self._can_erase = erases
        self._wanted: dict[int, CellRow] = {}
        self._sent: dict[int, CellRow] = {}
        self._touched: set[int] = set()
        self._passthrough: list[str] = []
        self._column = self._row = 0  # where the next text is painted
        self._style: SgrStyle | None = DEFAULT_STYLE  # style of the next text painted; None: not understood
        self._cursor: tuple[int, int] | None = (
            None  # column and row of the terminal's cursor; None: not known
        )
        self._current: SgrStyle | None = None  # style of the terminal; None: not known
        self._framed = False
        self._size = UNLIMITED, UNLIMITED  # columns and rows of the terminal

    def paint(self, data: str) -> None:
        """Accept what is painted: text and control codes."""
        at = 0
        for token in TOKEN.finditer(data):
            if token.start() > at:
                self._write(data[at : token.start()])
            at = token.end()
            if (codes := token["style"]) is not None:
                self._style = (self._style or DEFAULT_STYLE).apply(codes)
                if self._style is None:  # a style that is not understood
                    self._pass_on(token.group())
            elif token["row"]:
                self._row, self._column = int(token["row"]) - 1, int(token["column"]) - 1
            elif token["line"]:
                self._row += 1
                self._column = 0 if len(token["line"]) == 2 else self._column
            elif token["frame"]:
                self._framed = True
            else:
                self._pass_on(token.group())
        if at < len(data):
            self._write(data[at:])

    def _write(self, text: str) -> None:
        row = self._wanted.setdefault(self._row, CellRow())
        characters: list[str] | str = text
        if not text.isascii() and cell_len(text) != len(text):
            row.variable_width, characters = True, _cells(text)
        self._column = row.put(self._column, characters, self._style or DEFAULT_STYLE)
        self._touched.add(self._row)

    def _pass_on(self, code: str) -> None:
        self._passthrough.append(code)
        if not NOT_VISIBLE.fullmatch(code):
            self.invalidate()

    def invalidate(self) -> None:
        """Forget what the terminal shows, so that the next update sends everything."""
        self._sent.clear()
        self._touched.update(self._wanted)
        self._cursor = self._current = None

    def resize(self, columns: int, rows: int) -> None:
        """Set the size of the terminal, and forget what it shows. Cells outside, painted for an earlier size, are not
        sent: they would scroll the screen."""
        self._size = columns, rows
        self._wanted = {y: row for y, row in self._wanted.items() if y < rows}
        for row in self._wanted.values():
            row.truncate(columns)
        self._touched.clear()
        self.invalidate()

    def take_passthrough(self) -> str:
        """Take the codes that do not draw and have to be sent at once."""
        passed, self._passthrough = "".join(self._passthrough), []
        return passed

    def take_update(self) -> str:
        """Take what has to be sent for the terminal to show everything that was painted."""
        out: list[str] = []
        for y in sorted(self._touched):
            if y < self._size[1]:
                self._draw(y, out)
        self._touched.clear()
        text = "".join(out)
        return f"{SYNCHRONIZED_UPDATE[0]}{text}{SYNCHRONIZED_UPDATE[1]}" if text and self._framed else text

    def _draw(self, y: int, out: list[str]) -> None:
        wanted, sent = self._wanted[y], self._sent.setdefault(y, CellRow())
        wanted.truncate(self._size[0])
        sent.grow(len(wanted.characters))
        for start, end in _changed_runs(wanted, sent):
            self._move(start, y, out)
            behind = self._run(wanted.characters[start:end], wanted.styles[start:end], out)
            self._cursor = (end - behind if behind or end < len(wanted.characters) else AT_EDGE), y
        sent.characters, sent.styles = wanted.characters.copy(), wanted.styles.copy()

    def _move(self, x: int, y: int, out: list[str]) -> None:
        if self._cursor == (x, y):
            return
        moves = [f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"]
        if self._cursor is not None and self._cursor[1] == y and self._cursor[0] != AT_EDGE:
            moves.append(_horizontal_move(x - self._cursor[0]))
        elif self._cursor is not None and self._cursor[1] == y - 1:
            moves.append("\r\n" + _horizontal_move(x))
        out.append(min(moves, key=len))

    def _run(self, characters: list[str], styles: list[SgrStyle | None], out: list[str]) -> int:
        """Write cells; at blanks, differences of style that do not show are ignored. Return how many columns the
        cursor is behind the last cell: it does not move when blanks at the end are erased."""
        if self._current is None:
            out.append("\x1b[m")
            self._current = DEFAULT_STYLE
        now, x, behind = self._current, 0, 0
        while x < len(characters):
            style, character, behind = styles[x] or DEFAULT_STYLE, characters[x], 0
            if style is not now and not (character == " " and style.blank_style == now.blank_style):
                out.append(style_change(now, style))
                now = style
            blanks = self._blanks(characters, styles, x, now) if character == " " and self._can_erase else 0
            if blanks > (MAX_WRITTEN_BLANKS_AT_END if x + blanks == len(characters) else MAX_WRITTEN_BLANKS):
                out.append(f"\x1b[{blanks}X")
                x += blanks
                behind = blanks
                if x < len(characters):
                    out.append(_horizontal_move(blanks))
            else:
                out.append(character)
                x += 1
        self._current = now
        return behind

    @staticmethod
    def _blanks(characters: list[str], styles: list[SgrStyle | None], x: int, now: SgrStyle) -> int:
        """Count the blanks that can be erased in one style."""
        end = x
        while (
            end < len(characters)
            and characters[end] == " "
            and (styles[end] or DEFAULT_STYLE).blank_style == now.background
        ):
            end += 1
        return end - x


def _horizontal_move(columns: int) -> str:
    """Make the code that moves the cursor to the right, or, for negative columns, to the left."""
    by = abs(columns)
    return f"\x1b[{by if by > 1 else ''}{'C' if columns > 0 else 'D'}" if by else ""


def _changed_runs(wanted: CellRow, sent: CellRow) -> Iterator[tuple[int, int]]:
    """Yield the ranges of cells [start, end) that have to be sent."""
    if wanted.variable_width or sent.variable_width:
        sent.variable_width = wanted.variable_width
        known = [style is not None for style in wanted.styles]
    elif wanted.characters == sent.characters and wanted.styles == sent.styles:
        return
    else:
        known = [
            p is not None
            and (a != b or (p is not q and not (a == " " and q and p.blank_style == q.blank_style)))
            for a, b, p, q in zip(
                wanted.characters, sent.characters, wanted.styles, sent.styles, strict=False
            )
        ]
    start = end = -1
    x = 0
    for due, cells in groupby(known):
        to = x + len(list(cells))
        if due:
            if start < 0:
                start = x
            elif x - end > MAX_REWRITTEN_GAP or None in wanted.styles[end:x]:
                yield start, end
                start = x
            end = to
        x = to
    if start >= 0:
        yield start, end


def _cells(text: str) -> list[str]:
    """Split a text into cells: a wide character takes a second, empty cell; a combining one joins the cell before."""
    cells: list[str] = []
    for character in text:
        width = cell_len(character)
        if width:
            cells += [character, *[""] * (width - 1)]
        elif cells:
            cells[-1] += character
    return cells
