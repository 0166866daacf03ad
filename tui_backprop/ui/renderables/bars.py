"""The one-line strips around the panels: what is shown, which panel, which keys."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.data.catalogue import info
from tui_backprop.session import COST_PAGES, PANELS, Session
from tui_backprop.ui.moment import Moment
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.numbers import number
from tui_backprop.ui.renderables.spans import Line, Span, cut, line, width

WIDE = 100  # columns from which the top line also says what the sample is read as


def layers_text(layers: tuple[int, ...], columns: int) -> str:
    """784·256·256·256·10; equal neighbours folded where that is too long: 2·3×10·2."""
    text = "·".join(map(str, layers))
    if len(text) <= columns:
        return text
    folded: list[tuple[int, int]] = []
    for n in layers:
        if folded and folded[-1][0] == n:
            folded[-1] = (n, folded[-1][1] + 1)
        else:
            folded.append((n, 1))
    return "·".join(str(n) if times == 1 else f"{n}×{times}" for n, times in folded)


def status(
    session: Session, moment: Moment | None, speed: float | None, columns: int, glyphs: Glyphs
) -> Line:
    """The top line, most telling pieces first; those that do not fit are left out."""
    spec = session.network
    pieces: list[Sequence[Span]] = [
        [("backprop-tui", "title")],
        [(layers_text(spec.layers, 20), "text"), (f" {cut(spec.activation, 20)}", "muted")],
        [(f"{spec.parameters:,}", "text"), (" parameters", "muted")],
        [
            (sample_text(session, moment), "text"),
            (misread(session, moment) if columns >= WIDE else "", "bad"),
        ],
    ]
    last: list[Span] = []
    if moment is not None:
        change = (
            f" {glyphs.on} {number(moment.taken.loss_after, 4)}" if moment.step is moment.steps[-1] else ""
        )
        last = [("loss ", "muted"), (number(moment.taken.loss, 4), "loss"), (change, "update")]
    place = "" if moment is None else f" · {step_text(moment)}"
    word = "iteration" if columns >= WIDE else "iter"
    second = [(f"{word} {session.iteration:,}", "text"), (place, "muted")]
    playing = [(f"playing {speed:g}/s", "update")] if speed else []
    order = [pieces[0], last, second, pieces[3], pieces[1], pieces[2], playing]
    kept = []
    room = columns - 2
    for piece in order if not playing else [order[0], playing, *order[1:-1]]:
        if piece and width(tuple(piece)) + 3 <= room + (3 if piece is order[0] else 0):
            kept.append(id(piece))
            room -= width(tuple(piece)) + 3
    shown = [
        p for p in (pieces[0], pieces[1], pieces[2], pieces[3], second, last, playing) if id(p) in kept and p
    ]
    spans: list[Span] = [(" ", "text")]
    for i, piece in enumerate(shown):
        spans += [("   ", "text")] if i else []
        spans += piece
    return glyphs.fit(line(*spans))


def step_text(moment: Moment) -> str:
    """Which step, by its grain where that is not the usual one: step 3/20, operation 5/35."""
    grain = moment.session.grain
    return f"{'step' if grain == 'equation' else grain} {moment.step.index}/{len(moment.steps) - 1}"


def misread(session: Session, moment: Moment | None) -> str:
    """What the network takes the sample for, where that is wrong."""
    if moment is None or session.batch > 1 or session.network.loss != "cross-entropy":
        return ""
    from tui_backprop.engine.reading import read_as  # numpy: after the first paint

    said = read_as(moment.taken.tensor(f"z{session.network.depth}"), session.network.loss)[0]
    return f" read as {said}" if said != moment.taken.tensor("t")[0] else ""


def sample_text(session: Session, moment: Moment | None) -> str:
    """Which samples: digits 0, a "1"; or xor 0 and 3 more."""
    if session.batch > 1:
        return f"{session.data} {session.sample} and {session.batch - 1:,} more"
    label = ""
    if moment is not None and info(session.data).image and session.network.loss == "cross-entropy":
        label = f', a "{moment.taken.tensor("t")[0]}"'
    return f"{session.data} {session.sample}{label}"


SHORT = {"network": "net", "number": "num"}  # panels, where there is not room for all names


def tabs(current: str, columns: int, glyphs: Glyphs) -> Line:
    """The panels and their keys; where there is little room, only the current one has its name."""

    current = "cost" if current in COST_PAGES else current

    def cells(names: dict[str, str]) -> list[Span]:
        spans: list[Span] = []
        for i, name in enumerate(PANELS, 1):
            key, word = str(i % 10), names[name]
            if name == current:
                spans += [(" ", "text"), (f" {key} {word} ", "cursor")]
            else:
                spans += [(f" {key}", "key"), (f" {word}" if word else "", "muted")]
        return spans

    names = (
        {name: name for name in PANELS},
        {name: SHORT.get(name, name) for name in PANELS},
        {name: name if name == current else "" for name in PANELS},
    )
    fitting = (row for each in names if width(row := line(*cells(each))) <= columns)
    return glyphs.fit(next(fitting, line(*cells(names[-1]))))


def key_bar(pairs: Sequence[tuple[str, str]], columns: int, glyphs: Glyphs) -> Line:
    """Keys and what they do, as many as fit; the last two (help and quit) always do."""

    pairs = [(glyphs.text(key), word) for key, word in pairs]

    def cost(pair: tuple[str, str]) -> int:
        return len(pair[0]) + len(pair[1]) + 3

    tail = list(pairs[-2:])
    room = columns - 1 - sum(map(cost, tail))
    kept = []
    for pair in pairs[:-2]:
        if cost(pair) > room:
            break
        kept.append(pair)
        room -= cost(pair)
    spans: list[Span] = [(" ", "text")]
    for key, word in [*kept, *tail]:
        spans += [(key, "key"), (f" {word}  ", "muted")]
    return glyphs.fit(line(*spans))
