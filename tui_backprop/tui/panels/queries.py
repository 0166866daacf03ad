"""What panels ask that takes time to find out, as a table: a worker answers, and the app shows it.

Nothing here is imported before it is needed: it loads numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_backprop.render.view_state import Moment
from tui_backprop.session.state import Session
from tui_backprop.session.update_log import shared

if TYPE_CHECKING:
    from tui_backprop.engine.training.iteration import Pass
    from tui_backprop.session.replay import Replay

SEEN = 256  # samples on which units are called dead
GRAPH_SECONDS = 0.3  # for timing every operation
_TIMINGS: dict[object, object] = {}  # the latest, which holds for every pass of a network


@dataclass(frozen=True)
class Question:
    """``about`` is what the answer depends on: it is asked again where that differs, and not at all where it is
    nothing. ``find`` is run in a
    worker; what it yields, if it does, are parts of the answer, the last one the whole."""

    about: Callable[[Moment], tuple[object, ...]]
    find: Callable[[Moment, Replay], object]
    lasting: int = (
        99  # an answer is shown until the next is there while this many parts of ``about`` are the same
    )


def _same_pass(moment: Moment) -> tuple[object, ...]:
    return moment.session.pass_key


def _array(moment: Moment) -> tuple[object, ...]:
    """The array that the walk shows, where that takes a look at all of its entries."""
    if moment.session.view not in ("histogram", "largest"):
        return ()
    from tui_backprop.render.walk.tensor import shown_array

    return *moment.session.pass_key, *shown_array(moment)


def _counted(moment: Moment, replay: Replay) -> object:
    from tui_backprop.render.walk.tensor import shown_array

    name, updated = shown_array(moment)
    return moment.taken.distribution(name, updated=updated)


def _flow(moment: Moment, replay: Replay) -> object:
    from tui_backprop.data.catalogue import info
    from tui_backprop.data.samples import cut
    from tui_backprop.engine.analysis.gradient_flow import flow

    session = moment.session
    most = min(SEEN, info(session.data).samples)
    return flow(moment.taken, cut(session.network, session.data, 0, most).x)


def _timing(moment: Moment, replay: Replay) -> object:
    from tui_backprop.cost.accounting.timing import time_operations
    from tui_backprop.engine.analysis import visit_norms as contributions

    contributions.prepare(moment.taken)
    of = moment.session.network, moment.session.batch
    if of not in _TIMINGS:
        _TIMINGS.clear()
        _TIMINGS[of] = time_operations(moment.taken, GRAPH_SECONDS)
    return _TIMINGS[of]


def _slice(moment: Moment, replay: Replay) -> object:
    from tui_backprop.engine.analysis.loss_slices import slice_along

    return slice_along(moment.taken, moment.weights)


def _place(moment: Moment, replay: Replay) -> object:
    """How many gradients are larger: of the layer, and of all."""
    from tui_backprop.engine.explain.number import number_of, place_of

    tensor, index = moment.number
    found = number_of(moment.taken, tensor, index)
    if not found.is_parameter or found.gradient is None:
        return None
    return tuple(place_of(moment.taken, found.gradient, layer) for layer in (int(tensor[1:]), None))


def _picture(moment: Moment, replay: Replay) -> object:
    from tui_backprop.session.decision_boundary import plane_of

    return plane_of(moment.session, moment.taken.before.parameters)


def _compared(moment: Moment) -> tuple[object, ...]:
    """The two places that are compared."""
    if not moment.session.marks:
        return ()
    from tui_backprop.render.panels.marks import compared

    return tuple(place.pass_key for _, place in compared(moment.session))


def _difference(moment: Moment, replay: Replay) -> object:
    from tui_backprop.engine.analysis.comparison import difference
    from tui_backprop.render.panels.marks import compared
    from tui_backprop.session.replay import Replay as Beside

    session = moment.session

    def taken(mark: Session) -> Pass:
        on_the_way = mark.training_key == session.training_key and (
            shared(mark.history, session.history) == mark.iteration
        )
        return replay.kept(mark) or (replay if on_the_way else Beside(0)).take(mark)

    one, other = (moment.taken if place is session else taken(place) for _, place in compared(session))
    return difference(one, other)


def _dial(moment: Moment, replay: Replay) -> object:
    from tui_backprop.engine.gradients.step_size import dial

    return dial(moment.taken, *moment.weights[0])


def _with_less_kept(moment: Moment, replay: Replay) -> object:
    from tui_backprop.cost.accounting.path_counts import KINDS, recompute

    return tuple(recompute(moment.taken, kind) for kind in KINDS)


QUESTIONS = {
    "dial": Question(lambda moment: (*moment.session.pass_key, moment.weights[0]), _dial),
    "ledger": Question(
        lambda moment: (moment.session.network, moment.session.batch, *moment.session.pass_key), _timing, 2
    ),
    "reuse": Question(lambda moment: (moment.session.network, moment.session.batch), _with_less_kept),
    "train": Question(_same_pass, _picture),
    "marks": Question(_compared, _difference),
    "walk": Question(_array, _counted),
    "flow": Question(_same_pass, _flow),
    "graph": Question(
        lambda moment: (moment.session.network, moment.session.batch, *moment.session.pass_key), _timing, 2
    ),
    "curves": Question(lambda moment: (*moment.session.pass_key, moment.weights), _slice),
    "number": Question(lambda moment: (*moment.session.pass_key, moment.number), _place),
}
