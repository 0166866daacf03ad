"""The command line. Each command imports what it needs when it runs, so that help answers at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tui_backprop import __version__
from tui_backprop.cli.options import plain_option, session_from, session_options, setting_options
from tui_backprop.cli.output import glyphs_for_stdout, print_json
from tui_backprop.cli.settings import settings
from tui_backprop.session.parts import GRAINS
from tui_backprop.session.state import Session
from tui_backprop.support.errors import InputError, UserError
from tui_backprop.support.format import printable
from tui_backprop.support.paths import display_path
from tui_backprop.support.validation import one_of

FLAGS = "tui_backprop.settings"  # where the flags given before a command are kept for it


def named(field: str) -> str:
    """What a bad choice was made with: an option, or else a variable of the environment, or the terminal."""
    return field if field == "terminal" or field.isupper() else f"--{field}"


class OneLine(click.Group):
    """A group that says what is wrong with the command line in one line."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs, standalone_mode=False)  # type: ignore[call-overload]
        except click.exceptions.Abort:
            raise SystemExit(130) from None
        except UserError as error:
            click.echo(f"backprop-tui: {named(error.field)}: {error.message}", err=True)
            raise SystemExit(2) from None
        except click.ClickException as error:
            click.echo(
                f"backprop-tui: {printable(error.format_message(), 300)} (--help names what there is)",
                err=True,
            )
            raise SystemExit(2) from None


@click.group(
    cls=OneLine,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without a command, the app opens. In it, ? explains every key.",
)
@session_options
@click.option("--resume", is_flag=True, help="Go on where the last session was left.")
@click.option("--open", "token", metavar="TOKEN", help="Open the network, iteration and step of a token.")
@setting_options
@click.version_option(__version__, prog_name="backprop-tui", message="%(prog)s %(version)s")
def main(given: dict[str, Any], resume: bool, token: str | None, **flags: Any) -> None:
    """Step through backpropagation: forward pass, loss, backward pass and update, in real numbers."""
    from tui_backprop.cli.commands.app import open_app, opening

    context = click.get_current_context()
    context.meta[FLAGS] = flags
    if context.invoked_subcommand is None:
        chosen = settings(flags)
        if chosen.tour is None and (resume or token is not None):
            chosen = replace(chosen, tour=False)  # who goes on has begun before
        open_app(opening(given, resume, token), chosen)
    elif resume or token is not None:
        raise InputError("resume" if resume else "open", "it is for the app; leave it out here")


@main.command()
@session_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@plain_option
@click.option("--save", metavar="FILE.npz", type=click.Path(path_type=Path), help="Write all arrays.")
@click.option("--stream", "streamed", is_flag=True, help="For huge networks: keep no weight gradient.")
@click.option("--grain", metavar="|".join(GRAINS), help="How much one step is; equation if not given.")
def trace(
    given: dict[str, Any], as_json: bool, plain: bool, save: Path | None, streamed: bool, grain: str | None
) -> None:
    """Print the whole pass, forward, loss, backward and update, step by step.

    With --stream, forward and backward only, a line for each layer: times, norms, and the largest entries of
    its weight gradient, which is looked at in passing and not kept. A billion parameters then take 4 GB.
    """
    if streamed and save is not None:
        raise InputError("save", "--stream keeps no arrays to save; leave one of the two out")
    session = session_from(given, streamed=streamed)
    if streamed:
        if grain is not None:
            raise InputError("grain", "--stream goes by layers; leave --grain out")
        print_stream(session, as_json, plain)
        return
    chosen = one_of("grain", grain or session.walk.grain, GRAINS)
    session = replace(session, walk=replace(session.walk, grain=chosen))
    from tui_backprop.report.trace import save_arrays, trace_dict, trace_text
    from tui_backprop.session.replay import Replay

    iteration = Replay().take(session)
    if save is not None:
        click.echo(f"{display_path(save)}: {save_arrays(iteration, save)} arrays written", err=True)
    if as_json:
        print_json(trace_dict(session, iteration))
    elif save is None:
        click.echo(trace_text(session, iteration, glyphs_for_stdout(plain)))


def print_stream(session: Session, as_json: bool, plain: bool) -> None:
    from tui_backprop.cli.commands.stream import stream
    from tui_backprop.report.stream import stream_dict, stream_text

    report, drawn = stream(session)
    if as_json:
        print_json(stream_dict(session, report, drawn))
    else:
        click.echo(stream_text(session, report, drawn, glyphs_for_stdout(plain)))


def worker_options(command: Any) -> Any:
    """Add the options that ask for worker processes."""
    scheduler = click.option("--scheduler", metavar="HOST:PORT", help="Share the work: its Dask workers.")
    return click.option("--workers", metavar="2", help="Share the work: so many processes.")(
        scheduler(command)
    )


