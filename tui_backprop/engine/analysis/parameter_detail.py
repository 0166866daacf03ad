"""The detail of one parameter: its path to the loss, the samples' gradients, and how the loss responds to nudges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from tui_backprop.engine.analysis.influence import PathStep, strongest_path
from tui_backprop.engine.analysis.path_of_operations import NoPath
from tui_backprop.engine.analysis.prediction_flips import (
    FlipSearch,
    PredictionAlong,
    changes_per_doubling,
    search_flips,
    why_untried,
)
from tui_backprop.engine.analysis.ranking import Attribution
from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.network.predictions import NO_CLASS, predicted_classes
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.token_loss import NO_TARGET
from tui_backprop.engine.training.iteration import Iteration

SMALL_NUDGE = 0.01


@dataclass(frozen=True)
class Nudge:
    """One parameter changed ``by`` so much: the change of the loss that its gradient predicts, and the actual change,
    by a forward pass in double precision. ``predicted_class`` is that of the first sample of the batch then (which
    means something where outputs are classes), None where there is no prediction. ``by_hand`` is False of what
    happens anyway: the coming update."""

    name: str
    by: float
    predicted_change: float
    actual_change: float
    predicted_class: int | None
    by_hand: bool = True


@dataclass(frozen=True)
class SampleGradient:
    """The term of one ``sample`` of the batch in a parameter's gradient."""

    sample: int
    gradient: float


@dataclass(frozen=True)
class ParameterDetail:
    """The detail of one parameter. ``sample_gradients`` are those of all samples of the batch, the largest first, and
    add up to the gradient, with the ``penalty``; ``path`` is that of largest influence for the first of them, one
    of ``path_ties`` that are equally large, or empty, and why it is ``missing``; ``paths`` are all of them, where
    they are few in a graph without layers.
    ``base_loss`` is the loss without a change, in double precision as those of the ``nudges``."""

    attribution: Attribution
    path: tuple[PathStep, ...]
    path_ties: int
    sample_gradients: tuple[SampleGradient, ...]
    penalty: float
    nudges: tuple[Nudge, ...]
    base_loss: float
    paths: tuple[tuple[PathStep, ...], ...] = ()
    missing: NoPath | None = None
    flips: FlipSearch | None = None  # where there are classes

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
    """Compute the detail of a parameter; ``label`` is the true class of the batch's first sample, where outputs are
    classes. Takes a forward pass of the batch for each nudge, and some 2,000 of one sample, from the parameter on,
    for the flips."""
    each = sample_gradients(iteration, attribution.tensor, attribution.index)
    order = np.argsort(-np.abs(np.nan_to_num(each)), kind="stable")
    strength = iteration.graph.penalties.get(attribution.tensor)
    penalty = 0.0 if strength is None else strength * attribution.value
    changed = ChangedParameter(iteration, attribution)
    nudges = changed.nudges()
    path = strongest_path(iteration, attribution.tensor, attribution.index, int(order[0]))
    return ParameterDetail(
        attribution=attribution,
        path=path.steps,
        path_ties=path.ties,
        sample_gradients=tuple(SampleGradient(int(s), float(each[s])) for s in order),
        penalty=penalty,
        nudges=nudges,
        base_loss=changed.loss,
        paths=path.every,
        missing=path.missing,
        flips=None if label is None else changed.flips(label, [nudge.by for nudge in nudges]),
    )


def sample_gradients(iteration: Iteration, tensor: str, index: tuple[int, ...]) -> Array:
    """Return each sample's term in dL/dparameter, (n,), in double precision: the products whose sum the backward
    pass computes; in a graph without layers, by the derivatives of each sample's outputs."""
    graph = iteration.graph
    if not graph.layered:
        return _by_outputs(iteration, tensor, index)
    unit = index[-1]
    op = graph.readers[tensor][0]
    output = graph.by_name[op.output]
    given = iteration.tensor(output.gradient)[:, unit].astype(float)
    if graph.is_weight(tensor):
        return given * iteration.tensor(op.inputs[0])[:, index[0]]
    return given * iteration.tensor(output.saved)[:, unit] if graph.role(tensor) == "gain" else given


