"""Test the advice of the flow panel: train networks that get a callout, follow each remedy, and count where it helps.

A run counts for a remedy if one of the reports along its way has a callout that gives the remedy. The remedy is
followed from the beginning of training, with as many updates; it helps where the error on the whole data set ends at
least 5 points lower, or the loss at least 20% lower, and harms where it is the other way round.

    .venv/bin/python benchmarks/advice.py [--runs 20] [--only stuck]
"""

from __future__ import annotations

import argparse
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tui_backprop.data.catalogue import info
from tui_backprop.data.samples import cut
from tui_backprop.engine.analysis.gradient_flow import Flow, flow
from tui_backprop.engine.analysis.health_rules import HEALTH_RULES, Case, HealthRule, callouts
from tui_backprop.engine.analysis.judged import Examples
from tui_backprop.engine.analysis.remedies import Remedy, Setup
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.training import Training

UPDATES = 1000
REPORTS = (0, 10, 100, 500, UPDATES)  # iterations at which a user might look
MOST_TRIED = 200  # networks of each kind
FEWER_ERRORS, LOWER_LOSS = 0.05, 0.8


@dataclass(frozen=True)
class Run:
    """A training run: its reports, the last one at the end."""

    setup: Setup
    data: str
    reports: tuple[Flow, ...]

    @property
    def end(self) -> Flow:
        return self.reports[-1]


def train(setup: Setup, data: str, reports: tuple[int, ...]) -> Run:
    """Train a network, each update with the next samples, and report on it on all samples."""
    samples = info(data).samples
    whole = cut(setup.network, data, 0, samples)
    examples = Examples(whole.x, whole.t, samples, bool(info(data).classes))

    def plan(t: int) -> Update:
        rows = (np.arange(setup.batch) + t * setup.batch) % samples
        return Update(whole.x[rows], whole.t[rows], setup.lr)

    training = Training(setup.network, setup.optimizer, 0)
    found = []
    for t in reports:
        state = training.state(t, plan)
        before = TrainingState(t, state.parameters.copy(), {k: s.copy() for k, s in state.slots.items()})
        found.append(flow(run_iteration(setup.network, plan(t), before, setup.optimizer), examples))
    return Run(setup, data, tuple(found))


def better(one: Flow, other: Flow) -> bool:
    """Return True where the first network is clearly better than the second. Outputs that are not finite are worse
    than any others."""
    if one.fit.error is None or other.fit.error is None:
        return one.fit.error is not None
    fewer = one.fit.error <= other.fit.error - FEWER_ERRORS
    return fewer or one.fit.loss < LOWER_LOSS * other.fit.loss


def follow(remedy: Remedy, run: Run) -> Flow:
    """Return the best end that a remedy leads to, in as many updates."""
    best: Flow | None = None
    for setup in remedy.change(run.setup):
        end = train(setup, run.data, (run.end.t,)).end
        best = end if best is None or better(end, best) else best
        if better(best, run.end):
            break
    assert best is not None
    return best


# --- networks with one thing wrong -----------------------------------------------------------------------------

RATES = (("sgd", 0.2), ("sgd", 0.05), ("momentum", 0.02), ("adam", 0.01))
SATURATING = ("tanh", "sigmoid")


def sound(
    rng: np.random.Generator,
    activations: tuple[str, ...] = ("relu", "tanh", "sigmoid", "gelu"),
    depths: tuple[int, ...] = (1, 2, 3),
    widths: tuple[int, ...] = (8, 16),
) -> tuple[Setup, str]:
    """Draw a network without fault, and data."""
    data = str(rng.choice(["xor", "circles", "spiral", "moons", "sine"]))
    about, activation = info(data), str(rng.choice(activations))
    hidden = [int(rng.choice(widths))] * int(rng.choice(depths))
    loss = str(rng.choice(["cross-entropy"] * 3 + ["mse"])) if about.classes else "mse"
    init = "xavier" if activation in SATURATING else "he"
    optimizer, lr = RATES[rng.integers(len(RATES))]
    layers = (about.inputs, *hidden, about.classes or 1)
    network = NetworkSpec(layers, activation, loss, init, seed=int(rng.integers(10_000)))
    return Setup(network, OptimizerSpec(optimizer), lr, int(rng.choice([4, 16, 32]))), data


def having(setup: Setup, **changes: Any) -> Setup:
    return replace(setup, network=replace(setup.network, **changes))


Draw = Callable[[np.random.Generator], tuple[Setup, str]]


def with_init(*inits: str, **choices: Any) -> Draw:
    def draw(rng: np.random.Generator) -> tuple[Setup, str]:
        setup, data = sound(rng, **choices)
        return having(setup, init=str(rng.choice(inits))), data

    return draw


def with_rate(*factors: float, **choices: Any) -> Draw:
    def draw(rng: np.random.Generator) -> tuple[Setup, str]:
        setup, data = sound(rng, **choices)
        return replace(setup, lr=setup.lr * float(rng.choice(factors))), data

    return draw


