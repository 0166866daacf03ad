"""The fields of the network form: one row each, in groups, with the condition under which it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tui_backprop.data.catalogue import DATASETS, TEXTS, title
from tui_backprop.data.info import SCALES
from tui_backprop.engine.frontends.conv.presets import POOLINGS
from tui_backprop.engine.frontends.dense import spec as dense
from tui_backprop.engine.frontends.dense import start
from tui_backprop.engine.frontends.expression import presets as expression
from tui_backprop.engine.frontends.gpt.presets import NORMS
from tui_backprop.engine.frontends.recording import kind as recording
from tui_backprop.engine.network.initializer_rules import INITIALIZERS
from tui_backprop.engine.network.model import DTYPES
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.training.optimizer_spec import SCHEDULES
from tui_backprop.engine.training.update_rules import SYMBOLS, UPDATE_RULES
from tui_backprop.session.model_settings import SWITCH, has_setting
from tui_backprop.session.presets import PRESETS
from tui_backprop.support.errors import UserError
from tui_backprop.support.validation import non_negative_number

CUSTOM = "custom"
SCOPE = ("weights only", "all parameters")  # of weight decay and of the L2 penalty
TYPED, FILE = "typed", "file"  # choices of data and weights that are brought
BY_INIT = "by init"
FOLD = ("hidden", "shown")
AS_IT_IS = "none"  # the scale of inputs that are not scaled

Texts = Mapping[str, str]
Condition = Callable[[Texts], bool]


def _always(texts: Texts) -> bool:
    return True


def _dense(texts: Texts) -> bool:
    """Check whether the fields describe a dense network."""
    return texts["kind"] == dense.FRONTEND


def _expression(texts: Texts) -> bool:
    """Check whether the fields describe an expression."""
    return texts["kind"] == expression.FRONTEND


def _has_horizon(texts: Texts) -> bool:
    """Check whether the chosen schedule ends."""
    return SCHEDULES[texts["schedule"]].horizon


def _has(setting: str) -> Condition:
    """Return the condition that the fields describe a model with a setting, other than a dense network."""
    return lambda texts: has_setting(texts["kind"], setting)


def _network(setting: str) -> Condition:
    """Return the condition that the fields describe a dense network, or another model with a setting."""
    return lambda texts: _dense(texts) or has_setting(texts["kind"], setting)


def _recording(texts: Texts) -> bool:
    """Check whether the fields are those of a recording, of which only the update can be chosen."""
    return texts["kind"] == recording.FRONTEND


def _made(texts: Texts) -> bool:
    """Check whether the fields describe a model that is not recorded."""
    return not _recording(texts)


def _fed(texts: Texts) -> bool:
    """Check whether the fields describe a model that data feed."""
    return not (_expression(texts) or _recording(texts))


def _text_file(texts: Texts) -> bool:
    """Check whether the fields describe a model that takes text, of a file that is to be opened."""
    return has_setting(texts["kind"], "context") and texts["text"] == FILE


def _where(name: str, value: str) -> Condition:
    """Return the condition that a field of a dense network has a value."""
    return lambda texts: _dense(texts) and texts[name] == value


def _of_optimizer(setting: str) -> Condition:
    """Return the condition that the chosen optimizer has a setting."""
    return lambda texts: setting in UPDATE_RULES[texts["optimizer"]].settings


def takes_values(texts: Texts) -> bool:
    """Check whether the chosen loss takes values, which an activation of the last layer may give."""
    return _dense(texts) and texts["loss"] in LOSSES and not LOSSES[texts["loss"]].probabilities


def _not_zero(name: str, also: Condition = _always) -> Condition:
    """Return the condition that a field holds a number other than 0, and another one."""

    def applies(texts: Texts) -> bool:
        try:
            return also(texts) and non_negative_number(name, texts[name]) > 0
        except UserError:
            return False

    return applies


def _shown_start(text: str) -> str:
    """Name the file of initial parameters that a text names by its content."""
    return text.rpartition("#")[0] or text


@dataclass(frozen=True, eq=False, repr=False)
class Field:
    """A row of the form: its option name, its label, and its choices (none: a text is typed). It is shown if it
    ``applies``, given the texts of all fields. An edit of one that ``adapts`` changes others, too. A text that begins
    no choice goes to the field ``typed``; one that is a ``path`` completes. The ``hint`` is shown while it is
    selected."""

    name: str
    label: str
    choices: tuple[str, ...] = ()
    applies: Condition = _always
    adapts: bool = False
    shown: Callable[[str], str] = str  # how a value is shown
    typed: str = ""
    path: bool = False
    parameters: bool = False  # it gives numbers to parameters, which are listed
    long: bool = False  # its text is shown whole where there is room
    hint: str = ""


# Settings of the optimizer, with their symbols, and the words before those.
SETTINGS = [(name, symbol, {"momentum": "momentum "}.get(name, "")) for name, symbol in SYMBOLS.items()]
PATH_HINT = "tab completes the path"

GROUPS = (
    (
        Field("preset", "preset", (*PRESETS, CUSTOM)),
    ),
    (
        Field("expr", "formula", (), _expression, long=True),
        Field("let", "numbers", (), _expression, long=True),
        Field("layers", "layers", (), _dense, long=True),
        Field("hidden", "hidden", (), _has("hidden"), hint="units of the state"),
        Field("channels", "channels", (), _has("channels"), hint="of each convolution"),
        Field("kernel", "kernel", (), _has("kernel"), hint="sizes of the kernels: one for all, or one each"),
        Field("stride", "stride", (), _has("stride"), hint="entries between the positions of kernels"),
        Field("padding", "padding", (), _has("padding"), hint="zeros around the images of each convolution"),
        Field("pooling", "pooling", POOLINGS, _has("pooling")),
        Field("dense", "dense", (), _has("dense"), hint="units of the dense layers before the outputs, or none"),
        Field("batch-norm", "batch norm", SWITCH, _has("batch_norm"), hint="in place of the biases"),
        Field("depth", "blocks", (), _has("depth")),
        Field("width", "width", (), _has("width"), hint="numbers of the residual stream at each position"),
        Field("heads", "heads", (), _has("heads"), hint="attention heads; the width is divided among them"),
        Field("context", "context", (), _has("context"), hint="positions: the tokens that it sees at the most"),
        Field("norm", "norm", NORMS, _has("norm")),
        Field("activation", "activation", tuple(ACTIVATIONS), _network("activation")),
        Field("tied", "tied", SWITCH, _has("tied"), hint="the output matrix is the transposed embedding"),
        Field("loss", "loss", tuple(LOSSES), _dense),
        Field("output-activation", "output", tuple(ACTIVATIONS), takes_values),
        Field("init", "init", tuple(INITIALIZERS), _network("init")),
        Field("weights", "weights", (BY_INIT, TYPED, FILE), _dense, shown=_shown_start, typed="weights-file",
              hint="the initial parameters: drawn by init, typed, or from a file"),
        Field("weights-file", "  file", (), _where("weights", FILE), path=True,
              hint=f"an npz or safetensors file; {PATH_HINT}"),
        Field("set", "  numbers", (), _where("weights", TYPED), parameters=True,
              hint=f"such as {start.EXAMPLE}; a number alone fills its parameter, what is not given is drawn"),
        Field("seed", "seed", (), _network("seed")),
    ),
    (
        Field("data", "data", (*DATASETS, TYPED, FILE), _dense, adapts=True, shown=title, typed="file",
              hint="a data set, samples that you type, or a file of yours"),
        Field("file", "  file", (), _where("data", FILE), path=True,
              hint=f"a CSV, TSV, npz, npy or IDX file; {PATH_HINT}"),
        Field("target", "  target", (), _where("data", FILE),
              hint="the column that is the target; empty: the last one"),
        Field("scale", "  scale", (AS_IT_IS, *SCALES), _where("data", FILE),
              hint="each input: as it is, to mean 0 and deviation 1, or to 0..1"),
        Field("x", "  x", (), _where("data", TYPED), adapts=True,
              hint="a row of inputs for each sample, such as [[0.05, 0.1], [0.2, 0.3]]"),
        Field("y", "  y", (), _where("data", TYPED), adapts=True,
              hint="a row of real values for each sample, such as [[0.01, 0.99]], or a list of class labels, [0, 2]"),
        Field("text", "data", (*TEXTS, FILE), _has("context"), adapts=True, shown=title, typed="text-file",
              hint="a text of the package, or a file of yours"),
        Field("text-file", "  file", (), _text_file, path=True,
              hint=f"a text file with a document on each line; {PATH_HINT}"),
        Field("sample", "sample", (), _fed),
        Field("batch", "batch", (), _fed),
        Field("validation", "validation", (), _fed,
              hint="samples held out: a share, such as 0.2, or a number of them; 0: none"),
    ),
    (
        Field("optimizer", "optimizer", tuple(UPDATE_RULES)),
        Field("lr", "rate α"),
        *(Field(name, f"{label}{symbol}", (), _of_optimizer(name)) for name, symbol, label in SETTINGS),
        Field("schedule", "schedule", tuple(SCHEDULES), hint="of the learning rate"),
        Field("horizon", "  horizon", (), _has_horizon, hint="iterations until the schedule ends and the rate stays"),
    ),
    (
        Field("more", "more", FOLD,
              hint="layer norm, residual, dropout, L2, clipping, weight decay, frozen layers, biases, precision"),
        Field("layer-norm", "layer norm", SWITCH, _dense),
        Field("residual", "residual", SWITCH, _dense),
        Field("dropout", "dropout", (), _dense),
        Field("l2", "L2 λ", (), _dense),
        Field("l2-bias", "L2 of", SCOPE, _not_zero("l2", _dense)),
        Field("warmup", "warm-up", (), hint="iterations in which the rate rises to α"),
        Field("clip", "clip", (), hint="the largest norm of the gradient of all parameters; 0: no limit"),
        Field("weight-decay", "decay", ()),
        Field("decay-bias", "decay of", SCOPE, _not_zero("weight-decay")),
        Field("freeze", "freeze", (), _dense),
        Field("bias", "biases", SWITCH, _dense),
        Field("dtype", "precision", DTYPES, _made),
    ),
)  # fmt: skip

FIELDS = tuple(field for group in GROUPS for field in group)
BY_NAME = {field.name: field for field in FIELDS}
FOLDED = frozenset(field.name for field in GROUPS[-1][1:])  # out of sight until the last group is unfolded


def fields_of(texts: Texts) -> tuple[Field, ...]:
    """Return the fields that apply, in order."""
    return tuple(field for field in FIELDS if field.applies(texts))


def groups_in_sight(texts: Texts) -> tuple[tuple[Field, ...], ...]:
    """Return the fields that apply and are not folded away, by group."""
    names = {field.name for field in fields_of(texts)} - (FOLDED if texts["more"] == FOLD[False] else set())
    groups = (tuple(field for field in group if field.name in names) for group in GROUPS)
    return tuple(group for group in groups if group)


def fields_in_sight(texts: Texts) -> tuple[Field, ...]:
    """Return the fields that apply and are not folded away, in order."""
    return tuple(field for group in groups_in_sight(texts) for field in group)
