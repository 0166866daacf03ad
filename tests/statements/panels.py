"""What the panels say of numbers, curves, bookmarks, step sizes, training and cost: one check for each kind."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np

from tests.statements.closeness import close, number
from tests.statements.reference import ACTIVATIONS, STEP
from tests.statements.reports import at_a_kink, finite_in_double, first_parameter
from tests.statements.speech import WIDE, Speech, said
from tests.statements.updates import first_update, rate
from tests.steady import steady_machine
from tui_backprop.engine.analysis.comparison import difference
from tui_backprop.engine.analysis.loss_slices import slice_along
from tui_backprop.engine.explain.number import equal_gradients, larger_gradients
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.step_size import step_sweep
from tui_backprop.render.cost.cost import readout
from tui_backprop.render.cost.step_size import step_size_lines
from tui_backprop.render.cost_state import CostState
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.panels.bookmarks import bookmarks_panel
from tui_backprop.render.panels.curves import slice_chart
from tui_backprop.render.panels.function_chart import activation_chart
from tui_backprop.render.panels.number import number_panel
from tui_backprop.render.panels.training import figures
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.replay import Replay
from tui_backprop.session.training_curve import Learning
from tui_backprop.session.transitions import after_update
from tui_backprop.session.walk_steps import steps_of

FIGURE = r"^{} +(\S+)"  # a row of the number panel, with its number
TWO, THREE, FOUR = 6e-2, 6e-3, 6e-4  # of a number with so many digits
SECONDS = {"µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "days": 86400.0}

MARK = "(?:[●·] +)?"  # of a time: measured or projected


def the_number(speech: Speech) -> None:
    """Of the first parameter: value, gradient, rank, and the value after the update."""
    tensor, index = first_parameter(speech) if speech.blame["ranking"] else ("W1", (0, 0))
    session = replace(speech.session, inspection=replace(speech.session.inspection, number=(tensor, index)))
    iteration = speech.iteration
    value, g = (float(iteration.tensor(name)[index]) for name in (tensor, f"d{tensor}"))
    larger = larger_gradients(iteration, g), larger_gradients(iteration, g), equal_gradients(iteration, g)
    text = said(number_panel(Snapshot(session, steps_of(session), iteration), larger, WIDE, 60, UTF8))

    def figure(label: str) -> float:
        found = re.search(FIGURE.format(label), text, re.MULTILINE)
        assert found, text
        return number(found[1])

    assert close(figure("value"), value, 0, 1e-5)
    assert close(figure("gradient"), g, 0, 1e-5)
    gradients = np.abs(np.concatenate([iteration.tensor(f"d{name}").ravel() for name in iteration.new]))
    if np.isfinite(gradients).all() and g:
        before, equal = int((gradients > abs(g)).sum()), int((gradients == abs(g)).sum())
        ranks = f"{before + 1:,}" if equal == 1 else f"tied for {before + 1:,} to {before + equal:,}"
        assert f"  {ranks} of {gradients.size:,} by size" in text, text
    if speech.configuration.updates or speech.iteration.bad is not None:
        return
    spec = speech.session.optimizer
    norm = float(np.linalg.norm(gradients.astype(float)))
    right = first_update(spec, speech.session.lr, value, g, norm, tensor.startswith("W"))
    move = abs(right - value) + abs(value)
    assert close(figure("after"), right, move, 1e-5 + speech.exact), f"{tensor}{index}: {right}"
    receipt = re.search(rf"^= {re.escape(tensor)}\[.*after +(\S+)", text, re.MULTILINE)
    assert receipt, text
    shown = figure("after")
    assert abs(number(receipt[1]) - shown) <= half_a_digit(receipt[1]) + 1e-5 * abs(shown), text


def the_activation(speech: Speech) -> None:
    """f and f' of the unit whose number is looked at, by the formula and by its complex step."""
    layer, unit = speech.snapshot.place
    if layer == speech.session.network.depth:
        return
    name = speech.session.network.activations[layer - 1]
    of = f"{'n' if speech.session.network.layer_norm else 'z'}{layer}"
    z = speech.iteration.tensor(of)[0, unit]
    text = said(activation_chart(speech.snapshot, WIDE, UTF8).words(WIDE))
    for label, right in (
        (r"f\([zn]\)", lambda z: ACTIVATIONS[name](z).real),
        (r"f'\([zn]\)", lambda z: np.imag(ACTIVATIONS[name](z + 1j * STEP)) / STEP),
    ):
        found = re.search(rf" {label} (\S+)", text)
        assert found, text
        with np.errstate(all="ignore"):
            value = float(right(np.asarray(complex(z)))) if math.isfinite(z) else math.nan
        if math.isfinite(value) and abs(z) < 1e15 and z:  # beyond, the formula of gelu cancels
            assert close(number(found[1]), value, abs(float(z)) * speech.exact / THREE, THREE), (
                f"{label} at {z}"
            )


