"""The detail of one parameter: its path to the loss, the samples' gradients, and how the loss responds to nudges."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from tui_backprop.engine.analysis.influence import PathStep, strongest_path
from tui_backprop.engine.analysis.ranking import Attribution
from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.network.graph import flat_index, penalized
from tui_backprop.engine.network.predictions import predicted_classes
from tui_backprop.engine.network.tensor_names import (
    INPUT,
    TARGET,
    delta,
    gradient_of,
    kind_of,
    layer_of,
    normalized,
    preactivation,
    standardized,
)
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.iteration import Iteration

SMALL_NUDGE = 0.01
FARTHEST_MOVE = 2.0**10  # how far a parameter is moved to see whether it alone can change an answer
HALVINGS = 12  # of the distance at which it does
MOST_PARAMETERS = 20_000_000  # parameters above which that is not sought: it takes some twenty passes


@dataclass(frozen=True)
class Nudge:
    """One parameter changed ``by`` so much: the change of the loss that its gradient predicts, and the actual change,
    by a forward pass in double precision. ``predicted_class`` is that of the first sample of the batch then (which
    means something where outputs are classes)."""

    name: str
    by: float
    predicted_change: float
    actual_change: float
    predicted_class: int


@dataclass(frozen=True)
class Turn:
    """The prediction for the first sample of the batch: its ``label`` and its ``predicted_class``. ``by`` is the
    smallest change of this parameter found that corrects a wrong prediction (in the direction that lowers the loss)
    or makes a correct one wrong (in the direction that raises it), and ``then`` the class predicted after it; both
    are None if no change up to ±1,024 was found, or if none was searched for (``sought``)."""

    label: int
    predicted_class: int
    by: float | None = None
    then: int | None = None
    sought: bool = True


@dataclass(frozen=True)
class SampleGradient:
    """The term of one ``sample`` of the batch in a parameter's gradient."""

    sample: int
    gradient: float


@dataclass(frozen=True)
class ParameterDetail:
    """The detail of one parameter. ``sample_gradients`` are those of all samples of the batch, the largest first, and
    add up to the gradient, with the ``penalty``; ``path`` is that of largest influence for the first of them."""

    attribution: Attribution
    path: tuple[PathStep, ...]
    sample_gradients: tuple[SampleGradient, ...]
    penalty: float
    nudges: tuple[Nudge, ...]
    turn: Turn | None = None  # where there are classes

    @property
    def sample(self) -> int:
        """The sample of the batch with the largest gradient."""
        return self.sample_gradients[0].sample

    @property
    def path_product(self) -> float:
        """The product of the path's factors: its share of that sample's gradient."""
        return prod(step.factor for step in self.path)


def parameter_detail(
    iteration: Iteration, attribution: Attribution, label: int | None = None
) -> ParameterDetail:
    """Compute the detail of a parameter of a pass; ``label`` is the class of the batch's first sample, if outputs are
    classes. Runs as many forward passes as there are nudges, and about thirty for the turn."""
    each = sample_gradients(iteration, attribution.tensor, attribution.index)
    order = np.argsort(-np.abs(np.nan_to_num(each)), kind="stable")
    penalty = (
        iteration.spec.l2 * attribution.value if attribution.tensor in penalized(iteration.spec) else 0.0
    )
    trial = MovedParameter(iteration, attribution)
    return ParameterDetail(
        attribution=attribution,
        path=strongest_path(iteration, attribution.tensor, attribution.index, int(order[0])),
        sample_gradients=tuple(SampleGradient(int(s), float(each[s])) for s in order),
        penalty=penalty,
        nudges=trial.nudges(),
        turn=None if label is None else trial.turn(label),
    )


def sample_gradients(iteration: Iteration, tensor: str, index: tuple[int, ...]) -> Array:
    """Return each sample's term in dL/dparameter, (n,), in double precision: the products whose sum the backward
    pass computes."""
    unit, layer, kind = index[-1], layer_of(tensor), kind_of(tensor)
    if kind in ("weight", "bias"):
        given = iteration.tensor(delta(layer))[:, unit].astype(float)
        op = next(op for op in iteration.program.ops if tensor in op.inputs)
        return given * iteration.tensor(op.inputs[0])[:, index[0]] if kind == "weight" else given
    given = iteration.tensor(gradient_of(normalized(layer)))[:, unit].astype(float)
    return given * iteration.tensor(standardized(layer))[:, unit] if kind == "gain" else given


class MovedParameter:
    """A network run again with one parameter moved, in double precision."""

    def __init__(self, iteration: Iteration, attribution: Attribution) -> None:
        self._at = flat_index(iteration.spec, attribution.tensor, attribution.index)
        self._iteration, self._attribution = iteration, attribution
        problem = Problem(
            iteration.spec,
            iteration.tensor(INPUT),
            iteration.tensor(TARGET),
            iteration.program.parameters,
            iteration.before.t,
        )
        self._program = problem.in_precision("float64").program()
        self._z = self._program.values[preactivation(iteration.spec.depth)]

    def _run(self, by: float) -> tuple[float, int]:
        """The loss with the parameter moved ``by`` so much, and what the first sample is read as."""
        self._program.parameters[self._at] = self._attribution.value + by
        loss = float(self._program.forward())
        return loss, int(predicted_classes(self._z[:1], self._iteration.spec.loss)[0])

    def nudges(self) -> tuple[Nudge, ...]:
        """What moving it does: by the coming update, to zero, and a little both ways."""
        asked = (
            ("update", float(self._iteration.after.parameters[self._at]) - self._attribution.value),
            ("to zero", -self._attribution.value),
            ("up", SMALL_NUDGE),
            ("down", -SMALL_NUDGE),
        )
        base, _ = self._run(0)
        found = []
        for name, by in asked:
            if by:
                loss, predicted_class = self._run(by)
                found.append(Nudge(name, by, self._attribution.gradient * by, loss - base, predicted_class))
        return tuple(found)

    def turn(self, label: int) -> Turn:
        """How far this parameter alone has to go to change the answer: doubled until it does, and then halved. (The
        nearest such place may be missed where the answer changes back and forth.)"""
        _, predicted_class = self._run(0)
        slope = self._attribution.gradient
        if not slope or not np.isfinite(slope) or self._iteration.spec.parameters > MOST_PARAMETERS:
            return Turn(label, predicted_class, sought=not slope)
        sign = float(np.sign(slope)) * (1 if predicted_class == label else -1)

        def turned(far: float) -> bool:
            return (self._run(sign * far)[1] == label) != (predicted_class == label)

        near, far = 0.0, SMALL_NUDGE
        while not turned(far):
            near, far = far, 2 * far
            if far > FARTHEST_MOVE:
                return Turn(label, predicted_class)
        for _ in range(HALVINGS):
            middle = (near + far) / 2
            near, far = (near, middle) if turned(middle) else (middle, far)
        return Turn(label, predicted_class, sign * far, self._run(sign * far)[1])
