"""Training, to any iteration, forward or back: earlier states come from checkpoints and a short replay."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

import numpy as np

from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.engine.training.checkpoints import Checkpoints
from tui_backprop.engine.training.iteration import TrainingState, Update, run
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import Optimizer, decayed, new_slots
from tui_backprop.engine.training.update_rules import UPDATE_RULES

Plan = Callable[[int], Update]  # how iteration t = 0, 1, ... is done
Watch = Callable[[int, float], None]  # (iterations done, loss of the last one)


class Training:
    """A network in training, from its seed on. ``limit`` bounds the bytes of the states that are kept.

    The same spec, optimizer and plan give the same states, bit for bit on one machine, whether they come from
    going forward, from a checkpoint, or from a replay.
    """

    def __init__(self, spec: NetworkSpec, optimizer: OptimizerSpec, limit: int) -> None:
        self.spec, self.optimizer = spec, optimizer
        self.checkpoints = Checkpoints(limit)
        self.keep(
            TrainingState(0, initial_parameters(spec), new_slots(optimizer, spec.parameters, spec.dtype))
        )

    def keep(self, state: TrainingState) -> None:
        """Keep a state that was reached along the plan."""
        self.checkpoints.keep(state.t, (state.parameters, *state.slots.values()))

    def forget_after(self, t: int) -> None:
        """Drop the states past iteration t, because the plan is another one from there on."""
        self.checkpoints.drop_after(t)

    def state(self, t: int, plan: Plan, watch: Watch = lambda done, loss: None) -> TrainingState:
        """The state before iteration t, trained on from the nearest one kept; its arrays are read-only.

        ``watch`` is called after each iteration; an exception that it raises ends the work, and what was
        reached stays.
        """
        nearest = self.checkpoints.nearest(t)
        assert nearest is not None  # the first state always stays
        start, (parameters, *slots) = nearest
        state = TrainingState(
            start, parameters, dict(zip(UPDATE_RULES[self.optimizer.name].slots, slots, strict=True))
        )
        return self._train(state, t, plan, watch) if start < t else state

    def went_bad(self, t: int, plan: Plan) -> int | None:
        """The iteration before t whose update first left a parameter NaN or infinite (such a one stays so), or
        None."""

        def bad(i: int) -> bool:
            with np.errstate(all="ignore"):
                return not np.isfinite(self.state(i, plan).parameters.sum())

        first = bisect_left(range(t + 1), True, key=bad)
        return first - 1 if 0 < first <= t else None

    def _train(self, state: TrainingState, t: int, plan: Plan, watch: Watch) -> TrainingState:
        parameters = state.parameters.copy()
        slots = {name: slot.copy() for name, slot in state.slots.items()}
        parts = decayed(self.optimizer, self.spec)
        rule = Optimizer(self.optimizer, 0.0, len(parameters), parameters.dtype, slots, parts)
        program: Program | None = None
        for i in range(state.t, t):
            update = plan(i)
            if program is None or program.batch != len(update.x):
                program = Program(self.spec, len(update.x), parameters)
            update.move(parameters)
            loss = run(program, update, i)
            rule.lr = update.lr
            rule.apply(parameters, program.gradient, i)
            self.keep(TrainingState(i + 1, parameters, slots))
            watch(i + 1, loss)
        for array in (parameters, *slots.values()):
            array.setflags(write=False)
        return TrainingState(t, parameters, slots)