def the_slice(speech: Speech) -> None:
    """The loss along a parameter, and what the update of it alone changes."""
    if not finite_in_double(speech) or speech.iteration.bad is not None:
        return
    *_, found = slice_along(speech.iteration, speech.snapshot.weights[:1], 5)
    ((tensor, index),) = found.weights
    reference = speech.reference
    scale = reference.scale()
    for value, loss in zip(found.values[0], found.losses, strict=True):
        right = float(reference.loss(reference.moved(tensor, index, float(value) - found.here[0])).real)
        assert close(float(loss), right, abs(right) + scale, 1e-9), value
    text = said(slice_chart(speech.snapshot, found, WIDE, UTF8).words(WIDE))
    row = re.search(r"updated +(\S+) +(\S+)", text)
    assert row, text
    by = found.updated[0] - found.here[0]
    right = float(reference.loss(reference.moved(tensor, index, by)).real) - float(reference.loss())
    assert close(number(row[2]), right, 0, 1e-2) or close(number(row[2]), right, scale, 1e-9)


def the_comparison(speech: Speech) -> None:
    """The losses of this iteration and of the next, and how far every tensor moved."""
    here = replace(speech.session, bookmarks=replace(speech.session.bookmarks, items=(speech.session,)))
    later = after_update(here)
    now = Replay().take(later)
    found = difference(speech.iteration, now)
    snapshot = Snapshot(later, steps_of(later), now)
    text = said(bookmarks_panel(snapshot, found, WIDE, 80, UTF8))
    row = re.search(r"^loss +(\S+) → (\S+)", text, re.MULTILINE)
    assert row, text
    assert close(number(row[1]), speech.iteration.loss, 0, FOUR)
    assert close(number(row[2]), now.loss, 0, FOUR)
    for change in found.changes:
        one, two = (np.asarray(each.tensor(change.name), float) for each in (speech.iteration, now))
        with np.errstate(all="ignore"):
            moved = two - one
            size = float(np.abs(moved).max())
            if not math.isfinite(size):
                assert not change.finite
                continue
            norm = size * float(np.linalg.norm(moved / (size or 1.0)))
        assert close(change.moved, norm, 0, 1e-5), change
        assert abs(change.after - change.before) >= size * (1 - 1e-6), change


def the_step_sizes(speech: Speech) -> None:
    """Derivatives by backprop and by three quotients, in double precision, against those of the reference."""
    if speech.configuration.seed % 5 or not finite_in_double(speech) or speech.iteration.bad is not None:
        return
    tensor, index = speech.snapshot.weights[0]
    found, reference = step_sweep(speech.iteration, tensor, index), speech.reference
    scale = reference.scale() + reference.terms()
    right = reference.gradient(tensor, index)
    if not at_a_kink(speech):
        assert close(found.exact, right, scale, 1e-9)
        assert close(found.checked, right, scale, 1e-9)
    h = 1e-4
    up, down = (float(reference.loss(reference.moved(tensor, index, by)).real) for by in (h, -h))
    here = float(reference.loss().real)
    text = said(step_size_lines(found, h, "float64", WIDE, 40, UTF8))
    for label, value in (("naive +n", (up - here) / h), ("central +2", (up - down) / (2 * h))):
        (shown,) = re.findall(rf"{label} +(\S+)  error", text)
        assert close(number(shown), value, scale * 1e-3, 1e-3), f"{label} {value} {text}"


