"""Which values get no gradient, and why: what is frozen, and what is detached."""

from __future__ import annotations

from functools import lru_cache

from tui_backprop.engine.network.graph import Graph


@lru_cache(maxsize=64)
def without_gradient(graph: Graph) -> tuple[str, ...]:
    """Return a sentence for each reason why parameters, or the values below them, get no gradient."""
    frozen = [name for name in graph.parameters if name not in graph.trained]
    cut = [name for name in graph.trained if name not in graph.differentiable]
    found = []
    if frozen:
        found.append(
            f"{_listed(frozen)} {_verb(frozen)} frozen (requires_grad=False): no gradient, no weight decay, no update"
        )
        if graph.layered and (end := _end(graph)):
            found.append(f"the backward pass ends at layer {end}: nothing below it needs a gradient")
    detached = [op.inputs[0] for op in graph.ops if op.primitive.detached]
    if detached:
        found.append(f"no gradient flows back through detach({_listed(detached)}): there, it is a constant")
    if cut:
        it = "it" if len(cut) == 1 else "them"
        reason = (
            f"the loss depends on {it} through detach alone"
            if detached
            else f"the loss does not depend on {it}"
        )
        found.append(f"{_listed(cut)} {'gets' if len(cut) == 1 else 'get'} no gradient: {reason}")
    return tuple(found)


def _end(graph: Graph) -> int:
    """Return the block at which the backward pass ends; 0 if that is the first one."""
    blocks = [graph.block(name) for name in graph.trained if name in graph.differentiable]
    ends = min(blocks, default=0)
    return ends if ends > 1 and not graph.differentiable.intersection(graph.inputs) else 0


def _verb(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _listed(names: list[str]) -> str:
    """Return names in a sentence: W1, b1 and W2; of many, the first ones."""
    shown = names if len(names) <= 6 else [*names[:4], f"{len(names) - 4} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
