"""``backprop-tui blame``: which weights caused the error."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tui_backprop.engine.analysis.parameter_detail import parameter_detail
from tui_backprop.engine.analysis.ranking import ranking
from tui_backprop.render.view_state import BlameState
from tui_backprop.session.misclassified import first_class
from tui_backprop.session.parts import ALL_LAYERS, MEASURES
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import one_of, whole_number


def blame(session: Session, given: dict[str, Any]) -> BlameState:
    """The accusation that the command's own options ask for. Raises InputError, naming the option, for a bad one."""
    depth, layer = session.network.depth, ALL_LAYERS
    if given["layer"] is not None:
        layer = whole_number("layer", given["layer"], 1)
        if layer > depth:
            raise InputError("layer", f"{layer} is none of its layers; they are 1 to {depth}")
    measure = one_of("measure", given["measure"], {name.replace(" ", "-"): name for name in MEASURES})
    top = whole_number("top", given["top"], 1)
    ranked_by = replace(session.inspection, measure=measure.replace("-", " "), layer=layer)
    session = replace(session, inspection=ranked_by)
    iteration = Replay().take(session)
    ranked = ranking(iteration, session.inspection.measure, top, layer or None)
    right = first_class(session, iteration.tensor("t"))
    return BlameState(
        session, iteration, ranked, parameter_detail(iteration, ranked[0], right) if ranked else None
    )
