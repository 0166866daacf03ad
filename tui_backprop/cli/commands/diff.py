"""``backprop-tui diff``: where two recordings of a PyTorch model part."""

from __future__ import annotations

from pathlib import Path

import click

from tui_backprop.cli.options import output_options
from tui_backprop.cli.output import exit_if_bad, print_report
from tui_backprop.support.validation import non_negative_number, whole_number


@click.command("diff")
@click.argument("first", metavar="A.bp")
@click.argument("second", metavar="B.bp")
@click.option(
    "--iteration", metavar="3", help="Number of the step to compare, in both; default: the last one of each."
)
@click.option(
    "--tolerance",
    metavar="1e-5",
    help="Relative to the largest number of a tensor; default 1e-5 for float32, 1e-9 for float64.",
)
@output_options
def command(
    first: str, second: str, iteration: str | None, tolerance: str | None, as_json: bool, plain: bool
) -> None:
    """Compare two recordings of a model: on another machine, before and after a change, with another seed.

    Operations are matched in their order. Print what is given and differs already, the first values that part on the
    way down, and the first gradients on the way up, with the numbers of both; exit with 1 if they part.
    """
    number = None if iteration is None else whole_number("iteration", iteration, 0)
    bound = None if tolerance is None else non_negative_number("tolerance", tolerance)
    from tui_backprop.engine.analysis.parting import parting
    from tui_backprop.report.parting import parting_dict, parting_text
    from tui_backprop.session.recorded_files import recorded_model

    a, b = (recorded_model(Path(name), number) for name in (first, second))
    found = parting(a, b, bound)
    print_report(
        as_json,
        plain,
        lambda: parting_dict(a, b, found),
        lambda context: parting_text(a, b, found, context),
    )
    exit_if_bad(not found.agrees)