@main.command()
@session_options
@click.option("--layer", metavar="1", help="Rank the parameters of this layer alone.")
@click.option("--measure", default="gradient", metavar="NAME", help="gradient, update, weight-x-gradient.")
@click.option("--top", default="10", metavar="10", help="How many parameters to name.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@plain_option
def blame(given: dict[str, Any], as_json: bool, plain: bool, **asked: Any) -> None:
    """Rank all parameters by their share in the error, and nudge the first to see.

    The first comes with its path of largest influence to the loss, with what moving it does to the loss, as
    predicted by its gradient and as it comes, and in a batch with the samples that pull it.
    """
    session = session_from(given)
    from tui_backprop.cli.commands.blame import blame as accuse
    from tui_backprop.report.blame import blame_dict, blame_text

    blame_state = accuse(session, asked)
    if as_json:
        print_json(blame_dict(blame_state))
    else:
        click.echo(blame_text(blame_state, glyphs_for_stdout(plain)))


@main.command()
@session_options
@click.option("--chart", is_flag=True, help="Draw the chart too.")
@click.option("--sweep", is_flag=True, help="Measure networks of every size first, and keep what was found.")
@click.option("--budget", metavar="SECONDS", help="How long the sweep may take; 30 if not given.")
@click.option("--again", is_flag=True, help="Measure anew; nothing that was kept is used.")
@click.option("--race", is_flag=True, help="Find the gradient by perturbing every parameter, for real.")
@click.option("--method", metavar="NAME", help="The method that races; forward-difference if not given.")
@click.option("--step", metavar="1e-4", help="Its h; the best one for method and precision if not given.")
@worker_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@plain_option
def cost(given: dict[str, Any], as_json: bool, plain: bool, **asked: Any) -> None:
    """Print what a gradient costs on this machine by each method, measured and projected.

    Networks are measured in seconds, this one and a few others, and a law is fitted to that, with its own error. With
    --sweep, networks of up to a billion parameters are measured, and kept for the next time. With --race, a method
    runs against backprop for as long as it takes: forward-difference, central-difference, complex-step, forward-mode,
    batched-difference, batched-forward-mode.
    """
    session = session_from(given, streamed=True)
    from tui_backprop.cli.commands.cost import cost as measure
    from tui_backprop.report.cost import cost_text
    from tui_backprop.report.cost_result import cost_dict

    result = measure(session, {**asked, "as_json": as_json})
    if as_json:
        print_json(cost_dict(result))
    else:
        click.echo(cost_text(result, glyphs_for_stdout(plain)))


@main.command()
@session_options
@click.option("--method", default="backprop", metavar="NAME", help="The method to check.")
@click.option("--against", default="central-difference", metavar="NAME", help="The one to hold it against.")
@click.option("--entries", metavar="20|all", help="Parameters to compare in each tensor.")
@click.option("--exhaustive", is_flag=True, help="Compare every parameter; the same as --entries all.")
@click.option("--fast", is_flag=True, help="Compare slopes along random directions: a few passes in all.")
@click.option("--directions", metavar="1", help="Directions for each tensor, with --fast.")
@click.option("--probes", metavar="1", help="Random directions of spsa.")
@click.option("--step", metavar="1e-6", help="h; the best one for method and precision if not given.")
@click.option("--rtol", metavar="1e-6", help="Relative difference that is allowed.")
@click.option("--atol", metavar="1e-8", help="Absolute difference that is allowed.")
@worker_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@plain_option
def check(given: dict[str, Any], as_json: bool, plain: bool, **asked: Any) -> None:
    """Hold backprop against a numerical gradient, or any two methods; exit with 1 if they differ.

    Methods: backprop, forward-difference, central-difference, complex-step, batched-difference, forward-mode,
    batched-forward-mode, spsa. In double precision, unless --dtype says otherwise.

    With --exhaustive, worker processes can share the work: --workers 4 here, or those of a Dask scheduler. The result
    is the same to the last bit as with one process that computes with one thread (OPENBLAS_NUM_THREADS=1).
    """
    session = session_from({"dtype": "float64"} | given)
    from tui_backprop.cli.commands.check import check as compare
    from tui_backprop.report.check import check_dict, check_text

    report = compare(session, asked)
    if as_json:
        print_json(check_dict(report))
    else:
        click.echo(check_text(session, report, glyphs_for_stdout(plain)))
    raise SystemExit(0 if report.passed else 1)


@main.command()
@setting_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@plain_option
def doctor(as_json: bool, plain: bool, **flags: Any) -> None:
    """Print what was found out about this terminal and machine, and why: for a bug report.

    Nothing in it says who you are or where; the home folder is shown as ~.
    """
    from tui_backprop.cli.commands.doctor import diagnose
    from tui_backprop.report.doctor import doctor_dict, doctor_text

    before = click.get_current_context().meta.get(FLAGS, {})
    given = before | {name: flag for name, flag in flags.items() if flag is not None}
    diagnosis = diagnose(given)
    if as_json:
        print_json(doctor_dict(diagnosis))
    else:
        click.echo(doctor_text(diagnosis, glyphs_for_stdout(plain)))


@main.command()
def keys() -> None:
    """Print every action that can have other keys, and those it has, as lines for the settings file."""
    from tui_backprop.cli.commands.keys import key_table

    click.echo(key_table())


@main.command("token")
def last_token() -> None:
    """Print the token of the last session: --open TOKEN shows the same on any machine."""
    from tui_backprop.session.autosave import load
    from tui_backprop.session.share_token import encode

    click.echo(encode(load()))


@main.command()
@click.argument("shell", metavar="bash|zsh|fish")
def completion(shell: str) -> None:
    """Print the script by which a shell completes commands, options and names.

    For bash: eval "$(backprop-tui completion bash)" in ~/.bashrc. For zsh the same in ~/.zshrc. For fish: write it to
    ~/.config/fish/completions/backprop-tui.fish.
    """
    from tui_backprop.cli.commands.completion import script

    click.echo(script(main, shell))


@main.command()
def man() -> None:
    """Print the manual page, for man: backprop-tui man > backprop-tui.1"""
    from tui_backprop.cli.commands.man import page

    click.echo(page(main), nl=False)
