"""The figures in the words of the lesson: each is a name in braces, and is computed from the session that the words
are about.

Those of the second table are numbers of its iteration. They are about one weight: the one with the largest gradient.
Figures about another value name it: {largest Wh} (see ``value_figures``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import floor, log10, prod

from tui_backprop.cost.model.landmarks import LESSON_FORWARD, LESSON_PASSES, LESSON_STEP, TRAINING_STEPS
from tui_backprop.engine.analysis.visit_norms import written
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec, backprop_ratio
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.keys.table import ROWS
from tui_backprop.lesson.subject import Subject
from tui_backprop.lesson.value_figures import VALUE_FIGURES
from tui_backprop.session.state import Session
from tui_backprop.session.training_curve import fixed_part_text
from tui_backprop.support.format import MINUS, format_duration, format_number, format_share, format_times
from tui_backprop.support.units import UNIVERSE

ACTIONS = frozenset(key.id for key in ROWS)
DEEP_LAYERS, DEEP_WIDTH = 10, 256  # hidden layers of the network that shows the limit of 3x
IN_FULL = 8  # significant digits where a small difference is to be seen


Figure = Callable[[Subject], str]


def _count(of: Callable[[NetworkSpec], int]) -> Figure:
    return lambda about: f"{of(about.network):,}"


def _number(of: Callable[[Subject], float], digits: int = 3) -> Figure:
    return lambda about: format_number(of(about), digits)


def _layer_counts(network: NetworkSpec) -> str:
    """The weights and biases of each layer, two layers a line: 784 × 256 + 256 + 256 × 10 + 10."""
    biases = [f" + {n:,}" if network.bias else "" for n in network.layers[1:]]
    pairs = zip(network.layers, network.layers[1:], biases, strict=False)
    counts = [f"{inputs:,} × {units:,}{bias}" for inputs, units, bias in pairs]
    return "\n+ ".join(" + ".join(counts[i : i + 2]) for i in range(0, len(counts), 2))


def _deep_ratio(network: NetworkSpec) -> float:
    inputs, *_, outputs = network.layers
    return backprop_ratio(NetworkSpec((inputs, *(DEEP_WIDTH,) * DEEP_LAYERS, outputs)))


def _steps(about: Session, phase: str) -> int:
    steps = walk(about.network, about.batch, about.optimizer, about.walk.grain)
    return sum(step.phase == phase for step in steps)


def _factor(value: float) -> str:
    """A factor of a product; a negative one in brackets."""
    text = format_number(value)
    return f"({text})" if text.startswith(MINUS) else text


def _chain(about: Subject) -> str:
    return " × ".join(_factor(step.factor) for step in reversed(about.path))


def _chain_names(about: Subject) -> str:
    return " · ".join(step.formula for step in reversed(about.path))


def _gradient(about: Subject) -> str:
    """All entries of the gradient, of a small network: (−0.329, 0.12, 0.366)."""
    graph = about.iteration.graph
    entries = [float(each) for name in graph.parameters for each in about.gradient_of(name).flat]
    return f"({', '.join(map(format_number, entries))})"


def _terms(about: Subject) -> str:
    """The gradient of the first parameter, or its first entry, as the sum of the terms that its uses send back."""
    iteration, graph = about.iteration, about.iteration.graph
    name = next(iter(graph.parameters))
    first, *others = (written(iteration, visit).flat[0] for visit in graph.visits_of[name])
    terms = " + ".join([format_number(float(first)), *(_factor(float(each)) for each in others)])
    return f"{terms} = {format_number(float(about.gradient_of(name).flat[0]))}"


COUNTED: dict[str, Figure] = {
    "parameters": lambda about: f"{about.session.network.parameters:,}",
    "passes": _count(lambda network: network.parameters + 1),
    "central_passes": _count(lambda network: 2 * network.parameters),
    "weights": _count(lambda network: network.weights),
    "other_parameters": _count(lambda network: network.parameters - 1),
    "first_layer_shape": lambda about: "({},{})".format(*about.session.network.layers[:2]),
    "hidden_layers": _count(lambda network: network.depth - 1),
    "layer_counts": lambda about: _layer_counts(about.network),
    "samples": lambda about: f"{about.session.batch:,}",
    "forward_steps": lambda about: str(_steps(about.session, "forward")),
    "backward_steps": lambda about: str(_steps(about.session, "backward")),
    "outcome_digits": _count(lambda network: floor(network.parameters * log10(2)) + 1),
    "assumed_pass": lambda about: f"{1000 * LESSON_FORWARD:g} ms",
    "gradient_time": lambda about: format_duration((about.session.network.parameters + 1) * LESSON_FORWARD),
    "training_time": lambda about: format_duration(
        (about.session.network.parameters + 1) * LESSON_FORWARD * TRAINING_STEPS
    ),
    "rounded_passes": lambda about: f"{LESSON_PASSES:,}",
    "rounded_training_time": lambda about: format_duration(LESSON_PASSES * LESSON_FORWARD * TRAINING_STEPS),
    "universe_digits": lambda about: str(floor(log10(UNIVERSE)) + 1),
    "scored_samples": lambda about: fixed_part_text(about.session.split.training),
    "rounded_time": lambda about: format_duration(LESSON_PASSES * LESSON_FORWARD),
    "steps": lambda about: f"{TRAINING_STEPS:,}",
    "h": lambda about: format_number(LESSON_STEP, 1),
    "alpha": lambda about: format_number(about.session.lr, 1),
    "ratio": lambda about: format_times(backprop_ratio(about.network)),
    "backward_ratio": lambda about: format_times(backprop_ratio(about.network) - 1),
    "deep_ratio": lambda about: format_times(_deep_ratio(about.network)),
    "deep_layers": lambda about: str(DEEP_LAYERS),
    "deep_width": lambda about: str(DEEP_WIDTH),
    "first_share": lambda about: format_share(
        prod(about.session.network.layers[:2]), about.session.network.weights
    ),
    "paths": lambda about: f"{about.paths.paths:,}",
    "path_multiplications": lambda about: f"{about.paths.multiplications:,}",
    "backprop_multiplications": lambda about: f"{about.paths.backprop:,}",
}
COMPUTED: dict[str, Figure] = {
    "loss": _number(lambda about: about.iteration.loss, 4),
    "loss_after": _number(lambda about: about.iteration.loss_after, 4),
    "gradient": _gradient,
    "weight": lambda about: entry_name(*about.weight),
    "weight_value": _number(lambda about: about.value),
    "weight_slope": _number(lambda about: about.slope),
    "weight_slope_factor": lambda about: _factor(about.slope),
    "weight_after": _number(lambda about: about.value - about.session.lr * about.slope),
    "terms": _terms,
    "loss_in_full": _number(lambda about: about.perturbed.loss, IN_FULL),
    "loss_moved": _number(lambda about: about.perturbed.moved, IN_FULL),
    "quotient": _number(lambda about: about.perturbed.quotient, 4),
    "slope_in_full": _number(lambda about: about.slope, 4),
    "first_weight": lambda about: entry_name(*about.first_weight),
    "chain": _chain,
    "chain_names": _chain_names,
    "chain_product": _number(lambda about: prod(step.factor for step in about.path)),
    "first_delta": _number(lambda about: about.delta_rms(1)),
    "last_delta": _number(lambda about: about.delta_rms(max(about.network.depth - 1, 1))),
}
FIGURES = COUNTED | COMPUTED


def fill(text: str, session: Session, iteration: Iteration | None = None) -> str:
    """Put the figures of a session into a text; the actions in it, which stand for keys, are left. The ``iteration``
    of the session is computed if it is needed and not given. Raises KeyError for a name that is neither, and for a
    value that the network does not have."""
    about = Subject(session, iteration)

    def figure(found: re.Match[str]) -> str:
        name = found[1]
        if name in ACTIONS or name in FIGURES:
            return found[0] if name in ACTIONS else FIGURES[name](about)
        kind, _, value = name.partition(" ")
        return VALUE_FIGURES[kind](about, value)

    return re.sub(r"\{([^{}]+)\}", figure, text)
