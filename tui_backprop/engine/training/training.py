"""Training, to any iteration, forward or back: earlier states come from checkpoints and a short replay."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace

from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.nonfinite import NonFinite, finite
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.training.checkpoints import Checkpoints
from tui_backprop.engine.training.iteration import TrainingState, Update, arrays_checked, run, run_iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import Optimizer, new_slots, optimizer_of
from tui_backprop.engine.training.rules import Rules
from tui_backprop.engine.training.update_rules import UPDATE_RULES

Plan = Callable[[int], Update]  # the inputs of iteration t = 0, 1, ...
Watch = Callable[[int, float], None]  # (iterations done, loss of the last one)


class Training:
    """The training of a network from its seed on, by ``spec`` and ``optimizer`` where the plan has no rules of its
    own. ``limit`` bounds the bytes of the states that are kept.

    The same spec, optimizer and plan give the same states, bit for bit on one machine, whether they come from
    going forward, from a checkpoint, or from a replay.
    """

    def __init__(self, spec: Model, optimizer: OptimizerSpec, limit: int) -> None:
        self._rules = Rules(spec, optimizer)
        self.checkpoints = Checkpoints(limit)
        self._finite = 0  # the iterations before this one are known to be finite
        self._losses: list[float] = []  # of the first iterations, as far as they were run along the plan
        self._bad: NonFinite | None = None  # the first bad number of the first iteration that is not
        self.keep(
            TrainingState(0, initial_parameters(spec), new_slots(optimizer, spec.parameters, spec.dtype))
        )

    def keep(self, state: TrainingState) -> None:
        """Keep a state that was reached along the plan."""
        self.checkpoints.keep(state.t, (state.parameters, *state.slots.values()))

    def forget_after(self, t: int) -> None:
        """Drop what is known of the states after the one before iteration t: the plan differs from there on."""
        self.checkpoints.drop_after(t)
        del self._losses[t:]
        if t <= self._finite:
            self._finite, self._bad = t, None

    def state(self, t: int, plan: Plan, watch: Watch = lambda done, loss: None) -> TrainingState:
        """The state before iteration t, trained from the nearest one kept; its arrays are read-only.

        ``watch`` is called after each iteration; an exception that it raises ends the work, and the states
        reached are kept.
        """
        nearest = self.checkpoints.nearest(t)
        assert nearest is not None  # the first state always stays
        start, (parameters, *slots) = nearest
        rules = self._rules_of(plan(start - 1)) if start else self._rules  # those that led to the state
        names = UPDATE_RULES[rules.optimizer.name].slots
        state = TrainingState(start, parameters, dict(zip(names, slots, strict=True)))
        return self._train(state, t, plan, watch) if start < t else state

    def losses(self, t: int, plan: Plan, watch: Watch = lambda done, loss: None) -> tuple[float, ...]:
        """The losses of the iterations before t, each before its update. Those that are not known are run again;
        ``watch`` is called after each."""
        known = len(self._losses)
        if known < t:
            self._train(self.state(known, plan, watch), t, plan, watch)
        return tuple(self._losses[:t])

    def first_bad(self, t: int, plan: Plan, watch: Watch = lambda done, loss: None) -> NonFinite | None:
        """The first NaN or infinity of the first iteration before t that had one (``Iteration.own_bad``), or None.

        Iterations that have not been looked at yet are run again, up to the first bad one; ``watch`` is called
        after each.
        """
        if self._bad is None and self._finite < t:
            bad = self._scan(self.state(self._finite, plan, watch), t, plan, watch)
            if bad is not None:
                update, state = plan(bad), self.state(bad, plan, watch)
                found = run_iteration(self._rules.spec, update, state, self._rules.optimizer)
                self._bad = found.own_bad and replace(found.own_bad, iteration=bad)
        return self._bad if self._finite < t else None

    def _scan(self, state: TrainingState, t: int, plan: Plan, watch: Watch) -> int | None:
        """Train from a state up to the first iteration before t that is not finite, the loss after its update
        included; return that one."""
        state = _copy(state)
        with closing(self._updates(state, t, plan)) as done:
            for i, program, loss in done:
                if not all(map(finite, arrays_checked(program, state))) or not finite(program.forward()):
                    return i
                self._finite = i + 1
                watch(i + 1, loss)
        return None

    def _rules_of(self, update: Update) -> Rules:
        return update.rules or self._rules

    def _train(self, state: TrainingState, t: int, plan: Plan, watch: Watch) -> TrainingState:
        state = _copy(state)
        with closing(self._updates(state, t, plan)) as done:
            for i, _, loss in done:
                watch(i + 1, loss)
        for array in (state.parameters, *state.slots.values()):
            array.setflags(write=False)
        return replace(state, t=t)

    def _updates(
        self, state: TrainingState, t: int, plan: Plan
    ) -> Generator[tuple[int, Program, float], None, None]:
        """Run the iterations from a state to the one before t, in its arrays; yields each, its pass and its loss.
        Keeps the states that are due, and the last one reached."""
        parameters, slots = state.parameters, state.slots
        rules: Rules | None = None
        program: Program | None = None
        whole = True  # the arrays hold a state, not half of an update
        at = kept = state.t
        try:
            while at < t:
                update, last = plan(at), rules
                rules, whole = self._rules_of(update), False
                if rules is not last:
                    rule = _optimizer(rules, replace(state, t=at))
                if program is None or program.batch != len(update.x) or program.spec is not rules.spec:
                    program = Program(rules.spec, len(update.x), parameters)
                update.move(parameters)
                loss = run(program, update, at)
                rule.lr = update.lr
                rule.apply(parameters, program.gradient, at - rules.began)
                at, whole = at + 1, True
                if at == len(self._losses) + 1:
                    self._losses.append(loss)
                if self.checkpoints.due(at):
                    self.keep(TrainingState(at, parameters, slots))
                    kept = at
                yield at - 1, program, loss
        finally:
            if whole and at > kept:
                self.keep(TrainingState(at, parameters, slots))


def _optimizer(rules: Rules, state: TrainingState) -> Optimizer:
    """Return the optimizer that goes on in the arrays of a state; one that begins there starts with slots of 0."""
    if state.t == rules.began:
        state.slots.clear()
        state.slots.update(rules.new_slots(state.parameters))
    return optimizer_of(rules.spec, rules.optimizer, 0.0, state.slots)


def _copy(state: TrainingState) -> TrainingState:
    """A copy that can be written to."""
    slots = {name: slot.copy() for name, slot in state.slots.items()}
    return TrainingState(state.t, state.parameters.copy(), slots)
