"""The graph of a small network at a step of the walk: units and weights with the numbers computed so far."""

from __future__ import annotations

from itertools import accumulate
from math import isfinite

from tui_backprop.engine.arrays.types import Array
from tui_backprop.render.draw.heatmap import largest
from tui_backprop.render.draw.node_graph import Datum, Edge, Node, NodeColumn, NodeGraph
from tui_backprop.render.draw.spans import line
from tui_backprop.render.view_state import Snapshot

MOST_UNITS = 8  # units of the widest layer of a network that is drawn as nodes and edges
INTO_UNIT = ("affine", "weights", "update")  # kinds of steps that use the weights into a unit
OUT_OF_UNIT = ("delta", "carried", "normalization delta")  # and those that use the weights out of it


def drawable(snapshot: Snapshot) -> bool:
    """Return True if every layer is small, and no number but weights and biases belongs to its units."""
    graph = snapshot.graph
    return max(graph.widths) <= MOST_UNITS and not graph.with_role("normalized")


def graph_of(snapshot: Snapshot) -> NodeGraph:
    """Return the graph of the first sample at the current step: a column for each layer, and one for the loss."""
    graph, seen = snapshot.graph, _Seen(snapshot)
    first = [0, *accumulate(graph.widths)]  # index of the first node of each layer
    columns, nodes, edges = [], [], []
    for layer in range(graph.depth + 1):
        columns.append(seen.column(layer))
        nodes += seen.units(layer)
        edges += seen.weights(layer, first[layer - 1], first[layer]) if layer else []
    there = snapshot.reached("loss", graph.depth, "loss")
    columns.append(NodeColumn(line(("loss", "loss" if there else "muted")), optional=True))
    role = seen.line_role("loss", graph.depth, there)
    edges += [Edge(i, len(nodes), role=role) for i in range(first[-2], first[-1])]
    nodes.append(seen.loss(graph.depth + 1, there))
    return NodeGraph(tuple(columns), tuple(nodes), tuple(edges), 2 + bool(graph.with_role("bias")))


