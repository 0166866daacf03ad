"""Errors of differences, against differences computed without the engine: in numpy, in fractions, by hand."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients import step_size as module
from tui_backprop.engine.gradients.step_size import (
    PRECISIONS,
    STEP_METHODS,
    KinkCrossing,
    StepCurve,
    step_sweep,
)
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.session.session_parts import LESSON_STEP_INDEX as NOTCH

FORWARD, CENTRAL, COMPLEX = STEP_METHODS
EPS = {"float32": 2.0**-23, "float64": 2.0**-52}
BENDS = {
    "relu": lambda z: np.where(z.real > 0, z, 0),
    "leaky-relu": lambda z: np.where(z.real > 0, z, z * z.dtype.type(0.01)),
    "tanh": np.tanh,
}


def nets(spec, parameters, x):
    """All pre-activations of the hidden layers, and the outputs; parameters lie as W1, b1, W2, ..."""
    start, a, sums = 0, x, []
    for k, (i, o) in enumerate(zip(spec.layers, spec.layers[1:], strict=False), 1):
        w = parameters[start : start + i * o].reshape(i, o)
        z = a @ w + parameters[start + i * o : start + (i + 1) * o]
        start += (i + 1) * o
        if k < spec.depth:
            sums.append(z)
            a = BENDS[spec.activations[k - 1]](z)
    return sums, z


def loss(spec, parameters, x, t):
    """Mean cross-entropy, or mean half sum of squares."""
    z = nets(spec, parameters, x)[1]
    if spec.loss == "half-squares":
        return ((z - t) ** 2).sum() / 2 / len(x)
    z = z - z.real.max(axis=1, keepdims=True)
    return (np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(t)), t]).mean()


def moved(parameters, at, by):
    there = parameters.copy()
    there[at] += by
    return there


def at_of(spec, tensor, index):
    """The place in the flat vector, by hand: W1, b1, W2, b2, ..."""
    before = sum((i + 1) * o for i, o in spec.fans[: int(tensor[1:]) - 1])
    i, o = spec.fans[int(tensor[1:]) - 1]
    return before + (index[0] * o + index[1] if tensor[0] == "W" else i * o + index[0])


def given_for(calculus, spec, batch=3, seed=0):
    given = calculus.problem(spec, batch, seed)
    return SimpleNamespace(
        spec=spec, x=given.x, t=given.target, w=given.parameters, iteration=calculus.take(given)
    )


SPECS = [
    NetworkSpec((4, 6, 5, 3), "tanh", dtype="float64"),
    NetworkSpec((4, 6, 5, 3), "tanh", "half-squares", dtype="float32"),
    NetworkSpec((3, 5, 2), "relu", dtype="float32"),
    NetworkSpec((3, 5, 4, 2), "leaky-relu,tanh", dtype="float64"),
    NetworkSpec((4, 2), loss="half-squares", dtype="float64"),
]
WHERE = [("W1", (1, 0)), ("b1", (1,)), ("last W", None), ("last b", None)]


def place(spec, tensor, index):
    return (tensor, index) if index else (f"{tensor[-1]}{spec.depth}", (1, 1) if tensor[-1] == "W" else (0,))


# --- what is found -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tensor", "index"), WHERE)
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_differences_are_those_that_numpy_alone_takes(calculus, spec, tensor, index):
    given = given_for(calculus, spec)
    tensor, index = place(spec, tensor, index)
    found = step_sweep(given.iteration, tensor, index)
    at = at_of(spec, tensor, index)
    for precision in PRECISIONS:
        w, x = given.w.astype(precision), given.x.astype(precision)
        t = given.t if given.t.dtype.kind == "i" else given.t.astype(precision)
        base = float(loss(spec, w, x, t))
        for i, h in enumerate(found.steps):
            up, down = moved(w, at, h), moved(w, at, -h)
            above, below = float(loss(spec, up, x, t)), float(loss(spec, down, x, t))
            one, two = float(up[at] - w[at]) or h, float(up[at] - down[at]) or 2 * h
            allowed = 16 * EPS[precision] * max(base, 1)  # the two sum in another order
            rows = found.rows[FORWARD, precision], found.rows[CENTRAL, precision]
            assert rows[0].found[i] == pytest.approx((above - base) / one, abs=allowed / one)
            assert rows[1].found[i] == pytest.approx((above - below) / two, abs=allowed / two)
        for method in STEP_METHODS:
            row = found.rows[method, precision]
            size = abs(found.exact) or 1.0
            assert row.off == pytest.approx(np.abs(row.found - found.exact) / size, rel=1e-12)


def fractions(spec, parameters, x, t):
    """The loss of a ReLU network with half squares in exact arithmetic."""
    numbers, total = [Fraction(p) for p in parameters], Fraction(0)
    for sample, target in zip(x, t, strict=True):
        a, start = [Fraction(float(v)) for v in sample], 0
        for k, (i, o) in enumerate(spec.fans, 1):
            w, b = numbers[start : start + i * o], numbers[start + i * o : start + (i + 1) * o]
            start += (i + 1) * o
            z = [sum(a[r] * w[r * o + c] for r in range(i)) + b[c] for c in range(o)]
            a = [max(value, Fraction(0)) for value in z] if k < spec.depth else z
        total += sum((v - Fraction(float(y))) ** 2 for v, y in zip(a, target, strict=True)) / 2
    return total / len(x)


@pytest.mark.parametrize(("tensor", "index"), [("W1", (0, 2)), ("b1", (2,)), ("W2", (2, 1)), ("b2", (0,))])
def test_the_errors_are_those_of_exact_fractions(calculus, tensor, index):
    spec = NetworkSpec((3, 4, 2), "relu", "half-squares", dtype="float64")
    given = given_for(calculus, spec, 2, seed=4)
    found, at = step_sweep(given.iteration, tensor, index), at_of(spec, tensor, index)
    numbers = np.array([Fraction(float(p)) for p in given.w], object)

    def exact_loss(by):
        return fractions(spec, moved(numbers, at, by), given.x, given.t)

    base, tiny = exact_loss(Fraction(0)), Fraction(1, 10**9)
    slope = (exact_loss(tiny) - exact_loss(-tiny)) / (2 * tiny)  # a parabola's, and so without truncation
    bend = (exact_loss(tiny) - 2 * base + exact_loss(-tiny)) / tiny**2
    assert found.exact == pytest.approx(float(slope), rel=1e-14)
    seen = 0
    for i, h in enumerate(found.steps):
        noise = 16 * EPS["float64"] * max(float(base), 1) / h
        if found.rows[CENTRAL, "float64"].flips[i] is None:
            truncation = float(bend) * h / 2
            assert found.rows[FORWARD, "float64"].found[i] - found.exact == pytest.approx(
                truncation, abs=noise
            )
            assert found.rows[CENTRAL, "float64"].found[i] == pytest.approx(float(slope), abs=noise)
            seen += abs(truncation) > 100 * noise
    assert seen > 10  # where nothing but the parabola's bend is left


def test_every_parameter_of_every_kind_of_network_is_found_by_the_complex_step(calculus):
    spec = calculus.everything
    given = calculus.problem(spec, 3)
    iteration, (_, right) = calculus.take(given), calculus.textbook(given)
    for name, where in spec.graph.slices.items():
        index = (0, 1) if name[0] == "W" else (1,)
        at = where.start + 1
        found = step_sweep(iteration, name, index)
        assert found.exact == pytest.approx(right[at], rel=1e-10)
        assert found.checked == pytest.approx(found.exact, rel=1e-12)
        assert found.exact == iteration.program.gradient[at]
        assert found.rows[CENTRAL, "float64"].off[20] < 1e-5  # h = 1e-6


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_complex_step_is_exact_however_small_the_step(calculus, activation):
    given = given_for(calculus, NetworkSpec((4, 5, 3), activation, dtype="float64"))
    alive = int(np.argmax(np.abs(given.iteration.tensor("db1"))))
    for tensor, index in (("W1", (0, alive)), ("b1", (alive,))):
        found = step_sweep(given.iteration, tensor, index)
        small = found.steps < 1e-8
        assert (found.rows[COMPLEX, "float64"].off[small] < 1e-13).all()
        assert (found.rows[COMPLEX, "float32"].off[small] < 1e-4).all()
        assert found.checked == pytest.approx(found.exact, rel=1e-13)
        assert found.rows[FORWARD, "float64"].off[-1] > 1e-3  # where a difference has lost its digits


# --- steps and theory --------------------------------------------------------------------------------------


def test_the_steps_are_quarters_of_a_decade_and_the_lessons_is_a_notch_of_them(calculus):
    found = step_sweep(given_for(calculus, SPECS[0]).iteration, "W1", (0, 0))
    assert [float(h) for h in found.steps[::4]] == [float(f"1e-{k}") for k in range(1, 17)]
    assert np.log10(found.steps[:-1] / found.steps[1:]) == pytest.approx(0.25)
    assert found.steps[NOTCH] == 1e-4
    assert found.nearest(10 ** (-1 - NOTCH / 4)) == found.nearest(1.2e-4) == NOTCH
    assert (found.nearest(1.0), found.nearest(1e-30)) == (0, 60)
    assert found.nearest(1.35e-4) == NOTCH - 1  # by decades: nearer to 1.78e-4


def test_large_networks_are_asked_once_a_decade(calculus, monkeypatch):
    monkeypatch.setattr(module, "MANY_PARAMETERS", 1)
    found = step_sweep(given_for(calculus, SPECS[0]).iteration, "W1", (0, 0))
    assert [float(h) for h in found.steps] == [float(f"1e-{k}") for k in range(1, 17)]
    assert found.steps[found.nearest(1e-4)] == 1e-4


def test_the_best_steps_by_theory_are_roots_of_the_round_off(calculus):
    rows = step_sweep(given_for(calculus, SPECS[0]).iteration, "W1", (0, 0)).rows
    assert rows[FORWARD, "float64"].best == pytest.approx(1.490e-8, rel=1e-3)
    assert rows[FORWARD, "float32"].best == pytest.approx(3.453e-4, rel=1e-3)
    assert rows[CENTRAL, "float64"].best == pytest.approx(6.055e-6, rel=1e-3)
    assert rows[CENTRAL, "float32"].best == pytest.approx(4.922e-3, rel=1e-3)
    assert rows[COMPLEX, "float64"].best < 1e-30


@pytest.mark.parametrize("seed", range(4))
def test_errors_fall_with_the_order_of_the_method_and_then_rise_as_digits_are_lost(calculus, seed):
    spec = NetworkSpec((3, 4, 3), "tanh", dtype="float64")
    found = step_sweep(given_for(calculus, spec, seed=seed).iteration, "W1", (0, 0))
    for method, falls, at in ((FORWARD, 10, 8), (CENTRAL, 100, 4)):  # from h = 0.001, and 0.01, a decade on
        for precision in PRECISIONS:
            row = found.rows[method, precision]
            assert row.off[row.least] == row.off.min()
            assert row.off[48] > 2 * row.off[row.least]  # h = 1e-13
            assert abs(np.log10(found.steps[row.least] / row.best)) < 2
        off = found.rows[method, "float64"].off
        assert off[at] / off[at + 4] == pytest.approx(falls, rel=0.1)
    for method in STEP_METHODS[:2]:
        assert found.rows[method, "float32"].off.min() > 10 * found.rows[method, "float64"].off.min()


def test_a_step_counts_as_it_comes_out_in_single_precision(calculus):
    """Around 1024, numbers lie 1.2e-4 apart above, and half as far below."""
    spec = NetworkSpec((1, 1), loss="half-squares")
    given = calculus.problem(spec, 1)
    given.x[:], given.target[:], given.parameters[:] = 1.0, 1023.0, [1024.0, 0.0]
    found = step_sweep(calculus.take(given), "W1", (0, 0))
    assert found.exact == 1.0
    assert found.rows[FORWARD, "float32"].found[NOTCH] == pytest.approx(
        1.0, rel=1e-3
    )  # h = 1e-4 comes out as 1.2e-4
    assert found.rows[CENTRAL, "float32"].found[NOTCH + 1] == pytest.approx(
        1.0, rel=1e-3
    )  # 5.6e-5: 0 and 6.1e-5
    assert found.rows[FORWARD, "float32"].found[NOTCH + 1] == 0


def test_where_it_came_out_best_is_the_smallest_error_that_is_a_number():
    off = np.array([np.nan, np.inf, 3.0, 1.0, 1.0, np.nan])
    assert StepCurve(off, off, 0.1, (None,) * 6).least == 3
    assert StepCurve(off[:2], off[:2], 0.1, (None,) * 2).least == 0


def test_a_step_that_single_precision_does_not_feel_finds_a_derivative_of_zero(calculus):
    found = step_sweep(given_for(calculus, SPECS[0]).iteration, "W1", (0, 0))
    for method in (FORWARD, CENTRAL):
        assert (found.rows[method, "float32"].found[40:] == 0).all()  # h = 1e-11 and less
        assert (found.rows[method, "float32"].off[40:] == 1).all()
        assert found.rows[method, "float64"].found[40] != 0


# --- kinks -------------------------------------------------------------------------------------------------


def flips_of(spec, w, x, at, bys):
    """Units on the other side of a kink, at any of these places, by their layer; from numpy's pre-activations."""
    here = [z.real > 0 for z in nets(spec, w, x)[0]]
    units = []
    for k, before in enumerate(here):
        if "relu" in spec.activations[k]:
            there = [nets(spec, moved(w, at, by), x)[0][k].real > 0 for by in bys]
            crossed = np.any([after != before for after in there], axis=(0, 1))
            units += [f"z{k + 1}[{unit}]" for unit in np.flatnonzero(crossed)]
    return KinkCrossing(len(units), units[0]) if units else None


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "spec",
    [
        NetworkSpec((4, 9, 20, 3), "relu", dtype="float64"),
        NetworkSpec((4, 9, 20, 3), "tanh,leaky-relu", dtype="float64"),
        NetworkSpec((4, 9, 20, 3), "relu,tanh", "half-squares", dtype="float64"),
    ],
    ids=lambda spec: spec.activation,
)
def test_exactly_the_units_that_change_sides_are_flagged(calculus, spec, seed):
    given = given_for(calculus, spec, batch=60, seed=seed)
    for tensor, index in (("W1", (seed % 4, seed)), ("b1", (2,)), ("W2", (1, seed)), ("b3", (0,))):
        found, at = step_sweep(given.iteration, tensor, index), at_of(spec, tensor, index)
        for i, h in enumerate(found.steps):
            assert found.rows[FORWARD, "float64"].flips[i] == flips_of(spec, given.w, given.x, at, [h])
            assert found.rows[CENTRAL, "float64"].flips[i] == flips_of(spec, given.w, given.x, at, [h, -h])
            wide = given.w.astype(complex)
            assert found.rows[COMPLEX, "float64"].flips[i] == flips_of(spec, wide, given.x, at, [1j * h])
        if tensor == "b3":
            assert not any(found.rows[CENTRAL, "float64"].flips)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_kink_close_by_is_flagged_from_the_step_on_that_reaches_it(calculus, sign):
    spec = NetworkSpec((2, 3, 2), "relu", dtype="float64")
    given = calculus.problem(spec, 1)
    given.x[:] = 1.0
    at = at_of(spec, "b1", (1,))
    given.parameters[at] = 0
    given.parameters[at] = -nets(spec, given.parameters, given.x)[0][0][0, 1] - sign * 2e-6
    found = step_sweep(calculus.take(given), "b1", (1,))
    far = found.steps > 2e-6
    for method in (FORWARD, CENTRAL):
        flagged = np.array([flip is not None for flip in found.rows[method, "float64"].flips])
        crosses = far if method == CENTRAL or sign == 1 else np.zeros_like(far)
        assert flagged.tolist() == crosses.tolist()
        off = found.rows[method, "float64"].off
        near = ~far & (found.steps > 1e-7)
        assert not flagged[near].any()
        assert (off[near] < 1e-6).all()
        if crosses.any():
            assert set(found.rows[method, "float64"].flips[:15]) == {KinkCrossing(1, "z1[1]")}
            assert (off[flagged] > 1e-2).all()  # backprop is right, and the difference is not


