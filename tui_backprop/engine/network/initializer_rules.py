"""The table of initializations: how the weights of a layer are drawn. numpy is loaded only when a rule runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_backprop.engine.arrays.types import Array, np
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import one_of, positive_number

if TYPE_CHECKING:
    Stream = Callable[[], np.random.Generator]


@dataclass(frozen=True, eq=False, repr=False)
class Initializer:
    """One row: either the standard deviation of normal weights, ``deviation(fan_in, fan_out, size)``, or ``fill(w,
    stream, size)``, which writes a weight matrix and may draw from ``stream()``; zeros without either.

    ``size`` is the default of a size that users can set, as in normal:0.02; None if there is none. It may be negative
    if ``signed``. ``scratch`` is the bytes per entry that writing a matrix takes at the most: the result in double
    precision, and the work space of LAPACK."""

    deviation: Callable[[int, int, float], float] | None = None
    fill: Callable[[Array, Stream, float], None] | None = None
    size: float | None = None
    signed: bool = False
    scratch: int = 0


def _orthogonal(w: Array, stream: Stream, _: float) -> None:
    """Fill with orthonormal rows or columns, whichever are fewer (Saxe et al. 2014), in double precision."""
    tall = stream().standard_normal((max(w.shape), min(w.shape)))
    q, r = np.linalg.qr(tall)
    q *= np.where(np.diag(r) < 0, -1, 1)  # makes the draw uniform (Mezzadri 2007)
    np.copyto(w, q if w.shape[0] >= w.shape[1] else q.T, casting="same_kind")


# He et al. 2015 for ReLU; Glorot and Bengio 2010 ("xavier") and LeCun et al. 1998 for tanh and sigmoid.
INITIALIZERS: dict[str, Initializer] = {
    "he": Initializer(lambda fan_in, fan_out, size: (2 / fan_in) ** 0.5),
    "xavier": Initializer(lambda fan_in, fan_out, size: (2 / (fan_in + fan_out)) ** 0.5),
    "lecun": Initializer(lambda fan_in, fan_out, size: (1 / fan_in) ** 0.5),
    "orthogonal": Initializer(fill=_orthogonal, scratch=47),
    "normal": Initializer(lambda fan_in, fan_out, size: size, size=0.01),
    "constant": Initializer(fill=lambda w, stream, size: w.fill(size), size=0.1, signed=True),
    "zeros": Initializer(),
}


def parse_init(text: str) -> tuple[str, float]:
    """Parse the name of an initialization and its size: the standard deviation of normal, the value of constant."""
    name, colon, size = str(text).partition(":")
    row = INITIALIZERS[one_of("init", name, INITIALIZERS)]
    if colon and row.size is None:
        sized = " and ".join(name for name, row in INITIALIZERS.items() if row.size is not None)
        raise InputError("init", f"{name} takes no size; {sized} do, such as normal:0.02")
    if row.signed and size.startswith("-"):
        return name, -positive_number("init", size.removeprefix("-"))
    return name, positive_number("init", size) if colon else row.size or 0.0
