"""What is drawn of the numbers of an iteration, remembered as long as the walk stays in it: from step to step most of
a picture stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar
from weakref import ref

if TYPE_CHECKING:  # loads numpy
    from tui_backprop.engine.training.iteration import Iteration

T = TypeVar("T")
P = ParamSpec("P")


def per_iteration(
    function: Callable[Concatenate[Iteration, P], T],
) -> Callable[Concatenate[Iteration, P], T]:
    """Remember the results of a pure function of an iteration, for the iteration that it was called with last. All
    arguments are positional and hashable. The iteration itself is not kept alive."""
    last: list[tuple[Callable[[], Iteration | None], dict[object, T]]] = [(lambda: None, {})]

    @wraps(function)
    def remembered(iteration: Iteration, /, *given: P.args, **named: P.kwargs) -> T:
        of, found = last[0]
        if of() is not iteration:
            found = {}
            last[0] = ref(iteration), found
        if given not in found:
            found[given] = function(iteration, *given, **named)
        return found[given]

    return remembered
