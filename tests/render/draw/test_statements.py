"""Statements in lines: what Python reads of the lines is what it reads of the text, at any width."""

from __future__ import annotations

import ast
import subprocess

import pytest

from tui_backprop.engine.explain.pytorch import ZERO_GRAD, optimizer_line
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.render.draw.statements import command_lines, statement_lines

TEXTS = (
    "z2 = a1 @ W2 + b2; z2.retain_grad()",
    optimizer_line(OptimizerSpec("adamw", weight_decay=0.01, decay_bias=False), 0.001),
    "for p in params: p.grad *= min(1, 0.5 / norm) or 1",
    'for group in optimizer.param_groups: group["lr"] = 0.0125',
    "with torch.no_grad(): gamma1[3] += 0.01",
    f"{ZERO_GRAD}; L.backward(); W4.grad[101, 2]",
    "z1 = F.layer_norm(u1, (u1.shape[1],), eps=1e-05) * gamma1 + beta1; z1.retain_grad()",
)


@pytest.mark.parametrize("text", TEXTS)
def test_the_lines_say_what_the_text_says(text):
    for columns in range(12, 120):
        lines = statement_lines(text, columns)
        assert ast.dump(ast.parse("\n".join(lines))) == ast.dump(ast.parse(text)), columns
        longest = max(len(word) for word in text.split())
        assert max(map(len, lines)) <= max(columns, longest + 4 + 2)


def test_a_text_that_fits_is_one_line():
    assert all(statement_lines(text, len(text)) == [text] for text in TEXTS)


@pytest.mark.parametrize("columns", [20, 80])
def test_a_shell_joins_the_lines_of_a_command(columns):
    token = "bp4-" + "Ab9_-" * 40
    lines = command_lines("printf %s", token, columns)
    assert max(map(len, lines)) <= columns
    assert subprocess.run(["sh", "-c", "\n".join(lines)], capture_output=True, text=True).stdout == token