def test_flips_are_those_of_the_precision_that_the_difference_is_taken_in(calculus):
    spec = NetworkSpec((1, 1, 1), "relu", "half-squares", dtype="float64")
    given = calculus.problem(spec, 1)
    given.x[:], given.target[:] = 1.0, 0.0
    given.parameters[:] = [1.0, -1.0, 1.0, 0.5]  # z1 = 0: what moves it up at all flips it
    found = step_sweep(calculus.take(given), "W1", (0, 0))
    felt = {p: np.dtype(p).type(1) + found.steps.astype(p) > 1 for p in PRECISIONS}
    for precision in PRECISIONS:
        flips = [flip is not None for flip in found.rows[FORWARD, precision].flips]
        assert flips == felt[precision].tolist()
    assert felt["float32"].sum() < felt["float64"].sum() < 61
    assert not any(found.rows[COMPLEX, "float64"].flips)  # a real part of 0 stays, whatever the imaginary one


def test_the_complex_step_flips_a_unit_only_behind_a_bend(calculus):
    """Real parts move by h² f'' there, and not at all through piecewise linear layers."""
    spec = NetworkSpec((1, 1, 1, 1), "tanh,relu", "half-squares", dtype="float64")
    given = calculus.problem(spec, 1)
    given.x[:], given.target[:] = 1.0, 0.0
    sums = float(np.tanh(np.float64(0.5)))
    given.parameters[:] = [0.5, 0.0, 1.0, -sums - 1e-5, 1.0, 0.5]
    found = step_sweep(calculus.take(given), "W1", (0, 0))
    assert found.exact == 0
    flags = [flip is not None for flip in found.rows[COMPLEX, "float64"].flips]
    assert flags[: NOTCH // 2] == [True] * (NOTCH // 2)
    assert not any(flags[NOTCH:])
    linear = NetworkSpec((4, 9, 8, 3), "relu", dtype="float64")
    assert not any(
        step_sweep(given_for(calculus, linear, 5).iteration, "W1", (0, 0)).rows[COMPLEX, "float64"].flips
    )


# --- what is left alone, and what is strange ----------------------------------------------------------------


@pytest.mark.parametrize("tensor", ["W1", "b2", "γ1"])
def test_the_pass_is_bit_for_bit_what_it_was(calculus, tensor):
    iteration = calculus.take(calculus.problem(calculus.everything, 3))
    arrays = [*iteration.program.arrays(), iteration.before.parameters, iteration.after.parameters]
    before = [array.tobytes() for array in arrays]
    step_sweep(iteration, tensor, (0, 0) if tensor == "W1" else (0,))
    assert [array.tobytes() for array in arrays] == before


def test_a_weight_into_a_dead_unit_has_absolute_errors_and_none_until_it_revives(calculus):
    spec = NetworkSpec((2, 3, 2), "relu", dtype="float64")
    given = calculus.problem(spec, 2)
    given.x[:] = 1.0
    given.parameters[at_of(spec, "W1", (0, 1))] = given.parameters[at_of(spec, "W1", (1, 1))] = 0
    given.parameters[at_of(spec, "b1", (1,))] = -0.05
    found = step_sweep(calculus.take(given), "W1", (0, 1))
    assert (found.exact, found.relative) == (0, False)
    for (method, _), row in found.rows.items():
        assert row.off.tolist() == np.abs(row.found).tolist()
        assert not row.off[found.steps < 0.05].any()
        assert (row.off[0] > 1e-3) == (method != COMPLEX)  # h = 0.1 brings it to life
        assert found.steps[row.least] < 0.05 or method == COMPLEX
    assert found.rows[FORWARD, "float64"].flips[0] == KinkCrossing(1, "z1[1]")


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e300, 1e-320])
@pytest.mark.parametrize("tensor", ["W1", "W2"])
def test_numbers_that_are_none_are_shown_without_a_warning(calculus, value, tensor):
    for activation in ("tanh", "relu"):
        spec = NetworkSpec((3, 4, 2), activation, dtype="float64")
        given = calculus.problem(spec, 2)
        given.parameters[at_of(spec, "W1", (0, 0))] = value
        found = step_sweep(calculus.take(given), tensor, (0, 0))
        for row in found.rows.values():
            assert row.off.shape == row.found.shape == found.steps.shape
            assert 0 <= row.least < len(found.steps)
    if np.isnan(value):
        assert np.isnan(found.exact)
        assert all(np.isnan(row.off).all() for row in found.rows.values())


