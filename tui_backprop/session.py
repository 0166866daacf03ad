"""The state of the whole app: one small frozen value. Everything on the screen is derived from it.

Keys turn one Session into the next (the functions below, all pure). Keep the value, and you have undo,
stepping back, resuming; nothing else needs to be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tui_backprop import way
from tui_backprop.data import catalogue
from tui_backprop.engine.schedules import OptimiserSpec
from tui_backprop.engine.spec import NetworkSpec, one_of, positive, whole
from tui_backprop.presets import PRESETS
from tui_backprop.way import Fix, Run, Way

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

    ``history`` is how the parameters came to be: they are the seed's, updated run by run by ``optimiser`` with
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
    (the one, the other).
    """

    network: NetworkSpec = PRESETS["lesson"].network
    data: str = PRESETS["lesson"].data
    sample: int = 0
    batch: int = PRESETS["lesson"].batch
    lr: float = PRESETS["lesson"].lr
    optimiser: OptimiserSpec = field(default_factory=OptimiserSpec)
    history: Way = ()
    fixes: tuple[Fix, ...] = ()
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "sample", whole("sample", self.sample, 0))
        object.__setattr__(self, "batch", whole("batch", self.batch, 1))
        object.__setattr__(self, "lr", positive("lr", self.lr))
        object.__setattr__(self, "accused", min(self.accused, self.network.depth))
        catalogue.check(self.network, self.data, self.sample, self.batch)

    @property
    def training_key(self) -> tuple[NetworkSpec, str, OptimiserSpec]:
        """What is trained: sessions with equal keys start from the same parameters."""
        return self.network, self.data, self.optimiser

    @property
    def pass_key(self) -> tuple[NetworkSpec, str, OptimiserSpec, Way, Run]:
        """What the numbers depend on: two sessions with equal keys show the same pass."""
        return *self.training_key, self.history, self.update

    @property
    def walked(self) -> Session:
        """The same walk, without what only other panels show."""
        return replace(
            self, decade=None, lesson_clock=False, axis=AXES[0], zoom=0, notch=EPSILON, precision=PRECISIONS[0],
            racer="forward-difference", measure=MEASURES[0], accused=ALL_LAYERS, rank=0, pinned=None,
            pair=False, marks=(), marked=0, held=None, sought=None,
        )  # fmt: skip

    @property
    def update(self) -> Run:
        """The update that the iteration ends with, and what is moved by hand before it."""
        return Run(self.sample, self.batch, self.lr, fixes=self.fixes)

    @property
    def iteration(self) -> int:
        """Updates so far."""
        return way.iterations(self.history)

    def unit(self, layer: int) -> int:
        """The unit selected in a layer, or AUTOMATIC."""
        return self.units[layer] if layer < len(self.units) else AUTOMATIC


def from_preset(name: str) -> Session:
    """The session that a preset starts. Raises SpecError for an unknown name."""
    preset = PRESETS[one_of("preset", name, PRESETS)]
    return Session(preset.network, preset.data, batch=preset.batch, lr=preset.lr)


def same_network(session: Session) -> str | None:
    """The name of the preset whose network and data these are, if there is one."""
    for name, preset in PRESETS.items():
        if (preset.network, preset.data) == (session.network, session.data):
            return name
    return None


# --- moves: each takes a Session, and gives the next one ---------------------------------------------------


def after_update(session: Session) -> Session:
    """The same place one iteration later: the update applied."""
    return replace(
        session, history=way.joined(session.history, session.update, samples_of(session)), fixes=()
    )


def after_training(session: Session, count: int) -> Session:
    """The same place ``count`` iterations later, each with the next samples of the data set."""
    samples = samples_of(session)
    run = replace(session.update, count=count, stride=session.batch % samples)
    went = way.joined(session.history, run, samples)
    sample = (session.sample + count * session.batch) % samples
    return replace(session, history=went, fixes=(), sample=sample)


def at_iteration(session: Session, along: Session, iteration: int) -> Session:
    """The same place in an iteration that another session has behind it, or stands in."""
    if iteration >= along.iteration:
        update = along.update
    else:
        update = way.updates(along.history, samples_of(along))(iteration)
    went = way.beginning(along.history, iteration)
    return replace(
        session, history=went, sample=update.sample, batch=update.batch, lr=update.lr, fixes=update.fixes
    )


def before_update(session: Session) -> Session:
    """The same place one iteration earlier, with that iteration's samples; the first has none before it."""
    return at_iteration(session, session, session.iteration - 1) if session.history else session


def samples_of(session: Session) -> int:
    """How many samples the data set has."""
    return catalogue.info(session.data).samples


def step_on(session: Session, steps: int) -> Session:
    """One step on; from the last step (of ``steps``) on to the first one of the next iteration."""
    if session.step + 1 < steps:
        return replace(session, step=session.step + 1)
    return replace(after_update(session), step=0)


def step_back(session: Session, steps: int) -> Session:
    """One step back; from the first step on to the last one of the iteration before."""
    if session.step > 0:
        return replace(session, step=session.step - 1)
    return replace(before_update(session), step=steps - 1) if session.history else session


def at_step(session: Session, step: int) -> Session:
    """At a step of the same walk."""
    return replace(session, step=step)


def next_grain(session: Session) -> Session:
    """By steps of the next grain. (Where the same place is among those, the walk knows: see ``at_step``.)"""
    return replace(session, grain=GRAINS[(GRAINS.index(session.grain) + 1) % len(GRAINS)], step=0)


def next_view(session: Session) -> Session:
    """The arrays of the walk shown another way."""
    return replace(session, view=VIEWS[(VIEWS.index(session.view) + 1) % len(VIEWS)])


