"""From the text of an expression to its graph: every operation is an equation of its own, every name a value."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

from tui_backprop.engine.arrays.types import Shape, size
from tui_backprop.engine.frontends.expression.lets import ENTRIES, NAME, Let, check_name, parse_lets
from tui_backprop.engine.frontends.expression.operations import (
    FUNCTIONS_BY_NAME,
    NAMES,
    OPERATORS,
    Call,
    Function,
    sliced,
)
from tui_backprop.engine.frontends.expression.syntax import (
    checked_text,
    names_in,
    number_in,
    place_of,
    tree_of,
    whole_in,
)
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.graph_builder import Builder
from tui_backprop.engine.network.value import Block, Role, Value
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.functions import COPY, FUNCTIONS
from tui_backprop.engine.primitives.layouts import Index
from tui_backprop.support.errors import InputError
from tui_backprop.support.format import format_setting
from tui_backprop.support.validation import quoted

Made = TypeVar("Made")

FIELD = "expr"
ALL_ENTRIES = 1_000_000  # of all values together
STATEMENTS = 200
TITLE = 60  # characters of a block's title
RESERVED = NAMES | {"torch", "optim", "optimizer", "params"}  # the latter are in lines of PyTorch
EXAMPLE = "L = (w*x + b - y)**2"


@lru_cache(maxsize=64)
def graph_of(text: str, let: str, to_inputs: bool = False, scalar: bool = True) -> Graph:
    """Build the graph of an expression with its numbers. Raises InputError for anything that is no expression, and
    for a name without a number, a number without a use, and, if ``scalar``, a last statement that is no single
    number."""
    lets = parse_lets(let, RESERVED)
    tree = tree_of(FIELD, checked_text(FIELD, text).strip())
    statements = [_statement(node) for node in tree.body]
    if not statements:
        raise InputError(FIELD, f"nothing is written; write an expression such as {EXAMPLE}")
    if len(statements) > STATEMENTS:
        raise InputError(FIELD, f"more than {STATEMENTS} statements")
    return _Expression(lets, tree).graph(text.strip(), statements, to_inputs, scalar)


def _without_numbers(tree: ast.Module) -> InputError:
    """Return the error of an expression none of whose names has a number."""
    used = sorted(names_in(tree), key=lambda node: (node.lineno, node.col_offset))
    made = {node.id for node in used if isinstance(node.ctx, ast.Store)}
    names = [name for name in dict.fromkeys(node.id for node in used) if name not in made | RESERVED][:3]
    numbers = ", ".join(f"{name}=1" for name in names) or "w=0.5"
    return InputError("let", f"no numbers are given; give each name one, such as {numbers}")


def _statement(node: ast.stmt) -> tuple[ast.stmt, str, ast.expr]:
    """Return a statement, the name that it gives to its value ("" for none), and the formula."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return node, name, value
        case ast.Expr(value=value):
            return node, "", value
        case ast.AugAssign():
            raise place_of(FIELD, node).error("a name has one value; write a new name, as in c2 = c + 1")
        case _:
            raise place_of(FIELD, node).error(f"this is not a formula; write one like {EXAMPLE}")


