"""``backprop-tui jacobian``: the derivatives of an expression that is an array."""

from __future__ import annotations

import click

from tui_backprop.cli.options import choice, output_options
from tui_backprop.cli.output import exit_if_bad, print_report
from tui_backprop.engine.network.model import DTYPES, no_data
from tui_backprop.support.errors import InputError


@click.command("jacobian")
@click.option("--expr", metavar="'y = tanh(W @ x)'", help="Statements; the last one may be an array.")
@click.option("--let", metavar="'W=[[1,2],[3,4]], x:=[1,0]'", help="Its numbers, as in trace.", default="")
@choice("--dtype", "|".join(DTYPES), "Floating-point precision.", default="float64")
@output_options
def command(expr: str | None, let: str, dtype: str, as_json: bool, plain: bool) -> None:
    """Print the derivatives of each entry of the last statement by each parameter.

    They are computed by rows, one VJP for each entry of the value, and by columns, one JVP for each parameter; the
    cost of both ways is printed.

    Where a number is NaN or infinite, exit with 1.
    """
    if expr is None:
        raise InputError("expr", "an expression is required, such as --expr 'y = w*x' --let 'w=2, x:=[1, 3]'")
    from tui_backprop.engine.frontends.expression.spec import VectorExpression
    from tui_backprop.engine.gradients.jacobian import jacobian
    from tui_backprop.engine.gradients.methods import Problem
    from tui_backprop.engine.network.initializers import initial_parameters
    from tui_backprop.report.second_order import jacobian_dict, jacobian_text

    spec, nothing = VectorExpression(expr, let, dtype), no_data(dtype)
    found = jacobian(Problem(spec, nothing, nothing, initial_parameters(spec)))
    print_report(as_json, plain, lambda: jacobian_dict(found), lambda context: jacobian_text(found, context))
    exit_if_bad(not found.finite)
