"""Sessions as keys make them: what hypothesis draws is which keys, from which start."""

from __future__ import annotations

import zlib
from dataclasses import replace

import msgspec
from hypothesis import settings
from hypothesis import strategies as st

from tests.having import having
from tui_backprop.data.catalogue import info
from tui_backprop.data.passage import Passage
from tui_backprop.engine.explain.number import shape_of, tensors
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.frontends.expression.presets import EXPRESSIONS
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.session import bookmark_changes
from tui_backprop.session import share_token as token
from tui_backprop.session import transitions as moves
from tui_backprop.session.presets import NETWORKS
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.validation import CHOICES
from tui_backprop.session.walk_steps import same_step
from tui_backprop.support.errors import UserError

EXPLORE = settings(derandomize=True, deadline=None)
ROUGH = NetworkSpec(
    (2, 5, 5, 2),
    "tanh,gelu",
    layer_norm=True,
    residual=True,
    dropout=0.3,
    l2=0.01,
    seed=3,
    init="normal:0.02",
)
STARTS = [
    *map(from_preset, NETWORKS),
    Session(ROUGH, "moons", 7, 3, 0.25, OptimizerSpec("adamw", 0.8, clip=1.5, schedule="cosine", warmup=3)),
    Session(NetworkSpec((2, 3), dtype="float64", bias=False), "spiral", batch=600, lr=1 / 3),
    Session(NetworkSpec((2, 3), dtype="float64", seed=4), "spiral", batch=7, validation=250),
    *map(from_preset, EXPRESSIONS),
    moves.walk_passage(from_preset("microgpt"), Passage("emma", 3)),
]


def steps(session):
    return len(walk(session.network, session.batch, session.optimizer, session.walk.grain))


def place(draw, shape):
    return tuple(draw(st.integers(0, size - 1)) for size in shape)


def parameter(draw, session):
    name = draw(st.sampled_from([*session.network.graph.parameters]))
    return name, place(draw, session.network.graph.parameters[name])


def number(draw, session):
    name = draw(st.sampled_from(tensors(session.network.graph)))
    return name, place(draw, shape_of(session.network.graph, name))


def passage(draw):
    text = draw(st.text("abcxyz", max_size=16))
    return Passage(text, draw(st.integers(0, min(len(text) + 1, 16))))


def tuned(session, settings):
    return replace(session, network=replace(session.network, **settings))


def choose(draw, session):
    """One of the fields that have names for values."""
    field, names = draw(st.sampled_from(CHOICES))
    session = having(session, **{field.rpartition(".")[2]: draw(st.sampled_from([*names()]))})
    return having(session, step=min(session.walk.step, steps(session) - 1))


def select(draw, session):
    graph = session.network.graph
    layer = draw(st.integers(0, len(graph.units) - 1))
    return moves.select(session, layer, draw(st.integers(-1, graph.units[layer] - 1)))


RATES = st.floats(1e-300, 1e300) | st.sampled_from([0.1, 0.5])
OPTIMIZERS = (
    OptimizerSpec(),
    OptimizerSpec("momentum", 0.5),
    OptimizerSpec("adam"),
    OptimizerSpec("adam", clip=1),
)
SETTINGS = (
    {"l2": 0.5},
    {"l2": 0, "l2_bias": False},
    {"l2": 0.1, "l2_bias": True},
    {"dropout": 0.5},
    {"dropout": 0},
)
KEYS = (
    lambda draw, s: moves.step_on(s, steps(s)),
    lambda draw, s: moves.at_step(s, draw(st.integers(0, steps(s) - 1))),
    lambda draw, s: moves.after_update(s),
    lambda draw, s: moves.after_training(s, draw(st.integers(1, 10_000))),
    lambda draw, s: moves.at_iteration(s, s, draw(st.integers(0, s.t))),
    lambda draw, s: moves.next_sample(s, draw(st.integers(-5, 5))),
    lambda draw, s: moves.other_part(s),
    lambda draw, s: moves.toggle_repeat(s),
    lambda draw, s: replace(s, lr=draw(RATES)),
    lambda draw, s: replace(s, optimizer=draw(st.sampled_from(OPTIMIZERS))),
    lambda draw, s: same_step(s, tuned(s, draw(st.sampled_from(SETTINGS))) if s.network.layers else s),
    lambda draw, s: replace(s, batch=1 if s.network.holds_numbers or s.passage else draw(st.integers(1, 40))),
    lambda draw, s: moves.walk_passage(s, passage(draw)) if s.network.context else s,
    lambda draw, s: moves.edit_parameter(s, *parameter(draw, s), draw(st.floats(-1e300, 1e300))),
    lambda draw, s: moves.inspect(s, *number(draw, s)),
    lambda draw, s: moves.pin(s, parameter(draw, s)),
    lambda draw, s: moves.choose_confusion(
        s, draw(st.none() | st.just((0, 1) if info(s.data).classes else None))
    ),
    lambda draw, s: bookmark_changes.add_bookmark(s),
    lambda draw, s: bookmark_changes.move_bookmark_cursor(s, draw(st.sampled_from([-1, 1]))),
    lambda draw, s: bookmark_changes.hold_bookmark(s) if s.bookmarks.items else s,
    lambda draw, s: bookmark_changes.to_bookmark(s),
    lambda draw, s: bookmark_changes.delete_bookmark(s),
    lambda draw, s: moves.rank_layer(s, draw(st.integers(0, s.network.graph.depth))),
    lambda draw, s: moves.at_rank(s, draw(st.integers(0, 99))),
    lambda draw, s: moves.set_decade(s, draw(st.none() | st.floats(3, 12))),
    lambda draw, s: moves.zoom_chart(s, draw(st.sampled_from([-1, 1]))),
    lambda draw, s: moves.change_step_index(s, draw(st.integers(-70, 70))),
    lambda draw, s: moves.toggle_clock(moves.toggle_pair(s)),
    choose,
    select,
)


@st.composite
def sessions(draw, most=12):
    """A session that keys lead to, from a preset or another network; sometimes its network is changed on the way."""
    session = draw(st.sampled_from(STARTS))
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=most)):
        session = key(draw, session)
    return session


def sealed(packed: bytes) -> str:
    """A token around any bytes, with a right checksum."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=token._words())
    return token.START + token._sealed(squeeze.compress(packed) + squeeze.flush())


def holding(found) -> str:
    """A token that holds any plain value; a key ``part.field`` stands for a field of a part."""
    return sealed(msgspec.msgpack.encode(nested(found)))


def nested(found):
    """Plain values with ``{"part.field": value}`` written as ``{"part": {"field": value}}``."""
    if isinstance(found, list):
        return [nested(each) for each in found]
    if not isinstance(found, dict):
        return found
    made = {}
    for key, value in found.items():
        part, dot, name = str(key).rpartition(".")
        if isinstance(key, str) and dot:
            made.setdefault(part, {})[name] = nested(value)
        else:
            made[key] = nested(value)
    return made


def opened(text: str) -> Session | None:
    """The session of a token; None if it is refused, which is always in one line that can be shown."""
    try:
        return token.decode(text)
    except UserError as error:
        refused = error
    assert refused.field == "open"
    assert len(refused.message) <= 200
    assert refused.message.isprintable()
    return None
