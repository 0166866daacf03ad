"""The result of ``cost``: cost of one gradient by every method; and its JSON object."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tui_backprop.cost.accounting.ledger import LEDGER_COLUMNS, Ledger, LedgerRow, ledger
from tui_backprop.cost.accounting.memory_ledger import MemoryLedger, memory_ledger
from tui_backprop.cost.measure.cache import machine
from tui_backprop.cost.measure.sweep import Progress
from tui_backprop.cost.model.certainty import busy_sentence, ratio_of, rounded_ratio
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Estimate, LeftOut, Measured
from tui_backprop.cost.model.landmarks import KNOWN, TRAINING_STEPS
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.network_shape import CostShape, shape_of
from tui_backprop.cost.model.workload import passes_in_words
from tui_backprop.cost.race.race import RaceStatus
from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.render.cost_state import CostState, ShownRace
from tui_backprop.session.state import Session
from tui_backprop.support.quantity import Quantity


@dataclass(frozen=True)
class Raced:
    """A finished race: its ``step`` (0: none), and the number of ``workers`` (0: one process on this machine)."""

    end: RaceStatus
    step: float
    workers: int = 0

    @property
    def ratio(self) -> float:
        """Seconds of the race, on an idle core, over those of backprop."""
        return self.end.elapsed.on_idle_core / (self.end.backprop or float("nan"))


@dataclass(frozen=True)
class CostResult:
    """Cost of a gradient by the cost model of this machine, which may be that of a saved sweep (``kept``); the sweep
    and the race, if they were requested. ``chart``: the chart is drawn too."""

    session: Session
    cost_model: CostModel
    chart: bool = False
    kept: bool = False
    swept: Progress | None = None
    raced: Raced | None = None

    @property
    def shape(self) -> CostShape:
        return shape_of(self.session.network)

    @property
    def costs(self) -> CostState:
        race = ShownRace(self.raced.end, self.session) if self.raced else None
        return CostState(self.session.network, self.cost_model, race=race)

    @property
    def ledger(self) -> Ledger:
        return ledger(self.session.network, self.session.batch)

    @property
    def memory(self) -> MemoryLedger:
        return memory_ledger(self.ledger, self.session.optimizer)

    def ratio(self, shape: CostShape) -> float:
        """Return how many times faster backprop is than the naive method."""
        return rounded_ratio(*(self.cost_model.gradient(name, shape) for name in ("naive", "backprop")))


def time_ratio(result: CostResult) -> Quantity:
    """Return the time of forward and backward pass over that of a forward pass."""
    return ratio_of(*(result.cost_model.seconds(kind, result.shape) for kind in ("backprop", "forward")))


def cost_dict(result: CostResult) -> dict[str, Any]:
    """Return the object of ``cost --json``. Times are in seconds; an estimate is ``low``, ``middle``, ``high`` (a 95%
    interval) and whether it was ``measured``; ``share`` is that of a core that was ours while that was measured which
    it depends on, and ``busy`` is true if other work disturbed that.

    network      its kind, and all its settings
    parameters   how many it has
    machine      what measurements depend on: processor, cores, memory, versions
    kept         true if other networks were measured before, in a saved sweep
    share        share of a core that all measurements had: times are those of an idle core
    busy         how busy the machine was, in words; null if it was not
    passes       all that was measured: kind of pass, parameters, layers; the least, a robust minimum and the median
                 of so many runs (low, middle, high), share and busy; why it is refused, or null
    forward      one forward pass of one sample, an estimate
    methods      for each: name, about, passes, kind of pass, seconds (an estimate), measured, flops
    ratio        how many times faster backprop is than the naive method
    counted_ratio  operations of forward and backward pass over those of the forward pass
    counted_in   their unit: MACs; FLOPs where there are no matrix products
    time_ratio   the same in time
    training     so many steps, and what they take by naive and by backprop, estimates
    ledger       batch; for each of the layers and in total the MACs forward, delta and dW, and the bytes kept
    memory       optimizer; bytes of a number; for parameters, gradients, optimizer state, kept values and values at
                 once: bytes for training and for inference, the formula, and the formula with its numbers; totals
    known        networks with a name, of this shape: parameters, and one gradient by naive and by backprop; none of
                 an expression
    left_out     measured passes, what the cost model predicted that was fitted without them; whether inside
    beyond       the same for the largest networks, fitted to those 100 times smaller
    sweep        networks done, of how many, in seconds, why it ended before the last; null if there was none
    race         method, step, workers, evaluations, seconds, share of a core, seconds on_idle_core (CPU time, if that
                 share is below 0.9), rate, backprop (seconds), ratio on an idle core, cosine, relative_error and the
                 worst entry with its error; null if there was none
    """
    spec, cost_model, shape = result.session.network, result.cost_model, result.shape
    takes = {name: cost_model.gradient(name, shape) for name in COST_METHODS}
    forward, made = cost_model.seconds("forward", shape), result.ledger
    refused = {refusal.point: refusal.why for refusal in cost_model.refused}
    return {
        "network": {"kind": spec.frontend, **spec.settings},
        "parameters": spec.parameters,
        "machine": machine(),
        "kept": result.kept,
        "share": cost_model.share,
        "busy": busy_sentence(cost_model, forward, *takes.values()) or None,
        "passes": [
            {**_named(p), "low": p.low, "middle": p.middle, "high": p.high, "runs": p.runs, "share": p.share,
             "busy": p.busy, "refused": refused.get(p)}
            for p in cost_model.points
        ],
        "forward": asdict(forward),
        "methods": [
            {
                "name": name, "about": passes_in_words(method, shape),
                "passes": round(method.passes(spec.parameters)), "kind": method.kind,
                "seconds": _interval(takes[name]), "measured": takes[name].measured,
                "flops": cost_model.operations(name, shape),
            }
            for name, method in COST_METHODS.items()
        ],
        "ratio": result.ratio(shape),
        "counted_ratio": made.ratio, "counted_in": made.unit,
        "time_ratio": rounded_ratio(takes["backprop"], forward),
        "training": {
            "steps": TRAINING_STEPS,
            **{method: _interval(takes[method].times(TRAINING_STEPS)) for method in ("naive", "backprop")},
        },
        "ledger": {
            "batch": made.batch,
            "layers": [{"layer": entry.layer, **_booked(entry)} for entry in made.layers],
            "total": _booked(made.total),
        },
        "memory": {
            "optimizer": result.session.optimizer.name, "itemsize": shape.itemsize,
            "rows": [asdict(row) for row in result.memory.rows],
            "training": result.memory.training, "inference": result.memory.inference,
        },
        "known": [
            {
                "name": name, "parameters": parameters,
                **{
                    method: _interval(cost_model.gradient(method, shape.at(float(parameters))))
                    for method in ("naive", "backprop")
                },
            }
            for name, parameters in (KNOWN if shape.grows else ())
        ],
        "left_out": [_left_out(one) for one in cost_model.left_out],
        "beyond": [_left_out(one) for one in cost_model.beyond],
        "sweep": _swept(result.swept) if result.swept else None,
        "race": _raced(result.raced, result.session.t) if result.raced else None,
    }  # fmt: skip


def _interval(found: Estimate) -> dict[str, Any]:
    return {name: value for name, value in asdict(found).items() if name != "measured"}


def _named(point: Measured) -> dict[str, Any]:
    return {"kind": point.kind, "parameters": point.parameters, "layers": list(point.shape.widths)}


def _left_out(left: LeftOut) -> dict[str, Any]:
    return {
        **_named(left.point), "measured": left.point.middle, "predicted": _interval(left.predicted),
        "inside": left.inside,
    }  # fmt: skip


def _booked(entry: LedgerRow) -> dict[str, int]:
    return {**{name: s.macs for name, s in zip(LEDGER_COLUMNS, entry.costs, strict=True)}, "kept": entry.kept}


def _swept(swept: Progress) -> dict[str, Any]:
    return {"done": swept.done, "of": swept.of, "seconds": swept.seconds, "ended": swept.ended}


def _raced(raced: Raced, iteration: int) -> dict[str, Any]:
    end, found = raced.end, raced.end.agreement
    return {
        "iteration": iteration, "method": end.method, "step": raced.step,
        "workers": raced.workers, "evaluations": end.evaluations,
        "seconds": end.seconds, "share": end.share, "on_idle_core": end.elapsed.on_idle_core,
        "rate": end.rate, "backprop": end.backprop, "ratio": raced.ratio,
        "cosine": found.cosine, "relative_error": found.relative,
        "worst": {"entry": ascii_formula(found.worst or ""), "error": found.error},
    }  # fmt: skip
