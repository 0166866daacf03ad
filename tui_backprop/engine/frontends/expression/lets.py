"""The numbers that an expression starts with: ``w=-0.3`` is a parameter, ``x:=0.5`` is fixed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from keyword import iskeyword

from tui_backprop.engine.arrays.types import Shape, size
from tui_backprop.engine.frontends.expression.syntax import ARRAY, checked_text, number_in, place_of, tree_of
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import quoted

FIELD = "let"
ENTRIES = 10_000  # of an array
NAMES = 200
EXAMPLE = "w=-0.3, b=0.1, x:=0.5"
WITHOUT_COMMA = re.compile(r"(?<=[^\s=])\s+(?=[A-Za-z]\w*\s*:?=)")  # before the next name
NAME = re.compile(r"[A-Za-z](?:\w{0,18}[A-Za-z0-9])?", re.ASCII)
ONE = re.compile(r"\s*(?P<name>\w*)\s*(?P<sign>:?=)?\s*(?P<value>.*?)\s*", re.DOTALL)


@dataclass(frozen=True)
class Let:
    """A name with its numbers, row by row, and their shape; ``fixed``, or a parameter."""

    name: str
    numbers: tuple[float, ...]
    shape: Shape
    fixed: bool


def parse_lets(text: str, reserved: frozenset[str]) -> tuple[Let, ...]:
    """Parse numbers such as ``w=-0.3, x:=[1, 2]``. Raises InputError for the first that is wrong, and for a name that
    is ``reserved``."""
    found: dict[str, Let] = {}
    for part in parts_of(checked_text(FIELD, text)) if text.strip() else ():
        one = _let(part, reserved)
        if one.name in found:
            raise InputError(FIELD, f"{one.name} is given twice; give each name once")
        found[one.name] = one
        if len(found) > NAMES:
            raise InputError(FIELD, f"more than {NAMES} names")
    return tuple(found.values())


def lets_of(text: str) -> list[str]:
    """Return what gives a number to each name, without the blanks around it."""
    return [part.strip() for part in parts_of(text)]


def parts_of(text: str) -> Iterator[str]:
    """Divide a text at the commas, semicolons and line ends that are in no bracket."""
    depth = start = 0
    for at, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if character in ",;\n" and not depth:
            yield text[start:at]
            start = at + 1
    yield text[start:]


def _let(part: str, reserved: frozenset[str]) -> Let:
    found = ONE.fullmatch(part)
    if not part.strip():
        raise InputError(FIELD, f"a name is missing; write it like {EXAMPLE}")
    if not found or not found["sign"] or not found["value"]:
        raise InputError(FIELD, f"{quoted(part.strip())} gives no number to a name; write it like {EXAMPLE}")
    if commas := WITHOUT_COMMA.sub(", ", part.strip()) if WITHOUT_COMMA.search(part.strip()) else "":
        raise InputError(FIELD, f"a comma is missing; write {quoted(commas[:60])}")
    name = check_name(FIELD, found["name"], reserved)
    numbers, shape = array_of(FIELD, name, found["value"])
    if size(shape) > ENTRIES:
        raise InputError(FIELD, f"{name} has {size(shape):,} entries; at most {ENTRIES:,} are allowed")
    return Let(name, numbers, shape, found["sign"] == ":=")


def check_name(field: str, name: str, reserved: frozenset[str]) -> str:
    """Return a name if it can be one of a value."""
    if not NAME.fullmatch(name) or iskeyword(name):
        raise InputError(
            field,
            f"{quoted(name)} cannot be a name; use up to 20 letters and digits, a letter first, such as w1",
        )
    if name in reserved:
        raise InputError(field, f"{name} is the name of a function; choose another")
    return name


def array_of(field: str, name: str, text: str) -> tuple[tuple[float, ...], Shape]:
    """Parse a number or nested lists of numbers: the numbers, row by row, and the shape. Raises InputError for the
    ``field``; ``text`` is a checked one."""
    try:
        body = tree_of(field, text, ENTRIES, ARRAY).body
    except InputError as error:
        raise InputError(field, error.message if name == field else f"{name}, {error.message}") from None
    if len(body) != 1 or not isinstance(body[0], ast.Expr):
        raise InputError(field, f"{quoted(text)} is not a number or an array, such as 0.5 or [1, 2]")
    return _array(field, name, body[0].value)


def _array(field: str, name: str, node: ast.expr) -> tuple[tuple[float, ...], Shape]:
    """Return the numbers and the shape of a number, or of a list of arrays of one shape."""
    number = number_in(field, node)
    if number is not None:
        return (number,), ()
    if not isinstance(node, ast.List | ast.Tuple) or not node.elts:
        raise InputError(field, f"the value of {name} is not a number or an array, such as 0.5 or [1, 2]")
    parts = [_array(field, name, each) for each in node.elts]
    shapes = {shape for _, shape in parts}
    if len(shapes) > 1:
        raise place_of(field, node).error(f"the rows of {name} have different lengths")
    return tuple(n for numbers, _ in parts for n in numbers), (len(parts), *shapes.pop())
