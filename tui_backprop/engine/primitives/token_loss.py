"""Softmax cross-entropy of sequences: the mean over all positions that have a target.

``z`` (n, T, classes) are logits, ``t`` (n, T) the class of the next token, or NO_TARGET where a sequence has ended
(PyTorch's ``ignore_index``)."""

from __future__ import annotations

from typing import Any, NamedTuple

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.losses import Loss

NO_TARGET = -1


class TokenLossCache(NamedTuple):
    """The cache of the loss; arrays of all positions have m = n T rows."""

    each: Array  # (m,) the loss of each position, 0 without a target
    left: Array  # (n, T, classes) p
    n: Array  # () the number of targets
    share: Array  # () dL/dloss / n
    counted: Array  # (m, 1) 1 where there is a target, else 0
    starts: Array  # (m,) where each row starts in the flat array
    places: Array  # (m,) where the target's entry of each row is in it
    column: Array  # (m, 1)
    chosen: Array  # (m,)


def _room(dtype: np.dtype[Any], z: Shape, t: Shape) -> TokenLossCache:
    rows = size(t)
    starts = np.arange(rows) * z[-1]
    return TokenLossCache(
        np.empty(rows, dtype),
        np.empty(z, dtype),
        np.ones((), dtype),
        np.empty((), dtype),
        np.empty((rows, 1), dtype),
        starts,
        np.empty_like(starts),
        np.empty((rows, 1), dtype),
        np.empty(rows, dtype),
    )


def _forward(loss: Array, room: TokenLossCache, z: Array, t: Array) -> None:
    """Compute −z[t] + ln Σ e^z of each position, with the largest logit subtracted first, so that no power
    overflows."""
    logits, p, targets = z.reshape(len(room.each), -1), _rows(room), t.reshape(-1)
    np.greater_equal(targets, 0, out=room.counted[:, 0], casting="unsafe")
    np.add.reduce(room.counted, axis=None, out=room.n)
    np.maximum(targets, 0, out=room.places)
    np.add(room.places, room.starts, out=room.places)
    np.maximum.reduce(logits.real, axis=1, keepdims=True, out=room.column.real)
    if room.column.dtype.kind == "c":
        room.column.imag.fill(0)
    np.subtract(logits, room.column, out=p)
    np.take(p, room.places, out=room.chosen, mode="clip")
    np.exp(p, out=p)
    np.add.reduce(p, axis=1, keepdims=True, out=room.column)
    np.divide(p, room.column, out=p)
    np.log(room.column, out=room.column)
    np.subtract(room.column[:, 0], room.chosen, out=room.each)
    np.multiply(room.each, room.counted[:, 0], out=room.each)
    np.add.reduce(room.each, out=loss)
    np.divide(loss, room.n, out=loss)


def _rows(room: TokenLossCache) -> Array:
    return room.left.reshape(len(room.each), -1)


def _p_minus_hot(d: Array, room: TokenLossCache) -> None:
    """Write p − onehot(t) of each position with a target, (m, classes), 0 elsewhere."""
    np.copyto(d, _rows(room))
    np.take(d, room.places, out=room.chosen, mode="clip")
    np.subtract(room.chosen, 1, out=room.chosen)
    np.put(d, room.places, room.chosen)
    np.multiply(d, room.counted, out=d)


def _vjp(z_bar: Array, g: Array, _: Array, room: TokenLossCache, z: Array, t: Array) -> None:
    _p_minus_hot(z_bar.reshape(len(room.each), -1), room)
    np.divide(g, room.n, out=room.share)
    np.multiply(z_bar, room.share, out=z_bar)


def _jvp(y_dot: Array, z_dot: Array, _: Array, room: TokenLossCache, z: Array, t: Array) -> None:
    direction = np.empty_like(_rows(room))
    _p_minus_hot(direction, room)
    lead = z_dot.shape[: z_dot.ndim - z.ndim]
    y_dot[...] = z_dot.reshape(*lead, -1) @ direction.reshape(-1) / room.n


def _terms(room: TokenLossCache, z: Array, t: Array) -> float:
    """mean(1 + ln Σ e^(z − top) + (top − z[t])) over the targets: the sum in the logarithm is at least 1."""
    chosen = np.take(
        z.reshape(len(room.each), -1) - z.reshape(len(room.each), -1).max(1, keepdims=True), room.places
    )
    each = 1 + np.abs(room.column[:, 0]) + np.abs(chosen)
    return float((each * room.counted[:, 0]).sum() / room.n)


TOKEN_LOSS = Loss(
    name="token cross-entropy",
    kind="loss",
    forward=_forward,
    vjps=(_vjp,),
    jvps=(_jvp,),
    formula="mean( − ln {v}[ {1} ] ) , {v} = softmax( {0} )",
    vjp_formulas=("( {v} − onehot( {1} ) ) / targets",),
    flops=lambda z, t: 5 * size(z),
    vjp_flops=(lambda z, t: 2 * size(z),),
    torch="F.cross_entropy({0}.flatten(0, 1), {1}.flatten(), ignore_index=-1)",
    torch_saved="torch.softmax({0}, -1)",
    shape=lambda z, t: (),
    room=_room,
    short="token entropy",
    averages=True,
    saved="left",
    labels=True,
    probabilities=True,
    per_position=True,
    terms=_terms,
)
