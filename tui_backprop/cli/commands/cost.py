"""``backprop-tui cost``: cost of a gradient on this machine by each method, measured and projected, with an optional
sweep or race."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from time import sleep
from typing import TYPE_CHECKING, Any

import click

from tui_backprop.cli.opening import Opening, parameters_of, trained_options
from tui_backprop.cli.options import choice, output_options, require
from tui_backprop.cli.output import print_report
from tui_backprop.cli.streams import say
from tui_backprop.cli.workers import OPTIONS, option_workers, worker_option, worker_options
from tui_backprop.engine.network.model import Model
from tui_backprop.session.state import Session
from tui_backprop.support import paths as places
from tui_backprop.support.errors import InputError
from tui_backprop.support.format import format_short_count, inflected
from tui_backprop.support.validation import one_of, positive_number

if TYPE_CHECKING:
    from tui_backprop.cost.measure.sweep import Progress
    from tui_backprop.cost.model.cost_model import CostModel
    from tui_backprop.report.cost_result import CostResult, Raced

POLL_INTERVAL = 0.1  # seconds between two looks at a race


def race_names() -> Sequence[str]:
    """Return the names of the methods that can race. (They load numpy.)"""
    from tui_backprop.cost.race.race import RACE_METHODS

    return RACE_METHODS


@click.command("cost")
@trained_options
@click.option("--chart", is_flag=True, help="Draw the chart, too.")
@click.option("--sweep", is_flag=True, help="First measure networks of all sizes, and save the results.")
@click.option("--budget", metavar="SECONDS", help="Time limit of the sweep; default 30.")
@click.option("--again", is_flag=True, help="Measure again; ignore saved results.")
@click.option("--race", is_flag=True, help="Compute the whole gradient by a numerical method and time it.")
@choice("--method", "NAME", "Method that races; default forward-difference.", race_names)
@click.option("--step", metavar="1e-4", help="Its step size h; default: the best for method and precision.")
@worker_options
@output_options
def command(opening: Opening, as_json: bool, plain: bool, **options: Any) -> None:
    """Print the cost of a gradient on this machine by each method, measured and projected.

    This network and a few others are measured within seconds, and a cost model is fitted, with its error. With
    --sweep, networks of up to a billion parameters are measured, and the results saved. With --race, a method
    competes with backprop for as long as it takes: forward-difference, central-difference, complex-step,
    forward-mode, batched-difference, batched-forward-mode.
    """
    result = run_cost(opening.session(streamed=True), options, as_json)
    from tui_backprop.report.cost import cost_text
    from tui_backprop.report.cost_result import cost_dict

    print_report(as_json, plain, lambda: cost_dict(result), lambda context: cost_text(result, context))


def run_cost(session: Session, options: dict[str, Any], as_json: bool) -> CostResult:
    """Measure what the options request. Raises InputError, naming the option, for a bad one."""
    from tui_backprop.cli.progress import status
    from tui_backprop.cost.measure import cache
    from tui_backprop.cost.measure.passes import alike
    from tui_backprop.cost.measure.sweep import BUDGET, checked
    from tui_backprop.cost.model.network_shape import shape_of
    from tui_backprop.cost.model.workload import STREAMED
    from tui_backprop.cost.race.race import RACE_METHODS
    from tui_backprop.engine.training.memory import check_memory
    from tui_backprop.report.cost_result import CostResult

    spec = session.network
    method = one_of(
        "method", RACE_METHODS[0] if options["method"] is None else options["method"], RACE_METHODS
    )
    _check_combination(method, options, as_json)
    step = None if options["step"] is None else positive_number("step", options["step"])
    budget = BUDGET if options["budget"] is None else checked(options["budget"])
    if (
        options["race"] or spec.parameters < STREAMED
    ):  # larger networks are measured without keeping a gradient
        check_memory(spec, session.batch if options["race"] else 1, session.optimizer)

    raced = _race(session, method, step, options) if options["race"] else None
    kept = None if options["again"] else cache.load()
    if options["sweep"]:
        if not shape_of(spec).grows:
            raise InputError("sweep", f"requires a network; {spec.title} has no larger ones")
        cost_model, swept = _sweep(spec, budget, kept)
        return CostResult(session, cost_model, options["chart"], swept=swept, raced=raced)
    with status() as line:
        line.say("measuring passes on this machine ...")
        cost_model = _measured(
            spec,
            kept,
            lambda done, of: line.say(f"measuring passes on this machine: {done} of {of} networks"),
            lambda size: line.say(
                f"the machine is busy: measured {format_short_count(size)} {inflected(size, 'parameter')} again"
            ),
        )
    saved = kept is not None and bool(alike(kept, spec).points)
    return CostResult(session, cost_model, options["chart"], kept=saved, raced=raced)


def _check_combination(method: str, options: dict[str, Any], as_json: bool) -> None:
    """Raise InputError for the first option that does not apply beside the others."""
    from tui_backprop.cost.race.distributed import DISTRIBUTED_METHODS
    from tui_backprop.engine.gradients.methods import METHODS

    steps, shared, spread = (
        METHODS[method].order is not None,
        method in DISTRIBUTED_METHODS,
        ", ".join(DISTRIBUTED_METHODS),
    )
    require(
        options,
        (
            ("budget", options["sweep"], "requires --sweep"),
            *((name, options["race"], "requires --race") for name in ("method", "step", *OPTIONS)),
            ("step", steps, "requires a method with a step size; this one has none"),
            *(
                (name, shared, f"requires a method that takes one parameter at a time: {spread}")
                for name in OPTIONS
            ),
            ("chart", not as_json, "cannot be combined with --json"),
        ),
    )  # fmt: skip
    worker_option(options)


def _measured(
    spec: Model,
    kept: CostModel | None,
    watch: Callable[[int, int], None],
    again: Callable[[int], None],
) -> CostModel:
    """Measure the cost model of the machine, and disturbed passes a few times again."""
    from tui_backprop.cost.measure.again import measured_again
    from tui_backprop.cost.measure.passes import LOOK, SMALL, measure, measure_machine

    found = measure_machine(spec, LOOK, kept, watch)
    for size, better in measured_again(found, LOOK, measure, most=SMALL):
        found = better
        again(size)
    return found


def _sweep(spec: Model, budget: float, kept: CostModel | None) -> tuple[CostModel, Progress]:
    """Sweep with progress, and save the measurements beside those ``kept``, also if interrupted. The cost model has
    those of networks like this one."""
    from tui_backprop.cli.progress import status
    from tui_backprop.cost.measure.passes import alike
    from tui_backprop.cost.measure.sweep import sweep

    cost_model, last = kept, None
    try:
        with status() as line:
            line.say("measuring how fast memory is ...")
            for last in sweep(spec, budget):
                cost_model = _with(kept, last.cost_model)
                if last.now is not None:
                    line.say(
                        f"networks: {last.done} of {last.of}, now {format_short_count(last.now)} parameters,"
                        f" at most {max(budget - last.seconds, 0):.0f} s left"
                    )
    finally:
        if last is not None and cost_model is not None and last.cost_model.points:
            _keep(cost_model, last)
    assert last is not None
    assert cost_model is not None
    return alike(cost_model, spec), last


def _with(kept: CostModel | None, found: CostModel) -> CostModel:
    """Return the points found beside those kept, with the new probe of memory."""
    from tui_backprop.cost.measure.again import with_points

    return found if kept is None else with_points(replace(kept, probe=found.probe), found.points)


def _keep(cost_model: CostModel, last: Progress) -> None:
    """Save the measurements; print a note if the sweep was interrupted or they cannot be saved."""
    from tui_backprop.cost.measure import cache

    stored = cache.store(cost_model)
    if not stored:
        say(f"backprop-tui: the measurements cannot be saved{_cache_place()}")
    elif last.now is not None:
        say(f"backprop-tui: canceled; {last.done} of {last.of} networks were measured and saved")


def _cache_place() -> str:
    """Say where measurements are saved, or why nowhere."""
    try:
        return f" in {places.display_path(places.cache_folder())}"
    except OSError as error:
        return f": {error}"


def _race(session: Session, method: str, step: float | None, options: dict[str, Any]) -> Raced:
    """Run a race to its end, here or on workers, with progress. Raises InputError if it fails."""
    from tui_backprop.cli.progress import progress
    from tui_backprop.cost.race.distributed import race_distributed
    from tui_backprop.cost.race.race import Race
    from tui_backprop.data.samples import cut
    from tui_backprop.engine.gradients.methods import METHODS, Problem
    from tui_backprop.report.cost_result import Raced

    spec = session.network
    batch = cut(spec, session.data, *session.samples)
    problem = Problem(spec, batch.x, batch.t, parameters_of(session), session.t)
    threads = 0
    with option_workers(options) as workers, progress("evaluations") as watch:
        if workers is not None:
            workers.note, threads = watch.note, sum(workers.threads.values())
            with closing(race_distributed(workers, problem, method, step)) as states:
                for now in states:
                    watch(now.evaluations, now.of)
        else:
            with Race(problem, method, step) as race:
                race.start()
                while (now := race.status()).going:
                    watch(now.evaluations, now.of)
                    sleep(POLL_INTERVAL)
    if now.state != "done":
        raise InputError("race" if workers is None else workers.field, now.why or now.state)
    return Raced(now, METHODS[method].best_step(spec.dtype) if step is None else step, threads)
