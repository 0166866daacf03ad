"""The race page: progress, the gradient that fills in beside the exact one, and how well they agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui_backprop.cost.model.busy_machine import QUIET_SHARE
from tui_backprop.cost.model.certainty import tolerance
from tui_backprop.cost.model.estimates import Estimate
from tui_backprop.cost.model.methods import cost_method_of
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.race.agreement import Agreement
from tui_backprop.cost.race.race import Race, RaceStatus
from tui_backprop.data.catalogue import title
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.primitives import Array
from tui_backprop.render.cost_state import CostState, RaceGradients, ShownRace
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, Span, first_fitting, line, packed, plain, width, wrap
from tui_backprop.render.session_text import iteration_text, network_name, sample_text
from tui_backprop.support.format import (
    format_count,
    format_duration,
    format_number,
    format_ratio,
    format_relative,
    format_share,
)

MOST_ENTRIES = 60_000  # entries of each tensor in a strip, at most
LABEL = 4
MET = 1.5  # factor within which a forecast is met
STALE = "stale; changed since then: {}"
HINTS = {
    "ready": "{race} starts it",
    "starting": "starting its process …",
    "running": "{race} pauses, {cancel_race} cancels",
    "paused": "paused: {race} resumes, {cancel_race} cancels",
    "done": "done; {race} races again",
    "canceled": "canceled; {race} races again",
    "failed": "failed; {race} races again",
}


def race_gradients(race: Race, done: int) -> RaceGradients:
    """Return the gradients of a race by tensor, of which ``done`` entries are computed."""
    spec = race.problem.spec
    there: Array = np.zeros(spec.parameters, bool)
    there[slice(done) if race.order is None else race.order[:done]] = True
    exact, numeric, known = (spec.graph.views(flat) for flat in (race.exact, race.gradient, there))
    return RaceGradients(exact, numeric, known)


@dataclass(frozen=True)
class RaceForecast:
    """Forecast of a race before it starts: its ``step`` h (0: none), and the seconds ``expected`` by the cost model
    (None if unknown, as for a batch), on an idle core; ``share`` of a core is what its measurements had."""

    step: float = 0.0
    expected: Estimate | None = None
    share: float = 1.0

    def met(self, whole: float) -> str:
        """Say how many times as long as expected a race takes that takes so many seconds."""
        times = whole / self.expected.middle if self.expected else 1.0
        return "as projected" if 1 / MET < times < MET else f"{format_ratio(times)} times that"


def forecast_of(race: ShownRace, costs: CostState) -> RaceForecast:
    """Return the forecast of a race: from the costs known now, or once it has started, from those known then."""
    network, name = race.session.network, cost_method_of(race.status.method)
    one = race.session.batch == 1
    here = costs.here if race.status.state == "ready" else race.costs
    expected = here.gradient(name, shape_of(network)) if name and here and one else None
    return RaceForecast(
        METHODS[race.status.method].best_step(network.dtype), expected, here.share if here else 1.0
    )


def race_lines(
    race: ShownRace,
    columns: int,
    rows: int,
    context: RenderContext,
    entry: RaceForecast = RaceForecast(),
) -> list[Line]:
    """Draw the page in at most ``rows`` lines."""
    status, gradients = race.status, race.gradients
    head = [*subject_lines(race, columns, context), *progress_lines(status, columns, context, entry)]
    if status.agreement.worst is not None:
        head += [(), *agreement_lines(status.agreement, columns)]
    if status.why:
        head += wrap(status.why, columns, "bad")
    if gradients is None or len(head) + 4 > rows:
        return head[:rows]
    graph = race.session.network.graph
    strips = gradient_strips(graph, gradients, columns, rows - len(head) - 1, context)
    return [*head, (), *strips][:rows]


def subject_lines(race: ShownRace, columns: int, context: RenderContext) -> list[Line]:
    """Name the network, samples and iteration that the gradient is of; if it is stale, say so."""
    session = race.session
    data = f" on {title(session.data)}" if not session.network.holds_numbers else ""
    network = f"{network_name(session.network, columns)}{data}"
    place = ", ".join(filter(None, (sample_text(session, None), iteration_text(session))))
    head = packed([((network, "text"),), ((place, "text"),)], columns)
    return [*head, *(wrap(STALE.format(", ".join(race.stale)), columns, "bad") if race.stale else ())]


def progress_lines(
    status: RaceStatus, columns: int, context: RenderContext, entry: RaceForecast = RaceForecast()
) -> list[Line]:
    """Draw both sides: backprop is done; the other counts its parameters."""
    done, of = status.done, status.parameters
    backprop = f"all {of:,} in {format_duration(status.backprop)}" if status.backprop else "is measured first"
    h = f", h = {format_number(entry.step, 2)}" if entry.step else ""
    lines = [
        line(("backprop ", "backprop"), (backprop, "strong")),
        (),
        first_fitting(columns, *(line((status.method, "naive"), (end, "muted")) for end in (h, ""))),
        *wrap(METHODS[status.method].about, columns, "muted"),
        line(("parameter ", "muted"), (f"{done:,}", "strong"), (f" of {of:,}", "muted")),
        _bar(done, of, min(columns, 60), context),
    ]
    pieces: list[Span] = []
    if status.seconds:
        pieces += [(format_duration(status.seconds), "text"), (" elapsed", "muted")]
    if status.rate:
        pieces += [("  ", "text"), (f"{format_count(status.rate)}/s", "text")]
    if status.left and status.going:
        pieces += [("  ", "text"), (format_duration(status.left), "strong"), (" left", "muted")]
    lines += [line(*pieces)] if pieces else []
    lines += forecast_lines(status, columns, entry)
    lines += _busy_lines(status, columns, entry)
    if status.backprop and status.whole:
        over, whole = status.state == "done", status.whole
        ratio = (f"{format_ratio(whole.on_idle_core / status.backprop)} times", "strong")
        ends = (" as long as backprop" + ("" if over else ", projected"), " as long as backprop", " as long")
        lines.append(first_fitting(columns, *(line(ratio, (end, "muted")) for end in ends)))
    role = "bad" if status.state == "failed" else "key"
    return [*lines, *wrap(context.words(HINTS[status.state]), columns, role)]


def forecast_lines(status: RaceStatus, columns: int, entry: RaceForecast) -> list[Line]:
    """Draw what the race was projected to take, what it will take as it is going, or how the projection was met."""
    if entry.expected is None or status.state not in ("ready", "running", "paused", "done"):
        return []
    sure = tolerance(entry.expected)
    projected, within = format_duration(entry.expected.middle), f" {sure.written}" if sure else ""
    head = [(projected, "text"), (f" projected{within}", "muted")]
    if status.whole is None:
        return [
            first_fitting(columns, *(line(*head[:1], (end, "muted")) for end in (head[1][0], " projected")))
        ]
    met = entry.met(status.whole.seconds)
    now = format_duration(status.whole.seconds)
    ends = [f"took {met}"] if status.state == "done" else [f"now {now}, {met}", f"now {now}"]
    texts = [
        line(*head[:1], (f" {word}; {end}", "muted"))
        for word in (f"projected{within}", "projected")
        for end in ends
    ]
    fitting = [row for row in texts if width(row) <= columns]
    return fitting[:1] or wrap(plain(texts[-1]), columns, "muted")


def _busy_lines(status: RaceStatus, columns: int, entry: RaceForecast) -> list[Line]:
    """Say what the race takes beside other work before it starts, and on an idle core afterwards; nothing if the
    machine is not busy."""
    if status.state == "ready":
        if entry.expected is None or entry.share >= QUIET_SHARE:
            return []
        now = format_duration(entry.expected.middle / entry.share)
        return wrap(
            f"on an idle core; busy: {now} with {format_share(entry.share)} of a core", columns, "bad"
        )
    if status.share >= QUIET_SHARE:
        return []
    words = f"busy: {format_share(status.share)} of a core was the race's"
    if status.whole is not None:
        words += f"; on an idle core {format_duration(status.whole.on_idle_core)}"
    return wrap(words, columns, "bad")


def _bar(done: int, of: int, columns: int, context: RenderContext) -> Line:
    full = done * columns // max(of, 1)
    return line((context.done * full, "naive"), (context.left * (columns - full), "faint"))


def agreement_lines(found: Agreement, columns: int) -> list[Line]:
    """Draw the agreement of the numeric gradient with backprop, over the entries computed so far."""
    rows = []
    cosine = (f"{found.cosine:.6f}", "strong") if np.isfinite(found.cosine) else ("undefined", "text")
    rows.append(line(("cosine         ", "muted"), cosine))
    if np.isfinite(found.relative):
        off = (format_relative(found.relative), "text")
        of = (" of the gradient's norm", "muted")
        rows.append(
            first_fitting(columns, *(line(("relative error ", "muted"), off, *end) for end in ((of,), ())))
        )
    if found.worst is not None:
        at, off = (f" at {found.worst}", "muted"), (format_number(found.error, 2), "text")
        rows.append(
            first_fitting(
                columns, *(line((label, "muted"), off, at) for label in ("largest error  ", "worst "))
            )
        )
    return rows


def gradient_strips(
    graph: Graph, gradients: RaceGradients, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw the magnitude of the gradient of every tensor, block by block: exact above, numeric below."""
    wide = columns - LABEL - 2
    names = list(gradients.exact)
    if rows < 3 * len(names) + 1:
        names = [name for name in names if graph.is_weight(name)]
    each = 3 if rows >= 3 * len(names) else 2
    lines: list[Line] = []
    for name in names:
        exact, numeric, there = (
            gradients.exact[name],
            gradients.numeric[name],
            gradients.there[name],
        )
        top = _highest(exact, wide)
        lines.append(
            line(
                (f"{name:<{LABEL}}", "muted"),
                ("  ", "text"),
                (_strip(exact, True, wide, top, context), "backward"),
            )
        )
        lines.append(line((" " * (LABEL + 2), "text"), (_strip(numeric, there, wide, top, context), "naive")))
        if each == 3:
            lines.append(())
    head = line(
        (f"{'':<{LABEL}}  ", "text"),
        ("exact", "backward"),
        (" above ", "muted"),
        ("numeric", "naive"),
        (" below", "muted"),
    )
    return [head, *lines][:rows]


