"""GPTs: counts, gradients against the complex step and PyTorch, padding, and what may not be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.engine.frontends.directions import check_gradient
from tests.engine.frontends.tokens import NO_TARGET, program_of, samples_of
from tui_backprop.engine.explain.receipts import receipt_rows
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.gpt.spec import GptSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import index_at, size
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.support.errors import InputError


def drawn_spec(seed):
    """Draw a small GPT, and its batch."""
    rng = np.random.default_rng(seed)
    heads = int(rng.integers(1, 4))
    spec = GptSpec(
        vocabulary=int(rng.integers(2, 9)),
        depth=int(rng.integers(1, 3)),
        width=heads * int(rng.integers(1, 4)),
        heads=heads,
        context=int(rng.integers(1, 7)),
        norm=str(rng.choice(["rms", "layer"])),
        activation=str(rng.choice(["relu", "gelu"])),
        tied=bool(rng.integers(2)),
        init="normal:0.5",
        seed=seed,
    )
    return spec, int(rng.integers(1, 4))


def test_the_reference_has_4192_parameters():
    spec = GptSpec()
    assert spec.parameters == 4192 == 27 * 16 + 16 * 16 + 4 * 16 * 16 + 2 * 16 * 64 + 27 * 16
    assert sum(size for _, size in spec.parameter_terms) == 4192
    assert GptSpec(tied=True).parameters == 4192 - 27 * 16
    assert GptSpec(norm="layer").parameters == 4192 + 3 * 2 * 16
    products = 4 * 16 * 16 + 2 * 16 * 64 + 16 * 27  # of each position
    attention = 2 * 16 * 16  # scores and sums, for each position over 16 positions of 16 numbers
    assert spec.weights == 16 * (products + attention)


@pytest.mark.parametrize("seed", range(24))
def test_gradients_are_those_of_the_complex_step_and_of_forward_mode(seed):
    spec, batch = drawn_spec(seed)
    check_gradient(lambda dtype: program_of(spec, batch, dtype), seed)


def test_what_follows_a_position_changes_nothing_before_it():
    spec = GptSpec(init="normal:0.5")
    program = program_of(spec, 2)
    program.forward()
    before = program.values["z"].copy()
    x = program.values["x"].copy()
    x[:, 5:] = (x[:, 5:] + 1) % spec.vocabulary
    program.feed(x, program.values["t"])
    program.forward()
    np.testing.assert_array_equal(program.values["z"][:, :5], before[:, :5])
    assert (program.values["z"][:, 5:] != before[:, 5:]).any()


def test_positions_without_a_target_add_nothing_to_loss_and_gradient():
    short, long = GptSpec(context=3, seed=1), GptSpec(context=8, seed=1)
    x, t = np.array([[3.0, 1, 4]]), np.array([[1, 4, 26]])
    padded = np.pad(x, ((0, 0), (0, 5))), np.pad(t, ((0, 0), (0, 5)), constant_values=NO_TARGET)
    one = Program(short, 1, initial_parameters(short))
    other = Program(long, 1, initial_parameters(long))
    views = long.graph.views(other.parameters)
    for name, values in short.graph.views(one.parameters).items():
        views[name][: len(values)] = values
    one.feed(x, t)
    other.feed(*padded)
    assert float(other.forward()) == pytest.approx(float(one.forward()), rel=1e-14)
    gradients = long.graph.views(other.backward())
    for name, values in short.graph.views(one.backward()).items():
        np.testing.assert_allclose(gradients[name][: len(values)], values, rtol=1e-11, atol=1e-16)


def test_the_initial_weights_of_a_block_are_different():
    spec = GptSpec()
    found = spec.graph.views(initial_parameters(spec))
    assert not np.array_equal(found["Wq1"], found["Wk1"])
    assert np.std(found["Wu1"]) == pytest.approx(0.08, rel=0.05)
    np.testing.assert_array_equal(
        initial_parameters(spec), initial_parameters(replace(spec, activation="gelu"))
    )


@pytest.mark.parametrize("seed", range(12))
def test_every_step_has_a_formula_and_a_receipt_that_ends_in_its_entry(seed):
    spec, batch = drawn_spec(seed)
    update = Update(*samples_of(spec, batch), 0.1)
    iteration = run_iteration(spec, update, TrainingState(0, initial_parameters(spec)))
    rng = np.random.default_rng(seed)
    for step in walk(spec, batch):
        assert step.formula
        if step.kind in ("input", "update"):
            continue
        shape = spec.graph.about(step.tensor).sample_shape
        unit = int(rng.integers(max(size(shape), 1)))
        *rows, end = receipt_rows(iteration, step, unit, terms=size(shape) + 99, sample=batch - 1)
        index = (
            (batch - 1, *index_at(unit, shape))
            if spec.graph.per_sample(step.tensor)
            else index_at(unit, shape)
        )
        assert end.value == pytest.approx(float(iteration.tensor(step.tensor)[index if shape else ...]))
        if step.kind != "function":
            assert added(rows) == pytest.approx(end.value, rel=1e-9, abs=1e-12), step.formula


def added(rows):
    """Do what the signs of a receipt say, row by row."""
    total = 0.0
    for row in rows:
        match row.sign:
            case "+":
                total += row.value
            case "-":
                total -= row.value
            case "*":
                total *= row.value
            case "/":
                total /= row.value
    return total


@pytest.mark.parametrize("seed", range(8))
def test_gradients_are_those_of_pytorch(seed):
    torch = pytest.importorskip("torch")
    spec, batch = drawn_spec(seed)
    program = program_of(spec, batch)
    loss = float(program.forward())
    gradient = program.backward()
    parameters = {
        name: torch.tensor(values.copy(), requires_grad=True)
        for name, values in spec.graph.views(program.parameters).items()
    }
    x, t = samples_of(spec, batch)
    found = loss_of_pytorch(torch, spec, parameters, torch.tensor(x).long(), torch.tensor(t))
    assert loss == pytest.approx(found.item(), rel=1e-12)
    found.backward()
    for name, values in spec.graph.views(gradient).items():
        np.testing.assert_allclose(values, parameters[name].grad.numpy(), rtol=1e-9, atol=1e-12)


def loss_of_pytorch(torch, spec, weights, x, t):
    """Compute the loss as its documentation has each part."""
    functional = torch.nn.functional

    def norm(stream, name):
        if spec.norm == "rms":
            return functional.rms_norm(stream, stream.shape[-1:], eps=1e-5)
        return functional.layer_norm(
            stream, stream.shape[-1:], weights[f"gain_{name}"], weights[f"shift_{name}"]
        )

    stream = norm(weights["E"][x] + weights["P"], "h0")
    for k in range(1, spec.depth + 1):
        normal = norm(stream, f"n{k}")
        q, k_, v = (
            (normal @ weights[f"W{letter}{k}"]).unflatten(-1, (spec.heads, -1)).transpose(1, 2)
            for letter in "qkv"
        )
        heads = functional.scaled_dot_product_attention(q, k_, v, is_causal=True)
        stream = stream + heads.transpose(1, 2).flatten(2) @ weights[f"Wo{k}"]
        units = norm(stream, f"m{k}") @ weights[f"Wu{k}"]
        active = (
            torch.relu(units) if spec.activation == "relu" else functional.gelu(units, approximate="tanh")
        )
        stream = stream + active @ weights[f"Wd{k}"]
    logits = stream @ (weights["E"].T if spec.tied else weights["Wout"])
    return functional.cross_entropy(logits.flatten(0, 1), t.flatten(), ignore_index=NO_TARGET)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"heads": 3}, "a width of 16 does not divide among 3 heads; write 2"),
        ({"width": 0}, "width"),
        ({"vocabulary": 1}, "vocabulary"),
        ({"context": 1000}, "1000 is out of range (1 to 256)"),
        ({"norm": "batch"}, "norm"),
        ({"activation": "tanh"}, "activation"),
        ({"depth": "two"}, "depth"),
        ({"tied": 3}, "tied"),
    ],
)
def test_what_may_not_be_is_said(settings, message):
    with pytest.raises(InputError, match=r".") as found:
        GptSpec(**settings)
    assert message in str(found.value)


@pytest.mark.parametrize(("x", "t"), [(27.0, 0), (-1.0, 0), (0.5, 0), (0.0, 27), (0.0, -2)])
def test_tokens_out_of_range_are_refused(x, t):
    program = Program(GptSpec(), 1)
    with pytest.raises(ValueError, match="labels must be integers"):
        program.feed(np.full((1, 16), x), np.full((1, 16), t))


@pytest.mark.parametrize("seed", range(12))
def test_each_size_of_each_value_has_an_axis(seed):
    spec, _ = drawn_spec(seed)
    sizes = {
        "position": spec.context,
        "looked at": spec.context,
        "head": spec.heads,
        "token": spec.vocabulary,
    }
    for value in spec.graph.values:
        if value.role in ("constant", "loss"):
            continue
        assert len(value.axes) == len(value.sample_shape), value.name
        for axis, n in zip(value.axes, value.sample_shape, strict=True):
            assert sizes.get(axis, n) == n, value.name
