"""``backprop-tui check``: one method for a gradient against another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui_backprop.cli.opening import Opening, iteration_of, parameters_of, trained_options
from tui_backprop.cli.options import choice, method_names, output_options, require
from tui_backprop.cli.output import exit_if_bad, print_report
from tui_backprop.cli.workers import OPTIONS, option_workers, worker_option, worker_options
from tui_backprop.engine.network.model import DTYPES, Model
from tui_backprop.session.state import Session
from tui_backprop.support.errors import InputError, UserError
from tui_backprop.support.validation import (
    count_up_to,
    non_negative_number,
    one_of,
    positive_number,
    whole_number,
)

if TYPE_CHECKING:
    from tui_backprop.engine.gradients.check.report import Report
    from tui_backprop.engine.gradients.methods import Options, Problem

ALL = "all"  # entries
DEFAULT_ENTRIES = 20  # of each tensor
MOST_BY_DEFAULT = 4000  # entries in all: each takes two passes through the whole network
MOST_RANDOM = 1_000_000  # directions or probes
USUAL = {"method": "backprop", "against": "central-difference"}
UNCHOSEN = {**USUAL, "reference": None, "exhaustive": False, "fast": False, "entries": None}
REFERENCE_OPTIONS = ("reference", "rtol", "atol")


@click.command("check")
@trained_options
@choice("--method", "NAME", "Method to check.", method_names, default=USUAL["method"])
@choice("--against", "NAME", "Method to compare it with.", method_names, default=USUAL["against"])
@choice(
    "--entries",
    "20|all",
    "Number of entries to compare in each tensor; default 20, fewer in deep networks.",
)
@click.option("--exhaustive", is_flag=True, help="Compare every parameter; same as --entries all.")
@click.option("--fast", is_flag=True, help="Compare derivatives along random directions: only a few passes.")
@click.option(
    "--directions", metavar="1", help="Number of directions for each tensor, with --fast; default 1."
)
@click.option("--probes", metavar="1", help="Number of random directions of spsa; default 1.")
@click.option("--step", metavar="1e-6", help="Step size h; default: the best for method and precision.")
@click.option(
    "--reference",
    metavar="FILE",
    help="Compare gradients of your own, in an npz or safetensors file, with these: dW1, db1, delta1, ..., or by"
    " PyTorch's names; any of them will do.",
)
@click.option("--rtol", metavar="1e-6", help="Relative tolerance.")
@click.option("--atol", metavar="1e-8", help="Absolute tolerance.")
@worker_options
@output_options
def command(opening: Opening, as_json: bool, plain: bool, **options: Any) -> None:
    """Check backprop against a numerical gradient, or any two methods; exit with 1 if they differ.

    Methods: backprop, forward-difference, central-difference, complex-step, batched-difference, forward-mode,
    batched-forward-mode, spsa. The precision is float64 unless --dtype is given, also
    for parameters that were trained in float32.

    Each tensor is ok, differs (exit 1), is NaN or infinite (exit 1), is 0 within round-off, or is not told apart: the
    allowed difference exceeds its gradient, so a gradient of 0 would pass too. This alone is exit 0; the last line
    names such tensors. By default, the allowed difference is what truncation, round-off and noise of the two methods
    explain; --rtol and --atol replace it. In JSON, numbers that are not finite are "NaN", "Infinity" and "-Infinity".

    Of a recording, every operation that has a row in the table is computed again, forward and backward, from the
    numbers that PyTorch recorded; those that differ are named. With --method, --against, --fast or --entries, our
    own gradient of its loss is checked instead.

    With --reference FILE, gradients of somebody's own are compared, from the loss back to the inputs; the first that
    differs is named, and what is wrong with it, where a common mistake gives the same numbers.

    With --exhaustive, worker processes can share the work: local ones (--workers 4), or those of a Dask scheduler
    (--scheduler tls://HOST:PORT). The result equals that of one process with one thread (OPENBLAS_NUM_THREADS=1) to
    the last bit.
    """
    if "recording" in opening.given and all(options[name] == usual for name, usual in UNCHOSEN.items()):
        check_recording(opening.session(), as_json, plain)
        return
    dtype = one_of("dtype", opening.given.get("dtype", "float64"), DTYPES)
    session = _in_precision(opening, dtype).session()
    if options["reference"] is not None:
        check_reference(session, dtype, options, as_json, plain)
        return
    report = run_check(session, dtype, options)
    from tui_backprop.report.check import check_dict, check_text

    print_report(
        as_json,
        plain,
        lambda: check_dict(session, report),
        lambda context: check_text(session, report, context),
    )
    exit_if_bad(not report.passed)


def check_recording(session: Session, as_json: bool, plain: bool) -> None:
    """Compute all operations of a recording again, and print which differ."""
    from tui_backprop.engine.analysis.rederived import rederived_of
    from tui_backprop.report.recording import passed, recording_dict, recording_text

    found = rederived_of(session.network)
    print_report(
        as_json,
        plain,
        lambda: recording_dict(session, found),
        lambda context: recording_text(session, found, context),
    )
    exit_if_bad(not passed(session, found))


def check_reference(
    session: Session, dtype: str, options: dict[str, Any], as_json: bool, plain: bool
) -> None:
    """Compare the arrays of a file with those of the session, and print where they part. Raises InputError for an
    option that does not apply."""
    from tui_backprop.engine.mutants.reference import compare_with
    from tui_backprop.files.arrays import read_arrays
    from tui_backprop.report.reference import matched, reference_dict, reference_text

    others = {**options, **{name: options[name] != usual for name, usual in USUAL.items()}}
    require(
        others, ((name, name in REFERENCE_OPTIONS, "cannot be combined with --reference") for name in options)
    )
    bounds = {
        name: non_negative_number(name, options[name])
        for name in ("rtol", "atol")
        if options[name] is not None
    }
    session = replace(session, network=session.network.in_precision(dtype))
    file = read_arrays("reference", Path(options["reference"]))
    iteration = iteration_of(session)
    theirs = matched(session, file)
    found = compare_with(iteration, theirs, bounds.get("rtol"), bounds.get("atol", 0.0))
    unused = [name for name in file.arrays if name not in {source for source, _ in theirs.values()}]
    print_report(
        as_json,
        plain,
        lambda: reference_dict(session, found, unused),
        lambda context: reference_text(session, iteration, file.name, found, unused, context),
    )
    exit_if_bad(not (found.passed or found.turned))


def _in_precision(opening: Opening, dtype: str) -> Opening:
    """Return an opening of a session in the precision of the check; one that is opened keeps its own."""
    given = {name: value for name, value in opening.given.items() if name != "dtype"}
    own = opening.opened or "recording" in given
    return replace(opening, given=given if own else given | {"dtype": dtype})


@dataclass(frozen=True)
class CheckRequest:
    """A check as the options ask for it. ``entries`` of each tensor are compared, all of them for None, or with
    ``fast``, slopes along ``directions``. ``bounds`` are ``rtol`` and ``atol``, None for the default."""

    method: str
    against: str
    fast: bool
    entries: int | None
    directions: int
    options: Options
    bounds: dict[str, float | None]


def run_check(session: Session, dtype: str, options: dict[str, Any]) -> Report:
    """Run the check that the options ask for, in a precision. Raises InputError, naming the option, for a bad one."""
    from tui_backprop.data.samples import cut
    from tui_backprop.engine.gradients.methods import Problem
    from tui_backprop.engine.training.memory import check_check_memory

    spec = session.network.in_precision(dtype)
    request = read_options(options, spec)
    check_check_memory(spec, session.batch, request.entries is None)
    _check_time(spec, session.batch, request)
    batch = cut(spec, session.data, *session.samples)
    problem = Problem(spec, batch.x, batch.t, parameters_of(session).astype(dtype), session.t)
    return _compare(problem, request, options)


def _check_time(spec: Model, batch: int, request: CheckRequest) -> None:
    """Raise InputError if more random directions are asked for than a day is long enough for."""
    from tui_backprop.session.validation import LONGEST_REPLAY, update_seconds

    name, passes = ("directions", 4 * spec.graph.depth) if request.fast else ("probes", 2)
    count = request.directions if request.fast else request.options.probes
    if count * passes * update_seconds(spec, batch) > LONGEST_REPLAY:
        raise InputError(name, f"{count:,} {name} of this network take more than a day")


def _compare(problem: Problem, request: CheckRequest, options: dict[str, Any]) -> Report:
    """Compare, with progress, here or on workers."""
    from tui_backprop.cli.progress import progress
    from tui_backprop.cost.race.distributed import fill_distributed
    from tui_backprop.engine.gradients.check.compare import compare, compare_along, fill_here

    with option_workers(options) as workers, progress("evaluations") as watch:
        if workers is not None:
            workers.note = watch.note
        if request.fast:
            return compare_along(
                problem,
                request.against,
                directions=request.directions,
                options=request.options,
                watch=watch,
                **request.bounds,
            )
        return compare(
            problem,
            request.method,
            request.against,
            entries=request.entries,
            options=request.options,
            watch=watch,
            fill=fill_here if workers is None else partial(fill_distributed, workers),
            **request.bounds,
        )


def read_options(options: dict[str, Any], spec: Model) -> CheckRequest:
    """Validate the options of the command. Raises InputError, naming the option, for the first bad one."""
    from tui_backprop.engine.gradients.methods import METHODS, Options

    method = one_of("method", options["method"], METHODS)
    against = one_of("against", options["against"], METHODS)
    every = options["exhaustive"] or options["entries"] == ALL
    _check_combination(method, against, every, options)
    entries = None if every else _count(options["entries"]) if options["entries"] else _default_entries(spec)
    directions, probes = (
        count_up_to(name, 1 if options[name] is None else options[name], MOST_RANDOM)
        for name in ("directions", "probes")
    )
    step = None if options["step"] is None else positive_number("step", options["step"])
    bounds = {
        name: None if options[name] is None else non_negative_number(name, options[name])
        for name in ("rtol", "atol")
    }
    return CheckRequest(
        method, against, options["fast"], entries, directions, Options(step, probes, spec.seed), bounds
    )


def _check_combination(method: str, against: str, every: bool, options: dict[str, Any]) -> None:
    """Raise InputError for the first option that does not apply to this check."""
    from tui_backprop.cost.race.distributed import DISTRIBUTED_METHODS
    from tui_backprop.engine.gradients.check.directional import ALONG
    from tui_backprop.engine.gradients.methods import METHODS

    fast, methods = options["fast"], (method, against)
    if fast and method != "backprop":
        raise InputError("method", "cannot be combined with --fast, which checks backprop")
    if fast and against not in ALONG:
        raise InputError(
            "against", f"{against} has no directional derivative; with --fast, choose from {', '.join(ALONG)}"
        )
    worker_option(options)
    steps = any(METHODS[name].order for name in methods)
    shared, spread = not {*DISTRIBUTED_METHODS}.isdisjoint(methods), ", ".join(DISTRIBUTED_METHODS)
    require(
        options,
        (
            ("exhaustive", not fast, "cannot be combined with --fast"),
            ("entries", not fast, "cannot be combined with --fast; use --directions"),
            ("directions", fast, "requires --fast; otherwise use --entries"),
            ("probes", "spsa" in methods, "requires spsa as one of the two methods"),
            ("step", steps, "requires a method with a step size; neither of these has one"),
            *((name, every, "requires --exhaustive") for name in OPTIONS),
            *(
                (name, shared, f"requires a method that takes one parameter at a time: {spread}")
                for name in OPTIONS
            ),
        ),
    )  # fmt: skip
    if options["exhaustive"] and options["entries"] not in (None, ALL):
        raise InputError("entries", "cannot be combined with --exhaustive, which compares every entry")


def _default_entries(spec: Model) -> int:
    """Return how many entries of each tensor are compared unless another number is given: fewer in a deep network."""

    return max(1, min(DEFAULT_ENTRIES, MOST_BY_DEFAULT // len(spec.graph.parameters)))


def _count(text: str) -> int:
    try:
        return whole_number("entries", text, 1)
    except UserError as error:
        raise InputError("entries", f"{error.message}; or use {ALL}") from None
