"""The network form without its widgets: which fields there are, and the Session that their texts make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tui_backprop.data.catalogue import DATASETS, fitted
from tui_backprop.engine.spec import (
    ACTIVATIONS,
    DTYPES,
    INITS,
    LOSSES,
    NetworkSpec,
    parse_layers,
    positive,
    whole,
)
from tui_backprop.presets import PRESETS
from tui_backprop.session import Session, from_preset, same_network

CUSTOM = "custom"


@dataclass(frozen=True)
class Field:
    """A row of the form: its option name, its label, and its choices (none: a text to type)."""

    name: str
    label: str
    choices: tuple[str, ...] = ()


FIELDS = (
    Field("preset", "preset", (*PRESETS, CUSTOM)),
    Field("layers", "layers"),
    Field("activation", "activation", ACTIVATIONS),
    Field("loss", "loss", LOSSES),
    Field("init", "init", INITS),
    Field("data", "data", tuple(DATASETS)),
    Field("sample", "sample"),
    Field("batch", "batch"),
    Field("lr", "rate α"),
    Field("seed", "seed"),
    Field("dtype", "precision", DTYPES),
)


def texts_of(session: Session) -> dict[str, str]:
    """What the fields say for a session."""
    spec = session.network
    return {
        "preset": same_network(session) or CUSTOM,
        "layers": ",".join(map(str, spec.layers)),
        "activation": spec.activation,
        "loss": spec.loss,
        "init": spec.init,
        "data": session.data,
        "sample": str(session.sample),
        "batch": str(session.batch),
        "lr": f"{session.lr:g}",
        "seed": str(spec.seed),
        "dtype": spec.dtype,
    }


def session_of(texts: Mapping[str, str], before: Session) -> Session:
    """The session that the fields describe. Training so far is kept where network and data stay the same.

    Raises SpecError, naming the field, at the first value that does not do.
    """
    spec = NetworkSpec(
        layers=parse_layers(texts["layers"]),
        activation=texts["activation"],
        loss=texts["loss"],
        init=texts["init"],
        dtype=texts["dtype"],
        bias=before.network.bias,
        seed=whole("seed", texts["seed"], 0),
    )
    lr = before.lr if texts["lr"] == f"{before.lr:g}" else positive("lr", texts["lr"])
    sample, batch = whole("sample", texts["sample"], 0), whole("batch", texts["batch"], 1)
    after = replace(before, network=spec, data=texts["data"], sample=sample, batch=batch, lr=lr)
    if (spec, texts["data"]) != (before.network, before.data):
        after = replace(after, history=(), step=0, units=(), decade=None)
    return after


def chosen(name: str, value: str, texts: Mapping[str, str], before: Session) -> dict[str, str]:
    """The fields after a choice was made in one of them: a preset sets them all, a data set fits the network."""
    texts = {**texts, name: value}
    if name == "preset":
        return texts_of(from_preset(value)) if value in PRESETS else texts
    if name == "data":
        spec = fitted(
            replace(before.network, loss=texts["loss"], layers=parse_layers(texts["layers"])), value
        )
        texts |= {"layers": ",".join(map(str, spec.layers)), "loss": spec.loss, "sample": "0"}
    return texts
