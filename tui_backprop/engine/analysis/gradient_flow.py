"""How the gradient flows over depth, and the rules of thumb by which it is called unhealthy.

The backward pass multiplies delta by a weight matrix and a slope in each layer: what is a little below 1 a layer
is nothing after forty, and what is a little above 1 is everything. The rules are a table, gravest first.
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

JUDGED_NUMBERS = (
    2**22
)  # numbers that a forward pass of samples may hold at a time: 16 MiB in single precision
NUMBERS_PER_UNIT = 18  # of them for each unit of a sample, at the most (see NetworkSpec.memory)

# A unit that is on for one sample in ten is off for 32 of them by chance in 3% of cases, for 16 in 19%.
FEWEST_SAMPLES = 32
SATURATED = 0.97  # of the way from the middle of an activation's bounds to a bound


@dataclass(frozen=True)
class LayerFlow:
    """One layer in figures. ``delta``, ``gradient`` (of W), ``weights`` and ``update`` (what the optimizer really
    changed W by) are Euclidean norms; ``rms`` is the root mean square of delta's entries, so that layers of
    different width compare.

    ``dead`` is the share of units that are 0 with slope 0 on every sample, ``saturated`` the share of outputs beyond
    0.97 (of tanh; of a sigmoid as far out). They are None where the activation cannot be so or is not finite, and
    ``dead`` also for fewer than LEAST_SAMPLES samples.
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
        """Update to weight; None where the weights are all 0, of which nothing is a share."""
        return self.update / self.weights if self.weights else None


@dataclass(frozen=True)
class Flow:
    """All layers, first one first. Units were judged on so many ``samples``; ``bad`` is the first number that is
    none, if there is one (see ``Pass.bad``)."""

    layers: tuple[LayerFlow, ...]
    samples: int
    bad: NonFinite | None = None

    @property
    def hidden(self) -> tuple[LayerFlow, ...]:
        return self.layers[:-1]

    def relative(self) -> dict[int, float]:
        """rms delta of each hidden layer over that of the last one: the output layer's is of another kind, softmax
        minus target. Layers that no gradient reaches are left out."""
        if len(self.hidden) < 2 or not self.hidden[-1].rms:
            return {}
        return {at.layer: at.rms / self.hidden[-1].rms for at in self.hidden if at.rms}

    @property
    def per_layer(self) -> float | None:
        """What rms delta is multiplied by in a layer on its way back from the last hidden layer to the first, the
        geometric mean; None where there is no such way, or nothing arrives."""
        whole = self.relative().get(1)
        return None if whole is None or not isfinite(whole) else whole ** (1 / (len(self.hidden) - 1))


def flow(iteration: Iteration, samples: Array | None = None) -> Flow:
    """The figures of all layers of a pass. Units are judged on ``samples`` (n, inputs) without dropout, on those of
    the batch if there are none.

    Takes a forward pass of the samples, a few at a time in about ROOM numbers, and one reading of the parameters.
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
    """Shares of dead units and of saturated outputs, by layer."""
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
    told = {k: row for k, row in hidden.items() if finite[k]}
    enough = len(samples) >= FEWEST_SAMPLES
    dead = {k: 1 - float(alive[k].mean()) for k, row in told.items() if row.can_die and enough}
    outputs = {k: len(samples) * spec.layers[k] for k in told}
    return dead, {k: beyond[k] / outputs[k] for k, row in told.items() if row.saturates}


# --- the rules ---------------------------------------------------------------------------------------------

# What it is to break a rule: (figure, threshold). NaN breaks none of the first three.
SIDES: dict[str, Callable[[float, float], bool]] = {
    "above": lambda figure, threshold: threshold < figure < inf,
    "below": lambda figure, threshold: figure < threshold,
    "exactly": lambda figure, threshold: figure == threshold,
    "not finite": lambda figure, threshold: not isfinite(figure),
}


@dataclass(frozen=True)
class HealthRule:
    """One row: layers whose ``figure`` is on this ``side`` of the ``threshold`` are called out.

    ``words`` is the rule as the screen shows it, with {} for the threshold, ``says`` what was measured, with
    {layer}, {figure}, {last} (hidden layer) and {why}. ``column`` is the field of LayerFlow that it reads, and
    ``share`` says that figures are per cent. ``remedy`` is what a practitioner tries.
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
    """Of the layers that have a gradient: where there is none, that is what is wrong."""
    return {at.layer: at.ratio for at in report.layers if at.ratio is not None and at.gradient}


# Why these thresholds. One learning rate serves all layers. Updates are healthy at about 1e-3 of the weights, give
# or take two decades; so where delta has changed by more than two decades on the way back (Glorot and Bengio 2010
# look at it layer by layer), no rate suits both ends. A ReLU network of 40 layers with He's weights has a third of
# its units dead at the start, at 64 a layer, and trains.
HEALTH_RULES: tuple[HealthRule, ...] = (
    HealthRule(
        "not a number", "every number is finite", "not finite", inf, "rms", _bad,
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
        "dead units", "above {} of a layer's units are 0 on every sample", "above", 0.4, "dead",
        lambda report: {at.layer: at.dead for at in report.layers if at.dead is not None},
        "{figure} of layer {layer}", "lower α, leaky-relu, he weights", share=True,
    ),
    HealthRule(
        "update too large", "update above {} times the weights, by norm", "above", 0.1, "ratio", _ratios,
        "{figure} in layer {layer}", "lower α, or warm up",
    ),
    HealthRule(
        "saturated units", "above {} of a layer's outputs beyond 0.97 of tanh", "above", 0.25, "saturated",
        lambda report: {at.layer: at.saturated for at in report.layers if at.saturated is not None},
        "{figure} of layer {layer}", "smaller weights, layer norm, scaled inputs", share=True,
    ),
    HealthRule(
        "update too small", "update below {} times the weights, by norm", "below", 1e-5, "ratio", _ratios,
        "{figure} in layer {layer}", "raise α, or use adam (or converged)",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Callout:
    """A rule that is broken in these ``layers``, the worst of them ``layer`` with its ``figure``."""

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
    """What is wrong by the rules, gravest first; nothing if all is well."""
    found = []
    for rule in HEALTH_RULES:
        broken = {
            k: figure for k, figure in rule.figure(report).items() if SIDES[rule.side](figure, rule.threshold)
        }
        if broken:
            worst = (min if rule.side == "below" else max)(broken, key=lambda k: broken[k])
            found.append(Callout(rule, tuple(broken), worst, broken[worst]))
    return tuple(found)
