"""The walk: its steps, their formulas and their counts."""

from __future__ import annotations

from itertools import groupby

import pytest

from tui_backprop.data.samples import cut
from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.explain.walk import place_after, walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec, backprop_ratio
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import new_slots
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.session.presets import NETWORKS
from tui_backprop.session.session_parts import GRAINS

LESSON = NetworkSpec()
ROUGH = NetworkSpec((2, 3, 3, 2), "gelu,tanh", layer_norm=True, residual=True, dropout=0.3, l2=0.01)
SMALL = (3, 4, 2)


def formulas(spec, batch=1):
    return {(step.phase, step.block, step.kind): step.formula for step in walk(spec, batch)}


def test_the_lesson_has_335_114_parameters():
    assert (LESSON.weights, LESSON.parameters) == (334_336, 335_114)
    assert sum(size for _, size in LESSON.parameter_terms) == 335_114


def test_the_lesson_s_walk_has_21_steps_in_the_order_of_the_phases():
    steps = walk(LESSON, 1)
    assert [step.index for step in steps] == list(range(21))
    phases = [(phase, len(list(group))) for phase, group in groupby(step.phase for step in steps)]
    assert phases == [("forward", 8), ("loss", 1), ("backward", 8), ("update", 4)]


def test_the_forward_pass_ascends_the_layers_and_the_backward_pass_descends_them():
    layers = {
        phase: [s.block for s in walk(LESSON, 1) if s.phase == phase]
        for phase in ("forward", "backward", "update")
    }
    assert layers["forward"] == [0, 1, 1, 2, 2, 3, 3, 4]
    assert layers["backward"] == [4, 4, 3, 3, 2, 2, 1, 1]
    assert layers["update"] == [1, 2, 3, 4]


def test_one_gradient_of_the_lesson_costs_2_40_forward_passes():
    ratios = {(step.phase, step.block, step.kind): step.ratio for step in walk(LESSON, 1)}
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
    macs = {(step.phase, step.block, step.kind): step.macs for step in walk(LESSON, 3)}
    for k, weights in enumerate((200_704, 65_536, 65_536, 2_560), 1):
        assert macs["forward", k, "affine"] == macs["backward", k, "weights"] == 3 * weights
        if k > 1:
            assert macs["backward", k - 1, "delta"] == 3 * weights
    counted = ("affine", "weights", "delta")
    assert not any(step.macs for step in walk(LESSON, 3) if step.kind not in counted)


@pytest.mark.parametrize("bias", [True, False])
def test_floating_point_operations_are_two_a_multiply_accumulate_and_those_of_the_small_steps(bias):
    flops = {
        (step.phase, step.block, step.kind): step.flops for step in walk(NetworkSpec(SMALL, bias=bias), 5)
    }
    assert flops["forward", 1, "affine"] == 2 * 5 * 12 + (5 * 4 if bias else 0)
    assert flops["forward", 1, "activation"] == 5 * 4
    assert flops["backward", 2, "weights"] == 2 * 5 * 8 + (4 * 2 if bias else 0)  # n - 1 additions a bias
    assert flops["backward", 1, "delta"] == 2 * 5 * 8 + 2 * 5 * 4
    assert flops["update", 1, "update"] == 2 * (12 + (4 if bias else 0))


def test_bytes_are_those_of_each_operation_s_arrays():
    moved = {(s.phase, s.block, s.kind): s.moved for s in walk(NetworkSpec(SMALL, dtype="float64"), 5)}
    x, w1, b1, z1 = 5 * 3, 3 * 4, 4, 5 * 4
    w2, z2 = 4 * 2, 5 * 2
    assert moved["forward", 1, "affine"] == 8 * (x + w1 + z1 + z1 + b1 + z1)  # a product, and a sum
    assert moved["forward", 1, "activation"] == 8 * (z1 + z1)
    assert moved["backward", 2, "weights"] == 8 * (z1 + z2 + w2 + z2 + 2)
    assert moved["backward", 1, "delta"] == 8 * (z2 + w2 + z1 + z1 + z1 + z1)
    assert moved["update", 1, "update"] == 8 * 3 * (w1 + b1)
    adam = walk(NetworkSpec(SMALL, dtype="float64"), 5, OptimizerSpec("adam", clip=1))[-1]
    assert adam.moved == 8 * (3 + 4 + 1) * (w2 + 2)


