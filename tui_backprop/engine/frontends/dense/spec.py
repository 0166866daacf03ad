"""The specification of a network: a small frozen value, validated, without arrays.

Everything here runs before the first paint of the screen, so this module does not import numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Self

from tui_backprop.engine.frontends.dense import start
from tui_backprop.engine.network.initializer_rules import INITIALIZERS, parse_init
from tui_backprop.engine.network.model import DTYPES, ITEMSIZE, TILE, TrainingSettings
from tui_backprop.engine.network.spec_base import SpecBase
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.support.errors import InputError, UserError
from tui_backprop.support.format import described
from tui_backprop.support.validation import (
    boolean,
    non_negative_number,
    one_of,
    whole_number,
)

if TYPE_CHECKING:
    from tui_backprop.engine.network.graph import Graph

FRONTEND = "dense"
NO_ACTIVATION = "identity"  # the activation of a linear layer
NOTHING_FROZEN = "none"  # how an empty list of frozen layers is written
MAX_LAYERS = 1_000  # weight matrices


def parse_layers(text: str) -> tuple[int, ...]:
    """Parse layer sizes such as ``784,256,10``; raise InputError for the first invalid one."""
    parts = [part.strip() for part in text.strip().strip("[]()").split(",", MAX_LAYERS + 1)]
    check_depth(len(parts) - 1)
    if parts == [""]:
        raise InputError("layers", "no sizes given; write them with commas, such as 784,256,10")
    sizes = []
    for part in parts:
        try:
            sizes.append(whole_number("layers", part, 1))
        except UserError as error:
            raise InputError(
                "layers", f"{error.message}; write sizes with commas, such as 784,256,10"
            ) from None
    if len(sizes) < 2:
        raise InputError(
            "layers", f"a network needs at least two sizes, input and output, such as {sizes[0]},10"
        )
    return tuple(sizes)


def check_depth(layers: int) -> None:
    """Raise InputError for more layers than a network may have: each takes objects, steps of the walk and time."""
    if layers > MAX_LAYERS:
        raise InputError("layers", f"more than {MAX_LAYERS:,} layers; use fewer, wider ones")


def parse_activations(text: str, hidden: int) -> tuple[str, ...]:
    """Parse the activation of each of ``hidden`` layers: one name for all, or names separated by commas."""
    names = tuple(
        one_of("activation", name.strip(), ACTIVATIONS) for name in str(text).split(",", MAX_LAYERS)
    )
    if len(names) == 1:
        return names * hidden
    if len(names) != hidden:
        raise InputError(
            "activation", f"{len(names)} names for {hidden} hidden layers; give one for all, or one for each"
        )
    return names


def parse_frozen(text: str) -> tuple[int, ...]:
    """Parse the layers to freeze, such as 1,2; none is an empty text or NOTHING_FROZEN."""
    parts = [part.strip() for part in text.split(",", MAX_LAYERS)]
    return (
        () if parts in ([""], [NOTHING_FROZEN]) else tuple(whole_number("freeze", part, 1) for part in parts)
    )


def check_frozen(layers: Sequence[int], depth: int) -> tuple[int, ...]:
    """Return the layers in order, each once. Raises InputError for one that does not exist, and if all are frozen."""
    found = tuple(sorted({whole_number("freeze", layer, 1) for layer in layers}))
    if found and found[-1] > depth:
        raise InputError("freeze", f"layer {found[-1]} is out of range (1 to {depth})")
    if len(found) == depth:
        raise InputError(
            "freeze", "every layer is frozen; leave out one, so that there is something to train"
        )
    return found


@dataclass(frozen=True)
class NetworkSpec(SpecBase):
    """A dense network: sizes of its layers, input first, and the choice of each component.

    Hidden layers use ``activation``, one name for all or one for each, separated by commas; the last layer uses
    ``output_activation``, and the loss takes its outputs. A loss that has a softmax or a sigmoid of its own takes
    logits: the last layer is linear then. ``layer_norm`` normalizes each hidden layer's pre-activations; ``dropout``
    is the rate at which its activations are dropped;
    ``residual`` adds a hidden layer's input to its output, if both have the same width; ``l2`` is the factor λ of the
    penalty ½ λ Σ W², of all parameters with ``l2_bias`` (False without a penalty). The parameters of the ``frozen``
    layers, 1 .. L, get no gradient and are not updated. With ``input_gradient`` the backward pass goes on to the
    derivative of the loss by the input. ``start`` gives parameters that are not drawn (see ``start.py``). Raises
    InputError for a field with an invalid value."""

    layers: tuple[int, ...] = (784, 256, 256, 256, 10)
    activation: str = "relu"
    loss: str = "cross-entropy"
    init: str = "he"
    dtype: str = "float32"
    bias: bool = True
    seed: int = 0
    layer_norm: bool = False
    residual: bool = False
    dropout: float = 0.0
    l2: float = 0.0
    l2_bias: bool = False
    output_activation: str = NO_ACTIVATION
    frozen: tuple[int, ...] = ()
    input_gradient: bool = False
    start: str = ""

    def __post_init__(self) -> None:
        check_depth(self.depth)
        object.__setattr__(self, "layers", parse_layers(",".join(map(described, self.layers))))
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0))
        object.__setattr__(self, "dropout", non_negative_number("dropout", self.dropout, below=1))
        object.__setattr__(self, "l2", non_negative_number("l2", self.l2))
        parse_activations(self.activation, self.depth - 1)
        one_of("loss", self.loss, LOSSES)
        one_of("output-activation", self.output_activation, ACTIVATIONS)
        if self.output_activation != NO_ACTIVATION and LOSSES[self.loss].probabilities:
            values = " or ".join(name for name, row in LOSSES.items() if row.output_is_value)
            raise InputError(
                "output-activation",
                f"{self.loss} takes logits and applies its own activation; choose {NO_ACTIVATION}, or loss {values}",
            )
        parse_init(self.init)
        one_of("dtype", self.dtype, DTYPES)
        for field in ("bias", "layer_norm", "residual", "l2_bias", "input_gradient"):
            boolean(field.replace("_", "-"), getattr(self, field))
        object.__setattr__(self, "l2_bias", self.l2_bias and self.l2 > 0)
        object.__setattr__(self, "frozen", check_frozen(self.frozen, self.depth))
        if self.start:
            object.__setattr__(self, "start", start.kept(self.start, start.shapes_of(self)))

    @property
    def graph(self) -> Graph:
        """The operations and values of the network."""
        from tui_backprop.engine.frontends.dense.graph import graph_of  # the first paint does not need it

        return graph_of(self)

    def at_inference(self) -> Self:
        """Return the network without what only training has: dropout and penalties."""
        return replace(self, dropout=0, l2=0)

    def to_inputs(self, wanted: bool) -> Self:
        """Return the network whose derivatives go on to the input, or to its parameters alone."""
        return self if self.input_gradient == wanted else replace(self, input_gradient=wanted)

    @property
    def training_settings(self) -> TrainingSettings:
        """The settings that can change while the network is trained."""
        return TrainingSettings(self.l2, self.l2_bias, self.dropout, self.frozen)

    def with_training_settings(self, settings: TrainingSettings) -> Self:
        """Return the network with other settings."""
        return self if settings == self.training_settings else replace(self, **asdict(settings))

    @property
    def frontend(self) -> str:
        """The name of this front end."""
        return FRONTEND

    @property
    def holds_numbers(self) -> bool:
        """Whether all its numbers are its own: no, a data set feeds it."""
        return False

    @property
    def details(self) -> str:
        """The activation."""
        return self.activation

    @property
    def title(self) -> str:
        """The network in brief: 784,30,10 relu, output sigmoid, mse."""
        output = f" output {self.output_activation}," if self.output_activation != NO_ACTIVATION else ""
        return f"{','.join(map(str, self.layers))} {self.activation},{output} {self.loss}"

    @property
    def depth(self) -> int:
        """Number of weight matrices, L."""
        return len(self.layers) - 1

    @property
    def fans(self) -> tuple[tuple[int, int], ...]:
        """(fan_in, fan_out) of each weight matrix, first layer first."""
        return tuple(zip(self.layers, self.layers[1:], strict=False))

    @property
    def activations(self) -> tuple[str, ...]:
        """The activation of each hidden layer."""
        return parse_activations(self.activation, self.depth - 1)

    def adds_input(self, layer: int) -> bool:
        """Return True if a residual connection bypasses a layer, 1 .. L."""
        return self.residual and 0 < layer < self.depth and self.layers[layer - 1] == self.layers[layer]

    @property
    def weights(self) -> int:
        """Number of weights; also the multiply-accumulates of one forward pass of one sample."""
        return sum(fan_in * fan_out for fan_in, fan_out in self.fans)

    @property
    def parameters(self) -> int:
        """Number of parameters P: weights, biases, and the gains and shifts of layer normalizations."""
        return sum(i * o + o * self._vectors(k) for k, (i, o) in enumerate(self.fans, 1))

    @property
    def parameter_terms(self) -> list[tuple[str, int]]:
        """The terms that P is the sum of, one for each layer: 784×256 + 256, and its value."""
        return [
            (f"{i:,}×{o:,}{_vectors_text(vectors, o)}", i * o + o * vectors)
            for k, (i, o) in enumerate(self.fans, 1)
            for vectors in (self._vectors(k),)
        ]

    def _vectors(self, layer: int) -> int:
        """Return the number of parameter vectors of a layer: its bias; gain and shift of a normalization."""
        return self.bias + 2 * (self.layer_norm and layer < self.depth)

    def memory(self, batch: int, slots: int = 0) -> int:
        """Estimate the bytes that the app holds at its peak, with an optimizer of so many slots per parameter.

        Of P numbers: states and gradients of the pass shown, of the next one, of a replay and of a measurement, and
        three checkpoints. Of each sample: its input, and for each unit the values, derivatives and work space of the
        two passes, and of the one after the update (an upper bound over all activations). And what a file holds."""
        each = 23 + 11 * self.layer_norm + 8 * (self.dropout > 0) + 3 * self.residual
        samples = batch * (5 * self.layers[0] + each * sum(self.layers[1:]))
        held = ITEMSIZE[self.dtype] * ((10 + 6 * slots) * self.parameters + samples)
        return self.held_bytes + max(held, ITEMSIZE[self.dtype] * self.parameters + self._drawing_memory)

    def streamed_memory(self, batch: int) -> int:
        """Estimate the bytes of a pass that keeps no weight gradient: parameters, a tile and one to add to it, and
        all values and cotangents of every sample, with work space; the memory for drawing orthogonal weights; and
        what a file holds."""
        each = 12 + 6 * self.layer_norm + 4 * (self.dropout > 0) + 2 * self.residual
        tiles = 2 * max(TILE, *self.layers[1:])
        samples = batch * (3 * self.layers[0] + each * sum(self.layers[1:]))
        held = ITEMSIZE[self.dtype] * (self.parameters + tiles + samples)
        return self.held_bytes + held + self._drawing_memory

    def check_memory(self, batch: int, every: bool = False) -> int:
        """Estimate the bytes that a gradient check holds at its peak, of ``every`` parameter or of some.

        Of P numbers: four in the network's precision, and both gradients in double; for every parameter also the
        pairs. In addition the largest tensor in double and complex precision, passes of all samples in the network's
        precision, in double and in complex, and what a file holds."""
        each = 30 * ITEMSIZE[self.dtype] + 15 * (8 + 16)
        pairs = 48 if every else 0
        return (
            (4 * ITEMSIZE[self.dtype] + 32 + pairs) * self.parameters
            + 50 * self._largest
            + each * batch * sum(self.layers)
            + self.held_bytes
        )

    @property
    def held_bytes(self) -> int:
        """Bytes of the file that gives the initial parameters, which this process holds already."""
        return start.held_bytes(self.start)

    @property
    def _drawing_memory(self) -> int:
        """Bytes that drawing the largest weight matrix takes."""
        return INITIALIZERS[parse_init(self.init)[0]].scratch * self._largest

    @property
    def _largest(self) -> int:
        """Number of entries of the largest weight matrix."""
        return max(fan_in * fan_out for fan_in, fan_out in self.fans)


def _vectors_text(vectors: int, size: int) -> str:
    return ("", f" + {size:,}")[vectors] if vectors < 2 else f" + {vectors}×{size:,}"


def backprop_ratio(spec: NetworkSpec) -> float:
    """Return the multiply-accumulates of both passes over those of the forward one: 2.40 for the lesson's network."""
    return 1 + spec.graph.backward_macs / spec.weights
