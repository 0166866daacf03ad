"""Every optimizer against its definition written out for single numbers, and against PyTorch's.

The comparison is shown to have teeth: each row of the table is made wrong, in every operation it does.
"""

from __future__ import annotations

import math
import re
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.training import optimizers, update_rules
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec, learning_rate
from tui_backprop.engine.training.optimizers import Optimizer, flops, formulas
from tui_backprop.engine.training.update_rules import UPDATE_RULES

LR, STEPS, PARAMETERS = 0.05, 20, 7
CLIP = 2.5  # some of the gradients below have a larger norm, some have not

SPECS = [
    OptimizerSpec(
        name, momentum=0.8, beta1=0.7, beta2=0.95, rho=0.85, epsilon=1e-3, weight_decay=decay, clip=clip
    )
    for name in UPDATE_RULES
    for decay in (0.0, 0.1)
    for clip in (0.0, CLIP)
] + [OptimizerSpec(name, schedule="cosine", warmup=5, horizon=25) for name in UPDATE_RULES]


def title(spec):
    return f"{spec.name}-decay{spec.weight_decay}-clip{spec.clip}-{spec.schedule}"


def each_spec(test):
    return pytest.mark.parametrize("spec", SPECS, ids=title)(test)


def start(parameters=PARAMETERS, dtype="float64"):
    """Parameters, and a gradient for each iteration, (STEPS, P)."""
    rng = np.random.default_rng(0)
    return rng.normal(size=parameters).astype(dtype), rng.normal(size=(STEPS, parameters)).astype(dtype)


def run(spec, w, gradients, lr=LR):
    """Return the parameters after each iteration, (STEPS, P)."""
    optimizer, w, path = Optimizer(spec, lr, w.size, w.dtype), w.copy(), []
    for t, g in enumerate(gradients):
        optimizer.apply(w, g, t)
        path.append(w.copy())
    return np.array(path)


# --- the definitions, for one parameter at a time: no numpy ------------------------------------------------


def defined(spec, w, gradients):
    """Return the same path from the formulas of the papers, in Python floats."""
    w = [float(x) for x in w]
    first, second = [0.0] * len(w), [0.0] * len(w)
    path = []
    for t, row in enumerate(gradients, 1):
        lr = learning_rate(spec, LR, t - 1)
        norm = math.fsum(float(g) ** 2 for g in row) ** 0.5
        shrink = spec.clip / norm if spec.clip and norm > spec.clip else 1.0
        for i, g in enumerate(float(g) * shrink for g in row):
            if spec.name == "adamw":
                w[i] -= lr * spec.weight_decay * w[i]
            else:
                g += spec.weight_decay * w[i]
            mu, beta1, beta2, rho = spec.momentum, spec.beta1, spec.beta2, spec.rho
            if spec.name == "sgd":
                w[i] -= lr * g
            elif spec.name in ("momentum", "nesterov"):
                first[i] = mu * first[i] + g
                w[i] -= lr * (g + mu * first[i] if spec.name == "nesterov" else first[i])
            elif spec.name == "rmsprop":
                second[i] = rho * second[i] + (1 - rho) * g**2
                w[i] -= lr * g / (math.sqrt(second[i]) + spec.epsilon)
            elif spec.name == "rmsprop-momentum":
                second[i] = rho * second[i] + (1 - rho) * g**2
                first[i] = mu * first[i] + g / (math.sqrt(second[i]) + spec.epsilon)
                w[i] -= lr * first[i]
            else:
                first[i] = beta1 * first[i] + (1 - beta1) * g
                second[i] = beta2 * second[i] + (1 - beta2) * g**2
                m_hat, v_hat = first[i] / (1 - beta1**t), second[i] / (1 - beta2**t)
                w[i] -= lr * m_hat / (math.sqrt(v_hat) + spec.epsilon)
        path.append(list(w))
    return np.array(path)


def worst(path, reference):
    """Return the largest difference of two paths, relative to the largest parameter."""
    return float(np.abs(path - reference).max() / np.abs(reference).max())


def test_some_of_the_gradients_are_clipped_and_some_are_not():
    clipped = [np.linalg.norm(g) > CLIP for g in start()[1]]
    assert 3 < sum(clipped) < STEPS - 3


@each_spec
def test_every_iteration_is_what_the_definition_says(spec):
    w, gradients = start()
    assert worst(run(spec, w, gradients), defined(spec, w, gradients)) < 1e-13


@each_spec
def test_in_single_precision_it_is_the_same_to_single_precision(spec):
    w, gradients = start(dtype="float32")
    path = run(spec, w, gradients)
    assert path.dtype == "float32"
    assert worst(path, defined(spec, w, gradients)) < 2e-6


