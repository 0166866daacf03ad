"""The Session that the texts of the network form describe, and the choices in its fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tui_backprop.data.catalogue import GIVEN, fitted, info
from tui_backprop.data.split import held_out_count, split_of
from tui_backprop.engine.frontends.dense import start
from tui_backprop.engine.frontends.dense.spec import (
    NO_ACTIVATION,
    NetworkSpec,
    parse_frozen,
    parse_layers,
)
from tui_backprop.engine.frontends.expression import presets as expression
from tui_backprop.engine.frontends.recording import kind as recording
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec, check_epsilon
from tui_backprop.engine.training.update_rules import SYMBOLS
from tui_backprop.session.form_fields import (
    BY_INIT,
    FILE,
    SCOPE,
    TYPED,
    Field,
    Texts,
    fields_of,
    takes_values,
)
from tui_backprop.session.form_texts import texts_of
from tui_backprop.session.model_settings import BEGINS, data_of_model, model_of
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.session_parts import GeneratedText
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.walk_steps import same_step
from tui_backprop.support.format import format_setting
from tui_backprop.support.validation import non_negative_number, positive_number, whole_number

RATES = ("horizon", "warmup", "clip")  # settings of all optimizers that are numbers


def choices_of(field: Field, *current: str) -> tuple[str, ...]:
    """Return the choices of a field, and the current values that are not among them (a list of activations, an
    initialization with a scale, a file that was opened)."""
    return tuple(dict.fromkeys((*field.choices, *current)))


def session_of(texts: Texts, before: Session) -> Session:
    """Return the session that the fields describe. What has no field is unchanged. Training so far is kept if only
    settings change that are those of an update: they change from the current iteration on.

    Raises InputError, naming the field, for the first invalid value.
    """

    old = before.network.healthy
    if texts["kind"] == expression.FRONTEND:
        return _rebuilt(
            before,
            _expression_of(texts, old),
            lr=_number(texts, "lr", before.lr, positive_number),
            optimizer=_optimizer(texts, before.optimizer),
            data=GIVEN,
            sample=0,
            batch=1,
            validation=0,
        )
    model: Model
    if texts["kind"] == recording.FRONTEND:
        return _rebuilt(
            before,
            before.network,
            lr=_number(texts, "lr", before.lr, positive_number),
            optimizer=_optimizer(texts, before.optimizer),
        )
    if texts["kind"] in BEGINS:
        model = model_of(texts, old)
        data = data_of_model(texts, before.data, model)
    else:
        model, data = network_of(texts, old), data_of(texts)
    return _rebuilt(
        before,
        model,
        data=data,
        **_samples_of(texts, data, model, before),
        lr=_number(texts, "lr", before.lr, positive_number),
        optimizer=_optimizer(texts, before.optimizer),
    )


def _samples_of(texts: Texts, data: str, model: Model, before: Session) -> dict[str, int]:
    """Return the batch and the number of samples held out; another split is seen from a sample to train on."""
    samples, sample = info(data).samples, whole_number("sample", texts["sample"], 0)
    split = split_of(samples, held_out_count(texts["validation"], samples), model.seed)
    if split != before.split and sample < samples:
        sample = split.training.after(sample)
    batch = whole_number("batch", texts["batch"], 1)
    return {"sample": sample, "batch": batch, "validation": split.validation}


def _number(
    texts: Texts,
    name: str,
    previous: float,
    read: Callable[[str, object], float] = non_negative_number,
) -> float:
    """Return the number in a field; if its text was not edited, with all digits of the number before."""
    return previous if texts[name] == format_setting(previous) else read(name, texts[name])


def network_of(texts: Texts, old: Model) -> NetworkSpec:
    """Return the dense network that the fields describe; what has no field is that of the ``old`` one. Raises
    InputError."""
    old = old if isinstance(old, NetworkSpec) else NetworkSpec()

    network = NetworkSpec(
        layers=parse_layers(texts["layers"]),
        activation=texts["activation"],
        loss=texts["loss"],
        init=texts["init"],
        dtype=texts["dtype"],
        bias=texts["bias"] == "on",
        seed=whole_number("seed", texts["seed"], 0),
        layer_norm=texts["layer-norm"] == "on",
        residual=texts["residual"] == "on",
        dropout=_number(texts, "dropout", old.dropout),
        l2=_number(texts, "l2", old.l2),
        l2_bias=texts["l2-bias"] == SCOPE[True],
        input_gradient=old.input_gradient,
        frozen=parse_frozen(texts["freeze"]),
        output_activation=texts["output-activation"] if takes_values(texts) else NO_ACTIVATION,
    )
    return replace(network, start=_start_of(texts, network, old))


def _start_of(texts: Texts, network: NetworkSpec, old: NetworkSpec) -> str:
    """Return the initial parameters. Those that were typed here have to fit; of those from before, what fits is
    kept."""
    weights, typed = texts["weights"], texts["set"]
    if weights in (BY_INIT, FILE) or (weights == TYPED and not typed.strip()):
        return ""
    if weights == TYPED and typed != old.start:
        return start.canonical(typed, start.shapes_of(network))
    return typed if weights == TYPED else weights


def data_of(texts: Texts) -> str:
    """Return the data that the fields name. Raises InputError for typed samples that are none."""
    if texts["data"] != TYPED:
        return texts["data"]
    from tui_backprop.data.typed import typed_samples

    return typed_samples(texts["x"], texts["y"])


def _expression_of(texts: Texts, old: Model) -> Model:
    """Return the expression that the fields describe."""
    from tui_backprop.engine.frontends.expression.spec import ExpressionSpec  # it is large

    return ExpressionSpec(texts["expr"], texts["let"], texts["dtype"], old.seed, old.input_gradient)


def _rebuilt(before: Session, network: Model, **changes: Any) -> Session:
    """Return a session with another network; training so far is kept if only settings change that are those of an
    update. A planted bug stays until the network is another one."""
    network = before.network if network == before.network.healthy else network
    after = replace(before, network=network, passage=None, **changes)
    check_epsilon(after.optimizer, network.dtype)
    if after.training_key != before.training_key:
        # Other data has other classes.
        confusion = before.inspection.confusion if after.data == before.data else None
        return replace(
            after,
            update_log=(),
            edits=(),
            walk=replace(after.walk, step=0, units=(), unfolded=()),
            cost=replace(after.cost, decade=None),
            inspection=replace(after.inspection, confusion=confusion),
            text=GeneratedText(),
        )
    if (after.sample, after.batch) == (before.sample, before.batch):
        after = replace(after, passage=before.passage)
    return same_step(before, after)


def _optimizer(texts: Texts, before: OptimizerSpec) -> OptimizerSpec:
    """Return the optimizer that the fields describe. A setting without a field, and one whose text was not edited,
    is unchanged."""

    def edited(name: str, attribute: str) -> bool:
        return texts[name] != format_setting(getattr(before, attribute))

    shown = {field.name for field in fields_of(texts)}
    numbers = {name.replace("-", "_"): name for name in (*SYMBOLS, *RATES, "weight-decay") if name in shown}
    typed: dict[str, Any] = {field: texts[name] for field, name in numbers.items() if edited(name, field)}
    if "decay-bias" in shown:
        typed["decay_bias"] = texts["decay-bias"] == SCOPE[True]
    return replace(before, name=texts["optimizer"], schedule=texts["schedule"], **typed)


def chosen(name: str, value: str, texts: Texts) -> dict[str, str]:
    """Return the fields after an edit of one of them: a preset sets all, and data adapt the network. Raises
    InputError for samples or layers that are none."""
    texts = {**texts, name: value}
    if name == "preset":
        return texts_of(from_preset(value)) if value in PRESETS else texts
    if name == "text" and value != FILE:
        return texts | {"sample": str(info(value).first)}
    if name in ("data", "x", "y") and texts["data"] != FILE:
        return _fitted(texts)
    return texts


def _fitted(texts: dict[str, str]) -> dict[str, str]:
    """Return the fields with a network that fits the data; of typed samples, all are one batch."""
    data = data_of(texts)
    spec, about = fitted(NetworkSpec(parse_layers(texts["layers"]), loss=texts["loss"]), data), info(data)
    texts |= {"layers": ",".join(map(str, spec.layers)), "loss": spec.loss, "sample": str(about.first)}
    return texts | {"batch": str(about.samples)} if texts["data"] == TYPED else texts
