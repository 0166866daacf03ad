"""``backprop-tui hessian``: the second derivatives of a loss."""

from __future__ import annotations

import click

from tui_backprop.cli.opening import Opening, parameters_of, trained_options
from tui_backprop.cli.options import output_options
from tui_backprop.cli.output import exit_if_bad, print_report


@click.command("hessian")
@trained_options
@output_options
def command(opening: Opening, as_json: bool, plain: bool) -> None:
    """Print the second derivatives of the loss by up to 50 parameters, and their eigenvalues.

    Each column is a Hessian-vector product: the JVP of the VJP, one pass each.

    Where a number is NaN or infinite, exit with 1.
    """
    session = opening.session()
    from tui_backprop.cli.progress import progress
    from tui_backprop.data.samples import cut
    from tui_backprop.engine.gradients.hessian import hessian
    from tui_backprop.engine.gradients.methods import Problem
    from tui_backprop.report.second_order import hessian_dict, hessian_text

    spec = session.network
    batch = cut(spec, session.data, *session.samples)
    with progress("columns computed") as watch:
        found = hessian(Problem(spec, batch.x, batch.t, parameters_of(session), session.t), watch)
    print_report(as_json, plain, lambda: hessian_dict(found), lambda context: hessian_text(found, context))
    exit_if_bad(found.kind != "exact")
