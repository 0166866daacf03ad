"""What keys do to a Session: each move takes one, and gives the next; all are pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tui_backprop.session import update_log as way
from tui_backprop.session.state import (
    AUTOMATIC,
    AXES,
    GRAINS,
    MEASURES,
    NOTCHES,
    PRECISIONS,
    VIEWS,
    ZOOMS,
    Session,
    samples_of,
)
from tui_backprop.session.update_log import Edit


def after_update(session: Session) -> Session:
    """The same place one iteration later: the update applied."""
    return replace(
        session, history=way.joined(session.history, session.update, samples_of(session)), edits=()
    )


def after_training(session: Session, count: int) -> Session:
    """The same place ``count`` iterations later, each with the next samples of the data set."""
    samples = samples_of(session)
    run = replace(session.update, count=count, stride=session.batch % samples)
    went = way.joined(session.history, run, samples)
    sample = (session.sample + count * session.batch) % samples
    return replace(session, history=went, edits=(), sample=sample)


def at_iteration(session: Session, along: Session, t: int) -> Session:
    """The same place in an iteration that another session has behind it, or stands in."""
    update = along.update if t >= along.t else way.updates(along.history, samples_of(along))(t)
    went = way.beginning(along.history, t)
    return replace(
        session, history=went, sample=update.sample, batch=update.batch, lr=update.lr, edits=update.edits
    )


def before_update(session: Session) -> Session:
    """The same place one iteration earlier, with that iteration's samples; the first has none before it."""
    return at_iteration(session, session, session.t - 1) if session.history else session


def step_on(session: Session, steps: int) -> Session:
    """One step on; from the last step (of ``steps``) on to the first one of the next iteration."""
    if session.step + 1 < steps:
        return replace(session, step=session.step + 1)
    return replace(after_update(session), step=0)


def step_back(session: Session, steps: int) -> Session:
    """One step back; from the first step on to the last one of the iteration before."""
    if session.step > 0:
        return replace(session, step=session.step - 1)
    return replace(before_update(session), step=steps - 1) if session.history else session


def at_step(session: Session, step: int) -> Session:
    """At a step of the same walk."""
    return replace(session, step=step)


def next_grain(session: Session) -> Session:
    """By steps of the next grain. (Where the same place is among those, the walk knows: see ``at_step``.)"""
    return replace(session, grain=GRAINS[(GRAINS.index(session.grain) + 1) % len(GRAINS)], step=0)


def next_view(session: Session) -> Session:
    """The arrays of the walk shown another way."""
    return replace(session, view=VIEWS[(VIEWS.index(session.view) + 1) % len(VIEWS)])


def jump(session: Session, places: Sequence[object], direction: int) -> Session:
    """To the first step of the next (+1) or previous (-1) run of equal ``places``, one place for each step."""
    starts = [i for i, place in enumerate(places) if i == 0 or places[i - 1] != place]
    if direction > 0:
        return replace(session, step=next((i for i in starts if i > session.step), len(places) - 1))
    return replace(session, step=next((i for i in reversed(starts) if i < session.step), 0))


def next_sample(session: Session, direction: int = 1) -> Session:
    """The next (or previous) samples of the data set, going round at its ends."""
    return replace(session, sample=(session.sample + direction * session.batch) % samples_of(session))


def restart(session: Session) -> Session:
    """Back to the seed's parameters and the first step."""
    return replace(session, history=(), edits=(), step=0)


def edit_parameter(session: Session, tensor: str, index: tuple[int, ...], by: float) -> Session:
    """Move a parameter by hand; moved again, it is moved by both together."""
    before = sum(each.by for each in session.edits if (each.tensor, each.index) == (tensor, index))
    others = tuple(each for each in session.edits if (each.tensor, each.index) != (tensor, index))
    moved = (Edit(tensor, index, before + by),) if before + by else ()
    return replace(session, edits=(*others, *moved))


def select(session: Session, layer: int, unit: int) -> Session:
    """Select a unit of a layer (input is layer 0), going round at the ends; AUTOMATIC is the most telling."""
    units = [session.unit(k) for k in range(max(layer + 1, len(session.units)))]
    units[layer] = unit if unit == AUTOMATIC else unit % session.network.layers[layer]
    return replace(session, units=tuple(units))


