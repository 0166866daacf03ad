"""The network form without its widgets: its fields, and the Session that their texts describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tui_backprop.data.catalogue import DATASETS, fitted
from tui_backprop.engine.network.initializer_rules import INITIALIZERS
from tui_backprop.engine.network.spec import DTYPES, NetworkSpec, parse_layers
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.state import Session, from_preset, same_network
from tui_backprop.support.validation import non_negative_number, positive_number, whole_number

CUSTOM = "custom"
SWITCH = ("off", "on")


@dataclass(frozen=True, eq=False, repr=False)
class Field:
    """A row of the form: its option name, its label, and its choices (none: a text is typed)."""

    name: str
    label: str
    choices: tuple[str, ...] = ()


FIELDS = (
    Field("preset", "preset", (*PRESETS, CUSTOM)),
    Field("layers", "layers"),
    Field("activation", "activation", tuple(ACTIVATIONS)),
    Field("layer-norm", "layer norm", SWITCH),
    Field("residual", "residual", SWITCH),
    Field("dropout", "dropout"),
    Field("loss", "loss", tuple(LOSSES)),
    Field("l2", "L2 λ"),
    Field("init", "init", tuple(INITIALIZERS)),
    Field("data", "data", tuple(DATASETS)),
    Field("sample", "sample"),
    Field("batch", "batch"),
    Field("optimizer", "optimizer", tuple(UPDATE_RULES)),
    Field("lr", "rate α"),
    Field("seed", "seed"),
    Field("dtype", "precision", DTYPES),
)


def texts_of(session: Session) -> dict[str, str]:
    """Return the text of each field for a session."""
    spec = session.network
    return {
        "preset": same_network(session) or CUSTOM,
        "layers": ",".join(map(str, spec.layers)),
        "activation": spec.activation,
        "layer-norm": SWITCH[spec.layer_norm],
        "residual": SWITCH[spec.residual],
        "dropout": f"{spec.dropout:g}",
        "loss": spec.loss,
        "l2": f"{spec.l2:g}",
        "init": spec.init,
        "data": session.data,
        "sample": str(session.sample),
        "batch": str(session.batch),
        "optimizer": session.optimizer.name,
        "lr": f"{session.lr:g}",
        "seed": str(spec.seed),
        "dtype": spec.dtype,
    }


def choices_of(field: Field, session: Session) -> tuple[str, ...]:
    """Return the choices of a field, and the value of the session if it is not among them (a list of activations, an
    initialization with a scale)."""
    current = texts_of(session)[field.name]
    return field.choices if current in field.choices else (*field.choices, current)


def session_of(texts: Mapping[str, str], before: Session) -> Session:
    """Return the session that the fields describe. What has no field is unchanged; training so far is kept if
    network, data and optimizer stay the same.

    Raises InputError, naming the field, for the first invalid value.
    """

    def number(name: str, previous: float, read: Callable[[str, object], float]) -> float:
        """Return the number in a field; if its text was not edited, with all digits of the number before."""
        return previous if texts[name] == f"{previous:g}" else read(name, texts[name])

    old = before.network
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
    )
    after = replace(
        before,
        network=spec,
        data=texts["data"],
        sample=whole_number("sample", texts["sample"], 0),
        batch=whole_number("batch", texts["batch"], 1),
        lr=number("lr", before.lr, positive_number),
        optimizer=replace(before.optimizer, name=texts["optimizer"]),
    )
    if (spec, after.data) != (old, before.data):
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
    return after if after.optimizer == before.optimizer else replace(after, update_log=(), edits=())


def chosen(name: str, value: str, texts: Mapping[str, str], before: Session) -> dict[str, str]:
    """Return the fields after a choice in one of them: a preset sets all, a data set adapts the network."""
    texts = {**texts, name: value}
    if name == "preset":
        return texts_of(from_preset(value)) if value in PRESETS else texts
    if name == "data":
        hidden = replace(before.network, activation=NetworkSpec.activation, loss=texts["loss"])
        spec = fitted(replace(hidden, layers=parse_layers(texts["layers"])), value)
        texts |= {"layers": ",".join(map(str, spec.layers)), "loss": spec.loss, "sample": "0"}
    return texts
