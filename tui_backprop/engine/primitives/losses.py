"""Losses: from z and a target, the mean over the n samples of each sample's loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.activations import above, decay, log1p, sigmoid
from tui_backprop.engine.primitives.base import Primitive


class LossCache(NamedTuple):
    """The cache of a loss."""

    each: Array  # (n,) each sample's loss
    left: Array  # (n, outputs) p, or the residual z − t
    n: Array  # () the number of samples
    share: Array  # () dL/dloss / n
    space: Array  # (n, outputs)


class LabelsLossCache(NamedTuple):
    """The cache of a loss on class labels; transposed, because reductions along short rows are slow."""

    each: Array  # (n,)
    left: Array  # (n, outputs) p
    n: Array  # ()
    share: Array  # ()
    starts: Array  # (n,) where each row starts in the flat array
    places: Array  # (n,) where the target's entry of each row is in it
    top: Array  # (n, 1)
    total: Array  # (n, 1)
    turned: Array  # (outputs, n)
    ones: Array  # (outputs,)


def _room(dtype: np.dtype[Any], z: Shape, t: Shape) -> LossCache:
    return LossCache(
        np.empty(z[0], dtype),
        np.empty(z, dtype),
        np.array(z[0], dtype),
        np.empty((), dtype),
        np.empty(z, dtype),
    )


def _labels_room(dtype: np.dtype[Any], z: Shape, t: Shape) -> LabelsLossCache:
    starts = np.arange(z[0]) * z[1]
    return LabelsLossCache(
        *_room(dtype, z, t)[:4],
        starts,
        np.empty_like(starts),
        np.empty((z[0], 1), dtype),
        np.empty((z[0], 1), dtype),
        np.empty(z[::-1], dtype),
        np.ones(z[1], dtype),
    )


def _mean(loss: Array, room: LossCache | LabelsLossCache) -> None:
    np.add.reduce(room.each, out=loss)
    np.divide(loss, room.n, out=loss)


def _softmax_cross_entropy(loss: Array, room: LabelsLossCache, z: Array, t: Array) -> None:
    """Compute −z[t] + ln Σ e^z of each sample, with the largest logit subtracted first, so that no power
    overflows."""
    each, p, top, total = room.each, room.left, room.top, room.total
    np.copyto(room.turned, z.T)
    np.maximum.reduce(room.turned.real, axis=0, out=top[:, 0])
    np.subtract(z, top, out=p)
    np.add(room.starts, t, out=room.places)
    np.take(p, room.places, out=each, mode="clip")
    np.exp(p, out=p)
    np.dot(p, room.ones, out=total[:, 0])
    np.divide(p, total, out=p)
    np.log(total, out=total)
    np.subtract(total[:, 0], each, out=each)
    _mean(loss, room)


def _softmax_terms(room: LabelsLossCache, z: Array, t: Array) -> float:
    """mean(1 + ln Σ e^(z − top) + (top − z[t])): the sum in the logarithm is at least 1, so its round-off is ε."""
    return float((1 + room.total[:, 0] + np.abs(room.total[:, 0] - room.each)).mean())


def _p_minus_hot(d: Array, room: LabelsLossCache, t: Array) -> None:
    np.copyto(d, room.left)
    np.take(d, room.places, out=room.top[:, 0], mode="clip")
    np.subtract(room.top, room.ones[:1], out=room.top)
    np.put(d, room.places, room.top)


def _binary_cross_entropy(loss: Array, room: LossCache, z: Array, t: Array) -> None:
    """Compute −t ln p − (1 − t) ln(1 − p) = ln(1 + e^z) − z t, summed over the outputs of each sample.

    As max(z, 0) − z t + ln(1 + e^−|z|): the first two cancel before the last, which may be tiny, is added."""
    p, zero = room.left, np.zeros((), z.dtype)
    above(p, z, zero)
    np.multiply(z, t, out=room.space)
    np.subtract(p, room.space, out=p)
    decay(room.space, z)
    log1p(room.space, room.space)
    np.add(p, room.space, out=p)
    np.add.reduce(p, axis=1, out=room.each)
    sigmoid(p, z, zero, room.space)
    _mean(loss, room)


def _binary_terms(room: LossCache, z: Array, t: Array) -> float:
    """mean Σ (max(z, 0) + |z t| + ln(1 + e^−|z|))"""
    return float((np.maximum(z, 0) + np.abs(z * t) + np.log1p(np.exp(-np.abs(z)))).sum(axis=1).mean())


def _p_minus_target(d: Array, room: LossCache, t: Array) -> None:
    np.subtract(room.left, t, out=d)


def _own_terms(room: LossCache, z: Array, t: Array) -> float:
    """mean of each sample's loss, whose terms are squares and so cancel nothing"""
    return float(room.each.mean())


def _squares(loss: Array, room: LossCache, z: Array, t: Array, share: float) -> None:
    np.subtract(z, t, out=room.left)
    np.multiply(room.left, room.left, out=room.space)
    np.add.reduce(room.space, axis=1, out=room.each)
    np.multiply(room.each, share, out=room.each)
    _mean(loss, room)


