"""From text to a tree, within bounds, by Python's own parser: nothing is evaluated, and no text can run code.

Every error is an InputError of one line, with the column that it is about."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import quoted

CHARACTERS = 10_000  # of a text
NESTING = 50  # brackets within brackets
LEVELS = 200  # operations within operations
OPERATIONS = 1_000

# Characters that look like ones of a formula, and what to write for them.
INSTEAD = {
    "−": "-", "–": "-", "—": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "²": "**2", "³": "**3", "√": "sqrt()",
    "^": "**", "{": "(", "}": ")", "σ": "sigmoid()", "Σ": "sum()", "|": "abs()",
}  # fmt: skip
FOREIGN = re.compile(r"[^\w\s.,+\-*/()\[\]=:;@]|[^\x00-\x7f]")
LETTER_AFTER_NUMBER = re.compile(r"(?<![\w.])(?>(?:\d++\.?+\d*+|\.\d++)(?:[eE][+-]?\d++)?)[A-Za-z_]")
NO_OPERATOR = re.compile(r"[\w)\]][ \t]+(?=\w)|\)(?=[\w(])")  # between two values
OPEN, CLOSED = "([", ")]"


@dataclass(frozen=True)
class Place:
    """A place in a text: the ``field`` that it is typed into, the line from 1, the column from 1."""

    field: str
    line: int
    column: int

    def error(self, message: str) -> InputError:
        """Return the error of what is wrong here."""
        line = f"line {self.line}, " if self.line > 1 else ""
        return InputError(self.field, f"{line}column {self.column}: {message}")


@dataclass(frozen=True)
class Words:
    """What is said of a text that cannot be parsed: between two values something is ``missing``, or else."""

    missing: str
    unreadable: str


FORMULA = Words(
    "an operator is missing here; write a product with *, as in 2*x",
    "the formula cannot be read here; write it like L = (w*x + b - y)**2",
)
ARRAY = Words(
    "a comma is missing here; write an array like [[0.05, 0.1], [1, 2]]",
    "the array cannot be read here; write it like [[0.05, 0.1], [1, 2]]",
)


def place_of(field: str, node: ast.AST) -> Place:
    return Place(field, getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1)


def _place_at(field: str, text: str, at: int) -> Place:
    before = text[:at]
    return Place(field, before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1)


def checked_text(field: str, text: str, most: int = CHARACTERS) -> str:
    """Return the text if it is short, and has only characters of formulas and brackets that match."""
    if len(text) > most:
        raise InputError(field, f"{len(text):,} characters; at most {most:,} are allowed")
    if found := FOREIGN.search(text):
        character = found[0]
        instead = f"; write {INSTEAD[character]}" if character in INSTEAD else ""
        allowed = "" if instead else "; use the letters a to z, digits, brackets, + - * / ** @ = and commas"
        raise _place_at(field, text, found.start()).error(
            f"{quoted(character)} is not allowed{instead}{allowed}"
        )
    opened: list[int] = []
    for at, character in enumerate(text):
        if character in OPEN:
            opened.append(at)
            if len(opened) > NESTING:
                raise _place_at(field, text, at).error(f"more than {NESTING} brackets within each other")
        elif character in CLOSED:
            if not opened or OPEN.index(text[opened[-1]]) != CLOSED.index(character):
                raise _place_at(field, text, at).error(f"{character} closes no bracket")
            opened.pop()
    if opened:
        raise _place_at(field, text, opened[-1]).error(f"{text[opened[-1]]} is not closed")
    return text


def tree_of(field: str, text: str, operations: int = OPERATIONS, words: Words = FORMULA) -> ast.Module:
    """Parse a checked text of so many operations, at most; the sign of a number is one. Errors are in
    ``words``."""
    if found := LETTER_AFTER_NUMBER.search(text):
        where = _place_at(field, text, found.start())
        raise where.error("a number is followed by a letter; write a product with *, as in 2*x")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        if found := NO_OPERATOR.search(text):
            where = _place_at(field, text, found.end())
            raise where.error(words.missing) from None
        reason = "the number is too long" if "integer string" in str(error.msg) else words.unreadable
        raise Place(field, error.lineno or 1, max(error.offset or 1, 1)).error(reason) from None
    except (RecursionError, MemoryError, ValueError):
        raise InputError(
            field, f"more than {LEVELS} operations depend on each other; give a part of it a name"
        ) from None
    _check_size(field, tree, operations)
    return tree


def _check_size(field: str, tree: ast.Module, most: int) -> None:
    """Raise InputError for a tree that is too deep, or has too many operations. Walks without recursion."""
    level: list[ast.AST] = list(tree.body)
    operations = depth = 0
    while level:
        operations += sum(
            isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call | ast.Subscript) for node in level
        )
        depth += 1
        if operations > most:
            raise InputError(field, f"more than {most:,} operations")
        if depth > LEVELS:
            where = place_of(field, level[0])
            raise where.error(f"more than {LEVELS} operations depend on each other; give a part of it a name")
        level = [child for node in level for child in ast.iter_child_nodes(node)]


def number_in(field: str, node: ast.expr) -> float | None:
    """Return the number that a node writes, with or without a sign; None if it is something else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        found = _literal(field, node.operand)
        return None if found is None else -found if isinstance(node.op, ast.USub) else found
    return _literal(field, node)


def _literal(field: str, node: ast.expr) -> float | None:
    if not isinstance(node, ast.Constant):
        return None
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise place_of(field, node).error(f"{quoted(value)} is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number == float("inf"):
        raise place_of(field, node).error("the number is too large; at most 1.8e308 is allowed")
    return number


def whole_in(field: str, node: ast.expr) -> int:
    """Return the whole number that a node writes. Raises InputError for anything else."""
    number = number_in(field, node)
    if number is None or number != int(number) or abs(number) > 10**6:
        raise place_of(field, node).error("a whole number is expected here, such as 0 or -1")
    return int(number)


def names_in(tree: ast.AST) -> Iterator[ast.Name]:
    """Iterate over all names in a tree."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Name))


def statements_of(text: str) -> list[str]:
    """Return the statements of a valid text, one by one, without the blanks around them."""
    return list(filter(None, (part.strip() for part in text.replace(";", "\n").splitlines())))
