"""The shape of a network that grows with its graph: the blocks that it has more of are counted, not built."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from tui_backprop.cost.model.pattern_counts import PatternCounts, Repeats, counts_of
from tui_backprop.cost.model.symbolic_sizes import Sizes, numbers, sized
from tui_backprop.engine.network.family import Family
from tui_backprop.engine.network.model import ITEMSIZE, Model
from tui_backprop.engine.network.operation import Visit

HALVINGS = 60  # of an interval, after which a factor is found to the last digit


@dataclass(frozen=True)
class FamilyShape:
    """A ``model`` with a family, grown by a ``factor``."""

    model: Model
    factor: float = 1.0

    @cached_property
    def _family(self) -> Family:
        family = self.model.family
        assert family is not None
        return family

    @property
    def pattern(self) -> Model:
        return self._family.pattern

    @cached_property
    def sizes(self) -> Sizes:
        return self._family.sizes(self.factor)

    @property
    def repeats(self) -> Repeats:
        """The blocks that there are several of, and how many."""
        return tuple(self._family.repeats.items())

    @cached_property
    def _counts(self) -> PatternCounts:
        return counts_of(self.pattern, self.repeats)

    @property
    def whole(self) -> Model:
        """The network with whole sizes; of that which has not grown, the network itself."""
        return self.model if self.factor == 1 else self._family.grown(self.factor)

    @property
    def widths(self) -> tuple[float, ...]:
        """The sizes of its layers: its blocks are of several kinds."""
        return ()

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return ITEMSIZE[self.model.dtype]

    @cached_property
    def units(self) -> float:
        """Number of entries of all values that a pass makes."""
        return numbers(self._counts.every(op.output for op in self._counts.graph.ops), self.sizes)

    @cached_property
    def parameters(self) -> float:
        return numbers(self._counts.every(self._counts.graph.parameters), self.sizes)

    @property
    def counted_in(self) -> str:
        """The unit of ``counted_ratio``."""
        return "MACs"

    @cached_property
    def counted_ratio(self) -> float:
        """Multiply-accumulates of forward and backward pass over those of the forward pass."""
        graph = self._counts.graph
        forward, backward = map(self._macs, (graph.forward_visits, graph.backward_visits))
        return (forward + backward) / forward

    def _macs(self, visits: Iterable[Visit]) -> float:
        total = 0.0
        for visit in visits:
            inputs = (sized(shape, self.sizes) for shape in self._counts.inputs(visit.op))
            times = self._counts.times(visit.op, visit.writes)
            total += self.sizes.get(times, times) * visit.op.primitive.macs(*inputs)
        return total

    @property
    def without_tangent(self) -> float:
        """Numbers that have no tangent in a JVP along all parameters."""
        return 0.0

    @property
    def grows(self) -> bool:
        """Whether there are larger ones: yes."""
        return True

    def at(self, parameters: float) -> FamilyShape:
        """Return the one of its family with that many parameters."""
        return _at(self, parameters)


@lru_cache(maxsize=1024)
def _at(shape: FamilyShape, parameters: float) -> FamilyShape:
    low, high = 0.0, 1.0
    while replace(shape, factor=high).parameters < parameters:
        high *= 2
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if replace(shape, factor=middle).parameters < parameters else (low, middle)
    return replace(shape, factor=high)
