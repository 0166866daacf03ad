"""The row of an operation that is only shown as it was recorded: there is no rule that could compute it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tui_backprop.engine.arrays.types import Array, Shape, np
from tui_backprop.engine.primitives.base import Primitive

Read = Callable[[], Array]


@dataclass(frozen=True, eq=False, repr=False)
class RecordedOnly(Primitive):
    """An operation without a rule: what it computed, and what its backward pass did, are recorded."""

    recorded: bool = True


def recorded_only(name: str, shape: Shape, read: Read, terms: Sequence[Read | None]) -> RecordedOnly:
    """Make the row: ``read`` returns its output, ``terms`` what its backward pass gave to each of its first inputs,
    None where that was not recorded. Tangents are unknown, and so NaN."""

    def forward(y: Array, *_: object) -> None:
        y[...] = read()

    def vjp(term: Read | None) -> Callable[..., None]:
        def rule(x_bar: Array, *_: object) -> None:
            x_bar[...] = np.nan if term is None else term()

        return rule

    def jvp(y_dot: Array, *_: object) -> None:
        y_dot[...] = np.nan

    def nothing(*_: Shape) -> int:
        return 0

    inputs = [f"{{{i}}}" for i in range(len(terms))]
    return RecordedOnly(
        name=name,
        kind="recorded",
        forward=forward,
        vjps=tuple(map(vjp, terms)),
        jvps=(jvp,) * len(terms),
        formula=f"{name}( {' , '.join(inputs)} )",
        vjp_formulas=("as recorded",) * len(terms),
        flops=nothing,
        vjp_flops=(nothing,) * len(terms),
        torch="",
        shape=lambda *_: shape,
    )