class _Seen:
    """What the walk has computed by the current step, as parts of a graph."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot, self._step, self._iteration = snapshot, snapshot.step, snapshot.iteration
        self._graph = snapshot.graph
        steps = snapshot.steps[: snapshot.step.index + 1]
        self._gradients = {visit.writes for step in steps for visit in step.visits if visit.of is not None}

    # --- units -----------------------------------------------------------------------------------------------

    def units(self, layer: int) -> list[Node]:
        """Return the nodes of a layer."""
        marked = self._snapshot.unit(layer) if layer and self._step.block == layer else None
        bias = self._graph.part(layer, "bias")
        biases = self._changed(bias, layer) if bias else []
        values, deltas = self._values("forward", layer), self._values("backward", layer)
        return [
            Node(
                layer,
                values[unit] if values else None,
                biases[unit] if biases else None,
                deltas[unit] if deltas else None,
                unit == marked,
            )
            for unit in range(self._graph.width(layer))
        ]

    def _latest(self, phase: str, layer: int) -> str:
        """Return the name of the last array of a phase with a row per sample in a layer; "" if there is none."""
        made = (step.tensor for step in reversed(self._snapshot.made(phase, layer)))
        return next(filter(self._graph.per_sample, made), "")

    def _values(self, phase: str, layer: int) -> list[Datum]:
        name = self._latest(phase, layer)
        if not name:
            return []
        row, fresh = self._iteration.tensor(name)[0], name in {piece.tensor for piece in self._step.pieces}
        symbol = ""
        if self._graph.is_gradient(name):
            symbol = "δ" if self._graph.role(name) == "pre-activation" else "d"
        return [Datum(symbol, float(value), phase, fresh) for value in row]

    def loss(self, column: int, there: bool) -> Node:
        """Return the node of the loss, with the target of the first sample below it."""
        target = self._iteration.tensor(self._graph.target)[0]
        below = Datum(self._graph.target, float(target.item()), "text") if target.size == 1 else None
        value = Datum("", self._iteration.loss, "loss", self._step.phase == "loss") if there else None
        return Node(column, value, below, symbol=self._graph.loss)

    # --- parameters ------------------------------------------------------------------------------------------

    def _stage(self, name: str, layer: int) -> str:
        """Return the phase that last computed something of a parameter; "" before its gradient."""
        if self._snapshot.reached("update", layer, "update"):
            return "update"
        return "backward" if name in self._gradients else ""

    def _fresh(self, name: str, layer: int) -> bool:
        """Return True if the current step computed the gradient or the update of a parameter."""
        written = {visit.writes for visit in self._step.visits if visit.of is not None}
        return name in written or (self._step.phase == "update" and self._step.block == layer)

    def _array(self, name: str, stage: str) -> Array:
        if stage == "update":
            return self._iteration.new[name]
        return self._iteration.tensor(self._graph.gradient_of(name) if stage else name)

    def _changed(self, name: str, layer: int) -> list[Datum]:
        """Return the biases of a layer; their gradients, or their updated values, once computed."""
        stage = self._stage(name, layer)
        symbol = {"": "b", "backward": "db", "update": "b'"}[stage]
        fresh = self._fresh(name, layer)
        return [Datum(symbol, float(v), stage or "muted", fresh) for v in self._array(name, stage)]

    def weights(self, layer: int, sources: int, targets: int) -> list[Edge]:
        """Return the edges into a layer, whose nodes start at index ``targets``, from nodes that start at
        ``sources``; and those that carry its input past it."""
        name = self._graph.weight(layer)
        stage = self._stage(name, layer)
        before, now, fresh = self._array(name, ""), self._array(name, stage), self._fresh(name, layer)
        drawn = before if self._out_of(layer) else now
        scale = largest(drawn) or 1.0
        used = bool(self._snapshot.made("forward", layer))
        role = self.line_role("forward", layer, used)
        edges = [
            Edge(
                sources + i,
                targets + j,
                Datum("", float(before[i, j]), "forward" if used and not stage else "muted"),
                Datum("", float(now[i, j]), stage, fresh) if stage else None,
                sign=-1 if drawn[i, j] < 0 else 1,
                size=min(abs(float(drawn[i, j])) / scale, 1.0) if isfinite(drawn[i, j]) else 0.0,
                role=role,
                chosen=self._chosen(layer, i, j),
            )
            for j in range(now.shape[1])
            for i in range(now.shape[0])
        ]
        if self._graph.adds_input(layer):
            edges += [
                Edge(sources + i, targets + i, label=f"+{self._graph.output_of(layer - 1)}", role=role)
                for i in range(now.shape[1])
            ]
        return edges

    def _chosen(self, layer: int, i: int, j: int) -> bool:
        """Return True for a weight that the current step uses for the unit shown, or that was asked for by name."""
        asked = self._snapshot.asked
        if asked is not None and asked[0] == self._graph.weight(layer):
            return asked[1] == (i, j)
        kinds = {piece.kind for piece in self._step.pieces}
        into = self._step.block == layer and bool(kinds.intersection(INTO_UNIT))
        return (into and j == self._snapshot.unit(layer)) or (
            self._out_of(layer) and i == self._snapshot.unit(layer - 1)
        )

    def _out_of(self, layer: int) -> bool:
        """Return True if the current step goes back along the weights into a layer."""
        kinds = {piece.kind for piece in self._step.pieces}
        return self._step.block == layer - 1 and bool(kinds.intersection(OUT_OF_UNIT))

    # --- lines and headings ----------------------------------------------------------------------------------

    def line_role(self, phase: str, layer: int, used: bool) -> str:
        """Return the color of the lines into a layer: that of the phase while the current step uses them."""
        kinds = {piece.kind for piece in self._step.pieces}
        if phase == "loss":
            now = self._step.phase == "loss" or "output delta" in kinds
        else:
            now = self._step.block == layer and bool(kinds.intersection(INTO_UNIT))
            now = now or self._out_of(layer)
        return self._step.phase if now else "muted" if used else "faint"

    def column(self, layer: int) -> NodeColumn:
        """Return the headings of a layer: its latest array, the weights into it, and what was computed of them."""
        name = self._latest("forward", layer)
        title = line((name or self._graph.output_of(layer), "forward" if name else "muted"))
        if not layer:
            return NodeColumn(title)
        parameter = self._graph.weight(layer)
        stage = self._stage(parameter, layer)
        changed = {"": "", "backward": self._graph.gradient_of(parameter), "update": f"{parameter}'"}[stage]
        return NodeColumn(title, line((parameter, "muted")), line((changed, stage)), self._out_of(layer))