def jump(session: Session, places: Sequence[object], direction: int) -> Session:
    """To the first step of the next (+1) or previous (-1) run of equal ``places``, one place for each step."""
    starts = [i for i, place in enumerate(places) if i == 0 or places[i - 1] != place]
    if direction > 0:
        return replace(session, step=next((i for i in starts if i > session.step), len(places) - 1))
    return replace(session, step=next((i for i in reversed(starts) if i < session.step), 0))


def next_sample(session: Session, direction: int = 1) -> Session:
    """The next (or previous) samples of the data set, going round at its ends."""
    return replace(session, sample=(session.sample + direction * session.batch) % samples_of(session))


def restart(session: Session) -> Session:
    """Back to the seed's parameters and the first step."""
    return replace(session, history=(), fixes=(), step=0)


def fix(session: Session, tensor: str, index: tuple[int, ...], by: float) -> Session:
    """Move a parameter by hand; moved again, it is moved by both together."""
    before = sum(each.by for each in session.fixes if (each.tensor, each.index) == (tensor, index))
    others = tuple(each for each in session.fixes if (each.tensor, each.index) != (tensor, index))
    moved = (Fix(tensor, index, before + by),) if before + by else ()
    return replace(session, fixes=(*others, *moved))


def select(session: Session, layer: int, unit: int) -> Session:
    """Select a unit of a layer (input is layer 0), going round at the ends; AUTOMATIC is the most telling."""
    units = [session.unit(k) for k in range(max(layer + 1, len(session.units)))]
    units[layer] = unit if unit == AUTOMATIC else unit % session.network.layers[layer]
    return replace(session, units=tuple(units))


def select_automatic(session: Session) -> Session:
    """The most telling unit in every layer."""
    return replace(session, units=())


def other_clock(session: Session) -> Session:
    """Between the lesson's 1 ms a forward pass and the time measured here."""
    return replace(session, lesson_clock=not session.lesson_clock)


def read_cost_at(session: Session, decade: float | None) -> Session:
    """The chart's cursor at 10**decade parameters, or at the current network."""
    return replace(session, decade=decade)


def next_axis(session: Session) -> Session:
    """The cost chart in the next unit."""
    return replace(session, axis=AXES[(AXES.index(session.axis) + 1) % len(AXES)])


def zoom_chart(session: Session, direction: int) -> Session:
    """The cost chart over fewer decades (+1), or more."""
    return replace(session, zoom=min(max(session.zoom + direction, 0), len(ZOOMS) - 1))


def turn_dial(session: Session, notches: int) -> Session:
    """The step dial so many notches further down."""
    return replace(session, notch=min(max(session.notch + notches, 0), NOTCHES))


def other_precision(session: Session) -> Session:
    """The step dial in the other precision."""
    return replace(session, precision=PRECISIONS[1 - PRECISIONS.index(session.precision)])


def next_racer(session: Session, racers: Sequence[str]) -> Session:
    """The next method that can race."""
    return replace(session, racer=racers[(racers.index(session.racer) + 1) % len(racers)])


def next_measure(session: Session) -> Session:
    """Rank the parameters by the next measure."""
    at = (MEASURES.index(session.measure) + 1) % len(MEASURES)
    return replace(session, measure=MEASURES[at], rank=0, asked=None)


def accuse_layer(session: Session, direction: int) -> Session:
    """Rank the parameters of the next layer (or the one before) alone; all of them come before the first."""
    return rank_layer(session, (session.accused + direction) % (session.network.depth + 1))


def rank_layer(session: Session, layer: int) -> Session:
    """Rank the parameters of a layer, or of ALL_LAYERS."""
    return replace(session, accused=layer, rank=0, asked=None)


def accuse(session: Session, rank: int) -> Session:
    """Put the cursor on a rank."""
    return replace(session, rank=max(rank, 0), asked=None)


def ask(session: Session, tensor: str, index: tuple[int, ...]) -> Session:
    """Look at a number by its name."""
    return replace(session, asked=(tensor, index))


def seek(session: Session, sought: tuple[int, int] | None) -> Session:
    """Look for samples of one class that are read as another, or (None) for all that are read wrong."""
    return replace(session, sought=sought)


def unask(session: Session) -> Session:
    """Look at the number that the walk is at."""
    return replace(session, asked=None)


def pin(session: Session, tensor: str, index: tuple[int, ...]) -> Session:
    """Draw the loss over a pair of weights, this one and the one looked at."""
    return replace(session, pinned=(tensor, index), pair=True)


def other_pair(session: Session) -> Session:
    """The loss along one weight, or over a pair."""
    return replace(session, pair=not session.pair)


def set_mark(session: Session) -> Session:
    """A bookmark here; the cursor goes to the one before it, from which there is something to compare."""
    here = replace(session, marks=(), marked=0, held=None)
    return replace(session, marks=(*session.marks, here), marked=max(len(session.marks) - 1, 0))


def choose_mark(session: Session, direction: int) -> Session:
    """The next bookmark, or the one before."""
    return replace(session, marked=min(max(session.marked + direction, 0), max(len(session.marks) - 1, 0)))


def drop_mark(session: Session) -> Session:
    """Without the bookmark under the cursor."""
    marks = session.marks[: session.marked] + session.marks[session.marked + 1 :]
    return replace(session, marks=marks, marked=min(session.marked, max(len(marks) - 1, 0)), held=None)


def hold_mark(session: Session) -> Session:
    """Compare bookmarks with the one under the cursor; and again with now."""
    return replace(session, held=None if session.held == session.marked else session.marked)


def to_mark(session: Session) -> Session:
    """To the bookmark under the cursor; the bookmarks stay."""
    if not session.marks:
        return session
    return replace(
        session.marks[session.marked], marks=session.marks, marked=session.marked, held=session.held
    )
