"""The state of the whole app: one small frozen value from which everything on the screen is derived.

Keys turn one Session into the next (see ``transitions``). Undo, stepping back and resuming only keep earlier
values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

from tui_backprop.data import catalogue
from tui_backprop.data.passage import Passage
from tui_backprop.data.split import VALIDATION, Part, Split, split_of
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.model import Model, TrainingSettings
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.session import update_log
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.session_parts import (
    AMOUNTS,
    Bookmarks,
    CostSettings,
    GeneratedText,
    Inspection,
    WalkState,
)
from tui_backprop.session.update_log import Edit, UpdateLog, UpdateRun
from tui_backprop.support.validation import one_of, positive_number, whole_number


@dataclass(frozen=True)
class Session:
    """The state that cannot be computed from anything else: the network and how it was trained, then the parts that
    are about one view each. Raises InputError for values that do not fit together."""

    network: Model = field(default_factory=NetworkSpec)
    data: str = PRESETS["lesson"].data  # name of the data set
    sample: int = (
        0  # index of the first sample of the batch; a preset starts at the first one shown of its data
    )
    batch: int = PRESETS["lesson"].batch  # number of samples
    lr: float = PRESETS["lesson"].lr  # base learning rate of the next update
    optimizer: OptimizerSpec = field(default_factory=OptimizerSpec)
    update_log: UpdateLog = ()  # the updates that led from the seed's parameters to the current ones
    edits: tuple[Edit, ...] = ()  # parameters changed by hand since the last update
    validation: int = 0  # number of samples held out for validation, drawn with the network's seed
    repeat: bool = False  # train on the same batch again and again, instead of the next one each time
    passage: Passage | None = None  # a text that is walked in place of the samples
    walk: WalkState = field(default_factory=WalkState)
    inspection: Inspection = field(default_factory=Inspection)
    cost: CostSettings = field(default_factory=CostSettings)
    text: GeneratedText = field(default_factory=GeneratedText)
    bookmarks: Bookmarks = field(default_factory=Bookmarks)
    amount: str = AMOUNTS[2]  # one of AMOUNTS: how many updates the training panel runs at a time
    panel: str = (
        "walk"  # panel or page with the focus, as last saved; while it runs, the app keeps track of it
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "sample", whole_number("sample", self.sample, 0))
        object.__setattr__(self, "batch", whole_number("batch", self.batch, 1))
        object.__setattr__(self, "lr", positive_number("lr", self.lr))
        if self.inspection.layer and self.inspection.layer > self.network.graph.depth:
            object.__setattr__(self, "inspection", replace(self.inspection, layer=self.network.graph.depth))
        object.__setattr__(self, "validation", whole_number("validation", self.validation, 0))
        catalogue.check(self.network, self.data, self.sample, self.batch, self.validation)
        if self.passage is not None:
            catalogue.check_passage(self.network, self.data, self.passage, self.batch)

    @property
    def training_key(self) -> tuple[Model, str, int]:
        """Key of a training run: sessions with equal keys start from the same parameters and train on the same
        samples; what can change from one update to the next is in their update logs."""
        return _at_the_start(self.network), self.data, self.validation

    @property
    def walk_key(self) -> tuple[Model, str, int, OptimizerSpec]:
        """Key of the walk: sessions with equal keys have the same steps, but for the gradient by the input, and the
        same parts of the data."""
        return self.network.to_inputs(False), self.data, self.validation, self.optimizer

    @property
    def pass_key(self) -> tuple[Model, str, int, UpdateLog, UpdateRun, bool]:
        """Key of an iteration: sessions with equal keys show the same numbers."""
        return *self.training_key, self.update_log, self.update, self.network.input_gradient

    def gradient_changes(self, then: Session) -> tuple[str, ...]:
        """Name what gradients depend on and differs from an earlier session; nothing if both have the same."""
        differ = {
            "network": self.network != then.network,
            "data": self.data != then.data,
            "samples": (self.sample, self.batch, self.validation, self.passage)
            != (then.sample, then.batch, then.validation, then.passage),
            "parameters": (self.update_log, self.edits) != (then.update_log, then.edits),
        }
        return tuple(name for name, changed in differ.items() if changed)

    @property
    def samples(self) -> tuple[int, int, Part, Passage | None]:
        """What the iteration runs on, for ``data.samples.cut``: the first sample and their number, the part of the
        data that they are from, and the passage in their place."""
        return self.sample, self.batch, self.part, self.passage

    @property
    def walked(self) -> Session:
        """The session without what only panels other than the walk show."""
        looked_at = Inspection(number=self.inspection.number)
        return replace(
            self,
            cost=CostSettings(),
            inspection=looked_at,
            text=GeneratedText(),
            bookmarks=Bookmarks(),
            amount=AMOUNTS[2],
            repeat=False,
            panel="walk",
        )

    @property
    def update(self) -> UpdateRun:
        """The update that ends the iteration, with the edits made before it."""
        settings, optimizer = self.network.training_settings, self.optimizer
        return UpdateRun(
            self.sample, self.batch, self.lr, 1, 0, self.edits, settings, optimizer, self.passage
        )

    @property
    def began(self) -> int:
        """The iteration at which the optimizer began."""
        return update_log.begins((*self.update_log, self.update))[-1]

    @property
    def split(self) -> Split:
        """The samples to train on, and those held out for validation."""
        return split_of(catalogue.info(self.data).samples, self.validation, self.network.seed)

    @property
    def part(self) -> Part:
        """The part of the data that the batch is from; a passage is trained on, too."""
        return self.split.part(self.sample) if self.passage is None else self.split.training

    @property
    def is_held_out(self) -> bool:
        """True if the batch is held out: no update is made with it."""
        return self.part.name == VALIDATION

    @property
    def begun(self) -> bool:
        """True if something was done that takes time to do again: updates, edits or bookmarks."""
        return bool(self.t or self.edits or self.bookmarks.items)

    @property
    def t(self) -> int:
        """Number of updates so far: the index of the current iteration."""
        return update_log.iterations(self.update_log)


@lru_cache(maxsize=16)
def _at_the_start(network: Model) -> Model:
    """Return a network without what leaves its first parameters as they are."""
    return network.with_training_settings(TrainingSettings()).to_inputs(False)


def from_preset(name: str) -> Session:
    """Return the session that a preset starts. Raises InputError for an unknown name."""
    preset = PRESETS[one_of("preset", name, PRESETS)]
    first, optimizer = catalogue.info(preset.data).first, preset.optimizer
    return Session(preset.network, preset.data, first, preset.batch, preset.lr, optimizer)


def same_network(session: Session) -> str | None:
    """Name the preset with this network and data, if there is one."""
    network = session.network.to_inputs(False)
    for name, preset in PRESETS.items():
        if (preset.frontend, preset.data) == (network.frontend, session.data) and preset.network == network:
            return name
    return None
