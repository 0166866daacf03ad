"""One training iteration as a frozen value: forward, loss, backward and update, with every number in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from tui_backprop.engine.arrays.statistics import Distribution, Summary, distribute, summarize
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.model import Model, no_data
from tui_backprop.engine.network.nonfinite import (
    PARAMETERS,
    NonFinite,
    finite,
    first_nonfinite,
    nonfinite_forward,
    nonfinite_update,
)
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.rerun import first_terms, overwritten
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec, learning_rate
from tui_backprop.engine.training.optimizers import optimizer_of
from tui_backprop.engine.training.rules import Rules

OBJECT_BYTES = 8192  # of Python's objects for one operation of a pass
MOST_TRIED = 500_000_000  # multiply-accumulates of a recorded pass up to which its update is tried
LARGE_ARRAY = 250_000  # entries of an array that is worth summarizing ahead of time


@dataclass(frozen=True)
class TrainingState:
    """The state of training before iteration ``t`` = 0, 1, ...: parameters (P,), and the optimizer's slots by name,
    each (P,)."""

    t: int
    parameters: Array
    slots: dict[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Update:
    """The inputs of one iteration: the batch, ``x`` (n, inputs) and ``target`` (see ``Program.feed``), the base
    learning rate, the parameters ``moved`` before it: (index in the flat vector, by how much), and its ``rules``, if
    they are not those that training began with."""

    x: Array
    target: Array
    lr: float
    moved: tuple[tuple[int, float], ...] = ()
    rules: Rules | None = None

    def move(self, parameters: Array) -> None:
        """Move them in ``parameters`` (P,), in place; beyond the range of the precision they become infinite."""
        if not self.moved:
            return
        with np.errstate(over="ignore"):
            for place, by in self.moved:
                parameters[place] += by

    def from_there(self, state: TrainingState) -> TrainingState:
        """The state that the iteration starts from: the given one, or a copy with those parameters moved, and with
        slots of 0 where its optimizer begins."""
        if self.rules and state.t == self.rules.began:
            state = replace(state, slots=self.rules.new_slots(state.parameters))
        if not self.moved:
            return state
        parameters = state.parameters.copy()
        self.move(parameters)
        return replace(state, parameters=parameters)


@dataclass(frozen=True)
class Iteration:
    """Every number of one iteration. Its arrays are read-only.

    ``lr`` is alpha, as scheduled for this iteration. ``before`` and ``after`` are the states before and after the
    update, and ``loss_after`` is the loss of the same batch with the updated parameters: NaN if it was not ``tried``,
    for a large pass that was recorded elsewhere. ``began`` is the iteration
    at which the optimizer began. ``earlier`` is the first NaN or infinity of the first iteration of training that had
    one, if that was before this one.
    """

    program: Program
    optimizer: OptimizerSpec
    lr: float
    loss: float
    before: TrainingState
    after: TrainingState
    loss_after: float
    began: int = 0
    earlier: NonFinite | None = None
    tried: bool = True
    _summaries: dict[tuple[str, bool], Summary] = field(default_factory=dict, repr=False, compare=False)
    _distributions: dict[tuple[str, bool], Distribution] = field(
        default_factory=dict, repr=False, compare=False
    )
    _again: dict[str, Array] = field(default_factory=dict, repr=False, compare=False)

    @property
    def spec(self) -> Model:
        return self.program.spec

    @property
    def graph(self) -> Graph:
        return self.program.graph

    @property
    def batch(self) -> int:
        return self.program.batch

    def arrays(self) -> Iterator[Array]:
        """All arrays of the pass and of the states before and after it."""
        yield from self.program.arrays()
        for state in (self.before, self.after):
            yield from (state.parameters, *state.slots.values())

    @cached_property
    def bytes(self) -> int:
        """The bytes that are held for it, at most: all arrays, one that is computed again on demand, and objects."""
        owners = [array if array.base is None else array.base for array in self.arrays()]
        held = {id(owner): owner.nbytes for owner in owners if isinstance(owner, np.ndarray)}
        again = max(array.nbytes for array in self.new.values())
        return sum(held.values()) + again + OBJECT_BYTES * len(self.program.ops)

    @property
    def data(self) -> tuple[Array, Array]:
        """The batch: input and target; empty for a graph that holds all numbers itself."""
        if not self.graph.fed:
            return no_data(self.spec.dtype), no_data(self.spec.dtype)
        return self.tensor(self.graph.input), self.tensor(self.graph.target)

    @cached_property
    def new(self) -> dict[str, Array]:
        """The updated parameters by name."""
        return self.graph.views(self.after.parameters)

    def tensor(self, name: str) -> Array:
        """An array by the field's name for it.

        A value of the graph, its gradient, or what its operation has saved: p, the softmax or sigmoid of a loss that
        has one, (n, outputs); v, a layer's sums as normalized, before gain and shift. Of any derivative that two
        operations add to, with " so far" behind it, what the first of them gave. Raises KeyError for any other name.
        """
        value, what, _ = self.graph.tensors[name]
        if what == "partial" or (what == "value" and value in self.graph.overwritten):
            return self._rerun(name)
        if what == "gradient":
            return self.program.cotangents[value]
        if what == "saved":
            return self.program.saved(value)
        return self.program.values[value]

    def _rerun(self, name: str) -> Array:
        """An array that the pass has overwritten, from its operation run again."""
        if name not in self._again:
            self._again.clear()  # one at a time: a gradient is as large as its parameters
            again = overwritten if name in self.graph.by_name else first_terms
            self._again[name] = again(self.program, name)
        return self._again[name]

    def activation(self, layer: int) -> Op:
        """The activation operation of a hidden layer."""
        return self.graph.activation_ops[layer]

    def deviation(self, layer: int) -> Array:
        """The deviation that the pre-activations of a normalized layer are divided by, by sample, (n, 1)."""
        return np.asarray(self.program.caches[self.graph.part(layer, "normalized") or ""].deviation)

    @cached_property
    def clipping(self) -> float:
        """The factor of gradient clipping: 1, or less where the norm is above the optimizer's limit."""
        rule = optimizer_of(self.spec, self.optimizer, self.lr, {})
        return rule.clipping(self.program.gradient)

    def summary(self, name: str, *, updated: bool = False) -> Summary:
        """The summary of a tensor, or of a parameter after the update; computed once."""
        key = name, updated
        if key not in self._summaries:
            self._summaries[key] = summarize(self.new[name] if updated else self.tensor(name))
        return self._summaries[key]

    def distribution(self, name: str, *, updated: bool = False) -> Distribution:
        """The distribution of a tensor, or of a parameter after the update; computed once."""
        key = name, updated
        if key not in self._distributions:
            self._distributions[key] = distribute(self.new[name] if updated else self.tensor(name))
        return self._distributions[key]

    @cached_property
    def own_bad(self) -> NonFinite | None:
        """The first NaN or infinity of this iteration: of the pass, of its update, or of the loss after that; None
        if all of them are finite."""
        loss_after = [np.asarray(self.loss_after)] * self.tried
        if all(map(finite, (*arrays_checked(self.program, self.after), *loss_after))):
            return None
        updated = self.after.slots | {PARAMETERS: self.after.parameters}
        rule = self.optimizer
        found = first_nonfinite(self.program) or nonfinite_update(
            self.program, updated, rule.name, self.lr, rule.epsilon
        )
        if found:
            return found
        again = Program(self.spec, self.batch, self.after.parameters)
        again.feed_as(self.program)
        found = nonfinite_forward(again)
        return found and replace(found, when=f"{found.when} with the updated parameters")

    @property
    def bad(self) -> NonFinite | None:
        """The origin of the bad numbers of this iteration: the first one of the first iteration that had one; None
        if this iteration has none."""
        return self.own_bad and (self.earlier or self.own_bad)

    def distributed(self, name: str, *, updated: bool = False) -> bool:
        """Return whether the distribution of a tensor is known, or takes no time."""
        return (name, updated) in self._distributions or self.tensor(name).size <= LARGE_ARRAY

    def prepare(self) -> None:
        """Compute in advance what takes long: the origin of a bad number, and summaries of large arrays."""
        _ = self.own_bad, self.clipping
        for name in self.new:
            if self.new[name].size > LARGE_ARRAY:
                self.summary(name)
                self.summary(self.graph.gradient_of(name))
                self.summary(name, updated=True)

    def distribute(self) -> None:
        """Compute in advance the distributions of large arrays."""
        for name in self.new:
            if self.new[name].size > LARGE_ARRAY:
                self.distribution(self.graph.gradient_of(name))
                self.distribution(name, updated=True)

    def slope(self, layer: int, sample: int) -> Array:
        """f' of a hidden layer for one sample, (width,), by its forward mode, in a cache of its own: it is right also
        where a rule of the backward pass is wrong."""
        op = self.activation(layer)
        row, z = op.primitive, self.tensor(op.inputs[0])[sample : sample + 1]
        a, slope, cache = np.empty_like(z), np.empty_like(z), row.room(z.dtype, z.shape)
        with np.errstate(all="ignore"):
            row.forward(a, cache, z)
            row.jvps[0](slope, np.ones_like(z), a, cache, z)
        return np.asarray(slope[0])


