"""State transitions: pure functions, each from one Session to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from tui_backprop.data.passage import Passage
from tui_backprop.session import update_log
from tui_backprop.session.session_parts import (
    AMOUNTS,
    AUTOMATIC,
    AXES,
    GRAINS,
    LARGEST_STEP_INDEX,
    MEASURES,
    PRECISIONS,
    VIEWS,
    ZOOMS,
    Number,
)
from tui_backprop.session.state import Session
from tui_backprop.session.update_log import Edit
from tui_backprop.session.walk_steps import same_step, steps_of

Choice = TypeVar("Choice")


def _next(choices: Sequence[Choice], now: Choice) -> Choice:
    """Return the choice after the current one; after the last, the first."""
    return choices[(choices.index(now) + 1) % len(choices)]


def _walk(session: Session, **changes: Any) -> Session:
    return replace(session, walk=replace(session.walk, **changes))


def _cost(session: Session, **changes: Any) -> Session:
    return replace(session, cost=replace(session.cost, **changes))


def _inspection(session: Session, **changes: Any) -> Session:
    return replace(session, inspection=replace(session.inspection, **changes))


# --- training -----------------------------------------------------------------------------------------------


def after_update(session: Session) -> Session:
    """Apply the update: the same step, one iteration later. A batch that is held out makes none."""
    if session.is_held_out:
        return session
    log = update_log.joined(session.update_log, session.update, session.part)
    return replace(session, update_log=log, edits=())


def after_training(session: Session, count: int) -> Session:
    """Apply ``count`` updates, each on the next batch of the training samples, or all on the same one if they
    ``repeat``: the same step, ``count`` iterations later. Those of a batch that is held out begin at the next
    training sample, those of a passage at the batch before it."""
    training = session.split.training
    first = training.after(session.sample)
    stride = 0 if session.repeat else session.batch % len(training.samples)
    run = replace(session.update, sample=first, count=count, stride=stride, passage=None)
    log = update_log.joined(session.update_log, run, training)
    sample = training.after(first, count * stride)
    return replace(session, update_log=log, edits=(), sample=sample, passage=None)


def at_iteration(session: Session, along: Session, t: int) -> Session:
    """Go to the same step of iteration ``t`` of the training that led to ``along``."""
    update = along.update if t >= along.t else update_log.updates(along.update_log, along.split.training)(t)
    there = replace(
        session,
        network=session.network.with_training_settings(update.settings),
        update_log=update_log.beginning(along.update_log, t),
        sample=update.sample,
        batch=update.batch,
        passage=update.passage,
        lr=update.lr,
        edits=update.edits,
        optimizer=update.optimizer,
    )
    return same_step(session, there)


def before_update(session: Session) -> Session:
    """Go to the same step one iteration earlier, with that iteration's samples; the first one stays."""
    return at_iteration(session, session, session.t - 1) if session.update_log else session


def restart(session: Session) -> Session:
    """Go back to the seed's parameters and the first step."""
    return _walk(replace(session, update_log=(), edits=()), step=0)


def next_sample(session: Session, direction: int = 1) -> Session:
    """Select the next (or previous) batch of the same part of the data, going round at its ends; from a passage, go
    back to the batch before it."""
    if session.passage is not None:
        return replace(session, passage=None)
    return replace(session, sample=session.part.after(session.sample, direction * session.batch))


def other_part(session: Session) -> Session:
    """Go to the next sample of the other part of the data: from training to validation, or back."""
    split = session.split
    other = split.training if session.is_held_out else split.held_out
    return replace(session, sample=other.after(session.sample), passage=None) if other.samples else session


def walk_passage(session: Session, passage: Passage) -> Session:
    """Walk a text in place of the samples; training goes on from them, if they are not held out."""
    sample = session.split.training.after(session.sample)
    return replace(session, passage=passage, batch=1, sample=sample)


def edit_parameter(session: Session, tensor: str, index: tuple[int, ...], by: float) -> Session:
    """Add ``by`` to one parameter; edits of the same parameter are summed, and a sum of 0 is no edit."""
    before = sum(each.by for each in session.edits if (each.tensor, each.index) == (tensor, index))
    others = tuple(each for each in session.edits if (each.tensor, each.index) != (tensor, index))
    edit = (Edit(tensor, index, before + by),) if before + by else ()
    return replace(session, edits=(*others, *edit))


# --- the walk -----------------------------------------------------------------------------------------------


def step_on(session: Session, steps: int) -> Session:
    """Go one step forward; from the last of ``steps`` to the first step of the next iteration. The last one stays
    where the batch is held out."""
    if session.walk.step + 1 >= steps and session.is_held_out:
        return session
    if session.walk.step + 1 < steps:
        return at_step(session, session.walk.step + 1)
    return at_step(after_update(session), 0)


def step_back(session: Session, steps: int) -> Session:
    """Go one step back; from the first step to the last of ``steps`` of the previous iteration."""
    if session.walk.step > 0:
        return at_step(session, session.walk.step - 1)
    if not session.update_log:
        return session
    before = before_update(session)
    return at_step(before, (steps if before.network == session.network else len(steps_of(before))) - 1)


def at_step(session: Session, step: int) -> Session:
    """Go to a step of the same walk."""
    return _walk(session, step=step)


