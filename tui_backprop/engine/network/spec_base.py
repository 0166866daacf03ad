"""What the specifications of all front ends have in common."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from tui_backprop.engine.arrays.types import Array
    from tui_backprop.engine.network.family import Family
    from tui_backprop.engine.network.program import Program


@dataclass(frozen=True)
class SpecBase:
    """A frozen dataclass whose fields are the settings of a model."""

    @property
    def settings(self) -> dict[str, Any]:
        """All that it is made from, by name."""
        return asdict(self)

    def changed(self, **settings: Any) -> Self:
        """Return it with other values of some settings. Raises InputError for one that does not fit."""
        return replace(self, **settings)

    def in_precision(self, dtype: str) -> Self:
        """Return it in another precision."""
        return self.changed(dtype=dtype)

    @property
    def noun(self) -> str:
        """What it is called: network."""
        return "network"

    @property
    def part(self) -> str:
        """What a block of its graph is called: layer."""
        return "layer"

    @property
    def folds(self) -> bool:
        """Whether the blocks of its graph can be folded: no."""
        return False

    @property
    def unit(self) -> str:
        """What is selected at a step: a unit."""
        return "unit"

    @property
    def heads(self) -> int:
        """Number of heads of its attention: none."""
        return 0

    @property
    def family(self) -> Family | None:
        """How it grows with its graph: not at all."""
        return None

    @property
    def context(self) -> int:
        """Number of positions of a sample of text: 0, it takes numbers."""
        return 0

    @property
    def vocabulary(self) -> int:
        """Number of tokens of the text that it takes: 0."""
        return 0

    @property
    def image(self) -> tuple[int, int, int] | None:
        """Channels, height and width of the images that it takes: it takes none."""
        return None

    @property
    def classes(self) -> int:
        """Number of classes that it tells apart in images: 0, it takes none."""
        return 0

    def recorded(self, parameters: Array) -> Program | None:
        """Return the pass that was recorded elsewhere: none, the engine computes its own."""
        return None

    @property
    def held_bytes(self) -> int:
        """The bytes that it holds already: none."""
        return 0

    @property
    def has_planted_bug(self) -> bool:
        """Whether its backward pass is wrong on purpose: no."""
        return False

    @property
    def kept_by_name(self) -> bool:
        """Whether its file is named to open it again, so that no session of it is kept: no."""
        return False

    @property
    def no_token(self) -> str:
        """Why a session of it has no token: it has one."""
        return ""

    @property
    def healthy(self) -> Self:
        """The model without a planted bug: itself."""
        return self
