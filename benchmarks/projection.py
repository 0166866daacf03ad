"""Test the projection of the cost of a pass to larger networks on this machine.

Networks of several kinds are swept, in rounds. Of each sweep the networks up to some size are kept, and the passes of
those 10 and 100 times as large are predicted from them; the speeds of memory were measured at all sizes. The truth is
the least that any round has measured. Printed are the factors by which predictions were off, how many were off by
more than 1.5, and how many of their 95% intervals hold the truth.

    .venv/bin/python benchmarks/projection.py [--rounds 3] [--budget 16] [--only lesson]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from tui_backprop.cost.measure.cache import machine
from tui_backprop.cost.measure.sweep import sweep
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Estimate
from tui_backprop.cost.model.workload import PASS_KINDS
from tui_backprop.engine.frontends.conv.spec import ConvSpec
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.frontends.gpt.spec import GptSpec
from tui_backprop.engine.frontends.rnn.spec import RnnSpec
from tui_backprop.engine.network.model import Model

NETWORKS: Mapping[str, Model] = {
    "lesson": NetworkSpec(),
    "one hidden layer": NetworkSpec((784, 1000, 10)),
    "normalized": NetworkSpec((64, 128, 128, 128, 128, 10), layer_norm=True, residual=True),
    "linear, double": NetworkSpec((500, 10), dtype="float64"),
    "tapering": NetworkSpec((300, 200, 100, 10), bias=False),
    "few weights": NetworkSpec((2, 128, 1), loss="binary-cross-entropy"),
    "20 layers": NetworkSpec((784, *[64] * 20, 10)),
    "double": NetworkSpec((784, 256, 256, 256, 10), dtype="float64"),
    "tanh": NetworkSpec((20, 50, 50, 1), "tanh", "mse"),
    "microgpt": GptSpec(),
    "lenet": ConvSpec(),
    "rnn": RnnSpec(),
}
LARGER = 10, 100  # times
LEAST_SIZES = 3  # that a cost model is fitted to
OFF = 1.5


@dataclass(frozen=True)
class Prediction:
    """A pass of a network ``larger`` by that factor than those that it was predicted from, and what it takes."""

    network: str
    kind: str
    parameters: float
    larger: int
    predicted: Estimate
    seconds: float

    @property
    def ratio(self) -> float:
        return self.predicted.middle / self.seconds

    @property
    def off(self) -> float:
        return max(self.ratio, 1 / self.ratio)

    @property
    def inside(self) -> bool:
        return self.predicted.low <= self.seconds <= self.predicted.high


Truth = Mapping[tuple[str, float], float]  # seconds by kind and parameters


def least(swept: Sequence[CostModel]) -> Truth:
    """Return the least seconds of each pass in several sweeps of the same networks."""
    found: dict[tuple[str, float], float] = {}
    for point in (point for cost_model in swept for point in cost_model.points):
        key = point.kind, point.parameters
        found[key] = min(point.middle, found.get(key, point.middle))
    return found


def predictions(name: str, cost_model: CostModel, truth: Truth) -> Iterator[Prediction]:
    """Predict the passes of each network of a sweep from those of smaller ones."""
    sizes = sorted({point.parameters for point in cost_model.points})
    for larger, size in ((larger, size) for larger in LARGER for size in sizes):
        small = [each for each in sizes if larger * each <= 1.1 * size]
        if len(small) < LEAST_SIZES:
            continue
        known = [point for point in cost_model.points if point.parameters <= small[-1]]
        fitted = CostModel(tuple(known), cost_model.probe)
        for point in cost_model.points:
            if point.parameters == size and any(each.kind == point.kind for each in known):
                predicted = fitted.seconds(point.kind, point.shape)
                yield Prediction(name, point.kind, size, larger, predicted, truth[point.kind, size])


def summary(found: Sequence[Prediction]) -> str:
    """Say how well passes were predicted."""
    off = sorted(each.off for each in found)
    wide = median(each.predicted.high / each.predicted.middle for each in found)
    return (
        f"{len(off):4} predicted: off by {median(off):.2f} (median), {off[-1]:.2f} (worst);"
        f" {sum(each > OFF for each in off)} by more than {OFF};"
        f" {sum(each.inside for each in found)} in their interval, of a factor {wide:.2f} (median)"
    )


def report(found: Iterable[Prediction]) -> Iterator[str]:
    by_size = sorted(found, key=lambda each: (each.larger, [*PASS_KINDS].index(each.kind)))
    for larger, group in groupby(by_size, lambda each: each.larger):
        all_kinds = list(group)
        for kind, some in groupby(all_kinds, lambda each: each.kind):
            yield f"{larger:4} times larger, {kind:9} {summary(list(some))}"
        yield f"{larger:4} times larger, all       {summary(all_kinds)}"
    for each in sorted((each for each in by_size if each.off > OFF), key=lambda each: -each.off):
        where = "inside" if each.inside else "outside"
        yield (
            f"     {each.network}, {each.kind}, {each.parameters:.3g} parameters,"
            f" {each.larger} times larger: {each.ratio:.2f} of the truth, {where} its interval"
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--budget", type=float, default=16.0, help="seconds for each sweep")
    options.add_argument("--only", choices=NETWORKS)
    given = options.parse_args()
    networks = {name: spec for name, spec in NETWORKS.items() if given.only in (None, name)}
    swept: dict[str, list[CostModel]] = {name: [] for name in networks}
    for _ in range(given.rounds):
        for name, spec in networks.items():
            *_, last = sweep(spec, given.budget)
            swept[name].append(last.cost_model)
    here = machine()
    print(f"{here['processor']}, {here['cores']} cores, {here['memory']}, {here['blas']}")
    found = [
        each
        for name, rounds in swept.items()
        for cost_model in rounds
        for each in predictions(name, cost_model, least(rounds))
    ]
    print(*report(found), sep="\n")


if __name__ == "__main__":
    main()
