"""Wrong ideas about weights that are used at many positions or steps: a kernel, the row of an embedding, the weights
that every token of a sequence meets, the parameters of a recurrent network."""

from __future__ import annotations

from types import EllipsisType

from tui_backprop.engine.arrays.types import np, size
from tui_backprop.engine.mutants.site import Site, spoiled
from tui_backprop.engine.mutants.sums import Term, nothing, terms
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.primitives import Array, Rule, Shape

Axes = tuple[int | slice | EllipsisType, ...]
# Where positions are among the axes of what an operation computes: in (n, channels, *positions), and between the
# samples and the numbers of each position, (n, *positions, numbers).
CHANNELS_FIRST = ("convolution", "channel bias")
NUMBERS_LAST = ("product", "embedding")


def positions(kind: str, y: Shape) -> Shape:
    """Return the positions at which an operation uses its parameters; () if it uses them once for each sample."""
    if kind in CHANNELS_FIRST:
        return y[2:]
    return y[1:-1] if kind in NUMBERS_LAST else ()


def _last_position(kind: str, y: Shape) -> Axes:
    """Return an index of the last position, of all samples and numbers."""
    last = (-1,) * len(positions(kind, y))
    return (..., *last) if kind in CHANNELS_FIRST else (..., *last, slice(None))


def _shared_here(site: Site) -> tuple[int, ...]:
    """Return the inputs that are parameters and that the operation uses at several positions."""
    made = site.graph.by_name[site.op.output].shape
    return site.into_parameters if size(positions(site.row.kind, made)) > 1 else ()


def _shared_between(site: Site) -> dict[int, Term]:
    """Return the terms by inputs that are parameters which other operations read, too."""
    into = () if site.row.kind == "penalty" else site.into_parameters
    return {term.i: term for term in terms(site) if term.i in into}


def last_use(site: Site) -> Op | None:
    """Keep the term of the last position, and of the operation that reads the parameter last, as a loop does that
    assigns instead of adding."""
    kind, rules = site.row.kind, site.row.vjps

    def at_last_position(right: Rule) -> Rule:
        def rule(w_bar: Array, g: Array, *arguments: object) -> None:
            kept = np.zeros_like(g)
            last = _last_position(kind, g.shape)
            kept[last] = g[last]
            right(w_bar, kept, *arguments)

        return rule

    wrong = {i: at_last_position(rules[i]) for i in _shared_here(site)}
    earlier = [i for i, term in _shared_between(site).items() if term.at < term.of - 1]
    return site.replacing(wrong | dict.fromkeys(earlier, nothing))


def mean_of_uses(site: Site) -> Op | None:
    """Divide by the number of positions, and of operations that read the parameter."""
    kind, here, between = site.row.kind, _shared_here(site), _shared_between(site)

    def divided(i: int) -> Rule:
        def spoil(w_bar: Array, g: Array, *_: object) -> None:
            uses = size(positions(kind, g.shape)) if i in here else 1
            np.divide(w_bar, uses * (between[i].of if i in between else 1), out=w_bar)

        return spoiled(site.row.vjps[i], spoil)

    return site.replacing({i: divided(i) for i in {*here, *between}})
