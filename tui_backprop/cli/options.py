"""The options that name a network and data, the same for every command, and the Session that they describe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

import click

from tui_backprop.cli.settings import SETTINGS
from tui_backprop.data.catalogue import DATASETS, fitted
from tui_backprop.engine.network.initializer_rules import INITIALIZERS
from tui_backprop.engine.network.spec import DTYPES, NetworkSpec, parse_layers
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.training.memory import check_memory, check_streamed_memory
from tui_backprop.engine.training.optimizer_spec import SCHEDULES, OptimizerSpec
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import one_of, positive_number, whole_number

Command = Callable[..., None]

# Option, names or an example of its values, what it sets. Choices are checked by the spec, not by click, so
# that the app and the command line say the same thing about a bad one.
CHOICES: tuple[tuple[str, str, str], ...] = (
    ("--preset", "|".join(PRESETS), "A network and data to start from."),
    ("--layers", "784,256,10", "Sizes of all layers, input first."),
    ("--activation", "|".join(ACTIVATIONS), "Of the hidden layers; one for each with commas: relu,tanh."),
    ("--loss", "|".join(LOSSES), "What is minimized."),
    (
        "--init",
        "|".join(INITIALIZERS),
        "How the first weights are drawn; with a size: normal:0.02, constant:0.1.",
    ),
    ("--dropout", "0.1", "Share of the hidden activations that is dropped; 0 if not given."),
    (
        "--l2",
        "0.001",
        "Lambda of the penalty, lambda / 2 times the sum of all squared weights; 0 if not given.",
    ),
    ("--dtype", "|".join(DTYPES), "Precision."),
    ("--seed", "0", "Of the first weights, of dropout and of generated data."),
    ("--data", "|".join(DATASETS), "Data set."),
    ("--sample", "0", "First sample of the batch."),
    ("--batch", "1", "Samples in the batch."),
    ("--lr", "0.01", "Learning rate, alpha."),
    ("--optimizer", "|".join(UPDATE_RULES), "How a gradient becomes an update."),
    ("--momentum", "0.9", "Of momentum and nesterov; beta1 of adam and adamw; 0.9 if not given."),
    ("--beta2", "0.999", "Of rmsprop, adam and adamw; 0.999 if not given."),
    (
        "--weight-decay",
        "0.01",
        "How much of each weight the update takes off, by adamw apart from the gradient; 0 if not given.",
    ),
    ("--clip", "1", "Largest norm of the whole gradient; no limit if not given."),
    ("--schedule", "|".join(SCHEDULES), "What becomes of the learning rate."),
    ("--warmup", "10", "Iterations over which the rate climbs at the start; 0 if not given."),
    ("--horizon", "1000", "Iterations over which the schedule falls, and then stays; 1000 if not given."),
)
FLAGS = (
    ("--no-bias", "Leave the biases out."),
    ("--layer-norm", "Normalize the sums of each hidden layer."),
    ("--residual", "Add to each hidden layer what came into it, where both have one width."),
)

# Which options set a field of the network, and of the optimizer; and those that not every choice has.
NETWORK = ("activation", "loss", "init", "dropout", "l2", "dtype", "seed", "layer_norm", "residual")
OPTIMIZER = ("momentum", "beta2", "weight_decay", "clip", "schedule", "warmup", "horizon")
ONLY = (
    *(
        (setting, "optimizer", tuple(name for name, row in UPDATE_RULES.items() if setting in row.settings))
        for setting in ("momentum", "beta2")
    ),
    ("horizon", "schedule", tuple(name for name, row in SCHEDULES.items() if row.horizon)),
)


def session_options(command: Command) -> Command:
    """Add the options that name a network and data; the command gets them as one dict, ``given``."""
    names = [option[0][2:].replace("-", "_") for option in (*CHOICES, *FLAGS)]
    decorated = _gathered("given", names, command)
    for flag, help_text in reversed(FLAGS):
        decorated = click.option(flag, is_flag=True, default=None, help=help_text)(decorated)
    for flag, metavar, help_text in reversed(CHOICES):
        decorated = choice(flag, metavar, help_text)(decorated)
    return decorated


def _gathered(parameter: str, names: Iterable[str], command: Command) -> Command:
    """Pass the options called ``names`` to a command as one dict, without those that were not given. Options given
    before the name of a subcommand count for the subcommand too."""
    key = f"{__name__}.{parameter}"

    @wraps(command)
    def run(**options: Any) -> None:
        here = {name: options.pop(name) for name in names}
        meta = click.get_current_context().meta  # shared by the contexts of group and subcommand
        meta[key] = meta.get(key, {}) | {name: value for name, value in here.items() if value is not None}
        command(**{parameter: meta[key]}, **options)

    return run


def choice(flag: str, metavar: str, help_text: str) -> Callable[[Command], Command]:
    """An option whose metavar is an example, or names to choose from: those can be completed by the shell."""
    names = metavar.split("|") if "|" in metavar else []

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        return [name for name in names if name.startswith(begun)]

    return click.option(flag, metavar=metavar, help=help_text, shell_complete=complete)


def setting_options(command: Command) -> Command:
    """Add the options for settings; the command gets them as one dict, ``flags``."""
    command = _gathered("flags", ["config", "ascii", *(setting.name for setting in SETTINGS)], command)
    for setting in reversed(SETTINGS):
        if setting.switch:
            flags = f"--{setting.name}/--no-{setting.name}"
            command = click.option(flags, default=None, help=setting.about)(command)
        else:
            command = choice(f"--{setting.name}", setting.values, setting.about)(command)
    ascii_option = click.option("--ascii", is_flag=True, default=None, help="The same as --glyphs ascii.")
    return click.option(
        "--config", metavar="FILE", help="Settings from this file, not from the usual place."
    )(ascii_option(command))


def output_options(command: Command) -> Command:
    """Add the options that choose how a report is printed: ``as_json`` and ``plain``."""
    as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
    about = (
        "For screen readers: a line for each fact, in words and plain characters; no tables, nothing drawn."
    )
    return as_json(click.option("--plain", is_flag=True, help=about)(command))


def require(options: Mapping[str, Any], requirements: Iterable[tuple[str, bool, str]]) -> None:
    """Check that no option is given in vain. ``requirements`` are rows of an option, whether it applies, and what it
    belongs to. Raises InputError for the first that is given and does not apply."""
    for name, applies, owner in requirements:
        if options[name] not in (None, False) and not applies:
            raise InputError(name, f"it belongs to {owner}")


def session_from(given: dict[str, Any], *, streamed: bool = False) -> Session:
    """The session that the options describe. What is not given comes from the preset, made to fit the data.

    Raises InputError, naming the option, for the first value that does not do, and where the memory does not;
    a ``streamed`` pass needs less of it.
    """
    base = from_preset(given.get("preset", "lesson"))
    data = one_of("data", given.get("data", base.data), DATASETS)
    network, optimizer = network_from(given, base.network, data), optimizer_from(given)
    batch = whole_number("batch", given.get("batch", base.batch), 1)
    if streamed:
        check_streamed_memory(network, batch)
    else:
        check_memory(network, batch, optimizer)
    return Session(
        network,
        data,
        sample=whole_number("sample", given.get("sample", base.sample), 0),
        batch=batch,
        lr=positive_number("lr", given.get("lr", base.lr)),
        optimizer=optimizer,
    )


def network_from(given: dict[str, Any], base: NetworkSpec, data: str) -> NetworkSpec:
    """The network that the options describe, over that of the preset."""
    network = replace(
        base,
        layers=parse_layers(given["layers"]) if "layers" in given else base.layers,
        bias=base.bias and not given.get("no_bias"),
        **{name: given[name] for name in NETWORK if name in given},
    )
    suited = fitted(network, data)
    return replace(
        network,
        layers=network.layers if "layers" in given else suited.layers,
        loss=network.loss if "loss" in given else suited.loss,
    )


def optimizer_from(given: dict[str, Any]) -> OptimizerSpec:
    """The optimizer that the options describe."""
    optimizer = OptimizerSpec(
        given.get("optimizer", "sgd"), **{name: given[name] for name in OPTIMIZER if name in given}
    )
    chosen = {"optimizer": optimizer.name, "schedule": optimizer.schedule}
    for name, of, having in ONLY:
        if name in given and chosen[of] not in having:
            raise InputError(name, f"{chosen[of]} has none; choose --{of} {', '.join(having)}")
    return optimizer
