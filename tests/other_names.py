"""A dense network whose values have other names: what is shown of it may differ in these names alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from tui_backprop.engine.frontends.dense.graph import graph_of
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.tensor_names import SO_FAR

LETTERS = [
    letter for letter in map(chr, range(0x1200, 0x1380)) if letter.isalpha()
]  # Ethiopic, one column wide


@dataclass(frozen=True)
class Renamed(NetworkSpec):
    """The same network under other names, each as long as the one it replaces."""

    @property
    def graph(self) -> Graph:
        return renamed(graph_of(plain(self)))


def plain(spec: NetworkSpec) -> NetworkSpec:
    return NetworkSpec(**{name: getattr(spec, name) for name in NetworkSpec.__dataclass_fields__})


def other(spec: NetworkSpec) -> Renamed:
    return Renamed(**{name: getattr(spec, name) for name in NetworkSpec.__dataclass_fields__})


@lru_cache(maxsize=8)
def new_names(graph: Graph) -> dict[str, str]:
    """The other name for each: letters that occur nowhere else, so that they can be replaced again."""
    letters = iter(LETTERS)
    names = [name for name in graph.tensors if not name.endswith(SO_FAR)]
    return {name: "".join(next(letters) for _ in name) for name in names}


@lru_cache(maxsize=8)
def renamed(graph: Graph) -> Graph:
    names = new_names(graph)
    values = tuple(
        replace(
            value,
            name=names[value.name],
            gradient=names.get(value.gradient, value.gradient),
            saved=names.get(value.saved, value.saved),
        )
        for value in graph.values
    )
    ops = tuple(
        replace(op, inputs=tuple(names[name] for name in op.inputs), output=names[op.output])
        for op in graph.ops
    )
    aliases = tuple((names[alias], names[name]) for alias, name in graph.aliases)
    return Graph(ops, values, graph.blocks, names[graph.output], names[graph.loss], aliases)


def with_old_names(text: str, graph: Graph) -> str:
    """Replace the other names in a text by those of the plain graph."""
    for old, new in new_names(graph).items():
        text = text.replace(new, old)
    return text
