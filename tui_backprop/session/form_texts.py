"""The texts of the network form for a Session. Each front end has fields of its own."""

from __future__ import annotations

from functools import lru_cache

from tui_backprop.data.catalogue import BROUGHT, TEXTS
from tui_backprop.engine.frontends.dense import start
from tui_backprop.engine.frontends.dense.spec import NOTHING_FROZEN, NetworkSpec
from tui_backprop.engine.frontends.expression import presets as expression
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.training.update_rules import SYMBOLS
from tui_backprop.session.form_fields import AS_IT_IS, BY_INIT, BY_NAME, CUSTOM, FOLD, FOLDED, SCOPE, TYPED
from tui_backprop.session.model_settings import SWITCH, own_texts
from tui_backprop.session.state import Session, same_network
from tui_backprop.support.format import format_setting

# Where samples begin to be typed: a target is a class label, or real values.
X, LABEL, VALUES = "[[0.05, 0.1]]", "[1]", "[[0.01, 0.99]]"


def texts_of(session: Session) -> dict[str, str]:
    """Return the text of each field for a session; of a field that does not apply to it, where it would begin. The
    last group is unfolded if something in it is not as usual."""
    found = _texts(session)
    return found | {"more": FOLD[any(found[name] != text for name, text in _usual().items())]}


@lru_cache(maxsize=1)
def _usual() -> dict[str, str]:
    """Return the texts with which the last group is folded. Precision is left out: presets have their own."""
    found = _texts(Session())
    return {name: found[name] for name in FOLDED - {"dtype"}}


def _texts(session: Session) -> dict[str, str]:
    model, optimizer = session.network.healthy, session.optimizer
    written = model.settings if model.frontend == expression.FRONTEND else None
    spec = model if isinstance(model, NetworkSpec) else NetworkSpec()
    fed_text = bool(model.context)
    data = Session.data if model.holds_numbers or fed_text else session.data
    found = {
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
        **_texts_of_start(spec.start),
        **_texts_of_data(data, spec.loss),
        "sample": str(session.sample),
        "batch": str(session.batch),
        "validation": str(session.validation),
        "optimizer": optimizer.name,
        "lr": format_setting(session.lr),
        **{name: format_setting(getattr(optimizer, name)) for name in SYMBOLS},
        "schedule": optimizer.schedule,
        "horizon": str(optimizer.horizon),
        "warmup": str(optimizer.warmup),
        "clip": format_setting(optimizer.clip),
        "weight-decay": format_setting(optimizer.weight_decay),
        "decay-bias": SCOPE[optimizer.decay_bias],
        "seed": str(spec.seed),
        "bias": SWITCH[spec.bias],
        "dtype": model.dtype,
        "text": session.data if fed_text else next(iter(TEXTS)),
        "text-file": "",
    }
    own = {name: text for name, text in own_texts(model).items() if name in BY_NAME}
    return dict.fromkeys(BY_NAME, "") | found | own


def _texts_of_start(text: str) -> dict[str, str]:
    """Return the fields of initial parameters: their numbers, or the file that they are from."""
    filed = start.is_reference(text)
    weights = text if filed else TYPED if text else BY_INIT
    return {"weights": weights, "weights-file": "", "set": "" if filed else text}


def _texts_of_data(data: str, loss: str) -> dict[str, str]:
    """Return the fields of the samples."""
    found = {"data": data, "file": "", "target": "", "scale": AS_IT_IS}
    found |= {"x": X, "y": LABEL if LOSSES[loss].probabilities else VALUES}
    if data.startswith(BROUGHT):
        from tui_backprop.data.typed import texts_typed

        if typed := texts_typed(data):
            found |= {"data": TYPED, "x": typed[0], "y": typed[1]}
    return found
