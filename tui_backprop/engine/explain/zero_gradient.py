"""The cause of a gradient that is 0: which of its factors is 0, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.network.graph import differentiable, parameter_shapes
from tui_backprop.engine.network.tensor_names import (
    activation,
    canonical,
    delta,
    entry_name,
    gradient_of,
    is_gradient,
    kind_of,
    layer_of,
    mask,
    normalized,
    standardized,
    value_of,
    weight,
)
from tui_backprop.engine.primitives import ACTIVATIONS, Array
from tui_backprop.engine.training.iteration import Iteration


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
    value = canonical(tensor, iteration.spec.depth)
    if value not in differentiable(iteration.spec):
        return ()
    parameter = tensor in parameter_shapes(iteration.spec)
    if iteration.tensor(gradient_of(value))[index if parameter else (sample, *index)] != 0:
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
    return (ZeroGradient("it", f"too small for {iteration.program.dtype}" if small else "its terms cancel"),)


def _factors(iteration: Iteration, tensor: str, index: tuple[int, ...]) -> list[tuple[str, int, Array]]:
    """List (array, unit, values in all samples) of each factor in the gradient of a parameter."""
    k, j, kind = layer_of(tensor), index[-1], kind_of(tensor)
    found = [(delta(k) if kind in ("weight", "bias") else gradient_of(normalized(k)), j)]
    if kind == "weight":
        found.insert(0, (activation(k - 1), index[0]))
    if kind == "gain":
        found.append((standardized(k), j))
    return [(array, unit, iteration.tensor(array)[:, unit].astype(float)) for array, unit in found]


def _of_all_samples(iteration: Iteration, array: str, unit: int) -> ZeroGradient:
    if iteration.batch > 1:
        return ZeroGradient(entry_name(array, (unit,)), samples=f"in all {iteration.batch} samples")
    if is_gradient(array):
        return _derivative(iteration, value_of(array), unit, 0)
    return _output(iteration, array, unit, 0)


def _output(iteration: Iteration, array: str, unit: int, s: int) -> ZeroGradient:
    """Explain an output of a unit that is 0."""
    name, k = entry_name(array, (unit,)), layer_of(array)
    if kind_of(array) != "activation" or iteration.spec.adds_input(k):
        return ZeroGradient(name)
    if _dropped(iteration, k, unit, s):
        return ZeroGradient(name, DROPPED)
    return (
        _by_activation(iteration, name, k, unit, s)
        if ACTIVATIONS[iteration.spec.activations[k - 1]].zero_below
        else ZeroGradient(name)
    )


def _derivative(iteration: Iteration, value: str, unit: int, s: int) -> ZeroGradient:
    """Explain a derivative that is 0 by the operations between the value and the loss."""
    name, kind, k = entry_name(gradient_of(value), (unit,)), kind_of(value), layer_of(value)
    if k == iteration.spec.depth:
        return ZeroGradient(name, "the output equals its target")
    if kind in ("product", "preactivation", "normalized", "activated") and _dropped(iteration, k, unit, s):
        return ZeroGradient(name, DROPPED)
    if kind in ("product", "preactivation") and iteration.spec.layer_norm:
        return ZeroGradient(name)
    if kind in ("product", "preactivation", "normalized") and float(iteration.slope(k, s)[unit]) == 0:
        return _by_activation(iteration, name, k, unit, s)
    if iteration.spec.adds_input(k + 1):
        return ZeroGradient(name)
    weights, onward = iteration.tensor(weight(k + 1))[unit], iteration.tensor(delta(k + 1))[s]
    if not weights.any():
        return ZeroGradient(name, f"all its weights in {weight(k + 1)} are 0")
    if not onward[weights != 0].any():
        return ZeroGradient(name, f"{delta(k + 1)} is 0 for all units it feeds")
    return ZeroGradient(name)


DROPPED = "dropout removed the unit"


def _dropped(iteration: Iteration, k: int, unit: int, s: int) -> bool:
    return bool(iteration.spec.dropout) and float(iteration.tensor(mask(k))[s, unit]) == 0


def _by_activation(iteration: Iteration, name: str, k: int, unit: int, s: int) -> ZeroGradient:
    """Explain a 0 by the activation function at the unit's pre-activation."""
    of, function = iteration.activation(k).inputs[0], iteration.spec.activations[k - 1]
    why = f"{function} is inactive" if ACTIVATIONS[function].zero_below else f"{function} is flat there"
    return ZeroGradient(name, why, entry_name(of, (unit,)), float(iteration.tensor(of)[s, unit]))
