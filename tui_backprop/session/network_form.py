"""The network form without its widgets: its fields, and the Session that their texts describe. Each front end has
fields of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tui_backprop.data.catalogue import DATASETS, GIVEN, fitted, info, title
from tui_backprop.engine.frontends.dense import spec as dense
from tui_backprop.engine.frontends.dense.spec import (
    NO_ACTIVATION,
    NOTHING_FROZEN,
    NetworkSpec,
    parse_frozen,
    parse_layers,
)
from tui_backprop.engine.frontends.expression import presets as expression
from tui_backprop.engine.network.initializer_rules import INITIALIZERS
from tui_backprop.engine.network.model import DTYPES, Model
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec, check_epsilon
from tui_backprop.engine.training.update_rules import SYMBOLS, UPDATE_RULES
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.state import Session, from_preset, same_network
from tui_backprop.session.walk_steps import same_step
from tui_backprop.support.errors import UserError
from tui_backprop.support.format import format_setting
from tui_backprop.support.validation import non_negative_number, positive_number, whole_number

CUSTOM = "custom"
SWITCH = ("off", "on")
SCOPE = ("weights only", "all parameters")  # of weight decay and of the L2 penalty

Texts = Mapping[str, str]


def _always(texts: Texts) -> bool:
    return True


def _of_optimizer(setting: str) -> Callable[[Texts], bool]:
    """Return the condition that the chosen optimizer has a setting."""
    return lambda texts: setting in UPDATE_RULES[texts["optimizer"]].settings


def _dense(texts: Texts) -> bool:
    """Check whether the fields describe a dense network."""
    return texts["kind"] == dense.FRONTEND


def _expression(texts: Texts) -> bool:
    """Check whether the fields describe an expression."""
    return texts["kind"] == expression.FRONTEND


def _takes_values(texts: Texts) -> bool:
    """Check whether the chosen loss takes values, which an activation of the last layer may give."""
    return _dense(texts) and texts["loss"] in LOSSES and not LOSSES[texts["loss"]].probabilities


def _not_zero(name: str, also: Callable[[Texts], bool] = _always) -> Callable[[Texts], bool]:
    """Return the condition that a field holds a number other than 0, and another one."""

    def applies(texts: Texts) -> bool:
        try:
            return also(texts) and non_negative_number(name, texts[name]) > 0
        except UserError:
            return False

    return applies


@dataclass(frozen=True, eq=False, repr=False)
class Field:
    """A row of the form: its option name, its label, and its choices (none: a text is typed). It is shown if it
    ``applies``, given the texts of all fields. A choice in one that ``adapts`` changes others, too."""

    name: str
    label: str
    choices: tuple[str, ...] = ()
    applies: Callable[[Texts], bool] = _always
    adapts: bool = False  # a choice changes other fields, too
    shown: Callable[[str], str] = str  # how a value is shown


# Settings of the optimizer, with their symbols, and the words before those.
SETTINGS = [(name, symbol, {"momentum": "momentum "}.get(name, "")) for name, symbol in SYMBOLS.items()]

FIELDS = (
    Field("preset", "preset", (*PRESETS, CUSTOM)),
    Field("expr", "formula", (), _expression),
    Field("let", "numbers", (), _expression),
    Field("layers", "layers", (), _dense),
    Field("activation", "activation", tuple(ACTIVATIONS), _dense),
    Field("layer-norm", "layer norm", SWITCH, _dense),
    Field("residual", "residual", SWITCH, _dense),
    Field("dropout", "dropout", (), _dense),
    Field("loss", "loss", tuple(LOSSES), _dense),
    Field("output-activation", "output", tuple(ACTIVATIONS), _takes_values),
    Field("l2", "L2 λ", (), _dense),
    Field("l2-bias", "L2 of", SCOPE, _not_zero("l2", _dense)),
    Field("freeze", "freeze", (), _dense),
    Field("init", "init", tuple(INITIALIZERS), _dense),
    Field("data", "data", tuple(DATASETS), _dense, adapts=True, shown=title),
    Field("sample", "sample", (), _dense),
    Field("batch", "batch", (), _dense),
    Field("optimizer", "optimizer", tuple(UPDATE_RULES)),
    Field("lr", "rate α"),
    *(Field(name, f"{label}{symbol}", (), _of_optimizer(name)) for name, symbol, label in SETTINGS),
    Field("weight-decay", "decay"),
    Field("decay-bias", "decay of", SCOPE, _not_zero("weight-decay")),
    Field("seed", "seed", (), _dense),
    Field("dtype", "precision", DTYPES),
)


def fields_of(texts: Texts) -> tuple[Field, ...]:
    """Return the fields that apply, in order."""
    return tuple(field for field in FIELDS if field.applies(texts))


def texts_of(session: Session) -> dict[str, str]:
    """Return the text of each field for a session; of a field that does not apply to it, where it would begin."""
    model, optimizer = session.network.healthy, session.optimizer
    written = model.settings if model.frontend == expression.FRONTEND else None
    spec = model if isinstance(model, NetworkSpec) else NetworkSpec()
    return {
        "preset": same_network(session) or CUSTOM,
        "kind": model.frontend,
        "expr": written["text"].replace("\n", "; ") if written else "",
        "let": written["let"] if written else "",
        "layers": ",".join(map(str, spec.layers)),
        "activation": spec.activation,
        "layer-norm": SWITCH[spec.layer_norm],
        "residual": SWITCH[spec.residual],
        "dropout": format_setting(spec.dropout),
        "loss": spec.loss,
        "output-activation": spec.output_activation,
        "l2": format_setting(spec.l2),
        "l2-bias": SCOPE[spec.l2_bias],
        "freeze": ",".join(map(str, spec.frozen)) or NOTHING_FROZEN,
        "init": spec.init,
        "data": Session.data if written else session.data,
        "sample": str(session.sample),
        "batch": str(session.batch),
        "optimizer": optimizer.name,
        "lr": format_setting(session.lr),
        **{name: format_setting(getattr(optimizer, name)) for name in SYMBOLS},
        "weight-decay": format_setting(optimizer.weight_decay),
        "decay-bias": SCOPE[optimizer.decay_bias],
        "seed": str(spec.seed),
        "start": spec.start,
        "dtype": model.dtype,
    }


def choices_of(field: Field, session: Session) -> tuple[str, ...]:
    """Return the choices of a field, and the value of the session if it is not among them (a list of activations, an
    initialization with a scale)."""
    current = texts_of(session)[field.name]
    return field.choices if current in field.choices else (*field.choices, current)


def session_of(texts: Texts, before: Session) -> Session:
    """Return the session that the fields describe. What has no field is unchanged. Training so far is kept if only
    settings change that are those of an update: they change from the current iteration on.

    Raises InputError, naming the field, for the first invalid value.
    """

    def number(name: str, previous: float, read: Callable[[str, object], float]) -> float:
        """Return the number in a field; if its text was not edited, with all digits of the number before."""
        return previous if texts[name] == format_setting(previous) else read(name, texts[name])

    old = before.network.healthy
    if _expression(texts):
        return _rebuilt(
            before,
            _expression_of(texts, old),
            lr=number("lr", before.lr, positive_number),
            optimizer=_optimizer(texts, before.optimizer),
            data=GIVEN,
            sample=0,
            batch=1,
        )
    old = old if isinstance(old, NetworkSpec) else NetworkSpec()
    spec = NetworkSpec(
        layers=parse_layers(texts["layers"]),
        activation=texts["activation"],
        loss=texts["loss"],
        init=texts["init"],
        dtype=texts["dtype"],
        bias=old.bias,
        seed=whole_number("seed", texts["seed"], 0),
        layer_norm=texts["layer-norm"] == "on",
        residual=texts["residual"] == "on",
        dropout=number("dropout", old.dropout, non_negative_number),
        l2=number("l2", old.l2, non_negative_number),
        l2_bias=texts["l2-bias"] == SCOPE[True],
        input_gradient=old.input_gradient,
        frozen=parse_frozen(texts["freeze"]),
        output_activation=texts["output-activation"] if _takes_values(texts) else NO_ACTIVATION,
        start=texts["start"],
    )
    return _rebuilt(
        before,
        spec,
        data=texts["data"],
        sample=whole_number("sample", texts["sample"], 0),
        batch=whole_number("batch", texts["batch"], 1),
        lr=number("lr", before.lr, positive_number),
        optimizer=_optimizer(texts, before.optimizer),
    )


def _expression_of(texts: Texts, old: Model) -> Model:
    """Return the expression that the fields describe."""
    from tui_backprop.engine.frontends.expression.spec import ExpressionSpec  # it is large

    return ExpressionSpec(texts["expr"], texts["let"], texts["dtype"], old.seed, old.input_gradient)


def _rebuilt(before: Session, network: Model, **changes: Any) -> Session:
    """Return a session with another network; training so far is kept if only settings change that are those of an
    update. A planted bug stays until the network is another one."""
    network = before.network if network == before.network.healthy else network
    after = replace(before, network=network, **changes)
    check_epsilon(after.optimizer, network.dtype)
    if after.training_key != before.training_key:
        # Other data has other classes.
        confusion = before.inspection.confusion if after.data == before.data else None
        return replace(
            after,
            update_log=(),
            edits=(),
            walk=replace(after.walk, step=0, units=()),
            cost=replace(after.cost, decade=None),
            inspection=replace(after.inspection, confusion=confusion),
        )
    return same_step(before, after)


def _optimizer(texts: Texts, before: OptimizerSpec) -> OptimizerSpec:
    """Return the optimizer that the fields describe. A setting without a field, and one whose text was not edited,
    is unchanged."""

    def edited(name: str, attribute: str) -> bool:
        return texts[name] != format_setting(getattr(before, attribute))

    shown = {field.name for field in fields_of(texts)}
    numbers = {name.replace("-", "_"): name for name in (*SYMBOLS, "weight-decay") if name in shown}
    typed: dict[str, Any] = {field: texts[name] for field, name in numbers.items() if edited(name, field)}
    if "decay-bias" in shown:
        typed["decay_bias"] = texts["decay-bias"] == SCOPE[True]
    return replace(before, name=texts["optimizer"], **typed)


def chosen(name: str, value: str, texts: Texts, before: Session) -> dict[str, str]:
    """Return the fields after a choice in one of them: a preset sets all, a data set adapts the network."""
    texts = {**texts, name: value}
    if name == "preset":
        return texts_of(from_preset(value)) if value in PRESETS else texts
    if name == "data":
        spec = fitted(NetworkSpec(parse_layers(texts["layers"]), loss=texts["loss"]), value)
        texts |= {
            "layers": ",".join(map(str, spec.layers)),
            "loss": spec.loss,
            "sample": str(info(value).first),
        }
    return texts


def adapted(name: str, texts: Texts, after: Texts) -> tuple[str, ...]:
    """Return the fields that a choice in the field ``name`` changed besides it."""
    return tuple(
        field.name for field in FIELDS if field.name != name and texts[field.name] != after[field.name]
    )
