"""Nothing but the front end knows what values are called: under other names, screens and reports are the same but for
the names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.other_names import other, with_old_names
from tui_backprop.cost.accounting import operation_times
from tui_backprop.cost.accounting.operation_times import Quartiles, Timing, rule_of
from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.render.draw.context import UTF8
from tui_backprop.report.trace import trace_text
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset

DEEP = Session(
    NetworkSpec((2, 6, 6, 6, 2), "gelu,relu,tanh", layer_norm=True, residual=True, l2=0.01, dropout=0.2),
    "moons",
    batch=4,
)
SQUASHED = Session(NetworkSpec((2, 3, 1), "tanh", "mse", output_activation="sigmoid"), "xor")
SESSIONS = {"xor": from_preset("xor"), "deep": DEEP, "squashed": SQUASHED}


def renamed(session: Session) -> Session:
    return replace(session, network=other(session.network))


def in_ascii(text: str) -> str:
    """Without what depends on a name's letters: Greek ones are written out in PyTorch's lines."""
    return ascii_formula(text).replace("lambda_", "lambda")


@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS)
def test_a_trace_is_the_same_but_for_the_names(session):
    texts = [trace_text(each, Replay().take(each), UTF8) for each in (session, renamed(session))]
    assert texts[1] != texts[0]
    assert in_ascii(with_old_names(texts[1], session.network.graph)) == in_ascii(texts[0])


def timing(iteration: Iteration, seconds: float) -> Timing:
    """A microsecond for each operation, which no test has to wait for."""
    visits = (*iteration.graph.forward_visits, *iteration.graph.backward_visits)
    return Timing({rule_of(visit): Quartiles(1e-6, 1e-6, 1e-6) for visit in visits}, 9)


SCREENS = {
    "walk": ("xor", (80, 24), ("right",) * 6),
    "map": ("xor", (80, 24), ("right", "z")),
    "units": ("deep", (120, 40), (*("right_square_bracket",) * 8, "z")),
    "operations": ("deep", (120, 40), ("g", *("right",) * 9, "z")),
    "blame": ("deep", (120, 40), ("b", "z")),
    "number": ("deep", (120, 40), ("i", "z")),
    "graph": ("deep", (120, 40), ("6", "z")),
    "flow": ("deep", (120, 40), ("f", "z")),
    "output": ("squashed", (80, 24), ("right_square_bracket",) * 5),
}


@pytest.mark.parametrize(("name", "size", "keys"), SCREENS.values(), ids=SCREENS)
async def test_a_screen_is_the_same_but_for_the_names(open_app, monkeypatch, name, size, keys):
    monkeypatch.setattr(operation_times, "time_operations", timing)
    session, screens = SESSIONS[name], []
    for each in (session, renamed(session)):
        async with open_app(each, size=size) as ui:
            await ui.press(*keys)
            screens.append(ui.screen)
    assert with_old_names(screens[1], session.network.graph) == screens[0]
