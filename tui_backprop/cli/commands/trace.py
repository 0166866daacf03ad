"""``backprop-tui trace``: one iteration, step by step; with ``--stream``, of a network whose gradient would not fit
into memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui_backprop.cli.opening import Opening, iteration_of, parameters_of, trained_options
from tui_backprop.cli.options import choice, file_to_write, output_options
from tui_backprop.cli.output import exit_if_bad, print_report
from tui_backprop.cli.streams import say
from tui_backprop.session.session_parts import GRAINS
from tui_backprop.session.state import Session
from tui_backprop.support.errors import InputError
from tui_backprop.support.paths import display_path
from tui_backprop.support.running_clock import running_clock
from tui_backprop.support.validation import one_of

if TYPE_CHECKING:
    from tui_backprop.engine.training.streaming import StreamReport
    from tui_backprop.render.draw.context import RenderContext


@click.command("trace")
@trained_options
@output_options
@click.option("--save", metavar="FILE.npz", help="Write all arrays to this file.")
@click.option("--stream", is_flag=True, help="For huge networks: do not keep the weight gradients.")
@choice("--grain", "|".join(GRAINS), "Size of one step; default equation.")
def command(
    opening: Opening,
    as_json: bool,
    plain: bool,
    save: str | None,
    stream: bool,
    grain: str | None,
) -> None:
    """Print one iteration step by step: forward pass, loss, backward pass, update.

    Where a number is NaN or infinite, exit with 1; "reason" in the JSON names the first one, and what computed it.

    With --stream, print one line per layer for the forward and backward pass: times, norms, and the largest entries
    of the weight gradient, which is not kept. A billion parameters then take 4 GB of memory.
    """
    target = None if save is None else file_to_write("save", save, "arrays.npz")
    if stream and target is not None:
        raise InputError("save", "cannot be combined with --stream, which keeps no arrays")
    if stream and opening.steps is not None:
        raise InputError("steps", "cannot be combined with --stream, which keeps no gradient to train with")
    if "recording" in opening.given and print_statistics(opening.given, as_json, plain):
        return
    session = opening.session(streamed=stream)
    if stream:
        if grain is not None:
            raise InputError("grain", "cannot be combined with --stream, which goes layer by layer")
        if not session.network.graph.layered:
            raise InputError("stream", "needs a network of layers; leave it out")
        print_stream(session, as_json, plain)
    else:
        chosen = one_of("grain", grain or session.walk.grain, GRAINS)
        session = replace(session, walk=replace(session.walk, grain=chosen))
        print_trace(session, as_json, plain, target)


def print_statistics(given: Mapping[str, Any], as_json: bool, plain: bool) -> bool:
    """Print the statistics of a recorded step whose arrays were not kept; return False for one that can be walked."""
    from tui_backprop.files.recording import open_recording
    from tui_backprop.report.recorded_statistics import statistics_dict, statistics_text
    from tui_backprop.session.recorded_files import chosen_step, unknown

    path = Path(given["recording"])
    header, arrays = open_recording(path)
    step = header.iterations[chosen_step(path, header, given.get("iteration"))]
    if not unknown(step):
        return False
    print_report(
        as_json,
        plain,
        lambda: statistics_dict(path.name, step, arrays),
        lambda context: statistics_text(path.name, step, arrays, context),
    )
    exit_if_bad(bool(step.bad))
    return True


def print_trace(session: Session, as_json: bool, plain: bool, save: Path | None) -> None:
    """Print every step, or write all arrays to ``save``; with ``as_json`` the object is printed as well."""
    from tui_backprop.cli.progress import progress
    from tui_backprop.engine.frontends.dense.start import listed
    from tui_backprop.report.trace import frozen_gradients, save_arrays, trace_dict, trace_text

    def to_text(context: RenderContext) -> str:
        with progress("steps written") as watch:
            return trace_text(session, iteration, context, watch)

    iteration = iteration_of(session)
    if save is not None:
        written, frozen = save_arrays(iteration, save), frozen_gradients(iteration.graph)
        without = f", without {listed(frozen)} (frozen)" if frozen else ""
        say(f"{display_path(save)}: {written} arrays written{without}")
    if as_json or save is None:
        print_report(
            as_json,
            plain,
            lambda: trace_dict(session, iteration),
            to_text,
        )
    exit_if_bad(iteration.bad is not None)


def print_stream(session: Session, as_json: bool, plain: bool) -> None:
    """Print a line for each layer of a streamed pass."""
    from tui_backprop.report.stream import stream_dict, stream_text

    report, drawn = run_stream(session)
    print_report(
        as_json,
        plain,
        lambda: stream_dict(session, report, drawn),
        lambda context: stream_text(session, report, drawn, context),
    )
    exit_if_bad(report.reason is not None)


def run_stream(session: Session) -> tuple[StreamReport, float]:
    """Compute the parameters and run one streamed pass, both with progress: its report, and the seconds that
    the former took."""
    from tui_backprop.cli.progress import progress
    from tui_backprop.data.samples import cut
    from tui_backprop.engine.training.streaming import stream_pass

    spec = session.network
    batch = cut(spec, session.data, *session.samples)
    with progress("weights drawn") as watch, running_clock() as clock:
        start = clock()
        parameters = parameters_of(session, watch)
        drawn = clock() - start
    stages = 2 * spec.graph.depth
    with progress("layers walked, down and up") as watch:
        report = stream_pass(
            spec,
            batch.x,
            batch.t,
            parameters,
            watch=lambda phase, layer: watch(layer if phase == "forward" else stages - layer + 1, stages),
        )
    return report, drawn
