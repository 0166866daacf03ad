"""Gradient flow: the size of delta, gradient and update in each layer, and rules of thumb for what is unhealthy.

The backward pass multiplies delta by a weight matrix and a slope in each layer. A factor a little below 1 per layer
makes the gradient vanish over forty layers, a factor a little above 1 makes it explode.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from tui_backprop.engine.analysis.judged import Examples, Fit, is_finite_at_start, judge, of_batch
from tui_backprop.engine.analysis.remedies import Setup
from tui_backprop.engine.analysis.twin_units import Twins, twin_units
from tui_backprop.engine.arrays.norms import norm
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.nonfinite import NonFinite
from tui_backprop.engine.training.iteration import Iteration


@dataclass(frozen=True)
class LayerFlow:
    """Figures of one layer. ``delta``, ``gradient`` (of W), ``weights`` and ``update`` (the change of W that the
    optimizer made) are Euclidean norms; ``rms`` is the root mean square of delta's entries, which makes layers of
    different widths comparable.

    ``dead`` is the share of units whose output and slope are 0 on every sample judged, ``saturated`` the share of
    outputs beyond ±0.97 of tanh, or as close to a bound of a sigmoid. They are None where the activation has no such
    state or is not finite. ``reached`` is the share of samples on which delta is not all 0. ``dead`` and ``reached``
    are None for fewer than FEWEST_SAMPLES samples. ``twins`` are groups of equal units (see ``twin_units``). The
    layer's delta is written as ``symbol``, and its output as ``output``. A ``frozen`` layer has neither gradient nor
    update; if no delta is computed for it, because all layers before it are frozen, too, ``symbol`` is "".
    """

    layer: int
    symbol: str
    output: str
    delta: float
    rms: float
    gradient: float
    weights: float
    update: float
    dead: float | None = None
    saturated: float | None = None
    reached: float | None = None
    twins: Twins = ()
    frozen: bool = False

    @property
    def ratio(self) -> float | None:
        """Norm of the update over norm of the weights; None where all weights are 0."""
        return self.update / self.weights if self.weights else None


@dataclass(frozen=True)
class Flow:
    """Figures of all layers, first layer first, in iteration ``t`` of a run with this ``setup`` (None: of a kind of
    network that no remedies are known for); ``fit`` says on which samples units were judged, and how well these are
    predicted. ``bad`` is the first NaN or infinity, if there is one (see ``Iteration.bad``). ``rises``: the loss of
    the batch is higher after the update than before; ``starts_finite``: a pass with the initial weights is finite
    (found out only where a value is not finite)."""

    layers: tuple[LayerFlow, ...]
    fit: Fit
    setup: Setup | None
    t: int = 0
    rises: bool = False
    bad: NonFinite | None = None
    starts_finite: bool = True

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
        ``first``; None where that is one layer or no gradient reaches it."""
        ratio, factors = self.relative().get(self.first), len(self.hidden) - self.first
        return None if ratio is None or not isfinite(ratio) or factors < 1 else ratio ** (1 / factors)

    @property
    def first(self) -> int:
        """The first layer for which delta is computed: 1, unless it is frozen."""
        return next((at.layer for at in self.layers if at.symbol), len(self.layers))

    @property
    def from_output(self) -> float | None:
        """Factor by which rms delta changes from the output layer to the last hidden layer, which is not in
        ``per_layer``; None where it is not a finite number or there is no hidden layer."""
        if not self.hidden or not self.layers[-1].rms:
            return None
        ratio = self.hidden[-1].rms / self.layers[-1].rms
        return ratio if isfinite(ratio) else None


def flow(iteration: Iteration, examples: Examples | None = None) -> Flow:
    """Compute the figures of all layers of an iteration. The fit and the units are judged on ``examples``, by default
    on the batch, without dropout (see ``judge``); the parameters are read once."""
    examples = examples or of_batch(iteration)
    found, twins = judge(iteration, examples), twin_units(iteration)
    starts_finite = iteration.bad is None or is_finite_at_start(iteration.spec, examples)
    layers = []
    graph, spec = iteration.graph, iteration.spec
    for k in range(1, graph.depth + 1):
        w, frozen = graph.weight(k), graph.weight(k) not in graph.trained
        symbol = graph.delta(k) if k in graph.blocks_with_delta else ""
        weights, size, count = iteration.tensor(w), 0.0, 1
        if symbol:
            deltas = iteration.tensor(symbol)
            size, count = norm(deltas), deltas.size
        layers.append(
            LayerFlow(
                layer=k,
                symbol=symbol,
                output=graph.output_of(k),
                delta=size,
                rms=size / count**0.5,
                gradient=0.0 if frozen else norm(iteration.tensor(graph.gradient_of(w))),
                weights=norm(weights),
                update=0.0 if frozen else norm(iteration.new[w], weights),
                frozen=frozen,
                dead=found.dead.get(k),
                saturated=found.saturated.get(k),
                reached=found.reached.get(k),
                twins=twins.get(k, ()),
            )
        )
    setup = None
    if isinstance(spec.healthy, NetworkSpec):
        setup = Setup(spec.healthy, iteration.optimizer, iteration.lr, iteration.batch)
    return Flow(
        tuple(layers),
        found.fit,
        setup,
        iteration.before.t,
        iteration.loss_after > iteration.loss,
        iteration.bad,
        starts_finite,
    )
