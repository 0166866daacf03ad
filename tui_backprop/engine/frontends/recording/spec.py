"""The specification of a recording: which file, by what is known of it, and which of its steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

from tui_backprop.engine.arrays.types import Array, size
from tui_backprop.engine.frontends.recording.kind import FRONTEND
from tui_backprop.engine.frontends.recording.recorded import RecordedIteration, RecordingHeader
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.graph_spec import OBJECTS, GraphSpec
from tui_backprop.engine.network.model import ITEMSIZE
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import whole_number

if TYPE_CHECKING:
    from tui_backprop.engine.frontends.recording.graph import RecordedGraph
    from tui_backprop.engine.network.program import Program

FIELD = "recording"


@dataclass(frozen=True, eq=False)
class HeldRecording:
    """An open recording: its ``name``, its path, its description and its arrays by key."""

    name: str
    path: str
    header: RecordingHeader
    arrays: Mapping[str, Array]


_held: dict[str, HeldRecording] = {}  # by id


def hold(identity: str, recording: HeldRecording) -> None:
    """Keep an open recording for the specifications that name it."""
    _held[identity] = recording
    _graph.cache_clear()


@dataclass(frozen=True)
class RecordingSpec(GraphSpec):
    """A recorded step: the ``recording`` by its id, and the place of the step in it. Raises InputError for one that
    is not open, and for a step that it does not have."""

    recording: str
    step: int = 0
    seed: int = 0
    input_gradient: bool = False

    def __post_init__(self) -> None:
        if self.recording not in _held:
            raise InputError(FIELD, "this recording is not open; name its file")
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0))
        steps = len(self.held.header.iterations)
        object.__setattr__(self, "step", whole_number("step", self.step, 0))
        if self.step >= steps:
            raise InputError("step", f"{self.step} is out of range (0 to {steps - 1})")

    @property
    def held(self) -> HeldRecording:
        """The open recording."""
        return _held[self.recording]

    @property
    def iteration(self) -> RecordedIteration:
        """What is recorded of the step."""
        return self.held.header.iterations[self.step]

    @property
    def recorded_graph(self) -> RecordedGraph:
        """The graph of the step, and what it was made from."""
        return _graph(self.recording, self.step)

    @property
    def graph(self) -> Graph:
        """The operations and values of the step."""
        return self.recorded_graph.graph

    @property
    def frontend(self) -> str:
        """The name of this front end."""
        return FRONTEND

    @property
    def title(self) -> str:
        """The file, and which of its steps."""
        several = len(self.held.header.iterations) > 1
        return f"{self.held.name}, step {self.iteration.number}" if several else self.held.name

    @property
    def noun(self) -> str:
        """What it is called: recording."""
        return "recording"

    @property
    def part(self) -> str:
        """What a block of its graph is called: module."""
        return "module"

    @property
    def unit(self) -> str:
        """What is selected at a step: an entry."""
        return "entry"

    @property
    def details(self) -> str:
        """PyTorch's version."""
        return f"PyTorch {self.held.header.torch.partition('+')[0]}"

    @property
    def dtype(self) -> str:
        """Double precision if a differentiable value has it, else single."""
        return _dtype(self.recording, self.step)

    @property
    def holds_numbers(self) -> bool:
        """Whether all its numbers are its own: yes, they are recorded."""
        return True

    @property
    def kept_by_name(self) -> bool:
        """Whether its file is named to open it again, so that no session of it is kept: yes."""
        return True

    @property
    def no_token(self) -> str:
        """Why a session of it has no token: its numbers are in a file."""
        return "a recording has none; name its file instead"

    @property
    def init(self) -> str:
        """Nothing is drawn: all parameters are recorded."""
        return "zeros"

    def changed(self, **settings: Any) -> Self:
        """Return another step; nothing else can be changed. Raises InputError for a step that there is not."""
        return replace(self, **{name: value for name, value in settings.items() if name in ("step", "seed")})

    def to_inputs(self, wanted: bool) -> Self:
        """Return the recording itself: derivatives go where they went."""
        return self

    def recorded(self, parameters: Array) -> Program:
        """Return the pass that was recorded."""
        from tui_backprop.engine.frontends.recording.numbers import RecordedNumbers
        from tui_backprop.engine.frontends.recording.program import RecordedProgram

        numbers = RecordedNumbers(self.iteration, self.recorded_graph, self.held.arrays, self.dtype)
        return RecordedProgram(self, parameters, numbers)

    def memory(self, batch: int, slots: int = 0) -> int:
        """Estimate the bytes that the app holds at its peak: arrays are read when they are looked at."""
        from tui_backprop.engine.frontends.recording.numbers import HELD

        largest = max(map(size, self.graph.shapes(1).values()), default=0)
        held = ITEMSIZE[self.dtype] * (16 * largest + (10 + 6 * slots) * self.parameters)
        return min(held + HELD, 4 * held) + OBJECTS * len(self.graph.ops)

    def computing_memory(self) -> int:
        """Estimate the bytes of a pass that the engine computes itself."""
        return GraphSpec.memory(self, 1)


@lru_cache(maxsize=4)
def _graph(recording: str, step: int) -> RecordedGraph:
    from tui_backprop.engine.frontends.recording.graph import graph_of

    held = _held[recording]
    return graph_of(held.header.iterations[step], held.arrays, held.path)


@lru_cache(maxsize=64)
def _dtype(recording: str, step: int) -> str:
    values = _held[recording].header.iterations[step].values
    return "float64" if any(v.differentiable and v.dtype == "float64" for v in values) else "float32"
