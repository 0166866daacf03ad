"""The walk: which steps there are, what they say, and what they count."""

from __future__ import annotations

from itertools import groupby

import pytest

from tui_backprop.data.samples import cut
from tui_backprop.engine.network import initial_parameters, value_shapes
from tui_backprop.engine.notation import ascii_formula
from tui_backprop.engine.spec import ACTIVATIONS, LOSSES, NetworkSpec, backprop_ratio
from tui_backprop.engine.trace import PHASES, walk
from tui_backprop.engine.train import take_pass
from tui_backprop.presets import PRESETS

LESSON = NetworkSpec()
SMALL = (3, 4, 2)


def formulas(spec, batch=1):
    return {(step.phase, step.layer, step.kind): step.formula for step in walk(spec, batch)}


def test_the_lesson_has_335_114_parameters():
    assert (LESSON.weights, LESSON.parameters) == (334_336, 335_114)
    assert sum(size for _, _, size in LESSON.parameter_sum()) == 335_114


def test_the_lesson_s_walk_has_21_steps_in_the_order_of_the_phases():
    steps = walk(LESSON, 1)
    assert [step.index for step in steps] == list(range(21))
    phases = [(phase, len(list(group))) for phase, group in groupby(step.phase for step in steps)]
    assert phases == [("forward", 8), ("loss", 1), ("backward", 8), ("update", 4)]
    assert [phase for phase, _ in phases] == list(PHASES)


def test_the_way_forward_climbs_the_layers_and_the_way_back_descends_them():
    layers = {phase: [s.layer for s in walk(LESSON, 1) if s.phase == phase] for phase in PHASES}
    assert layers["forward"] == [0, 1, 1, 2, 2, 3, 3, 4]
    assert layers["backward"] == [4, 4, 3, 3, 2, 2, 1, 1]
    assert layers["update"] == [1, 2, 3, 4]


def test_one_gradient_of_the_lesson_costs_2_40_forward_passes():
    ratios = {(step.phase, step.layer, step.kind): step.ratio for step in walk(LESSON, 1)}
    assert ratios["forward", 4, "affine"] == 1.0
    assert ratios["loss", 4, "loss"] == 1.0
    assert f"{ratios['backward', 1, 'weights']:.4f}" == "2.3997"
    assert ratios["update", 4, "update"] == ratios["backward", 1, "weights"]
    assert backprop_ratio(LESSON) == pytest.approx(ratios["backward", 1, "weights"], rel=1e-15)


@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("layers", [(784, 10), (5, 5), SMALL, (256,) * 11])
def test_the_running_ratio_is_the_one_that_the_spec_promises(layers, batch):
    steps = walk(NetworkSpec(layers), batch)
    assert steps[-1].ratio == pytest.approx(backprop_ratio(NetworkSpec(layers)), rel=1e-14)
    assert [step.ratio for step in steps] == sorted(step.ratio for step in steps)


def test_multiply_accumulates_are_those_of_the_matrix_products():
    macs = {(step.phase, step.layer, step.kind): step.macs for step in walk(LESSON, 3)}
    for k, weights in enumerate((200_704, 65_536, 65_536, 2_560), 1):
        assert macs["forward", k, "affine"] == macs["backward", k, "weights"] == 3 * weights
        if k > 1:
            assert macs["backward", k - 1, "delta"] == 3 * weights
    counted = ("affine", "weights", "delta")
    assert not any(step.macs for step in walk(LESSON, 3) if step.kind not in counted)


@pytest.mark.parametrize("bias", [True, False])
def test_floating_point_operations_are_two_a_multiply_accumulate_and_those_of_the_small_steps(bias):
    flops = {
        (step.phase, step.layer, step.kind): step.flops for step in walk(NetworkSpec(SMALL, bias=bias), 5)
    }
    assert flops["forward", 1, "affine"] == 2 * 5 * 12 + (5 * 4 if bias else 0)
    assert flops["forward", 1, "activation"] == 5 * 4
    assert flops["backward", 2, "weights"] == 2 * 5 * 8 + (4 * 2 if bias else 0)  # n - 1 additions a bias
    assert flops["backward", 1, "delta"] == 2 * 5 * 8 + 2 * 5 * 4
    assert flops["update", 1, "update"] == 2 * (12 + (4 if bias else 0))


def test_the_equations_of_a_network_read_as_in_a_textbook():
    assert formulas(NetworkSpec(SMALL)) == {
        ("forward", 0, "input"): "x",
        ("forward", 1, "affine"): "z1 = x W1 + b1",
        ("forward", 1, "activation"): "a1 = max(0, z1)",
        ("forward", 2, "affine"): "z2 = a1 W2 + b2",
        ("loss", 2, "loss"): "L = mean(− ln p[t]), p = softmax(z2)",
        ("backward", 2, "output delta"): "δ2 = (p − t) / n",
        ("backward", 2, "weights"): "dW2 = a1ᵀ δ2, db2 = Σ δ2",
        ("backward", 1, "delta"): "δ1 = (δ2 W2ᵀ) ⊙ [z1 > 0]",
        ("backward", 1, "weights"): "dW1 = xᵀ δ1, db1 = Σ δ1",
        ("update", 1, "update"): "W1 ← W1 − α dW1, b1 ← b1 − α db1",
        ("update", 2, "update"): "W2 ← W2 − α dW2, b2 ← b2 − α db2",
    }