@each_spec
def test_every_iteration_is_what_pytorch_does(spec):
    torch = pytest.importorskip("torch")
    w, gradients = start()
    leaf = torch.tensor(w, requires_grad=True)
    betas, decay = (spec.beta1, spec.beta2), spec.weight_decay
    theirs = {
        "sgd": lambda: torch.optim.SGD([leaf], LR, weight_decay=decay),
        "momentum": lambda: torch.optim.SGD([leaf], LR, spec.momentum, weight_decay=decay),
        "nesterov": lambda: torch.optim.SGD([leaf], LR, spec.momentum, weight_decay=decay, nesterov=True),
        "rmsprop": lambda: torch.optim.RMSprop([leaf], LR, spec.rho, spec.epsilon, decay),
        "rmsprop-momentum": lambda: torch.optim.RMSprop(
            [leaf], LR, spec.rho, spec.epsilon, decay, momentum=spec.momentum
        ),
        "adam": lambda: torch.optim.Adam([leaf], LR, betas, spec.epsilon, decay),
        "adamw": lambda: torch.optim.AdamW([leaf], LR, betas, spec.epsilon, decay),
    }[spec.name]()
    path = []
    for t, g in enumerate(gradients):
        leaf.grad = torch.tensor(g)
        if spec.clip:  # theirs is clip / (norm + 1e-6); this takes the 1e-6 out again
            torch.nn.utils.clip_grad_norm_([leaf], spec.clip * (1 + 1e-6 / np.linalg.norm(g)))
        theirs.param_groups[0]["lr"] = learning_rate(spec, LR, t)
        theirs.step()
        path.append(leaf.detach().numpy().copy())
    assert worst(run(spec, w, gradients), np.array(path)) < 1e-12


# --- the same comparison with an error planted -------------------------------------------------------------


class Faulty:
    """numpy, but call number ``wrong`` (from 0) of those that write an array is wrong by a thousandth."""

    def __init__(self, wrong=None):
        self.wrong, self.calls = wrong, 0

    def __getattr__(self, name):
        function = getattr(np, name)
        if not isinstance(function, np.ufunc):
            return function

        def call(*arguments, out):
            function(*arguments, out=out)
            if self.calls == self.wrong:
                out *= 1.001
            self.calls += 1
            return out

        return call


@pytest.mark.parametrize("name", UPDATE_RULES)
def test_every_operation_of_a_row_that_is_wrong_by_a_thousandth_is_caught(monkeypatch, name):
    spec = OptimizerSpec(name, momentum=0.8, beta1=0.7, beta2=0.95, rho=0.85, epsilon=1e-3)
    w, gradients = start()
    reference = defined(spec, w, gradients)
    for operation in range(UPDATE_RULES[name].flops):
        faulty = Faulty()
        rule = UPDATE_RULES[name].rule

        def counted(*arguments, rule=rule, faulty=faulty, operation=operation):
            faulty.calls, faulty.wrong = 0, operation
            rule(*arguments)

        with monkeypatch.context() as planted:
            for module in (optimizers, update_rules):
                planted.setattr(module, "np", faulty)
            planted.setitem(UPDATE_RULES, name, replace(UPDATE_RULES[name], rule=counted))
            assert worst(run(spec, w, gradients), reference) > 1e-5, operation


def uphill(rule):
    """The wrong sign."""
    return lambda w, g, s, spec, lr, t, *slots: rule(w, g, s, spec, -lr, t, *slots)


def uncorrected(rule):
    """No bias correction: as after very many iterations."""
    return lambda w, g, s, spec, lr, t, *slots: rule(w, g, s, spec, lr, 10**6, *slots)


def one_late(rule):
    """The bias correction of the iteration after."""
    return lambda w, g, s, spec, lr, t, *slots: rule(w, g, s, spec, lr, t + 1, *slots)


def forgetful(rule):
    """State that is lost after each iteration."""

    def wrong(w, g, s, spec, lr, t, *slots):
        for slot in slots:
            slot.fill(0)
        rule(w, g, s, spec, lr, t, *slots)

    return wrong


def other(name):
    """The rule of another row."""
    return lambda rule: UPDATE_RULES[name].rule


MISTAKES = [
    *((name, uphill) for name in UPDATE_RULES),
    *((name, forgetful) for name in ("momentum", "nesterov", "rmsprop", "rmsprop-momentum", "adam", "adamw")),
    *((name, mistake) for name in ("adam", "adamw") for mistake in (uncorrected, one_late)),
    ("momentum", other("nesterov")),
    ("nesterov", other("momentum")),
    ("rmsprop-momentum", lambda rule: lambda *given: UPDATE_RULES["rmsprop"].rule(*given[:-1])),
]


@pytest.mark.parametrize(("name", "mistake"), MISTAKES)
def test_a_rule_with_a_mistake_is_caught(monkeypatch, name, mistake):
    spec = OptimizerSpec(name)
    w, gradients = start()
    row = UPDATE_RULES[name]
    monkeypatch.setitem(UPDATE_RULES, name, replace(row, rule=mistake(row.rule)))
    assert worst(run(spec, w, gradients), defined(spec, w, gradients)) > 1e-3


