"""A convolutional network: its gradient by every method, its receipts, and planted errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.calculus import off
from tests.engine.frontends.expressions import problem, take
from tests.engine.frontends.images_by_hand import STEPS, Images
from tests.engine.frontends.test_any_shape import FORMULAS, misplaced, wrong
from tui_backprop.engine.explain.number import number_of
from tui_backprop.engine.explain.receipts import receipt_rows
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.explain.zero_gradient import zero_gradients
from tui_backprop.engine.gradients.check.compare import compare
from tui_backprop.engine.gradients.methods import METHODS

SPEC = Images()
SELECTED = "pooling"  # the rows of its receipts are what it selects from
RULES = [
    (output, i)
    for primitive, inputs, output in STEPS
    for i, name in enumerate(inputs)
    if name != "x" and primitive.kind not in ("function", "reduction", "layout")
    if not (primitive.passes_on and i == 0)
]
each_rule = pytest.mark.parametrize(("output", "i"), RULES)


def mutant(output, i, column, of=wrong):
    (primitive,) = (primitive for primitive, _, made in STEPS if made == output)
    rules = list(getattr(primitive, column))
    rules[i] = of(rules[i])
    return Images((output, replace(primitive, **{column: tuple(rules)})))


def exact():
    return METHODS["complex-step"].gradient(problem(SPEC))


def test_the_gradient_is_that_of_every_method():
    found = take(SPEC).program.gradient
    np.testing.assert_allclose(found, exact(), rtol=1e-10, atol=1e-14)
    for name in ("forward-mode", "batched-forward-mode"):
        np.testing.assert_allclose(METHODS[name].gradient(problem(SPEC)), found, rtol=1e-12, atol=1e-14)
    for name in ("central-difference", "batched-difference"):
        np.testing.assert_allclose(METHODS[name].gradient(problem(SPEC)), found, rtol=1e-4, atol=1e-6)


@each_rule
def test_a_wrong_vjp_is_off_the_complex_step(output, i):
    assert np.abs(take(mutant(output, i, "vjps")).program.gradient - exact()).max() > 1e-6


@each_rule
def test_check_names_the_operation_of_a_planted_error(output, i):
    report = compare(problem(mutant(output, i, "vjps")))
    assert [fault.rule for fault in report.faults] == ["vjp"]
    assert any(tensor.failed for tensor in report.tensors)


def test_check_finds_nothing_wrong_with_the_right_rules():
    report = compare(problem(SPEC))
    assert not report.faults
    assert not any(tensor.failed for tensor in report.tensors)


def receipts(spec, output=None):
    """Iterate over (step, receipt) of all entries of the steps that add up, of one operation or of all."""
    iteration = take(spec)
    for step in walk(spec, 1, grain="operation"):
        if step.kind in FORMULAS or step.kind == SELECTED or step.phase == "update":
            continue
        if output is None or step.visits[-1].op.output == output:
            for unit in range(iteration.tensor(step.tensor).size):
                yield step, receipt_rows(iteration, step, unit)


def test_receipts_of_all_entries_add_up():
    for step, rows in receipts(SPEC):
        assert off(rows) < 1e-12, step


@pytest.mark.parametrize("of", [wrong, misplaced])
@each_rule
def test_a_receipt_does_not_add_up_where_a_vjp_is_wrong(output, i, of):
    assert any(off(rows) > 1e-5 for _, rows in receipts(mutant(output, i, "vjps", of), output))


def labels(number):
    return [row.label for row in number.rows]


def test_an_entry_of_a_convolution_is_the_sum_over_its_patch():
    number = number_of(take(SPEC), "u", (1, 2, 0, 5), terms=9)
    # at the corner, the kernel covers two rows and two columns of the image
    assert {*labels(number.computed)[:-1]} == {
        f"x[1,0,{i},{j}] · W1[2,0,{i + 1},{j - 4}]" for i in (0, 1) for j in (4, 5)
    }


def test_a_gradient_of_a_kernel_is_a_sum_over_positions_and_samples():
    rows = number_of(take(SPEC), "W2", (1, 2, 0, 1), terms=9).differentiated.rows
    assert {row.label for row in rows[:-1]} == {
        f"dw[{n},1,0,{j}] · p[{n},2,0,{j + 1}]" for n in (0, 1) for j in (0, 1)
    }
    sizes = [abs(row.value) for row in rows[:-1]]
    assert sizes == sorted(sizes, reverse=True)
    rows = number_of(take(SPEC), "W1", (0, 0, 1, 1), terms=3).differentiated.rows
    assert rows[3].label == "81 more terms"  # of 2 samples · 7 · 6 positions


def test_a_gradient_of_an_image_is_a_sum_over_the_places_of_the_kernel_that_cover_it():
    rows = number_of(take(SPEC), "p", (0, 1, 0, 1), terms=9).differentiated.rows
    assert {row.label for row in rows[:-1]} == {
        f"dw[0,{o},0,{j}] · W2[{o},1,0,{1 - j}]" for o in (0, 1) for j in (0, 1)
    }


def test_max_pooling_names_the_entry_that_won():
    iteration = take(SPEC)
    h, p = iteration.tensor("h"), iteration.tensor("p")
    won = tuple(map(int, np.argwhere(h == p.max())[0]))
    place = (*won[:2], won[2] // 2, won[3] // 2)
    number = number_of(iteration, "p", place)
    assert labels(number.computed)[0] == f"h[{','.join(map(str, won))}]"
    assert len(number.computed.rows) == 5  # of a window of four
    other = (*won[:3], won[3] ^ 1)
    at, name = ",".join(map(str, place)), ",".join(map(str, won))
    assert labels(number_of(iteration, "h", won).differentiated)[0] == f"dp[{at}]"
    lost = number_of(iteration, "h", other).differentiated.rows
    assert (lost[0].label, lost[0].value) == (f"dp[{at}] goes to h[{name}]", 0)


def test_a_row_of_equal_entries_names_the_first_one_in_max_pooling():
    iteration = take(SPEC)
    dead = np.argwhere(iteration.tensor("p") == 0)
    n, c, i, j = map(int, dead[0])
    first = labels(number_of(iteration, "p", (n, c, i, j)).computed)[0]
    assert first == f"h[{n},{c},{2 * i},{2 * j}]"


def test_the_cause_of_a_zero_gradient_with_many_terms_is_one_sentence():
    iteration = take(mutant("n", 0, "vjps", lambda right: lambda to, *_: to.fill(0)))
    (cause,) = zero_gradients(iteration, "W1", (0, 0, 1, 1))
    assert cause.why == "each of its 84 terms has a factor that is 0 or rounds to 0"


def test_a_receipt_fits_78_columns():
    for _, rows in receipts(SPEC):
        assert max(len(row.label) for row in rows) <= 48
