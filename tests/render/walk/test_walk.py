"""The walk panel: result, cost and reused values of each step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.having import having
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain, width
from tui_backprop.render.session_text import layers_text, sample_text
from tui_backprop.render.walk.caption import brief_caption, caption_of
from tui_backprop.render.walk.timeline import timeline
from tui_backprop.render.walk.walk import walk_panel
from tui_backprop.session.presets import NETWORKS
from tui_backprop.session.state import Session, UpdateRun, from_preset
from tui_backprop.session.transitions import after_update, at_step, select
from tui_backprop.support.format import format_number

SETS = pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])

ODD = {
    "one layer": Session(NetworkSpec((784, 10))),
    "no bias": Session(NetworkSpec((784, 30, 10), bias=False)),
    "fifty layers": Session(NetworkSpec((2, *(3,) * 49, 2), "tanh"), "moons"),
    "one by one": Session(NetworkSpec((1, 1), loss="mse"), "sine"),
    "wide": Session(NetworkSpec((2, 5000, 2)), "moons", batch=3),
    "diverged": after_update(
        after_update(Session(NetworkSpec((2, 8, 3), dtype="float64", loss="mse"), "spiral", lr=1e30))
    ),
    "no numbers left": after_update(
        after_update(after_update(Session(NetworkSpec((2, 8, 3), loss="mse"), "spiral", lr=1e30)))
    ),
}
ROUGH = NetworkSpec((2, 8, 8, 8, 2), "gelu,tanh,elu", layer_norm=True, residual=True, dropout=0.1, l2=0.001)
EVERYTHING = {
    "everything": Session(ROUGH, "moons", batch=4, optimizer=OptimizerSpec("adamw", weight_decay=0.1, clip=0.1)),
    "ten normalized residual layers": Session(
        NetworkSpec((2, *(12,) * 10, 2), "silu", layer_norm=True, residual=True, dropout=0.5), "moons",
        optimizer=OptimizerSpec("nesterov", schedule="cosine", warmup=5),
    ),
    "everything diverged": after_update(after_update(Session(ROUGH, "moons", lr=1e30))),
}  # fmt: skip
ODD |= EVERYTHING
SESSIONS = {name: from_preset(name) for name in NETWORKS} | ODD


def some(snapshots):
    """All steps of a walk, or every tenth of a long one."""
    return snapshots if len(snapshots) < 100 else snapshots[::10]


@pytest.mark.parametrize("name", [*NETWORKS, *EVERYTHING])
def test_a_large_panel_shows_formula_cost_and_tensor_of_every_step(snapshots, name):
    for snapshot in snapshots(SESSIONS[name]):
        text = "\n".join(plain(row) for row in walk_panel(snapshot, 104, 56, UTF8))
        assert snapshot.step.tensor in text
        assert ("cost " in text) == bool(snapshot.step.flops)
        assert ("reused " in text) == bool(snapshot.step.reused)
        for word in caption_of(snapshot).split():
            assert word in text


def test_the_selected_unit_is_the_one_of_the_arithmetic(snapshots):
    snapshot = snapshots(select(from_preset("lesson"), 1, 7))[1]
    text = "\n".join(plain(row) for row in walk_panel(snapshot, 104, 56, UTF8))
    assert "= z1[7]" in text


@pytest.mark.parametrize("name", SESSIONS)
def test_captions_have_their_figures_put_in(snapshots, name):
    for snapshot in snapshots(SESSIONS[name]):
        assert "{" not in caption_of(snapshot)


def test_a_caption_of_a_network_without_biases_adds_none(snapshots):
    for snapshot in snapshots(ODD["no bias"]):
        assert "bias" not in caption_of(snapshot)


@SETS
@pytest.mark.parametrize("columns", [40, 58, 104])
@pytest.mark.parametrize("name", ["lesson", "fifty layers", "ten normalized residual layers"])
def test_the_timeline_has_one_mark_which_never_goes_back(snapshots, name, columns, context):
    steps = snapshots(SESSIONS[name])[0].steps
    marks = []
    for step in steps:
        names, bar = timeline(steps, step.index, columns, context)
        assert max(width(names), width(bar)) <= columns
        text = plain(bar)
        (at,) = [i for i, c in enumerate(text) if c == context.here]
        marks.append(at)
    assert marks == sorted(marks)


def test_samples_are_named_with_their_label_or_their_range(snapshots):
    lesson = from_preset("lesson")
    label = snapshots(lesson)[0].iteration.tensor("t")[0]
    assert sample_text(lesson, snapshots(lesson)[0]) == f'sample 22, a "{label}"'
    assert sample_text(replace(lesson, sample=0, batch=4), None) == "samples 0-3"
    assert sample_text(replace(lesson, sample=3996, batch=4), None) == "samples 3996-3999"
    assert (
        sample_text(replace(lesson, sample=3998, batch=4), None) == "samples 3998 and 3 more"
    )  # 3998, 3999, 0, 1


@pytest.mark.parametrize(
    ("layers", "text"), [((784, 10), "784·10"), ((2, *(3,) * 10, 2), "2·3×10·2"), ((7, 7), "7·7")]
)
def test_layers_are_folded_where_they_are_many(layers, text):
    assert layers_text(layers, 20) == text


def drawn(snapshot, columns=104, rows=56):
    return "\n".join(plain(row) for row in walk_panel(snapshot, columns, rows, UTF8))


def test_the_diagram_names_the_latest_array_of_each_layer(snapshots):
    named = [drawn(snapshot).splitlines()[3].split() for snapshot in snapshots(EVERYTHING["everything"])[:17]]
    assert [names[1] for names in named[:5]] == ["8", "z1", "n1", "h1", "a1"]
    assert [names[2] for names in named[4:10]] == ["8", "z2", "n2", "h2", "r2", "a2"]
    assert named[-1] == ["x", "a1", "a2", "a3", "z4", "loss"]


def test_the_diagram_names_the_latest_derivative(snapshots):
    back = [snapshot for snapshot in snapshots(EVERYTHING["everything"]) if snapshot.step.phase == "backward"]
    rows = [
        next(row.split() for row in drawn(snapshot).splitlines()[4:12] if "dL/dL" in row) for snapshot in back
    ]
    first = [row[0] for row in rows]
    assert first == [
        "δ4",
        "δ4",
        "da3",
        "dn3",
        "dn3",
        "δ3",
        "δ3",
        "da2",
        "dn2",
        "dn2",
        "δ2",
        "δ2",
        "dn1",
        "dn1",
        "δ1",
        "δ1",
    ]


def test_the_loss_on_the_map_has_the_penalty_once_the_walk_has_it(snapshots):
    loss, penalty = [
        snapshot for snapshot in snapshots(EVERYTHING["everything"]) if snapshot.step.phase == "loss"
    ]
    assert format_number(float(loss.iteration.tensor("L0"))) in drawn(loss).splitlines()[4]
    assert format_number(loss.iteration.loss) in drawn(penalty).splitlines()[4]
    assert format_number(loss.iteration.loss) not in drawn(loss).splitlines()[4]


@pytest.mark.parametrize("value", [1.234, 0.04347, 0.000123, 123.4, 12345.6, 1.09e-5, 3e-12, 0.0])
def test_the_loss_on_the_map_is_not_torn(snapshots, value):
    snapshot = snapshots(Session())[8]
    shown = replace(snapshot, iteration=replace(snapshot.iteration, loss=value))
    assert "…" not in drawn(replace(shown, session=at_step(shown.session, 9))).splitlines()[6]


def test_a_nan_loss_is_traced_to_its_origin(snapshots):
    snapshot = snapshots(ODD["no numbers left"])[1]
    text = " ".join(drawn(snapshot).split())
    assert "the loss is not finite; r restarts" in text
    assert snapshot.iteration.bad.why in text


def test_a_rate_that_was_not_used_is_not_mentioned(snapshots):
    session = Session(NetworkSpec((1, 4, 4, 1), "relu", "mse", "constant:1e300", "float64"), "sine")
    text = " ".join(drawn(snapshots(session)[1]).split())
    assert "the loss is not finite" in text
    assert "restarts" not in text


def test_a_scheduled_rate_is_shown_at_each_update(snapshots):
    session = having(
        Session(),
        lr=0.4,
        update_log=(UpdateRun(0, 1, 0.4, 2),),
        optimizer=OptimizerSpec(schedule="linear", warmup=6, horizon=8),
    )
    shown = drawn(snapshots(session)[-1], 130)
    assert "α = 0.200 = 0.400 · min(1, (2 + 1) / 6), warm-up" in shown
    assert "α = 0.150 = 0.200 · (1 − min(1, 2 / 8)), linear" in shown
    assert "α = 0.200, warm-up of 0.400" in drawn(snapshots(session)[-1], 40)
    assert "rate " not in drawn(snapshots(Session())[-1])


def test_an_update_of_one_layer_says_where_the_loss_after_all_of_them_is(snapshots):
    *_, before, last = snapshots(from_preset("lesson"))
    for columns, note in (
        (66, " this update; after all layers: see step 20"),
        (58, " this update; after: see step 20"),
        (43, "; after: see step 20"),
    ):
        assert f"loss    {format_number(before.iteration.loss, 4)} before{note}" in drawn(before, columns, 36)
        assert f"before, {format_number(last.iteration.loss_after, 4)} after" in drawn(last, columns, 36)


def test_at_an_activation_of_the_outputs_blame_comes_from_no_other_layer(snapshots):
    spec = NetworkSpec((2, 3, 1), "tanh", "mse", output_activation="sigmoid")
    made = {(s.step.kind, s.step.block): caption_of(s) for s in snapshots(Session(spec, "xor"))}
    assert made["output delta", 2].startswith("The way back starts here")
    assert "as much as its slope lets through" in made["delta", 2]
    assert "from all units it fed" in made["delta", 1]


def test_the_caption_of_an_update_is_that_of_its_optimizer(snapshots):
    captions = {
        name: caption_of(snapshots(replace(Session(), optimizer=OptimizerSpec(name)))[-1])
        for name in UPDATE_RULES
    }
    assert captions["sgd"].startswith("Every weight moves a little against its gradient")
    assert len(set(captions.values())) == len(UPDATE_RULES)


def test_the_array_beside_a_penalty_is_that_of_the_weights_that_cost_most(snapshots):
    snapshot = next(m for m in snapshots(EVERYTHING["everything"]) if m.step.kind == "penalty")
    norms = {k: snapshot.iteration.summary(f"W{k}").norm for k in range(1, 5)}
    assert f"W{max(norms, key=norms.get)} (" in drawn(snapshot)
    assert "the largest penalty" in drawn(snapshot)


@pytest.mark.parametrize("name", ["lesson", "xor", "vanishing"])
@pytest.mark.parametrize("size", [(78, 21), (45, 34)])
def test_every_step_keeps_a_sentence_on_a_usual_screen(snapshots, name, size):
    for snapshot in some(snapshots(SESSIONS[name])):
        lines = [plain(row) for row in walk_panel(snapshot, *size, UTF8)]
        begins = " ".join(caption_of(snapshot).split()[:4])
        assert any(row.startswith(begins) for row in lines), snapshot.step.tensor


def test_a_caption_that_is_too_long_ends_at_a_punctuation_mark():
    text = "Blame comes: it is a gradient, by and by, that is small. It was large."
    for rows, said in (
        (3, text),
        (2, "Blame comes: it is a gradient, by and by, that is small."),
        (1, "Blame comes."),
        (0, ""),
    ):
        assert " ".join(plain(row) for row in brief_caption(text, 34, rows)) == said
    assert [plain(row) for row in brief_caption("One, and another one of them.", 20, 1)] == ["One."]
    assert [plain(row) for row in brief_caption("Two words, and more of them.", 9, 1)] == ["Two words"]
    assert brief_caption("No pause where one may end it.", 10, 1) == []