def the_training(speech: Speech) -> None:
    """Loss and accuracy on the fixed part of the data."""
    score = speech.score
    learning = Learning(speech.session.t, np.empty(0), (score,))
    text = said(figures(speech.snapshot, learning, WIDE))
    samples = speech.data.x[: min(500, len(speech.data.x))].astype(float)
    reference = replace(speech.reference, x=samples, t=speech.data.t[: len(samples)], masks={})
    z = reference.outputs(samples, reference.parameters, masked=False)
    if np.isfinite(z).all() and np.abs(z).max() < 1e15 and not at_a_kink(speech):
        right = float(reference.loss().real)
        assert close(score.loss, right, reference.scale(), speech.exact)
        loss = re.search(r"loss (\S+)", text)
        assert loss, text
        assert close(number(loss[1]), score.loss, 0, THREE)
    share = re.search(r"^(?:first|all) .*: +accuracy (\S+)%", text, re.MULTILINE)
    if share and score.accuracy is not None:
        assert abs(float(share[1].lstrip("<>")) / 100 - score.accuracy) <= 0.0051


def the_costs(speech: Speech) -> None:
    """Passes and floating-point operations of each method, and the ratio of backprop to a forward pass."""
    spec = speech.session.network
    count = sum(array.size for array in speech.reference.parameters.values())
    costs = CostState(spec, None, lesson_clock=True, axis="FLOPs")
    text = said(readout(costs, WIDE, context=UTF8))
    noun = "parameter" if count == 1 else "parameters"
    assert re.search(rf"^this network: {count:,} {noun}\b", text, re.MULTILINE), text

    def flops(method: str) -> float:
        found = re.search(rf"^{method} +{MARK}([\d.,]+)(k?)", text, re.MULTILINE)
        assert found, text
        return number(found[1]) * (1000 if found[2] else 1)

    forward = flops("SPSA +s") / 2
    weights = sum(speech.reference.parameters[f"W{k}"].size for k in range(1, spec.depth + 1))
    assert forward >= 2 * weights  # at least the matrix products, of one sample
    assert close(flops("naive +n"), (count + 1) * forward, 0, THREE)
    assert close(flops("central +2"), 2 * count * forward, 0, THREE)
    assert close(flops("complex step +c"), 4 * count * forward, 0, THREE)
    first = speech.reference.parameters["W1"].size
    assert f"{(3 * weights - first) / weights:.2f}x a forward pass in MACs" in text
    the_times(spec, count)


def the_times(spec: NetworkSpec, count: int) -> None:
    """Times of each method, the ratios, and the machines to match, by the rates of the simulated machine."""
    text = said(readout(CostState(spec, steady_machine(spec)), WIDE, context=UTF8))
    forward, backprop = 3e-10 * count + 5e-6, 7e-10 * count + 9e-6
    perturbed, all_at_once = 3e-10 * count + 6e-6, 2e-8 * count + 2e-5
    naive = (count + 1) * perturbed
    for label, right in (
        ("forward pass", forward), ("naive +n", naive), ("central +2", 2 * count * perturbed),
        ("SPSA +s", 2 * all_at_once), ("backprop +b", backprop),
        ("100,000 steps: naive", 1e5 * naive), ("  with backprop", 1e5 * backprop),
    ):  # fmt: skip
        found = re.search(rf"^{label} +{MARK}([\d.,]+) (\S+)", text, re.MULTILINE)
        assert found, text
        assert close(number(found[1]) * SECONDS[found[2]], right, 0, THREE), f"{label}: {right} s\n{text}"
    faster = re.search(r"^backprop: (\S+) times (faster|slower) than naive", text, re.MULTILINE)
    machines = re.search(r"^  naive: (\S+) machines? to match", text, re.MULTILINE)
    slower = re.search(r"^  (\S+)x in time", text, re.MULTILINE)
    assert faster, text
    assert machines, text
    assert slower, text
    ratio = number(faster[1]) if faster[2] == "faster" else 1 / number(faster[1])
    assert close(ratio, naive / backprop, 0, TWO)
    assert abs(number(machines[1]) - max(math.ceil(naive / backprop), 1)) <= TWO * naive / backprop + 0.5
    assert abs(number(slower[1]) - backprop / forward) <= half_a_digit(slower[1])


def half_a_digit(text: str) -> float:
    """Half a unit of the last digit of a number as the program writes it, and its rounding."""
    digits, _, exponent = text.partition("e")
    places = len(digits.partition(".")[2])
    return 0.51 * 10.0 ** (int(number(exponent or "0")) - places)


def the_rate(speech: Speech) -> None:
    """The learning rate of the iteration."""
    right = rate(speech.session.optimizer, speech.session.lr, speech.session.t)
    assert close(speech.iteration.lr, right, 0, 1e-12)


CHECKS = (
    the_number, the_activation, the_slice, the_comparison, the_step_sizes, the_training, the_costs, the_rate,
)  # fmt: skip
