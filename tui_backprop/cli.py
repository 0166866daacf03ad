"""The command line. Each command imports what it needs when it runs, so that help answers at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import click

from tui_backprop import __version__
from tui_backprop.data.catalogue import DATASETS, fitted
from tui_backprop.engine.spec import (
    ACTIVATIONS,
    DTYPES,
    INITS,
    LOSSES,
    SpecError,
    one_of,
    parse_layers,
    positive,
    whole,
)
from tui_backprop.memory import check_memory
from tui_backprop.presets import PRESETS
from tui_backprop.session import Session, from_preset

Command = Callable[..., None]

# Option, names or an example of its values, what it sets. Choices are checked by the spec, not by click, so
# that the app and the command line say the same thing about a bad one.
CHOICES: tuple[tuple[str, str, str], ...] = (
    ("--preset", "|".join(PRESETS), "A network and data to start from."),
    ("--layers", "784,256,10", "Sizes of all layers, input first."),
    ("--activation", "|".join(ACTIVATIONS), "Of the hidden layers."),
    ("--loss", "|".join(LOSSES), "What is minimised."),
    ("--init", "|".join(INITS), "How the first weights are drawn."),
    ("--dtype", "|".join(DTYPES), "Precision."),
    ("--seed", "0", "Of the first weights and of generated data."),
    ("--data", "|".join(DATASETS), "Data set."),
    ("--sample", "0", "First sample of the batch."),
    ("--batch", "1", "Samples in the batch."),
    ("--lr", "0.01", "Learning rate, alpha."),
)


def session_options(command: Command) -> Command:
    """Add the options that name a network and data. The command is given them as one dict; those given
    before a subcommand's name count for the subcommand too."""

    @click.option("--no-bias", is_flag=True, default=None, help="Leave the biases out.")
    @wraps(command)
    def run(**given: Any) -> None:
        context = click.get_current_context()
        names = [flag[2:] for flag, _, _ in CHOICES] + ["no_bias"]
        here = {name: given.pop(name) for name in names}
        context.obj = (context.obj or {}) | {name: value for name, value in here.items() if value is not None}
        try:
            command(context.obj, **given)
        except SpecError as error:
            flag = error.field if error.field == "terminal" else f"--{error.field}"
            click.echo(f"backprop-tui: {flag}: {error.message}", err=True)
            raise SystemExit(2) from None

    decorated: Command = run
    for flag, metavar, help_text in reversed(CHOICES):
        decorated = click.option(flag, metavar=metavar, help=help_text)(decorated)
    return decorated


def session_from(given: dict[str, Any]) -> Session:
    """The session that the options describe. What is not given comes from the preset, made to fit the data.

    Raises SpecError, naming the option, for the first value that does not do.
    """
    base = from_preset(given.get("preset", "lesson"))
    data = one_of("data", given.get("data", base.data), DATASETS)
    network = replace(
        base.network,
        activation=given.get("activation", base.network.activation),
        init=given.get("init", base.network.init),
        dtype=given.get("dtype", base.network.dtype),
        seed=whole("seed", given.get("seed", base.network.seed), 0),
        bias=base.network.bias and not given.get("no_bias"),
        loss=given.get("loss", base.network.loss),
        layers=parse_layers(given["layers"]) if "layers" in given else base.network.layers,
    )
    suited = fitted(network, data)
    if "layers" not in given:
        network = replace(network, layers=suited.layers)
    if "loss" not in given:
        network = replace(network, loss=suited.loss)
    batch = whole("batch", given.get("batch", base.batch), 1)
    check_memory(network, batch)
    return Session(
        network,
        data,
        sample=whole("sample", given.get("sample", base.sample), 0),
        batch=batch,
        lr=positive("lr", given.get("lr", base.lr)),
    )


class OneLine(click.Group):
    """A group that says what is wrong with the command line in one line."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs, standalone_mode=False)  # type: ignore[call-overload]
        except click.exceptions.Abort:
            raise SystemExit(130) from None
        except click.ClickException as error:
            click.echo(f"backprop-tui: {error.format_message()} (--help names what there is)", err=True)
            raise SystemExit(2) from None


@click.group(
    cls=OneLine,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without a command, the app opens. In it, ? explains every key.",
)
@session_options
@click.version_option(__version__, prog_name="backprop-tui", message="%(prog)s %(version)s")
def main(given: dict[str, Any]) -> None:
    """Step through backpropagation: forward pass, loss, backward pass and update, in real numbers."""
    if click.get_current_context().invoked_subcommand is None:
        open_app(session_from(given))


def open_app(session: Session) -> None:
    """Open the app on a session; refuses where there is no terminal to open it on."""
    from tui_backprop.ui.terminal import glyphs_for, require_terminal, settle_colours

    require_terminal()
    settle_colours()
    from tui_backprop.ui.app import BackpropApp

    app = BackpropApp(session, glyphs_for(sys.stderr.encoding))
    app.run()
    raise SystemExit(app.return_code or 0)


@main.command()
@session_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@click.option("--save", metavar="FILE.npz", type=click.Path(path_type=Path), help="Write all arrays.")
def trace(given: dict[str, Any], as_json: bool, save: Path | None) -> None:
    """Print the whole pass, forward, loss, backward and update, step by step."""
    session = session_from(given)
    from tui_backprop.replay import Replay
    from tui_backprop.ui.twin import as_object, as_text, save_arrays

    taken = Replay().take(session)
    if save is not None:
        click.echo(f"{save}: {save_arrays(session, taken, save)} arrays written", err=True)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(as_object(session, taken)))
    elif save is None:
        from tui_backprop.ui.terminal import glyphs_for

        click.echo(as_text(session, taken, glyphs_for(getattr(sys.stdout, "encoding", None))))