def without_hidden(rng: np.random.Generator) -> tuple[Setup, str]:
    setup, data = sound(rng)
    layers = setup.network.layers
    return having(setup, layers=(layers[0], layers[-1])), data


def two_units(rng: np.random.Generator) -> tuple[Setup, str]:
    """Draw a network of two or three ReLU units that goes on until it is stuck."""
    data = str(rng.choice(["xor", "circles", "moons"]))
    layers = (2, int(rng.choice([2, 3])), 1)
    network = NetworkSpec(layers, "relu", "binary-cross-entropy", seed=int(rng.integers(10_000)))
    return Setup(network, OptimizerSpec(), float(rng.choice([0.2, 0.5])), int(rng.choice([4, 16]))), data


KINDS: dict[str, Draw] = {
    "sound": sound,
    "high rate": with_rate(10, 30, 100, 1000),
    "high rate, relu": with_rate(5, 10, 30, 100, activations=("relu",)),
    "low rate": with_rate(1e-3, 1e-4, 3e-4),
    "equal weights": with_init("constant:0.05", "constant:0.1", "constant:0.5", "zeros"),
    "negative weights": with_init("constant:-0.1", activations=("relu",)),
    "deep": lambda rng: sound(rng, SATURATING, (5, 8, 10, 12), (3, 8, 16)),
    "small weights": with_init("normal:0.01", "normal:0.1", "normal:0.05", depths=(4, 6, 8)),
    "large weights": with_init("normal:0.5", "normal:1", "normal:2", depths=(3, 6, 8, 10)),
    "huge weights": with_init("normal:1e4", "normal:1e6", activations=("relu", "gelu"), depths=(10, 15)),
    "large weights, saturating": with_init("normal:2", "normal:5", "normal:10", activations=SATURATING),
    "narrow and deep": lambda rng: sound(rng, ("relu", "gelu"), (4, 6, 8, 10), (1, 2, 3)),
    "narrow": lambda rng: sound(rng, ("relu", "tanh", "sigmoid"), (1, 2), (2, 3)),
    "two units": two_units,
    "narrow, relu": lambda rng: sound(rng, ("relu",), (1, 2), (2, 3)),
    "no hidden layer": without_hidden,
}


def drawn(kind: str, number: int) -> tuple[Setup, str]:
    """Draw the network of a kind with this number."""
    return KINDS[kind](np.random.default_rng(zlib.crc32(f"{kind} {number}".encode())))


# The kinds of networks in which a rule is likely to be broken.
LIKELY = {
    "not finite": ("high rate", "huge weights"),
    "twin units": ("equal weights", "negative weights"),
    "no gradient": ("high rate, relu", "narrow and deep"),
    "exploding": ("large weights",),
    "vanishing": ("deep", "small weights"),
    "stuck": ("narrow", "narrow, relu", "two units", "no hidden layer"),
    "dead units": ("narrow, relu", "high rate, relu", "narrow and deep"),
    "update too large": ("high rate",),
    "saturated units": ("large weights, saturating", "narrow"),
    "update too small": ("low rate",),
}


# --- the experiment --------------------------------------------------------------------------------------------


def advised(run: Run, rule: HealthRule) -> set[Case]:
    """Return the cases of a rule that give advice in one of a run's reports."""
    first = [found[0] for report in run.reports if (found := callouts(report))]
    return {call.case for call in first if call.rule is rule}


def experiment(rule: HealthRule, wanted: int) -> dict[tuple[Case, str], Counter[str]]:
    """Count where each remedy of a rule helps, in up to ``wanted`` runs each."""
    counts = {(case, remedy.words): Counter[str]() for case in rule.cases for remedy in case.remedies}
    for i in range(MOST_TRIED):
        for kind in LIKELY[rule.name]:
            if all(row["runs"] >= wanted for row in counts.values()):
                return counts
            setup, data = drawn(kind, i)
            run = train(setup, data, REPORTS)
            for case in advised(run, rule):
                for remedy in case.remedies:
                    row = counts[case, remedy.words]
                    if row["runs"] < wanted and remedy.change(setup):
                        end = follow(remedy, run)
                        row.update(runs=1, helped=better(end, run.end), harmed=better(run.end, end))
                        row[kind] += 1
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=20, help="runs for each remedy (20)")
    parser.add_argument(
        "--only", nargs="*", choices=list(LIKELY), default=list(LIKELY), help="these rules alone"
    )
    chosen = parser.parse_args()
    print(f"{'rule':<19} {'remedy':<42} helped harmed  networks")
    for rule in HEALTH_RULES:
        if rule.name not in chosen.only:
            continue
        for (case, words), row in experiment(rule, chosen.runs).items():
            name = rule.name + (f" ({rule.cases.index(case) + 1})" if rule.cases[1:] else "")
            kinds = "; ".join(f"{row[kind]} {kind}" for kind in KINDS if row[kind])
            print(
                f"{name:<19} {words:<42} {row['helped']:>3}/{row['runs']} {row['harmed']:>6}  {kinds}",
                flush=True,
            )


if __name__ == "__main__":
    main()
