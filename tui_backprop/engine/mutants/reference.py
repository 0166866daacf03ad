"""Somebody else's arrays held against ours, in the order in which they are computed: down the forward pass and up the
backward one. The first that differs is where to look; the mutants that give all of theirs say what is wrong there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tui_backprop.engine.mutants.model import MutantModel
from tui_backprop.engine.mutants.mutant import RuleMutant
from tui_backprop.engine.mutants.table import RULES
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array, index_at
from tui_backprop.engine.training.iteration import Iteration

# Differences allowed, relative to the largest entry, by the type of their array: a hundred roundings in its sums, and
# for the wide types what a printed number of eight digits leaves.
RTOLS = {2: 0.05, 4: 1e-4}
RTOL = 1e-6
MOST_PASSES = 2000  # of mutants
MOST_FLOPS = 10**12  # of all of them together: about a minute


@dataclass(frozen=True, eq=False)
class Compared:
    """An array of ours and one of theirs, called ``source`` in their file; a ``gradient``, or a value of the forward
    pass. A difference of ``atol``, and of ``rtol`` times the largest entry, is allowed."""

    name: str
    source: str
    ours: Array
    theirs: Array
    gradient: bool
    of_parameter: bool
    rtol: float
    atol: float

    @cached_property
    def same_shape(self) -> bool:
        return self.ours.shape == self.theirs.shape

    @cached_property
    def allowed(self) -> float:
        """The difference that is allowed in each entry."""
        return self.atol + self.rtol * float(np.max(np.abs(self.ours), initial=0))

    @cached_property
    def _differences(self) -> Array:
        with np.errstate(invalid="ignore", over="ignore"):
            differences: Array = np.nan_to_num(np.abs(self.ours - self.theirs), nan=np.inf)
        return differences

    @property
    def agrees(self) -> bool:
        return self.same_shape and bool((self._differences <= self.allowed).all())

    @property
    def turned(self) -> bool:
        """Return True if theirs is ours transposed."""
        return self.theirs.ndim == 2 and self.theirs.T.shape == self.ours.shape and self.close(self.ours.T)

    @property
    def index(self) -> tuple[int, ...]:
        """The entry with the largest difference."""
        return index_at(int(np.argmax(self._differences)), self.ours.shape)

    @property
    def difference(self) -> float:
        return float(np.max(self._differences, initial=0))

    def close(self, other: Array) -> bool:
        """Return True if theirs is another array, within what is allowed of that."""
        if other.shape != self.theirs.shape:
            return False
        allowed = self.atol + self.rtol * float(np.max(np.abs(other), initial=0))
        with np.errstate(invalid="ignore", over="ignore"):
            return bool((np.abs(other - self.theirs) <= allowed).all())

    @property
    def factor(self) -> float | None:
        """The number by which theirs is ours; None if it is not one number."""
        size = float(np.vdot(self.ours, self.ours).real)
        if not self.same_shape or not size:
            return None
        factor = float(np.vdot(self.ours, self.theirs).real) / size
        return factor if np.isfinite(factor) and factor and self.close(factor * self.ours) else None


@dataclass(frozen=True)
class Explanation:
    """A mutant that gives their arrays: in the operations that compute the values ``at``, or everywhere; the number
    of their gradients that it gives."""

    mutant: RuleMutant
    at: tuple[str, ...] | None
    given: int


@dataclass(frozen=True, eq=False)
class Reference:
    """All arrays that were compared, in the order of the walk."""

    compared: tuple[Compared, ...]
    explanations: tuple[Explanation, ...]

    @property
    def first(self) -> Compared | None:
        """The first that differs."""
        return next((each for each in self.compared if not each.agrees), None)

    @property
    def turned(self) -> bool:
        """Return True if all that differs is ours transposed, and that is all matrices of gradients, of two at least:
        a convention, weights as (outputs, inputs) or samples as columns."""
        differing = [each for each in self.compared if not each.agrees]
        matrices = [
            each for each in self.compared if each.gradient and each.of_parameter and each.ours.ndim == 2
        ]
        kept = [each for each in matrices if each not in differing]
        return len(matrices) > 1 and bool(differing) and not kept and all(each.turned for each in differing)

    @property
    def passed(self) -> bool:
        return self.first is None


def order(graph: Graph) -> list[tuple[str, bool]]:
    """Return the names that a reference can have, in the order of the walk, and whether each is a gradient: what is
    given, values down the forward pass, gradients up the backward one."""
    values = [value.name for value in graph.values if value.role not in ("constant", "mask")]
    given = [name for name in values if name in graph.data or name in graph.parameters]
    backward = dict.fromkeys(graph.gradient_of(visit.writes) for visit in graph.backward_visits)
    forward = (name for name in values if name not in given)
    return [*((name, False) for name in (*given, *forward)), *((name, True) for name in backward)]


def compare_with(
    iteration: Iteration,
    theirs: Mapping[str, tuple[str, Array]],
    rtol: float | None = None,
    atol: float = 0.0,
) -> Reference:
    """Compare arrays, by our names each with its name in the file, with those of an iteration; then look for what
    explains the difference, if the forward pass agrees."""
    compared = tuple(_compared(iteration, theirs, rtol, atol))
    found = Reference(compared, ())
    first = found.first
    if first is None or not first.gradient:
        return found
    return Reference(compared, tuple(_explanations(iteration, compared, first)))


def _compared(
    iteration: Iteration, theirs: Mapping[str, tuple[str, Array]], rtol: float | None, atol: float
) -> Iterator[Compared]:
    for name, gradient in order(iteration.graph):
        if name in theirs:
            source, array = theirs[name]
            ours = np.asarray(iteration.tensor(name), float)
            array = array.reshape(ours.shape) if _squeezed(array) == _squeezed(ours) else array
            allowed = RTOLS.get(array.dtype.itemsize, RTOL) if rtol is None else rtol
            of_parameter = iteration.graph.value_of(name) in iteration.graph.parameters
            yield Compared(
                name, source, ours, np.asarray(array, float), gradient, of_parameter, allowed, atol
            )


def _squeezed(array: Array) -> tuple[int, ...]:
    return tuple(n for n in array.shape if n != 1)


def _explanations(iteration: Iteration, compared: Sequence[Compared], first: Compared) -> list[Explanation]:
    """Return the mutants that give the first array that differs, and of these those that give the most of theirs; a
    mutant in one place before one everywhere."""
    gradients = [each for each in compared if each.gradient]
    found: list[Explanation] = []
    for mutant, at in _candidates(iteration, first):
        program = _pass(iteration, MutantModel(iteration.spec, mutant, iteration.lr, at))
        wrong = [program.cotangents[iteration.graph.value_of(each.name)] for each in gradients]
        agree = [each.close(array) for each, array in zip(gradients, wrong, strict=True)]
        if agree[gradients.index(first)]:
            found.append(Explanation(mutant, at, sum(agree)))
    most = max((each.given for each in found), default=0)
    best: dict[str, Explanation] = {}
    for each in found:
        if each.given == most:
            best.setdefault(each.mutant.name, each)
    return [*best.values()]


def _candidates(iteration: Iteration, first: Compared) -> Iterator[tuple[RuleMutant, tuple[str, ...] | None]]:
    """Iterate over mutants and places: first everywhere, then where the array that differs is written, then in each
    operation; as many as there is time for."""
    graph = iteration.graph
    here = tuple(visit.op.output for visit in graph.visits_of[graph.value_of(first.name)])
    flops = 6 * max(iteration.spec.weights, 1) * iteration.batch
    left = min(MOST_PASSES, max(MOST_FLOPS // flops, len(RULES)))
    sites = {mutant: mutant.sites(graph, iteration.lr) for mutant in RULES}
    places: list[tuple[RuleMutant, tuple[str, ...] | None]] = [
        (m, None) for m, found in sites.items() if found
    ]
    places += [
        (m, (site,)) for m, found in sites.items() for site in found if site in here and len(found) > 1
    ]
    places += [
        (m, (site,)) for m, found in sites.items() for site in found if site not in here and len(found) > 1
    ]
    yield from places[:left]


def _pass(iteration: Iteration, spec: MutantModel) -> Program:
    program = Program(spec, iteration.batch, iteration.before.parameters)
    program.feed_as(iteration.program)
    program.forward()
    program.backward()
    return program
