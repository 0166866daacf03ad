"""Whether a session from outside can be shown: what no key could have made is refused before it is.

Keys keep a Session sound by themselves. One that was read, from a token or a file, holds whatever its types allow,
and has to pass here: all of it in one place, so that the app need not look again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce
from typing import Any

from tui_backprop.data.catalogue import info
from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.engine.training.memory import check_memory
from tui_backprop.session import update_log as way
from tui_backprop.session.state import (
    AUTOMATIC,
    AXES,
    GRAINS,
    MEASURES,
    NOTCHES,
    PLACES,
    PRECISIONS,
    VIEWS,
    ZOOMS,
    Session,
    samples_of,
)
from tui_backprop.session.update_log import Edit, UpdateRun
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import one_of, positive, quoted

MARKS = 100  # bookmarks
LAYERS = 1_000  # of all its networks together; drawing a walk takes time for each
RANKS = 10**6
DECADES = 0.0, 18.0  # of the chart's cursor
DAY = 86_400.0  # seconds of training that coming back to an iteration may take
CALL, RATE = 1e-5, 1e10  # seconds a layer, multiply-accumulates a second: roughly, of a fast machine

Number = tuple[str, tuple[int, ...]]  # the name of a tensor, and a place in it


def racers() -> tuple[str, ...]:
    from tui_backprop.cost.race.race import RACERS

    return RACERS


def steps(session: Session) -> int:
    """How many steps the walk of a session has."""
    from tui_backprop.engine.explain.walk import walk

    return len(walk(session.network, session.batch, session.optimizer, session.grain))


# Field, and the names that it may have.
CHOICES: tuple[tuple[str, Callable[[], Iterable[str]]], ...] = (
    ("grain", lambda: GRAINS),
    ("view", lambda: VIEWS),
    ("axis", lambda: AXES),
    ("precision", lambda: PRECISIONS),
    ("measure", lambda: MEASURES),
    ("racer", racers),
    ("panel", lambda: PLACES),
)

# Field, and the largest number that it may be; the smallest is 0. The one that needs numpy comes last.
RANGES: tuple[tuple[str, Callable[[Session], int]], ...] = (
    ("zoom", lambda session: len(ZOOMS) - 1),
    ("notch", lambda session: NOTCHES),
    ("accused", lambda session: session.network.depth),
    ("rank", lambda session: RANKS),
    ("marked", lambda session: max(len(session.marks) - 1, 0)),
    ("held", lambda session: len(session.marks) - 1),
    ("step", lambda session: steps(session) - 1),
)


def check(session: Session) -> None:
    """Raise InputError, naming the field, unless a session (whose types are right) can be shown as it is, and so can
    its bookmarks. Takes nothing of the size of the network; refuses one that does not fit into memory."""
    check_limits(session)
    _check(session)
    for mark in session.marks:
        if mark.marks or mark.marked or mark.held is not None:
            raise InputError("marks", "a bookmark has bookmarks of its own; it has none")
        _check(mark)


def check_limits(session: Session) -> None:
    """Raise InputError for a session of more than a token may ask of another machine."""
    _within("marks", len(session.marks), 0, MARKS)
    for each in (session, *session.marks):
        check_size(each.network)
        if replay_seconds(each) > DAY:
            why = f"{each.t:,} iterations would take more than a day to be done again"
            raise InputError("history", why)
    layers = sum(network.depth for network in {each.network for each in (session, *session.marks)})
    if layers > LAYERS:
        raise InputError("layers", f"{layers:,} in all its networks are too many; {LAYERS:,} is the most")


def check_size(network: NetworkSpec) -> None:
    """Raise InputError for more layers than a session from outside may have."""
    if network.depth > LAYERS:
        raise InputError("layers", f"{network.depth:,} are too many; {LAYERS:,} is the most")


def _check(session: Session) -> None:
    """All of it but bookmarks: first what bounds the work of what comes after."""
    for text in (session.network.activation, session.network.init):
        if not text.isprintable():
            raise InputError("network", f"{quoted(text)} has characters that cannot be shown")
    check_memory(session.network, _most(session), session.optimizer)
    for field, names in CHOICES:
        one_of(field, getattr(session, field), names())
    for field, most in RANGES:
        value = getattr(session, field)
        if value is not None:
            _within(field, value, 0, most(session))
    if session.decade is not None and not DECADES[0] <= session.decade <= DECADES[1]:
        raise InputError("decade", f"{session.decade} is none of the chart's; they go from 0 to 18")
    _check_units(session)
    _check_fixes(session.network, session.edits)
    _check_history(session)
    for field, number in (("asked", session.asked), ("pinned", session.pinned)):
        if number is not None and not exists(session.network, number, parameter=field == "pinned"):
            raise InputError(field, f"{_named(number)} is no number of this network")
    if session.sought is not None:
        for each in session.sought:
            _within("sought", each, 0, info(session.data).classes - 1)


def _most(session: Session) -> int:
    """Samples in the largest batch, now or before."""
    return max([session.batch, *(run.batch for run in session.history)])


def _check_units(session: Session) -> None:
    layers = session.network.layers
    if len(session.units) > len(layers):
        raise InputError("units", f"{len(session.units)} are too many; there are {len(layers)} layers")
    for unit, width in zip(session.units, layers, strict=False):
        _within("units", unit, AUTOMATIC, width - 1)


def _check_fixes(network: NetworkSpec, edits: tuple[Edit, ...]) -> None:
    for fix in edits:
        if not exists(network, (fix.tensor, fix.index), parameter=True):
            raise InputError("edits", f"{_named((fix.tensor, fix.index))} is no parameter of this network")
        if not math.isfinite(fix.by):
            raise InputError("edits", f"{_named((fix.tensor, fix.index))} cannot be moved by {fix.by}")


def _check_history(session: Session) -> None:
    samples = samples_of(session)
    for run in session.history:
        _within("history", run.sample, 0, samples - 1)
        _within("history", run.stride, 0, samples - 1)
        if run.batch < 1 or run.count < 1:
            raise InputError("history", f"{run.count} updates with {run.batch} samples are none")
        positive("history", run.lr)
        _check_fixes(session.network, run.edits)
    nothing: way.UpdateLog = ()
    if (
        reduce(lambda so_far, run: way.joined(so_far, run, samples), session.history, nothing)
        != session.history
    ):
        raise InputError("history", "updates that go on as those before them do are one run of updates")


def replay_seconds(session: Session) -> float:
    """About how many seconds of training it takes to come to a session's iteration again, at the least."""

    def each(run: UpdateRun) -> float:
        return CALL * session.network.depth + 3 * session.network.weights * run.batch / RATE

    return sum(run.count * each(run) for run in session.history)


