"""Compose the formulas of primitives into the equations of a textbook."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.primitives import Shape, fields


def equation(graph: Graph, visits: Sequence[Visit]) -> tuple[dict[str, str], list[str]]:
    """Compose the formulas of some visits: (formula of each result by name, names of the values read)."""
    made: dict[str, str] = {}
    read: list[str] = []
    for visit in visits:
        op, backward = visit.op, visit.of is not None
        row = op.primitive.vjp_formulas[visit.of or 0] if backward else op.primitive.formula
        names = {str(i): name for i, name in enumerate(op.inputs)}
        output = graph.by_name[op.output]
        names |= {"y": output.name, "g": output.gradient, "v": output.saved}
        name = graph.gradient_of(visit.writes) if backward else op.output
        used = fields(row) - (set() if backward else {"v"})  # computed by the forward rule, not read
        if visit.adds or row != "{g}" or names["g"] != name:  # else it is passed on under the same name
            read += [names[field] for field in _order(used) if names[field] not in made]
        for field in [
            f for f in used if names[f] in made and names[f] != name
        ]:  # an intermediate result of this step
            inner = made.pop(names[field])
            bracketed = backward and row != "{g}" and " " in inner
            names[field] = f"( {inner} )" if bracketed else inner
        formula = row.format(*(names[str(i)] for i in range(len(op.inputs))), **{f: names[f] for f in "ygv"})
        if visit.adds:
            if name not in made:  # an earlier step computed the first term
                read.insert(0, name)
            made[name] = f"{made.get(name, name)} + {formula}"
        elif formula != name:  # the bias add passes its cotangent on unchanged
            made = {name: formula} | made
    return made, list(dict.fromkeys(read))


def makes_value(graph: Graph, visit: Visit) -> bool:
    """Check whether a visit computes a new value, as opposed to passing its input on under the same name."""
    return bool(equation(graph, (visit,))[0])


def folded(formula: str, most: int = 4) -> str:
    """Abbreviate a sum of more than ``most`` similar terms: a + b + ... + z."""
    terms = formula.split(" + ")
    return formula if len(terms) <= most else " + ".join([*terms[:2], "...", terms[-1]])


def _order(used: set[str]) -> list[str]:
    """Sort the fields of a formula: cotangent, saved value, output, inputs."""
    return sorted(used, key=lambda field: ("gvy".find(field) if field in "gvy" else 3, field))


def shape_of(graph: Graph, name: str, shapes: dict[str, Shape]) -> Shape:
    """Return the shape of a value, of a gradient, or of what an operation has saved, by its name in formulas."""
    return shapes[graph.shaped_like(name).name]
