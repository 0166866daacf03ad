"""Wrong ideas about sums: over the paths of a value, over samples, and means."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tui_backprop.engine.arrays.types import np
from tui_backprop.engine.mutants.site import Site, Spoil, spoiled
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.primitives import BIAS_ADD, Array, Cache
from tui_backprop.engine.primitives.losses import Loss


def nothing(x_bar: Array, *_: object) -> None:
    """Contribute nothing."""
    x_bar.fill(0)


def _twice(x_bar: Array, *_: object) -> None:
    np.multiply(x_bar, 2, out=x_bar)


class Term(NamedTuple):
    """A term of a gradient that is a sum: of input ``i``, number ``at`` of ``of`` terms, in the order in which
    operations read the value."""

    i: int
    at: int
    of: int


def terms(site: Site) -> tuple[Term, ...]:
    """Return the terms that an operation contributes to gradients of several. A penalty is no path of a signal."""
    found = []
    for i, name in enumerate(site.op.differentiated):
        visits = site.graph.visits_of.get(name, ())
        paths = [(each.op.output, each.of) for each in visits if each.op.primitive.kind != "penalty"]
        here = site.op.output, i
        if len(paths) > 1 and here in paths:
            found.append(Term(i, paths.index(here), len(paths)))
    return tuple(found)


def _chosen(site: Site, chosen: Callable[[Term], bool]) -> tuple[int, ...]:
    return tuple(term.i for term in terms(site) if chosen(term))


def last_path(site: Site) -> Op | None:
    """Keep the term that a backward pass computes last: that of the operation that reads the value first."""
    return site.replacing(dict.fromkeys(_chosen(site, lambda term: term.at > 0), nothing))


def first_path(site: Site) -> Op | None:
    """Keep the term that a backward pass computes first: that of the operation that reads the value last."""
    return site.replacing(dict.fromkeys(_chosen(site, lambda term: term.at < term.of - 1), nothing))


def counted_twice(site: Site) -> Op | None:
    """Double the term that a backward pass computes first, as a walk does that goes on from a value at each."""
    return site.spoiling(*_chosen(site, lambda term: term.at == term.of - 1), spoil=_twice)


def samples(loss: Loss, z: Array, cache: Cache) -> int | Array:
    """Return the number that a loss divides by: of samples, or of positions with a target."""
    return cache.n if loss.per_position else len(z)


def sum_not_mean(site: Site) -> Op | None:
    """Leave out 1/n: of a loss, the number of samples; of a mean, that of its entries."""
    if not site.row.averages:
        return None

    def spoil(x_bar: Array, g: Array, _y: Array, cache: Cache, *_: object) -> None:
        n = samples(site.row, x_bar, cache) if isinstance(site.row, Loss) else x_bar.size // g.size
        np.multiply(x_bar, n, out=x_bar)

    return site.spoiling(0, spoil=spoil)


def mean_twice(site: Site) -> Op | None:
    """Divide the gradients of parameters by n, though the loss is a mean already."""
    if not site.graph.by_name[site.op.output].per_sample:
        return None

    def spoil(w_bar: Array, g: Array, *_: object) -> None:
        np.divide(w_bar, len(g), out=w_bar)

    return site.spoiling(*site.into_parameters, spoil=spoil)


def one_sample(site: Site) -> Op | None:
    """Take the last sample's delta for a bias instead of the sum."""

    def rule(b_bar: Array, g: Array, *_: object) -> None:
        np.copyto(b_bar, g[-1])

    return site.replacing({1: rule}) if site.row is BIAS_ADD else None


def zero_weight(site: Site) -> Op | None:
    """Give parameters that are 0 no gradient."""

    def where_zero(i: int) -> Spoil:
        def spoil(w_bar: Array, _g: Array, _y: Array, _: object, *x: Array) -> None:
            w_bar[x[i] == 0] = 0

        return spoil

    return site.replacing({i: spoiled(site.row.vjps[i], where_zero(i)) for i in site.into_parameters})
