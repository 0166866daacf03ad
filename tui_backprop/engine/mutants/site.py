"""An operation at which a rule may be wrong, and the same operation with wrong rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.primitives import Array, Primitive, Rule, Shape

Spoil = Callable[..., None]  # (x_bar, y_bar, y, cache, *x), after the right rule has written x_bar


@dataclass(frozen=True)
class Site:
    """An operation of a graph, and the learning rate of the update that follows the backward pass."""

    graph: Graph
    op: Op
    lr: float

    @property
    def row(self) -> Primitive:
        return self.op.primitive

    def shape(self, i: int) -> Shape:
        """Return the shape of input ``i``."""
        return self.graph.by_name[self.op.inputs[i]].shape

    @property
    def into_parameters(self) -> tuple[int, ...]:
        """The inputs that are parameters."""
        return tuple(
            i for i, name in enumerate(self.op.differentiated) if self.graph.by_name[name].is_parameter
        )

    def replacing(self, rules: Mapping[int, Rule], reads: tuple[str, ...] = ()) -> Op | None:
        """Return the operation with other VJPs by some inputs, which may read further values; None if the backward
        pass runs none of them."""
        op, row, reached = self.op, self.row, self.graph.differentiable
        run = {i: rule for i, rule in rules.items() if op.output in reached and op.inputs[i] in reached}
        if not run:
            return None
        wrong = replace(
            row if not reads else _reading_more(row, len(op.inputs)),
            vjps=tuple(run.get(i, right) for i, right in enumerate(row.vjps)),
            torch_vjps=(),
            by_sample=False,  # a wrong rule may mix samples
            passes_on=row.passes_on and 0 not in run,
        )
        return replace(op, primitive=wrong, inputs=(*op.inputs, *reads))

    def spoiling(self, *inputs: int, spoil: Spoil) -> Op | None:
        """Return the operation with VJPs by some inputs whose results are spoiled."""
        return self.replacing({i: spoiled(self.row.vjps[i], spoil) for i in inputs})


def spoiled(right: Rule, spoil: Spoil) -> Rule:
    """Return a rule that spoils what the right one computes."""

    def rule(to: Array, *arguments: object) -> None:
        right(to, *arguments)
        spoil(to, *arguments)

    return rule


def _reading_more(row: Primitive, own: int) -> Primitive:
    """Return a primitive whose forward rule and JVPs ignore the inputs after its ``own``."""

    def first(rule: Callable[..., int]) -> Callable[..., int]:
        return lambda *inputs: rule(*inputs[:own])

    return replace(
        row,
        forward=lambda y, cache, *x: row.forward(y, cache, *x[:own]),
        jvps=tuple(_jvp_of_own(rule, own) for rule in row.jvps),
        flops=first(row.flops),
        vjp_flops=tuple(map(first, row.vjp_flops)),
        shape=lambda *shapes: row.shape(*shapes[:own]),
        room=lambda dtype, *shapes: row.room(dtype, *shapes[:own]),
        side=(lambda *x: row.side(*x[:own])) if row.side else None,  # type: ignore[misc]
    )


def _jvp_of_own(rule: Rule, own: int) -> Rule:
    return lambda y_dot, x_dot, y, cache, *x: rule(y_dot, x_dot, y, cache, *x[:own])
