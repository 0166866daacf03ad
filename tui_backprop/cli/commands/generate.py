"""``backprop-tui generate``: texts that a network makes up."""

from __future__ import annotations

import click

from tui_backprop.cli.opening import Opening, parameters_of, trained_options
from tui_backprop.cli.options import output_options
from tui_backprop.cli.output import print_report
from tui_backprop.data.catalogue import info
from tui_backprop.session.presets import MODELS
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import count_up_to, non_negative_number

MOST_TEXTS = 100_000


@click.command("generate")
@trained_options
@click.option("--count", default="10", metavar="10", help="Number of texts.")
@click.option(
    "--temperature",
    default="0.5",
    metavar="0.5",
    help="Draw from p^(1/temperature), normalized; 1 as predicted, 0 the most likely token.",
)
@output_options
def command(opening: Opening, count: str, temperature: str, as_json: bool, plain: bool) -> None:
    """Generate texts letter by letter, each letter drawn from the distribution that the network predicts.

    A text ends with the boundary or with the context. With --text, each begins with that text. The same --seed gives
    the same texts, those that the app generates one after the other.
    """
    number = count_up_to("count", count, MOST_TEXTS)
    warmth = non_negative_number("temperature", temperature)
    session = opening.session()
    network, passage = session.network, session.passage
    if not network.context:
        fit = " or ".join(name for name, row in MODELS.items() if row.network.context)
        raise InputError("preset", f"{network.title} generates no text; choose {fit}")
    if passage is not None and passage.letter:
        raise InputError("letter", "does not apply to generate; leave it out")
    from tui_backprop.data.samples import load_text
    from tui_backprop.engine.analysis.generation import Predictor, Sampling
    from tui_backprop.report.generated import generated_dict, generated_text

    text, prompt = load_text(session.data), passage.characters if passage else ""
    sampling = Sampling(warmth, network.seed)
    predictor = Predictor(network, parameters_of(session), text.boundary)
    begun = text.encode(prompt)[1:-1].tolist()
    texts = [list(predictor.generate(begun, Sampling(warmth, network.seed, i))) for i in range(number)]
    names = info(session.data).token_names
    print_report(
        as_json,
        plain,
        lambda: generated_dict(session, prompt, text, names, sampling, texts),
        lambda context: generated_text(prompt, text, texts, context),
    )
