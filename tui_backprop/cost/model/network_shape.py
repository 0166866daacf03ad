"""The shape of a network, whose layer sizes need not be whole: the cost chart draws networks of one shape at every
size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from tui_backprop.cost.model.family_shape import HALVINGS, FamilyShape
from tui_backprop.cost.model.pattern_counts import Repeats
from tui_backprop.cost.model.symbolic_sizes import Sizes
from tui_backprop.engine.arrays.types import size
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.model import ITEMSIZE, Model

FIRST_RANK = 2  # of the layer sizes of a pattern: 1 is the size of the batch


@dataclass(frozen=True)
class NetworkShape:
    """A network whose layer sizes, ``widths`` (input first), need not be whole.

    Everything else is as in ``pattern``, a network with the sizes 2, 3, ... in the order of the widths: they only say
    which widths are equal (a residual connection goes around a layer with equal ones).
    """

    widths: tuple[float, ...]
    pattern: NetworkSpec

    @property
    def depth(self) -> int:
        return len(self.widths) - 1

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return ITEMSIZE[self.pattern.dtype]

    @property
    def units(self) -> float:
        """Number of units of all layers."""
        return sum(self.widths)

    @cached_property
    def weights(self) -> float:
        return sum(self.each)

    @cached_property
    def each(self) -> tuple[float, ...]:
        """Number of weights of each layer."""
        return tuple(i * o for i, o in zip(self.widths, self.widths[1:], strict=False))

    @cached_property
    def parameters(self) -> float:
        """Number of weights, biases, gains and shifts."""
        biases, normalized = sum(self.widths[1:]), sum(self.widths[1:-1])
        return self.weights + self.pattern.bias * biases + 2 * self.pattern.layer_norm * normalized

    @property
    def counted_in(self) -> str:
        """The unit of ``counted_ratio``."""
        return "MACs"

    @property
    def counted_ratio(self) -> float:
        """Multiply-accumulates of forward and backward pass over those of the forward pass."""
        graph = self.pattern.graph
        shapes = graph.shapes(1)
        products = (visit for visit in graph.backward_visits if visit.costs(shapes)[0])
        backward = sum(self.each[visit.op.block - 1] for visit in products)
        return 1 + backward / self.weights

    @property
    def without_tangent(self) -> float:
        """Numbers that have no tangent in a JVP along all parameters: the weights of the first layer."""
        return self.each[0]

    @property
    def grows(self) -> bool:
        """Whether there are larger ones: yes, with more units."""
        return True

    @property
    def whole(self) -> Model:
        """The network with whole sizes, but for what changes no time."""
        return self.pattern.changed(layers=tuple(max(1, round(width)) for width in self.widths))

    @property
    def repeats(self) -> Repeats:
        """The blocks that there are several of: none, all are in the pattern."""
        return ()

    @cached_property
    def sizes(self) -> Sizes:
        return dict(zip(self.pattern.layers, self.widths, strict=True))

    def at(self, parameters: float) -> NetworkShape:
        """Return this shape with that many parameters: all hidden layers scaled by one factor. Where that cannot
        reach the number (or there are no hidden layers), input and output are scaled too."""
        return _at(self, parameters)


@lru_cache(maxsize=1024)
def _at(shape: NetworkShape, parameters: float) -> NetworkShape:
    hidden = len(shape.widths) > 2
    if hidden and _scaled(shape, 1e-9, True).parameters > parameters:
        hidden = False
    low, high = 0.0, 1.0
    while _scaled(shape, high, hidden).parameters < parameters:
        high *= 2
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if _scaled(shape, middle, hidden).parameters < parameters else (low, middle)
        )
    return _scaled(shape, high, hidden)


def _scaled(shape: NetworkShape, factor: float, hidden_alone: bool) -> NetworkShape:
    first, *hidden, last = shape.widths
    ends = 1.0 if hidden_alone else factor
    return NetworkShape((ends * first, *(factor * width for width in hidden), ends * last), shape.pattern)


@dataclass(frozen=True)
class FixedShape:
    """A graph that belongs to no family of larger ones: all its sizes are as they are."""

    pattern: Model

    @property
    def widths(self) -> tuple[float, ...]:
        """The sizes of its layers: it has none."""
        return ()

    @property
    def depth(self) -> int:
        return self.pattern.graph.depth

    @cached_property
    def units(self) -> float:
        """Number of entries of all values."""
        return float(sum(map(size, self.pattern.graph.shapes(1).values())))

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return ITEMSIZE[self.pattern.dtype]

    @cached_property
    def parameters(self) -> float:
        return float(self.pattern.parameters)

    @property
    def counted_in(self) -> str:
        """The unit of ``counted_ratio``: FLOPs where there are no matrix products."""
        return "MACs" if self.pattern.graph.macs else "FLOPs"

    @cached_property
    def counted_ratio(self) -> float:
        """Operations of forward and backward pass over those of the forward pass."""
        graph, unit = self.pattern.graph, int(self.counted_in == "FLOPs")
        shapes = graph.shapes(1)
        forward, backward = (
            sum(visit.costs(shapes)[unit] for visit in visits)
            for visits in (graph.forward_visits, graph.backward_visits)
        )
        return (forward + backward) / max(forward, 1)

    @property
    def without_tangent(self) -> float:
        """Numbers that have no tangent in a JVP along all parameters."""
        return 0.0

    @property
    def sizes(self) -> Sizes:
        return {}

    @property
    def whole(self) -> Model:
        """The model: its sizes are whole."""
        return self.pattern

    @property
    def repeats(self) -> Repeats:
        """The blocks that there are several of: none, all are there."""
        return ()

    @property
    def grows(self) -> bool:
        """Whether there are larger ones: no."""
        return False

    def at(self, parameters: float) -> FixedShape:
        """Return the graph itself: there is no larger one."""
        return self


CostShape = NetworkShape | FamilyShape | FixedShape


def shape_of(model: Model) -> CostShape:
    """Return the shape of a dense network, of one of a family, or of a graph that does not grow."""
    model = model.healthy
    if isinstance(model, NetworkSpec):
        return network_shape(model)
    return FixedShape(model) if model.family is None else _family_shape(model)


@lru_cache(maxsize=256)
def _family_shape(model: Model) -> FamilyShape:
    """Return the shape of a model with a family, without what changes no time."""
    return FamilyShape(model.changed(init=NetworkSpec.init, seed=0))


@lru_cache(maxsize=256)
def network_shape(spec: NetworkSpec) -> NetworkShape:
    """Return the shape of a network: its layer sizes, and all options that change the work of a pass."""
    ranks = {width: rank for rank, width in enumerate(sorted(set(spec.layers)), FIRST_RANK)}
    pattern = replace(
        spec,
        layers=tuple(ranks[width] for width in spec.layers),
        activation=",".join(spec.activations) or NetworkSpec.activation,
        init=NetworkSpec.init,
        seed=0,
        dropout=0.5 if spec.dropout else 0.0,
        l2=1.0 if spec.l2 else 0.0,
    )
    return NetworkShape(tuple(map(float, spec.layers)), pattern)
