"""Bytes for training and for inference, against arrays that are really made and passes written out by hand."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest

from tests.cost.accounting.test_ledger import really_read
from tui_backprop.cost.accounting.ledger import ledger
from tui_backprop.cost.accounting.memory_ledger import memory_ledger, most_alive
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import new_slots
from tui_backprop.engine.training.update_rules import UPDATE_RULES

OPTIONS = [
    dict(zip(("bias", "layer_norm", "residual", "dropout", "l2", "dtype"), values, strict=True))
    for values in product(
        (True, False), (False, True), (False, True), (0.0, 0.3), (0.0, 0.1), ("float32", "float64")
    )
]
LAYERS = [(4, 6, 6, 3), (5, 2), (3, 3, 8, 2, 2)]


def evaluated(numbers):
    """Compute what a formula with numbers comes to."""
    assert re.fullmatch(r"[\d,×+() ]+", numbers)
    return eval(numbers.replace(",", "").replace("×", "*"))


@pytest.mark.parametrize("layers", LAYERS, ids=str)
@pytest.mark.parametrize("batch", [1, 7])
def test_bytes_are_those_of_the_arrays_and_of_each_formula(calculus, layers, batch):
    for n, options in enumerate(OPTIONS):
        spec = NetworkSpec(layers, "gelu", **options)
        optimizer = OptimizerSpec(list(UPDATE_RULES)[n % len(UPDATE_RULES)])
        program = calculus.problem(spec, batch).program()
        memory = memory_ledger(ledger(spec, batch), optimizer)
        rows = {row.name: row for row in memory.rows}
        slots = new_slots(optimizer, spec.parameters, spec.dtype)
        assert rows["parameters"].training == rows["parameters"].inference == program.parameters.nbytes
        assert rows["gradients"].training == program.gradient.nbytes
        assert rows["optimizer state"].training == sum(array.nbytes for array in slots.values())
        assert rows["kept values"].training == really_read(program)
        assert [rows[name].inference for name in ("gradients", "optimizer state", "kept values")] == [0, 0, 0]
        for row in memory.rows:
            assert evaluated(row.numbers) == max(row.training, row.inference), row
        assert memory.training == sum(row.training for row in memory.rows)
        assert memory.inference == program.parameters.nbytes + rows["values at once"].inference


def by_hand(spec, batch):
    """Count bytes alive at most in inference: in and out of an operation, and what a residual connection adds."""
    most, widths, size = 0, spec.layers, {"float32": 4, "float64": 8}[spec.dtype]
    for k in range(1, spec.depth + 1):
        came_in, made = (widths[k - 1] if k > 1 else 0), widths[k]
        last, residual = k == spec.depth, spec.residual and widths[k - 1] == widths[k]
        most = max(most, came_in + made)  # the product; the bias is added in place
        if not last:
            waiting = came_in * residual
            most = max(most, waiting + 2 * made)  # normalization, activation and sum: one in, one out
    return size * batch * most


@pytest.mark.parametrize("layers", LAYERS, ids=str)
def test_inference_holds_the_output_of_an_operation_and_what_is_still_read(layers):
    for options, batch in product(OPTIONS, (1, 5)):
        spec = NetworkSpec(layers, "tanh", **options)
        size = np.dtype(spec.dtype).itemsize
        assert size * sum(most_alive(spec, batch).values()) == by_hand(spec, batch), spec


def test_the_lesson_with_adam():
    memory = memory_ledger(ledger(NetworkSpec(), 1), OptimizerSpec("adam"))
    p = 335_114
    assert memory.training == 4 * (p + p + 2 * p + 3 * 512 + 10)
    assert memory.inference == 4 * (p + 512)
    assert [row.numbers for row in memory.rows] == [
        "4 × (334,336 + 778)", "4 × 335,114", "4 × 335,114 × 2", "4 × (3 × 512 + 10)", "4 × (256 + 256)",
    ]  # fmt: skip
    state = memory.rows[2].formula
    assert state == "bytes × P × 2 (m, v of adam)"
