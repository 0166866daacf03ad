"""What stands behind one parameter's share of the error: the path it takes, who pulls it, and what a nudge does."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from tui_backprop.engine.blame import Culprit
from tui_backprop.engine.influence import Hop, strongest_path
from tui_backprop.engine.iteration import Pass
from tui_backprop.engine.methods import Problem
from tui_backprop.engine.network import parameter_slices
from tui_backprop.engine.primitives import Array

SMALL_NUDGE = 0.01


@dataclass(frozen=True)
class Nudge:
    """One parameter moved ``by`` so much, for the reason ``why``: the change of the loss that its derivative
    predicts, and the change that ``came`` when the network was run with it, in double precision."""

    why: str
    by: float
    predicted: float
    came: float


@dataclass(frozen=True)
class Pull:
    """What one ``sample`` of the batch adds to a parameter's gradient."""

    sample: int
    gradient: float


@dataclass(frozen=True)
class Case:
    """The receipt of one parameter. ``pulls`` are of all samples of the batch, the hardest first, and with the
    ``penalty`` they add up to the gradient; ``path`` is that of largest influence for the hardest one."""

    culprit: Culprit
    path: tuple[Hop, ...]
    pulls: tuple[Pull, ...]
    penalty: float
    nudges: tuple[Nudge, ...]

    @property
    def sample(self) -> int:
        """The sample of the batch that pulls hardest."""
        return self.pulls[0].sample

    @property
    def along(self) -> float:
        """What the path's factors multiply out to: its share of that sample's pull."""
        return prod(hop.factor for hop in self.path)


def case(taken: Pass, culprit: Culprit) -> Case:
    """All that stands behind a parameter of a pass. Takes as many forward passes as there are nudges, and one."""
    each = pulls(taken, culprit.tensor, culprit.index)
    order = np.argsort(-np.abs(np.nan_to_num(each)), kind="stable")
    penalty = taken.spec.l2 * culprit.value if culprit.tensor[0] == "W" else 0.0
    return Case(
        culprit=culprit,
        path=strongest_path(taken, culprit.tensor, culprit.index, int(order[0])),
        pulls=tuple(Pull(int(s), float(each[s])) for s in order),
        penalty=penalty,
        nudges=nudges(taken, culprit),
    )


def pulls(taken: Pass, tensor: str, index: tuple[int, ...]) -> Array:
    """What each sample of the batch adds to dL/dparameter, (n,), in double precision: the factors of the same sum
    that the backward pass takes, before it is taken."""
    unit, layer = index[-1], tensor[1:]
    if tensor[0] in "Wb":
        delta = taken.tensor(f"δ{layer}")[:, unit].astype(float)
        op = next(op for op in taken.program.ops if tensor in op.inputs)
        return delta * taken.tensor(op.inputs[0])[:, index[0]] if tensor[0] == "W" else delta
    delta = taken.tensor(f"dn{layer}")[:, unit].astype(float)
    return delta * taken.tensor(f"v{layer}")[:, unit] if tensor[0] == "γ" else delta


def nudges(taken: Pass, culprit: Culprit) -> tuple[Nudge, ...]:
    """What moving this parameter alone does to the loss: by the coming update, to zero, and a little both ways."""
    at = parameter_slices(taken.spec)[culprit.tensor].start
    at += int(np.ravel_multi_index(culprit.index, taken.new[culprit.tensor].shape))
    asked = (
        ("update", float(taken.after.parameters[at]) - culprit.value),
        ("to zero", -culprit.value),
        ("up", SMALL_NUDGE),
        ("down", -SMALL_NUDGE),
    )
    problem = Problem(
        taken.spec, taken.tensor("x"), taken.tensor("t"), taken.program.parameters, taken.before.t
    )
    program = problem.in_precision("float64").program()
    base = float(program.forward())
    found = []
    for why, by in asked:
        if by:
            program.parameters[at] = culprit.value + by
            found.append(Nudge(why, by, culprit.gradient * by, float(program.forward()) - base))
    return tuple(found)
