"""The detail of one parameter at any width: whole numbers, whole paths, and headings that name what changes."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from math import isclose, prod

import pytest

from tests.having import having
from tui_backprop.cost.accounting.path_counts import paths
from tui_backprop.engine.analysis.influence import PathStep
from tui_backprop.engine.analysis.parameter_detail import parameter_detail
from tui_backprop.engine.analysis.ranking import named, ranking
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.number_titles import description_of, title_lines
from tui_backprop.render.draw.spans import plain, width
from tui_backprop.render.panels.blame import prediction_lines, ranking_notes
from tui_backprop.render.panels.nudge_table import nudge_lines
from tui_backprop.render.panels.parameter_detail import parameter_detail_lines
from tui_backprop.render.panels.parameter_path import path_lines, way_lines
from tui_backprop.render.sample_text import text_of as text_at
from tui_backprop.render.view_state import BlameState
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.format import format_number

WIDTHS = [33, 36, 37, 41, 58, 78]
SESSIONS = {
    "lesson": Session(),
    "batch": replace(Session(), batch=8, sample=3),
    "xor": from_preset("xor"),
    "layer norm": Session(NetworkSpec((2, 4, 4, 2), layer_norm=True, residual=True), "moons"),
    "deep": Session(NetworkSpec((2, *(3,) * 40, 2), "tanh"), "moons"),
}
KEPT = {}


def blamed(name, rank=0, layer=1):
    if (name, layer) not in KEPT:
        session = having(SESSIONS[name], layer=layer)
        iteration = Replay().take(session)
        KEPT[name, layer] = session, iteration, ranking(iteration, "gradient", 30, layer)
    session, iteration, ranked = KEPT[name, layer]
    return BlameState(
        having(session, rank=rank), iteration, ranked, parameter_detail(iteration, ranked[rank], 0)
    )


def text_of(lines):
    return "\n".join(plain(row) for row in lines)


def squeezed(lines):
    return " ".join(text_of(lines).split())


@pytest.mark.parametrize("name", SESSIONS)
def test_the_table_of_nudges_always_says_by_how_much_and_that_it_is_the_loss(name):
    blame_state = blamed(name)
    loss = blame_state.detail.base_loss
    for columns in WIDTHS:
        lines = [plain(row) for row in nudge_lines(blame_state.detail, columns)]
        assert lines[0].startswith(
            (
                "change in the loss from it alone",
                "float64 loss change from it alone",
                "loss change from it alone",
            )
        )
        assert lines[0].endswith(f"now {format_number(loss, 4)}") or columns < 40
        heads = lines[1].split()
        assert heads[:2] == ["moved", "by"]
        assert "actual" in heads
        for line, nudge in zip(lines[2:], blame_state.detail.nudges, strict=True):
            cells = dict(zip(heads[1:], line.removeprefix(nudge.name).split(), strict=True))
            digits = 3 if cells["by"] == format_number(nudge.by, 3, sign=True) else 2
            assert cells["by"] == format_number(nudge.by, digits, sign=True)
            assert cells["actual"] == format_number(nudge.actual_change, digits, sign=True)
            if "loss" in heads:
                assert cells["loss"] == format_number(loss + nudge.actual_change, 4)
        assert max(map(len, lines)) <= columns
        assert ("loss" in heads) or columns < 50


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("table", [True, False])
def test_all_factors_of_a_path_are_shown_where_rows_allow(columns, table):
    blame_state = blamed("lesson")
    found = blame_state.detail
    lines = path_lines(blame_state.session, found, columns, 20, several=False, table=table)
    shown = squeezed(lines)
    for hop in found.path:
        assert hop.formula == "1" or f"{hop.formula} {format_number(hop.factor, sign=table)}" in shown
    assert "factors" not in shown
    assert all(width(row) <= columns for row in lines)
    assert "…" not in shown


@pytest.mark.parametrize("rows", [5, 6, 8])
@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("name", ["lesson", "deep"])
def test_where_they_are_too_many_those_in_the_middle_are_multiplied_out(name, table, rows):
    blame_state = blamed(name)
    lines = path_lines(blame_state.session, blame_state.detail, 37, rows, several=False, table=table)
    assert len(lines) <= rows
    hops = [hop.factor for hop in blame_state.detail.path if hop.formula != "1"]
    hidden = re.search(r"(\d+) factors", squeezed(lines))
    if hidden:
        terms = text_of(lines[1:-1]).count("×") + 1
        assert int(hidden[1]) + terms - 1 == len(hops)
    factors = re.findall(r" ([−+]?[\d.]+(?:e-\d+)?)(?= ×|\n|$)", text_of(lines[1:-1]))
    if table:
        assert prod(float(f.replace("−", "-")) for f in factors) == pytest.approx(
            blame_state.detail.path_product, rel=0.1
        )


def with_path(found, along):
    return replace(found, path=(PathStep("u1", 0, along, "x[0]"), PathStep("L", 0, 1.0, "dL/dz[0]")))


@pytest.mark.parametrize("columns", WIDTHS)
def test_what_share_of_the_sum_a_path_is_cannot_be_read_as_another_product(columns):
    blame_state = blamed("lesson")
    found, pull = blame_state.detail, blame_state.detail.sample_gradients[0].gradient
    for along, words in ((0.025 * pull, "2.5% of the sum"), (-0.022 * pull, "against the sum")):
        lines = path_lines(blame_state.session, with_path(found, along), columns, 20, several=False)
        assert squeezed(lines).endswith(
            f"= {format_number(along, sign=True)}, {words} {format_number(pull, sign=True)}"
        )
        assert "%" not in squeezed(lines) or along * pull > 0


def test_how_many_paths_there_are_is_counted():
    blame_state = blamed("lesson")
    count = paths(blame_state.session.network, blame_state.detail.attribution.tensor).paths
    lines = path_lines(blame_state.session, blame_state.detail, 60, 20, several=False)
    assert plain(lines[0]) == f"largest of {count:,} paths to the loss"
    last = blamed("lesson", layer=4)
    only = path_lines(last.session, last.detail, 60, 20, several=False)
    assert plain(only[0]) == "the only path to the loss"
    assert squeezed(only).endswith(f"= {format_number(last.detail.sample_gradients[0].gradient, sign=True)}")
    several = blamed("batch")
    sample = 3 + several.detail.sample
    assert plain(path_lines(several.session, several.detail, 60, 20, several=True)[0]).endswith(
        f"sample {sample}"
    )


@pytest.mark.parametrize("name", SESSIONS)
def test_a_detail_in_little_room_keeps_what_a_nudge_does(name):
    for state, columns, rows in product((blamed(name), blamed(name, 4)), WIDTHS, (5, 8, 12, 14, 20, 40)):
        lines = parameter_detail_lines(state, columns, rows, UTF8)
        assert len(lines) <= rows
        assert max(map(width, lines)) <= columns
        assert "actual" in text_of(lines) or name == "batch"
        assert "…" not in text_of(lines)


@pytest.mark.parametrize("columns", [20, 30, 37, 60])
def test_a_name_and_what_it_stands_for_are_whole_in_any_width(columns):
    iteration = blamed("lesson").iteration
    for tensor, index in (("W1", (783, 255)), ("b1", (7,)), ("z2", (200,)), ("W4", (122, 2)), ("x", (783,))):
        lines = title_lines(Session(), iteration, tensor, index, columns, UTF8)
        assert max(map(width, lines)) <= columns
        assert squeezed(lines).startswith(f"{tensor}[{','.join(map(str, index))}] ")
        assert "…" not in text_of(lines)
    assert squeezed(title_lines(Session(), iteration, "W1", (783, 255), columns, UTF8)).endswith(
        "pixel 27,27 to unit 255"
    )


def test_how_many_of_the_first_ten_are_biases():
    blame_state = blamed("lesson")
    iteration, ranked = blame_state.iteration, blame_state.ranked
    weights = [attribution for attribution in ranked if attribution.tensor == "W1"][:10]
    biases = [named(iteration, "gradient", "b1", (unit,)) for unit in range(10)]
    for mixed, words in (
        (weights, ""),
        ((*weights[:9], biases[0]), "1 of the first 10 is a bias"),
        ((*biases[:3], *weights[:9]), "3 of the first 10 are biases"),
        ((*weights, biases[0]), ""),
    ):
        said = squeezed(ranking_notes(iteration.graph, mixed, 200, UTF8))
        assert said.startswith(words)
        assert words or "bias" not in said


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_parameter_asked_for_by_name_is_told_from_those_of_the_ranking(columns):
    blame_state = blamed("lesson", layer=2)
    chosen = named(blame_state.iteration, "gradient", "W2", (0, 0))
    assert all((chosen.tensor, chosen.index) != (each.tensor, each.index) for each in blame_state.ranked)
    asked = replace(
        blame_state,
        session=having(blame_state.session, number=("W2", (0, 0))),
        detail=parameter_detail(blame_state.iteration, chosen, 0),
    )
    words = "chosen by name, not among the first 30"
    assert words in squeezed(parameter_detail_lines(asked, columns, 30, UTF8))
    assert words not in squeezed(parameter_detail_lines(blame_state, columns, 30, UTF8))


def test_the_path_of_a_gpt_names_positions_heads_and_letters():
    session = from_preset("microgpt")
    iteration = Replay().take(session)
    attribution = named(iteration, "gradient", "Wq1", (3, 4))
    found = parameter_detail(iteration, attribution)
    assert isclose(found.path_product, prod(step.factor for step in found.path))
    (row,) = way_lines(session, iteration, found, 200, UTF8)
    places = plain(row).removeprefix("through ").split(" → ")
    assert re.fullmatch(r"position \d \(([a-z]|•)\)", places[0])
    assert places[1] == "head 1"
    assert re.fullmatch(r"token ([a-z]|•)", places[-1])


@pytest.mark.parametrize(
    ("tensor", "index", "words"),
    [
        ("A1", (2, 4, 1), "attention 1: head 2, position 4 (t) looks at 1 (a)"),
        ("z", (3, 19), "output: position 3 (i), token t"),
        ("Wq1", (7, 3), "weight from channel 7 to query channel 3"),
        ("E", (26, 5), "weight from token • to channel 5"),
        ("P", (2, 5), "weight from position 2 to channel 5"),
        ("Wout", (3, 0), "weight from channel 3 to token a"),
        ("x", (5,), "tokens: position 5 (a)"),
        ("h0", (9, 1), "embedding: position 9, channel 1"),
        ("L", (), "loss"),
    ],
)
def test_numbers_of_a_gpt_are_described_by_letters_and_positions(tensor, index, words):
    session = from_preset("microgpt")  # anita
    assert description_of(session, Replay().take(session), tensor, index) == words


def test_the_predictions_of_a_text_stand_below_its_targets():
    session = from_preset("microgpt")
    iteration = Replay().take(session)
    target, predicted = (plain(row) for row in prediction_lines(session, iteration, 60))
    letters = text_at(session, iteration).predicted(iteration.tensor("z")[0])
    assert target == "target    anita•  loss 3.296"
    assert (
        predicted
        == f"predicted {letters}  {sum(a == b for a, b in zip(letters, 'anita•', strict=True))} of 6 correct"
    )


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("rows", range(12, 24))
def test_what_the_keys_do_is_shown_before_the_path_is(columns, rows):
    """+ and − are the nudges up and down, x is that to zero; the path has what is left."""
    for name in SESSIONS:
        state = blamed(name)
        text = text_of(parameter_detail_lines(state, columns, rows, UTF8))
        assert [nudge.name for nudge in state.detail.nudges if not nudge.by_hand] == ["update"]
        for nudge in (nudge for nudge in state.detail.nudges if nudge.by_hand):
            assert re.search(rf"^{nudge.name} +[+−\d]", text, re.MULTILINE)


def test_what_flips_the_prediction_of_lenet_is_shown_with_all_nudges_at_80x24():
    session = from_preset("lenet")
    iteration = Replay().take(session)
    ranked = ranking(iteration, "gradient", 15, 0)
    for attribution in ranked:
        state = BlameState(session, iteration, ranked, parameter_detail(iteration, attribution, 2))
        state = replace(state, session=having(session, number=(attribution.tensor, attribution.index)))
        text = text_of(parameter_detail_lines(state, 41, 16, UTF8))
        assert all(f"\n{nudge.name} " in text for nudge in state.detail.nudges)
        assert "may miss some" in " ".join(text.split()) or "flips" in text
        assert "to the loss" in text


def test_lines_that_do_not_fit_are_counted():
    for state, columns in product((blamed("lesson"), blamed("batch")), WIDTHS):
        *shown, last = parameter_detail_lines(state, columns, 4, UTF8)
        (more,) = re.findall(r"^(\d+) more lines do not fit$", plain(last))
        whole = parameter_detail_lines(state, columns, 3 + int(more), UTF8)
        assert len(shown) == 3
        assert len(whole) == 3 + int(more)
        assert "do not fit" not in plain(whole[-1])