def settled(session: Session) -> Session:
    """The session without what names nothing in its network and data: a number asked for in another network, a class
    of other data. The screen leaves it out as well."""
    network, classes = session.network, info(session.data).classes
    gone: dict[str, Any] = {}
    for field, number in (("asked", session.asked), ("pinned", session.pinned)):
        if number is not None and not exists(network, number, parameter=field == "pinned"):
            gone[field] = None
    if session.sought is not None and max(session.sought) >= classes:
        gone["sought"] = None
    marks = tuple(map(settled, session.marks))
    return replace(session, marks=marks, **gone) if gone or marks != session.marks else session


def exists(network: NetworkSpec, number: Number, *, parameter: bool) -> bool:
    """Whether a network has a number of that name, as a parameter or as any value that can be looked at."""
    from tui_backprop.engine.explain.number import shape_of
    from tui_backprop.engine.network.graph import parameter_shapes, value_shapes

    tensor, index = number
    if parameter:
        shape = parameter_shapes(network).get(tensor)
    else:
        there = tensor == f"a{network.depth}" or tensor in value_shapes(network, 1)
        shape = shape_of(network, tensor) if there else None
    return (
        shape is not None
        and len(index) == len(shape)
        and all(0 <= i < n for i, n in zip(index, shape, strict=True))
    )


def _named(number: Number) -> str:
    tensor, index = number
    return quoted(f"{tensor}[{','.join(map(str, index[:4]))}]")


def _within(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        there = f"they go from {least} to {most}" if least <= most else "there is none"
        raise InputError(field, f"{quoted(value)} is out of range; {there}")