def test_without_biases_no_equation_has_one():
    assert formulas(NetworkSpec(SMALL, bias=False)) == {
        ("forward", 0, "input"): "x",
        ("forward", 1, "affine"): "z1 = x W1",
        ("forward", 1, "activation"): "a1 = max(0, z1)",
        ("forward", 2, "affine"): "z2 = a1 W2",
        ("loss", 2, "loss"): "L = mean(− ln p[t]), p = softmax(z2)",
        ("backward", 2, "output delta"): "δ2 = (p − t) / n",
        ("backward", 2, "weights"): "dW2 = a1ᵀ δ2",
        ("backward", 1, "delta"): "δ1 = (δ2 W2ᵀ) ⊙ [z1 > 0]",
        ("backward", 1, "weights"): "dW1 = xᵀ δ1",
        ("update", 1, "update"): "W1 ← W1 − α dW1",
        ("update", 2, "update"): "W2 ← W2 − α dW2",
    }


@pytest.mark.parametrize(
    ("activation", "forward", "delta"),
    [
        ("relu", "a1 = max(0, z1)", "δ1 = (δ2 W2ᵀ) ⊙ [z1 > 0]"),
        ("leaky-relu", "a1 = max(0.01 z1, z1)", "δ1 = (δ2 W2ᵀ) ⊙ [1 if z1 > 0 else 0.01]"),
        ("tanh", "a1 = tanh(z1)", "δ1 = (δ2 W2ᵀ) ⊙ (1 − a1²)"),
        ("sigmoid", "a1 = σ(z1)", "δ1 = (δ2 W2ᵀ) ⊙ a1 (1 − a1)"),
        ("identity", "a1 = z1", "δ1 = (δ2 W2ᵀ) ⊙ 1"),
    ],
)
def test_each_activation_reads_as_its_definition_and_its_slope(activation, forward, delta):
    read = formulas(NetworkSpec(SMALL, activation))
    assert read["forward", 1, "activation"] == forward
    assert read["backward", 1, "delta"] == delta


@pytest.mark.parametrize(
    ("loss", "forward", "delta"),
    [
        ("cross-entropy", "L = mean(− ln p[t]), p = softmax(z2)", "δ2 = (p − t) / n"),
        ("mse", "L = mean((z2 − t)²)", "δ2 = 2 (z2 − t) / entries"),
        ("half-squares", "L = mean(½ Σ (z2 − t)²)", "δ2 = (z2 − t) / n"),
    ],
)
def test_each_loss_reads_as_its_definition_and_its_slope(loss, forward, delta):
    read = formulas(NetworkSpec(SMALL, "tanh", loss))
    assert read["loss", 2, "loss"] == forward
    assert read["backward", 2, "output delta"] == delta


def test_binary_cross_entropy_reads_as_a_sum_over_the_outputs():
    """It is a mean over the samples only: with two outputs a bare mean(...) would be half of it."""
    read = formulas(NetworkSpec(SMALL, "tanh", "binary-cross-entropy"))
    assert "Σ" in read["loss", 2, "loss"]
    assert read["backward", 2, "output delta"] == "δ2 = (p − t) / n"


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_formula_has_an_ascii_reading(activation, loss):
    for step in walk(NetworkSpec(SMALL, activation, loss), 2):
        assert ascii_formula(step.formula).isascii()
        assert "{" not in step.formula
        assert "  " not in step.formula


@pytest.mark.parametrize("name", PRESETS)
def test_operands_have_the_shapes_of_the_arrays_of_the_pass(name):
    preset = PRESETS[name]
    spec = preset.network
    batch = cut(spec, preset.data, 0, preset.batch)
    taken = take_pass(spec, batch.x, batch.t, initial_parameters(spec), preset.lr)
    for step in walk(spec, preset.batch):
        assert step.operands[0][0] == step.tensor
        for operand, shape in step.operands:
            assert taken.tensor(operand).shape == shape, (step.formula, operand)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_only_the_way_back_reuses_and_only_what_the_way_forward_left(activation, loss):
    spec = NetworkSpec(SMALL, activation, loss)
    for step in walk(spec, 2):
        assert not step.reused or step.phase == "backward"
        for name in step.reused:
            assert name == "p" or name in value_shapes(spec, 2)
            assert name in dict(step.operands)


def test_a_network_of_one_layer_has_six_steps():
    kinds = [step.kind for step in walk(NetworkSpec((784, 10)), 1)]
    assert kinds == ["input", "affine", "loss", "output delta", "weights", "update"]


def test_a_network_of_fifty_layers_has_five_steps_for_each_and_one_more():
    steps = walk(NetworkSpec((2, *(3,) * 49, 2)), 1)
    assert len(steps) == 5 * 50 + 1
    assert steps[-1].formula == "W50 ← W50 − α dW50, b50 ← b50 − α db50"