def test_the_equations_of_a_network_are_those_of_a_textbook():
    assert formulas(NetworkSpec(SMALL)) == {
        ("forward", 0, "input"): "x",
        ("forward", 1, "affine"): "z1 = x W1 + b1",
        ("forward", 1, "activation"): "a1 = max(0, z1)",
        ("forward", 2, "affine"): "z2 = a1 W2 + b2",
        ("loss", 2, "loss"): "L = mean(− ln p[t]), p = softmax(z2)",
        ("backward", 2, "output delta"): "δ2 = (p − onehot(t)) / n",
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
        ("backward", 2, "output delta"): "δ2 = (p − onehot(t)) / n",
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
        ("cross-entropy", "L = mean(− ln p[t]), p = softmax(z2)", "δ2 = (p − onehot(t)) / n"),
        ("mse", "L = mean((z2 − t)²)", "δ2 = 2 (z2 − t) / entries"),
        ("half-squares", "L = mean(½ Σ (z2 − t)²)", "δ2 = (z2 − t) / n"),
    ],
)
def test_each_loss_reads_as_its_definition_and_its_slope(loss, forward, delta):
    read = formulas(NetworkSpec(SMALL, "tanh", loss))
    assert read["loss", 2, "loss"] == forward
    assert read["backward", 2, "output delta"] == delta


def test_binary_cross_entropy_reads_as_a_sum_over_the_outputs():
    """The mean is over samples only: mean(...) over all entries would be half of it with two outputs."""
    read = formulas(NetworkSpec(SMALL, "tanh", "binary-cross-entropy"))
    assert "Σ" in read["loss", 2, "loss"]
    assert read["backward", 2, "output delta"] == "δ2 = (p − t) / n"


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_formula_has_an_ascii_form(activation, loss):
    for step in walk(NetworkSpec(SMALL, activation, loss), 2):
        assert ascii_formula(step.formula).isascii()
        assert "{" not in step.formula
        assert "  " not in step.formula


@pytest.mark.parametrize("name", NETWORKS)
def test_operands_have_the_shapes_of_the_arrays_of_the_pass(name):
    preset = NETWORKS[name]
    spec = preset.network
    batch = cut(spec, preset.data, 0, preset.batch)
    iteration = run_iteration(
        spec, Update(batch.x, batch.t, preset.lr), TrainingState(0, initial_parameters(spec))
    )
    for step in walk(spec, preset.batch):
        assert step.operands[0][0] == step.tensor
        for operand, shape in step.operands:
            assert iteration.tensor(operand).shape == shape, (step.formula, operand)


@pytest.mark.parametrize("optimizer", UPDATE_RULES)
def test_operands_have_those_shapes_with_every_option(optimizer):
    settings = OptimizerSpec(optimizer)
    batch = cut(ROUGH, "moons", 0, 5)
    state = TrainingState(0, initial_parameters(ROUGH), new_slots(settings, ROUGH.parameters, ROUGH.dtype))
    iteration = run_iteration(ROUGH, Update(batch.x, batch.t, 0.1), state, settings)
    for step in walk(ROUGH, 5, settings):
        assert step.operands[0][0] == step.tensor
        assert iteration.tensor(step.tensor).shape[:1] == (5,) or not iteration.graph.per_sample(step.tensor)
        for operand, shape in step.operands:
            assert iteration.tensor(operand).shape == shape, (step.formula, operand)
            assert operand in step.formula


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_only_the_backward_pass_reuses_values_and_only_those_of_the_forward_pass(activation, loss):
    spec = NetworkSpec(SMALL, activation, loss)
    for step in walk(spec, 2):
        assert not step.reused or step.phase == "backward"
        for name in step.reused:
            assert name == "p" or name in spec.graph.shapes(2)
            assert name in dict(step.operands)


def test_a_network_of_one_layer_has_six_steps():
    kinds = [step.kind for step in walk(NetworkSpec((784, 10)), 1)]
    assert kinds == ["input", "affine", "loss", "output delta", "weights", "update"]


def test_a_network_of_fifty_layers_has_five_steps_for_each_and_one_more():
    steps = walk(NetworkSpec((2, *(3,) * 49, 2)), 1)
    assert len(steps) == 5 * 50 + 1
    assert steps[-1].formula == "W50 ← W50 − α dW50, b50 ← b50 − α db50"


