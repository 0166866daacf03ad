"""What ``blame`` prints: the ranking of all parameters and the detail of the first, as text or as an object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from math import prod
from typing import Any

import msgspec

from tui_backprop.data.catalogue import info
from tui_backprop.engine.analysis.parameter_detail import ParameterDetail
from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.number_titles import description_of, title_lines
from tui_backprop.render.draw.spans import Line, plain
from tui_backprop.render.panels.blame import (
    RANKING_COLUMNS,
    measure_words,
    prediction_lines,
    ranking_notes,
    ranking_table,
)
from tui_backprop.render.panels.nudge_table import NUDGE_COLUMNS, flip_sentence, nudge_lines
from tui_backprop.render.panels.parameter_path import path_factors, path_lines, way_lines
from tui_backprop.render.panels.sample_pulls import pull_lines, pull_table
from tui_backprop.render.session_text import sample_text
from tui_backprop.render.view_state import BlameState
from tui_backprop.report.place import data_text, place_text, samples_dict, split_rows
from tui_backprop.report.rows import (
    BLANK,
    ENDLESS,
    Column,
    Drawing,
    Fact,
    Forms,
    Row,
    Sentence,
    Table,
    text_of,
)
from tui_backprop.report.trace import reason_of
from tui_backprop.session.state import Session
from tui_backprop.support.format import counted, format_number

WIDE = 78  # columns of the text
MOVED = {"update": "as in the next update"}  # spoken names of nudges
NUDGE_HEADS = (
    "predicted change in the loss",
    "actual change in the loss",
    "loss afterward",
)  # the NUDGE_COLUMNS after ``by``


def blame_text(blame_state: BlameState, context: RenderContext) -> str:
    """The ranking, and for the parameter under the cursor its path, what nudging it does, and who pulls it."""
    return text_of(_rows(blame_state, context), context, WIDE)


def _rows(blame_state: BlameState, context: RenderContext) -> Iterator[Row]:
    session, found = blame_state.session, blame_state.detail
    yield Forms(spoken=tuple(_about(blame_state)))
    place = place_text(session)
    if place or session.validation:
        samples = f"{sample_text(session, None)}{place}".removeprefix(", ")
        yield Forms(written=(Sentence(samples),))
    yield from split_rows(session)
    yield from _sentences(prediction_lines(session, blame_state.iteration, ENDLESS))
    yield from _sentences(measure_words(session, ENDLESS, context))
    if blame_state.ranked is not None and blame_state.ranked.words:
        yield Sentence(blame_state.ranked.words)
    if blame_state.iteration.bad:
        yield Sentence(blame_state.iteration.bad.why)
    if not blame_state.ranked or found is None:
        return
    graph, ranked = blame_state.iteration.graph, blame_state.ranked
    yield from _sentences(ranking_notes(graph, ranked, ENDLESS, context, session.inspection.layer))
    yield Forms(
        written=(
            BLANK,
            Drawing(tuple(ranking_table(blame_state, WIDE, len(blame_state.ranked) + 1, context))),
            BLANK,
        ),
        spoken=tuple(_ranking(blame_state)),
    )
    yield Forms(
        written=(Drawing(tuple(_drawn(blame_state, found, context))),),
        spoken=(*_path(blame_state, found), *_nudges(blame_state, found)),
    )
    if found.flips is not None:
        yield Sentence(flip_sentence(found, names=info(session.data).token_labels))
    if blame_state.iteration.batch > 1:
        yield Forms(
            written=(BLANK, Drawing(tuple(pull_lines(session, found, WIDE)))),
            spoken=(_pulls(blame_state, found),),
        )


def _sentences(lines: Sequence[Line]) -> Iterator[Sentence]:
    """Each line of a panel that has room for it as a sentence."""
    return (Sentence(plain(line)) for line in lines)


def _drawn(blame_state: BlameState, found: ParameterDetail, context: RenderContext) -> Iterator[Line]:
    """Draw the detail of the first parameter as on the panel: its path, and the table of nudges."""
    session, iteration = blame_state.session, blame_state.iteration
    attribution, several = found.attribution, iteration.batch > 1
    yield from title_lines(session, iteration, attribution.tensor, attribution.index, WIDE, context)
    yield from path_lines(session, found, WIDE, len(found.path) + 3, several=several, context=context)
    yield from way_lines(session, iteration, found, WIDE, context)
    yield ()
    yield from nudge_lines(found, WIDE)


# --- spoken -----------------------------------------------------------------------------------------------


def _about(blame_state: BlameState) -> Iterator[Fact]:
    """Which network and data."""
    session, iteration = blame_state.session, blame_state.iteration
    spec = session.network
    yield Fact("network", f"{spec.title}, {counted(spec.parameters, 'parameter')}")
    yield Fact(
        "data", f"{data_text(session, sample_text(session, None))}, loss {format_number(iteration.loss, 4)}"
    )


def _ranking(blame_state: BlameState) -> Iterator[Row]:
    shown = RANKING_COLUMNS[blame_state.session.inspection.measure]
    heads = (Column(""), *(Column(column.head) for column in shown))
    for rank, attribution in enumerate(blame_state.ranked or (), 1):
        name = entry_name(attribution.tensor, attribution.index)
        yield Fact(f"rank {rank}", name)
        yield Table(heads, ((name, *(column.text(attribution) for column in shown)),))


def _path(blame_state: BlameState, found: ParameterDetail) -> Iterator[Row]:
    """The path of largest influence, factor by factor."""
    session, several = blame_state.session, blame_state.iteration.batch > 1
    tensor, index = found.attribution.tensor, found.attribution.index
    yield Fact(entry_name(tensor, index), description_of(session, blame_state.iteration, tensor, index))
    if found.missing:
        yield Fact("path of largest influence", found.missing.why)
        return
    if len(found.paths) > 1:
        yield from _paths(found)
        return
    head, *_, (_, *product) = path_lines(session, found, ENDLESS, len(found.path) + 3, several)
    yield Fact("path of largest influence", plain(head))
    yield from (
        Fact(f"factor {label}", format_number(factor, sign=True)) for label, factor in path_factors(found)
    )
    yield Fact("product", plain(tuple(product)))


def _paths(found: ParameterDetail) -> Iterator[Row]:
    """All paths, each with its route, its factors and its product."""
    yield Fact("paths to the loss", str(len(found.paths)))
    for n, path in enumerate(found.paths, 1):
        yield Fact(f"path {n}", " to ".join([found.attribution.tensor, *(step.value for step in path)]))
        yield from (
            Fact(f"factor {step.formula}", format_number(step.factor, sign=True))
            for step in path
            if step.formula != "1"
        )
        yield Fact("product", format_number(prod(step.factor for step in path), sign=True))
    yield Fact("their sum", format_number(found.attribution.gradient, sign=True))


def _nudges(blame_state: BlameState, found: ParameterDetail) -> Iterator[Row]:
    """Describe how the loss changes with the parameter."""
    loss = found.base_loss
    name = entry_name(found.attribution.tensor, found.attribution.index)
    yield Fact("the loss in double precision", format_number(loss, 4))
    for nudge in found.nudges:
        by, *changes = [cell(nudge, 3, loss) for _, _, cell in NUDGE_COLUMNS]
        moved = f"{name} moved {MOVED.get(nudge.name, nudge.name)}"
        yield Fact(moved, f"by {by}")
        yield Table(tuple(map(Column, ("", *NUDGE_HEADS))), ((moved, *changes),))


def _pulls(blame_state: BlameState, found: ParameterDetail) -> Table:
    """Which samples pull the parameter up, and which down."""
    heads, *rows = pull_table(blame_state.session, found)
    return Table(tuple(map(Column, heads)), tuple((f"pull {side}", *cells) for side, *cells in rows))


def blame_dict(blame_state: BlameState) -> dict[str, Any]:
    """What ``blame --json`` prints; path, nudges, flips and sample gradients are of the
    first parameter; losses of nudges, from ``base_loss`` on, and flips are in double precision."""
    session: Session = blame_state.session
    detail: dict[str, Any] | None = None
    if blame_state.detail:
        detail = msgspec.to_builtins(blame_state.detail)
        for step in (*detail["path"], *chain.from_iterable(detail["paths"])):
            step["value"], step["formula"] = ascii_formula(step["value"]), ascii_formula(step["formula"])
    attributions: list[dict[str, Any]] = [msgspec.to_builtins(each) for each in blame_state.ranked or ()]
    for attribution in attributions:
        attribution["tensor"] = ascii_formula(attribution["tensor"])
    return {
        "iteration": session.t,
        **samples_dict(session),
        "measure": session.inspection.measure,
        "layer": session.inspection.layer or None,
        "loss": blame_state.iteration.loss,
        "reason": reason_of(blame_state.iteration),
        "ranking": attributions,
        "unranked": blame_state.ranked.unranked if blame_state.ranked is not None else 0,
        "path": detail["path"] if detail else [],
        "paths": detail["paths"] if detail else [],
        "path_ties": detail["path_ties"] if detail else 0,
        "nudges": detail["nudges"] if detail else [],
        "base_loss": detail["base_loss"] if detail else None,
        "flips": detail["flips"] if detail else None,
        "sample_gradients": detail["sample_gradients"] if detail else [],
        "penalty": detail["penalty"] if detail else 0.0,
    }
