"""``backprop-tui blame``: which weights caused the error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from tui_backprop.cli.opening import Opening, iteration_of, parameters_of, trained_options
from tui_backprop.cli.options import choice, output_options, require
from tui_backprop.cli.output import exit_if_bad, print_report
from tui_backprop.session.session_parts import ALL_LAYERS, MEASURES, Inspection
from tui_backprop.session.state import Session
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import count_up_to, one_of, whole_number

if TYPE_CHECKING:
    from tui_backprop.render.view_state import BlameState


MOST_LISTED = 10_000  # parameters: as a table they take 100 MB
MEASURE_OPTIONS = {name.replace(" ", "-"): name for name in MEASURES}


@click.command("blame")
@trained_options
@click.option("--layer", metavar="1", help="Rank the parameters of this layer only.")
@choice("--measure", "|".join(MEASURE_OPTIONS), "What to rank the parameters by.", default="gradient")
@click.option("--top", default="10", metavar="10", help="Number of parameters to list.")
@click.option("--letters", is_flag=True, help="Of a text: rank the letters before the prediction instead.")
@output_options
def command(opening: Opening, as_json: bool, plain: bool, letters: bool, **options: Any) -> None:
    """Rank all parameters by their share in the error, and nudge the first.

    For the first, print its path of largest influence on the loss; how the loss changes when it is moved, as
    predicted by its gradient and as computed, in double precision; the changes found from -1,024 to 1,024 that flip
    the prediction for the first sample; and, for a batch, the samples that pull it.

    Where a number is NaN or infinite, exit with 1; "reason" in the JSON names the first one, and what computed it.
    Nothing is predicted from such an output, and no parameter is ranked by such a score.

    With --letters, rank the letters before a prediction (of --text and --letter, or of the sample) by the mean change
    of its loss when every other letter takes their place: to first order, beside the actual one.
    """
    if letters:
        blame_letters(opening.session(), as_json, plain, options)
        return
    state = attribute(opening.session(), options)
    from tui_backprop.report.blame import blame_dict, blame_text

    print_report(as_json, plain, lambda: blame_dict(state), lambda context: blame_text(state, context))
    exit_if_bad(state.iteration.bad is not None)


def blame_letters(session: Session, as_json: bool, plain: bool, options: dict[str, Any]) -> None:
    """Print the ranking of the letters. Raises InputError for samples that are no text, and for a layer."""
    require(options, [("layer", False, "cannot be combined with --letters")])
    from tui_backprop.report.letters import letters_dict, letters_text
    from tui_backprop.session.letter_blame import letter_blame

    *_, found = letter_blame(session, parameters_of(session))
    print_report(
        as_json,
        plain,
        lambda: letters_dict(session, found),
        lambda context: letters_text(session, found, context),
    )


def attribute(session: Session, options: dict[str, Any]) -> BlameState:
    """Rank the parameters as the options ask, and examine the first. Raises InputError, naming the option, for a
    bad one."""
    depth, layer = session.network.graph.depth, ALL_LAYERS
    if options["layer"] is not None:
        if not session.network.graph.layered:
            raise InputError("layer", f"{session.network.title} has no layers to choose from; leave it out")
        layer = whole_number("layer", options["layer"], 1)
        if layer > depth:
            raise InputError("layer", f"{layer} is out of range (1 to {depth})")
    measure = one_of("measure", options["measure"], MEASURE_OPTIONS)
    top = count_up_to("top", options["top"], MOST_LISTED, "trace --save writes the gradients of all")
    from tui_backprop.engine.analysis.parameter_detail import parameter_detail
    from tui_backprop.engine.analysis.ranking import ranking
    from tui_backprop.render.view_state import BlameState
    from tui_backprop.session.misclassified import first_class

    inspection = Inspection(measure=MEASURE_OPTIONS[measure], layer=layer)
    session = replace(session, inspection=inspection)
    iteration = iteration_of(session)
    ranked = ranking(iteration, inspection.measure, top, layer or None)
    label = first_class(session, iteration)
    detail = parameter_detail(iteration, ranked[0], label) if ranked else None
    return BlameState(session, iteration, ranked, detail)