def _by_outputs(iteration: Iteration, tensor: str, index: tuple[int, ...]) -> Array:
    """Return each sample's term by forward mode: dL/doutput times the tangent of the output along the parameter."""
    graph = iteration.graph
    whole = np.array([iteration.tensor(graph.gradient_of(tensor))[index]], float)
    if iteration.batch == 1 or tensor not in graph.differentiable:
        return whole
    program = problem_of(iteration).program()
    program.forward()
    program.backward()
    along = np.zeros(program.shapes[tensor])
    along[index] = 1
    tangents = ForwardMode(program, {tensor: along})
    tangents.push()
    each = program.cotangents[graph.output] * tangents.dots[graph.output]
    return np.asarray(each.reshape(iteration.batch, -1).sum(axis=1))


def problem_of(iteration: Iteration) -> Problem:
    """Return the batch and the parameters of an iteration, in double precision."""
    parameters = iteration.program.parameters
    given = Problem(iteration.spec, *iteration.data, parameters, iteration.before.t)
    return given.in_precision("float64")


class ChangedParameter:
    """A network run again with one parameter changed, in double precision; detached values change, too."""

    def __init__(self, iteration: Iteration, attribution: Attribution) -> None:
        graph = iteration.graph
        self._at = graph.flat_index(attribution.tensor, attribution.index)
        self._iteration, self._attribution = iteration, attribution
        self._problem = problem_of(iteration)
        self._program = self._problem.program(hold=False)
        self._z = self._program.values[graph.output]
        self.loss, _ = self._run(0.0)

    def _run(self, by: float) -> tuple[float, int | None]:
        """The loss with the parameter changed ``by`` so much, and the prediction for the first sample, if there is
        one."""
        self._program.parameters[self._at] = self._attribution.value + by
        loss = float(self._program.forward())
        return loss, _predicted(self._z, self._iteration)

    def nudges(self) -> tuple[Nudge, ...]:
        """Change it by the coming update, to zero, and a little up and down."""
        asked = (
            ("update", float(self._iteration.after.parameters[self._at]) - self._attribution.value, False),
            ("to zero", -self._attribution.value, True),
            ("up", SMALL_NUDGE, True),
            ("down", -SMALL_NUDGE, True),
        )
        found = []
        for name, by, by_hand in asked:
            if by:
                loss, predicted_class = self._run(by)
                first_order = self._attribution.gradient * by
                found.append(Nudge(name, by, first_order, loss - self.loss, predicted_class, by_hand))
        return tuple(found)

    def flips(self, label: int, others: Sequence[float] = ()) -> FlipSearch:
        """Search for the changes of this parameter alone that flip the prediction; ``others`` are tried, too."""
        iteration = self._iteration
        own = _predicted(iteration.tensor(iteration.graph.output), iteration)
        _, predicted_class = self._run(0.0)
        if own is None or predicted_class is None:
            return FlipSearch(label, None, own)
        untried = why_untried(iteration.graph, self._attribution.tensor)
        if untried:
            return FlipSearch(label, predicted_class, own, untried=untried)
        per_doubling = changes_per_doubling(iteration.graph, self._attribution.tensor)
        place = self._attribution.tensor, self._attribution.index
        along = PredictionAlong(self._program, *place, only_position(iteration))
        return replace(search_flips(along, label, per_doubling, np.array(others)), network_class=own)


def only_position(iteration: Iteration) -> int | None:
    """Return the position of the first sample's only target; None where it has several, or no positions."""
    if not iteration.graph.predicts or not iteration.graph.loss_rule.per_position:
        return None
    places = np.flatnonzero(iteration.tensor(iteration.graph.target)[0] != NO_TARGET)
    return int(places[0]) if len(places) == 1 else None


def _predicted(z: Array, iteration: Iteration) -> int | None:
    """Return the predicted class of the first sample, None where there is none or a sample has many predictions."""
    if not iteration.graph.predicts:
        return None
    position = only_position(iteration)
    if iteration.graph.loss_rule.per_position and position is None:
        return None
    outputs = z[:1] if position is None else z[:1, position]
    found = int(predicted_classes(outputs, iteration.graph.loss_rule)[0])
    return None if found == NO_CLASS else found
