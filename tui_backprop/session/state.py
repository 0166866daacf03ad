"""The state of the whole app: one small frozen value. Everything on the screen is derived from it.

Keys turn one Session into the next (see ``moves``). Keep the value, and you have undo, stepping back, resuming;
nothing else needs to be kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tui_backprop.data import catalogue
from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.session import update_log as way
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.update_log import Edit, UpdateLog, UpdateRun
from tui_backprop.support.validation import one_of, positive, whole

AUTOMATIC = -1  # no unit chosen: show the one with the largest |delta|
PANELS = ("network", "walk", "cost", "blame", "number", "graph", "flow", "curves", "train", "marks")
COST_PAGES = ("cost", "claims", "race", "dial", "ledger", "reuse")  # what the cost panel has to show
PLACES = tuple(dict.fromkeys((*PANELS, *COST_PAGES)))  # all that can have the keys
MEASURES = ("gradient", "update", "weight x gradient")  # to rank parameters by; see engine/blame.py
ALL_LAYERS = 0  # of the ranking
AXES = ("time", "passes", "FLOPs", "training")  # of the cost chart
ZOOMS = (9.0, 6.0, 4.0, 2.5)  # decades of parameters that it spans
PRECISIONS = ("float32", "float64")  # of the step dial
EPSILON = 12  # notches of the step dial from 0.1 down to the lesson's 0.0001; each is a quarter of a decade
NOTCHES = 60  # down to 1e-16
GRAINS = ("layer", "equation", "operation")  # how much one step of the walk is; see engine/trace.py
VIEWS = ("map", "histogram", "largest", "picture")  # of the array that a step makes


@dataclass(frozen=True)
class Session:
    """What is shown, and nothing that can be computed from it.

    ``history`` is how the parameters came to be: they are the seed's, updated run by run by ``optimizer`` with
    the base learning rate ``lr``; ``fixes`` are those moved by hand since the last update. ``step`` is the cursor
    on the walk of the current iteration, which goes by steps of ``grain``, and ``view`` is how the array that a
    step makes is shown. ``units`` has
    the selected unit of each layer, input first. ``decade`` is the cost chart's cursor, log10 of a parameter
    count (None: at the current network), and ``lesson_clock`` puts the lesson's 1 ms a forward pass in place
    of the time measured here; it is drawn in the unit of ``axis``, and over ZOOMS[zoom] decades. The step dial
    stands ``notch`` quarters of a decade below 0.1, in a ``precision``; ``racer`` is the method that races backprop.
    The ranking of parameters is by ``measure``, of the layer ``accused`` or of
    ALL_LAYERS; ``rank`` is the cursor in it, unless a number was ``asked`` for by name: (tensor, index). The loss
    is drawn along one weight, or over a ``pair``, of which the second may be ``pinned``. ``marks`` are
    bookmarks, sessions without bookmarks of their own; the one ``marked`` is compared with now, or with one
    ``held``. Of the samples that are read wrong, those of one class that are read as another may be ``sought``:
    (the one, the other). ``panel`` is the one that has the keys, as far as it is known: the app knows better, and
    says so to what is kept or sent.
    """

    network: NetworkSpec = PRESETS["lesson"].network
    data: str = PRESETS["lesson"].data
    sample: int = 0
    batch: int = PRESETS["lesson"].batch
    lr: float = PRESETS["lesson"].lr
    optimizer: OptimizerSpec = field(default_factory=OptimizerSpec)
    history: UpdateLog = ()
    edits: tuple[Edit, ...] = ()
    step: int = 0
    grain: str = "equation"
    view: str = VIEWS[0]
    units: tuple[int, ...] = ()
    decade: float | None = None
    lesson_clock: bool = False
    axis: str = AXES[0]
    zoom: int = 0
    notch: int = EPSILON
    precision: str = PRECISIONS[0]
    racer: str = "forward-difference"
    measure: str = MEASURES[0]
    accused: int = ALL_LAYERS
    rank: int = 0
    asked: tuple[str, tuple[int, ...]] | None = None
    pinned: tuple[str, tuple[int, ...]] | None = None
    pair: bool = False
    marks: tuple[Session, ...] = ()
    marked: int = 0
    held: int | None = None
    sought: tuple[int, int] | None = None
    panel: str = "walk"

    def __post_init__(self) -> None:
        object.__setattr__(self, "sample", whole("sample", self.sample, 0))
        object.__setattr__(self, "batch", whole("batch", self.batch, 1))
        object.__setattr__(self, "lr", positive("lr", self.lr))
        object.__setattr__(self, "accused", min(self.accused, self.network.depth))
        catalogue.check(self.network, self.data, self.sample, self.batch)

    @property
    def training_key(self) -> tuple[NetworkSpec, str, OptimizerSpec]:
        """What is trained: sessions with equal keys start from the same parameters."""
        return self.network, self.data, self.optimizer

    @property
    def pass_key(self) -> tuple[NetworkSpec, str, OptimizerSpec, UpdateLog, UpdateRun]:
        """What the numbers depend on: two sessions with equal keys show the same pass."""
        return *self.training_key, self.history, self.update

    @property
    def walked(self) -> Session:
        """The same walk, without what only other panels show."""
        return replace(
            self, decade=None, lesson_clock=False, axis=AXES[0], zoom=0, notch=EPSILON, precision=PRECISIONS[0],
            racer="forward-difference", measure=MEASURES[0], accused=ALL_LAYERS, rank=0, pinned=None,
            pair=False, marks=(), marked=0, held=None, sought=None, panel="walk",
        )  # fmt: skip

    @property
    def update(self) -> UpdateRun:
        """The update that the iteration ends with, and what is moved by hand before it."""
        return UpdateRun(self.sample, self.batch, self.lr, edits=self.edits)

    @property
    def t(self) -> int:
        """Updates so far."""
        return way.iterations(self.history)

    def unit(self, layer: int) -> int:
        """The unit selected in a layer, or AUTOMATIC."""
        return self.units[layer] if layer < len(self.units) else AUTOMATIC


def from_preset(name: str) -> Session:
    """The session that a preset starts. Raises InputError for an unknown name."""
    preset = PRESETS[one_of("preset", name, PRESETS)]
    return Session(preset.network, preset.data, batch=preset.batch, lr=preset.lr)


def same_network(session: Session) -> str | None:
    """The name of the preset whose network and data these are, if there is one."""
    for name, preset in PRESETS.items():
        if (preset.network, preset.data) == (session.network, session.data):
            return name
    return None


def samples_of(session: Session) -> int:
    """How many samples the data set has."""
    return catalogue.info(session.data).samples
