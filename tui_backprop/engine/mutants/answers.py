"""The right number, the wrong numbers, and which of them a learner's number is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite

import numpy as np

from tui_backprop.engine.mutants.model import MutantModel
from tui_backprop.engine.mutants.mutant import (
    Asked,
    Move,
    Mutant,
    QuotientMutant,
    RuleMutant,
    UpdateMutant,
    What,
)
from tui_backprop.engine.mutants.table import MUTANTS, STEP
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array, index_at, size
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.engine.training.optimizers import optimizer_of

ROUND_OFF = 64  # times the precision, relative to the largest number: what a sum leaves whose terms cancel
MOST_KEPT = 2**26  # bytes of the passes of all mutants
CANDIDATES = 12  # entries that are compared before one is asked for
RTOL = 0.005  # a number with three significant digits is at most this far from what it stands for


def close(one: float, other: float, rtol: float = RTOL) -> bool:
    """Return True if two numbers are equal to about three significant digits; 0 is close to 0 alone."""
    return abs(one - other) <= rtol * min(abs(one), abs(other))


def distinct(numbers: Mapping[str, float], name: str) -> bool:
    """Return True if a number is finite, and no number that is close to it is close to another one, too."""
    own = numbers[name]
    others = (number for each, number in numbers.items() if each != name)
    return isfinite(own) and not any(close(own, number, 2 * RTOL) for number in others)


@dataclass(frozen=True)
class Diagnosis:
    """What a number is: the ``right`` one, or that of ``mutants``; several if they agree here, none if it is none."""

    right: bool
    mutants: tuple[Mutant, ...]


@dataclass(frozen=True, eq=False)
class Answers:
    """The right and the wrong numbers of one iteration. Mutants run on demand: of a small network once each."""

    iteration: Iteration
    _programs: dict[RuleMutant, Program | None] = field(default_factory=dict)
    _updated: dict[RuleMutant, Array] = field(default_factory=dict)

    def right(self, asked: Asked) -> float:
        """Return the right number. Raises KeyError for a name that the graph does not have, IndexError for an index
        out of range, ValueError for a value that has no such number."""
        iteration, name, index = self.iteration, asked.name, asked.index
        match asked.what:
            case "gradient":
                return float(iteration.program.cotangents[name][index])
            case "accumulated":
                return 2 * float(iteration.program.cotangents[name][index])
            case "after backward":
                return float(iteration.program.values[name][index])
            case "updated":
                return float(iteration.new[name][index])
            case "quotient":
                above, below, h = self.losses(asked)
                return (above - below) / h

    def wrong(self, asked: Asked, names: Iterable[str] = MUTANTS) -> dict[str, float]:
        """Return the finite numbers of those mutants that say something about what is asked, by name. What is left of
        terms that cancel is 0."""
        numbers = ((name, self._number(MUTANTS[name], asked)) for name in names)
        found = {name: number for name, number in numbers if number is not None and isfinite(number)}
        dtype = "float64" if asked.what == "quotient" else self.iteration.spec.dtype
        least = ROUND_OFF * float(np.finfo(dtype).eps) * max(map(abs, found.values()), default=0)
        return {name: number if abs(number) > least else 0.0 for name, number in found.items()}

    def all(self, asked: Asked, names: Iterable[str] = MUTANTS) -> dict[str, float]:
        """Return the right number under "", and the wrong ones under the names of their mutants."""
        return {"": self.right(asked), **self.wrong(asked, names)}

    def telling(
        self, what: What, name: str, rng: np.random.Generator, names: Iterable[str] = MUTANTS
    ) -> tuple[Asked, dict[str, float]] | None:
        """Choose an entry of a value, of a few drawn at random, at which the most mutants differ from the right
        number and from each other; return it with the right number under "" and those of these mutants. None where
        none does."""
        shape, names = self.iteration.program.values[name].shape, tuple(names)
        drawn = rng.permutation(size(shape))[:CANDIDATES]
        best: tuple[Asked, dict[str, float]] | None = None
        for place in map(int, drawn):
            asked = Asked(what, name, index_at(place, shape))
            numbers = self.all(asked, names)
            own = {"": numbers[""]} | {each: numbers[each] for each in numbers if distinct(numbers, each)}
            if isfinite(numbers[""]) and len(own) > len(best[1] if best else {"": 0.0}):
                best = asked, own
        return best

    def diagnose(self, asked: Asked, value: float) -> Diagnosis:
        """Tell what a number is that someone gave for what is asked."""
        if close(value, self.right(asked)):
            return Diagnosis(True, ())
        found = (MUTANTS[name] for name, number in self.wrong(asked).items() if close(value, number))
        return Diagnosis(False, tuple(found))

    def _number(self, mutant: Mutant, asked: Asked) -> float | None:
        match mutant:
            case RuleMutant():
                return self._of_rule(mutant, asked)
            case UpdateMutant() if mutant.what == asked.what:
                return mutant.number(self._move(asked))
            case QuotientMutant() if asked.what == "quotient":
                return mutant.number(*self.losses(asked, mutant.dtype, mutant.step))
        return None

    def _of_rule(self, mutant: RuleMutant, asked: Asked) -> float | None:
        if asked.what in ("after backward", "quotient"):
            return None
        program = self.program(mutant)
        if program is None:
            return None
        if asked.what == "updated":
            return float(self._parameters_after(mutant, program)[asked.name][asked.index])
        return (2 if asked.what == "accumulated" else 1) * float(program.cotangents[asked.name][asked.index])

    def program(self, mutant: RuleMutant) -> Program | None:
        """Return the pass of a mutant, on the same batch; None where its rule does not occur. Passes of small
        networks are kept."""
        if mutant in self._programs:
            return self._programs[mutant]
        program = self._run(mutant)
        if self._small:
            self._programs[mutant] = program
        return program

    @cached_property
    def _small(self) -> bool:
        return self.iteration.bytes * len(MUTANTS) <= MOST_KEPT

    def _run(self, mutant: RuleMutant) -> Program | None:
        iteration = self.iteration
        if not mutant.sites(iteration.graph, iteration.lr):
            return None
        spec = MutantModel(iteration.spec, mutant, iteration.lr)
        program = Program(spec, iteration.batch, iteration.before.parameters)
        program.feed_as(iteration.program)
        program.forward()
        program.backward()
        return program

    def _parameters_after(self, mutant: RuleMutant, program: Program) -> Mapping[str, Array]:
        if mutant not in self._updated or not self._small:
            iteration, before = self.iteration, self.iteration.before
            parameters = before.parameters.copy()
            slots = {name: slot.copy() for name, slot in before.slots.items()}
            spec, rule = iteration.spec, iteration.optimizer
            optimizer_of(spec, rule, iteration.lr, slots).apply(
                parameters, program.gradient, before.t - iteration.began
            )
            self._updated[mutant] = parameters
        return self.iteration.graph.views(self._updated[mutant])

    def _move(self, asked: Asked) -> Move:
        iteration, name, index = self.iteration, asked.name, asked.index
        return Move(
            float(iteration.program.values[name][index]),
            float(iteration.program.cotangents[name][index]),
            float(iteration.new[name][index]),
            iteration.lr,
            iteration.graph.role(name) == "bias",
        )

    def losses(self, asked: Asked, dtype: str = "float64", h: float = STEP) -> tuple[float, float, float]:
        """Return L(w + h), L(w) and h."""
        iteration = self.iteration
        spec = iteration.spec.in_precision(dtype)
        parameters = iteration.before.parameters.astype(dtype)
        program = Program(spec, iteration.batch, parameters)
        program.feed_as(iteration.program)
        below = float(program.forward())
        parameters[iteration.graph.flat_index(asked.name, asked.index)] += h
        return float(program.forward()), below, h