def test_the_equations_of_a_network_with_everything():
    read = {(step.phase, step.block, step.kind): step.formula for step in walk(ROUGH, 4)}
    assert list(read.values())[1:] == [
        "z1 = x W1 + b1",
        "n1 = γ1 ⊙ v1 + β1, v1 = (z1 − mean z1) / deviation z1",
        "h1 = ½ n1 (1 + tanh(0.798 (n1 + 0.0447 n1³)))",
        "a1 = h1 ⊙ m1",
        "z2 = a1 W2 + b2",
        "n2 = γ2 ⊙ v2 + β2, v2 = (z2 − mean z2) / deviation z2",
        "h2 = tanh(n2)",
        "r2 = h2 ⊙ m2",
        "a2 = r2 + a1",
        "z3 = a2 W3 + b3",
        "L0 = mean(− ln p[t]), p = softmax(z3)",
        "L = L0 + ½ λ Σ W1² + ½ λ Σ W2² + ½ λ Σ W3²",
        "δ3 = (p − onehot(t)) / n",
        "dW3 = a2ᵀ δ3 + λ W3, db3 = Σ δ3",
        "da2 = δ3 W3ᵀ",
        "dn2 = (da2 ⊙ m2) ⊙ (1 − h2²)",
        "dγ2 = Σ dn2 ⊙ v2, dβ2 = Σ dn2",
        "δ2 = (h − mean h − v2 ⊙ mean(h ⊙ v2)) / deviation, h = dn2 ⊙ γ2",
        "dW2 = a1ᵀ δ2 + λ W2, db2 = Σ δ2",
        "dn1 = ((δ2 W2ᵀ + da2) ⊙ m1) ⊙ gelu'(n1)",
        "dγ1 = Σ dn1 ⊙ v1, dβ1 = Σ dn1",
        "δ1 = (h − mean h − v1 ⊙ mean(h ⊙ v1)) / deviation, h = dn1 ⊙ γ1",
        "dW1 = xᵀ δ1 + λ W1, db1 = Σ δ1",
        "W1 ← W1 − α dW1, b1 ← b1 − α db1, γ1 ← γ1 − α dγ1, β1 ← β1 − α dβ1",
        "W2 ← W2 − α dW2, b2 ← b2 − α db2, γ2 ← γ2 − α dγ2, β2 ← β2 − α dβ2",
        "W3 ← W3 − α dW3, b3 ← b3 − α db3",
    ]


@pytest.mark.parametrize(
    ("depth", "formula"),
    [
        (1, "L = L0 + ½ λ Σ W1²"),
        (4, "L = L0 + ½ λ Σ W1² + ... + ½ λ Σ W4²"),
        (23, "L = L0 + ½ λ Σ W1² + ... + ½ λ Σ W23²"),
    ],
)
def test_the_penalty_of_many_layers_is_written_with_dots(depth, formula):
    step = next(s for s in walk(NetworkSpec((2,) * (depth + 1), l2=0.1), 1) if s.kind == "penalty")
    assert step.formula == formula
    assert {name for name, _ in step.operands} == {"L", "L0", "λ", "W1", f"W{depth}"}


def test_what_an_output_s_delta_reads_is_what_its_formula_names():
    step = next(step for step in walk(ROUGH, 4) if step.kind == "output delta")
    assert [name for name, _ in step.operands] == ["δ3", "p", "t"]


