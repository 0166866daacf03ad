"""The case of one parameter: by which units it reaches the loss, what moving it does to that, and who pulls it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, prod

from tui_backprop.cost.accounting.path_counts import paths
from tui_backprop.data.catalogue import info
from tui_backprop.engine.analysis.parameter_detail import Nudge, ParameterDetail
from tui_backprop.engine.explain.worked import entry_name
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.names import titled
from tui_backprop.render.draw.spans import (
    Line,
    Span,
    first_fitting,
    flowing,
    line,
    pad,
    wrap,
)
from tui_backprop.render.view_state import BlameState
from tui_backprop.session.state import Session
from tui_backprop.support.format import format_count, format_number

FIELD, LABEL = 10, 7  # columns of a number, and of what stands before it
WHY = 22  # columns of what a factor is called
MOST_TEXT = 8  # rows of a path as running text


@dataclass(frozen=True)
class Look:
    """How much of a case is shown: a row for each factor of the path (or as running text, or no path), so many
    nudges, what it takes to turn the answer, and blank lines between the parts."""

    factors: str
    nudges: int
    turn: bool = True
    air: bool = False


LOOKS = (  # the first that fits is taken
    Look("rows", 4, air=True),
    Look("rows", 4),
    Look("text", 4, air=True),
    Look("text", 4),
    Look("text", 3),
    Look("text", 2),
    Look("text", 3, turn=False),
    Look("text", 2, turn=False),
    Look("", 4),
    Look("", 3),
    Look("", 2),
    Look("", 2, turn=False),
)


def case_lines(blame_state: BlameState, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """The case of the parameter under the cursor in at most ``rows`` lines; while that is looked into, the one before
    it stays, and says so."""
    session, iteration, found = blame_state.session, blame_state.iteration, blame_state.case
    if found is None:
        return [line(("nudging it …", "muted"))]
    tensor, index = found.attribution.tensor, found.attribution.index
    top = [*titled(session, tensor, index, columns, context), *_kept(blame_state, columns)]
    if found.attribution != blame_state.chosen:
        top = [line((entry_name(tensor, index), "strong"), (" …", "muted"))]
    pulled = pull_lines(session, found, columns) if iteration.batch > 1 else []
    turned, several, everything = turn_lines(found, columns), iteration.batch > 1, len(found.path) + 3
    path = {
        "rows": path_lines(session, found, columns, everything, several),
        "text": path_lines(session, found, columns, MOST_TEXT, several, table=False),
        "": [],
    }
    lines: list[Line] = []
    for look in LOOKS:
        nudged = nudge_lines(found, columns, look.nudges, iteration.loss) + (turned if look.turn else [])
        parts = [[*top, *path[look.factors]], nudged, pulled]
        lines = []
        for part in filter(None, parts):
            lines += [(), *part] if lines and look.air else part
        if len(lines) <= rows:
            break
    return lines[:rows]


def _kept(blame_state: BlameState, columns: int) -> list[Line]:
    """That it is no line of the ranking, where it was asked for by name."""
    chosen, ranked = blame_state.chosen, blame_state.ranked or ()
    if chosen is None or any((chosen.tensor, chosen.index) == (each.tensor, each.index) for each in ranked):
        return []
    return wrap(f"asked for by name, not among the first {len(ranked)}", columns, "muted")


# --- the path ---------------------------------------------------------------------------------------------


def path_lines(
    session: Session, found: ParameterDetail, columns: int, rows: int, several: bool, table: bool = True
) -> list[Line]:
    """The path of largest influence, of the sample that pulls hardest where there are ``several``: its factors, but
    for those of 1 that no derivative is written for, and what share of all paths it is. A row for each factor or
    running text; where they are too many for ``rows``, those in the middle are multiplied out."""
    sample = (session.sample + found.sample) % info(session.data).samples
    ways = paths(session.network, found.attribution.tensor).paths
    which = f"largest of {format_count(ways)} paths" if ways > 1 else "the only path"
    heads = [f", sample {sample}"] if several else [" to the loss"]
    head = first_fitting(columns, *(line((which + more, "muted")) for more in (*heads, "")))
    result = flowing(_share(found, ways), columns, 1)
    factors = factors_of(found)
    room = max(rows - 1 - len(result), 1)
    if table:
        body = [
            _term("×" if i else " ", (label, "text"), factor, "text", columns)
            for i, (label, factor) in enumerate(_folded(factors, room))
        ]
        return [head, *body, *result]
    body = flowing(_running(_folded(factors, 3 * room)), columns, 1)
    for most in range(3 * room, 2, -1):
        if len(body) <= room:
            break
        body = flowing(_running(_folded(factors, most)), columns, 1)
    return [head, *body, *result]


def factors_of(found: ParameterDetail) -> list[tuple[str, float]]:
    """What the factors of its path are called, and how large they are."""
    return [(hop.why, hop.factor) for hop in found.path if hop.why != "1"]


def _folded(factors: list[tuple[str, float]], most: int) -> list[tuple[str, float]]:
    """At most so many factors: those in the middle as one."""
    if len(factors) <= most:
        return factors
    front, back = most // 2, len(factors) - (most - 1) // 2
    middle = [factor for _, factor in factors[front:back]]
    return [*factors[:front], (f"{len(middle)} factors", prod(middle)), *factors[back:]]


def _running(factors: Sequence[tuple[str, float]]) -> list[Line]:
    last = len(factors) - 1
    return [
        line((f"{label} ", "muted"), (format_number(factor), "text"), (" ×" if i < last else "", "muted"))
        for i, (label, factor) in enumerate(factors)
    ]


def _share(found: ParameterDetail, ways: int) -> list[Line]:
    """What the path comes to, and what that is of the sum over all paths: of one sample's share of the gradient."""
    pull = found.pulls[0].gradient
    own = line(("= ", "muted"), (format_number(found.along, sign=True), "text"))
    if ways == 1:
        return [own]
    share = found.along / pull if pull else float("nan")
    words = f"{share:.1%} of the sum" if share > 0 else "against the sum" if share < 0 else "the sum is"
    words = words if isfinite(share) else "the sum is"
    return [
        line(*own, (",", "muted")),
        line((f"{words} ", "muted"), (format_number(pull, sign=True), "backward")),
    ]


