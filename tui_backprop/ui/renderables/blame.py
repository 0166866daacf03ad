"""The blame panel: the ranking of all parameters, and what stands behind the one under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from math import prod

import numpy as np

from tui_backprop.data.catalogue import info
from tui_backprop.engine.blame import MEASURES, Culprit
from tui_backprop.engine.case import Case
from tui_backprop.engine.iteration import Pass
from tui_backprop.engine.reading import class_of, read_as
from tui_backprop.session import ALL_LAYERS, Session
from tui_backprop.ui.moment import Accusation
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.names import what_it_is
from tui_backprop.ui.renderables.numbers import MINUS, number
from tui_backprop.ui.renderables.spans import Line, Span, beside, clip, cut, line, pad, wrap

SIDE_BY_SIDE, LIST_COLUMNS = 70, 38  # from so many columns on, the list stands beside the case
FEWEST, TEN, TALL = 4, 10, 30  # parameters in the list at least, and in a panel of so many rows
FIELD, LABEL = 10, 7  # columns of a number, and of what stands before it
ROOMY = 20  # rows of a case, from which nothing is left out
TIGHT = 18  # rows of the panel, below which the measure is not explained
MANY = 5  # parameters of one unit that are worth a word
LEAST_PATH = 4  # rows of a path: heading, factors, result, and what it is part of
SHORT = {"gradient": "gradient", "update": "update", "weight x gradient": "w×dW"}


def blame_panel(accusation: Accusation, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """At most ``rows`` lines: who was called what, the measure and the layers to choose from, ranking and case."""
    session, taken = accusation.session, accusation.taken
    head = [*called(session, taken), *choices(session, columns), ()]
    if rows < TIGHT:
        head = head[:3]
    if accusation.ranked is None:
        return [*head, line((f"ranking {session.network.parameters:,} parameters …", "muted"))][:rows]
    if accusation.chosen is None:
        return [*head, *wrap("Every one of them has score 0: none is to blame.", columns, "muted")][:rows]
    if rows >= TIGHT:
        head = [*head[:-1], *together(accusation.ranked, columns), ()]
    left = rows - len(head)
    if columns >= SIDE_BY_SIDE:
        right = _case(accusation, columns - LIST_COLUMNS - 3, left)
        lower = beside(ranked(accusation, LIST_COLUMNS, left, glyphs), right, LIST_COLUMNS + 1)
    else:
        fewest = FEWEST if rows < TALL else min(TEN, len(accusation.ranked))
        below = _case(accusation, columns, left - fewest - 2)
        above = ranked(accusation, columns, max(left - len(below) - 1, fewest + 1), glyphs)
        lower = [*above, (), *below]
    return [*head, *lower][:rows]


def called(session: Session, taken: Pass) -> list[Line]:
    """What the network makes of the first sample, where it tells classes apart."""
    about = info(session.data)
    if not about.classes or session.network.layers[-1] != about.classes:
        return [line(("loss ", "muted"), (number(taken.loss, 4), "loss"))]
    right = class_of(np.asarray(taken.tensor("t")[0]))
    said = int(read_as(taken.tensor(f"a{session.network.depth}")[:1], session.network.loss)[0])
    names = '"{}"' if about.image else "class {}"
    verdict: list[Span] = [("a " if about.image else "", "text"), (names.format(right), "strong")]
    verdict += [(", read as ", "text"), (names.format(said), "good" if said == right else "bad")]
    verdict += [(": right" if said == right else ": wrong", "good" if said == right else "bad")]
    if session.batch > 1:
        verdict.append((f", 1st of {session.batch:,}", "muted"))
    return [line(*verdict)]


def choices(session: Session, columns: int) -> list[Line]:
    """The measure and the layers, what is chosen standing out."""
    row = MEASURES[session.measure]
    depth, accused = session.network.depth, session.accused
    each = [ALL_LAYERS, *range(1, depth + 1)]
    while len("layer    all ") + sum(len(str(k)) + 1 for k in each[1:]) > columns and len(each) > 3:
        each = [k for k in each if k in (ALL_LAYERS, accused) or abs(k - max(accused, 1)) < len(each) // 3]
    layers = [((" all" if k == ALL_LAYERS else f" {k}"), "strong" if k == accused else "faint") for k in each]
    names = [(f" {SHORT[name]}", "strong" if name == session.measure else "faint") for name in MEASURES]
    return [
        line(("layer   ", "muted"), *layers),
        line(("measure ", "muted"), *names),
        *wrap(f"{row.formula}: {row.about}", columns, "muted"),
    ]


def together(culprits: Sequence[Culprit], columns: int) -> list[Line]:
    """Where the first ones all lead to one unit: they share its derivative, and are not so many causes."""
    unit = culprits[0].tensor[1:], culprits[0].index[-1]
    same = list(takewhile(lambda each: (each.tensor[1:], each.index[-1]) == unit, culprits))
    if len(same) < MANY:
        return []
    many = "all of these" if len(same) == len(culprits) else f"the first {len(same)}"
    layer, at = unit
    return wrap(f"{many} lead to one unit, {at} of layer {layer}: all take its δ", columns, "muted")


def ranked(accusation: Accusation, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """The head of a table, and as many parameters as fit, the one under the cursor among them."""
    culprits, at, chosen = accusation.ranked or (), accusation.rank, accusation.chosen
    if not culprits:
        return wrap("Every one of them has score 0.", columns, "muted")
    fitting = max(min(rows - 1, len(culprits)), 1)
    # By pages: fewer lines change than in scrolling.
    first = min(at // fitting * fitting, len(culprits) - fitting)
    name_wide = max(max(len(_name(c)) for c in culprits[first : first + fitting]), len("parameter"))
    valued = FIELD if 4 + name_wide + 2 * FIELD <= columns else 0  # columns for the value
    bar = columns - 4 - name_wide - valued - FIELD
    head = f"    {'parameter':<{name_wide}}{'value' if valued else '':>{valued}}{'gradient':>{FIELD}}"
    lines = [line((head, "muted"))]
    for i, culprit in enumerate(culprits[first : first + fitting], first):
        here = culprit == chosen
        share = culprit.score / (culprits[0].score or 1)
        full = f" {glyphs.done * max(round(share * (bar - 1)), 1)}" if bar > 2 else ""
        lines.append(
            line(
                (f"{i + 1:>3} ", "muted"),
                (f"{_name(culprit):<{name_wide}}", "cursor" if here else "text"),
                (f"{number(culprit.value, sign=True):>{FIELD}}" if valued else "", "text"),
                (f"{number(culprit.gradient, sign=True):>{FIELD}}", "backward"),
                (full, "strong" if here else "faint"),
            )
        )
    return lines


def _name(culprit: Culprit) -> str:
    return f"{culprit.tensor}[{','.join(map(str, culprit.index))}]"


def _case(accusation: Accusation, columns: int, rows: int) -> list[Line]:
    """The case of the parameter under the cursor; while that is looked into, the one before it stays, and says so."""
    session, taken, found = accusation.session, accusation.taken, accusation.case
    if found is None:
        return [line(("nudging it …", "muted"))]
    top = where(session, found.culprit)
    if found.culprit != accusation.chosen:
        top = [line(*clip(top[0], columns - 2), (" …", "muted"))]
    pulled = pull_lines(session, found, columns) if taken.batch > 1 else []
    nudged = nudge_lines(found, columns, 3 if rows < ROOMY else 4)
    turned = turn_lines(found, columns)
    if len(top) + len(nudged) + len(turned) <= rows:
        nudged += turned
    room = rows - len(top) - len(nudged) - len(pulled) - (2 if pulled else 1)
    if room < LEAST_PATH:
        return [*top, *nudged, *pulled][:rows]
    path = path_lines(session, found, columns, room, several=taken.batch > 1)
    parts = [[*top, *path], nudged, pulled]
    lines: list[Line] = []
    for part in filter(None, parts):
        lines += [(), *part] if lines else part
    return lines


def where(session: Session, culprit: Culprit) -> list[Line]:
    """A parameter's name, and what it connects."""
    return [
        line((_name(culprit), "strong"), (f"  {what_it_is(session, culprit.tensor, culprit.index)}", "muted"))
    ]