def jump(session: Session, places: Sequence[object], direction: int) -> Session:
    """Go to the first step of the next (+1) or previous (-1) run of equal ``places``, one place for each step."""
    starts = [i for i, place in enumerate(places) if i == 0 or places[i - 1] != place]
    now = session.walk.step
    if direction > 0:
        return at_step(session, next((i for i in starts if i > now), len(places) - 1))
    return at_step(session, next((i for i in reversed(starts) if i < now), 0))


def next_grain(session: Session) -> Session:
    """Change to the next grain, at its first step. (The caller finds the corresponding step: see ``at_step``.)"""
    return _walk(session, grain=_next(GRAINS, session.walk.grain), step=0)


def next_view(session: Session) -> Session:
    """Show the walk's arrays in the next view."""
    return _walk(session, view=_next(VIEWS, session.walk.view))


def toggle_input_gradient(session: Session) -> Session:
    """Have the backward pass go on to the gradient by the input, or not. No other number changes. (The caller finds
    the step: see ``at_step``.)"""
    network = session.network
    return replace(session, network=network.to_inputs(not network.input_gradient))


def select(session: Session, layer: int, unit: int) -> Session:
    """Select a unit of a layer (the input is layer 0), wrapping around at the ends, or AUTOMATIC; of a graph whose
    values name their axes, an index on axis number ``layer``."""
    units = [session.walk.unit(k) for k in range(max(layer + 1, len(session.walk.units)))]
    units[layer] = unit if unit == AUTOMATIC else unit % session.network.graph.units[layer]
    return _walk(session, units=tuple(units))


def toggle_block(session: Session, block: int) -> Session:
    """Unfold a block of the graph, or fold it."""
    return _walk(session, unfolded=tuple(sorted({*session.walk.unfolded} ^ {block})))


def select_automatic(session: Session) -> Session:
    """Select no unit in any layer, so that the one with the largest |delta| is shown; nor an index on any axis."""
    return _walk(session, units=())


# --- training -----------------------------------------------------------------------------------------------


def change_amount(session: Session, by: int) -> Session:
    """Choose a larger (+1) or smaller (-1) number of updates to run at a time."""
    at = AMOUNTS.index(session.amount) + by
    return replace(session, amount=AMOUNTS[min(max(at, 0), len(AMOUNTS) - 1)])


def toggle_repeat(session: Session) -> Session:
    """Train on the next batch each time, or on the same one again and again."""
    return replace(session, repeat=not session.repeat)


# --- the cost panel -----------------------------------------------------------------------------------------


def toggle_clock(session: Session) -> Session:
    """Switch between the time measured here and the lesson's 1 ms per forward pass."""
    return _cost(session, lesson_clock=not session.cost.lesson_clock)


def set_decade(session: Session, decade: float | None) -> Session:
    """Move the chart's cursor to 10**decade parameters, or (None) to the current network."""
    return _cost(session, decade=decade)


def next_axis(session: Session) -> Session:
    """Show the cost chart in the next unit."""
    return _cost(session, axis=_next(AXES, session.cost.axis))


def zoom_chart(session: Session, direction: int) -> Session:
    """Show fewer (+1) or more (-1) decades in the cost chart."""
    return _cost(session, zoom=min(max(session.cost.zoom + direction, 0), len(ZOOMS) - 1))


def change_step_index(session: Session, by: int) -> Session:
    """Change the index of the step size, up to the smallest step."""
    return _cost(session, step_index=min(max(session.cost.step_index + by, 0), LARGEST_STEP_INDEX))


def toggle_precision(session: Session) -> Session:
    """Switch the precision of the step size page."""
    return _cost(session, precision=_next(PRECISIONS, session.cost.precision))


def next_race_method(session: Session, methods: Sequence[str]) -> Session:
    """Choose the next of the numerical ``methods`` for the race."""
    return _cost(session, method=_next(methods, session.cost.method))


# --- inspection ---------------------------------------------------------------------------------------------


def next_measure(session: Session) -> Session:
    """Rank the parameters by the next measure."""
    return _inspection(session, measure=_next(MEASURES, session.inspection.measure), rank=0, number=None)


def next_ranked_layer(session: Session, direction: int) -> Session:
    """Rank only the parameters of the next (or previous) layer; ALL_LAYERS comes before the first."""
    return rank_layer(session, (session.inspection.layer + direction) % (session.network.graph.depth + 1))


def rank_layer(session: Session, layer: int) -> Session:
    """Rank the parameters of one layer, or of ALL_LAYERS."""
    return _inspection(session, layer=layer, rank=0, number=None)


def at_rank(session: Session, rank: int) -> Session:
    """Move the cursor to a rank."""
    return _inspection(session, rank=max(rank, 0), number=None)


def inspect(session: Session, tensor: str, index: tuple[int, ...]) -> Session:
    """Inspect a number by its name."""
    return _inspection(session, number=(tensor, index))


def inspect_automatic(session: Session) -> Session:
    """Inspect the number at the walk's step."""
    return _inspection(session, number=None)


def choose_confusion(session: Session, confusion: tuple[int, int] | None) -> Session:
    """Step through samples with one label and one prediction, or (None) through all misclassified samples."""
    return _inspection(session, confusion=confusion)


def pin(session: Session, number: Number) -> Session:
    """Plot the loss over two parameters: this one and the one inspected."""
    return _inspection(session, pinned=number, pair=True)


def toggle_pair(session: Session) -> Session:
    """Plot the loss along one parameter, or over two."""
    return _inspection(session, pair=not session.inspection.pair)
