"""PyTorch's matrix products."""

from __future__ import annotations

from collections.abc import Callable

from tui_backprop.engine.frontends.recording.translation import Translation
from tui_backprop.engine.primitives.products import DOT, MATRIX_PRODUCT

Translate = Callable[[Translation], None]


def _product(t: Translation) -> None:
    t.make(MATRIX_PRODUCT, t.value(0), t.value(1))


def _product_added(t: Translation) -> None:
    """β x + α A B."""
    product = t.scaled(t.apply(MATRIX_PRODUCT, t.value(1), t.value(2)), t.argument(4, 1, "alpha"))
    t.make(*t.arithmetic("add", product, t.scaled(t.value(0), t.argument(3, 1, "beta"))))


def _linear(t: Translation) -> None:
    """x Wᵀ + b."""
    product = MATRIX_PRODUCT, t.value(0), t.turned(t.value(1), (1, 0))
    if t.present(2):
        t.make(*t.arithmetic("add", t.apply(*product), t.value(2)))
    else:
        t.make(*product)


PRODUCTS: dict[str, Translate] = {
    **dict.fromkeys(("mm", "bmm", "mv", "matmul"), _product),
    "dot": lambda t: t.make(DOT, t.value(0), t.value(1)),
    **dict.fromkeys(("addmm", "addmv", "baddbmm"), _product_added),
    "linear": _linear,
}
