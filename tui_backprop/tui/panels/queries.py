"""What panels ask that takes time to find out, as a table: a worker answers, and the app shows it.

Nothing here is imported before it is needed: it loads numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.state import Session
from tui_backprop.session.update_log import shared

if TYPE_CHECKING:
    from tui_backprop.engine.training.iteration import Iteration
    from tui_backprop.session.replay import Replay

SEEN = 256  # samples on which units are called dead
GRAPH_SECONDS = 0.3  # for timing every operation
_TIMINGS: dict[object, object] = {}  # the latest, which holds for every pass of a network


@dataclass(frozen=True)
class Question:
    """``about`` is what the answer depends on: it is asked again where that differs, and not at all where it is
    nothing. ``find`` is run in a
    worker; what it yields, if it does, are parts of the answer, the last one the whole."""

    about: Callable[[Snapshot], tuple[object, ...]]
    find: Callable[[Snapshot, Replay], object]
    lasting: int = (
        99  # an answer is shown until the next is there while this many parts of ``about`` are the same
    )


def _same_pass(snapshot: Snapshot) -> tuple[object, ...]:
    return snapshot.session.pass_key


def _array(snapshot: Snapshot) -> tuple[object, ...]:
    """The array that the walk shows, where that takes a look at all of its entries."""
    if snapshot.session.walk.view not in ("histogram", "largest"):
        return ()
    from tui_backprop.render.walk.tensor import shown_array

    return *snapshot.session.pass_key, *shown_array(snapshot)


def _counted(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.render.walk.tensor import shown_array

    name, updated = shown_array(snapshot)
    return snapshot.iteration.distribution(name, updated=updated)


def _flow(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.data.catalogue import info
    from tui_backprop.data.samples import cut
    from tui_backprop.engine.analysis.gradient_flow import flow

    session = snapshot.session
    most = min(SEEN, info(session.data).samples)
    return flow(snapshot.iteration, cut(session.network, session.data, 0, most).x)


def _timing(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.cost.accounting.timing import time_operations
    from tui_backprop.engine.analysis import visit_norms as contributions

    contributions.prepare(snapshot.iteration)
    of = snapshot.session.network, snapshot.session.batch
    if of not in _TIMINGS:
        _TIMINGS.clear()
        _TIMINGS[of] = time_operations(snapshot.iteration, GRAPH_SECONDS)
    return _TIMINGS[of]


def _slice(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.engine.analysis.loss_slices import slice_along

    return slice_along(snapshot.iteration, snapshot.weights)


def _place(snapshot: Snapshot, replay: Replay) -> object:
    """How many gradients are larger: of the layer, and of all."""
    from tui_backprop.engine.explain.number import number_of, place_of

    tensor, index = snapshot.number
    found = number_of(snapshot.iteration, tensor, index)
    if not found.is_parameter or found.gradient is None:
        return None
    return tuple(place_of(snapshot.iteration, found.gradient, layer) for layer in (int(tensor[1:]), None))


def _picture(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.session.decision_boundary import plane_of

    return plane_of(snapshot.session, snapshot.iteration.before.parameters)


def _compared(snapshot: Snapshot) -> tuple[object, ...]:
    """The two places that are compared."""
    if not snapshot.session.bookmarks.items:
        return ()
    from tui_backprop.render.panels.marks import compared

    return tuple(place.pass_key for _, place in compared(snapshot.session))


def _difference(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.engine.analysis.comparison import difference
    from tui_backprop.render.panels.marks import compared
    from tui_backprop.session.replay import Replay as Beside

    session = snapshot.session

    def iteration(mark: Session) -> Iteration:
        on_the_way = mark.training_key == session.training_key and (
            shared(mark.update_log, session.update_log) == mark.t
        )
        return replay.kept(mark) or (replay if on_the_way else Beside(0)).take(mark)

    one, other = (
        snapshot.iteration if place is session else iteration(place) for _, place in compared(session)
    )
    return difference(one, other)


def _dial(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.engine.gradients.step_size import dial

    return dial(snapshot.iteration, *snapshot.weights[0])


def _with_less_kept(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.cost.accounting.path_counts import KINDS, recompute

    return tuple(recompute(snapshot.iteration, kind) for kind in KINDS)


QUESTIONS = {
    "dial": Question(lambda snapshot: (*snapshot.session.pass_key, snapshot.weights[0]), _dial),
    "ledger": Question(
        lambda snapshot: (snapshot.session.network, snapshot.session.batch, *snapshot.session.pass_key),
        _timing,
        2,
    ),
    "reuse": Question(lambda snapshot: (snapshot.session.network, snapshot.session.batch), _with_less_kept),
    "train": Question(_same_pass, _picture),
    "marks": Question(_compared, _difference),
    "walk": Question(_array, _counted),
    "flow": Question(_same_pass, _flow),
    "graph": Question(
        lambda snapshot: (snapshot.session.network, snapshot.session.batch, *snapshot.session.pass_key),
        _timing,
        2,
    ),
    "curves": Question(lambda snapshot: (*snapshot.session.pass_key, snapshot.weights), _slice),
    "number": Question(lambda snapshot: (*snapshot.session.pass_key, snapshot.number), _place),
}
