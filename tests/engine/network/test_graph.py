"""Names of tensors are built in a front end only, and parsed nowhere; what a graph says of a name."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

import tui_backprop
from tests.test_imports import loaded_by
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.tensor_names import SO_FAR, entry_name

PACKAGE = Path(tui_backprop.__file__).parent
OWNERS = {PACKAGE / "engine/frontends/dense/names.py", *PACKAGE.glob("engine/frontends/*/graph.py")}

SYMBOL = r"(d?[WbzahrnvumγβL]|δ|delta)"
BUILT = re.compile(rf"(?<![A-Za-zγβδ0-9.%\[\x1b]){SYMBOL}$")  # text right before a replacement field
HOLDS_A_NAME = re.compile(r"(\w*_)?(name|tensor|value|array|output|written|writes|derivative)$")

EVERYTHING = NetworkSpec((6, 5, 5, 3), "relu,gelu", layer_norm=True, residual=True, dropout=0.5, l2=0.1)
GRAPH = EVERYTHING.graph


def built_or_parsed(source: str) -> list[int]:
    """Lines on which the name of a tensor is built or parsed."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.JoinedStr(values=parts):
                for before, after in pairwise(parts):
                    if (
                        isinstance(after, ast.FormattedValue)
                        and isinstance(before, ast.Constant)
                        and BUILT.search(str(before.value))
                    ):
                        found.append(node.lineno)
            case (
                ast.Subscript(value=of, slice=ast.Constant(value=0))
                | ast.Subscript(value=of, slice=ast.Slice(lower=ast.Constant(value=1), upper=None))
                | ast.Subscript(value=of, slice=ast.Slice(lower=None, upper=ast.Constant(value=1)))
            ):
                if _holds_a_name(of):
                    found.append(node.lineno)
            case ast.Call(
                func=ast.Attribute(attr="startswith" | "removeprefix"), args=[ast.Constant(value=text), *_]
            ) if re.fullmatch(SYMBOL + r"|d", str(text)):
                found.append(node.lineno)
            case ast.BinOp(op=ast.Add(), left=ast.Constant(value=str(text))) if re.fullmatch(SYMBOL, text):
                found.append(node.lineno)
            case _:
                pass
    return found


def _holds_a_name(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return bool(HOLDS_A_NAME.fullmatch(name))
        case _:
            return False


def test_names_are_built_and_parsed_in_one_module():
    sources = {path: path.read_text() for path in PACKAGE.rglob("*.py") if path not in OWNERS}
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {source.splitlines()[line - 1].strip()}"
        for path, source in sorted(sources.items())
        if "tui_backprop.engine" in source  # what has to do with tensors
        for line in built_or_parsed(source)
    ]
    assert found == []


@pytest.mark.parametrize(
    "planted",
    [
        'f"W{k}"', 'f"dW{layer}"', 'f"δ{k + 1}"', 'f"the δ{k} of all"', 'f"½ λ Σ W{i}²"', "int(name[1:])",
        "tensor[0]", "attribution.tensor[0]", "name[1:]", "op.output[1:]",
        'name.removeprefix("delta")', 'value.startswith("δ")',
        '"z" + name', "self.tensor[:1]",
    ],
)  # fmt: skip
def test_a_name_built_or_parsed_elsewhere_is_caught(planted):
    assert built_or_parsed(planted) == [1]


def test_a_graph_needs_no_numpy():
    assert "numpy" not in loaded_by(
        "from tui_backprop.engine.frontends.dense.spec import NetworkSpec; NetworkSpec().graph.backward_visits"
    )


def test_every_value_has_a_block_and_a_gradient_that_leads_back_to_it():
    for op in GRAPH.ops:
        assert GRAPH.block(op.output) == op.block
    for name in GRAPH.differentiable:
        gradient = GRAPH.gradient_of(name)
        assert GRAPH.is_gradient(gradient)
        assert not GRAPH.is_gradient(name)
        assert GRAPH.block(gradient) == GRAPH.block(name)
        if GRAPH.role(name) not in ("product", "loss"):
            assert (
                GRAPH.value_of(gradient) == GRAPH.value_of(gradient + SO_FAR) == GRAPH.value_of(name) == name
            )


def test_parameters_and_weights_are_known_by_their_roles():
    assert {name for name in GRAPH.by_name if GRAPH.is_parameter(name)} == set(GRAPH.parameters)
    assert [name for name in GRAPH.parameters if GRAPH.is_weight(name)] == ["W1", "W2", "W3"]


def test_values_have_a_row_for_each_sample_and_parameters_have_none():
    alone = {*GRAPH.parameters, "λ", "L", "L0", "L1", "L2"}
    for name, shape in GRAPH.shapes(7).items():
        assert GRAPH.per_sample(name) == (name not in alone) == (shape[:1] == (7,))
        if name in GRAPH.differentiable:
            assert GRAPH.per_sample(GRAPH.gradient_of(name)) == GRAPH.per_sample(name)


def test_the_output_of_the_last_layer_is_its_pre_activation():
    assert [GRAPH.value_of(name) for name in ("a3", "a2", "W3", "x")] == ["z3", "a2", "W3", "x"]
    assert [GRAPH.output_of(k) for k in range(4)] == ["x", "a1", "a2", "z3"]


def test_an_entry_is_named_by_its_index_and_a_sum_so_far_says_so_at_the_end():
    assert entry_name("W2", (13, 200)) == "W2[13,200]"
    assert entry_name("dW2 so far", (1, 2)) == "dW2[1,2] so far"


def test_what_an_operation_saves_is_named_after_it():
    assert [GRAPH.by_name[name].saved for name in ("n2", "L0", "z3", "L")] == ["v2", "p", "", ""]
    assert GRAPH.tensors["v2"][:2] == ("n2", "saved")


@pytest.mark.parametrize("text", ["", "Q1", "ddW1", "δ9", "W 1", "dx"])
def test_what_is_no_name_raises_key_error(text):
    with pytest.raises(KeyError):
        GRAPH.role(text)


def test_equal_specs_have_one_graph_and_others_differ():
    again = NetworkSpec((6, 5, 5, 3), "relu,gelu", layer_norm=True, residual=True, dropout=0.5, l2=0.1)
    assert again.graph is EVERYTHING.graph
    assert hash(again.graph) == hash(EVERYTHING.graph)
    assert NetworkSpec((6, 5, 5, 3), "relu,gelu").graph != EVERYTHING.graph


def test_a_position_in_the_flat_vector_is_that_of_an_entry_and_back():
    for name, shape in GRAPH.parameters.items():
        last = tuple(n - 1 for n in shape)
        assert GRAPH.parameter_at(GRAPH.flat_index(name, last)) == (name, last)
    with pytest.raises(IndexError):
        GRAPH.flat_index("W1", (6, 0))


def test_multiply_accumulates_are_those_of_the_weights():
    assert GRAPH.macs == EVERYTHING.weights
