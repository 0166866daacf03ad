"""Actions that drawings and sentences quote by their id are in the table of keys."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import tui_backprop
from tui_backprop.keys.table import ROWS

IDS = {key.id for key in ROWS}
IN_BRACES = re.compile(r"\{([a-z_]+\((?:-?\d+|'\w+')\))\}")  # {change_step(0)}, {panel('blame')}
SOURCES = sorted(Path(tui_backprop.__file__).parent.rglob("*.py"))


def quoted(source: str) -> set[str]:
    """The ids in ``context.key("...")``, and those in braces that can be nothing else."""
    found = set(IN_BRACES.findall("".join(n.value for n in ast.walk(ast.parse(source)) if is_text(n))))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "key":
            found |= {given.value for given in node.args if is_text(given)}
    return found


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_every_quoted_action_has_a_key():
    found = {each: path.name for path in SOURCES for each in quoted(path.read_text("utf-8"))}
    assert len(found) > 10
    assert {each: name for each, name in found.items() if each not in IDS} == {}


@pytest.mark.parametrize("source", ["context.key('stop_learning')", '"{turn_dial(0)}: the lesson\'s"'])
def test_an_action_that_is_gone_is_noticed(source):
    assert quoted(source) - IDS
