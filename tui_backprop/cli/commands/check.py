"""``backprop-tui check``: one way to a gradient against another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tui_backprop.cli.progress import progress
from tui_backprop.cli.workers import OPTIONS, asked, hired
from tui_backprop.cost.race.distributed import SPREAD, fill_on
from tui_backprop.data.samples import cut
from tui_backprop.engine.gradients.check.compare import (
    ALONG,
    Report,
    UselessStep,
    compare,
    compare_along,
    fill_here,
)
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.training.memory import check_check_memory
from tui_backprop.session.state import Session
from tui_backprop.support.errors import InputError, UserError
from tui_backprop.support.validation import non_negative_number, one_of, positive_number, whole_number

ALL = "all"


@dataclass(frozen=True)
class Chosen:
    """What kind of check is asked for: of which methods, ``fast`` or not, of ``every`` entry or of some."""

    first: str
    second: str
    fast: bool
    every: bool

    @property
    def methods(self) -> tuple[str, str]:
        return self.first, self.second


# Options that only some checks listen to: (option, whether this one does, what it belongs to).
Asked = Callable[[Chosen], bool]
BELONGS: tuple[tuple[str, Asked, str], ...] = (
    ("exhaustive", lambda chosen: not chosen.fast, "the full check; leave it out, or --fast"),
    ("entries", lambda chosen: not chosen.fast, "the full check; with --fast, --directions says how many"),
    ("directions", lambda chosen: chosen.fast, "--fast; without it, --entries says how many"),
    ("probes", lambda chosen: "spsa" in chosen.methods, "spsa, which is none of the two methods"),
    (
        "step",
        lambda chosen: any(METHODS[name].order for name in chosen.methods),
        "methods that take a step, and neither of these does",
    ),
    *((name, lambda chosen: chosen.every, "the check of every entry, --exhaustive") for name in OPTIONS),
    *(
        (
            name,
            lambda chosen: not {*SPREAD}.isdisjoint(chosen.methods),
            f"methods that take one parameter at a time: {', '.join(SPREAD)}",
        )
        for name in OPTIONS
    ),
)


def _count(text: str) -> int:
    try:
        return whole_number("entries", text, 1)
    except UserError as error:
        raise InputError("entries", f"{error.message}; or write {ALL}") from None


def check(session: Session, given: dict[str, Any]) -> Report:
    """The report that the command's own options ask for. Raises InputError, naming the option, for a bad one."""
    spec = session.network
    first = one_of("method", given["method"], METHODS)
    second = one_of("against", given["against"], METHODS)
    if given["fast"] and first != "backprop":
        raise InputError("method", "the fast check is of backprop; leave --method out, or --fast")
    if given["fast"] and second not in ALONG:
        raise InputError(
            "against", f"{second} has no slope along a direction; with --fast, choose {', '.join(ALONG)}"
        )
    asked(given)
    every = given["exhaustive"] or given["entries"] == ALL
    chosen = Chosen(first, second, given["fast"], every)
    for name, listens, to in BELONGS:
        if given[name] not in (None, False) and not listens(chosen):
            raise InputError(name, f"it belongs to {to}")
    if given["exhaustive"] and given["entries"] not in (None, ALL):
        raise InputError("entries", "--exhaustive compares every entry; leave one of the two out")
    entries = None if every else _count(given["entries"] or "20")
    directions, probes = (whole_number(name, given[name] or 1, 1) for name in ("directions", "probes"))
    step = None if given["step"] is None else positive_number("step", given["step"])
    bounds = {
        name: None if given[name] is None else non_negative_number(name, given[name])
        for name in ("rtol", "atol")
    }
    options = Options(step, probes, spec.seed)

    check_check_memory(spec, session.batch, entries is None)
    batch = cut(spec, session.data, session.sample, session.batch)
    problem = Problem(spec, batch.x, batch.t, initial_parameters(spec))
    try:
        with hired(given) as cluster, progress("evaluations") as watch:
            if given["fast"]:
                return compare_along(
                    problem, second, directions=directions, options=options, watch=watch, **bounds
                )
            fill = fill_here if cluster is None else partial(fill_on, cluster)
            return compare(
                problem, first, second, entries=entries, options=options, watch=watch, fill=fill, **bounds
            )
    except UselessStep as error:
        raise InputError("step", str(error)) from None