def select_automatic(session: Session) -> Session:
    """The most telling unit in every layer."""
    return replace(session, units=())


def other_clock(session: Session) -> Session:
    """Between the lesson's 1 ms a forward pass and the time measured here."""
    return replace(session, lesson_clock=not session.lesson_clock)


def read_cost_at(session: Session, decade: float | None) -> Session:
    """The chart's cursor at 10**decade parameters, or at the current network."""
    return replace(session, decade=decade)


def next_axis(session: Session) -> Session:
    """The cost chart in the next unit."""
    return replace(session, axis=AXES[(AXES.index(session.axis) + 1) % len(AXES)])


def zoom_chart(session: Session, direction: int) -> Session:
    """The cost chart over fewer decades (+1), or more."""
    return replace(session, zoom=min(max(session.zoom + direction, 0), len(ZOOMS) - 1))


def turn_dial(session: Session, notches: int) -> Session:
    """The step dial so many notches further down."""
    return replace(session, notch=min(max(session.notch + notches, 0), NOTCHES))


def other_precision(session: Session) -> Session:
    """The step dial in the other precision."""
    return replace(session, precision=PRECISIONS[1 - PRECISIONS.index(session.precision)])


def next_racer(session: Session, racers: Sequence[str]) -> Session:
    """The next method that can race."""
    return replace(session, racer=racers[(racers.index(session.racer) + 1) % len(racers)])


def next_measure(session: Session) -> Session:
    """Rank the parameters by the next measure."""
    at = (MEASURES.index(session.measure) + 1) % len(MEASURES)
    return replace(session, measure=MEASURES[at], rank=0, asked=None)


def accuse_layer(session: Session, direction: int) -> Session:
    """Rank the parameters of the next layer (or the one before) alone; all of them come before the first."""
    return rank_layer(session, (session.accused + direction) % (session.network.depth + 1))


def rank_layer(session: Session, layer: int) -> Session:
    """Rank the parameters of a layer, or of ALL_LAYERS."""
    return replace(session, accused=layer, rank=0, asked=None)


def accuse(session: Session, rank: int) -> Session:
    """Put the cursor on a rank."""
    return replace(session, rank=max(rank, 0), asked=None)


def ask(session: Session, tensor: str, index: tuple[int, ...]) -> Session:
    """Look at a number by its name."""
    return replace(session, asked=(tensor, index))


def seek(session: Session, sought: tuple[int, int] | None) -> Session:
    """Look for samples of one class that are read as another, or (None) for all that are read wrong."""
    return replace(session, sought=sought)


def unask(session: Session) -> Session:
    """Look at the number that the walk is at."""
    return replace(session, asked=None)


def pin(session: Session, tensor: str, index: tuple[int, ...]) -> Session:
    """Draw the loss over a pair of weights, this one and the one looked at."""
    return replace(session, pinned=(tensor, index), pair=True)


def other_pair(session: Session) -> Session:
    """The loss along one weight, or over a pair."""
    return replace(session, pair=not session.pair)


def set_mark(session: Session) -> Session:
    """A bookmark here; the cursor goes to the one before it, from which there is something to compare."""
    here = replace(session, marks=(), marked=0, held=None)
    return replace(session, marks=(*session.marks, here), marked=max(len(session.marks) - 1, 0))


def choose_mark(session: Session, direction: int) -> Session:
    """The next bookmark, or the one before."""
    return replace(session, marked=min(max(session.marked + direction, 0), max(len(session.marks) - 1, 0)))


def drop_mark(session: Session) -> Session:
    """Without the bookmark under the cursor."""
    marks = session.marks[: session.marked] + session.marks[session.marked + 1 :]
    return replace(session, marks=marks, marked=min(session.marked, max(len(marks) - 1, 0)), held=None)


def hold_mark(session: Session) -> Session:
    """Compare bookmarks with the one under the cursor; and again with now."""
    return replace(session, held=None if session.held == session.marked else session.marked)


def to_mark(session: Session) -> Session:
    """To the bookmark under the cursor; the bookmarks stay."""
    if not session.marks:
        return session
    return replace(
        session.marks[session.marked], marks=session.marks, marked=session.marked, held=session.held
    )
