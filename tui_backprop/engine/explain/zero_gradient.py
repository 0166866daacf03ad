"""The cause of a gradient that is 0: which of its factors is 0, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.explain.receipts.general import terms_of
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import ACTIVATIONS, Array
from tui_backprop.engine.training.iteration import Iteration

MOST = 12  # causes that are listed
OWN = "it"  # the name of a gradient whose own terms are the cause


@dataclass(frozen=True)
class ZeroGradient:
    """A number that is 0: its ``name``, and ``why``, if the cause is known; where the cause is another number, ``of``
    is its name and ``at`` its value. ``samples`` says in which samples of a batch it is 0."""

    name: str
    why: str = ""
    of: str = ""
    at: float = 0.0
    samples: str = ""


def zero_gradients(
    iteration: Iteration, tensor: str, index: tuple[int, ...], sample: int = 0
) -> tuple[ZeroGradient, ...]:
    """List the causes of a gradient of 0; () if it is not 0. The gradient of a parameter is a sum over the samples of
    the batch: either a factor that is 0 in all samples is named, or all factors, where a different one is 0 from
    sample to sample."""
    graph = iteration.graph
    value = graph.value_of(tensor)
    parameter = value in graph.parameters
    if value not in graph.differentiable:
        why = (
            "it is frozen" if parameter and value not in graph.trained else "the loss has no derivative by it"
        )
        return (ZeroGradient(entry_name(value, index), why),) if parameter else ()
    if not graph.layered:
        return _of_any_operation(iteration, value, (*((sample,) if graph.per_sample(value) else ()), *index))
    if iteration.tensor(graph.gradient_of(value))[index if parameter else (sample, *index)] != 0:
        return ()
    if not parameter:
        return (_derivative(iteration, value, index[-1], sample),)
    factors = _factors(iteration, tensor, index)
    products = np.prod([each for _, _, each in factors], axis=0)
    zero_factors = [(array, unit) for array, unit, each in factors if not each.any()]
    if zero_factors:
        return tuple(_of_all_samples(iteration, array, unit) for array, unit in zero_factors)
    if not products.any():
        names = " or ".join(entry_name(array, (unit,)) for array, unit, _ in factors)
        return (ZeroGradient(names, samples=f"in each of {iteration.batch} samples"),)
    small = np.abs(products).max() < float(np.finfo(iteration.program.dtype).tiny)
    return (ZeroGradient(OWN, f"too small for {iteration.program.dtype}" if small else "its terms cancel"),)


def _of_any_operation(iteration: Iteration, value: str, index: tuple[int, ...]) -> tuple[ZeroGradient, ...]:
    """List the factors that are 0 in all terms of a gradient: cotangents, or derivatives of operations. Of more than
    MOST, such as the positions of a convolution, only the number of terms is known."""
    graph = iteration.graph
    if iteration.tensor(graph.gradient_of(value))[index] != 0:
        return ()
    terms = [term for visit in graph.visits_of[value] for term in terms_of(iteration, visit, index)]
    if not terms:
        return (ZeroGradient(entry_name(value, index), "no operation reads it"),)
    if any(term.cotangent * term.factor != 0 for term in terms):
        return (ZeroGradient(OWN, "its terms cancel"),)
    if len(terms) > MOST:
        return (ZeroGradient(OWN, f"each of its {len(terms):,} terms has a factor that is 0 or rounds to 0"),)
    found = []
    for term in terms:
        if term.cotangent == 0:
            found.append(ZeroGradient(entry_name(graph.gradient_of(term.op.output), term.place)))
        elif term.factor == 0 and term.factor_name:
            found.append(ZeroGradient(term.factor_name))
        elif term.factor == 0:
            name = f"∂{entry_name(term.op.output, term.place)}/∂{entry_name(value, index)}"
            at = float(iteration.tensor(value)[index])
            found.append(
                ZeroGradient(name, f"{term.op.primitive.name} is flat there", entry_name(value, index), at)
            )
        else:
            dtype = iteration.program.dtype
            found.append(ZeroGradient(term.label, f"too small for {dtype}"))
    return tuple(dict.fromkeys(found))


def _factors(iteration: Iteration, tensor: str, index: tuple[int, ...]) -> list[tuple[str, int, Array]]:
    """List (array, unit, values in all samples) of each factor in the gradient of a parameter."""
    graph, j = iteration.graph, index[-1]
    op = graph.readers[tensor][0]
    output, role = graph.by_name[op.output], graph.role(tensor)
    found = [(output.gradient, j)]
    if role == "weight":
        found.insert(0, (op.inputs[0], index[0]))
    if role == "gain":
        found.append((output.saved, j))
    return [(array, unit, iteration.tensor(array)[:, unit].astype(float)) for array, unit in found]


def _of_all_samples(iteration: Iteration, array: str, unit: int) -> ZeroGradient:
    if iteration.batch > 1:
        return ZeroGradient(entry_name(array, (unit,)), samples=f"in all {iteration.batch} samples")
    if iteration.graph.is_gradient(array):
        return _derivative(iteration, iteration.graph.value_of(array), unit, 0)
    return _output(iteration, array, unit, 0)


def _output(iteration: Iteration, array: str, unit: int, s: int) -> ZeroGradient:
    """Explain an output of a unit that is 0."""
    name, graph = entry_name(array, (unit,)), iteration.graph
    k = graph.block(array)
    if graph.role(array) != "activation" or graph.adds_input(k):
        return ZeroGradient(name)
    if _dropped(iteration, k, unit, s):
        return ZeroGradient(name, DROPPED)
    zero_below = ACTIVATIONS[iteration.activation(k).primitive.name].zero_below
    return _by_activation(iteration, name, k, unit, s) if zero_below else ZeroGradient(name)


def _derivative(iteration: Iteration, value: str, unit: int, s: int) -> ZeroGradient:
    """Explain a derivative that is 0 by the operations between the value and the loss."""
    graph = iteration.graph
    name, kind, k = entry_name(graph.gradient_of(value), (unit,)), graph.role(value), graph.block(value)
    if value == graph.output:
        return ZeroGradient(name, "the output equals its target")
    if kind in ("product", "pre-activation", "normalized", "activated") and _dropped(iteration, k, unit, s):
        return ZeroGradient(name, DROPPED)
    if kind in ("product", "pre-activation") and graph.part(k, "normalized"):
        return ZeroGradient(name)
    if kind in ("product", "pre-activation", "normalized") and float(iteration.slope(k, s)[unit]) == 0:
        return _by_activation(iteration, name, k, unit, s)
    if k == graph.depth:
        return _derivative(iteration, graph.output, unit, s)
    if graph.adds_input(k + 1):
        return ZeroGradient(name)
    weight, delta = graph.weight(k + 1), graph.delta(k + 1)
    weights, onward = iteration.tensor(weight)[unit], iteration.tensor(delta)[s]
    if not weights.any():
        return ZeroGradient(name, f"all its weights in {weight} are 0")
    if not onward[weights != 0].any():
        return ZeroGradient(name, f"{delta} is 0 for all units it feeds")
    return ZeroGradient(name)


DROPPED = "dropout removed the unit"


def _dropped(iteration: Iteration, k: int, unit: int, s: int) -> bool:
    mask = iteration.graph.part(k, "mask")
    return mask is not None and float(iteration.tensor(mask)[s, unit]) == 0


def _by_activation(iteration: Iteration, name: str, k: int, unit: int, s: int) -> ZeroGradient:
    """Explain a 0 by the activation function at the unit's pre-activation."""
    op = iteration.activation(k)
    of, function = op.inputs[0], op.primitive.name
    why = f"{function} is inactive" if ACTIVATIONS[function].zero_below else f"{function} is flat there"
    return ZeroGradient(name, why, entry_name(of, (unit,)), float(iteration.tensor(of)[s, unit]))
