"""Notation of formulas: conversion to ASCII, and spacing."""

from __future__ import annotations

import re
from keyword import iskeyword

ASCII = {
    "δ": "delta", "γ": "gamma", "β": "beta", "λ": "lambda", "μ": "mu", "ρ": "rho", "ε": "epsilon", "π": "pi",
    "₁": "_1", "₂": "_2", "√": "sqrt", "³": "^3", "ᵀ": "^T", "⊙": "*", "Σ": "sum", "σ": "sigmoid", "α": "alpha",
    "←": "<-", "½": "1/2", "²": "^2", "−": "-", "·": "*", "×": "x",
}  # fmt: skip

NUMBER = re.compile(r"-?[\d.]+(e[+-]?\d+)?")
LOWERED = re.compile(r" \^ \( ([2-9]) − 1 \)")


def ascii_formula(text: str) -> str:
    """Convert a formula to ASCII, for programs and for terminals without the glyphs."""
    for glyph, plain in ASCII.items():
        text = text.replace(glyph, plain)
    return text


def name_in(value: str) -> str:
    """Name of a value as a Python identifier: γ1 is gamma1; λ is lambda_, because lambda is a keyword; 0.weight is
    p0_weight. A number stays."""
    name = ascii_formula(value)
    if not (name.isidentifier() or NUMBER.fullmatch(name)):
        name = re.sub(r"\W", "_", name)
        name = f"p{name}" if name[0].isdigit() else name
    return f"{name}_" if iskeyword(name) else name


def _lowered(found: re.Match[str]) -> str:
    exponent = int(found[1]) - 1
    return "" if exponent == 1 else f" ^ {exponent}"


def tidy(formula: str) -> str:
    """Remove the spaces inside brackets, by which the table of primitives separates all tokens, and compute the
    exponent of the slope of a power: x ^ (3 − 1) is x ^ 2, x ^ (2 − 1) is x."""
    formula = LOWERED.sub(_lowered, formula)
    return re.sub(r"(?<=[(\[]) | (?=[)\]²³,])", "", formula)
