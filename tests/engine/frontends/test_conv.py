"""Convolutional networks: counts, gradients against the complex step and PyTorch, receipts, and what may not be."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.calculus import off
from tests.engine.frontends.directions import check_gradient
from tui_backprop.engine.explain.receipts import receipt_rows
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.conv.spec import ConvSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import size
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.support.errors import InputError

STEP = 1e-30
SMALL = ConvSpec((2, 3), (3,), (1,), (1,), "max", (4,), "tanh", False, (2, 7, 6), 3, dtype="float64")


def drawn_spec(seed):
    """Draw a small convolutional network, and the size of its batch."""
    rng = np.random.default_rng(seed)
    stages = int(rng.integers(1, 3))

    def numbers(low, high):
        return tuple(map(int, rng.integers(low, high, stages)))

    spec = ConvSpec(
        channels=numbers(1, 4),
        kernel=numbers(1, 4),
        stride=(int(rng.integers(1, 3)), 1)[:stages],
        padding=numbers(0, 3),
        pooling=str(rng.choice(["max", "average", "none"])),
        dense=tuple(map(int, rng.integers(1, 5, rng.integers(3)))),
        activation=str(rng.choice([*ACTIVATIONS])),
        batch_norm=bool(rng.integers(2)),
        image=(int(rng.integers(1, 3)), *map(int, rng.integers(20, 23, 2))),
        classes=int(rng.integers(2, 5)),
        dtype="float64",
        seed=seed,
    )
    return spec, int(rng.integers(1, 4))


def samples_of(spec, batch):
    rng = np.random.default_rng(spec.seed)
    return rng.random((batch, int(np.prod(spec.image)))), rng.integers(spec.classes, size=batch)


def program_of(spec, batch, dtype=None):
    parameters = initial_parameters(spec)
    # gains, shifts and biases that are not 1 and 0, too
    parameters += np.random.default_rng(spec.seed).normal(0, 0.1, len(parameters))
    program = Program(spec, batch, parameters.astype(dtype or spec.dtype), dtype)
    program.feed(*samples_of(spec, batch))
    return program


def test_lenet_has_61706_parameters():
    spec = ConvSpec()
    assert spec.parameters == 61_706
    assert dict(spec.parameter_terms)["W2 16×6×5×5"] == 16 * 6 * 5 * 5
    assert sum(size for _, size in spec.parameter_terms) == 61_706
    assert spec.weights == 117_600 + 240_000 + 400 * 120 + 120 * 84 + 84 * 10
    assert spec.title == "conv 6@5x5, 16@5x5, dense 120, 84, 10"
    assert [block.title for block in spec.graph.blocks] == [
        "images", "conv 1", "conv 2", "dense 3", "dense 4", "output",
    ]  # fmt: skip


def test_with_batch_normalization_a_shift_replaces_the_bias():
    names = [*ConvSpec(batch_norm=True).graph.parameters]
    assert names[:3] == ["W1", "γ1", "β1"]
    assert "b1" not in names


@pytest.mark.parametrize("seed", range(24))
def test_gradients_are_those_of_the_complex_step_and_of_forward_mode(seed):
    spec, batch = drawn_spec(seed)
    check_gradient(lambda dtype: program_of(spec, batch, dtype), seed)


def test_gradients_of_lenet_are_those_of_the_complex_step():
    spec = ConvSpec(dtype="float64")
    program = program_of(spec, 2)
    program.forward()
    gradient, rng = program.backward(), np.random.default_rng(1)
    moved = program_of(spec, 2, "complex128")
    for name, place in spec.graph.slices.items():
        direction = np.zeros(spec.parameters)
        direction[place] = rng.normal(size=place.stop - place.start)
        moved.parameters[:] = program.parameters + STEP * 1j * direction
        slope = float(moved.forward().imag) / STEP
        assert gradient @ direction == pytest.approx(slope, rel=1e-10), name


def taken(spec, batch):
    update = Update(*samples_of(spec, batch), 0.1)
    return run_iteration(spec, update, TrainingState(0, program_of(spec, batch).parameters))


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_receipts_of_all_steps_add_up(batch, batch_norm, pooling):
    iteration = taken(replace(SMALL, batch_norm=batch_norm, pooling=pooling), batch)
    rng = np.random.default_rng(0)
    for step in walk(iteration.spec, batch, grain="operation"):
        if step.kind in ("function", "input", "loss") or step.phase == "update":
            continue
        if step.kind == "pooling" and pooling == "max":
            continue
        entries = size(iteration.graph.about(step.tensor).sample_shape)
        for unit in rng.integers(0, entries, 12).tolist():
            rows = receipt_rows(iteration, step, unit, sample=batch - 1)
            assert off(rows) < 1e-11, step.formula


@pytest.mark.parametrize("of", [None, 0, 1])  # forward; the VJP by the input, by the gain
def test_labels_of_batch_normalization_have_the_sample_s_index_in_a_batch_alone(of):
    def labels(batch):
        iteration = taken(replace(SMALL, batch_norm=True), batch)
        found = next(
            each
            for each in walk(iteration.spec, batch, grain="operation")
            if each.kind.startswith("batch normalization") and each.visits[-1].of == of
        )
        return " ".join(row.label for row in receipt_rows(iteration, found, 0))

    alone, several = (re.findall(r"(?:d?[uz]\d|[vh]\d?)\[([\d,]+)\]", labels(batch)) for batch in (1, 2))
    assert alone
    assert {index.count(",") for index in alone} == {2}
    assert {index.count(",") for index in several} == {3}


def test_the_loss_and_its_gradient_have_the_receipts_of_a_dense_network():
    iteration = taken(SMALL, 1)
    loss, back = (
        next(step for step in walk(SMALL, 1, grain="operation") if step.kind == kind)
        for kind in ("loss", "loss vjp")
    )
    assert receipt_rows(iteration, loss, 0)[-1].value == pytest.approx(iteration.loss)
    for unit in range(SMALL.classes):
        rows = receipt_rows(iteration, back, unit)
        assert rows[-1].value == iteration.tensor("dz4")[0, unit]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": ()}, "channels: at least one convolution is needed, such as 6,16"),
        ({"channels": (1,) * 9}, "channels: 9 numbers; at most 8 are allowed"),
        ({"kernel": (5, 5, 5)}, "kernel: 3 numbers for 2 convolutions; write one, or one for each"),
        ({"kernel": (99,)}, "kernel: 99 is out of range (1 to 15)"),
        (
            {"padding": (0,), "kernel": (15,)},
            "kernel: 15 x 15 does not fit into the 7 x 7 that convolution 2 gets;",
        ),
        (
            {"stride": (8,), "padding": (0,)},
            "kernel: 5 x 5 does not fit into the 1 x 1 that convolution 2 gets;",
        ),
        (
            {"stride": (1, 8), "padding": (0,)},
            "pooling: the 1 x 1 that convolution 2 makes cannot be pooled; write",
        ),
        ({"pooling": "median"}, "pooling: invalid value"),
        ({"activation": "sine"}, "activation: invalid value"),
    ],
)
def test_what_may_not_be_is_refused_in_a_line(changes, message):
    with pytest.raises(InputError) as error:
        ConvSpec(**changes)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_numbers_that_are_equal_are_one():
    assert ConvSpec(kernel=(5, 5)) == ConvSpec()
    assert ConvSpec(kernel=[5]).kernel == (5,)


def test_initial_kernels_have_the_deviation_of_their_fans():
    spec = ConvSpec((64, 64), (3,), padding=(1,))
    found = spec.graph.views(initial_parameters(spec))
    assert np.std(found["W2"]) == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)
    found = spec.graph.views(initial_parameters(replace(spec, init="xavier")))
    assert np.std(found["W1"]) == pytest.approx((2 / (9 + 64 * 9)) ** 0.5, rel=0.1)
    found = spec.graph.views(initial_parameters(replace(spec, init="orthogonal")))
    rows = found["W2"].reshape(64, -1)
    np.testing.assert_allclose(rows @ rows.T, np.eye(64), atol=1e-5)


def loss_of_pytorch(torch, spec, w, x, t):
    from torch.nn import functional as F

    act = {
        "relu": torch.relu, "leaky-relu": F.leaky_relu, "elu": F.elu, "silu": F.silu, "softplus": F.softplus,
        "gelu": lambda z: F.gelu(z, approximate="tanh"), "tanh": torch.tanh, "sigmoid": torch.sigmoid,
        "identity": lambda z: z,
    }[spec.activation]  # fmt: skip
    pool = {"max": F.max_pool2d, "average": F.avg_pool2d, "none": lambda a, _: a}[spec.pooling]
    a = x.reshape(-1, *spec.image)
    for k in range(1, len(spec.channels) + 1):
        settings = {name: spec.of_stage(name, k) for name in ("stride", "padding")}
        z = F.conv2d(a, w[f"W{k}"], w.get(f"b{k}"), **settings)
        if spec.batch_norm:
            z = F.batch_norm(z, None, None, w[f"γ{k}"], w[f"β{k}"], training=True)
        a = pool(act(z), 2)
    a = a.flatten(1)
    for k in range(len(spec.channels) + 1, len(spec.channels) + len(spec.dense) + 2):
        z = a @ w[f"W{k}"] + w[f"b{k}"]
        a = act(z)
    return F.cross_entropy(z, t)


@pytest.mark.parametrize("seed", range(24))
def test_gradients_are_those_of_pytorch(seed):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed here")
    spec, batch = drawn_spec(seed)
    batch = max(batch, 2)  # PyTorch normalizes no single value
    program = program_of(spec, batch)
    loss = float(program.forward())
    gradient = program.backward()
    leaves = {
        name: torch.tensor(values.copy(), requires_grad=True)
        for name, values in spec.graph.views(program.parameters).items()
    }
    x, t = samples_of(spec, batch)
    found = loss_of_pytorch(torch, spec, leaves, torch.tensor(x), torch.tensor(t))
    assert loss == pytest.approx(found.item(), rel=1e-12)
    found.backward()
    for name, values in spec.graph.views(gradient).items():
        np.testing.assert_allclose(values, leaves[name].grad.numpy(), rtol=1e-9, atol=1e-12)
