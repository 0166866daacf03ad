"""Sessions of every kind, and what panels ask of them, each answered once."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from tests.cost.machines import machine
from tests.having import having
from tui_backprop.cost.accounting.operation_times import time_operations
from tui_backprop.cost.accounting.recompute import RETENTIONS, recompute
from tui_backprop.cost.measure.sweep import Progress
from tui_backprop.cost.model.cost_model import LESSON, CostModel
from tui_backprop.cost.model.workload import PASS_KINDS as PASSES
from tui_backprop.cost.race.agreement import Agreement
from tui_backprop.cost.race.race import RaceStatus
from tui_backprop.data.catalogue import info
from tui_backprop.data.samples import cut
from tui_backprop.engine.analysis.comparison import difference
from tui_backprop.engine.analysis.gradient_flow import flow
from tui_backprop.engine.analysis.judged import Examples, samples_to_judge
from tui_backprop.engine.analysis.loss_slices import slice_along
from tui_backprop.engine.analysis.parameter_detail import parameter_detail
from tui_backprop.engine.analysis.ranking import ranking
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.step_size import step_sweep
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.render.cost_state import RaceGradients, ShownRace
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.decision_boundary import plane_of
from tui_backprop.session.letter_blame import LetterFindings, letter_findings
from tui_backprop.session.replay import Replay
from tui_backprop.session.session_parts import MEASURES, GeneratedText
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.training_curve import Learning, Score
from tui_backprop.session.transitions import after_training, after_update, at_step, edit_parameter
from tui_backprop.session.walk_steps import steps_of

ALL = NetworkSpec((2, 8, 8, 8, 2), "gelu,tanh,elu", layer_norm=True, residual=True, dropout=0.1, l2=0.001)
SESSIONS = {
    "lesson": Session(),
    "xor": from_preset("xor"),
    "vanishing": from_preset("vanishing"),
    "sine": from_preset("sine"),
    "wide": Session(NetworkSpec((2, 5000, 2)), "moons", batch=3),
    "deep": Session(NetworkSpec((2, *(3,) * 39, 2), "tanh"), "moons"),
    "residual": Session(NetworkSpec((784, 16, 16, 10), "tanh", dtype="float64", residual=True), batch=32),
    "layer norm, dropout and all": Session(ALL, "moons", batch=4, optimizer=OptimizerSpec("adamw", clip=0.1)),
    "one layer": Session(NetworkSpec((784, 10), bias=False), batch=8, sample=3990),
    "one by one": Session(NetworkSpec((1, 1), loss="mse"), "sine"),
    "zeros": Session(NetworkSpec((2, 4, 2), init="zeros", bias=False), "moons"),
    "trained": replace(after_training(Session(batch=32), 5), sample=1449, batch=1),
    "edited": edit_parameter(edit_parameter(Session(), "W1", (0, 0), 0.1), "b2", (7,), -1e6),
    "diverged": after_training(Session(ALL, "moons", lr=1e30), 2),
    "no numbers left": after_training(Session(NetworkSpec((784, 8, 10), loss="mse"), lr=1e30), 3),
}
HERE = machine(kinds=tuple(PASSES))
GIANTS = tuple(map(NetworkSpec, ((784, *[256] * 40, 10), (100_000, 10_000_000, 10))))
MACHINES = (
    HERE,
    CostModel(),
    LESSON,
    machine(noise=lambda i: (3.0, 0.3)[i % 2]),
    machine(kinds=tuple(PASSES), noise=lambda i: (1.2, 1 / 1.2)[i % 2]),
    machine(cost_model=lambda kind, shape: 1e3 * shape.parameters),
    machine(cost_model=lambda kind, shape: 1e-30 * shape.parameters),
)
SWEEPS = (
    None,
    Progress(3, 13, 10**9, HERE, 12.0, ""),
    Progress(3, 13, None, HERE, 12.0, "its process was ended"),
)
RACES = ("ready", "starting", "running", "paused", "done", "canceled", "failed")
LOSSES = (
    2.0 * 0.99 ** np.arange(1000),
    np.zeros(20),
    np.array([0.5]),
    np.concatenate([0.9 ** np.arange(300), [1e300, np.inf], np.full(200, np.nan)]),
    np.full(9, np.nan),
    np.array([]),
)
REPLAY = Replay()


@cache
def iteration_of(name: str) -> Iteration:
    return REPLAY.take(SESSIONS[name])


@cache
def snapshot_of(name: str, share: float, grain: str = "equation", view: str = "map") -> Snapshot:
    """The step at a share, 0 to 1, of a session's walk."""
    session = having(SESSIONS[name], grain=grain, view=view)
    steps = steps_of(session)
    return Snapshot(at_step(session, round(share * (len(steps) - 1))), steps, iteration_of(name))


