"""Expressions to begin with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tui_backprop.engine.network.model import Model

FRONTEND = "expression"


@dataclass(frozen=True)
class ExpressionPreset:
    """An expression, its numbers, and what it is: where it is from, or what it shows."""

    about: str
    text: str
    let: str
    lr: float = 0.1

    frontend: ClassVar[str] = FRONTEND

    def make(self) -> Model:
        """Build the expression."""
        from tui_backprop.engine.frontends.expression.spec import ExpressionSpec  # it is large

        return ExpressionSpec(self.text, self.let)


EXPRESSIONS: Mapping[str, ExpressionPreset] = {
    "sum-product": ExpressionPreset(
        "a sum and a product: the first example of CS231n", "f = (x + y) * z", "x=-2, y=5, z=-4"
    ),
    "sigmoid-neuron": ExpressionPreset(
        "the neuron of CS231n, its sigmoid written out",
        "f = 1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))",
        "w0=2, x0=-1, w1=-3, x1=-2, w2=-3",
    ),
    "micrograd": ExpressionPreset(
        "the example of micrograd's README, with a new name for each new value",
        "c = a + b\nd = a*b + b**3\nc2 = c + c + 1\nc3 = c2 + 1 + c2 + (-a)\nd2 = d + d*2 + relu(b + a)\n"
        "d3 = d2 + 3*d2 + relu(b - a)\ne = c3 - d3\nf = e**2\ng = f/2 + 10/f",
        "a=-4, b=2",
        lr=1e-5,
    ),
    "three-uses": ExpressionPreset(
        "a value that three operations read: its gradient has three terms",
        "u = tanh(w)\nL = u*x + u**2 + sin(u)",
        "w=0.5, x:=2",
    ),
    "two-losses": ExpressionPreset(
        "two losses of the same parameter: its gradients add up, as in .grad after two calls of backward()",
        "L1 = (w*x1 - y1)**2\nL2 = (w*x2 - y2)**2\nL = L1 + L2",
        "w=0.5, x1:=1, y1:=2, x2:=2, y2:=3",
        lr=0.01,
    ),
    "detached": ExpressionPreset(
        "a parameter on which the loss depends through detach alone: it gets no gradient",
        "a = tanh(u*x)\nL = (v*detach(a) - y)**2",
        "u=0.5, v=3, x:=1, y:=1",
    ),
    "x-squared-sine": ExpressionPreset("the product rule", "f = x**2 * sin(x)", "x=1.5"),
    "logistic-neuron": ExpressionPreset(
        "one neuron with a sigmoid and cross-entropy, on one sample",
        "z = w*x + b\np = sigmoid(z)\nL = -(y*log(p) + (1 - y)*log(1 - p))",
        "w=-0.3, b=0.1, x:=0.5, y:=1",
    ),
}
