"""The parts of a Session, each about one view: the walk, the cost panel, the number inspected, bookmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_backprop.data.passage import Passage

if TYPE_CHECKING:
    from tui_backprop.session.state import Session

AUTOMATIC = -1  # no unit selected: show the one with the largest |delta|
GRAINS = ("layer", "equation", "operation")  # size of one step of the walk; see engine/explain/walk.py
VIEWS = ("map", "histogram", "largest", "picture")  # of the array that a step computes
MEASURES = (
    "gradient",
    "update",
    "weight x gradient",
)  # to rank parameters by; see engine/analysis/ranking.py
ALL_LAYERS = 0  # of the ranking
AXES = ("time", "passes", "FLOPs", "training")  # of the cost chart
ZOOMS = (9.0, 6.0, 4.0, 2.5)  # decades of parameters that the cost chart spans
AMOUNTS = ("1", "10", "100", "1000", "epoch", "endless")  # of updates to train at a time
PRECISIONS = ("float32", "float64")  # of the step size page
LESSON_STEP_INDEX = 12  # quarters of a decade from 0.1 down to the lesson's h = 0.0001
LARGEST_STEP_INDEX = 60  # down to h = 1e-16

TEMPERATURES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)  # of generated text
MOST_KEPT = 50  # texts beside the one that is shown

Number = tuple[str, tuple[int, ...]]  # the name of a tensor, and the index of an entry


@dataclass(frozen=True)
class WalkState:
    """Position in the walk through one iteration, and how it is shown."""

    step: int = 0  # index of the current step
    grain: str = "equation"  # one of GRAINS
    view: str = VIEWS[0]  # one of VIEWS: how the array of the step is drawn
    # Selected unit of each layer, input first; where values name their axes, selected index on each axis. AUTOMATIC,
    # or missing: none.
    units: tuple[int, ...] = ()

    unfolded: tuple[int, ...] = ()  # blocks of the graph that are unfolded, in order

    def unit(self, layer: int) -> int:
        """Return the unit selected in a layer (the input is layer 0), or the index on an axis; or AUTOMATIC."""
        return self.units[layer] if layer < len(self.units) else AUTOMATIC


@dataclass(frozen=True)
class CostSettings:
    """Settings of the pages of the cost panel."""

    decade: float | None = None  # cursor of the chart, log10 of a parameter count; None: this network
    lesson_clock: bool = False  # use the lesson's 1 ms per forward pass instead of the time measured here
    axis: str = AXES[0]  # one of AXES: unit of the chart
    zoom: int = 0  # index into ZOOMS
    step_index: int = LESSON_STEP_INDEX  # step size h = 10 ** -(1 + step_index / 4)
    precision: str = PRECISIONS[0]  # one of PRECISIONS
    method: str = "forward-difference"  # numerical method that races backprop

    @property
    def step_size(self) -> float:
        """Step size h of finite differences."""
        return float(10 ** (-1 - self.step_index / 4))


@dataclass(frozen=True)
class Inspection:
    """The parameters, numbers and samples that are inspected."""

    measure: str = MEASURES[0]  # one of MEASURES: what parameters are ranked by
    layer: int = ALL_LAYERS  # layer whose parameters are ranked, 1 .. L, or ALL_LAYERS
    rank: int = 0  # cursor in the ranking
    number: Number | None = None  # number inspected by its name; None: that of the walk or the ranking
    pinned: Number | None = None  # second parameter of the loss surface; None: chosen automatically
    pair: bool = False  # draw the loss over two parameters rather than along one
    confusion: tuple[int, int] | None = None  # (label, prediction) of the misclassified samples to go through


@dataclass(frozen=True)
class Text:
    """A text, made up letter by letter or given."""

    characters: str = ""  # so far
    ended: bool = False  # the boundary follows
    series: int = 0  # number of the series of draws that it is made by: each text has its own
    letter: int = 0  # under the cursor: 1 is the first one, the last may be the end; 0: there is none

    @property
    def letters(self) -> int:
        """Number of letters, the end included."""
        return len(self.characters) + self.ended

    @property
    def passage(self) -> Passage | None:
        """The text with the letter under the cursor, None without one."""
        return Passage(self.characters, self.letter) if self.letter else None


@dataclass(frozen=True)
class GeneratedText(Text):
    """The text that is shown, which the network goes on with, and those before and after it."""

    temperature: float = TEMPERATURES[2]  # one of TEMPERATURES
    kept: tuple[Text, ...] = ()  # the other texts, in the order of their series; at most MOST_KEPT


@dataclass(frozen=True)
class Bookmarks:
    """Bookmarked sessions, each without bookmarks of its own."""

    items: tuple[Session, ...] = ()
    cursor: int = 0  # index of the bookmark selected
    held: int | None = (
        None  # index of the bookmark that others are compared with; None: the session as it is now
    )
