"""The specification of a convolutional network: a small frozen value, validated, without arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from tui_backprop.engine.arrays.types import Shape, size
from tui_backprop.engine.frontends.conv.presets import FRONTEND, POOLINGS, numbers_in
from tui_backprop.engine.network.graph_spec import GraphSpec
from tui_backprop.engine.network.initializer_rules import parse_init
from tui_backprop.engine.network.model import DTYPES
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import boolean, one_of, whole_number

if TYPE_CHECKING:
    from tui_backprop.engine.network.family import Family
    from tui_backprop.engine.network.graph import Graph

POOLED = 2  # entries of a window of pooling, and between windows, on each axis
MOST = {"channels": 512, "kernel": 15, "stride": 8, "padding": 7, "dense": 4096}  # of each number
MOST_STAGES = 8  # convolutions, and dense layers
MOST_CLASSES, MOST_PIXELS = 1000, 256  # pixels of a side
LEAST = {"padding": 0}  # 1 for all others


@dataclass(frozen=True)
class ConvSpec(GraphSpec):
    """A convolutional network for images of ``image`` = (channels, height, width), with one output for each class.

    Each stage convolves with square kernels into so many ``channels``, adds a bias or, with ``batch_norm``,
    normalizes the channels over the batch, applies the ``activation``, and pools windows of 2 x 2. ``kernel``,
    ``stride`` and ``padding`` have one number for each stage; a single one counts for all. Numbers may be given as
    text, with commas between them. Layers of ``dense`` units
    follow, and the outputs; the loss is softmax cross-entropy. The default is LeNet-5's shape (LeCun et al. 1998)
    with ReLU and max pooling. Raises InputError for a field with an invalid value."""

    channels: tuple[int, ...] = (6, 16)
    kernel: tuple[int, ...] = (5,)
    stride: tuple[int, ...] = (1,)
    padding: tuple[int, ...] = (2, 0)
    pooling: str = "max"
    dense: tuple[int, ...] = (120, 84)
    activation: str = "relu"
    batch_norm: bool = False
    image: tuple[int, int, int] = (1, 28, 28)
    classes: int = 10
    init: str = "he"
    dtype: str = "float32"
    seed: int = 0
    input_gradient: bool = False

    MOST: ClassVar[Mapping[str, float]] = MOST

    def __post_init__(self) -> None:
        for field in ("channels", "dense", "kernel", "stride", "padding"):
            object.__setattr__(self, field, self._numbers(field))
        if not self.channels:
            raise InputError("channels", "at least one convolution is needed, such as 6,16")
        for field in ("kernel", "stride", "padding"):
            found = getattr(self, field)
            if len(found) not in (1, len(self.channels)):
                raise InputError(
                    field,
                    f"{len(found)} numbers for {len(self.channels)} convolutions; write one, or one for each",
                )
            object.__setattr__(self, field, found[:1] if len(set(found)) == 1 else found)
        object.__setattr__(self, "image", self._image())
        if whole_number("classes", self.classes, 2) > MOST_CLASSES:
            raise InputError("classes", f"{self.classes} is out of range (2 to {MOST_CLASSES:,})")
        one_of("pooling", self.pooling, POOLINGS)
        one_of("activation", self.activation, ACTIVATIONS)
        boolean("batch-norm", self.batch_norm)
        boolean("input-gradient", self.input_gradient)
        parse_init(self.init)
        one_of("dtype", self.dtype, DTYPES)
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0))
        _ = self.shapes  # raises an error for images that become too small

    def _numbers(self, field: str) -> tuple[int, ...]:
        given, least = getattr(self, field), LEAST.get(field, 1)
        given = numbers_in(field, given) if isinstance(given, str) else given
        numbers = tuple(whole_number(field, each, least) for each in given)
        if len(numbers) > MOST_STAGES:
            raise InputError(field, f"{len(numbers)} numbers; at most {MOST_STAGES} are allowed")
        if numbers and max(numbers) > self.MOST[field]:
            raise InputError(field, f"{max(numbers)} is out of range ({least} to {self.MOST[field]:,})")
        return numbers

    def _image(self) -> tuple[int, ...]:
        sizes = tuple(whole_number("image", each, 1) for each in self.image)
        if len(sizes) != 3 or max(sizes) > MOST_PIXELS:
            raise InputError(
                "image", f"three sizes up to {MOST_PIXELS} are expected: channels, height, width"
            )
        return sizes

    def of_stage(self, field: str, stage: int) -> int:
        """Return the kernel, stride or padding of a convolution, counted from 1."""
        numbers: tuple[int, ...] = getattr(self, field)
        return numbers[stage - 1] if len(numbers) > 1 else numbers[0]

    @property
    def shapes(self) -> tuple[tuple[Shape, Shape], ...]:
        """The shapes of the images that each stage makes by its convolution, and by pooling. Raises InputError if a
        kernel or a window does not fit."""
        found, (height, width) = [], self.image[1:]
        for stage, channels in enumerate(self.channels, 1):
            kernel, stride, padding = (self.of_stage(name, stage) for name in ("kernel", "stride", "padding"))
            if min(height, width) + 2 * padding < kernel:
                raise InputError(
                    "kernel", f"{kernel} x {kernel} does not fit into the {height} x {width} that convolution"
                    f" {stage} gets; write a smaller kernel, more padding or fewer convolutions",
                )  # fmt: skip
            height, width = ((n + 2 * padding - kernel) // stride + 1 for n in (height, width))
            convolved = channels, height, width
            if self.pooling != "none":
                if min(height, width) < POOLED:
                    raise InputError(
                        "pooling", f"the {height} x {width} that convolution {stage} makes cannot be pooled;"
                        " write none, more padding or fewer convolutions",
                    )  # fmt: skip
                height, width = height // POOLED, width // POOLED
            found.append((convolved, (channels, height, width)))
        return tuple(found)

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units that each dense layer gets, and of the outputs."""
        return (size(self.shapes[-1][1]), *self.dense, self.classes)

    @property
    def graph(self) -> Graph:
        """The operations and values of the network."""
        from tui_backprop.engine.frontends.conv.graph import graph_of  # the first paint does not need it

        return graph_of(self.unseeded)

    @property
    def family(self) -> Family:
        """How it grows."""
        from tui_backprop.engine.frontends.conv.family import family_of  # only the cost chart needs it

        return family_of(self)

    @property
    def frontend(self) -> str:
        """The name of this front end."""
        return FRONTEND

    @property
    def title(self) -> str:
        """The network in brief: conv 6@5x5, 16@5x5, dense 120, 84, 10."""
        stages = (
            f"{channels}@{kernel}x{kernel}"
            for k, channels in enumerate(self.channels, 1)
            for kernel in (self.of_stage("kernel", k),)
        )
        return f"conv {', '.join(stages)}, dense {', '.join(map(str, self.widths[1:]))}"

    @property
    def details(self) -> str:
        """The activation, and the pooling."""
        pooled = "" if self.pooling == "none" else f", {self.pooling} pooling"
        return f"{self.activation}{pooled}{', batch norm' if self.batch_norm else ''}"

    def to_inputs(self, wanted: bool) -> Self:
        """Return the network whose derivatives go on to the images, or to its parameters alone."""
        return self if self.input_gradient == wanted else replace(self, input_gradient=wanted)

    def _scratch(self, batch: int) -> int:
        """Entries of the patches of all convolutions, in three passes."""
        before = (self.image[0], *self.channels)
        patches = (
            before[stage - 1] * self.of_stage("kernel", stage) ** 2 * size(convolved[1:])
            for stage, (convolved, _) in enumerate(self.shapes, 1)
        )
        return 3 * batch * sum(patches)
