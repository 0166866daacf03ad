"""From a recorded step to its graph: every operation that derivatives pass, as rows of the table where there are
some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

from tui_backprop.engine.arrays.types import Array, Shape, np
from tui_backprop.engine.frontends.recording.aten import translate, translate_of
from tui_backprop.engine.frontends.recording.naming import NAME, blocks_of, symbols
from tui_backprop.engine.frontends.recording.recorded import (
    FUNCTION,
    RecordedFunction,
    RecordedIteration,
    RecordedOp,
    RecordedValue,
)
from tui_backprop.engine.frontends.recording.recorded_only import Read, recorded_only
from tui_backprop.engine.frontends.recording.translation import NoRow, Translation
from tui_backprop.engine.frontends.recording.validity import values_in
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.graph_builder import Builder
from tui_backprop.engine.network.value import InTorch, Role, Value
from tui_backprop.engine.primitives.arithmetic import arithmetic
from tui_backprop.engine.primitives.reductions import reduction
from tui_backprop.support.format import printable

FLOATS = ("float16", "bfloat16", "float32", "float64")
SHAPE_ALONE = (
    "empty_like",
    "full_like",
    "ones_like",
    "rand_like",
    "randint_like",
    "randn_like",
    "zeros_like",
)
Arrays = Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class RecordedGraph:
    """The graph of a step; ``names`` are those of its values in it, by number; "" for one that is not in it.
    ``made_by`` is the operation of the step that each operation of the graph is a part of."""

    graph: Graph
    names: tuple[str, ...]
    made_by: Mapping[str, int]
    without_row: tuple[int, ...]  # operations that are only recorded
    functions: Mapping[
        str, int
    ]  # by output: the function with a backward pass of its own that it is a part of


def graph_of(step: RecordedIteration, arrays: Arrays, path: str = "") -> RecordedGraph:
    """Build the graph of a step in a file at ``path``. Raises NoRow if its backward pass begins at nothing that
    depends on a parameter."""
    return _Recording(step, arrays, path).whole()


@dataclass
class _Recording:
    step: RecordedIteration
    arrays: Arrays
    path: str
    _builder: Builder = field(default_factory=Builder)
    _made_by: dict[str, int] = field(default_factory=dict)
    _without: list[int] = field(default_factory=list)
    _functions: dict[str, int] = field(default_factory=dict)
    _live: set[int] = field(default_factory=set)  # values that depend on parameters
    _flows: set[int] = field(default_factory=set)  # values that a derivative flows to

    def whole(self) -> RecordedGraph:
        self._names = [*symbols(self.step)]
        self._blocks, self._block_of = blocks_of(self.step)
        self._given: set[int] = set()
        opaque = {k for k, each in enumerate(self.step.functions) if not self._differentiable_inside(k, each)}
        for k, op in enumerate(self.step.ops):
            if op.function in opaque:
                if set(op.outputs) & set(self.step.functions[op.function or 0].outputs):
                    self._as_function(k, op.function or 0)
                continue
            self._add(k, op)
        output, loss = self._loss()
        graph = self._builder.graph(self._blocks, output, loss)
        return RecordedGraph(graph, tuple(self._names), self._made_by, tuple(self._without), self._functions)

    # --- values ------------------------------------------------------------------------------------------------

    def shape(self, value: int) -> Shape:
        return self.step.values[value].shape

    def _give(self, number: int, block: int) -> None:
        """Add a value that is given to the graph, when it is read first."""
        if number in self._given:
            return
        self._given.add(number)
        value, name = self.step.values[number], self._names[number]
        role: Role = "parameter" if value.parameter else "input"
        self._builder.give(
            Value(
                name, role, value.shape, block, f"d{name}", frozen=value.parameter and not value.differentiable,
                wanted=value.differentiable and not value.parameter, read=partial(self._numbers_of, number),
                in_torch=self._in_torch(value),
            )
        )  # fmt: skip
        if value.parameter or value.differentiable:
            self._live.add(number)
        if value.differentiable:
            self._flows.add(number)

    def _in_torch(self, value: RecordedValue) -> InTorch | None:
        """How PyTorch reads a value from the file, which is one of safetensors."""
        if not self.path or value.array not in self.arrays:
            return None
        tensor = f"file[{value.array!r}]" + (".requires_grad_()" if value.differentiable else "")
        return InTorch(f"from safetensors.torch import load_file; file = load_file({self.path!r})", tensor)

    def _numbers_of(self, number: int) -> Array:
        """Return the entries of a value, NaN where they are not known."""
        try:
            return self.numbers(number)
        except NoRow:
            return np.full(self.shape(number), np.nan)

    def numbers(self, value: int) -> Array:
        """Return the entries of a value: as they were kept, or those of a view, from what it is a view of. Raises
        NoRow where neither is known."""
        key = self.step.values[value].array
        if key in self.arrays:
            return self.arrays[key]
        if key or value not in self._computed_by:
            raise NoRow
        op = self._computed_by[value]
        return self._view(op, op.outputs.index(value))

    @cached_property
    def _computed_by(self) -> Mapping[int, RecordedOp]:
        return {out: op for op in self.step.ops for out in op.outputs}

    def _view(self, op: RecordedOp, k: int) -> Array:
        """Compute output ``k`` of an operation from the values that it reads. Raises NoRow where that is unknown."""
        read = [*values_in(op.arguments), *values_in([*op.keywords.values()])]
        builder = Builder()
        for number in dict.fromkeys(read):
            builder.give(Value(self._names[number], "input", self.shape(number), 0))
        translation = Translation(op, self._names, builder, 0, self)
        translate(translation)
        return translation.run({self._names[number]: self.numbers(number) for number in read}, k)

    # --- operations ----------------------------------------------------------------------------------------------

    def _differentiable_inside(self, k: int, function: RecordedFunction) -> bool:
        """Return whether all that a function computes has rows."""
        inside = [op for op in self.step.ops if op.function == k]
        try:
            for op in inside:
                translate_of(op.name)
        except NoRow:
            return False
        return True

    def _is_float(self, number: int) -> bool:
        return self.step.values[number].dtype in FLOATS

    def _add(self, k: int, op: RecordedOp) -> None:
        """Add an operation, unless what it computes depends on no parameter: then it is given to those that read
        it."""
        read = [*values_in(op.arguments), *values_in([*op.keywords.values()])]
        block = self._block_of[op.module]
        for number in read:
            value = self.step.values[number]
            if value.parameter or (value.differentiable and not self._computed(number)):
                self._give(number, block)
        alone = op.name.partition(".")[2].partition(".")[0] in SHAPE_ALONE
        if alone or not self._live.intersection(read) or not any(map(self._is_float, op.outputs)):
            return
        for number in read:
            if number not in self._live:
                self._give(number, 0)
        flowing = bool(self._flows.intersection(read))
        kept = op.function is not None or any(self.step.values[out].differentiable for out in op.outputs)
        translation = Translation(op, self._names, self._builder, block, self)
        try:
            translate(translation)
            made = [op.outputs[i] for i in translation.made]
            names = translation.finish(detached=flowing and not kept)
        except NoRow:
            made, names = self._recorded(op, block, read)
            self._without.append(k)
        self._made_by |= dict.fromkeys(names, k)
        if op.function is not None:
            self._functions |= dict.fromkeys(names, op.function)
        self._live.update(made)
        if flowing and kept:
            self._flows.update(made)

    def _computed(self, number: int) -> bool:
        return number in self._live and number not in self._given

    def _recorded(self, op: RecordedOp, block: int, read: list[int]) -> tuple[list[int], list[str]]:
        """Add an operation that has no row, as it was recorded."""
        terms = dict(op.terms)
        name = printable(op.name, NAME).removeprefix("aten.").removeprefix(FUNCTION).partition(".")[0]
        return self._only(name, block, read, op.outputs, terms)

    def _as_function(self, k: int, number: int) -> None:
        """Add a whole function with a backward pass of its own, as it was recorded."""
        function = self.step.functions[number]
        block = self._block_of.get(function.module, 0)
        for value in function.inputs:
            self._give(value, block) if value not in self._live else None
        made, names = self._only(
            function.name, block, [*function.inputs], function.outputs, dict(function.terms)
        )
        self._without.append(k)
        self._made_by |= dict.fromkeys(names, k)
        self._functions |= dict.fromkeys(names, number)
        self._live.update(made)
        self._flows.update(made)

    def _only(
        self, name: str, block: int, read: list[int], outputs: tuple[int, ...], terms: dict[int, str]
    ) -> tuple[list[int], list[str]]:
        inputs = sorted(dict.fromkeys(read), key=lambda number: number not in self._flows)
        flowing = [number for number in inputs if number in self._flows]
        made = [out for out in outputs if self._is_float(out)]
        for out in made:
            first = out == made[0] and self.step.values[out].differentiable
            reads = [self._term(number, terms) if first else None for number in flowing] if first else []
            row = recorded_only(name, self.shape(out), partial(self._numbers_of, out), reads)
            self._builder.compute(
                row, [self._names[each] for each in inputs], self._names[out], "value", block
            )
        return made, [self._names[out] for out in made]

    def _term(self, number: int, terms: dict[int, str]) -> Read | None:
        key = terms.get(number) or self.step.values[number].cotangent
        return (lambda: self.arrays[key]) if key in self.arrays else None

    # --- the loss ------------------------------------------------------------------------------------------------

    def _loss(self) -> tuple[str, str]:
        """Return the names of the output and of the loss: the one that the backward pass began at, or the sum of
        several, each times the cotangent that it began with."""
        parts = []
        for n, (number, key) in enumerate(self.step.roots):
            name = self._names[number]
            if number not in self._live:
                raise NoRow
            if key:
                seed = f"seed{n + 1}"
                self._builder.give(
                    Value(
                        seed,
                        "input",
                        self.arrays[key].shape,
                        0,
                        f"d{seed}",
                        read=partial(self.arrays.__getitem__, key),
                    )
                )
                name = self._builder.compute(
                    arithmetic("multiply"), (name, seed), f"{name}·{seed}", "value", 0
                )
            if shape := self._builder.shape(name):
                row = reduction("sum", tuple(range(-len(shape), 0)))
                name = self._builder.compute(row, (name,), f"Σ {name}", "value", 0)
            parts.append(name)
        total = parts[0]
        for n, part in enumerate(parts[1:], 2):
            total = self._builder.compute(arithmetic("add"), (total, part), f"L{n}", "value", 0)
        return total, total
