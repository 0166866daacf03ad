"""PyTorch's losses, as operations of which each is a row."""

from __future__ import annotations

from collections.abc import Callable

from tui_backprop.engine.arrays.types import np, size
from tui_backprop.engine.frontends.recording.translation import NoRow, Translation
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.functions import FUNCTIONS
from tui_backprop.engine.primitives.placing import placed
from tui_backprop.engine.primitives.pointwise import pointwise
from tui_backprop.engine.primitives.reductions import reduction

Translate = Callable[[Translation], None]
NONE, MEAN, SUM = 0, 1, 2  # PyTorch's numbers of reductions


def _ended(t: Translation, row: tuple[Primitive, *tuple[str, ...]], how: int) -> None:
    """Make output 0 from the loss of each entry, which ``row`` computes: of all entries, their mean or their sum."""
    if how == NONE:
        t.make(*row)
        return
    each = t.apply(*row)
    t.make(reduction("mean" if how == MEAN else "sum", t.axes(None, t.rank(each))), each)


def _of_difference(row: Primitive | Callable[[Translation], Primitive], reduction_at: int = 2) -> Translate:
    """A function of prediction minus target."""

    def translate(t: Translation) -> None:
        apart = t.apply(*t.arithmetic("subtract", t.value(0), t.value(1)))
        made = row if isinstance(row, Primitive) else row(t)
        _ended(t, (made, apart), t.argument(reduction_at, MEAN))

    return translate


def _cross_entropy(t: Translation) -> None:
    """−ln p of the target, p being the probabilities whose logarithms are given; the mean is by weight."""
    x, targets = t.value(0), t.integers(1)
    how, ignored = t.argument(3, MEAN), t.argument(4, -100)
    shape = t.shape(x)
    axis = 1 if len(shape) > 1 else 0
    positions = np.arange(size(shape)).reshape(shape)
    counted = targets != ignored
    at = np.expand_dims(np.where(counted, targets, 0), axis)
    if at.min(initial=0) < 0 or at.max(initial=0) >= shape[axis]:
        raise NoRow
    chosen = t.apply(
        placed("target's", np.take_along_axis(positions, at, axis).squeeze(axis), "{0}[ target ]"), x
    )
    weights = counted.astype(float)
    if t.present(2):
        weights *= t.numbers(2)[np.where(counted, targets, 0)]
    scale = {NONE: 1.0, MEAN: float(weights.sum()), SUM: 1.0}[how]
    if (weights == weights.flat[0]).all():
        lost = t.scaled(chosen, -float(weights.flat[0]) / scale)
    else:
        lost = t.apply(*t.arithmetic("multiply", chosen, t.array(-weights / scale)))
    if how == NONE:
        t.rename(lost)
    else:
        t.make(reduction("sum", t.axes(None, t.rank(lost))), lost)


def _log(t: Translation, x: str) -> str:
    """ln x, not below −100, as PyTorch's binary cross-entropy has it."""
    return t.apply(pointwise("clamp", -100.0, np.inf), t.apply(FUNCTIONS["log"], x))


def _binary_cross_entropy(t: Translation) -> None:
    """−( y ln p + (1 − y) ln(1 − p) )"""
    p, y, one = t.value(0), t.value(1), t.constant(1.0)
    if t.present(2):
        raise NoRow
    right = t.apply(*t.arithmetic("multiply", y, _log(t, p)))
    complements = (t.apply(*t.arithmetic("subtract", one, each)) for each in (y, p))
    rest, q = complements
    wrong = t.apply(*t.arithmetic("multiply", rest, _log(t, q)))
    both = t.apply(*t.arithmetic("add", right, wrong))
    _ended(t, (FUNCTIONS["negate"], both), t.argument(3, MEAN))


def _with_logits(t: Translation) -> None:
    """ln(1 + e^z) − y z"""
    z, y = t.value(0), t.value(1)
    if t.present(2) or t.present(3):
        raise NoRow
    positive = t.apply(pointwise("softplus", 1.0, np.inf), z)
    _ended(
        t, t.arithmetic("subtract", positive, t.apply(*t.arithmetic("multiply", y, z))), t.argument(4, MEAN)
    )


LOSSES: dict[str, Translate] = {
    "mse_loss": _of_difference(pointwise("square")),
    "l1_loss": _of_difference(FUNCTIONS["abs"]),
    "smooth_l1_loss": _of_difference(lambda t: pointwise("smooth l1", float(t.argument(3, 1.0)))),
    "huber_loss": _of_difference(lambda t: pointwise("huber", float(t.argument(3, 1.0)))),
    "nll_loss_forward": _cross_entropy,
    "nll_loss2d_forward": _cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
    "binary_cross_entropy_with_logits": _with_logits,
}
