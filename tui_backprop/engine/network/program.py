"""Run a program: down the list of operations for the forward pass, up the list for the backward pass.

All arrays are allocated once, with the program; a pass only fills them. The parameters are views of one flat vector,
and so are their gradients, which makes an update, a norm or a perturbation one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from tui_backprop.engine.arrays.team import Arguments, Call, run, team
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.network.shared_pass import Phase, backward_phases, forward_phases, run_phases
from tui_backprop.engine.network.value import Value
from tui_backprop.engine.primitives import Array, draw_mask

Part = Callable[[Visit, Array, Arguments], tuple[Array, Arguments]]


def _all_of_it(visit: Visit, to: Array, arguments: Arguments) -> tuple[Array, Arguments]:
    return to, arguments


def _check_labels(value: Value, given: Array) -> None:
    """Raise ValueError unless what is given for a value with classes are labels; ids of tokens may be whole numbers
    of any type."""
    if not value.classes:
        return
    least, whole = -1 if value.padded else 0, given.dtype.kind in "iu"
    if value.role == "input":
        whole = bool((given == np.rint(given)).all())
    if not whole or given.min() < least or given.max() >= value.classes:
        raise ValueError(f"labels must be integers from {least} to {value.classes - 1}")


def _keep() -> None:
    """Compute nothing."""


class Program:
    """A network, a batch of ``n`` samples and the buffers of one pass.

    ``values`` has an array for each value of the program (see ``graph.Graph``), ``cotangents`` one for each
    derivative of the loss by such a value: ``cotangents["zk"]`` is delta k, ``cotangents["Wk"]`` is dWk. ``dtype``
    replaces the spec's precision (complex128 for the complex step). Raises ValueError for a batch without samples,
    and for parameters of another shape than (P,)."""

    _streamed: frozenset[str] = (
        frozenset()
    )  # parameters whose gradient is not stored (see ``training/streaming.py``)

    def __init__(
        self, spec: Model, batch: int, parameters: Array | None = None, dtype: str | None = None
    ) -> None:
        if batch < 1:
            raise ValueError(f"a batch needs at least one sample, not {batch}")
        team()  # from now on BLAS has one thread
        self.spec, self.batch = spec, batch
        self.graph = spec.graph
        self.dtype = np.dtype(dtype or spec.dtype)
        self.ops = self.graph.ops
        self.parameters = np.empty(spec.parameters, self.dtype) if parameters is None else parameters
        if self.parameters.shape != (spec.parameters,):
            raise ValueError(f"parameters have shape {self.parameters.shape}; expected ({spec.parameters},)")
        self.shapes = self.graph.shapes(batch)
        self.values = self._inputs() | self.graph.views(self.parameters)
        self.caches = {}
        self._forward: list[Call] = []
        for op in self.ops:
            inputs = [self.values[name] for name in op.inputs]
            self.values[op.output] = inputs[0] if op.primitive.in_place else self._array(op.output)
            cache = op.primitive.room(self.dtype, *(array.shape for array in inputs))
            self.caches[op.output] = cache
            self._forward.append((op.primitive.forward, (self.values[op.output], cache, *inputs)))

    def _array(self, name: str) -> Array:
        return np.empty(self.shapes[name], self.dtype)

    def _inputs(self) -> dict[str, Array]:
        """Allocate the values that are set from outside and are not parameters; masks drop nothing until they are
        drawn."""
        graph = self.graph
        inputs = {name: self._array(name) for name in graph.inputs}
        if graph.target:
            classes = graph.by_name[graph.target].classes
            inputs[graph.target] = np.zeros(self.shapes[graph.target], np.intp if classes else self.dtype)
        with np.errstate(over="ignore"):
            for name in set(graph.data).difference(graph.fed):
                value = graph.by_name[name]
                inputs[name][...] = np.reshape(
                    value.read() if value.read else value.numbers, inputs[name].shape
                )
            inputs |= {each.name: np.asarray(each.constant, self.dtype) for each in graph.constants}
        return inputs | {each.name: np.ones(self.shapes[each.name], self.dtype) for each in graph.masks}

    @cached_property
    def gradient(self) -> Array:
        """dL/dtheta, flat, shape (P,), in the order of the parameters; filled by ``backward``."""
        return np.zeros(self.spec.parameters, self.dtype)

    def arrays(self) -> Iterator[Array]:
        """Iterate over all arrays of a pass: values, caches, cotangents, the gradient and the parameters."""
        yield from (*self.values.values(), *self.cotangents.values(), self.gradient, self.parameters)
        for cache in self.caches.values():
            yield from cache

    def checked(self) -> Iterator[Array]:
        """Iterate over the arrays in which a NaN or an infinity of the pass shows."""
        yield from (*self.values.values(), *self.cotangents.values())

    @cached_property
    def cotangents(self) -> dict[str, Array]:
        return self._cotangents(self.graph.views(self.gradient))

    def _cotangents(self, given: Mapping[str, Array]) -> dict[str, Array]:
        """Allocate an array for each cotangent; an operation that passes its own on shares one array with its
        input."""
        made = dict(given)
        made[self.graph.loss] = np.ones(self.shapes[self.graph.loss], self.dtype)
        for visit in self.graph.backward_visits:
            if visit.writes not in made and visit.writes not in self._streamed:
                alone = self.graph.uses[visit.writes] == 1
                shared = visit.of == 0 and visit.op.primitive.passes_on and alone
                made[visit.writes] = made[visit.op.output] if shared else self._array(visit.writes)
        return made

    @cached_property
    def _down(self) -> list[Phase]:
        return forward_phases(self, self._forward)

    @cached_property
    def _up(self) -> list[Phase]:
        return backward_phases(self)

    def backward_calls(self, visits: Sequence[Visit], part: Part = _all_of_it) -> list[Call]:
        """Return the calls that run these visits; those that add to a cotangent write to a temporary array first.
        ``part`` narrows each visit to a part of its work."""
        work = []
        for visit in visits:
            to, (rule, arguments) = self.cotangents[visit.writes], self.vjp(visit)
            if visit.adds or to is not arguments[0]:
                work.append((visit.adds, rule, *part(visit, to, arguments)))
        room = np.empty(max((to.size for adds, _, to, _ in work if adds), default=0), self.dtype)
        calls: list[Call] = []
        for adds, rule, to, arguments in work:
            if adds:
                term = room[: to.size].reshape(to.shape)
                calls += [(rule, (term, *arguments)), (np.add, (to, term, to))]
            else:
                calls.append((rule, (to, *arguments)))
        return calls

    def saved(self, value: str) -> Array:
        """Return what the operation that computes a value saves for its backward pass and has a name in formulas."""
        found: Array = getattr(self.caches[value], self.graph.by_output[value].primitive.saved)
        return found

    def vjp(self, visit: Visit) -> tuple[Callable[..., None], Arguments]:
        """Return the rule of a backward visit, and its arguments after the array that it writes to."""
        op = visit.op
        inputs = (self.values[name] for name in op.inputs)
        arguments = (self.cotangents[op.output], self.values[op.output], self.caches[op.output], *inputs)
        return op.primitive.vjps[visit.of or 0], arguments

    def feed(self, x: Array, target: Array) -> None:
        """Set the batch: ``x`` of shape (n, inputs), and ``target``: class labels of shape (n,) for a loss that takes
        labels, otherwise numbers of shape (n, outputs). A graph that holds all numbers itself takes ``no_data``.
        Raises ValueError if shapes or labels do not fit."""
        data = dict(zip(self.graph.fed, map(np.asarray, (x, target)), strict=False))
        for name, given in data.items():
            if np.shape(given) != self.shapes[name]:
                raise ValueError(f"{name} has shape {np.shape(given)}; expected {self.shapes[name]}")
            _check_labels(self.graph.by_name[name], given)
        for name, given in data.items():
            np.copyto(self.values[name], given, casting="same_kind")

    def feed_as(self, other: Program) -> None:
        """Set the batch and the dropout masks of another program."""
        for name in (*self.graph.fed, *(mask.name for mask in self.graph.masks)):
            np.copyto(self.values[name], other.values[name], casting="same_kind")

    def hold_detached(self) -> None:
        """Compute the values that no derivative flows through, and keep them in later passes: for derivatives, they
        are constants."""
        if any(op.primitive.detached for op in self.ops):
            self.forward()
            calls = zip(self.ops, self._forward, strict=True)
            self._forward = [(_keep, ()) if op.primitive.detached else call for op, call in calls]
            del self._down

    def draw(self, generator: np.random.Generator) -> None:
        """Draw the dropout masks of this batch; until then nothing is dropped."""
        for mask in self.graph.masks:
            draw_mask(self.values[mask.name], mask.constant, generator)

    def steps(self) -> Iterator[None]:
        """Walk down the list, yielding after each operation."""
        for call in self._forward:
            run((call,))
            yield

    def forward(self, start: int = 0, stop: int | None = None) -> Array:
        """Walk down the list, from operation ``start`` (to the one before ``stop``); return the loss, an array of
        shape ()."""
        if start or stop is not None:
            run(self._forward[start:stop])
        else:
            run_phases(self._down)
        return self.values[self.graph.loss]

    def backward(self) -> Array:
        """Walk up the list after ``forward``; return the gradient, shape (P,)."""
        run_phases(self._up)
        return self.gradient
