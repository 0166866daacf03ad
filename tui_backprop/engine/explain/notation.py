"""How formulas are written: field notation, and the same in ASCII."""

from __future__ import annotations

import re

ASCII = {
    "δ": "delta", "γ": "gamma", "β": "beta", "λ": "lambda", "μ": "mu", "ε": "epsilon", "π": "pi", "₁": "_1",
    "₂": "_2", "√": "sqrt", "³": "^3", "ᵀ": "^T", "⊙": "*", "Σ": "sum", "σ": "sigmoid", "α": "alpha", "←": "<-",
    "½": "1/2", "²": "^2", "−": "-", "·": "*", "×": "x",
}  # fmt: skip


def ascii_formula(text: str) -> str:
    """Write a formula in ASCII, for programs and for terminals without the glyphs."""
    for glyph, plain in ASCII.items():
        text = text.replace(glyph, plain)
    return text


def tidy(formula: str) -> str:
    """A formula as a reader writes it: no spaces inside brackets. (Rows of the table part all tokens.)"""
    return re.sub(r"(?<=[(\[]) | (?=[)\]²³,])", "", formula)