class _Expression:
    """Builds a graph, statement by statement."""

    def __init__(self, lets: Sequence[Let], tree: ast.Module) -> None:
        self._build = Builder()
        self._lets = {each.name: each for each in lets}
        self._used = {name.id for name in names_in(tree)}
        self._taken = self._used | self._lets.keys()
        self._named = dict.fromkeys(self._lets, "")
        self._entries = self._operations = 0
        self._block = 0
        if not lets:
            raise _without_numbers(tree)
        if all(each.fixed for each in lets):
            raise InputError(
                "let", "no parameter to differentiate by; give one with =, such as w=0.5 (:= is fixed)"
            )

    def graph(
        self, text: str, statements: Sequence[tuple[ast.stmt, str, ast.expr]], to_inputs: bool, scalar: bool
    ) -> Graph:
        *_, (last, name, _) = statements
        self._loss = name or self._fresh("L")
        for each in self._lets.values():
            role: Role = "input" if each.fixed else "parameter"
            gradient = self._gradient(each.name)
            wanted = to_inputs and each.fixed
            self._build.give(
                Value(each.name, role, each.shape, 0, gradient, wanted=wanted, numbers=each.numbers)
            )
            self._count(each.shape, last)
        blocks = [Block("given")]
        for node, name, formula in statements:
            final = node is last
            self._block += 1
            self._define(node, name or (self._loss if final else ""), formula, final)
            blocks.append(Block(_title(text, node)))
        if unused := [name for name in self._lets if name not in self._used]:
            raise InputError("let", f"{unused[0]} is not in the expression; use it there, or leave it out")
        if (shape := self._build.shape(self._loss)) and scalar:
            message = f"the last statement has the shape {shape}; a loss is one number, such as sum(...)"
            raise place_of(FIELD, last).error(message)
        return self._build.graph(blocks, self._loss, self._loss)

    def _fresh(self, wanted: str) -> str:
        """Return a name that the expression does not use."""
        while wanted in self._taken:
            wanted += "L"
        return wanted

    def _gradient(self, name: str) -> str:
        short = f"d{name}"
        return f"d{self._loss}/d{name}" if short in self._taken else short

    def _define(self, node: ast.stmt, name: str, formula: ast.expr, final: bool) -> None:
        """Compute the value of a statement."""
        where = place_of(FIELD, node)
        if not name:
            raise where.error("the value of this statement has no name; write one, as in u = w*x")
        if isinstance(node, ast.Assign):
            check_name(FIELD, name, RESERVED)
        if name in self._named:
            raise where.error(f"{name} has a value already; choose another name")
        self._value(formula, name, "loss" if final else "value")
        self._named[name] = name

    def _value(self, node: ast.expr, name: str = "", role: Role = "value") -> str:
        """Compute a formula; return the name of its value: ``name``, or one of its own."""
        number = number_in(FIELD, node)
        if number is not None and not name:
            return self._number(number)
        match node:
            case ast.Name(id=read) if not name:
                return self._read(node, read)
            case ast.Name() | ast.Constant():
                primitive, inputs = COPY, [self._value(node)]
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()) if number is not None:
                primitive, inputs = COPY, [self._number(number)]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                primitive, inputs = FUNCTIONS["negate"], [self._value(operand)]
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._value(operand, name, role)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                inputs = [self._value(left), self._value(right)]
                primitive = self._fitting(node, lambda: OPERATORS[type(op)](self._shapes(inputs), Call()))
            case ast.BinOp(op=ast.BitXor()):
                raise place_of(FIELD, node).error("^ is not a power; write **")
            case ast.Call():
                primitive, inputs = self._call(node)
            case ast.Subscript(value=of, slice=key):
                inputs = [self._value(of)]
                index = tuple(map(_index, key.elts if isinstance(key, ast.Tuple) else [key]))
                primitive = self._fitting(node, lambda: sliced(self._build.shape(inputs[0]), index))
            case _:
                operators = "+ - * / ** @"
                raise place_of(FIELD, node).error(
                    f"this is not part of a formula; use names, numbers, {operators} and functions such as tanh(u)"
                )
        return self._compute(node, primitive, inputs, name, role)

    def _number(self, number: float) -> str:
        """Give a number that is written in the formula; its name is how it is written."""
        text = (
            repr(number).removesuffix(".0")
            if float(format_setting(number)) != number
            else format_setting(number)
        )
        text = text.replace("-", "−", 1) if text.startswith("-") else text
        return self._build.give(Value(text, "constant", (), 0, f"d{text}", constant=number))

    def _read(self, node: ast.expr, name: str) -> str:
        if name in self._named:
            return name
        where = place_of(FIELD, node)
        if name in FUNCTIONS_BY_NAME:
            raise where.error(f"{name} is a function; write {name}(...)")
        if not NAME.fullmatch(name):
            raise where.error(f"{quoted(name)} cannot be a name; use letters and digits, such as w1")
        raise where.error(
            f"{quoted(name)} has no value; give it one among the numbers (--let), such as {name[:20]}=1"
        )

    def _call(self, node: ast.Call) -> tuple[Primitive, list[str]]:
        """Return the primitive of a function, and its inputs."""
        where = place_of(FIELD, node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        row = FUNCTIONS_BY_NAME.get(name)
        if row is None:
            functions = ", ".join(FUNCTIONS_BY_NAME)
            raise where.error(
                f"{quoted(name)} is not a function; choose from {functions}"
                if name
                else f"only a function can be called; choose from {functions}"
            )
        arrays, call = _arguments(node, name, row)
        inputs = [self._value(each) for each in arrays]
        return self._fitting(node, lambda: row.make(self._shapes(inputs), call)), inputs

    def _shapes(self, inputs: Sequence[str]) -> list[Shape]:
        return [self._build.shape(each) for each in inputs]

    def _fitting(self, node: ast.expr, make: Callable[[], Made]) -> Made:
        """Return what ``make`` makes; raise InputError for shapes that do not fit."""
        try:
            return make()
        except ValueError as error:
            raise place_of(FIELD, node).error(str(error)) from None

    def _compute(
        self, node: ast.expr, primitive: Primitive, inputs: Sequence[str], name: str, role: Role
    ) -> str:
        shape = self._fitting(node, lambda: primitive.shape(*self._shapes(inputs)))
        self._count(shape, node)
        if not name:
            self._operations += 1
            while f"v{self._operations}" in self._taken:
                self._operations += 1
            name = f"v{self._operations}"
        return self._build.compute(primitive, inputs, name, role, self._block, gradient=self._gradient(name))

    def _count(self, shape: Shape, node: ast.AST) -> None:
        """Raise InputError for a value that is too large, or for too many numbers in all."""
        self._entries += size(shape)
        if size(shape) > ENTRIES:
            raise place_of(FIELD, node).error(
                f"a value has {size(shape):,} entries; at most {ENTRIES:,} are allowed"
            )
        if self._entries > ALL_ENTRIES:
            raise InputError(FIELD, f"all values together have more than {ALL_ENTRIES:,} entries")


def _title(text: str, node: ast.stmt) -> str:
    """Return a statement as it is written, in one line."""
    words = " ".join((ast.get_source_segment(text, node) or "").split())
    return words if len(words) <= TITLE else f"{words[: TITLE - 1]}…"


def _arguments(node: ast.Call, name: str, row: Function) -> tuple[list[ast.expr], Call]:
    """Return the arrays that a function is called with, and its other arguments."""
    where = place_of(FIELD, node)
    keywords = {each.arg: each.value for each in node.keywords}
    if keywords.keys() - ({"axis"} if row.axis else set()):
        takes = "no named argument but axis=" if row.axis else "no named argument"
        raise where.error(f"{name} takes {takes}")
    axis = whole_in(FIELD, keywords["axis"]) if keywords else None
    args, numbers = list(node.args), list[int]()
    places: tuple[int, ...] = ()
    if row.numbers:
        numbers, args = [whole_in(FIELD, each) for each in args[1:]], args[:1]
        if row.example and not numbers:
            raise where.error(f"{name} takes whole numbers, too: {row.example}")
    if row.places:
        *args, last = args or [node]
        if not isinstance(last, ast.List) or not last.elts:
            raise where.error(f"{name} takes a list of places: {row.example}")
        places = tuple(whole_in(FIELD, each) for each in last.elts)
    if not row.least <= len(args) <= row.most:
        many = f"{row.least}" if row.least == row.most else f"{row.least} to {row.most}"
        values = "value" if row.most == 1 else "values"
        raise where.error(f"{name} takes {many} {values}, not {len(args)}")
    if axis is not None and name in ("max", "min") and len(args) > 1:
        raise where.error(f"{name} of {len(args)} values takes no axis")
    return args, Call(tuple(numbers), axis, places)


def _index(node: ast.expr) -> Index:
    """Return a part of an index: a place, or a slice."""
    if isinstance(node, ast.Slice):
        ends = (node.lower, node.upper, node.step)
        start, stop, step = (None if end is None else whole_in(FIELD, end) for end in ends)
        return start, stop, step
    return whole_in(FIELD, node)
