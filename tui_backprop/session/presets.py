"""Networks and expressions to start from, each with data that shows its purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from tui_backprop.data.catalogue import GIVEN
from tui_backprop.engine.frontends.conv import presets as conv
from tui_backprop.engine.frontends.dense.spec import FRONTEND, NetworkSpec
from tui_backprop.engine.frontends.expression.presets import EXPRESSIONS
from tui_backprop.engine.frontends.gpt import presets as gpt
from tui_backprop.engine.frontends.rnn import presets as rnn
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec


@dataclass(frozen=True, eq=False, repr=False)
class Preset:
    """What a session starts from: ``make`` makes its network, or whatever else its ``frontend`` makes; its data set,
    batch size, learning rate and optimizer."""

    about: str
    make: Callable[[], Model]
    data: str
    batch: int = 1
    lr: float = 0.1
    frontend: str = FRONTEND
    optimizer: OptimizerSpec = field(default_factory=OptimizerSpec)

    @cached_property
    def network(self) -> Model:
        """The network or expression."""
        return self.make()


NETWORKS = {
    "lesson": Preset("the lesson's network, on handwritten digits", NetworkSpec, "digits", lr=0.01),
    "xor": Preset(
        "nine parameters, every one in sight",
        lambda: NetworkSpec((2, 2, 1), "tanh", "binary-cross-entropy", "xavier", "float64"),
        "xor", batch=4, lr=0.5,
    ),
    "vanishing": Preset(
        "ten narrow tanh layers, in which the gradient fades",
        lambda: NetworkSpec((2, *(3,) * 10, 2), "tanh", "cross-entropy", "xavier", "float64", seed=13),
        "moons", batch=1, lr=0.1,
    ),
    "sine": Preset(
        "a curve fitted to a sine",
        lambda: NetworkSpec((1, 16, 16, 1), "tanh", "mse", "xavier", "float64"),
        "sine", batch=32, lr=0.05,
    ),
    "mazur": Preset(
        "the worked example of M. Mazur, 2015 (which leaves biases as they are)",
        lambda: NetworkSpec(
            (2, 2, 2), "sigmoid", "half-squares", dtype="float64", output_activation="sigmoid",
            start="W1=[[0.15,0.25],[0.2,0.3]],b1=0.35,W2=[[0.4,0.5],[0.45,0.55]],b2=0.6",
        ),
        "mazur", lr=0.5,
    ),
    "xor-relu": Preset(
        "the solution of XOR in Goodfellow et al., Deep Learning, section 6.1",
        lambda: NetworkSpec(
            (2, 2, 1), "relu", "mse", dtype="float64", start="W1=1,b1=[0,-1],W2=[[1],[-2]],b2=0"
        ),
        "xor", batch=4,
    ),
    "symmetry": Preset(
        "mirror symmetry, by Rumelhart, Hinton and Williams, 1986 (their starting weights are not known)",
        lambda: NetworkSpec(
            (6, 2, 1), "sigmoid", "half-squares", "normal:0.17", "float64", seed=3, output_activation="sigmoid"
        ),
        "symmetry", batch=64, lr=6.4, optimizer=OptimizerSpec("momentum"),  # 0.1 for the sum over 64 patterns
    ),
}  # fmt: skip

# Models of other front ends that data feed.
MODELS = {
    "lenet": Preset(
        "a convolutional network of LeNet-5's shape, on handwritten digits",
        conv.lenet, "digits", lr=0.05, frontend=conv.FRONTEND,
    ),
    "microgpt": Preset(
        "a GPT of 4,192 parameters that learns to spell first names, letter by letter",
        gpt.microgpt, "names", lr=0.01, frontend=gpt.FRONTEND,
        optimizer=OptimizerSpec("adam", beta1=0.85, beta2=0.99, schedule="linear"),
    ),
    "rnn": Preset(
        "a recurrent network that learns to spell first names; the same weights at every step",
        rnn.names_rnn, "names", lr=0.01, frontend=rnn.FRONTEND, optimizer=OptimizerSpec("adam"),
    ),
}  # fmt: skip

PRESETS = (
    NETWORKS
    | MODELS
    | {
        name: Preset(row.about, row.make, GIVEN, lr=row.lr, frontend=row.frontend)
        for name, row in EXPRESSIONS.items()
    }
)
