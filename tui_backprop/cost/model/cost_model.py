"""The cost model of a machine: seconds of a pass, as measured, or by the law that is fitted to the measurements of
its kind, with its own error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tui_backprop.cost.model.bounds import Refusal, broken, refusals
from tui_backprop.cost.model.busy_machine import is_busy, undisturbed
from tui_backprop.cost.model.estimates import Estimate, LeftOut, Measured
from tui_backprop.cost.model.landmarks import LESSON_FORWARD, LESSON_SIZE
from tui_backprop.cost.model.law import UNKNOWN_ERROR, Fit, fit, predict, quantities_of
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.network_shape import CostShape
from tui_backprop.cost.model.speeds import UNMEASURED, Probe
from tui_backprop.cost.model.workload import PASS_KINDS, work

ERROR_PER_DECADE = 0.06  # added for each decade beyond the largest measured network
INTERVAL_DEVIATIONS = 2.0  # on either side, in an interval
REPEATED = 1.2  # factor within which a measurement by another process lies, at the least
DISTURBED = 2.0  # the same where the machine was busy: CPU time is longer then, too
LEAST_SHARE = 1e-3  # of a core, that a measurement had
FEW_PASSES, FIRST_RUN = (
    2,
    5e-4,
)  # seconds that the first run of many passes takes more than later ones, at the most
LEAST_AGREEING = 3  # other points, with which a measurement is compared, and that a fit's error is from
# Kinds that do all the work of a forward pass, and more.
NO_QUICKER_THAN_FORWARD = ("backprop", "naive", "central", "complex", "jvp", "spsa")
FORWARD = ("forward", "naive", "central")  # kinds of forward passes
SAME_PASS = ("naive", "central")  # kinds whose passes do the same work, one parameter changed in each
SAME_LAW = {"naive": FORWARD, "central": FORWARD}  # kinds whose measurements make a fit; others by themselves
EXTRAPOLATED = 100.0  # times larger than the networks that a model is fitted to, for its test
TESTED_KINDS = ("forward", "backprop")


@dataclass(frozen=True)
class PassFit:
    """The law of one kind of pass. ``of_core`` is the least share of a core that its measurements had; ``busy`` if
    the machine was during some of them."""

    law: Fit
    of_core: float = 1.0
    busy: bool = False


@dataclass(frozen=True)
class CostModel:
    """Measurements of a machine, and estimates from those that can be true. ``assumed`` is the lesson's clock:
    nothing is measured, and a forward pass of its network takes 1 ms, others in proportion to their operations."""

    points: tuple[Measured, ...] = ()
    probe: Probe = UNMEASURED
    assumed: bool = False

    @cached_property
    def share(self) -> float:
        """The share of the wall time of all measurements in which a core was ours, 0 to 1; 1 if there are none."""
        used = [point.runs * point.middle for point in self.points]
        wall = sum(
            each / max(point.share, LEAST_SHARE) for each, point in zip(used, self.points, strict=True)
        )
        return sum(used) / wall if wall else 1.0

    @cached_property
    def refused(self) -> tuple[Refusal, ...]:
        """The measurements that break a bound, each with the reason."""
        pairs = broken(self.points)
        if not pairs:
            return ()
        odd = [point for pair in pairs for point in pair.points]
        others = self._without(odd)
        return refusals(pairs, lambda point: others.agrees(point))

    @cached_property
    def sound(self) -> tuple[Measured, ...]:
        """The measurements that are not refused."""
        refused = [refusal.point for refusal in self.refused]
        return tuple(point for point in self.points if point not in refused)

    @cached_property
    def kinds(self) -> frozenset[str]:
        return frozenset(point.kind for point in self.sound)

    @cached_property
    def largest(self) -> float:
        """Parameters of the largest network measured."""
        return max((point.parameters for point in self.sound), default=1.0)

    def agrees(self, point: Measured) -> bool:
        """Return True if there are measurements of other networks that predict this one."""
        known = [other for other in self.sound if other.kind == point.kind]
        if len(known) < LEAST_AGREEING:
            return False
        predicted = self.seconds(point.kind, point.shape)
        return predicted.low <= point.middle <= predicted.high

    @cached_property
    def _fits(self) -> dict[str, PassFit]:
        """Fits computed so far."""
        return {}

    def _fit_of(self, kind: str) -> PassFit | None:
        """Return the fit of a kind of pass; None if no such pass was measured."""
        alike = SAME_LAW.get(kind, (kind,))
        if kind not in self._fits and not self.kinds.isdisjoint(alike):
            self._fits[kind] = self._fit(undisturbed([p for p in self.sound if p.kind in alike]))
        return self._fits.get(kind)

    @cached_property
    def _found(self) -> dict[tuple[str, CostShape], Measured]:
        return {(point.kind, point.shape): point for point in reversed(self.sound)}

    def point(self, kind: str, shape: CostShape) -> Measured | None:
        """Return the measurement of a pass of exactly this network."""
        return self._found.get((kind, shape))

    def seconds(self, kind: str, shape: CostShape) -> Estimate:
        """Estimate a pass: as measured, or by the fit; one of NO_QUICKER_THAN_FORWARD takes at least a forward pass.
        A kind that was not measured is projected at the speed of a forward pass."""
        if (kind, shape) not in self._estimates:  # the chart asks for a forward pass once for each method
            self._estimates[kind, shape] = self._estimate(kind, shape)
        return self._estimates[kind, shape]

    @cached_property
    def _estimates(self) -> dict[tuple[str, CostShape], Estimate]:
        """Estimates computed so far."""
        return {}

    def _estimate(self, kind: str, shape: CostShape) -> Estimate:
        if self.assumed:
            each = LESSON_FORWARD / LESSON_SIZE * work(kind, shape).flops / work("forward", shape).flops
            took = each * shape.parameters
            return Estimate(took, took, took)
        point = self.point(kind, shape)
        found = self._projected(kind, shape) if point is None else self._as_measured(point)
        if kind not in NO_QUICKER_THAN_FORWARD:
            return found
        if point is None:
            return found.at_least(self.seconds("forward", shape))
        forward = self.point("forward", shape)
        least = found.middle if forward is None else max(found.middle, forward.middle)
        return replace(found, middle=least, high=max(found.high, least))

    def _projected(self, kind: str, shape: CostShape) -> Estimate:
        """Return a pass by the fit of its kind; by that of forward passes, much less surely, if none was measured."""
        found = self._fit_of(kind)
        if found is None:
            other = self._fit_of("forward") or self._fit(())
            law = replace(other.law, error=math.hypot(other.law.error, 2 * UNKNOWN_ERROR))
            found = replace(other, law=law)
        middle, error = predict(found.law, work(kind, shape), self.probe)
        beyond = max(math.log10(max(shape.parameters, 1) / self.largest), 0.0)
        wide = math.exp(INTERVAL_DEVIATIONS * math.hypot(error, ERROR_PER_DECADE * beyond))
        predicted = Estimate(middle / wide, middle, middle * wide, share=found.of_core, busy=found.busy)
        return self._beyond_disturbed(predicted) if beyond and is_busy(0.0, self.probe.share) else predicted

    def _beyond_disturbed(self, found: Estimate) -> Estimate:
        """Return a projection beyond what was measured by speeds of memory that other work disturbed."""
        low, high = found.low / DISTURBED, found.high * DISTURBED
        return replace(found, low=low, high=high, share=min(found.share, self.probe.share), busy=True)

    def _as_measured(self, point: Measured) -> Estimate:
        """Return a measured pass. Its interval holds measurements by other processes, what passes of the same work
        took, and what the measurements of other networks predict, if that is different: runs that were all disturbed
        alike agree with each other."""
        least = DISTURBED if point.busy else REPEATED
        wide = max(least, point.high / point.middle, point.middle / point.low)
        low, high = point.middle / wide, point.middle * wide
        for kind in SAME_PASS if point.kind in SAME_PASS else ():
            if (twin := self.point(kind, point.shape)) is not None:
                low, high = min(low, twin.middle), max(high, twin.middle)
        others = self._without([p for p in self.sound if p.shape == point.shape])
        if sum(p.kind == point.kind for p in others.sound) >= LEAST_AGREEING:
            predicted = others.seconds(point.kind, point.shape)
            if not predicted.low <= point.middle <= predicted.high:
                low, high = min(low, predicted.middle), max(high, predicted.middle)
        return Estimate(low, point.middle, high, True, point.share, point.busy)

    def gradient(self, method: str, shape: CostShape) -> Estimate:
        """Estimate one gradient by one of COST_METHODS, in seconds: at least its fewest passes. Raises KeyError for
        another."""
        row = COST_METHODS[method]
        once, many = self.seconds(row.kind, shape), row.passes(shape.parameters)
        whole = once if many == 1 else once.times(many)
        if many > FEW_PASSES:
            whole = replace(whole, high=whole.high + FIRST_RUN)
        return whole.at_least(self.seconds("forward", shape).times(row.fewest)) if row.fewest else whole

    def operations(self, method: str, shape: CostShape) -> float:
        """Return the FLOPs of one gradient by one of COST_METHODS."""
        row = COST_METHODS[method]
        return row.passes(shape.parameters) * work(row.kind, shape).flops

    @cached_property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Every point of TESTED_KINDS, with the prediction of a model fitted without it."""
        return tuple(
            LeftOut(point, self._without([point]).seconds(point.kind, point.shape))
            for point in self.sound
            if point.kind in TESTED_KINDS and sum(p.kind == point.kind for p in self.sound) > 2
        )

    @cached_property
    def beyond(self) -> tuple[LeftOut, ...]:
        """Points within a factor EXTRAPOLATED of the largest, with the prediction of a model fitted to the others."""
        large = [p for p in self.sound if p.parameters > self.largest / EXTRAPOLATED]
        small = self._without(large)
        if len({p.parameters for p in small.points}) < 2:
            return ()
        return tuple(LeftOut(p, small.seconds(p.kind, p.shape)) for p in large if p.kind in TESTED_KINDS)

    def prepare(self, shape: CostShape) -> CostModel:
        """Compute what a screen shows of it for a network, which takes as long as several keys; a pickled copy keeps
        that. Return the cost model itself."""
        for kind in PASS_KINDS:
            self._fit_of(kind)
        for name in COST_METHODS:
            self.gradient(name, shape)
        _ = self.left_out
        return self

    def _without(self, points: Sequence[Measured]) -> CostModel:
        return CostModel(tuple(p for p in self.points if p not in points), self.probe)

    def _fit(self, points: Sequence[Measured]) -> PassFit:
        law = fit(
            [quantities_of(work(p.kind, p.shape), self.probe) for p in points], [p.middle for p in points]
        )
        disturbed = any(point.busy for point in points)  # only where there are few others
        if disturbed:
            law = replace(law, error=math.hypot(law.error, math.log(DISTURBED) / INTERVAL_DEVIATIONS))
        return PassFit(law, min((point.share for point in points), default=1.0), disturbed)


LESSON = CostModel(assumed=True)
