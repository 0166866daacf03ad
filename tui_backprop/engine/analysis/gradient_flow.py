"""Gradient flow: the size of delta, gradient and update in each layer, and rules of thumb for what is unhealthy.

The backward pass multiplies delta by a weight matrix and a slope in each layer. A factor a little below 1 per layer
makes the gradient vanish over forty layers, a factor a little above 1 makes it explode. The rules are a table,
gravest first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np

from tui_backprop.engine.arrays.norms import norm
from tui_backprop.engine.network.nonfinite import NonFinite
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.tensor_names import INPUT, TARGET, delta, gradient_of, weight
from tui_backprop.engine.primitives import ACTIVATIONS, Array
from tui_backprop.engine.training.iteration import Iteration

# numbers that a forward pass over samples may hold at a time: 16 MiB in single precision
JUDGED_NUMBERS = 2**22
NUMBERS_PER_UNIT = 18  # numbers held for each unit and sample, at most (see NetworkSpec.memory)

# A unit that is on for one sample in ten is off for 32 of them by chance in 3% of cases, for 16 in 19%.
FEWEST_SAMPLES = 32
SATURATED = 0.97  # of the way from the middle of an activation's bounds to a bound


@dataclass(frozen=True)
class LayerFlow:
    """Figures of one layer. ``delta``, ``gradient`` (of W), ``weights`` and ``update`` (the change of W that the
    optimizer made) are Euclidean norms; ``rms`` is the root mean square of delta's entries, which makes layers of
    different widths comparable.

    ``dead`` is the share of units whose output and slope are 0 on every sample, ``saturated`` the share of outputs
    beyond ±0.97 of tanh, or as close to a bound of a sigmoid. They are None where the activation has no such state or
    is not finite; ``dead`` is also None for fewer than FEWEST_SAMPLES samples.
    """

    layer: int
    delta: float
    rms: float
    gradient: float
    weights: float
    update: float
    dead: float | None = None
    saturated: float | None = None

    @property
    def ratio(self) -> float | None:
        """Norm of the update over norm of the weights; None where all weights are 0."""
        return self.update / self.weights if self.weights else None


@dataclass(frozen=True)
class Flow:
    """Figures of all layers, first layer first. Units were judged on ``samples`` samples; ``bad`` is the first NaN
    or infinity, if there is one (see ``Iteration.bad``)."""

    layers: tuple[LayerFlow, ...]
    samples: int
    bad: NonFinite | None = None

    @property
    def hidden(self) -> tuple[LayerFlow, ...]:
        return self.layers[:-1]

    def relative(self) -> dict[int, float]:
        """Ratio of each hidden layer's rms delta to that of the last hidden layer. The output layer is left out: its
        delta is a difference of output and target, and so are layers that no gradient reaches."""
        if len(self.hidden) < 2 or not self.hidden[-1].rms:
            return {}
        return {at.layer: at.rms / self.hidden[-1].rms for at in self.hidden if at.rms}

    @property
    def per_layer(self) -> float | None:
        """Factor by which rms delta changes per layer backward, the geometric mean from the last hidden layer to the
        first; None where there are fewer than two hidden layers or no gradient reaches the first."""
        ratio = self.relative().get(1)
        return None if ratio is None or not isfinite(ratio) else ratio ** (1 / (len(self.hidden) - 1))

    @property
    def from_output(self) -> float | None:
        """Factor by which rms delta changes from the output layer to the last hidden layer, which is not in
        ``per_layer``; None where it is not a finite number or there is no hidden layer."""
        if not self.hidden or not self.layers[-1].rms:
            return None
        ratio = self.hidden[-1].rms / self.layers[-1].rms
        return ratio if isfinite(ratio) else None


def flow(iteration: Iteration, samples: Array | None = None) -> Flow:
    """Compute the figures of all layers of an iteration. Units are judged on ``samples`` (n, inputs) without dropout,
    by default on the batch.

    Runs a forward pass over the samples, in parts of about JUDGED_NUMBERS numbers, and reads the parameters once.
    """
    given = iteration.tensor(INPUT) if samples is None else samples
    dead, saturated = _judged(iteration, given)
    layers = []
    for k in range(1, iteration.spec.depth + 1):
        deltas, weights = iteration.tensor(delta(k)), iteration.tensor(weight(k))
        size = norm(deltas)
        layers.append(
            LayerFlow(
                layer=k,
                delta=size,
                rms=size / deltas.size**0.5,
                gradient=norm(iteration.tensor(gradient_of(weight(k)))),
                weights=norm(weights),
                update=norm(iteration.new[weight(k)], weights),
                dead=dead.get(k),
                saturated=saturated.get(k),
            )
        )
    return Flow(tuple(layers), len(given), iteration.bad)


def _judged(iteration: Iteration, samples: Array) -> tuple[dict[int, float], dict[int, float]]:
    """Count the shares of dead units and of saturated outputs, by layer."""
    spec = iteration.spec
    rows = max(JUDGED_NUMBERS // (NUMBERS_PER_UNIT * sum(spec.layers)), 1)
    hidden = {k: ACTIVATIONS[name] for k, name in enumerate(spec.activations, 1)}
    alive = {k: np.zeros(width, bool) for k, width in enumerate(spec.layers[1:-1], 1)}
    beyond, finite = dict.fromkeys(alive, 0), dict.fromkeys(alive, True)
    for start in range(0, len(samples), rows):
        part = samples[start : start + rows]
        program = Program(spec, len(part), iteration.program.parameters)
        program.feed(part, np.zeros_like(program.values[TARGET]))
        program.forward()
        for k, row in hidden.items():
            op = iteration.activation(k)
            a, z = program.values[op.output], program.values[op.inputs[0]]
            with np.errstate(all="ignore"):
                finite[k] &= isfinite(float(a.sum(dtype=float)))
                if row.can_die:
                    slope = np.empty_like(z)
                    op.primitive.vjps[0](slope, np.ones_like(z), a, program.caches[op.output], z)
                    alive[k] |= ((a != 0) | (slope != 0)).any(axis=0)
                elif row.saturates:
                    beyond[k] += int(row.saturated(a, SATURATED).sum())
    judged = {k: row for k, row in hidden.items() if finite[k]}
    enough = len(samples) >= FEWEST_SAMPLES
    dead = {k: 1 - float(alive[k].mean()) for k, row in judged.items() if row.can_die and enough}
    outputs = {k: len(samples) * spec.layers[k] for k in judged}
    return dead, {k: beyond[k] / outputs[k] for k, row in judged.items() if row.saturates}


# --- the rules ---------------------------------------------------------------------------------------------

# Predicates of (figure, threshold) that are true where a rule is broken. NaN breaks none of the first three.
SIDES: dict[str, Callable[[float, float], bool]] = {
    "above": lambda figure, threshold: threshold < figure < inf,
    "below": lambda figure, threshold: figure < threshold,
    "exactly": lambda figure, threshold: figure == threshold,
    "not finite": lambda figure, threshold: not isfinite(figure),
}


@dataclass(frozen=True)
class HealthRule:
    """One rule of thumb: layers whose ``figure`` is on ``side`` of ``threshold`` break it.

    ``words`` is the condition as the screen shows it, with {} for the threshold; ``says`` states the finding, with
    {layer}, {figure}, {last} (hidden layer) and {why}. ``column`` is the field of LayerFlow that the rule reads;
    figures of a ``share`` are shown as per cent. ``remedy`` is what to try.
    """

    name: str
    words: str
    side: str
    threshold: float
    column: str
    figure: Callable[[Flow], Mapping[int, float]]
    says: str
    remedy: str
    share: bool = False


def _bad(report: Flow) -> Mapping[int, float]:
    return {report.bad.layer: report.bad.number} if report.bad else {}


def _ratios(report: Flow) -> Mapping[int, float]:
    """Ratios of the layers that have a gradient; a missing gradient is a rule of its own."""
    return {at.layer: at.ratio for at in report.layers if at.ratio is not None and at.gradient}


# Reasons for the thresholds. All layers share one learning rate, and updates are healthy at about 1e-3 of the
# weights, within two decades; where delta changes by more than two decades over the layers (compared by layer in
# Glorot and Bengio 2010), no rate suits both ends. A ReLU network of 40 layers of 64 units with He's initialization
# has a third of its units dead at the start, and trains.
HEALTH_RULES: tuple[HealthRule, ...] = (
    HealthRule(
        "not finite", "every value is finite", "not finite", inf, "rms", _bad,
        "{why}", "lower α, clip the gradient, find where it began",
    ),
    HealthRule(
        "no gradient", "δ of a layer is exactly {}", "exactly", 0.0, "rms",
        lambda report: {at.layer: at.rms for at in report.layers},
        "δ{layer} is {figure}", "larger batches, leaky-relu, random weights (or converged)",
    ),
    HealthRule(
        "exploding", "δ rms above {} times the last hidden layer's", "above", 100.0, "rms", Flow.relative,
        "δ{layer} is {figure} times δ{last}", "gradient clipping, smaller weights, layer norm",
    ),
    HealthRule(
        "vanishing", "δ rms below {} times the last hidden layer's", "below", 0.01, "rms", Flow.relative,
        "δ{layer} is {figure} times δ{last}", "relu+he init, residual connections, layer norm",
    ),
    HealthRule(
        "dead units", "over {} of a layer's units are 0 on every sample", "above", 0.4, "dead",
        lambda report: {at.layer: at.dead for at in report.layers if at.dead is not None},
        "{figure} of layer {layer}", "lower α, leaky-relu, he weights", share=True,
    ),
    HealthRule(
        "update too large", "update norm above {} times the weights'", "above", 0.1, "ratio", _ratios,
        "{figure} in layer {layer}", "lower α, or warm up",
    ),
    HealthRule(
        "saturated units", "over {} of a layer's outputs beyond ±0.97 of tanh", "above", 0.25, "saturated",
        lambda report: {at.layer: at.saturated for at in report.layers if at.saturated is not None},
        "{figure} of layer {layer}", "smaller weights, layer norm, scaled inputs", share=True,
    ),
    HealthRule(
        "update too small", "update norm below {} times the weights'", "below", 1e-5, "ratio", _ratios,
        "{figure} in layer {layer}", "raise α, or use adam (or converged)",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Callout:
    """A broken rule: the ``layers`` that break it, and the worst of them, ``layer``, with its ``figure``."""

    rule: HealthRule
    layers: tuple[int, ...]
    layer: int
    figure: float

    @property
    def name(self) -> str:
        return self.rule.name

    @property
    def threshold(self) -> float:
        return self.rule.threshold


def callouts(report: Flow) -> tuple[Callout, ...]:
    """Return the broken rules, gravest first."""
    found = []
    for rule in HEALTH_RULES:
        broken = {
            k: figure for k, figure in rule.figure(report).items() if SIDES[rule.side](figure, rule.threshold)
        }
        if broken:
            worst = (min if rule.side == "below" else max)(broken, key=lambda k: broken[k])
            found.append(Callout(rule, tuple(broken), worst, broken[worst]))
    return tuple(found)
