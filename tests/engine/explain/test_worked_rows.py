"""The arithmetic in a row of a receipt, evaluated as it is written, gives the value of the row."""

from __future__ import annotations

import math
import re

import pytest

from tui_backprop.engine.explain.receipts import ReceiptRow, receipt_rows
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.walk.equation import receipt, worked

GELU = math.sqrt(2 / math.pi)
PYTHON = {"gelu'": "gelu_", "−": "-", "×": "*", "½": "0.5", "²": "**2", "√": "sqrt", "[": "(", "]": ")"}


def gelu(z):
    return z / 2 * (1 + math.tanh(GELU * (z + 0.044715 * z**3)))


NAMES = {
    "σ": lambda z: 1 / (1 + math.exp(-z)),
    "gelu_": lambda z: (gelu(z + 1e-6) - gelu(z - 1e-6)) / 2e-6,
    "ln": math.log,
    "exp": math.exp,
    "sqrt": math.sqrt,
}


def evaluate(row):
    """The value of a template, by Python: e^min(0, z) is exp(min(0, z)), a product may have no sign."""
    text = row.template.format(*(f"({factor!r})" for factor in row.factors))
    for sign, code in PYTHON.items():
        text = text.replace(sign, code)
    text = re.sub(r"e\^min(\(.*\))$", r"exp(min\1)", text).replace("e^", "exp")
    return eval(re.sub(r"\) \(", ") * (", text), dict(NAMES))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_template_gives_the_value_of_its_row(calculus, activation, loss):
    spec = NetworkSpec((3, 4, 4, 3), activation, loss, dtype="float64", layer_norm=True, l2=0.2)
    given = calculus.problem(spec, 2)
    if loss == "binary-cross-entropy":  # the receipt is that of classes
        given.target[...] = given.target > 0.5
    iteration = calculus.take(given)
    seen = set()
    for grain in ("equation", "operation"):
        for step in walk(spec, 2, grain=grain):
            for unit in range(spec.layers[step.block]):
                for row in receipt_rows(iteration, step, unit, 5, 1):
                    if row.template:
                        seen.add((step.phase, step.kind))
                        assert evaluate(row) == pytest.approx(row.value, rel=1e-7, abs=1e-9), row
    assert seen >= {("loss", "loss"), ("loss", "penalty"), ("forward", "normalization")}
    assert (("backward", "delta") in seen) == (activation != "identity")


def test_negative_numbers_are_in_brackets_once():
    assert (
        worked(ReceiptRow("*", "", 1.0, (0.5, -0.25), "σ({1}) + {0} {1}²")) == "σ(−0.250) + 0.500 (−0.250)²"
    )
    assert worked(ReceiptRow("+", "", 1.0, (0.5, -0.25))) == "0.500 × −0.250"
    assert worked(ReceiptRow("+", "", 1.0)) == ""


def test_templates_are_left_out_before_products():
    rows = [
        ReceiptRow("+", "δ2[0] · W2[0,0]", 0.125, (0.25, 0.5)),
        ReceiptRow("*", "1 − a1[0]²", 0.75, (0.3, -0.5), "σ({0}) (1 + {0} − {1})"),
        ReceiptRow("=", "δ1[0]", 0.09375),
    ]

    def text(columns):
        return "\n".join("".join(text for text, _ in row) for row in receipt(rows, columns, "backward", UTF8))

    assert "σ(0.300) (1 + 0.300 − (−0.500))" in text(60)
    assert "0.250 × 0.500" in text(60)
    assert "σ" not in text(44)
    assert "0.250 × 0.500" in text(44)
