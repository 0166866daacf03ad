"""The ranking of the letters before a prediction by their blame: to first order beside the actual change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan

from tui_backprop.data.info import BOUNDARY_SIGN
from tui_backprop.engine.analysis.blamed_letters import BlamedLetter, Replaced, same_signs
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.letters import letter_at
from tui_backprop.render.draw.spans import Line, Span, line, packed, wrap
from tui_backprop.session.letter_blame import LetterBlame
from tui_backprop.support.format import format_fixed, format_number

NUMBER, DECIMALS = 9, 3  # columns of a number, and its decimals
LONGEST_BAR, SHORTEST_BAR = 16, 8  # columns
FEWEST = 4  # letters in the table, before anything is said below it
APART = 0.5  # of the larger one, up to which two numbers are within a factor of 2
ABOUT = (
    "Mean change of the loss with each other letter in its place, the most to blame first (− to blame, + it helps): "
    "1st order (blame), actual"
)
BENT = "On the way to another letter the loss bends: 1st order holds for small changes only."
OPPOSITE = "The signs are opposite: on the way to another letter the loss bends, and 1st order misleads."


@dataclass(frozen=True)
class LetterColumn:
    """A column of the ranking: its heading, its role, and the text of a letter. Where it does not fit beside the
    others, one that is ``spare`` is left out, and the text of another one is in a second line of the letter."""

    head: str
    role: str
    text: Callable[[BlamedLetter, tuple[str, ...]], str]
    spare: bool = False


def _fixed(change: float) -> str:
    return format_fixed(change, DECIMALS)


def _largest(found: Replaced, names: tuple[str, ...]) -> str:
    return f"{_fixed(found.largest)} by {names[found.by]:<2}"


def _of_replaced(text: Callable[[Replaced, tuple[str, ...]], str]) -> Callable[..., str]:
    return lambda letter, names: text(letter.replaced, names) if letter.replaced else "…"


FIRST_ORDER = LetterColumn("1st order", "backward", lambda letter, names: _fixed(letter.first_order))
ACTUAL = LetterColumn("actual", "loss", _of_replaced(lambda found, names: _fixed(found.mean)))
LARGEST = LetterColumn("largest", "text", _of_replaced(_largest))
BY_BOUNDARY = LetterColumn(
    f"by {BOUNDARY_SIGN}",
    "text",
    _of_replaced(lambda found, names: "" if found.boundary is None else _fixed(found.boundary)),
)
SLOPE = LetterColumn(
    "|dL/de|", "muted", lambda letter, names: format_fixed(letter.norm, DECIMALS, sign=False), spare=True
)
WIDTHS = {"largest": 16}  # of columns that are wider than a number


def ranked(blame: LetterBlame, most: int | None = None) -> list[BlamedLetter]:
    """The letters, the one most to blame first, the one that helps most last; of more than ``most``, the first and
    those with the largest changes."""
    letters = sorted(blame.letters, key=lambda letter: letter.first_order)
    larger = sorted(letters[1:], key=lambda letter: -abs(letter.first_order))
    kept = {letter.position for letter in [*letters[:1], *larger][:most]}
    return [letter for letter in letters if letter.position in kept]


def letter_lines(blame: LetterBlame, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """At most ``rows`` lines: what is compared, the table, and below it how far blame can be trusted, as far as four
    letters leave room for it."""
    about = wrap(context.text(ABOUT), columns, "muted")
    words = trust_lines(blame, columns, context)
    room = rows - len(about) - 1
    if room - len(words) < min(FEWEST, len(blame.letters)):
        words = []
    table = letter_table(blame, columns, room + 1 - len(words), context)
    gap: list[Line] = [()] if len(about) + len(table) + len(words) < rows and words else []
    return [*about, *table, *gap, *words][:rows]


def letter_table(blame: LetterBlame, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """The ranking: each letter with the change of the loss when it is another one, to first order and actual, as bars
    and numbers; the first ones in two lines, as far as there are rows for all."""
    name_wide = max(len("letter"), *(len(_name(blame, each)) for each in blame.letters)) + 2
    bars = [FIRST_ORDER, ACTUAL]
    fixed = name_wide + len(bars) * (NUMBER + 2)
    more: list[LetterColumn] = []
    for column in (LARGEST, BY_BOUNDARY, SLOPE):
        wide = WIDTHS.get(column.head, NUMBER)
        if fixed + wide + 2 * SHORTEST_BAR <= columns:
            more.append(column)
            fixed += wide
    below = [each for each in (LARGEST, BY_BOUNDARY, SLOPE) if each not in more and not each.spare]
    twice = rows - 1 - len(blame.letters)  # letters that have a second line
    bar = max(min((columns - fixed) // 2, LONGEST_BAR), 0)
    firsts = [each.first_order for each in blame.letters]
    actual = [each.replaced.mean if each.replaced else 0.0 for each in blame.letters]
    most = max(map(abs, (*firsts, *actual)), default=0.0)
    heads = [f"{'letter':<{name_wide}}", *(f"{column.head:>{NUMBER}}  {'':{bar}}" for column in bars)]
    heads += [f"{column.head:>{WIDTHS.get(column.head, NUMBER)}}" for column in more]
    lines = [line((context.text("".join(heads)), "muted"))]
    for place, letter in enumerate(ranked(blame, max(rows - 1, 0))):
        spans: list[Span] = [(f"{context.text(_name(blame, letter)):<{name_wide}}", "strong")]
        values = letter.first_order, letter.replaced.mean if letter.replaced else 0.0
        for column, value in zip(bars, values, strict=True):
            spans.append((f"{context.text(column.text(letter, blame.names)):>{NUMBER}}  ", column.role))
            spans.append((f"{drawn_bar(value, most, bar, context):<{bar}}", column.role))
        for column in more:
            text = context.text(column.text(letter, blame.names))
            spans.append((f"{text:>{WIDTHS.get(column.head, NUMBER)}}", column.role))
        lines.append(line(*spans))
        pieces = [
            line((f"{context.text(column.head)} ", "muted"), (context.text(text), column.role))
            for column in below
            if place < twice and (text := column.text(letter, blame.names))
        ]
        lines += [line("  ", *row) for row in packed(pieces, columns - 2, 3)[:1]]
    return lines[:rows]


def drawn_bar(value: float, most: float, columns: int, context: RenderContext) -> str:
    """A bar for a value, filled if it is positive and of strokes if it is negative."""
    if isnan(value) or not most:
        return ""
    glyph = (context.up if value > 0 else context.down)[-1]
    return glyph * min(round(abs(value) / most * columns), columns)


def _name(blame: LetterBlame, letter: BlamedLetter) -> str:
    return letter_at(letter.position, blame.names[letter.token])


def trust_lines(blame: LetterBlame, columns: int, context: RenderContext) -> list[Line]:
    """Say how well the rankings agree, and where they disagree most, and why; while letters are replaced, that they
    are."""
    worst = max(blame.letters, key=lambda letter: letter.disagreement, default=None)
    if worst is None or worst.replaced is None or not blame.whole:
        return [line((context.text("replacing letters …"), "muted"))]
    words = "" if isnan(blame.rho) else f"Rank correlation {format_number(blame.rho, 2)}, "
    words += f"same sign for {same_signs(blame.letters)} of {len(blame.letters)}. "
    words = words[0].upper() + words[1:] + worst_words(worst, worst.replaced, blame)
    return wrap(context.text(words), columns, "text")


def worst_words(letter: BlamedLetter, found: Replaced, blame: LetterBlame) -> str:
    """Say where both differ most, and why."""
    first, actual = letter.first_order, found.mean
    words = f"Furthest apart: {_name(blame, letter)}, {_fixed(first)} against {_fixed(actual)}"
    if _close(first, actual):
        return f"{words}, within a factor of 2."
    return f"{words}. {OPPOSITE if first * actual < 0 else BENT}"


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= APART * max(abs(one), abs(other))


def prediction_words(blame: LetterBlame, most: int = 3) -> str:
    """Say how probable the letter is, and which tokens are the most probable ones."""
    if blame.target is None or blame.p is None:
        return f"mean loss {format_number(blame.loss, 4)} of all letters"
    p = blame.p.tolist()
    order = sorted(range(len(p)), key=lambda token: -p[token])[:most]
    likely = ", ".join(f"{blame.names[token]} {format_number(p[token], 2)}" for token in order)
    what = letter_at(len(blame.letters), blame.names[blame.target])
    how = f"p = {format_number(p[blame.target])}, loss {format_number(blame.loss, 4)}"
    return f"{what}: {how}; most likely {likely}"
