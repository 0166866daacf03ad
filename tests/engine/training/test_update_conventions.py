"""The conventions of the update: random settings against the papers' formulas and PyTorch, and what is said of them.

The network is run by nothing here but a stream of random gradients: every optimizer makes 50 updates of weights,
biases, gains and shifts, and weight decay acts on all of them or on weights only.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.explain.conventions import conventions, decay_text, scope, settings_of
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training import optimizers
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import Optimizer, decayed
from tui_backprop.engine.training.update_rules import SYMBOLS, UPDATE_RULES

NETWORK = NetworkSpec((3, 4, 4, 2), "tanh", dtype="float64", layer_norm=True)
UPDATES, SEEDS, LR = 50, range(8), 0.03


def settings(name, seed):
    """Draw random settings of an optimizer."""
    rng = np.random.default_rng([seed, len(name)])
    return OptimizerSpec(
        name,
        momentum=rng.uniform(0, 0.99),
        beta1=rng.uniform(0, 0.99),
        beta2=rng.uniform(0, 0.9999),
        rho=rng.uniform(0, 0.999),
        epsilon=10 ** rng.uniform(-10, 0),
        weight_decay=rng.choice([0.0, rng.uniform(0, 0.3)]),
        decay_bias=bool(rng.integers(2)),
        clip=rng.choice([0.0, rng.uniform(1, 8)]),
    )


def start(seed):
    """Draw parameters (P,) and a gradient for each update (UPDATES, P), of sizes from 1e-3 to 10."""
    rng = np.random.default_rng(seed)
    scale = 10 ** rng.uniform(-3, 1, NETWORK.parameters)
    return rng.normal(size=NETWORK.parameters), scale * rng.normal(size=(UPDATES, NETWORK.parameters))


def run(spec, w, gradients):
    """Return the parameters after each update, (UPDATES, P)."""
    optimizer, path = Optimizer(spec, LR, w.size, w.dtype, decayed=decayed(spec, NETWORK)), []
    for t, g in enumerate(gradients):
        optimizer.apply(w, g, t)
        path.append(w.copy())
    return np.array(path)


def weights_only():
    """Mark the entries of the flat vector that belong to weight matrices, counted by hand: W1, b1, γ1, β1, ..."""
    layers = ((12, 4, 4, 4), (16, 4, 4, 4), (8, 2))
    return np.array([i == 0 for layer in layers for i, count in enumerate(layer) for _ in range(count)])


def papers(spec, w, gradients):
    """Return the same path from the papers' formulas, for one parameter at a time in Python floats.

    Polyak 1964, Nesterov 1983 (in PyTorch's form), Tieleman and Hinton 2012, Kingma and Ba 2015 (algorithm 1),
    Loshchilov and Hutter 2019 (algorithm 2), Pascanu et al. 2013 (clipping).
    """
    w, decays, path = w.tolist(), weights_only(), []
    m, v = [0.0] * len(w), [0.0] * len(w)
    for t, row in enumerate(gradients.tolist(), 1):
        norm = math.sqrt(math.fsum(g * g for g in row))
        for i, g in enumerate(row):
            if spec.clip and norm > spec.clip:
                g *= spec.clip / norm
            decay = spec.weight_decay if spec.decay_bias or decays[i] else 0.0
            if spec.name == "adamw":
                w[i] -= LR * decay * w[i]
            else:
                g += decay * w[i]
            match spec.name:
                case "sgd":
                    step = g
                case "momentum":
                    v[i] = step = spec.momentum * v[i] + g
                case "nesterov":
                    v[i] = spec.momentum * v[i] + g
                    step = g + spec.momentum * v[i]
                case "rmsprop":
                    v[i] = spec.rho * v[i] + (1 - spec.rho) * g * g
                    step = g / (math.sqrt(v[i]) + spec.epsilon)
                case "rmsprop-momentum":
                    v[i] = spec.rho * v[i] + (1 - spec.rho) * g * g
                    m[i] = step = spec.momentum * m[i] + g / (math.sqrt(v[i]) + spec.epsilon)
                case _:
                    m[i] = spec.beta1 * m[i] + (1 - spec.beta1) * g
                    v[i] = spec.beta2 * v[i] + (1 - spec.beta2) * g * g
                    root = math.sqrt(v[i] / (1 - spec.beta2**t))
                    step = m[i] / (1 - spec.beta1**t) / (root + spec.epsilon)
            w[i] -= LR * step
        path.append(list(w))
    return np.array(path)


def worst(found, right):
    """Return the largest difference, relative to the largest parameter."""
    return float(np.abs(found - right).max() / np.abs(right).max())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", UPDATE_RULES)
def test_fifty_updates_with_random_settings_follow_the_papers(name, seed):
    spec, (w, gradients) = settings(name, seed), start(seed)
    right = papers(spec, w, gradients)
    assert worst(run(spec, w, gradients), right) < 1e-12


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", UPDATE_RULES)
def test_fifty_updates_with_random_settings_are_those_of_pytorch(name, seed):
    torch = pytest.importorskip("torch")
    spec, (w, gradients) = settings(name, seed), start(seed)
    slices = NETWORK.graph.slices
    leaves = {n: torch.tensor(w[at], dtype=torch.float64, requires_grad=True) for n, at in slices.items()}
    groups = [
        {"params": [leaf for n, leaf in leaves.items() if n[0] == "W"]},
        {"params": [leaf for n, leaf in leaves.items() if n[0] != "W"]},
    ]
    if not spec.decay_bias:
        groups[1]["weight_decay"] = 0
    decay, betas = {"weight_decay": spec.weight_decay}, (spec.beta1, spec.beta2)
    theirs = {
        "sgd": lambda: torch.optim.SGD(groups, LR, **decay),
        "momentum": lambda: torch.optim.SGD(groups, LR, spec.momentum, **decay),
        "nesterov": lambda: torch.optim.SGD(groups, LR, max(spec.momentum, 1e-300), nesterov=True, **decay),
        "rmsprop": lambda: torch.optim.RMSprop(groups, LR, spec.rho, spec.epsilon, **decay),
        "rmsprop-momentum": lambda: torch.optim.RMSprop(
            groups, LR, spec.rho, spec.epsilon, momentum=spec.momentum, **decay
        ),
        "adam": lambda: torch.optim.Adam(groups, LR, betas, spec.epsilon, **decay),
        "adamw": lambda: torch.optim.AdamW(groups, LR, betas, spec.epsilon, **decay),
    }[name]()
    path = []
    for g in gradients:
        for n, at in slices.items():
            leaves[n].grad = torch.tensor(g[at])
        if spec.clip:  # PyTorch's factor is clip / (norm + 1e-6)
            torch.nn.utils.clip_grad_norm_(leaves.values(), spec.clip * (1 + 1e-6 / np.linalg.norm(g)))
        theirs.step()
        path.append(np.concatenate([leaf.detach().numpy() for leaf in leaves.values()]))
    assert worst(run(spec, w, gradients), np.array(path)) < 1e-11


def test_the_random_settings_have_decay_of_both_kinds_and_clip():
    drawn = [settings(name, seed) for name in UPDATE_RULES for seed in SEEDS]
    assert {(spec.weight_decay > 0, spec.decay_bias) for spec in drawn} >= {(True, True), (True, False)}
    assert {spec.clip > 0 for spec in drawn} == {True, False}


# --- planted errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", UPDATE_RULES)
def test_decay_of_the_wrong_parameters_is_caught(monkeypatch, name):
    spec, (w, gradients) = OptimizerSpec(name, weight_decay=0.1, decay_bias=False), start(0)
    right = papers(spec, w, gradients)
    assert worst(run(replace(spec, decay_bias=True), w.copy(), gradients), right) > 1e-4
    monkeypatch.setattr(optimizers, "UPDATE_BLOCK", 7)  # blocks that begin and end within a tensor
    assert worst(run(spec, w, gradients), right) < 1e-12


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("momentum", "momentum", 0.8),
        ("nesterov", "momentum", 0.8),
        ("rmsprop", "rho", 0.98),
        ("rmsprop", "epsilon", 1e-3),
        ("rmsprop-momentum", "momentum", 0.8),
        ("rmsprop-momentum", "rho", 0.98),
        ("adam", "beta1", 0.8),
        ("adam", "beta2", 0.99),
        ("adamw", "epsilon", 1e-3),
    ],
)
def test_a_setting_that_is_ignored_would_be_caught(name, field, value):
    w, gradients = start(1)
    right = papers(OptimizerSpec(name, **{field: value}), w, gradients)
    assert worst(run(OptimizerSpec(name), w, gradients), right) > 1e-6


def test_every_setting_that_only_some_rules_have_has_a_symbol_and_a_rule():
    assert {name for row in UPDATE_RULES.values() for name in row.settings} == set(SYMBOLS)


@pytest.mark.parametrize("name", UPDATE_RULES)
def test_a_rule_depends_on_its_settings_and_on_no_others(name):
    w, gradients = start(2)
    usual = run(OptimizerSpec(name), w.copy(), gradients)
    for field in SYMBOLS:
        changed = run(OptimizerSpec(name, **{field: 0.37}), w.copy(), gradients)
        assert (changed.tobytes() != usual.tobytes()) == (field in UPDATE_RULES[name].settings), field


# --- sentences, held against what the update does ----------------------------------------------------------


def kinds(text):
    """Return the first letters of the tensors that a scope names."""
    letters = {"weights": "W", "biases": "b", "gains": "γ", "shifts": "β"}
    return {letter for word, letter in letters.items() if word in text}


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize("layer_norm", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", UPDATE_RULES)
def test_the_scope_of_weight_decay_is_that_of_the_parameters_that_change(name, bias, layer_norm, everything):
    network = replace(NETWORK, bias=bias, layer_norm=layer_norm)
    spec = OptimizerSpec(name, weight_decay=0.25, decay_bias=everything)
    w = np.ones(network.parameters)
    optimizer = Optimizer(spec, 0.1, w.size, w.dtype, decayed=decayed(spec, network))
    optimizer.apply(w, np.zeros(w.size), 0)
    changed = {tensor[0] for tensor, at in network.graph.slices.items() if (w[at] != 1).all()}
    kept = {tensor[0] for tensor, at in network.graph.slices.items() if (w[at] == 1).all()}
    assert changed | kept == {tensor[0] for tensor in network.graph.parameters}
    assert kinds(decay_text(network, spec)) == changed
    (said,) = (text for text in conventions(network, spec) if "weight decay" in text and "acts on" in text)
    assert kinds(said.partition("acts on")[2]) == changed
    assert ("only" in said) == bool(kept)


@pytest.mark.parametrize("l2_bias", [True, False])
def test_the_scope_of_the_penalty_is_that_of_the_gradients_that_it_changes(calculus, l2_bias):
    network = replace(calculus.everything, l2_bias=l2_bias)
    with_it = calculus.problem(network, 2)
    without = replace(with_it, spec=replace(network, l2=0))
    difference = calculus.run(with_it).gradient - calculus.run(without).gradient
    changed = {tensor[0] for tensor, at in network.graph.slices.items() if np.abs(difference[at]).min() > 0}
    assert kinds(scope(network, l2_bias)) == changed
    assert scope(network, l2_bias) in conventions(network, OptimizerSpec())[-1]


@pytest.mark.parametrize("name", ["rmsprop", "rmsprop-momentum", "adam", "adamw"])
def test_epsilon_is_outside_the_root_as_the_sentence_says(name):
    assert "ε is added outside the root" in UPDATE_RULES[name].convention
    w, g = np.zeros(1), np.full(1, 3.0)
    Optimizer(
        OptimizerSpec(name, momentum=0.0, rho=0.0, beta1=0.0, beta2=0.0, epsilon=4.0), 1.0, 1, "float64"
    ).apply(w, g, 0)
    assert w[0] == pytest.approx(-3 / (3 + 4), rel=1e-14)  # inside, it would be 3 / sqrt(9 + 4)


def test_clipping_comes_before_weight_decay_as_the_sentence_says():
    spec = OptimizerSpec(weight_decay=1.0, clip=1.0)
    assert "before weight decay is added" in conventions(NETWORK, spec)[0]
    w = np.full(1, 10.0)
    Optimizer(spec, 1.0, 1, "float64").apply(w, np.full(1, 100.0), 0)
    assert w[0] == 10 - (1 + 10)  # after it, the step would be 1


def test_nesterov_takes_the_step_that_its_sentence_says():
    assert "dW + μ v, with the new v" in UPDATE_RULES["nesterov"].convention
    w = np.zeros(1)
    optimizer = Optimizer(OptimizerSpec("nesterov", momentum=0.5), 1.0, 1, "float64")
    optimizer.apply(w, np.full(1, 2.0), 0)
    assert w[0] == -(2 + 0.5 * 2)


def test_the_defaults_are_those_that_help_and_readme_give():
    assert settings_of(OptimizerSpec("adam")) == {"β₁": "0.9", "β₂": "0.999", "ε": "1e-8"}
    assert settings_of(OptimizerSpec("rmsprop")) == {"ρ": "0.99", "ε": "1e-8"}
    assert settings_of(OptimizerSpec("nesterov")) == {"μ": "0.9"}
    assert settings_of(OptimizerSpec("sgd")) == {}
    torch = pytest.importorskip("torch")
    leaf = [torch.zeros(1, requires_grad=True)]
    adam, rms = torch.optim.Adam(leaf).defaults, torch.optim.RMSprop(leaf).defaults
    assert (adam["betas"], adam["eps"], rms["alpha"], rms["eps"]) == ((0.9, 0.999), 1e-8, 0.99, 1e-8)
