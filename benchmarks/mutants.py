"""Measure how many wrong ideas about backpropagation can be told from their numbers.

Random networks are drawn, with random parameters. In each, an entry of the gradient of the first layer is chosen as
the quiz chooses it. Counted are the mutants that change that gradient, and how many of their numbers differ from the
right one and from each other by more than the tolerance, there and at an entry drawn at random. The pairs that agree
most often are printed.

    .venv/bin/python benchmarks/mutants.py [--networks 200]
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from tui_backprop.engine.frontends.dense.spec import NO_ACTIVATION, NetworkSpec
from tui_backprop.engine.mutants.answers import RTOL, Answers, close, distinct
from tui_backprop.engine.mutants.mutant import Asked, RuleMutant
from tui_backprop.engine.mutants.table import RULES
from tui_backprop.engine.primitives import LOSSES
from tui_backprop.engine.training.iteration import Iteration, TrainingState, Update, run_iteration

ACTIVATIONS = "relu", "tanh", "sigmoid", "silu", "gelu", "softplus"
LEAST_GRADIENT = 1e-9  # of an entry that is asked for: a question about 0 has too many right answers
PAIRS = 10  # printed


def random_network(rng: np.random.Generator, seed: int) -> NetworkSpec:
    """Draw a network of two to four layers, half of them with hidden layers of equal width."""

    def sometimes(share: float) -> bool:
        return bool(rng.random() < share)

    width = int(rng.integers(2, 6))
    hidden = [width if sometimes(0.6) else int(rng.integers(2, 6)) for _ in range(rng.integers(1, 4))]
    layers = (int(rng.choice([width, rng.integers(2, 6)])), *hidden, int(rng.integers(2, 5)))
    loss = str(rng.choice(list(LOSSES)))
    outputs = [NO_ACTIVATION] if LOSSES[loss].probabilities else [NO_ACTIVATION, "tanh", "sigmoid"]
    return NetworkSpec(
        layers,
        ",".join(str(rng.choice(ACTIVATIONS)) for _ in hidden),
        loss,
        dtype="float64",
        seed=seed,
        layer_norm=sometimes(0.2),
        residual=sometimes(0.4),
        dropout=0.3 * sometimes(0.2),
        l2=0.05 * sometimes(0.2),
        output_activation=str(rng.choice(outputs)),
    )


def random_iteration(seed: int) -> Iteration:
    """Draw a network, its parameters and a batch of one to four samples."""
    rng = np.random.default_rng(seed)
    spec = random_network(rng, seed)
    batch, outputs = int(rng.integers(1, 5)), spec.layers[-1]
    labels = LOSSES[spec.loss].labels
    target = rng.integers(outputs, size=batch) if labels else rng.integers(2, size=(batch, outputs)) * 1.0
    update = Update(rng.normal(size=(batch, spec.layers[0])), target, 0.1)
    return run_iteration(spec, update, TrainingState(0, rng.normal(scale=0.7, size=spec.parameters)))


@dataclass
class Tally:
    """Mutants counted: how ``many``, how many ``told`` apart at the entry chosen, and ``anywhere``, at an entry drawn
    at random; the ``pairs`` that agree."""

    many: int = 0
    told: int = 0
    anywhere: int = 0
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, iteration: Iteration, seed: int) -> None:
        """Count the mutants of a network."""
        rng, answers = np.random.default_rng([seed, 1]), Answers(iteration)
        name = iteration.graph.weight(1) if rng.random() < 0.5 else iteration.graph.part(1, "bias") or ""
        right = iteration.program.cotangents[name]
        if np.abs(right).max() < LEAST_GRADIENT:
            return
        names = [row.name for row in RULES if changes(answers, row, name)]
        chosen = answers.telling("gradient", name, rng, names)
        numbers = answers.all(chosen[0], names) if chosen else {}
        places = np.argwhere(np.abs(right) > LEAST_GRADIENT)
        index = tuple(map(int, places[rng.integers(len(places))]))
        drawn = answers.all(Asked("gradient", name, index), names)
        self.many += len(names)
        self.told += len(chosen[1]) - 1 if chosen else 0
        self.anywhere += sum(distinct(drawn, each) for each in names if each in drawn)
        self.pairs.update(
            (one, other)
            for one in numbers
            for other in numbers
            if one < other and close(numbers[one], numbers[other], 2 * RTOL)
        )


def changes(answers: Answers, row: RuleMutant, name: str) -> bool:
    """Check whether a mutant changes the gradient of a value."""
    program = answers.program(row)
    if program is None:
        return False
    right = answers.iteration.program.cotangents[name]
    return not np.allclose(program.cotangents[name], right, rtol=2 * RTOL, atol=LEAST_GRADIENT)


def tally(networks: int) -> Tally:
    """Count the mutants of so many random networks."""
    found = Tally()
    for seed in range(networks):
        found.add(random_iteration(seed), seed)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", type=int, default=200)
    found = tally(parser.parse_args().networks)
    print(f"{found.many} wrong numbers; of them differ from the right one and from each other:")
    print(
        f"{found.told / found.many:.1%} at the entry chosen, {found.anywhere / found.many:.1%} at a random one"
    )
    for (one, other), count in found.pairs.most_common(PAIRS):
        print(f"{count:4} times equal: {one or 'right'}, {other}")


if __name__ == "__main__":
    main()
