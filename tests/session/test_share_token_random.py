"""Random tokens, and randomly changed sessions with a valid checksum: refused, or valid in every part."""

from __future__ import annotations

import random
import string
from dataclasses import fields

import msgspec
from hypothesis import given

from tests.having import having
from tests.session.sessions import EXPLORE, STARTS, holding, opened, sealed, sessions, steps
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session import share_token as token
from tui_backprop.session.replay import Replay
from tui_backprop.session.share_token import START, decode, encode
from tui_backprop.session.state import Session
from tui_backprop.session.validation import check

RUN = {"sample": 0, "batch": 1, "lr": 0.1}
FIX = {"tensor": "W1", "index": [0, 0], "by": 0.5}
HUGE, NAN, INF = 2**63, float("nan"), float("inf")


def test_twenty_thousand_random_texts_are_refused():
    rng = random.Random(6)
    letters = string.ascii_letters + string.digits + "-_" + " =+/\n\x00\x1bé"
    for _ in range(20_000):
        start = rng.choice([START, START, START, "bp4-", "bp3", ""])
        text = start + "".join(rng.choices(letters[: rng.choice([64, 72])], k=rng.randrange(60)))
        assert opened(text) is None


def test_five_thousand_random_bytes_with_a_right_checksum_are_refused():
    rng = random.Random(7)
    for _ in range(5_000):
        assert opened(START + token._sealed(rng.randbytes(rng.randrange(40)))) is None
        assert opened(sealed(rng.randbytes(rng.randrange(1, 40)))) is None


# --- whole sessions, changed at random ---------------------------------------------------------------------

NASTY = [
    -1, 0, 1, 2, 3, 9, 10, 255, 256, 784, 4000, HUGE, 0.1, 0.5, -0.5, NAN, INF, 1e308, "", "W1", "b2", "z1", "x",
    "relu", "tanh", "xor", "moons", "float64", "layer", "operation", "adam", "mse", None, True, False, [], [0],
    [0, 1], [2, 3, 1], ["W1", [0, 1]], ["z1", [1]], RUN, [RUN], FIX, [FIX], {}, [{}],
]  # fmt: skip
NAMES = [f.name for kind in (Session, NetworkSpec, ExpressionSpec, OptimizerSpec) for f in fields(kind)]


def mutated(rng: random.Random, value):
    """Return a plain value with a part of it exchanged, left out or added."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        value = dict(value)
        name = rng.choice([*value])
        value[name] = mutated(rng, value[name])
        return value
    if isinstance(value, dict):
        return value | {rng.choice(NAMES): rng.choice(NASTY)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return [*value[:at], mutated(rng, value[at]), *value[at + 1 :]]
    return rng.choice(NASTY)


def usable(session: Session) -> None:
    """Query a session as the panels do; an invalid part raises."""
    for each in (session, *session.bookmarks.items):
        iteration = Replay(0).take(each)
        snapshot = Snapshot(each, walk(each.network, each.batch, each.optimizer, each.walk.grain), iteration)
        assert snapshot.step.index == each.walk.step
        assert snapshot.asked == each.inspection.number
        graph = each.network.graph
        if graph.axes:
            assert 0 <= snapshot.unit(snapshot.step.block) < snapshot.units
        else:
            assert all(0 <= snapshot.unit(k) < units for k, units in enumerate(graph.units))
        _ = snapshot.number, snapshot.place, snapshot.weights


def test_a_session_changed_at_random_is_refused_or_can_be_shown():
    rng, kept, refused = random.Random(8), 0, 0
    bases = [msgspec.msgpack.decode(token._packed(each)) for each in (*STARTS[1:8], *_grown())]
    for _ in range(14_000):
        found = rng.choice(bases)
        for _ in range(rng.randrange(1, 3)):
            found = mutated(rng, found)
        session = opened(holding(found))
        if session is None:
            refused += 1
            continue
        kept += 1
        check(session)
        assert decode(encode(session)) == session
        if session.t < 100 and session.network.parameters < 10_000:
            usable(session)
    assert kept > 150
    assert refused > 5_000


def _grown():
    """Sessions in which every field is filled that can be."""
    start = having(
        STARTS[1], sample=3, units=(1, -1, 0), number=("W2", (1, 0)), pinned=("b1", (0,)), confusion=(0, 1)
    )
    run = msgspec.convert(RUN | {"edits": [FIX]}, type(Session().update))
    trained = having(start, update_log=(run,), edits=run.edits, decade=4.5, pair=True, step=4)
    return [start, trained, having(trained, items=(start, trained), cursor=1, held=0)]


@EXPLORE
@given(sessions(most=6))
def test_what_keys_lead_to_can_be_shown_after_it_went_through_a_token(session):
    small = having(
        session, update_log=session.update_log[:1] if session.t > 200 else session.update_log, items=()
    )
    if small.t > 200 or small.network.parameters > 10_000:
        small = having(small, update_log=())
    small = having(small, cursor=0, held=None, step=min(small.walk.step, steps(small) - 1))
    usable(decode(encode(small)))
