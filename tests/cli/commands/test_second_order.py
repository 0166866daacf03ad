"""``hessian`` and ``jacobian``: numbers worked by hand, on every output, and what they refuse."""

from __future__ import annotations

import json
from math import cos, sin

import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main


def run(*words):
    return CliRunner().invoke(main, [*words])


def test_the_hessian_of_a_product_rule_by_hand():
    """f = x² sin(x): f'' = 2 sin x + 4 x cos x − x² sin x."""
    found = json.loads(run("hessian", "--preset", "x-squared-sine", "--json").stdout)
    assert found["names"] == ["x"]
    assert found["matrix"][0][0] == pytest.approx((2 - 1.5**2) * sin(1.5) + 4 * 1.5 * cos(1.5), rel=1e-12)
    text = run("hessian", "--preset", "x-squared-sine").stdout
    assert "0.175" in text
    assert "curves upward" in text


def test_the_jacobian_of_a_matrix_product_by_hand():
    found = json.loads(
        run("jacobian", "--expr", "y = M @ x", "--let", "M:=[[1, 2], [3, 4]], x=[1, 0]", "--json").stdout
    )
    assert found["matrix"] == [[1, 2], [3, 4]]
    assert [found[way]["passes"] for way in ("rows", "columns")] == [2, 2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("hessian",), "335,114 parameters"),
        (("jacobian",), "an expression is required"),
        (("jacobian", "--expr", "y = w*", "--let", "w=1"), "column"),
        (("trace", "--expr", "y = w*x", "--let", "w=1, x:=[1, 2]"), "a loss is one number"),
    ],
)
def test_what_cannot_be_differentiated_is_refused_in_one_line(words, said):
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert said in result.stderr


def test_what_is_not_finite_ends_with_1():
    assert run("hessian", "--expr", "L = log(w)", "--let", "w=0").exit_code == 1
    assert run("jacobian", "--expr", "y = log(w)", "--let", "w=[0, 1]").exit_code == 1