def mask_stream(spec: Model, t: int) -> np.random.Generator:
    """The generator of the dropout masks of iteration t; layers draw their weights from spawn keys (1,), (2,), ..."""
    return np.random.default_rng(np.random.SeedSequence(spec.seed, spawn_key=(0, t)))


def feed(program: Program, x: Array, target: Array, t: int) -> None:
    """Give a program a batch, and the dropout masks of iteration t."""
    program.feed(x, target)
    if program.graph.masks:
        program.draw(mask_stream(program.spec, t))


def run(program: Program, update: Update, t: int) -> float:
    """Run the forward and the backward pass of iteration t; return the loss."""
    feed(program, update.x, update.target, t)
    loss = float(program.forward())
    program.backward()
    return loss


def arrays_checked(program: Program, after: TrainingState) -> Iterator[Array]:
    """The arrays in which a bad number of an iteration shows: all values and gradients, the slots, the parameters."""
    yield from (*program.checked(), *after.slots.values(), after.parameters)


def run_iteration(
    spec: Model, update: Update, before: TrainingState, optimizer: OptimizerSpec = OptimizerSpec()
) -> Iteration:
    """Run one whole iteration, by the rules of the update, or else by those given; the loss after the update is
    computed with the same dropout masks. The arrays of ``before`` become part of the result, and so read-only."""
    if rules := update.rules:
        spec, optimizer = rules.spec, rules.optimizer
    began = rules.began if rules else 0
    before = update.from_there(before)
    recorded = None if before.t or update.moved else spec.recorded(before.parameters)
    program = recorded or Program(spec, len(update.x), before.parameters)
    loss = run(program, update, before.t)
    slots = {name: slot.copy() for name, slot in before.slots.items()}
    after = TrainingState(before.t + 1, before.parameters.copy(), slots)
    rule = optimizer_of(spec, optimizer, update.lr, after.slots)
    rule.apply(after.parameters, program.gradient, before.t - began)
    loss_after = np.nan
    if tried := recorded is None or program.graph.macs <= MOST_TRIED:
        again = Program(spec, len(update.x), after.parameters)
        feed(again, update.x, update.target, before.t)
        loss_after = float(again.forward())
    alpha = learning_rate(optimizer, update.lr, before.t - began)
    iteration = Iteration(program, optimizer, alpha, loss, before, after, loss_after, began, tried=tried)
    for array in iteration.arrays():
        array.setflags(write=False)
    return iteration
