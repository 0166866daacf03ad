"""``backprop-tui trace --stream``: a pass of a network whose gradient would not fit into memory."""

from __future__ import annotations

from tui_backprop.commands.progress import progress
from tui_backprop.data.samples import cut
from tui_backprop.engine.initialise import initial_parameters
from tui_backprop.engine.stream import StreamReport, stream_pass
from tui_backprop.session import Session


def stream(session: Session) -> StreamReport:
    """Draw the first parameters, with progress, and run one streamed pass."""
    spec = session.network
    batch = cut(spec, session.data, session.sample, session.batch)
    with progress("weights drawn") as watch:
        parameters = initial_parameters(spec, watch)
    stages = 2 * spec.depth
    with progress("layers walked, down and up") as watch:
        return stream_pass(
            spec,
            batch.x,
            batch.t,
            parameters,
            watch=lambda phase, layer: watch(layer if phase == "forward" else stages - layer + 1, stages),
        )
