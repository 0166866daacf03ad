"""What goes to the terminal, in few bytes: an account is kept of what it shows, and only what is different is sent.

Textual paints regions anew, and gives each piece of a line its whole style. This takes all that for what the screen
should show, and tells the terminal of the cells that do not yet show it, with moves and changes of style as short as
they can be. So whatever was painted meanwhile, one frame brings a terminal up to date; none has to be queued.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from rich.cells import cell_len

from tui_backprop.terminal.sgr import PLAIN, Pen, change

TOKEN = re.compile(
    r"\x1b\[(?P<style>[\d;]*)m|\x1b\[(?P<row>\d+);(?P<column>\d+)H|(?P<line>\r?\n)|(?P<frame>\x1b\[\?2026[hl])"
    r"|(?P<other>\x1b\[[0-?]*[ -/]*[@-~]|\x1b[]P_^X].*?(?:\x07|\x1b\\)|\x1b.|[\x00-\x1f\x7f])",
    re.DOTALL,
)
# What changes nothing that is shown: modes (but for the other screen), questions, the keyboard's protocol, titles.
UNSEEN = re.compile(
    r"\x1b\[\?(?!1049|1047|47)\d+[hl]|\x1b\[[?>=<]?[\d;]*\$?[cnpqtu]|\x1b\].*|\x07", re.DOTALL
)
FRAME = "\x1b[?2026h", "\x1b[?2026l"  # around it, where the terminal is known to hold still for that long
UNLIMITED = 2**31
EDGE = -1  # for a column
APART = 4  # cells that are sent again rather than skipped: a move takes as many bytes
SHORT, LONG = 5, 10  # blanks up to which they are written: the last ones of a run, and others


@dataclass
class Row:
    """Cells of a line: characters, and the pens they were written with (None: not known)."""

    characters: list[str] = field(default_factory=list)
    pens: list[Pen | None] = field(default_factory=list)
    odd: bool = False  # some characters are not one column wide: it is sent as a whole

    def reach(self, columns: int) -> None:
        """Have at least so many cells."""
        more = columns - len(self.characters)
        if more > 0:
            self.characters += [""] * more
            self.pens += [None] * more

    def cut(self, columns: int) -> None:
        """Have at most so many cells."""
        del self.characters[columns:], self.pens[columns:]

    def put(self, column: int, characters: list[str] | str, pen: Pen | None) -> int:
        """Write from a column on; the column after it."""
        end = column + len(characters)
        self.reach(end)
        self.characters[column:end] = characters
        self.pens[column:end] = [pen] * len(characters)
        return end


class Wire:
    """Takes what is painted, and tells what is to be sent for it."""

    def __init__(self, erases: bool = False) -> None:
        """``erases``: the terminal gives erased cells the background of its pen."""
        self._erases = erases
        self._wanted: dict[int, Row] = {}
        self._sent: dict[int, Row] = {}
        self._touched: set[int] = set()
        self._through: list[str] = []
        self._column = self._row = 0  # where the next text goes
        self._pen: Pen | None = PLAIN  # that it is written with
        self._at: tuple[int, int] | None = None  # column and row of the terminal's cursor
        self._now: Pen | None = None  # the pen of the terminal
        self._framed = False
        self._size = UNLIMITED, UNLIMITED  # columns and rows of the terminal, where they are known

    def take(self, data: str) -> None:
        """Take in what is painted."""
        at = 0
        for token in TOKEN.finditer(data):
            if token.start() > at:
                self._write(data[at : token.start()])
            at = token.end()
            if (codes := token["style"]) is not None:
                self._pen = (self._pen or PLAIN).told(codes)
                if self._pen is None:  # a style that is not understood
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
        row = self._wanted.setdefault(self._row, Row())
        characters: list[str] | str = text
        if not text.isascii() and cell_len(text) != len(text):
            row.odd, characters = True, _cells(text)
        self._column = row.put(self._column, characters, self._pen or PLAIN)
        self._touched.add(self._row)

    def _pass_on(self, code: str) -> None:
        self._through.append(code)
        if not UNSEEN.fullmatch(code):
            self.forget()

    def forget(self) -> None:
        """What the terminal shows is not known any more: all of it is due again."""
        self._sent.clear()
        self._touched.update(self._wanted)
        self._at = self._now = None

    def fit(self, columns: int, rows: int) -> None:
        """The terminal has this size now, and what it shows is not known. What is painted outside of it, for a size
        that it had before, is not sent: it would have the lines scroll."""
        self._size = columns, rows
        self._wanted = {y: row for y, row in self._wanted.items() if y < rows}
        for row in self._wanted.values():
            row.cut(columns)
        self._touched.clear()
        self.forget()

    def through(self) -> str:
        """What is to be sent at once, since it is no drawing."""
        passed, self._through = "".join(self._through), []
        return passed

    def drawn(self) -> str:
        """What is to be sent for the terminal to show all that was painted."""
        out: list[str] = []
        for y in sorted(self._touched):
            if y < self._size[1]:
                self._draw(y, out)
        self._touched.clear()
        text = "".join(out)
        return f"{FRAME[0]}{text}{FRAME[1]}" if text and self._framed else text

    def _draw(self, y: int, out: list[str]) -> None:
        wanted, sent = self._wanted[y], self._sent.setdefault(y, Row())
        wanted.cut(self._size[0])
        sent.reach(len(wanted.characters))
        for start, end in _runs(wanted, sent):
            self._move(start, y, out)
            behind = self._run(wanted.characters[start:end], wanted.pens[start:end], out)
            # At the right edge a terminal's cursor stays in the last column: which that is, is not known here.
            self._at = (end - behind if behind or end < len(wanted.characters) else EDGE), y
        sent.characters, sent.pens = wanted.characters.copy(), wanted.pens.copy()

    def _move(self, x: int, y: int, out: list[str]) -> None:
        if self._at == (x, y):
            return
        ways = [f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"]
        if self._at is not None and self._at[1] == y and self._at[0] != EDGE:
            ways.append(_across(x - self._at[0]))
        elif self._at is not None and self._at[1] == y - 1:
            ways.append("\r\n" + _across(x))
        out.append(min(ways, key=len))

    def _run(self, characters: list[str], pens: list[Pen | None], out: list[str]) -> int:
        """Write cells; at blanks the pen is not changed for what is not seen there. How far the cursor is behind the
        last of them after that: many blanks are erased, which does not move it."""
        if self._now is None:
            out.append("\x1b[m")
            self._now = PLAIN
        now, x, behind = self._now, 0, 0
        while x < len(characters):
            pen, character, behind = pens[x] or PLAIN, characters[x], 0
            if pen is not now and not (character == " " and pen.ground == now.ground):
                out.append(change(now, pen))
                now = pen
            blanks = self._blanks(characters, pens, x, now) if character == " " and self._erases else 0
            if blanks > (SHORT if x + blanks == len(characters) else LONG):
                out.append(f"\x1b[{blanks}X")
                x += blanks
                behind = blanks
                if x < len(characters):
                    out.append(_across(blanks))
            else:
                out.append(character)
                x += 1
        self._now = now
        return behind

    @staticmethod
    def _blanks(characters: list[str], pens: list[Pen | None], x: int, now: Pen) -> int:
        """How many blanks follow that can be erased with a pen."""
        end = x
        while end < len(characters) and characters[end] == " " and (pens[end] or PLAIN).ground == now.back:
            end += 1
        return end - x


def _across(columns: int) -> str:
    """The code that moves the cursor to the right, or (below 0) to the left."""
    by = abs(columns)
    return f"\x1b[{by if by > 1 else ''}{'C' if columns > 0 else 'D'}" if by else ""


def _runs(wanted: Row, sent: Row) -> Iterator[tuple[int, int]]:
    """The cells [start, end) of a row that have to be sent."""
    if wanted.odd or sent.odd:
        sent.odd = wanted.odd
        known = [pen is not None for pen in wanted.pens]
    elif wanted.characters == sent.characters and wanted.pens == sent.pens:
        return
    else:
        known = [
            p is not None and (a != b or (p is not q and not (a == " " and q and p.ground == q.ground)))
            for a, b, p, q in zip(wanted.characters, sent.characters, wanted.pens, sent.pens, strict=False)
        ]
    start = end = -1
    x = 0
    for due, cells in groupby(known):
        to = x + len(list(cells))
        if due:
            if start < 0:
                start = x
            elif x - end > APART or None in wanted.pens[end:x]:
                yield start, end
                start = x
            end = to
        x = to
    if start >= 0:
        yield start, end


def _cells(text: str) -> list[str]:
    """A text by cells: a wide character takes a second, empty one; what has no width of its own goes with the one
    before."""
    cells: list[str] = []
    for character in text:
        width = cell_len(character)
        if width:
            cells += [character, *[""] * (width - 1)]
        elif cells:
            cells[-1] += character
    return cells
