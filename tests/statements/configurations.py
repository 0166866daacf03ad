"""Random configurations, from ordinary to hostile: every option, both precisions, NaN, infinities, zeros, ties and
kinks. Each is the options of the command line, and how many updates are made before the iteration shown."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tui_backprop.cli.session_options import session_from
from tui_backprop.data.catalogue import DATASETS
from tui_backprop.engine.network.initializer_rules import INITIALIZERS
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.training.optimizer_spec import SCHEDULES
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.session.state import Session
from tui_backprop.session.transitions import after_update

SMALL = [name for name, row in DATASETS.items() if row.inputs < 10]
HOSTILE_INITS = ("constant:0.5", "constant:1e-30", "normal:1e-6", "normal:30", "normal:1e19", "normal:1e30")
RATES = ("0.1", "0.01", "1", "1000", "1e20", "1e-12")


@dataclass(frozen=True)
class Configuration:
    """Drawn by a ``seed``: ``given`` as the command line has it, without dashes; ``updates`` made before."""

    seed: int
    given: dict[str, str | bool]
    updates: int

    @property
    def arguments(self) -> list[str]:
        """The options, as typed."""
        found: list[str] = []
        for name, value in self.given.items():
            flag = f"--{name.replace('_', '-')}"
            found += [flag] if value is True else [flag, str(value)]
        return found

    def session(self) -> Session:
        """The session at its iteration."""
        session = session_from(dict(self.given))
        for _ in range(self.updates):
            session = after_update(session)
        return session


def configuration(seed: int) -> Configuration:
    """Draw the configuration of a seed."""
    draw = Random(seed)
    data = draw.choice(SMALL)
    about = DATASETS[data]
    fitting = [
        name
        for name, row in LOSSES.items()
        if (about.classes or not row.probabilities)
        and (about.classes < 3 or row.labels or row.output_is_value)
    ]
    loss = draw.choice(fitting)
    outputs = about.classes if LOSSES[loss].labels else draw.choice(about.widths)
    hidden = [draw.choice((1, 2, 3, 3, 4, 5)) for _ in range(draw.choice((0, 1, 1, 2, 2, 3)))]
    given: dict[str, str | bool] = {
        "data": data,
        "layers": ",".join(map(str, (about.inputs, *hidden, outputs))),
        "loss": loss,
        "dtype": draw.choice(("float32", "float64")),
        "seed": str(draw.randrange(1000)),
        "sample": str(draw.randrange(about.samples)),
        "batch": str(draw.choice((1, 1, 2, 3, 8, 33))),
        "init": draw.choice((*INITIALIZERS, *INITIALIZERS, *HOSTILE_INITS)),
        "lr": draw.choice(RATES[:3] * 3 + RATES),
        "optimizer": draw.choice(list(UPDATE_RULES)),
        "schedule": draw.choice(("constant", "constant", *SCHEDULES)),
    }
    if hidden:
        names = [draw.choice(list(ACTIVATIONS)) for _ in hidden]
        given["activation"] = names[0] if draw.random() < 0.5 else ",".join(names)
    for name, chance, choices in (
        ("dropout", 0.2, ("0.1", "0.5", "0.9")),
        ("l2", 0.25, ("0.001", "0.1", "10")),
        ("weight_decay", 0.2, ("0.01", "0.5")),
        ("clip", 0.2, ("1", "0.001")),
        ("warmup", 0.1, ("1", "10")),
        ("layer_norm", 0.3, (True,)),
        ("residual", 0.3, (True,)),
        ("no_bias", 0.15, (True,)),
    ):
        if draw.random() < chance:
            given[name] = draw.choice(choices)
    return Configuration(seed, given, draw.choice((0, 0, 0, 1, 3)))
