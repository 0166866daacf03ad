"""Functions with a wrong backward pass of their own are found, each at its place."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed here")

from torch import nn  # noqa: E402

from tui_backprop.engine.analysis.rederived import rederived_of  # noqa: E402
from tui_backprop.record import record  # noqa: E402
from tui_backprop.session.recorded_files import recorded_model  # noqa: E402


def function(name, forward, backward):
    """A function of one tensor: ``backward(x, y, g)`` is its wrong, or right, backward pass."""

    def forward_of(context, x):
        y = forward(x)
        context.save_for_backward(x, y)
        return y

    def backward_of(context, g):
        return backward(*context.saved_tensors, g)

    body = {"forward": staticmethod(forward_of), "backward": staticmethod(backward_of)}
    return type(name, (torch.autograd.Function,), body)


RIGHT = {
    "Square": (lambda x: x * x, lambda x, y, g: 2 * x * g),
    "Softmax": (lambda x: x.softmax(-1), lambda x, y, g: y * (g - (g * y).sum(-1, keepdim=True))),
    "Center": (lambda x: x - x.mean(-1, keepdim=True), lambda x, y, g: g - g.mean(-1, keepdim=True)),
}
WRONG = {
    "NoFactor": (lambda x: x * x, lambda x, y, g: x * g),
    "NoMask": (lambda x: x.clamp(min=0), lambda x, y, g: g),
    "WrongSign": (torch.cos, lambda x, y, g: x.sin() * g),
    "OutputForInput": (torch.tanh, lambda x, y, g: (1 - x * x) * g),
    "NoDiagonal": (lambda x: x.softmax(-1), lambda x, y, g: y * (1 - y) * g),
    "NoMean": (lambda x: x - x.mean(-1, keepdim=True), lambda x, y, g: g),
    "Halved": (torch.exp, lambda x, y, g: y * g / 2),
    "Shifted": (lambda x: x.roll(1, -1), lambda x, y, g: g.roll(1, -1)),
    "OneEntry": (torch.sigmoid, lambda x, y, g: (y * (1 - y) * g).index_fill(0, torch.tensor([0]), 0)),
    "NoScale": (lambda x: x / x.norm(dim=-1, keepdim=True), lambda x, y, g: g - y * (g * y).sum(-1, keepdim=True)),
}  # fmt: skip


def operations(rules, path, name="Custom"):
    torch.manual_seed(0)
    first, second = nn.Linear(4, 5), nn.Linear(5, 2)
    custom = function(name, *rules)
    with record(path, model={"first": first, "second": second}):
        second(custom.apply(first(torch.randn(3, 4)))).pow(2).sum().backward()
    return rederived_of(recorded_model(path))


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_backward_pass_agrees(name, tmp_path):
    found = operations(RIGHT[name], tmp_path / "run.bp", name)
    assert all(each.agrees for each in found)
    (custom,) = [each for each in found if each.function]
    assert custom.terms


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_backward_pass_is_found_where_it_is(name, tmp_path):
    found = operations(WRONG[name], tmp_path / "run.bp", name)
    (wrong,) = [each for each in found if not each.agrees]
    assert wrong.function == name
    assert all(each.agrees for each in wrong.outputs)
    assert not all(each.agrees for each in wrong.terms)


def test_a_function_without_rows_is_only_recorded(tmp_path):
    rules = (lambda x: torch.special.i0(x), lambda x, y, g: torch.special.i1(x) * g)
    found = operations(rules, tmp_path / "run.bp", "Bessel")
    assert all(each.agrees for each in found)
    (custom,) = [each for each in found if not each.has_row]
    assert "i0" in custom.name or custom.function == "Bessel"
