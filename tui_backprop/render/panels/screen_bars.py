"""The one-line strips around the panels: status bar, tab bar, key bar."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from tui_backprop.data.catalogue import info
from tui_backprop.keys.panel_table import COST_PAGES, PANEL_ROWS, PANELS
from tui_backprop.keys.table import panel_key
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, Span, cut, first_fitting, line, width
from tui_backprop.render.per_iteration import per_iteration
from tui_backprop.render.session_text import in_part, network_name, sample_text
from tui_backprop.render.view_state import UNKNOWN, Activity, Snapshot
from tui_backprop.session.state import Session
from tui_backprop.support.format import format_number

if TYPE_CHECKING:
    from tui_backprop.engine.network.predictions import Prediction
    from tui_backprop.engine.training.iteration import Iteration


LONG_WORDS_COLUMNS = 100  # columns from which the top line may have the iteration in full
PIECE_GAP = 3  # columns between two pieces of the top line
# Its pieces, and at what length (0: in brief), the most important first. The program's name is shown only where
# nothing is left out but the parameter count, which the network panel has too.
STATUS_PRIORITY = (
    ("bug", 0), ("playing", 0), ("activity", 0), ("predicting", 0), ("sample", 0), ("loss", 0), ("step", 0),
    ("network", 0), ("loss", 1), ("sample", 1), ("network", 1), ("sample", 2), ("step", 1), ("program", 0),
    ("parameters", 0),
)  # fmt: skip


def status(
    session: Session,
    snapshot: Snapshot | None,
    speed: float | None,
    columns: int,
    context: RenderContext,
    activities: Sequence[Activity] = (),
) -> Line:
    """The status bar: as many of its pieces as fit, the most important first, each as long as fits."""
    texts_of = _pieces(session, snapshot, speed, columns >= LONG_WORDS_COLUMNS)
    texts_of["activity"] = [line((", ".join(each.text for each in activities), "update"))] * bool(activities)
    pieces = {name: [context.fit(text) for text in texts] for name, texts in texts_of.items()}
    kept: dict[str, Line] = {}
    room, all_fit = columns - 1 + PIECE_GAP, True
    for name, much in STATUS_PRIORITY:
        if much >= len(pieces[name]) or (name == "program" and not all_fit):
            continue
        piece = pieces[name][much]
        more = width(piece) - width(kept[name]) if name in kept else width(piece) + PIECE_GAP
        if fits := piece != () and more <= room:
            kept[name] = piece
            room -= more
        all_fit &= fits
    spans: list[Span] = []
    for name in pieces:
        if name in kept:
            spans += [(" " * (PIECE_GAP if spans else 1), "text"), *kept[name]]
    return line(*spans)


def _pieces(
    session: Session, snapshot: Snapshot | None, speed: float | None, wide: bool
) -> dict[str, list[Line]]:
    """The pieces of the status bar in their order on the screen, each in brief first, then at length."""
    spec = session.network
    place, loss, change, predicting = "", list[Line](), list[Line](), list[Line]()
    if snapshot is not None:
        place = f", {step_text(snapshot)}"
        veil = snapshot.veil
        known = format_number(snapshot.iteration.loss, 4) if not (veil and veil.loss) else UNKNOWN
        loss = [line(("loss ", "muted"), (known, "loss"))]
        if veil:
            score = f" {veil.earned} of {veil.passed}" if veil.passed else ""
            predicting = [line(("predicting", "update"), (score, "text"))]
        if snapshot.step is snapshot.steps[-1] and not snapshot.hidden and snapshot.iteration.tried:
            change = [line(*loss[0], (f" → {format_number(snapshot.iteration.loss_after, 4)}", "update"))]
    layers = (network_name(spec, 20), "text")
    return {
        "program": [line(("backprop-tui", "title"))],
        "network": [line(layers), line(layers, (f" {cut(spec.details, 20)}".rstrip(), "muted"))],
        "parameters": [
            line((f"{spec.parameters:,}", "text"), (f" parameter{'s' * (spec.parameters != 1)}", "muted"))
        ],
        "sample": sample_lines(session, snapshot),
        "step": [
            line((f"{word} {session.t:,}", "text"), (place, "muted"))
            for word in ("iter", "iteration")[: 1 + wide]
        ],
        "loss": loss + change,
        "bug": [line(("a bug is planted", "bad"))] if spec.has_planted_bug else [],
        "predicting": predicting,
        "playing": [line((f"playing {speed:g}/s", "update"))] if speed else [],
    }


def sample_lines(session: Session, snapshot: Snapshot | None) -> list[Line]:
    """Name the samples, with a wrong prediction for a single one, the shortest line first: sample 3 7→2;
    sample 3: 7, pred. 2; sample 3, a "7", predicted 2."""
    if session.network.holds_numbers:
        return []
    text = sample_text(session, snapshot)
    if session.passage is not None:
        return [line(text)]
    name = f"sample {session.sample}"
    name = in_part(session, name) if session.is_held_out else name
    found = prediction_shown(session, snapshot)
    if found is None or found.correct:
        return [line(name if session.batch == 1 else text), line(text)]
    if found.predicted is None:
        return [line(f"{name} ", (f"{found.label}→?", "bad")), line(f"{text}, ", ("no prediction", "bad"))]
    return [
        line(f"{name} ", (f"{found.label}→{found.predicted}", "bad")),
        line(f"{name}: {found.label}, ", (f"pred. {found.predicted}", "bad")),
        line(f"{text}, ", (f"predicted {found.predicted}", "bad")),
    ]


def step_text(snapshot: Snapshot) -> str:
    """The number of the step, named by its grain where that is not the default: step 3/20, operation 5/35, layer 2/9
    (or whatever a part of the model is called)."""
    grain = snapshot.session.walk.grain
    grain = snapshot.session.network.part if grain == "layer" else grain
    return f"{'step' if grain == 'equation' else grain} {snapshot.step.index}/{len(snapshot.steps) - 1}"


def prediction_shown(session: Session, snapshot: Snapshot | None) -> Prediction | None:
    """The prediction for the sample, where it is a single one with a label."""
    if snapshot is None or session.batch > 1 or not info(session.data).classes:
        return None
    return _prediction(snapshot.iteration)


@per_iteration
def _prediction(iteration: Iteration) -> Prediction:
    from tui_backprop.engine.network.predictions import prediction_of  # numpy: after the first paint

    graph, tensor = iteration.graph, iteration.tensor
    return prediction_of(tensor(graph.output)[0], tensor(graph.target)[0], graph.loss_rule)


def tabs(current: str, columns: int, context: RenderContext, lacks: Collection[str] = ()) -> Line:
    """The tab bar: panels and their keys, which are digits, or F-keys in the network's form, where digits are typed
    into its fields (no F11: most terminal windows take it). In little room, names are short, and of the last panels
    only the digits are left. A panel that needs what the session ``lacks`` is left out, unless it is the current one;
    in the form, one that only a letter opens."""
    current = "cost" if current in COST_PAGES else current
    typing = current == "network"
    of_use = [name for name in PANELS if PANEL_ROWS[name].needs not in lacks or name == current]
    opening = {name: context.text(panel_key(name, context.keys, typing=typing)) for name in of_use}
    panels = {name: key for name, key in opening.items() if key}

    def cells(named: int, short: bool = True) -> Line:
        spans: list[Span] = []
        for i, (name, key) in enumerate(panels.items()):
            word = PANEL_ROWS[name].short or name if short else name
            if name == current:
                spans += [(" ", "text"), (f" {key} {word} ", "cursor")]
            elif i < named:
                spans += [(f" {key}", "key"), (f" {word}", "muted")]
            elif not typing:
                spans += [(f" {key}", "key")]
        return line(*spans)

    every = len(panels)
    return first_fitting(columns, cells(every, short=False), *(cells(n) for n in range(every, -1, -1)))


def key_bar(
    pairs: Sequence[tuple[str, str]],
    pinned: Sequence[tuple[str, str]],
    columns: int,
    context: RenderContext,
    notice: str = "",
) -> Line:
    """The key bar: keys with their words, as many as fit, and at the end those ``pinned``; the last two of them (help
    and quit) always fit. A ``notice`` replaces those before them."""
    pairs, tail = ([(context.text(key), word) for key, word in each] for each in (pairs, pinned))

    def cost(pair: tuple[str, str]) -> int:
        return len(pair[0]) + len(pair[1]) + 3

    while len(tail) > 2 and sum(map(cost, tail)) > columns - 1:
        tail = tail[1:]
    room = columns - 1 - sum(map(cost, tail))
    kept = []
    for pair in pairs:
        if cost(pair) > room:
            break
        kept.append(pair)
        room -= cost(pair)
    between: Line = ()
    if notice:
        words, gap = f" {context.text(notice)} ", 0
        while kept and gap < len(words) + 2:
            gap += cost(kept.pop())
        while len(tail) > 2 and gap + room < len(words) + 2:
            gap += cost(tail[0])
            tail = tail[1:]
        words = cut(words, gap + room - 2)
        between = line((words, "field"), (" " * max(gap - len(words), 2), "text"))

    def named(pairs: Sequence[tuple[str, str]]) -> list[Span]:
        return [span for key, word in pairs for span in ((key, "key"), (f" {word}  ", "muted"))]

    return context.fit(line((" ", "text"), *named(kept), *between, *named(tail)))
