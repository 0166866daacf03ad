"""The search for a bug: a frozen state, three grades of hints, and what is told at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from tui_backprop.engine.explain.formulas import equation
from tui_backprop.engine.explain.notation import tidy
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array
from tui_backprop.lesson.bugs import Bug, bug_of, passed, problem_of
from tui_backprop.lesson.misconceptions import MISCONCEPTIONS
from tui_backprop.support.format import format_duration, format_number

Instrument = Literal["check", "walk", "blame", "number"]
Part = Literal["block", "kind"]
INSTRUMENTS: tuple[Instrument, ...] = ("check", "walk", "blame", "number")
OPENED: tuple[Instrument, ...] = ("blame", "number")  # panels that are used once they are opened
HINTS = 3  # where to look, the formula, the number
SHOWN_BY: dict[Part, int] = {"block": 2, "kind": 3}  # the hint that gives a part of the answer away
SAME = 1e-9  # relative difference of gradients that are the same but for round-off


@dataclass(frozen=True)
class Hunt:
    """The state: the bug's ``seed``, what was ``named`` so far (block, kind), the number of ``hints`` that were
    shown, the ``instruments`` that were used, the ``seconds`` that it took, and whether the learner ``gave_up``."""

    seed: int
    named: tuple[tuple[int, str], ...] = ()
    hints: int = 0
    instruments: tuple[Instrument, ...] = ()
    seconds: float = 0.0
    gave_up: bool = False

    @property
    def bug(self) -> Bug:
        """The bug to find."""
        return _bug(self.seed)

    @property
    def found(self) -> bool:
        """Return True if the block and the kind were named in one attempt."""
        bug = self.bug
        return any(block in bug.blocks and kind == bug.kind for block, kind in self.named)

    @property
    def over(self) -> bool:
        """Return True if the bug was found, or the learner gave up: nothing changes any more."""
        return self.found or self.gave_up

    def naming(self, block: int, kind: str) -> Hunt:
        """Name a block and a kind."""
        return self if self.over else replace(self, named=(*self.named, (block, kind)))

    def hinted(self) -> Hunt:
        """Show one more hint, if there is one."""
        return self if self.over else replace(self, hints=min(self.hints + 1, HINTS))

    def using(self, instrument: Instrument) -> Hunt:
        """Note that an instrument was used."""
        if self.over or instrument in self.instruments:
            return self
        return replace(self, instruments=(*self.instruments, instrument))

    def after(self, seconds: float) -> Hunt:
        """Add time."""
        return self if self.over else replace(self, seconds=self.seconds + max(seconds, 0.0))

    def giving_up(self) -> Hunt:
        """Give up: the solution is shown."""
        return self if self.over else replace(self, gave_up=True)

    @property
    def earned(self) -> tuple[Part, ...]:
        """The parts of the answer that were found without being shown."""
        return tuple(part for part, hint in SHOWN_BY.items() if self.found and self.hints < hint)


@lru_cache(maxsize=8)
def _bug(seed: int) -> Bug:
    return bug_of(seed)


def verdict(hunt: Hunt) -> str:
    """Say what is right about the last attempt, or what the bug is at the end; "" if there is nothing to say."""
    bug = hunt.bug
    if hunt.over:
        led = "Found" if hunt.found else "The bug"
        return f"{led}: {bug.title()}. {MISCONCEPTIONS[bug.kind].refutation}"
    if not hunt.named:
        return ""
    block, kind = hunt.named[-1]
    title = bug.title(block)
    if block in bug.blocks:
        return f"The bug is in {title}, but it is of another kind."
    if kind == bug.kind:
        return f"The kind is right, but {title} is not where the bug is."
    return f"Neither the {bug.session.network.part} nor the kind is right."


# --- hints -------------------------------------------------------------------------------------------------


def hints(hunt: Hunt) -> tuple[str, ...]:
    """Return the hints that were shown so far."""
    right, wrong = _passes(hunt.bug)
    return tuple(hint(hunt.bug, right, wrong) for hint in (_where, _formula, _number)[: hunt.hints])


@lru_cache(maxsize=4)
def _passes(bug: Bug) -> tuple[Program, Program]:
    return passed(problem_of(bug.session)), passed(bug.problem)


def _where(bug: Bug, right: Program, wrong: Program) -> str:
    graph = right.graph
    parts: dict[bool, list[str]] = {True: [], False: []}
    for name in graph.parameters:
        same = _same(right.cotangents[name], wrong.cotangents[name])
        parts[same].append(graph.gradient_of(name))
    said = f"Wrong: {', '.join(parts[False])}."
    return f"{said} Right: {', '.join(parts[True])}." if parts[True] else said


def _same(one: Array, other: Array) -> bool:
    return bool(np.abs(one - other).max() <= SAME * np.abs(one).max())


def _formula(bug: Bug, right: Program, wrong: Program) -> str:
    visit = bug.visits[0]
    made, _ = equation(right.graph, (visit,))
    name, formula = next(
        iter(made.items()), (right.graph.gradient_of(visit.writes), "what comes back, unchanged")
    )
    return f"Look at {bug.title()}. There, {name} = {tidy(formula)}."


def _number(bug: Bug, right: Program, wrong: Program) -> str:
    name = bug.visits[0].writes
    good, bad = right.cotangents[name], wrong.cotangents[name]
    index = tuple(map(int, np.unravel_index(np.abs(good - bad).argmax(), good.shape)))
    entry = entry_name(right.graph.gradient_of(name), index)
    return f"{entry} should be {format_number(float(good[index]), 3)}; it is {format_number(float(bad[index]), 3)}."


# --- at the end --------------------------------------------------------------------------------------------


def summary(hunt: Hunt) -> str:
    """Tell how the bug was found, from what was done: attempts, time, instruments and hints."""
    if not hunt.found:
        return f"{'Given up' if hunt.gave_up else 'Not found yet'}. {_used(hunt)}"
    attempts = f"at attempt {len(hunt.named)}" if len(hunt.named) > 1 else "at the first attempt"
    words = {"block": hunt.bug.session.network.part, "kind": "kind"}
    shown = [words[part] for part in SHOWN_BY if part not in hunt.earned]
    told = f" The {' and the '.join(shown)} {'were' if len(shown) > 1 else 'was'} shown." if shown else ""
    return f"Found {attempts}, in {format_duration(hunt.seconds)}. {_used(hunt)}{told}"


def _used(hunt: Hunt) -> str:
    used = ", ".join(name for name in INSTRUMENTS if name in hunt.instruments) or "none"
    return f"Instruments used: {used}. Hints: {hunt.hints} of {HINTS}."