def test_what_is_no_parameter_is_refused(calculus):
    iteration = given_for(calculus, SPECS[0]).iteration
    for tensor in ("W9", "z1", "x", ""):
        with pytest.raises(KeyError):
            step_sweep(iteration, tensor, (0, 0))
    for tensor, index in (
        ("W1", (4, 0)),
        ("W1", (0, 6)),
        ("W1", (-1, 0)),
        ("W1", (0,)),
        ("b1", (0, 0)),
        ("b1", (-1,)),
    ):
        with pytest.raises(IndexError, match=r"is out of range for .* of shape"):
            step_sweep(iteration, tensor, index)


def test_dropout_keeps_to_the_masks_of_the_pass(calculus):
    spec = NetworkSpec((4, 30, 3), "tanh", dtype="float64", dropout=0.5)
    iteration = calculus.take(calculus.problem(spec, 2), iterations=3)
    dead = int(np.flatnonzero(~iteration.tensor("m1").any(axis=0))[0])
    assert not step_sweep(iteration, "W1", (0, dead)).rows[FORWARD, "float64"].found.any()
    alive = int(np.flatnonzero(iteration.tensor("m1").all(axis=0))[0])
    assert step_sweep(iteration, "W1", (0, alive)).exact == iteration.tensor("dW1")[0, alive]