def _term(sign: str, label: Span, value: float, role: str, columns: int) -> Line:
    """A line of the product."""
    text = f"{format_number(value, sign=True):>{FIELD}}"
    return line((f"{sign} ", "muted"), *pad(line(label), min(columns - 2 - FIELD, WHY + 2)), (text, role))


# --- what happens if it moves -----------------------------------------------------------------------------

# Columns of the table: a heading, a role, and how a nudge is shown there, with so many digits, beside the loss now.
Cell = Callable[[Nudge, int, float], str]
NUDGED: tuple[tuple[str, str, Cell], ...] = (
    ("by", "text", lambda nudge, digits, loss: format_number(nudge.by, digits, sign=True)),
    ("predicted", "muted", lambda nudge, digits, loss: format_number(nudge.predicted, digits, sign=True)),
    ("really", "", lambda nudge, digits, loss: format_number(nudge.came, digits, sign=True)),
    ("to", "loss", lambda nudge, digits, loss: format_number(loss + nudge.came, 4)),
)
# Digits, and which columns; the first that fits is taken.
FITTED = ((3, (0, 1, 2, 3)), (3, (0, 1, 2)), (2, (0, 1, 2)), (3, (0, 2)), (2, (0, 2)))


def nudge_lines(found: ParameterDetail, columns: int, most: int, loss: float) -> list[Line]:
    """What moving the parameter ``by`` so much does to the ``loss``: the change that its gradient predicts, the one
    that came, and, where there is room, the loss that it comes to. Numbers are never cut: columns give way."""
    heading = first_fitting(
        columns,
        line((f"the loss, {format_number(loss, 4)}, changes if it moves", "muted")),
        line(("the loss changes if it moves", "muted")),
    )
    nudges = found.nudges[:most]
    fields: list[int] = []
    for digits, which in FITTED:
        shown = [NUDGED[i] for i in which]
        cells = [[cell(nudge, digits, loss) for _, _, cell in shown] for nudge in nudges]
        heads = [head for head, _, _ in shown]
        fields = [1 + max(map(len, column)) for column in zip(heads, *cells, strict=True)]
        if LABEL + sum(fields) <= columns:
            break
    if LABEL + sum(max(field, FIELD) for field in fields) <= columns:
        fields = [max(field, FIELD) for field in fields]
    lines = [heading, _cells("moved", [(head, "muted") for head in heads], fields)]
    for nudge, texts in zip(nudges, cells, strict=True):
        roles = [role or ("good" if nudge.came < 0 else "bad") for _, role, _ in shown]
        lines.append(_cells(nudge.why, list(zip(texts, roles, strict=True)), fields))
    return lines


def _cells(label: str, cells: Sequence[Span], fields: Sequence[int]) -> Line:
    """A row of a table, each cell as wide as its field."""
    role = "muted" if all(look == "muted" for _, look in cells) else "text"
    texts = ((f"{text:>{field}}", look) for (text, look), field in zip(cells, fields, strict=True))
    return line((f"{label:<{LABEL}}", role), *texts)


def turn_lines(found: ParameterDetail, columns: int) -> list[Line]:
    """Whether moving the parameter changes what the first sample is read as, and how far it has to go for that."""
    turn = found.turn
    if turn is None:
        return []
    flips = [f"{nudge.why}: read as {nudge.said}" for nudge in found.nudges if nudge.said != turn.said]
    here = "; ".join(flips) if flips else f"still read as {turn.said} after each"
    if turn.by is not None:
        there = f"alone it takes {format_number(turn.by, sign=True)} to be read as {turn.then}"
    else:
        there = "no move of it alone, to 1,024 either way, changes that" if turn.sought else ""
    return wrap(f"{here}; {there}." if there else f"{here}.", columns, "muted")


# --- who pulls it -----------------------------------------------------------------------------------------


def pull_lines(session: Session, found: ParameterDetail, columns: int) -> list[Line]:
    """Which samples want the parameter larger, and which smaller: how many, and the hardest of each."""
    (name, *heads), *rows = pulled(session, found)
    lines = [_row(name, [(head, "muted") for head in heads], columns)]
    roles = ("text", "backward", "text")
    return lines + [_row(way, list(zip(cells, roles, strict=True)), columns) for way, *cells in rows]


def pulled(session: Session, found: ParameterDetail) -> list[tuple[str, str, str, str]]:
    """The same as a table; the first row is its heads."""
    samples = info(session.data).samples
    rows = [("pulled", "by sample", "hardest", "samples")]
    for way, sign in (("up", -1), ("down", 1)):
        side = [pull for pull in found.pulls if sign * pull.gradient > 0]
        which = str((session.sample + side[0].sample) % samples) if side else ""
        rows.append(
            (way, which, format_number(side[0].gradient, sign=True) if side else "", f"{len(side):,}")
        )
    if found.penalty:
        rows.append(("penalty", "", format_number(found.penalty, sign=True), ""))
    return rows


def _row(label: str, cells: list[Span], columns: int) -> Line:
    """A row of a table; where it is too narrow for all of its cells, the first ones are left out."""
    fitting = cells[-max((columns - LABEL) // FIELD, 1) :]
    return _cells(label, fitting, [FIELD] * len(fitting))