@pytest.mark.parametrize(
    ("optimizer", "formula"),
    [
        (OptimizerSpec("momentum"), "v ← μ v + dW1, W1 ← W1 − α v"),
        (OptimizerSpec("nesterov"), "v ← μ v + dW1, W1 ← W1 − α (dW1 + μ v)"),
        (
            OptimizerSpec(clip=1, weight_decay=0.1),
            "dW1 ← dW1 min(1, clip / norm(all dW)), dW1 ← dW1 + decay W1, W1 ← W1 − α dW1",
        ),
        (OptimizerSpec("rmsprop"), "v ← ρ v + (1 − ρ) dW1², W1 ← W1 − α dW1 / (√(v) + ε)"),
        (
            OptimizerSpec("adamw", weight_decay=0.1),
            "W1 ← W1 − α decay W1, m ← β₁ m + (1 − β₁) dW1, v ← β₂ v + (1 − β₂) dW1², M = m / (1 − β₁^(t + 1)),"
            " V = v / (1 − β₂^(t + 1)), W1 ← W1 − α M / (√(V) + ε)",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, OptimizerSpec) else "",
)
def test_an_update_reads_as_its_optimizer_and_counts_all_parameters_of_the_layer(optimizer, formula):
    first, plain = (
        next(s for s in walk(ROUGH, 4, o) if s.phase == "update") for o in (optimizer, OptimizerSpec())
    )
    assert first.formula == formula
    assert first.op == ("gradient descent" if optimizer.name == "sgd" else optimizer.name)
    assert first.flops % 15 == plain.flops % 15 == 0  # 2x3 weights, 3 biases, gains and shifts
    assert first.flops > plain.flops


@pytest.mark.parametrize("optimizer", UPDATE_RULES)
def test_every_formula_with_every_option_has_an_ascii_form(optimizer):
    for step in walk(ROUGH, 4, OptimizerSpec(optimizer, weight_decay=0.1, clip=1)):
        assert ascii_formula(step.formula).isascii()
        assert " ," not in step.formula


def test_arrays_with_a_row_per_sample_are_known_by_name():
    for name in ("x", "z1", "n1", "h1", "a1", "m1", "v1", "p", "δ1", "dn1", "da1"):
        assert ROUGH.graph.per_sample(name)
    for name in ("W1", "b1", "γ1", "β1", "dW1", "db1", "dγ1", "dβ1", "L", "L0", "λ"):
        assert not ROUGH.graph.per_sample(name)


@pytest.mark.parametrize(
    "spec", [LESSON, ROUGH, NetworkSpec(SMALL, bias=False)], ids=["lesson", "rough", "bare"]
)
def test_all_grains_have_the_same_visits_and_counts(spec):
    walks = {grain: walk(spec, 2, grain=grain) for grain in GRAINS}
    way = (*spec.graph.forward_visits, *spec.graph.backward_visits)
    for grain, steps in walks.items():
        assert [step.index for step in steps] == list(range(len(steps)))
        assert tuple(visit for step in steps for visit in step.visits) == way, grain
        assert steps[-1].done == len(way) + spec.depth
        for count in ("macs", "flops", "moved"):
            assert sum(getattr(step, count) for step in steps) == sum(
                getattr(step, count) for step in walks["equation"]
            )
        assert steps[-1].ratio == backprop_ratio(spec)
    assert len(walks["layer"]) < len(walks["equation"]) < len(walks["operation"])


def test_a_position_is_mapped_to_a_walk_of_another_grain():
    walks = {grain: walk(ROUGH, 2, grain=grain) for grain in GRAINS}
    for fine, coarse in (("operation", "equation"), ("equation", "layer"), ("operation", "layer")):
        for step in walks[fine]:
            there = walks[coarse][place_after(walks[coarse], step.done)]
            assert set(step.visits) <= set(there.visits)
            assert (there.phase, there.block) == (step.phase, step.block)
            back = walks[fine][place_after(walks[fine], there.done)]
            assert back.index >= step.index
            assert back.done == there.done


def test_a_step_of_the_operation_grain_is_one_operation():
    forward = ["matmul", "bias add", "relu"] * 3 + ["matmul", "bias add"]
    back = ["bias add vjp", "matmul vjp"] + ["matmul vjp", "relu vjp", "bias add vjp", "matmul vjp"] * 3
    loss = "softmax cross-entropy"
    steps = walk(LESSON, 1, grain="operation")[1:-4]
    assert [step.op for step in steps] == [*forward, loss, f"{loss} vjp", *back]
    made = [step.formula for step in steps if step.block == 3 and step.phase == "backward"]
    assert made == ["da3 = δ4 W4ᵀ", "δ3 = da3 ⊙ [z3 > 0]", "db3 = Σ δ3", "dW3 = a2ᵀ δ3"]


def test_where_two_gradients_meet_each_has_a_step_of_its_own():
    steps = walk(ROUGH, 2, grain="operation")
    made = [(step.formula, step.tensor) for step in steps if step.tensor.startswith(("da1", "dW1"))]
    assert made == [
        ("da1 = δ2 W2ᵀ", "da1 so far"),
        ("da1 = da1 + da2", "da1"),
        ("dW1 = xᵀ δ1", "dW1 so far"),
        ("dW1 = dW1 + λ W1", "dW1"),
    ]


def test_a_layer_s_step_has_the_equations_of_the_layer():
    layers, equations = walk(ROUGH, 2, grain="layer"), walk(ROUGH, 2)
    assert [piece.formula for step in layers for piece in step.pieces] == [s.formula for s in equations]
    assert [(s.phase, s.block) for s in layers if s.phase == "backward"] == [
        ("backward", k) for k in (3, 2, 1)
    ]