@pytest.mark.parametrize("name", UPDATE_RULES)
def test_decay_of_the_wrong_kind_is_caught(monkeypatch, name):
    spec = OptimizerSpec(name, weight_decay=0.1)
    w, gradients = start()
    row = UPDATE_RULES[name]
    monkeypatch.setitem(UPDATE_RULES, name, replace(row, decoupled=not row.decoupled))
    caught = worst(run(spec, w, gradients), defined(spec, w, gradients))
    assert caught > 1e-3 if name != "sgd" else caught < 1e-14  # plain descent: both are the same


# --- what the program did before ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("lr", [0.1, 1 / 3, 1e-50, 1e300])
def test_plain_descent_rounds_as_it_always_has(dtype, lr):
    w, (g, *_) = start(1000, dtype)
    with np.errstate(all="ignore"):
        step = np.multiply(g, np.dtype(dtype).type(lr))
        np.subtract(w, step, out=step)
    Optimizer(OptimizerSpec(), lr, 1000, dtype).apply(w, g, 0)
    assert w.tobytes() == step.tobytes()


# --- bit for bit, block by block, in place -----------------------------------------------------------------

HARD = [
    replace(spec, weight_decay=0.1, clip=1.0, schedule="step", horizon=9)
    for spec in SPECS[::4][: len(UPDATE_RULES)]
]


def each_hard(test):
    return pytest.mark.parametrize("spec", HARD, ids=lambda spec: spec.name)(test)


def test_every_optimizer_is_among_the_hard_ones():
    assert [spec.name for spec in HARD] == [*UPDATE_RULES]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each_hard
def test_two_runs_are_equal_bit_for_bit(spec, dtype):
    w, gradients = start(1000, dtype)
    assert run(spec, w, gradients).tobytes() == run(spec, w, gradients).tobytes()


@each_hard
def test_a_run_that_is_taken_up_again_is_equal_bit_for_bit(spec):
    w, gradients = start(1000, "float32")
    through = run(spec, w, gradients)
    first = Optimizer(spec, LR, 1000, "float32")
    for t in range(7):
        first.apply(w, gradients[t], t)
    second = Optimizer(spec, LR, 1000, "float32")
    for name, slot in first.slots.items():
        second.slots[name][:] = slot
    for t in range(7, STEPS):
        second.apply(w, gradients[t], t)
    assert w.tobytes() == through[-1].tobytes()


@pytest.mark.parametrize("parameters", [1, 63, 64, 65, 128, 200])
@pytest.mark.parametrize("clip", [0.0, 1.0])
@each_hard
def test_blocks_make_no_difference(monkeypatch, spec, clip, parameters):
    spec = replace(spec, clip=clip)
    w, gradients = start(parameters)
    whole = run(spec, w, gradients)
    monkeypatch.setattr(optimizers, "UPDATE_BLOCK", 64)
    blocks = run(spec, w, gradients)
    if clip:  # the norm is summed in another order
        assert worst(blocks, whole) < 1e-14
    else:
        assert blocks.tobytes() == whole.tobytes()


@each_hard
def test_the_gradient_stays_as_it_is(spec):
    w, (g, *_) = start(1000)
    before = g.tobytes()
    g.setflags(write=False)
    Optimizer(spec, LR, 1000, "float64").apply(w, g, 0)
    assert g.tobytes() == before


def test_slots_are_flat_zero_and_named():
    for name, row in UPDATE_RULES.items():
        slots = Optimizer(OptimizerSpec(name), LR, 5, "float32").slots
        assert tuple(slots) == row.slots
        assert all(slot.dtype == "float32" and slot.tolist() == [0] * 5 for slot in slots.values())


def peak_of_second_apply(spec, dtype, parameters=3 * optimizers.UPDATE_BLOCK + 5):
    """Measure the peak of bytes allocated while the second iteration is applied."""
    w, g = np.ones(parameters, dtype), np.ones(parameters, dtype)
    optimizer = Optimizer(spec, LR, parameters, dtype)
    optimizer.apply(w, g, 0)
    tracemalloc.start()
    try:
        optimizer.apply(w, g, 1)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


LITTLE = 10_000  # bytes: Python's own objects; the smallest array of a block takes 262,144


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each_hard
def test_applying_allocates_no_array(spec, dtype):
    assert peak_of_second_apply(spec, dtype) < LITTLE


def test_a_rule_that_allocates_would_be_seen(monkeypatch):
    def wasteful(w, g, s, spec, lr, t):
        w -= lr * g

    monkeypatch.setitem(UPDATE_RULES, "sgd", replace(UPDATE_RULES["sgd"], rule=wasteful))
    assert peak_of_second_apply(OptimizerSpec(), "float32") > 4 * optimizers.UPDATE_BLOCK


