"""``backprop-tui check``: one way to a gradient against another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tui_backprop.commands.progress import progress
from tui_backprop.data.samples import cut
from tui_backprop.engine.check import ALONG, Report, UselessStep, compare, compare_along
from tui_backprop.engine.initialise import initial_parameters
from tui_backprop.engine.methods import METHODS, Options, Problem
from tui_backprop.engine.spec import SpecError, at_least_zero, one_of, positive, whole
from tui_backprop.memory import check_check_memory
from tui_backprop.session import Session

ALL = "all"

# Options that only some checks listen to: (option, whether these do, what it belongs to).
Asked = Callable[[str, str, bool], bool]
BELONGS: tuple[tuple[str, Asked, str], ...] = (
    (
        "entries",
        lambda first, second, fast: not fast,
        "the full check; with --fast, --directions says how many",
    ),
    ("directions", lambda first, second, fast: fast, "--fast; without it, --entries says how many"),
    (
        "probes",
        lambda first, second, fast: "spsa" in (first, second),
        "spsa, which is none of the two methods",
    ),
    (
        "step",
        lambda first, second, fast: any(METHODS[name].order for name in (first, second)),
        "methods that take a step, and neither of these does",
    ),
)


def _count(text: str) -> int:
    try:
        return whole("entries", text, 1)
    except SpecError as error:
        raise SpecError("entries", f"{error.message}; or write {ALL}") from None


def check(session: Session, given: dict[str, Any]) -> Report:
    """The report that the command's own options ask for. Raises SpecError, naming the option, for a bad one."""
    spec = session.network
    first = one_of("method", given["method"], METHODS)
    second = one_of("against", given["against"], METHODS)
    if given["fast"] and first != "backprop":
        raise SpecError("method", "the fast check is of backprop; leave --method out, or --fast")
    if given["fast"] and second not in ALONG:
        raise SpecError(
            "against", f"{second} has no slope along a direction; with --fast, choose {', '.join(ALONG)}"
        )
    for name, listens, to in BELONGS:
        if given[name] is not None and not listens(first, second, given["fast"]):
            raise SpecError(name, f"it belongs to {to}")
    entries = None if given["entries"] == ALL else _count(given["entries"] or "20")
    directions, probes = (whole(name, given[name] or 1, 1) for name in ("directions", "probes"))
    step = None if given["step"] is None else positive("step", given["step"])
    bounds = {
        name: None if given[name] is None else at_least_zero(name, given[name]) for name in ("rtol", "atol")
    }
    options = Options(step, probes, spec.seed)

    check_check_memory(spec, session.batch, entries is None)
    batch = cut(spec, session.data, session.sample, session.batch)
    problem = Problem(spec, batch.x, batch.t, initial_parameters(spec))
    try:
        with progress("evaluations") as watch:
            if given["fast"]:
                return compare_along(
                    problem, second, directions=directions, options=options, watch=watch, **bounds
                )
            return compare(problem, first, second, entries=entries, options=options, watch=watch, **bounds)
    except UselessStep as error:
        raise SpecError("step", str(error)) from None
