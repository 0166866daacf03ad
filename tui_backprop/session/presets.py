"""Networks to start from, each with data that shows its purpose."""

from __future__ import annotations

from dataclasses import dataclass

from tui_backprop.engine.frontends.dense.spec import NetworkSpec


@dataclass(frozen=True, eq=False, repr=False)
class Preset:
    """A network, its data set, batch size and learning rate."""

    about: str
    network: NetworkSpec
    data: str
    batch: int = 1
    lr: float = 0.1


PRESETS = {
    "lesson": Preset("the lesson's network, on handwritten digits", NetworkSpec(), "digits", lr=0.01),
    "xor": Preset(
        "nine parameters, every one in sight",
        NetworkSpec((2, 2, 1), "tanh", "binary-cross-entropy", "xavier", "float64"),
        "xor", batch=4, lr=0.5,
    ),
    "vanishing": Preset(
        "ten narrow tanh layers, in which the gradient fades",
        NetworkSpec((2, *(3,) * 10, 2), "tanh", "cross-entropy", "xavier", "float64", seed=13),
        "moons", batch=1, lr=0.1,
    ),
    "sine": Preset(
        "a curve fitted to a sine",
        NetworkSpec((1, 16, 16, 1), "tanh", "mse", "xavier", "float64"),
        "sine", batch=32, lr=0.05,
    ),
}  # fmt: skip