def _highest(values: Array, columns: int) -> float:
    """Return the largest mean magnitude of a block: the top of the ramp."""
    flat = np.abs(values.reshape(-1))[:: max(values.size // MOST_ENTRIES, 1)].astype(float)
    blocks = min(columns, len(flat))
    means = [float(part.mean()) for part in np.array_split(flat, blocks)]
    return max((mean for mean in means if np.isfinite(mean)), default=0.0) or 1.0


def _strip(values: Array, there: Array | bool, columns: int, top: float, context: RenderContext) -> str:
    """Draw the mean magnitude in each block as a ramp; a block with no entry computed yet as a dot."""
    flat = np.abs(values.reshape(-1))
    apart = max(len(flat) // MOST_ENTRIES, 1)
    seen = np.broadcast_to(np.asarray(there).reshape(-1), flat.shape)[::apart]
    flat = flat[::apart]
    blocks = min(columns, len(flat))
    starts = np.linspace(0, len(flat), blocks, endpoint=False).astype(int)
    known = np.add.reduceat(seen.astype(float), starts)
    sizes = np.add.reduceat(np.where(seen, flat, 0), starts) / np.maximum(known, 1)
    ramp = context.ramp
    shares = np.nan_to_num(sizes / top, nan=1)
    levels = np.ceil(np.clip(shares, 0, 1) * (len(ramp) - 1)).astype(int)
    text = "".join(ramp[level] if ok else context.zero for level, ok in zip(levels, known, strict=True))
    return text.ljust(columns)