def test_a_sweep_runs_some_five_hundred_passes_and_only_from_the_parameter_on(calculus, monkeypatch):
    iteration = given_for(calculus, NetworkSpec((4, 6, 5, 3), "tanh", dtype="float64")).iteration
    starts, real = [], Program.forward

    def forward(program, start=0, stop=None):
        starts.append(start)
        return real(program, start, stop)

    monkeypatch.setattr(Program, "forward", forward)
    for tensor, start in (("W1", 0), ("b1", 0), ("W3", 6), ("b3", 6)):  # u, z, a of two layers come before
        starts.clear()
        step_sweep(iteration, tensor, (0, 0)[: 2 if tensor[0] == "W" else 1])
        assert 450 < len(starts) < 550
        assert sum(each != start for each in starts) <= (9 if start else 0)
        assert set(starts) <= {0, start}


def test_the_lessons_network_is_swept_in_both_precisions():
    rng, spec = np.random.default_rng(0), NetworkSpec()
    update = Update(rng.random((1, 784), np.float32), np.array([3]), 0.1)
    iteration = run_iteration(spec, update, TrainingState(0, initial_parameters(spec)))
    k = int(np.argmax(np.abs(iteration.tensor("dW1")).max(axis=0)))
    found = step_sweep(iteration, "W1", (300, k))
    assert found.exact == pytest.approx(float(iteration.tensor("dW1")[300, k]), rel=1e-3)
    assert found.checked == pytest.approx(found.exact, rel=1e-12)
    at = found.nearest(1e-4)
    assert found.rows[CENTRAL, "float64"].off[at] < 1e-4
    assert found.rows[CENTRAL, "float32"].off[at] > found.rows[CENTRAL, "float64"].off[at]
