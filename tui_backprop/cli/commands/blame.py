"""``backprop-tui blame``: which weights caused the error."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tui_backprop.engine.analysis.parameter_detail import case
from tui_backprop.engine.analysis.ranking import ranking
from tui_backprop.render.view_state import Accusation
from tui_backprop.session.misclassified import first_class
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import ALL_LAYERS, MEASURES, Session
from tui_backprop.support.validation import SpecError, one_of, whole


def blame(session: Session, given: dict[str, Any]) -> Accusation:
    """The accusation that the command's own options ask for. Raises SpecError, naming the option, for a bad one."""
    depth, layer = session.network.depth, ALL_LAYERS
    if given["layer"] is not None:
        layer = whole("layer", given["layer"], 1)
        if layer > depth:
            raise SpecError("layer", f"{layer} is none of its layers; they are 1 to {depth}")
    measure = one_of("measure", given["measure"], {name.replace(" ", "-"): name for name in MEASURES})
    top = whole("top", given["top"], 1)
    session = replace(session, measure=measure.replace("-", " "), accused=layer)
    taken = Replay().take(session)
    ranked = ranking(taken, session.measure, top, layer or None)
    right = first_class(session, taken.tensor("t"))
    return Accusation(session, taken, ranked, case(taken, ranked[0], right) if ranked else None)