@pytest.mark.parametrize(
    ("w", "g"),
    [
        (np.zeros(3), np.zeros(2)),
        (np.zeros(3), np.zeros((3, 1))),
        (np.zeros(3), np.zeros(3, "float32")),
        (np.zeros(1), np.zeros(3)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(w, g):
    with pytest.raises(ValueError, match=r"float64 of shape \(3,\)"):
        Optimizer(OptimizerSpec(), LR, 3, "float64").apply(w, g, 0)


# --- clipping ----------------------------------------------------------------------------------------------


def clipped(g, clip=1.0):
    """Return the gradient that plain descent at rate 1 applies, starting from zero."""
    w = np.zeros_like(g)
    Optimizer(OptimizerSpec(clip=clip), 1.0, g.size, g.dtype).apply(w, g, 0)
    return -w


@pytest.mark.parametrize(
    ("dtype", "size"),
    [("float32", 1e30), ("float32", 1e35), ("float32", 10), ("float64", 1e300), ("float64", 10)],
)
@pytest.mark.parametrize("parameters", [4, 100_000])
def test_a_large_gradient_is_clipped_to_the_norm_and_keeps_its_direction(dtype, size, parameters):
    g = np.full(parameters, size, dtype)
    g[::2] *= -1
    expected = np.sign(g) / math.sqrt(parameters)
    np.testing.assert_allclose(clipped(g), expected, rtol=1e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("g", [[0.6, 0.8], [0.3, -0.4], [0.0, 0.0], [1e-320, 0.0]])
def test_a_gradient_within_the_norm_is_left_alone(g):
    assert clipped(np.array(g)).tolist() == g


def test_small_entries_do_not_vanish_from_the_norm():
    np.testing.assert_allclose(clipped(np.array([3e-200, 4e-200]), 1e-200), [6e-201, 8e-201], rtol=1e-14)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("at", [0, 70_000])
def test_a_gradient_that_is_no_number_is_neither_hidden_nor_spread(bad, dtype, at):
    g = np.full(optimizers.UPDATE_BLOCK + 10_000, 2, dtype)
    g[at] = bad
    result = clipped(g)
    assert np.array_equal(result[at], bad, equal_nan=True)
    assert (np.delete(result, at) == 2).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@each_hard
def test_no_optimizer_hides_a_gradient_that_is_no_number(spec, bad):
    w, g = np.ones(3), np.array([1.0, bad, 1.0])
    Optimizer(spec, LR, 3, "float64").apply(w, g, 0)
    assert np.isfinite(w).tolist() == [True, False, True]


# --- what the table says -----------------------------------------------------------------------------------


@each_spec
def test_flops_are_the_operations_that_are_done(monkeypatch, spec):
    counting = Faulty()
    for module in (optimizers, update_rules):
        monkeypatch.setattr(module, "np", counting)
    monkeypatch.setattr(Optimizer, "_norm", lambda self, g: 2 * CLIP)
    w, (g, *_) = start()
    Optimizer(spec, LR, PARAMETERS, "float64").apply(w, g, 0)
    assert flops(spec) == counting.calls + (2 if spec.clip else 0)  # the norm's square and sum


@each_spec
def test_every_formula_can_be_written_in_ascii(spec):
    assert all(ascii_formula(line).isascii() for line in formulas(spec))


def as_python(formula):
    """Translate a line of a formula into a Python statement: a space between two factors is a product."""
    for glyph, plain in (
        ("←", "="),
        ("−", "-"),
        ("²", "**2"),
        ("^", "**"),
        ("√", "sqrt"),
        ("₁", "_1"),
        ("₂", "_2"),
        ("all dW", "dW"),
    ):
        formula = formula.replace(glyph, plain)
    return re.sub(r"(?<=[\w)]) (?=[\w(])", " * ", formula)


@each_spec
def test_the_formulas_on_the_screen_are_the_definition(spec):
    w, gradients = start()
    names = {
        "W": w,
        "m": 0 * w,
        "v": 0 * w,
        "u": 0 * w,
        "μ": spec.momentum,
        "β_1": spec.beta1,
        "β_2": spec.beta2,
    }
    names |= {"ρ": spec.rho, "ε": spec.epsilon, "decay": spec.weight_decay, "clip": spec.clip}
    names |= {"min": min, "norm": np.linalg.norm, "sqrt": np.sqrt}
    path = []
    for t, g in enumerate(gradients):
        names |= {"dW": g, "t": t, "α": learning_rate(spec, LR, t)}
        exec("\n".join(as_python(line) for line in formulas(spec)), names)
        path.append(names["W"])
    assert worst(np.array(path), defined(spec, w, gradients)) < 1e-13
