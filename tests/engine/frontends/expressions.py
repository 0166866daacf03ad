"""Expressions for tests: problems, iterations, and random ones."""

from __future__ import annotations

import random

import numpy as np

from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.model import no_data
from tui_backprop.engine.training.iteration import Iteration, TrainingState, Update, run_iteration


def problem(spec) -> Problem:
    return Problem(spec, no_data(spec.dtype), no_data(spec.dtype), initial_parameters(spec))


def take(spec, lr: float = 0.1) -> Iteration:
    data = no_data(spec.dtype)
    return run_iteration(spec, Update(data, data, lr), TrainingState(0, initial_parameters(spec)))


BINARY = ["+", "-", "*", "/", "**", "max", "min"]
UNARY = ["-", "exp", "log", "sin", "cos", "sqrt", "tanh", "sigmoid", "relu", "abs", "detach"]
OVER_ARRAYS = [
    "sum",
    "mean",
    "max",
    "min",
    "dot",
    "@",
    "transpose",
    "reshape",
    "index",
    "concatenate",
    "gather",
]
EVERY = {*BINARY, *UNARY, *(f"{name} of an array" for name in OVER_ARRAYS)}
LETS = {"a": (), "b": (), "c": (), "k": (), "u": (3,), "w": (3,), "M": (2, 3), "N": (3, 2)}


class Drawn:
    """A random expression: its text, its numbers, and the operators in it."""

    def __init__(self, source: random.Random) -> None:
        self.random = source
        self.operators: set[str] = set()
        self.names: list[str] = [name for name, shape in LETS.items() if shape == ()]
        lines = []
        for number in range(self.random.randint(0, 3)):
            lines.append(f"s{number} = {self.scalar(2)}")
            self.names += [f"s{number}"] * 6  # so that it is used more than once
        self.text = "\n".join([*lines, f"L = {self.scalar(3)}"])
        numbers = np.random.default_rng(self.random.randrange(2**32))
        lets = []
        for name, shape in LETS.items():
            if any(name == token for token in _tokens(self.text)):
                sign = ":=" if name == "k" else "="
                lets.append(f"{name}{sign}{numbers.uniform(-2, 2, shape).round(3).tolist()}")
        self.let = ", ".join(lets)

    def uses_a_value_twice(self, graph) -> bool:
        return any(count > 1 for count in graph.uses.values())

    def scalar(self, depth: int) -> str:
        """Write a number."""
        if depth == 0 or self.random.random() < 0.1:
            return self.random.choice([*self.names, *self.names, f"{self.random.uniform(0.1, 3):.2f}"])
        kind = self.random.random()
        if kind < 0.45:
            return self._binary(self.scalar(depth - 1), self.scalar(depth - 1))
        if kind < 0.7:
            return self._unary(self.scalar(depth - 1))
        return self._reduced(depth)

    def _use(self, name: str) -> str:
        self.operators.add(name)
        return name

    def _binary(self, left: str, right: str) -> str:
        name = self._use(self.random.choice(BINARY))
        if name == "**":
            return f"({left}) ** {self.random.choice(['2', '3', '-1', '2.0'])}"
        if name == "/":
            return f"({left}) / (({right})**2 + 0.5)"
        return f"{name}({left}, {right})" if name.isalpha() else f"({left}) {name} ({right})"

    def _unary(self, of: str) -> str:
        name = self._use(self.random.choice(UNARY))
        if name in ("log", "sqrt"):
            return f"{name}(abs({of}) + 0.3)"
        if name == "exp":
            return f"exp(sin({of}))"
        return f"{name}({of})"

    def _reduced(self, depth: int) -> str:
        name = self.random.choice(OVER_ARRAYS)
        self._use(f"{name} of an array")
        vector = lambda: self._vector(depth - 1)  # noqa: E731
        match name:
            case "dot":
                return f"dot({vector()}, {vector()})"
            case "@":
                return f"sum(M @ N @ (M @ {vector()}))"
            case "transpose":
                return f"sum(transpose(M) * N * {self.random.choice(self.names)})"
            case "reshape":
                return "sum(reshape(M, 3, 2) * N)"
            case "index":
                return self.random.choice([f"({vector()})[1]", "M[0, 2]", "sum(M[:, 1:])", "sum(u[::2])"])
            case "concatenate":
                return f"sum(concatenate({vector()}, u) ** 2)"
            case "gather":
                return f"mean(gather({vector()}, [0, 2, 0]) * w)"
            case _:
                if self.random.random() < 0.3:
                    return f"sum({name}(M * {vector()}, axis={self.random.choice([0, 1, -1])}))"
                return f"{name}({vector()})"

    def _vector(self, depth: int) -> str:
        """Write a vector of three numbers."""
        of = self.random.choice(["u", "w", "M[0]", "u * w"])
        if self.random.random() < 0.4 and depth > 0:
            return self._binary(of, self.scalar(depth - 1))
        return self._unary(of) if self.random.random() < 0.4 else of


def _tokens(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text).split()