@cache
def report_of(name: str):
    session = SESSIONS[name]
    about = info(session.data)
    first = cut(session.network, session.data, 0, samples_to_judge(session.network, about.samples))
    return flow(iteration_of(name), Examples(first.x, first.t, about.samples, bool(about.classes)))


@cache
def timing_of(name: str):
    return time_operations(iteration_of(name), 0.001)


@cache
def slices_of(session: Session, name: str):
    """A slice of the loss: not begun, begun, half done and whole."""
    snapshot = Snapshot(session, steps_of(session), iteration_of(name))
    runs = list(slice_along(snapshot.iteration, snapshot.weights, points=9))
    return None, runs[0], runs[len(runs) // 2], runs[-1]


@cache
def ranking_of(name: str, layer: int, measure: str):
    return ranking(iteration_of(name), measure, 30, layer)


@cache
def detail_of(name: str, layer: int, rank: int):
    ranked = ranking_of(name, layer, MEASURES[0])
    return parameter_detail(iteration_of(name), ranked[min(rank, len(ranked) - 1)], 0) if ranked else None


@cache
def picture_of(name: str):
    return plane_of(SESSIONS[name], iteration_of(name).before.parameters)


@cache
def difference_of(name: str):
    """From the session to the one after an update."""
    session = SESSIONS[name]
    after = after_update(session)
    return having(after, items=(session, after)), difference(iteration_of(name), REPLAY.take(after))


@cache
def dial_of(name: str):
    return step_sweep(iteration_of(name), *snapshot_of(name, 0.5).weights[0])


@cache
def runs_of(name: str):
    return tuple(recompute(iteration_of(name), kind) for kind in RETENTIONS)


def learning_of(losses: int, going: bool) -> Learning:
    made = LOSSES[losses]
    scores = tuple(Score(i, 0.25, 0.934) for i in (7, 7 + len(made)))
    return Learning(7, made, scores, going=going, wanted=10**6 if going else None, seconds=2.5)


def race_of(state: str, method: str, known: bool) -> ShownRace:
    rng = np.random.default_rng(0)
    tensors = {f"{t}{k}": rng.normal(size=(9, 7) if t == "W" else 7) for k in range(1, 5) for t in "Wb"}
    filling = RaceGradients(
        tensors, {n: a + 1e-3 for n, a in tensors.items()}, {n: a > 0 for n, a in tensors.items()}
    )
    agreement = Agreement(0.999981, 0.0062, 0.0011, "W1[602,213]") if known else Agreement()
    ended = "its process was ended by signal 9" if state == "failed" else ""
    figures = (4.2, 9_876.5, 29.7, 1.4e-4) if known else (4.2, None, None, None)
    status = RaceStatus(method, state, 41_873, 335_115, 41_872, 335_114, *figures, agreement, ended)
    return ShownRace(status, Session(), filling if known else None, stale=("samples", "parameters") * known)


GPT = after_training(from_preset("microgpt"), 20)
TEXTS = (
    (GPT, GeneratedText()),
    (from_preset("microgpt"), GeneratedText(series=9, temperature=0.0)),
    (GPT, GeneratedText("k", letter=1)),
    (GPT, GeneratedText("abcdefghijklmnop", letter=16)),
    (GPT, GeneratedText("abcdefghijklmno", True, letter=7)),
    (edit_parameter(GPT, "E", (0, 7), -0.5), GeneratedText("kareta", True, letter=7)),
    (Session(), GeneratedText()),
)


@cache
def findings_of(number: int) -> tuple[Session, tuple[LetterFindings | None, ...]]:
    """A session with a text, and what is known of its letter: at first, half way, and all."""
    session, text = TEXTS[number]
    session = replace(session, text=text)
    found = list(letter_findings(session, text.passage, REPLAY)) if text.passage else [None]
    return session, (found[0], found[len(found) // 2], found[-1])