def path_lines(session: Session, found: Case, columns: int, rows: int, several: bool) -> list[Line]:
    """The factors of the path of largest influence; those of 1 are left out, and the middle where they are many."""
    hops = [hop for hop in found.path if hop.why != "1"]
    sample = (session.sample + found.sample) % info(session.data).samples
    words = f"strongest path, sample {sample}" if several else "the strongest path to the loss"
    lines = [line((cut(words, columns), "muted"))]
    shown = max(rows - 3, 1)
    factors = [(cut(hop.why, 22), hop.factor) for hop in hops]
    if len(factors) > shown:
        front, back = shown // 2, len(factors) - max((shown - 1) // 2, 0)
        middle = [factor for _, factor in factors[front:back]]
        factors[front:back] = [(f"{len(middle)} factors", prod(middle))]
    lines += [
        _term("×" if i else " ", (label, "text"), factor, "text", columns)
        for i, (label, factor) in enumerate(factors)
    ]
    pull = found.pulls[0].gradient if several else found.culprit.gradient
    share = f", {found.along / pull:.1%} of" if pull and np.isfinite(found.along / pull) else ""
    return [
        *lines,
        _term("=", (f"this path{share.replace('-', MINUS)}", "muted"), found.along, "text", columns),
        _term(" ", ("all paths together", "muted"), pull, "backward", columns),
    ]


