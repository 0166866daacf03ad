"""``backprop-tui trace --stream``: a pass of a network whose gradient would not fit into memory."""

from __future__ import annotations

from time import perf_counter

from tui_backprop.cli.progress import progress
from tui_backprop.data.samples import cut
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.training.streaming import StreamReport, stream_pass
from tui_backprop.session.state import Session


def stream(session: Session) -> tuple[StreamReport, float]:
    """Draw the first parameters, with progress, and run one streamed pass: its report, and the seconds that the
    drawing took."""
    spec = session.network
    batch = cut(spec, session.data, session.sample, session.batch)
    start = perf_counter()
    with progress("weights drawn") as watch:
        parameters = initial_parameters(spec, watch)
    drawn = perf_counter() - start
    stages = 2 * spec.depth
    with progress("layers walked, down and up") as watch:
        report = stream_pass(
            spec,
            batch.x,
            batch.t,
            parameters,
            watch=lambda phase, layer: watch(layer if phase == "forward" else stages - layer + 1, stages),
        )
    return report, drawn
