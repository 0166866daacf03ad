"""Texts that are no expressions, huge or hostile: one clear line, or a computation in bounded time and memory."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from tests.engine.frontends.expressions import take
from tui_backprop.engine.frontends import expression
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.support.errors import InputError

REFUSED = [
    ("", "w=1", "expr: nothing is written; write an expression such as L = (w*x + b - y)**2"),
    ("w*q", "w=1", 'expr: column 3: "q" has no value; give it one among the numbers (--let), such as q=1'),
    ("2w", "w=1", "expr: column 1: a number is followed by a letter; write a product with *, as in 2*x"),
    ("w^2", "w=1", 'expr: column 2: "^" is not allowed; write **'),
    ("w − 1", "w=1", 'expr: column 3: "−" is not allowed; write -'),
    ("(w*2", "w=1", "expr: column 1: ( is not closed"),
    ("w)*2", "w=1", "expr: column 2: ) closes no bracket"),
    ("u = w*\nL = u", "w=1", "expr: column 7: the formula cannot be read here"),
    ("u = w\nL = u*?", "w=1", 'expr: line 2, column 7: "?" is not allowed'),
    ("sinh(w)", "w=1", 'expr: column 1: "sinh" is not a function; choose from exp, log, sin'),
    ("sin(w, w)", "w=1", "expr: column 1: sin takes 1 value, not 2"),
    ("sin + w", "w=1", "expr: column 1: sin is a function; write sin(...)"),
    ("w += 1", "w=1", "expr: column 1: a name has one value; write a new name"),
    ("w = 1", "w=1", "expr: column 1: w has a value already; choose another name"),
    ("w*2\nL = w", "w=1", "expr: column 1: the value of this statement has no name"),
    ("L = w if w else 1", "w=1", "expr: column 5: this is not part of a formula"),
    ("w < 1", "w=1", 'expr: column 3: "<" is not allowed'),
    ("import os", "w=1", "expr: column 1: this is not a formula"),
    ("L = w @ w", "w=1", "expr: column 5: a matrix product takes vectors or matrices; multiply numbers with *"),
    ("L = sum(w*x)", "w=[1, 2], x:=[1, 2, 3]", "expr: column 9: shapes (2,) and (3,) do not fit together"),
    ("L = 2*w", "w=[1, 2]", "expr: column 1: the last statement has the shape (2,); a loss is one number"),
    ("L = w[2]", "w=[1, 2]", "expr: column 5: index 2 is out of range (0 to 1)"),
    ("L = sum(w, axis=3)", "w=[1, 2]", "expr: column 5: axis 3 is out of range for the shape (2,)"),
    ("L = w*1e999", "w=1", "expr: column 7: the number is too large"),
    ("L = w*1j", "w=1", "expr: column 7: a number is followed by a letter"),
    ("L = w*1e5x", "w=1", "expr: column 7: a number is followed by a letter"),
    ("L = x", "x:=1", "let: no parameter to differentiate by; give one with =, such as w=0.5 (:= is fixed)"),
    ("L = w", "w=1, q=2", "let: q is not in the expression; use it there, or leave it out"),
    ("L = __import__", "w=1", 'expr: column 5: "__import__" cannot be a name; use letters and digits, such as w1'),
    ("sum(**w)", "w=1", "expr: column 1: sum takes no named argument but axis="),
    ("reshape(w, 3)", "w=[1, 2]", "expr: column 1: 2 entries cannot have the shape (3,)"),
    ("w" + "+w" * 300, "w=1", "expr: column 1: more than 200 operations depend on each other; give a part"),
    ("L = lambda", "w=1", "expr: column 11: the formula cannot be read here"),
    ("L = w", "if=1, w=1", 'let: "if" cannot be a name'),
    ("L = w", "w=1, w=2", "let: w is given twice"),
    ("L = sin", "sin=1", "let: sin is the name of a function; choose another"),
    ("L = w", "w", 'let: "w" gives no number to a name; write it like w=-0.3, b=0.1, x:=0.5'),
    ("L = w", "w=[[1, 2], [3]]", "let: column 1: the rows of w have different lengths"),
    ("L = w", "w=exit()", "let: the value of w is not a number or an array, such as 0.5 or [1, 2]"),
    ("L = lambda_", "lambda_=1", 'let: "lambda_" cannot be a name'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "let", "message"), REFUSED)
def test_what_is_no_expression_is_refused_with_its_column(text, let, message):
    with pytest.raises(InputError) as error:
        ExpressionSpec(text, let)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


INTERNALS = [
    "__import__('os').system('true')", "L = __import__", "w.__class__.__mro__", "eval(w)", "exec(w)", "open(w)",
    "L = (lambda: w)()", "[w for w in w]", "globals()", "w.real", "print(w)", "L = f'{w}'", "{w}", "yield w",
    "await w", "L := w", "def f(): w", "class w: pass", "w: int = 1", "del w", "assert w", "with w: pass", "L = *w",
    "sum(*w)", "sum(**w)", "sum(w, dtype=w)", "breakpoint()", "__builtins__", "L = not w", "w and w", "w // 2",
    "w % 2", "w << 2", "~w", "w == w", "L = 'w'", "L = True*w", "L = None", "...", "pass", "a, b = w", "w[w]",
    "w['a']", "L = _", "__debug__",
]  # fmt: skip
LOOK_ALIKES = [
    "ｗ*2",
    "w*ｘ",
    "𝐰**2",
    "ехр(w)",
    "L = w∗2",
    "w\u200b*2",
    "w\u202e",
    "ﬁ",
    "w*²",
    "w·2",
    "L＝w",
    "w\x00",
    "w\x1b[2J",
]


@pytest.mark.parametrize("text", [*INTERNALS, *LOOK_ALIKES])
def test_internals_and_look_alikes_are_refused(text):
    with pytest.raises(InputError) as error:
        ExpressionSpec(text, "w=1")
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 300


HUGE = {
    "brackets": "(" * 1000 + "w" + ")" * 1000,
    "indices": "w" + "[0]" * 3000,
    "calls": "sin(" * 49 + "w" + ")" * 49,
    "minuses": "-" * 9000 + "w",
    "sums": "+".join(["w"] * 4900),
    "powers": "**".join(["w"] * 3000),
    "tower": "w*9**9**9**9",
    "digits": "w*" + "9" * 9000,
    "zeros": "w*0." + "0" * 9000 + "1",
    "long": "w*" * 5000 + "w",
    "too long": "w*" * 6000 + "w",
    "statements": "\n".join(f"u{i} = w*{i}" for i in range(400)) + "\nL = w",
    "semicolons": ";" * 9000,
    "blanks": " " * 9990 + "w",
    "lists": "sum(" + "[" * 45 + "w" + "]" * 45 + ")",
    "names": "w" * 9999,
    "outer": "sum(transpose(reshape(W, 1, 1000)) * W)",
    "products": "sum(" + " @ ".join(["W"] * 900) + ")",
    "doubling": "u0 = concatenate(W, W)\n"
    + "\n".join(f"u{i + 1} = concatenate(u{i}, u{i})" for i in range(40))
    + "\nsum(u40)",
    "gathered": "sum(gather(W, [" + "0, " * 3000 + "0]))",
    "reshaped": "sum(reshape(W, 1000000, 1000000, 1000000))",
    "sliced": "sum(W[0:99999999999999999999])",
}  # fmt: skip


def made(text, let):
    """Return the specification of an expression, or None if it is refused in one short line."""
    try:
        return ExpressionSpec(text, let)
    except InputError as error:
        if len(str(error)) < 300 and str(error).isprintable():
            return None
        raise


@pytest.mark.parametrize("name", HUGE)
def test_huge_texts_are_refused_or_computed(name):
    let = f"W={[0.5] * 1000}" if "W" in HUGE[name] else "w=1"
    if spec := made(HUGE[name], let):
        with np.errstate(all="ignore"):
            iteration = take(spec)
        assert len(spec.graph.ops) <= 1000
        assert max(array.size for array in iteration.arrays()) <= 10_000


def test_a_tower_of_powers_overflows_as_floating_point_does():
    with np.errstate(all="ignore"):
        iteration = take(ExpressionSpec("L = w*9**9**9**9", "w=1"))
    assert iteration.loss == float("inf")
    assert iteration.bad.value == "v1" or iteration.bad.value.startswith("v")


LETS = [
    "w=" + "[" * 60 + "1" + "]" * 60, f"w={[0] * 20_000}", f"w={[0] * 3000}", ",".join(f"a{i}=1" for i in range(300)),
    "w=" + "-" * 5000 + "1", "w=1e999", "w=nan", "w=[]", "w=1;" * 2000, "=" * 9000,
]  # fmt: skip


@pytest.mark.parametrize("let", LETS)
def test_huge_numbers_are_refused_or_taken(let):
    spec = made("L = sum(w)", let)
    assert spec is None or spec.parameters <= 10_000


def test_nothing_in_the_front_end_can_evaluate_a_text():
    for path in Path(expression.__file__).parent.glob("*.py"):
        called = {node.func.id for node in ast.walk(ast.parse(path.read_text()))
                  if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
        assert not called & {"eval", "exec", "compile", "__import__", "open"}
