"""The options that describe a session, and the session that they describe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tui_backprop.cli.brought import data_of, filed, weights_of
from tui_backprop.cli.options import Command, choice, gathered
from tui_backprop.cli.session_option_table import (
    ANY_NETWORK,
    CHOICES,
    EXPRESSION_LR,
    EXPRESSION_OPTIONS,
    FLAGS,
    NETWORK,
    ONLY,
    OPTIMIZER,
    OTHER,
    RECORDING_OPTIONS,
)
from tui_backprop.cli.streams import say
from tui_backprop.data.catalogue import GIVEN, fitted, info, title
from tui_backprop.data.passage import ALL, Passage
from tui_backprop.data.split import Split, held_out_count, split_of
from tui_backprop.engine.frontends.dense import start
from tui_backprop.engine.frontends.dense.spec import NetworkSpec, parse_frozen, parse_layers
from tui_backprop.engine.frontends.expression.presets import FRONTEND as EXPRESSION
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.training.memory import check_memory, check_streamed_memory
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec, check_epsilon
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.session.presets import MODELS
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.text_changes import with_text
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import positive_number, whole_number


def session_options(command: Command) -> Command:
    """Add the options that name a network and data; the command gets them as one dict, ``given``."""
    names = [option[0].partition("/")[0][2:].replace("-", "_") for option in (*CHOICES, *FLAGS)]
    decorated = gathered("given", names, command)
    for flag, help_text in reversed(FLAGS):
        decorated = click.option(flag, is_flag=True, default=None, help=help_text)(decorated)
    for flag, metavar, help_text in reversed(CHOICES):
        decorated = choice(flag, metavar, help_text)(decorated)
    return decorated


def session_from(given: dict[str, Any], *, streamed: bool = False) -> Session:
    """Make the session that the options describe. What is not given comes from the preset, adapted to the data.

    Raises InputError, naming the option, for the first invalid value, and if there is too little memory; a
    ``streamed`` pass needs less of it.
    """
    if "recording" in given:
        return recording_from(given)
    if "iteration" in given:
        raise InputError("iteration", "requires a recording, such as run.bp")
    base = from_preset(given.get("preset", "lesson"))
    if "set" in given and "weights" in given:
        raise InputError("set", "cannot be combined with --weights")
    if "expr" in given or base.network.frontend == EXPRESSION:
        return expression_from(given, base)
    if "let" in given:
        raise InputError("let", "requires --expr, or a preset that is an expression")
    if not isinstance(base.network, NetworkSpec):
        return walking_text(given, other_from(given, base))
    _check_dense(given)
    data = data_of(given, base)
    network, optimizer = network_from(given, base.network, data), optimizer_from(given, base.optimizer)
    _check_decay_bias(given, network, optimizer)
    check_epsilon(optimizer, network.dtype)
    split = split_from(given, data, network.seed)
    usual = len(split.training.samples) if "x" in given else base.batch
    batch = whole_number("batch", given.get("batch", usual), 1)
    if streamed:
        check_streamed_memory(network, batch)
    else:
        check_memory(network, batch, optimizer)
    session = walking_text(given, _session(given, base.lr, network, data, split, batch, optimizer))
    if note := adapted(given, session):
        say(f"backprop-tui: {note}")
    return session


def _check_dense(given: Mapping[str, Any]) -> None:
    """Raise InputError for an option that dense networks do not have."""
    for name in OTHER:
        if name in given:
            raise InputError(
                name.replace("_", "-"),
                f"does not apply to a dense network; add --preset {presets_with(name)}",
            )


def walking_text(given: Mapping[str, Any], session: Session) -> Session:
    """Return the session that walks the text that is given, if there is one. Raises InputError for one that does not
    fit, and for a letter without a text."""
    if "text" not in given:
        if "letter" in given:
            raise InputError("letter", "requires --text")
        return session
    letter = whole_number("letter", given["letter"], 1) if "letter" in given else ALL
    return with_text(replace(session, passage=Passage(given["text"], letter)))


def presets_with(setting: str) -> str:
    """Name the presets whose network has a setting, for a choice."""
    found = [name for name, row in MODELS.items() if setting in row.network.settings]
    return " or ".join(found)


def other_from(given: dict[str, Any], base: Session) -> Session:
    """Make the session of a network whose options are the fields of its specification, on top of that of a preset.
    Raises InputError for any other option."""
    settings = base.network.settings
    for name in given:
        if name not in settings and name not in ANY_NETWORK:
            raise InputError(name.replace("_", "-"), f"does not apply to {base.network.title}")
    data = data_of(given, base)
    chosen = {name: given[name] for name in settings if name in given}
    if base.network.context:
        chosen["vocabulary"] = len(info(data).token_names)
    network = base.network.changed(**chosen)
    optimizer = optimizer_from(given, base.optimizer)
    check_epsilon(optimizer, network.dtype)
    batch = whole_number("batch", given.get("batch", base.batch), 1)
    check_memory(network, batch, optimizer)
    split = split_from(given, data, network.seed)
    return _session(given, base.lr, network, data, split, batch, optimizer)


def _session(
    given: Mapping[str, Any],
    lr: float,
    network: Model,
    data: str,
    split: Split,
    batch: int,
    optimizer: OptimizerSpec,
) -> Session:
    """Make the session of what the options describe. Raises InputError for an invalid sample or learning rate; the
    latter is ``lr`` unless it is given."""
    return Session(
        network,
        data,
        sample=whole_number("sample", given.get("sample", split.training.after(info(data).first)), 0),
        batch=batch,
        lr=positive_number("lr", given.get("lr", lr)),
        optimizer=optimizer,
        validation=split.validation,
        repeat=given.get("repeat_batch", False),
    )


def split_from(given: Mapping[str, Any], data: str, seed: int) -> Split:
    """Return the split that the options ask for; say what it is."""
    samples = info(data).samples
    split = split_of(samples, held_out_count(given.get("validation", 0), samples), seed)
    if split.validation:
        say(f"backprop-tui: {split.text}")
    return split


def adapted(given: Mapping[str, Any], session: Session) -> str:
    """Say what the data changed of the network that was asked for; an empty text if it changed nothing."""
    asked, now = from_preset(given.get("preset", "lesson")).network, session.network
    changes = []
    assert isinstance(asked, NetworkSpec)
    assert isinstance(now, NetworkSpec)
    if "layers" not in given and now.layers != asked.layers:
        changes.append(f"layers {','.join(map(str, now.layers))}")
    if "loss" not in given and now.loss != asked.loss:
        changes.append(f"loss {now.loss}")
    return f"adapted to {title(session.data)}: {', '.join(changes)}" if changes else ""


def _check_decay_bias(given: dict[str, Any], network: NetworkSpec, optimizer: OptimizerSpec) -> None:
    """Raise InputError if ``decay_bias`` is given but changes nothing."""
    if "decay_bias" not in given:
        return
    if not (optimizer.weight_decay or network.l2):
        raise InputError("decay-bias", "requires --weight-decay or --l2")
    if network.parameters == network.weights:
        raise InputError("decay-bias", "this network has no biases, gains or shifts; leave out --no-bias")


def network_from(given: dict[str, Any], base: NetworkSpec, data: str) -> NetworkSpec:
    """Make the network that the options describe, on top of that of the preset."""
    layers = parse_layers(given["layers"]) if "layers" in given else base.layers
    file = weights_of(given)
    if file and "layers" not in given:
        from tui_backprop.engine.frontends.dense.matching import layers_in

        layers = layers_in(file.arrays) or layers
    network = replace(
        base,
        start="",
        layers=layers,
        bias=base.bias and not given.get("no_bias"),
        l2_bias=given.get("decay_bias", base.l2_bias),
        **{name: given[name] for name in NETWORK if name in given},
        frozen=parse_frozen(given["freeze"]) if "freeze" in given else base.frozen,
    )
    suited = fitted(network, data)
    network = replace(
        network,
        layers=network.layers if "layers" in given or file else suited.layers,
        loss=network.loss if "loss" in given else suited.loss,
    )
    if file:
        return replace(network, start=filed(network, file))
    if "set" in given:
        return replace(network, start=start.canonical(given["set"], start.shapes_of(network)))
    return replace(network, start=base.start)


def recording_from(given: dict[str, Any]) -> Session:
    """Make the session of a recorded step. Raises InputError for an option that does not apply, FileError for a file
    that is no recording."""
    for name in given:
        if name not in RECORDING_OPTIONS:
            raise InputError(name.replace("_", "-"), "does not apply to a recording")
    from tui_backprop.session.recorded_files import recorded_model, steps_words  # with msgspec

    number = whole_number("iteration", given["iteration"], 0) if "iteration" in given else None
    network = recorded_model(Path(given["recording"]), number)
    if number is None and (words := steps_words(network)):
        say(f"backprop-tui: {words}")
    optimizer = optimizer_from(given, OptimizerSpec())
    check_epsilon(optimizer, network.dtype)
    check_memory(network, 1, optimizer)
    return Session(
        network, GIVEN, lr=positive_number("lr", given.get("lr", EXPRESSION_LR)), optimizer=optimizer
    )


def expression_from(given: dict[str, Any], base: Session) -> Session:
    """Make the session of the expression that the options describe, on top of that of a preset that is one. Raises
    InputError for an option that is only for networks."""
    for name in given:
        if name not in EXPRESSION_OPTIONS:
            raise InputError(name.replace("_", "-"), "does not apply to an expression")
    from tui_backprop.engine.frontends.expression.spec import ExpressionSpec  # it is large

    spec = base.network if isinstance(base.network, ExpressionSpec) else None
    if spec is None and "preset" in given:
        raise InputError("preset", f"{given['preset']} is a network; leave it out, or --expr")
    text, let = (spec.text, spec.let) if spec else ("", "")
    if "expr" in given and "let" not in given:
        let = ""
    network = ExpressionSpec(
        given.get("expr", text),
        given.get("let", let),
        given.get("dtype", ExpressionSpec.dtype),
        input_gradient=given.get("input_gradient", False),
    )
    optimizer = optimizer_from(given, base.optimizer)
    check_epsilon(optimizer, network.dtype)
    check_memory(network, 1, optimizer)
    lr = positive_number("lr", given.get("lr", base.lr if spec else EXPRESSION_LR))
    return Session(network, GIVEN, lr=lr, optimizer=optimizer)


def optimizer_from(given: dict[str, Any], base: OptimizerSpec) -> OptimizerSpec:
    """Make the optimizer that the options describe, on top of that of the preset."""
    settings = {name: given[name] for name in OPTIMIZER if name in given}
    optimizer = replace(base, name=given.get("optimizer", base.name), **settings)
    chosen = {"optimizer": optimizer.name, "schedule": optimizer.schedule}
    for name, of, having in ONLY:
        if name in given and chosen[of] not in having:
            own = (
                [f"--{setting}" for setting in UPDATE_RULES[optimizer.name].settings]
                if of == "optimizer"
                else []
            )
            instead = f"; its own settings: {', '.join(own)}" if own else ""
            raise InputError(name, f"{chosen[of]} has no {name}; choose --{of} {', '.join(having)}{instead}")
    return optimizer
