"""``backprop-tui cost``: what a gradient takes on this machine by each method, measured and projected; a sweep and a
race, where they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from time import sleep
from typing import Any

import click

from tui_backprop.cli.progress import progress, status
from tui_backprop.cli.workers import OPTIONS, asked, hired
from tui_backprop.cost.measure import cache
from tui_backprop.cost.measure.passes import LOOK, STREAMED, measure, measure_machine
from tui_backprop.cost.measure.sweep import BUDGET, SMALL, Progress, checked, sweep, with_points
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.workload import KINDS, shape_of
from tui_backprop.cost.race.distributed import SPREAD, gradient_on
from tui_backprop.cost.race.race import RACERS, Race
from tui_backprop.data.samples import cut
from tui_backprop.engine.gradients.methods import METHODS, Problem
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.engine.training.memory import check_memory
from tui_backprop.report.cost_result import CostResult, Raced
from tui_backprop.session.state import Session
from tui_backprop.support.errors import InputError
from tui_backprop.support.format import format_short_count
from tui_backprop.support.validation import one_of, positive_number

OFTEN = 0.1  # seconds between looking at a race


@dataclass(frozen=True)
class Chosen:
    """What is asked for: whether a sweep, whether a race and by which ``method``, and whether in an object."""

    sweep: bool
    race: bool
    method: str
    as_json: bool


# Options that do something only beside others: (option, whether it does, what it belongs to).
Asked = Callable[[Chosen], bool]
BELONGS: tuple[tuple[str, Asked, str], ...] = (
    ("budget", lambda chosen: chosen.sweep, "--sweep"),
    *((name, lambda chosen: chosen.race, "--race") for name in ("method", "step", *OPTIONS)),
    (
        "step",
        lambda chosen: METHODS[chosen.method].order is not None,
        "methods that take a step, and this one takes none",
    ),
    *(
        (
            name,
            lambda chosen: chosen.method in SPREAD,
            f"methods that take one parameter at a time: {', '.join(SPREAD)}",
        )
        for name in OPTIONS
    ),
    ("chart", lambda chosen: not chosen.as_json, "the text; leave it out, or --json"),
)


def cost(session: Session, given: dict[str, Any]) -> CostResult:
    """The bill that the command's own options ask for. Raises InputError, naming the option, for a bad one."""
    spec = session.network
    method = one_of("method", RACERS[0] if given["method"] is None else given["method"], RACERS)
    chosen = Chosen(given["sweep"], given["race"], method, given["as_json"])
    for name, listens, to in BELONGS:
        if given[name] not in (None, False) and not listens(chosen):
            raise InputError(name, f"it belongs to {to}")
    asked(given)
    step = None if given["step"] is None else positive_number("step", given["step"])
    budget = BUDGET if given["budget"] is None else checked(given["budget"])
    if chosen.race or spec.parameters < STREAMED:  # beyond, what is measured keeps no gradient
        check_memory(spec, session.batch if chosen.race else 1, session.optimizer)

    raced = _race(session, method, step, given) if chosen.race else None
    kept = None if given["again"] else cache.load()
    if chosen.sweep:
        cost_model, swept = _sweep(spec, budget, kept)
        return CostResult(session, cost_model, given["chart"], swept=swept, raced=raced)
    with status() as say:
        say("measuring passes on this machine ...")
        cost_model = _measured(spec, kept)
    return CostResult(session, cost_model, given["chart"], kept=kept is not None, raced=raced)


def _measured(spec: NetworkSpec, kept: CostModel | None) -> CostModel:
    """The law of the machine, with every kind of pass of the network in hand, as long as that is small."""
    cost_model = measure_machine(spec, LOOK, kept)
    there = {point.kind for point in cost_model.points if point.shape == shape_of(spec)}
    rest = [kind for kind in KINDS if kind not in there] if spec.parameters <= SMALL else []
    return (
        with_points(cost_model, CostModel(measure(spec, LOOK, rest), cost_model.probe))
        if rest
        else cost_model
    )


def _sweep(spec: NetworkSpec, budget: float, kept: CostModel | None) -> tuple[CostModel, Progress]:
    """Sweep, with progress, and keep what was found beside what was ``kept``; also when it is called off."""
    cost_model, last = kept, None
    try:
        with status() as say:
            say("measuring how fast memory is ...")
            for last in sweep(spec, budget):
                cost_model = with_points(kept, last.cost_model) if kept else last.cost_model
                if last.now is not None:
                    say(
                        f"networks: {last.done} of {last.of}, now {format_short_count(last.now)} parameters,"
                        f" at most {max(budget - last.seconds, 0):.0f} s left"
                    )
    finally:
        if last is not None and cost_model is not None and last.cost_model.points:
            _keep(cost_model, last)
    assert last is not None
    assert cost_model is not None
    return cost_model, last


def _keep(cost_model: CostModel, last: Progress) -> None:
    """Store it, and say so where the sweep was called off or that is not possible."""
    stored = cache.store(cost_model)
    if not stored:
        click.echo(f"backprop-tui: what was measured cannot be kept in {cache.place()}", err=True)
    elif last.now is not None:
        click.echo(
            f"backprop-tui: called off; {last.done} of {last.of} networks are measured and kept", err=True
        )


def _race(session: Session, method: str, step: float | None, given: dict[str, Any]) -> Raced:
    """Run it to its end, here or on workers, with progress. Raises InputError where it fails."""
    spec = session.network
    batch = cut(spec, session.data, session.sample, session.batch)
    problem = Problem(spec, batch.x, batch.t, initial_parameters(spec))
    workers = 0
    with hired(given) as cluster, progress("evaluations") as watch:
        if cluster is not None:
            workers = cluster.threads()
            with closing(gradient_on(cluster, problem, method, step)) as standings:
                for now in standings:
                    watch(now.evaluations, now.of)
        else:
            with Race(problem, method, step) as race:
                race.start()
                while (now := race.standing()).going:
                    watch(now.evaluations, now.of)
                    sleep(OFTEN)
    if now.state != "done":
        raise InputError("race" if cluster is None else cluster.field, now.why or now.state)
    return Raced(now, METHODS[method].best_step(spec.dtype) if step is None else step, workers)