def _mean_squared_error(loss: Array, room: LossCache, z: Array, t: Array) -> None:
    _squares(loss, room, z, t, 1 / z.shape[1])


def _twice_residual(d: Array, room: LossCache, t: Array) -> None:
    np.multiply(room.left, 2 / d.shape[1], out=d)


def _half_squares(loss: Array, room: LossCache, z: Array, t: Array) -> None:
    _squares(loss, room, z, t, 0.5)


def _residual(d: Array, room: LossCache, t: Array) -> None:
    np.copyto(d, room.left)


@dataclass(frozen=True)
class Loss(Primitive):
    """A loss, and how it interprets the outputs of the network.

    ``labels``: the target holds integer class labels, shape (n,), rather than numbers; ``probabilities``: the outputs
    are logits, from which the loss computes probabilities p by its own softmax or sigmoid (it needs classes);
    ``output_is_value``: the target is compared with the output itself. A squared loss averages over the outputs of a
    sample if ``over_outputs``, otherwise it is half their sum. ``per_position``: a sample has a target for each of
    its positions, and the loss averages over those. ``terms`` (cache, z, t) is the sum of the absolute terms that it
    is computed from: its round-off is ε times as much."""

    labels: bool = False
    probabilities: bool = False
    output_is_value: bool = False
    over_outputs: bool = False
    per_position: bool = False
    terms: Callable[[Any, Array, Array], float] = _own_terms


def _loss(
    name: str,
    forward: Callable[..., None],
    slope: Callable[[Array, Any, Array], None],
    *,
    formula: str,
    vjp_formula: str,
    torch: str,
    flops: int,
    short: str,
    labels: bool = False,
    probabilities: bool = False,
    output_is_value: bool = False,
    over_outputs: bool = False,
    terms: Callable[[Any, Array, Array], float] = _own_terms,
    torch_saved: str = "",
) -> Loss:
    """Make a loss whose derivative is ``slope`` (computed from cache and target) divided by n."""

    def vjp(z_bar: Array, g: Array, _: Array, room: LossCache, z: Array, t: Array) -> None:
        slope(z_bar, room, t)
        np.divide(g, room.n, out=room.share)
        np.multiply(z_bar, room.share, out=z_bar)

    def jvp(y_dot: Array, z_dot: Array, _: Array, room: LossCache, z: Array, t: Array) -> None:
        direction = np.empty_like(z)
        slope(direction, room, t)
        y_dot[...] = np.einsum("ij,...ij->...", direction, z_dot) / room.n

    return Loss(
        name=name,
        kind="loss",
        forward=forward,
        vjps=(vjp,),
        jvps=(jvp,),
        formula=formula,
        vjp_formulas=(vjp_formula,),
        flops=lambda z, t: flops * size(z),
        vjp_flops=(lambda z, t: 2 * size(z),),
        torch=torch,
        shape=lambda z, t: (),
        room=_labels_room if labels else _room,
        short=short,
        averages=True,
        labels=labels,
        probabilities=probabilities,
        output_is_value=output_is_value,
        over_outputs=over_outputs,
        terms=terms,
        torch_saved=torch_saved,
        saved="left" if probabilities else "",
    )


LOSSES: dict[str, Loss] = {
    "cross-entropy": _loss(
        "softmax cross-entropy",
        _softmax_cross_entropy,
        _p_minus_hot,
        formula="mean( − ln {v}[ {1} ] ) , {v} = softmax( {0} )",
        vjp_formula="( {v} − onehot( {1} ) ) / n",
        torch="F.cross_entropy({0}, {1})",
        flops=5,
        short="cross-entropy",
        labels=True,
        probabilities=True,
        terms=_softmax_terms,
        torch_saved="torch.softmax({0}, 1)",
    ),
    "binary-cross-entropy": _loss(
        "binary cross-entropy",
        _binary_cross_entropy,
        _p_minus_target,
        formula="mean( Σ ( −{1}·ln {v} − (1−{1})·ln(1−{v}) ) ) , {v} = σ( {0} )",
        vjp_formula="( {v} − {1} ) / n",
        torch='F.binary_cross_entropy_with_logits({0}, {1}, reduction="none").sum(1).mean()',
        flops=12,
        short="binary entropy",
        probabilities=True,
        terms=_binary_terms,
        torch_saved="torch.sigmoid({0})",
    ),
    "mse": _loss(
        "mean squared error",
        _mean_squared_error,
        _twice_residual,
        formula="mean( ( {0} − {1} )² )",
        vjp_formula="2 ( {0} − {1} ) / entries",
        torch="F.mse_loss({0}, {1})",
        flops=3,
        short="mean square",
        output_is_value=True,
        over_outputs=True,
    ),
    "half-squares": _loss(
        "half sum of squares",
        _half_squares,
        _residual,
        formula="mean( ½ Σ ( {0} − {1} )² )",
        vjp_formula="( {0} − {1} ) / n",
        torch="((({0} - {1}) ** 2).sum(1) / 2).mean()",
        flops=3,
        short="half squares",
        output_is_value=True,
    ),
}
