"""A graph of values with four axes runs through everything that dense networks do, and planted errors are caught."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.calculus import off
from tests.engine.frontends.any_shape import STEPS, ByHand
from tests.engine.frontends.expressions import problem, take
from tui_backprop.cost.accounting.ledger import ledger
from tui_backprop.cost.measure.passes import measure_machine
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import PASS_KINDS
from tui_backprop.cost.race.agreement import RunningAgreement
from tui_backprop.engine.analysis.ranking import ranking
from tui_backprop.engine.explain.number import number_of
from tui_backprop.engine.explain.receipts import receipt_rows
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.gradients.check.compare import compare
from tui_backprop.engine.gradients.methods import METHODS

SPEC = ByHand()
# Kinds of receipts in which a value is computed by a function, which rows of + and * cannot add up to.
FORMULAS = ("function", "input")


def wrong(rule):
    """Return a rule whose result is 0.1% too large."""

    def twisted(to, *arguments):
        rule(to, *arguments)
        np.multiply(to, 1.001, out=to)

    return twisted


def misplaced(rule):
    """Return a rule whose result is in the wrong places."""

    def twisted(to, *arguments):
        rule(to, *arguments)
        to[...] = np.roll(to, 1)

    return twisted


def mutants(column, of=wrong):
    """List (value, input, graph with a wrong rule in a ``column`` of the operation that computes it)."""
    for primitive, inputs, output in STEPS:
        for i, name in enumerate(inputs):
            if name != "x":
                rules = list(getattr(primitive, column))
                rules[i] = of(rules[i])
                yield output, name, ByHand((output, replace(primitive, **{column: tuple(rules)})))


def each_mutant(column, of=wrong):
    found = list(mutants(column, of))
    return pytest.mark.parametrize(
        ("output", "name", "spec"), found, ids=[f"{o} by {n}" for o, n, _ in found]
    )


def exact():
    return METHODS["complex-step"].gradient(problem(SPEC))


def test_the_gradient_is_that_of_every_method():
    found = take(SPEC).program.gradient
    np.testing.assert_allclose(found, exact(), rtol=1e-13)
    for name in ("forward-mode", "batched-forward-mode"):
        np.testing.assert_allclose(METHODS[name].gradient(problem(SPEC)), found, rtol=1e-13)
    for name in ("central-difference", "forward-difference", "batched-difference"):
        np.testing.assert_allclose(METHODS[name].gradient(problem(SPEC)), found, rtol=1e-5)


@each_mutant("vjps")
def test_a_wrong_vjp_is_off_the_complex_step(output, name, spec):
    assert np.abs(take(spec).program.gradient - exact()).max() > 1e-5


@each_mutant("jvps")
def test_a_wrong_jvp_is_off_the_complex_step(output, name, spec):
    assert np.abs(METHODS["forward-mode"].gradient(problem(spec)) - exact()).max() > 1e-5


@pytest.mark.parametrize("grain", ["operation", "equation", "layer"])
def test_the_walk_ends_in_every_value_and_gradient_with_its_shape(grain):
    iteration, ends = take(SPEC), []
    for step in walk(SPEC, 1, grain=grain):
        ends += [name for name, _ in step.operands]
        for name, shape in step.operands:
            assert iteration.tensor(name).shape == shape
    graph = SPEC.graph
    assert {*ends} == {value.name for value in graph.values} | {
        graph.gradient_of(name) for name in graph.differentiable
    }


def test_a_walk_of_operations_that_leaves_one_out_is_noticed():
    steps = walk(SPEC, 1, grain="operation")
    visits = [visit for step in steps for visit in step.visits]
    assert visits == [*SPEC.graph.forward_visits, *SPEC.graph.backward_visits]
    counted = sum(visit.costs(SPEC.graph.shapes(1))[0] for visit in visits)
    assert counted == steps[-1].total == 3 * SPEC.graph.macs == 3 * 2 * 2 * 3 * 2 * 5


def all_rows(spec, grain="equation"):
    """Iterate over (step, receipt) of all entries of all steps."""
    iteration = take(spec)
    for step in walk(spec, 1, grain=grain):
        if step.kind not in FORMULAS and step.phase != "update":
            for unit in range(iteration.tensor(step.tensor).size):
                yield step, receipt_rows(iteration, step, unit)


def test_receipts_of_all_entries_add_up():
    for _, rows in all_rows(SPEC):
        assert off(rows) < 1e-13


@pytest.mark.parametrize("of", [wrong, misplaced])
@pytest.mark.parametrize("output", ["y", "t", "s", "m", "h", "q", "r"])
def test_a_receipt_does_not_add_up_where_a_vjp_is_wrong(output, of):
    (spec,) = [spec for made, name, spec in mutants("vjps", of) if made == output][:1]
    assert any(off(rows) > 1e-5 for _, rows in all_rows(spec))


def test_a_receipt_of_a_number_with_four_axes_names_its_entries():
    number = number_of(take(SPEC), "t", (1, 2, 0, 2))
    assert [row.label for row in number.computed.rows] == ["y[1,0,2,2]", "t[1,2,0,2]"]
    assert [row.label for row in number.differentiated.rows] == ["ds[1,1,0,1]", "dt[1,2,0,2]"]
    number = number_of(take(SPEC), "s", (1, 1, 0, 1), terms=9)
    assert {row.label for row in number.differentiated.rows[:-1]} == {
        f"dm[1,1,0,{k}] · K[1,{k}]" for k in range(5)
    }


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_check_passes_and_names_a_planted_error(dtype):
    report = compare(problem(SPEC.in_precision(dtype)))
    assert not report.faults
    assert not any(tensor.failed for tensor in report.tensors)


@pytest.mark.parametrize("column", ["vjps", "jvps"])
def test_check_names_the_operation_of_a_planted_error(column):
    for output, name, spec in mutants(column):
        report = compare(problem(spec))
        assert [(fault.primitive, fault.rule, fault.of) for fault in report.faults] == [
            (spec.graph.by_output[output].primitive.name, column[:-1], name)
        ]
        assert any(tensor.failed for tensor in report.tensors) == (column == "vjps")


def ranked(spec):
    return [(found.tensor, found.index, found.score) for found in ranking(take(spec), "gradient", 40)]


def test_blame_ranks_the_parameters_by_the_complex_step():
    right = exact()
    order = np.argsort(-np.abs(right), kind="stable")  # those without a gradient come last
    scores = [score for *_, score in ranked(SPEC)]
    np.testing.assert_allclose(scores, np.abs(right)[order], rtol=1e-12)
    assert [(tensor, index) for tensor, index, _ in ranked(SPEC)] == [
        SPEC.graph.parameter_at(int(place)) for place in order
    ]


@each_mutant("vjps")
def test_a_wrong_vjp_changes_the_ranking(output, name, spec):
    assert ranked(spec) != ranked(SPEC)


def test_the_ledger_counts_the_products_worked_out_by_hand():
    """(2, 2, 3, 2) by (2, 5): 2 · 2 · 3 · 2 · 5 multiply-accumulates, and as many for each of its two gradients."""
    book = ledger(SPEC, 1)
    once = 2 * 2 * 3 * 2 * 5
    assert [share.macs for share in book.total.costs] == [once, once, once]
    assert (book.unit, book.ratio) == ("MACs", 3)
    costs = [visit.costs(SPEC.graph.shapes(1)) for visit in SPEC.graph.backward_visits]
    assert sum(flops for _, flops, _ in costs) == sum(share.flops for share in book.total.costs[1:])


def test_costs_are_measured_on_it_and_its_race_ends_in_agreement():
    model, shape = measure_machine(SPEC), shape_of(SPEC)
    assert {point.kind for point in model.points} == {*PASS_KINDS}
    assert model.gradient("naive", shape).middle > model.gradient("backprop", shape).middle
    for method, error in (
        ("forward-difference", 1e-6),
        ("batched-difference", 1e-6),
        ("complex-step", 1e-14),
    ):
        assert agreement(METHODS[method].gradient(problem(SPEC)), SPEC) < error
    assert agreement(exact(), next(iter(mutants("vjps")))[2]) > 1e-5


def agreement(numeric, spec):
    """The relative error that a race shows of a gradient, against backprop of a model."""
    watch = RunningAgreement(problem(spec), take(spec).program.gradient, numeric, None)
    return watch.up_to(len(numeric)).relative
