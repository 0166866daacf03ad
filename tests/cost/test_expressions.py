"""Costs of an expression: measured as it is, with no larger ones to project to."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main
from tui_backprop.cost.accounting.ledger import ledger
from tui_backprop.cost.accounting.path_counts import countable, paths
from tui_backprop.cost.measure import cache
from tui_backprop.cost.measure.passes import measure_machine
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import PASS_KINDS, work
from tui_backprop.engine.frontends.expression.presets import EXPRESSIONS
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.render.cost.cost import fixed_readout
from tui_backprop.render.cost_state import CostState

ARRAYS = ExpressionSpec("h = tanh(W @ x)\nL = sum(h[0] * h)", "W=[[1,2],[3,-1],[.5,.5]], x:=[1,-1]")
SPECS = [*(preset.make() for preset in EXPRESSIONS.values()), ARRAYS]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.title)
def test_every_method_is_measured_on_the_expression_itself(spec):
    model, shape = measure_machine(spec), shape_of(spec)
    assert {point.kind for point in model.points} == {*PASS_KINDS}
    assert {point.shape for point in model.points} == {shape}
    for name, method in COST_METHODS.items():
        once = model.point(method.kind, shape)
        assert once is not None
        assert model.gradient(name, shape).middle >= once.middle
        assert work(method.kind, shape).flops > 0
    assert shape.at(1e12) == shape


@pytest.mark.parametrize(
    ("name", "head"), [("three-uses", "1 parameter"), ("logistic-neuron", "2 parameters")]
)
def test_the_page_names_the_number_of_parameters(name, head):
    spec = EXPRESSIONS[name].make()
    drawn = [
        "".join(text for text, _ in row)
        for row in fixed_readout(CostState(spec, measure_machine(spec)), 80, 24)
    ]
    assert f"this expression: {head}" in [row.rstrip() for row in drawn]


def test_the_ledger_counts_flops_where_there_are_no_products():
    book = ledger(EXPRESSIONS["three-uses"].make(), 1)
    assert book.unit == "FLOPs"
    assert [[share.flops for share in row.costs] for row in book.layers] == [[1, 0, 3], [5, 9, 0]]
    assert book.ratio == 3
    assert ledger(ARRAYS, 1).unit == "MACs"
    assert ledger(ARRAYS, 1).ratio == shape_of(ARRAYS).counted_ratio


def test_paths_of_a_value_used_three_times_are_counted_by_hand():
    """u = tanh(w); L = u x + u ** 2 + sin(u): three paths, each with a factor of its own, tanh', and 1."""
    found = paths(EXPRESSIONS["three-uses"].make(), "w")
    assert (found.paths, found.multiplications, found.backprop) == (3, 6, 4)
    assert not countable(ARRAYS.graph)


def test_measurements_of_an_expression_are_not_kept_for_networks(tmp_path):
    model = measure_machine(SPECS[0])
    assert cache.store(model, tmp_path)
    assert cache.load(tmp_path) is None  # nothing of it says anything about a network


def test_cost_prints_them_and_refuses_a_sweep():
    printed = CliRunner().invoke(main, ["cost", "--preset", "three-uses", "--json"])
    found = json.loads(printed.stdout)
    assert (found["parameters"], found["known"], found["counted_ratio"]) == (1, [], 3)
    text = CliRunner().invoke(main, ["cost", "--preset", "three-uses"]).stdout
    assert "a forward pass in FLOPs" in text
    assert "GPT" not in text
    assert ", 1 parameter, in float64" in text
    refused = CliRunner().invoke(main, ["cost", "--preset", "three-uses", "--sweep"])
    assert refused.exit_code == 2
    assert refused.stderr.count("\n") == 1
    assert "sweep" in refused.stderr
