"""The screen difference: only cells that changed are sent to the terminal, in as few bytes as possible.

Textual repaints whole regions, and gives each piece of a line its full style. ``ScreenDiff`` keeps what was painted
and what the terminal shows, and sends the cells that differ, with the shortest cursor moves and style changes. One
update is enough to bring the terminal up to date, however much was painted since the last; none has to be queued.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

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
MAX_REWRITTEN_GAP = (
    4  # unchanged cells that are written again rather than skipped: a move takes as many bytes
)
# Blanks in a row that are erased: more of them than a code takes bytes, and a move, where text follows.
ERASED_BLANKS = re.compile(" {5,}$| {11,}")
MAX_BACKSPACES = 3  # columns to the left; a code takes more bytes

Piece = tuple[int, int, str]  # row, column, text


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
        self._touched: dict[int, tuple[int, int]] = {}  # columns painted, from and to, by row
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
        start, self._column = self._column, row.put(self._column, characters, self._style or DEFAULT_STYLE)
        first, last = self._touched.get(self._row, (start, start))
        self._touched[self._row] = min(first, start), max(last, self._column)

    def _pass_on(self, code: str) -> None:
        self._passthrough.append(code)
        if not NOT_VISIBLE.fullmatch(code):
            self.invalidate()

    def invalidate(self) -> None:
        """Forget what the terminal shows, so that the next update sends everything."""
        self._sent.clear()
        self._touched = {y: (0, len(row.characters)) for y, row in self._wanted.items()}
        self._cursor = self._current = None

    def resize(self, columns: int, rows: int) -> None:
        """Set the size of the terminal, and forget what it shows. Cells outside, painted for an earlier size, are not
        sent: they would scroll the screen."""
        self._size = columns, rows
        self._wanted = {y: row for y, row in self._wanted.items() if y < rows}
        for row in self._wanted.values():
            row.truncate(columns)
        self.invalidate()

    def take_passthrough(self) -> str:
        """Take the codes that do not draw and have to be sent at once."""
        passed, self._passthrough = "".join(self._passthrough), []
        return passed

    def take_update(self) -> str:
        """Take what has to be sent for the terminal to show everything that was painted. Cells of one style are
        written together: to move the cursor takes fewer bytes than to change the style."""
        pieces: dict[SgrStyle, list[Piece]] = {self._current or DEFAULT_STYLE: []}
        for y, (start, end) in sorted(self._touched.items()):
            if y < self._size[1]:
                self._find_changes(y, start, end, pieces)
        self._touched.clear()
        text = "".join(self._drawn(pieces))
        return f"{SYNCHRONIZED_UPDATE[0]}{text}{SYNCHRONIZED_UPDATE[1]}" if text and self._framed else text

    def _find_changes(self, y: int, start: int, end: int, pieces: dict[SgrStyle, list[Piece]]) -> None:
        """Add the pieces of a row that have to be sent, by style; from now on they count as sent."""
        wanted, sent = self._wanted[y], self._sent.setdefault(y, CellRow())
        wanted.truncate(self._size[0])
        end = min(end, self._size[0])
        if wanted.variable_width or sent.variable_width:
            start, end = 0, len(wanted.characters)
            sent.variable_width = wanted.variable_width
            due = [x for x, style in enumerate(wanted.styles) if style is not None]
        else:
            sent.grow(end)
            due = _changed_cells(wanted, sent, start, end)
        for x, text, style in _pieces(wanted, due):
            pieces.setdefault(style, []).append((y, x, text))
        sent.characters[start:end] = wanted.characters[start:end]
        sent.styles[start:end] = wanted.styles[start:end]

    def _drawn(self, pieces: Mapping[SgrStyle, Sequence[Piece]]) -> Iterator[str]:
        """Yield what draws the pieces, and where the cursor moves between them."""
        for style, each in pieces.items():
            if not each:
                continue
            yield (
                style_change(self._current, style)
                if self._current
                else f"\x1b[m{style_change(DEFAULT_STYLE, style)}"
            )
            self._current = style
            for y, x, text in each:
                yield self._move(x, y)
                yield self._text(x, y, text, style)

    def _change(self, style: SgrStyle) -> str:
        """Make the code that changes the style."""
        reset = "" if self._current else "\x1b[m"
        now, self._current = self._current or DEFAULT_STYLE, style
        return reset + style_change(now, style)

    def _move(self, x: int, y: int) -> str:
        """Make the shortest code that moves the cursor."""
        if self._cursor == (x, y):
            return ""
        moves = [f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"]
        if self._cursor is not None and self._cursor[1] <= y:
            down = "\v" * (y - self._cursor[1])  # a line feed would become a carriage return as well
            moves += [down + _horizontal_move(x - self._cursor[0]), f"{down}\r{_horizontal_move(x)}"]
        return min(moves, key=len)

    def _text(self, x: int, y: int, text: str, style: SgrStyle) -> str:
        """Return the code for a text, and note where the cursor is then."""
        row, end = self._wanted[y], x + len(text)
        if end < len(row.characters) and not row.variable_width:
            self._cursor = end, y
        else:  # not known: at the right edge, terminals keep it in the last column
            self._cursor = None
        if not self._can_erase or style.blank_style is style:  # erased cells get the background alone
            return text

        def erased(blanks: re.Match[str]) -> str:
            count = len(blanks[0])
            if blanks.end() < len(text):
                return f"\x1b[{count}X{_horizontal_move(count)}"
            self._cursor = end - count, y  # the cursor does not move
            return f"\x1b[{count}X"

        return ERASED_BLANKS.sub(erased, text)


def _horizontal_move(columns: int) -> str:
    """Make the code that moves the cursor to the right, or, for negative columns, to the left."""
    by = abs(columns)
    if columns < 0 and by <= MAX_BACKSPACES:
        return "\b" * by
    return f"\x1b[{by if by > 1 else ''}{'C' if columns > 0 else 'D'}" if by else ""


def _changed_cells(wanted: CellRow, sent: CellRow, start: int, end: int) -> list[int]:
    """Return the columns from ``start`` to ``end`` whose cells look different from what was sent."""
    cells = zip(
        wanted.characters[start:end],
        sent.characters[start:end],
        wanted.styles[start:end],
        sent.styles[start:end],
        strict=True,
    )
    return [
        x
        for x, (a, b, p, q) in enumerate(cells, start)
        if p is not None
        and (a != b or (p is not q and not (a == " " and q and p.blank_style == q.blank_style)))
    ]


def _pieces(row: CellRow, due: Sequence[int]) -> Iterator[tuple[int, str, SgrStyle]]:
    """Group cells of a row into pieces of one style: first column, text, style. A blank fits every style with its
    background, and a few cells between two that are due are written again."""
    characters, styles = row.characters, row.styles

    def fit(start: int, end: int, style: SgrStyle) -> bool:
        return all(
            own is style or (own and characters[x] == " " and own.blank_style == style.blank_style)
            for x, own in enumerate(styles[start:end], start)
        )

    first = end = -1
    style, blank = DEFAULT_STYLE, False  # of the cells so far
    for x in due:
        own, is_blank = styles[x] or DEFAULT_STYLE, characters[x] == " "
        if x == end and own is style:
            end, blank = x + 1, blank and is_blank
            continue
        of_all = own if blank and not is_blank else style
        if first >= 0 and x - end <= MAX_REWRITTEN_GAP and fit(first if blank else end, x + 1, of_all):
            end, style, blank = x + 1, of_all, blank and is_blank
            continue
        if first >= 0:
            yield first, "".join(characters[first:end]), style
        first, end, style, blank = x, x + 1, own, is_blank
    if first >= 0:
        yield first, "".join(characters[first:end]), style


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