def _term(sign: str, label: Span, value: float, role: str, columns: int) -> Line:
    """A line of the product: a factor, or what they come to."""
    text = f"{number(value, sign=True):>{FIELD}}"
    return line((f"{sign} ", "muted"), *pad(line(label), min(columns - 12, 24)), (text, role))


def nudge_lines(found: Case, columns: int, most: int) -> list[Line]:
    """What moving the parameter does to the loss: as its gradient predicts, and as it came."""
    heads = [("by", "muted"), ("predicted", "muted"), ("really", "muted")]
    rows = [
        _row(
            nudge.why,
            [
                (number(nudge.by, sign=True), "text"),
                (number(nudge.predicted, sign=True), "muted"),
                (number(nudge.came, sign=True), "good" if nudge.came < 0 else "bad"),
            ],
            columns,
        )
        for nudge in found.nudges[:most]
    ]
    above = [line((cut("if it moves, the loss changes by", columns), "muted"))] if most > 3 else []
    return [*above, _row("moved", heads, columns), *rows]


def turn_lines(found: Case, columns: int) -> list[Line]:
    """Whether moving the parameter changes what the first sample is read as, and how far it has to go for that."""
    turn = found.turn
    if turn is None:
        return []
    flips = [f"{nudge.why}: read as {nudge.said}" for nudge in found.nudges if nudge.said != turn.said]
    here = "; ".join(flips) if flips else f"still read as {turn.said} after each"
    if turn.by is not None:
        there = f"alone it takes {number(turn.by, sign=True)} to be read as {turn.then}"
    else:
        there = "no move of it alone (to ±1,024) changes that" if turn.sought else ""
    return wrap(f"{here}; {there}." if there else f"{here}.", columns, "muted")


def pull_lines(session: Session, found: Case, columns: int) -> list[Line]:
    """Which samples want the parameter larger, and which smaller: how many, and the hardest of each."""
    samples = info(session.data).samples
    lines = [_row("pulled", [("by sample", "muted"), ("hardest", "muted"), ("samples", "muted")], columns)]
    for way, sign in (("up", -1), ("down", 1)):
        side = [pull for pull in found.pulls if sign * pull.gradient > 0]
        cells = [("", "text"), ("", "text"), (f"{len(side):,}", "text")]
        if side:
            cells[0] = str((session.sample + side[0].sample) % samples), "text"
            cells[1] = number(side[0].gradient, sign=True), "backward"
        lines.append(_row(way, cells, columns))
    if found.penalty:
        cells = [("", "text"), (number(found.penalty, sign=True), "backward"), ("", "text")]
        lines.append(_row("penalty", cells, columns))
    return lines


def _row(label: str, cells: list[Span], columns: int) -> Line:
    """A row of a table; where it is too narrow for all of its cells, the first ones are left out."""
    role = "muted" if all(look == "muted" for _, look in cells) else "text"
    fitting = cells[-max((columns - LABEL) // FIELD, 1) :]
    return line((f"{label:<{LABEL}}", role), *((f"{text:>{FIELD}}", look) for text, look in fitting))
