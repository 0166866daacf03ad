"""Validation of sessions from outside: a state that no key could have produced is refused before it is shown.

Keys only ever produce valid sessions. One that was read from a token or a file holds whatever its types allow, and
is validated here, in one place, so that the app need not check again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce
from operator import attrgetter

from tui_backprop.data.catalogue import check_passage, info
from tui_backprop.data.passage import Passage
from tui_backprop.engine.arrays.types import in_shape
from tui_backprop.engine.frontends.dense.spec import MAX_LAYERS
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.training.memory import check_memory
from tui_backprop.engine.training.optimizer_spec import check_epsilon
from tui_backprop.keys.panel_table import PLACES
from tui_backprop.session import update_log
from tui_backprop.session.session_parts import (
    AMOUNTS,
    AUTOMATIC,
    AXES,
    GRAINS,
    LARGEST_STEP_INDEX,
    MEASURES,
    MOST_KEPT,
    PRECISIONS,
    TEMPERATURES,
    VIEWS,
    ZOOMS,
    Bookmarks,
    GeneratedText,
    Number,
    Text,
)
from tui_backprop.session.state import Session
from tui_backprop.session.update_log import Edit
from tui_backprop.session.walk_steps import steps_of
from tui_backprop.support.errors import InputError
from tui_backprop.support.units import DAY
from tui_backprop.support.validation import one_of, positive_number, quoted

MOST_BOOKMARKS = 100
LAYERS = MAX_LAYERS  # of all networks of a session together; drawing a walk takes time for each
RANKS = 10**6
MOST_TEXTS = 10**6  # that are generated one after the other
DECADES = 0.0, 18.0  # of the chart's cursor
LONGEST_REPLAY = DAY  # of training
CALL, RATE = 1e-5, 1e10  # seconds a layer, multiply-accumulates a second: roughly, of a fast machine


def race_methods() -> tuple[str, ...]:
    """Return the methods that can race backprop."""
    from tui_backprop.cost.race.race import RACE_METHODS

    return RACE_METHODS


# Fields, and the names that are valid.
CHOICES: tuple[tuple[str, Callable[[], Iterable[str]]], ...] = (
    ("walk.grain", lambda: GRAINS),
    ("walk.view", lambda: VIEWS),
    ("cost.axis", lambda: AXES),
    ("cost.precision", lambda: PRECISIONS),
    ("cost.method", race_methods),
    ("inspection.measure", lambda: MEASURES),
    ("amount", lambda: AMOUNTS),
    ("panel", lambda: PLACES),
)

# Fields, and their largest valid number; the smallest is 0. The one that needs numpy comes last.
RANGES: tuple[tuple[str, Callable[[Session], int]], ...] = (
    ("cost.zoom", lambda session: len(ZOOMS) - 1),
    ("cost.step_index", lambda session: LARGEST_STEP_INDEX),
    ("inspection.layer", lambda session: session.network.graph.depth),
    ("inspection.rank", lambda session: RANKS),
    ("bookmarks.cursor", lambda session: max(len(session.bookmarks.items) - 1, 0)),
    ("bookmarks.held", lambda session: len(session.bookmarks.items) - 1),
    ("walk.step", lambda session: len(steps_of(session)) - 1),
)


def check(session: Session) -> None:
    """Raise InputError, naming the field, unless a session (whose types are valid) and its bookmarks can be shown.
    Allocates nothing of the size of the network; refuses a network that does not fit into memory."""
    check_limits(session)
    _check(session)
    for mark in session.bookmarks.items:
        if mark.bookmarks != Bookmarks():
            raise InputError("bookmarks", "a bookmark cannot hold bookmarks of its own")
        _check(mark)


def check_limits(session: Session) -> None:
    """Raise InputError for a session that needs more of a machine than a token may ask for."""
    _within("bookmarks", len(session.bookmarks.items), 0, MOST_BOOKMARKS)
    for each in (session, *session.bookmarks.items):
        if replay_seconds(each) > LONGEST_REPLAY:
            why = f"replaying {each.t:,} iterations would take more than a day"
            raise InputError("update_log", why)
    layers = sum(
        network.graph.depth for network in {each.network for each in (session, *session.bookmarks.items)}
    )
    if layers > LAYERS:
        raise InputError("layers", f"{layers:,} in all networks exceed the limit of {LAYERS:,}")


def _check(session: Session) -> None:
    """Check everything but bookmarks; first what bounds the work of the later checks."""
    for text in (session.network.details, session.network.init):
        if not text.isprintable():
            raise InputError("network", f"{quoted(text)} contains unprintable characters")
    check_epsilon(session.optimizer, session.network.dtype)
    check_memory(session.network, _largest_batch(session), session.optimizer)
    for field, names in CHOICES:
        one_of(field, attrgetter(field)(session), names())
    for field, largest in RANGES:
        value = attrgetter(field)(session)
        if value is not None:
            _within(field, value, 0, largest(session))
    if session.cost.decade is not None and not DECADES[0] <= session.cost.decade <= DECADES[1]:
        raise InputError("cost.decade", f"{session.cost.decade} is out of range (0 to 18)")
    _check_units(session)
    _check_text(session)
    _check_edits(session.network, session.edits)
    _check_update_log(session)
    for field, number in (("number", session.inspection.number), ("pinned", session.inspection.pinned)):
        if number is not None and not exists(session.network, number, parameter=field == "pinned"):
            raise InputError(f"inspection.{field}", f"this network has no {_named(number)}")
    if session.inspection.confusion is not None:
        for each in session.inspection.confusion:
            _within("inspection.confusion", each, 0, info(session.data).classes - 1)


def _largest_batch(session: Session) -> int:
    """Return the samples of the largest batch, of now and of all updates."""
    return max([session.batch, *(run.batch for run in session.update_log)])


def _check_units(session: Session) -> None:
    graph = session.network.graph
    if len(session.walk.units) > len(graph.units):
        raise InputError("walk.units", f"{len(session.walk.units)} for {len(graph.units)} layers or axes")
    unfolded = session.walk.unfolded
    if unfolded != tuple(sorted({*unfolded})):
        raise InputError("walk.unfolded", "its blocks are not in order")
    for block in unfolded:
        _within("walk.unfolded", block, 0, graph.depth)
    for layer, unit in enumerate(session.walk.units):
        _within("walk.units", unit, AUTOMATIC, graph.units[layer] - 1)


def _check_text(session: Session) -> None:
    text = session.text
    if text == GeneratedText():
        return
    _within("text.kept", len(text.kept), 0, MOST_KEPT)
    for each in (text, *text.kept):
        _check_letters(session, each)
    numbers = [each.series for each in text.kept]
    if numbers != sorted({*numbers} - {text.series}) or not all(each.letters for each in text.kept):
        raise InputError("text.kept", "its texts are not in order")
    if text.temperature not in TEMPERATURES:
        raise InputError("text.temperature", f"{text.temperature} is none of the temperatures")


def _check_letters(session: Session, text: Text) -> None:
    check_passage(session.network, session.data, Passage(text.characters, text.letter), 1)
    _within("text.letter", text.letter, min(text.letters, 1), text.letters)
    _within("text.series", text.series, 0, MOST_TEXTS)
    if text.ended and len(text.characters) >= session.network.context:
        raise InputError("text.ended", "a text that fills the context has no end")


def _check_edits(network: Model, edits: tuple[Edit, ...]) -> None:
    for edit in edits:
        if not exists(network, (edit.tensor, edit.index), parameter=True):
            raise InputError(
                "edits", f"{_named((edit.tensor, edit.index))} is not a parameter of this network"
            )
        if not math.isfinite(edit.by):
            raise InputError("edits", f"{_named((edit.tensor, edit.index))} cannot be changed by {edit.by}")


def _check_update_log(session: Session) -> None:
    training = session.split.training
    for run in session.update_log:
        if not training.has(run.sample):
            raise InputError("update_log", f"sample {run.sample} is not one to train on")
        _within("update_log", run.stride, 0, len(training.samples) - 1)
        if run.batch < 1 or run.count < 1:
            raise InputError("update_log", f"invalid run of {run.count} updates with {run.batch} samples")
        if run.passage is not None:
            check_passage(session.network, session.data, run.passage, run.batch)
        positive_number("update_log", run.lr)
        if session.network.with_training_settings(run.settings).training_settings != run.settings:
            raise InputError("update_log", "has settings that this network does not have")
        check_epsilon(run.optimizer, session.network.dtype)
        _check_edits(session.network, run.edits)
    nothing: update_log.UpdateLog = ()
    if (
        reduce(lambda so_far, run: update_log.joined(so_far, run, training), session.update_log, nothing)
        != session.update_log
    ):
        raise InputError("update_log", "runs that continue each other must be one run")


def replay_seconds(session: Session) -> float:
    """Estimate the seconds of training that a replay up to the iteration of a session takes, at the least."""
    return sum(run.count * update_seconds(session.network, run.batch) for run in session.update_log)


def update_seconds(network: Model, batch: int) -> float:
    """Estimate the seconds of an update of a network, at the least."""
    return CALL * network.graph.depth + 3 * network.weights * batch / RATE


def settled(session: Session) -> Session:
    """Return the session without what does not exist in its network and data: a number of another network, a class of
    other data. The screen leaves that out as well."""
    network, classes = session.network, info(session.data).classes
    inspection, items = session.inspection, tuple(map(settled, session.bookmarks.items))
    if inspection.number is not None and not exists(network, inspection.number, parameter=False):
        inspection = replace(inspection, number=None)
    if inspection.pinned is not None and not exists(network, inspection.pinned, parameter=True):
        inspection = replace(inspection, pinned=None)
    if inspection.confusion is not None and max(inspection.confusion) >= classes:
        inspection = replace(inspection, confusion=None)
    if inspection == session.inspection and items == session.bookmarks.items:
        return session
    return replace(session, inspection=inspection, bookmarks=replace(session.bookmarks, items=items))


def exists(network: Model, number: Number, *, parameter: bool) -> bool:
    """Return whether a network has a number of that name, as a parameter or as any value."""
    from tui_backprop.engine.explain.number import shape_of

    (tensor, index), graph = number, network.graph
    shape = graph.parameters.get(tensor) if parameter else shape_of(graph, tensor)
    return shape is not None and in_shape(index, shape)


def _named(number: Number) -> str:
    tensor, index = number
    return quoted(entry_name(tensor, index[:4]))


def _within(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        allowed = f"is out of range ({least} to {most})" if least <= most else "refers to nothing"
        raise InputError(field, f"{quoted(value)} {allowed}")
