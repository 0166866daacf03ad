"""Names of tensors are built and parsed in one module only; what its functions say of a name."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

import tui_backprop
from tests.test_imports import loaded_by
from tui_backprop.engine.network import tensor_names as names
from tui_backprop.engine.network.graph import compile_ops, differentiable, parameter_shapes, value_shapes
from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.engine.network.tensor_names import (
    canonical,
    entry_name,
    gradient_of,
    is_gradient,
    is_parameter,
    is_weight,
    kind_of,
    layer_of,
    per_sample,
    saved_by,
    spelled,
    value_of,
)

PACKAGE = Path(tui_backprop.__file__).parent
OWNER = PACKAGE / "engine/network/tensor_names.py"

SYMBOL = r"(d?[WbzahrnvumγβL]|δ|delta)"
BUILT = re.compile(rf"(?<![A-Za-zγβδ0-9.%\[\x1b]){SYMBOL}$")  # text right before a replacement field
HOLDS_A_NAME = re.compile(r"(\w*_)?(name|tensor|value|array|output|written|writes|derivative)$")

EVERYTHING = NetworkSpec((6, 5, 5, 3), "relu,gelu", layer_norm=True, residual=True, dropout=0.5, l2=0.1)


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
    sources = {path: path.read_text() for path in PACKAGE.rglob("*.py") if path != OWNER}
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


def test_names_load_no_numpy():
    assert "numpy" not in loaded_by("import tui_backprop.engine.network.tensor_names")


def test_every_value_of_a_network_has_a_kind_a_layer_and_a_gradient_that_leads_back_to_it():
    values = value_shapes(EVERYTHING, 2)
    assert {kind_of(name) for name in values} == set(names._KINDS.values()) - {
        "standardized",
        "probabilities",
    }
    for op in compile_ops(EVERYTHING):
        if kind_of(op.output) != "loss":
            assert layer_of(op.output) == op.layer
    for name in differentiable(EVERYTHING):
        gradient = gradient_of(name)
        assert is_gradient(gradient)
        assert not is_gradient(name)
        assert layer_of(gradient) == (0 if kind_of(name) == "loss" else layer_of(name))
        if kind_of(name) not in ("product", "loss"):
            assert value_of(gradient) == value_of(gradient + names.SO_FAR) == value_of(name) == name


def test_parameters_and_weights_are_known_by_their_names():
    parameters = parameter_shapes(EVERYTHING)
    assert {name for name in value_shapes(EVERYTHING, 2) if is_parameter(name)} == set(parameters)
    assert [name for name in parameters if is_weight(name)] == ["W1", "W2", "W3"]


def test_values_have_a_row_for_each_sample_and_parameters_have_none():
    alone = {*parameter_shapes(EVERYTHING), "λ", "L", "L0", "L1", "L2"}
    for name, shape in value_shapes(EVERYTHING, 7).items():
        assert per_sample(name) == (name not in alone) == (shape[:1] == (7,))
        if name in differentiable(EVERYTHING):
            assert per_sample(gradient_of(name)) == per_sample(name)


def test_a_name_with_more_digits_than_one_keeps_them():
    assert (layer_of("W12"), layer_of("δ12"), layer_of("da120"), layer_of("x")) == (12, 12, 120, 0)
    assert (gradient_of("z12"), gradient_of("W12"), value_of("delta12")) == ("δ12", "dW12", "z12")


def test_the_output_of_the_last_layer_is_its_pre_activation():
    assert [canonical(name, 3) for name in ("a3", "a2", "W3", "x")] == ["z3", "a2", "W3", "x"]


def test_an_entry_is_named_by_its_index_and_a_sum_so_far_says_so_at_the_end():
    assert entry_name("W2", (13, 200)) == "W2[13,200]"
    assert entry_name("dW2 so far", (1, 2)) == "dW2[1,2] so far"


def test_what_an_operation_saves_is_named_after_it():
    assert [saved_by(name) for name in ("n2", "L", "L0", "z3")] == ["v2", "p", "p", "p"]


def test_what_people_type_is_spelled_out():
    typed = (
        ("w", "2", False),
        ("w", "2", True),
        ("gamma", "1", True),
        ("delta", "3", False),
        ("z", "3", True),
    )
    assert [spelled(*each) for each in typed] == ["W2", "W2", "γ1", "δ3", "δ3"]
    assert spelled("a", "1", True) == "da1"


@pytest.mark.parametrize("text", ["", "Q1", "dW1", "δ1", "W 1"])
def test_what_is_no_value_has_no_kind(text):
    with pytest.raises(KeyError):
        kind_of(text)
