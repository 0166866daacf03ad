"""Functions of one number, entry by entry, for arrays of any shape. The derivative of |x| at 0 is 0, as in PyTorch,
and so is that of relu.

Of complex numbers, the real part decides where a function is not defined, and on which side of a kink it is."""

from __future__ import annotations

from dataclasses import replace

from tui_backprop.engine.arrays.types import Array, np
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.elementwise import Activation, elementwise


def _negate(y: Array, x: Array, zero: Array) -> None:
    np.negative(x, out=y)


def _minus_one(d: Array, x: Array, y: Array, zero: Array) -> None:
    d.fill(-1)


def _exp(y: Array, x: Array, zero: Array) -> None:
    np.exp(x, out=y)


def _output(d: Array, x: Array, y: Array, zero: Array) -> None:
    np.copyto(d, y)


def _log(y: Array, x: Array, zero: Array) -> None:
    np.log(x, out=y)
    _undefined(y, x)


def _undefined(y: Array, x: Array) -> None:
    """NaN below zero, where only the function of complex numbers has a value."""
    if x.dtype.kind == "c":
        np.copyto(y, np.nan, where=x.real < 0)


def _reciprocal(d: Array, x: Array, y: Array, zero: Array) -> None:
    np.divide(1, x, out=d)


def _sin(y: Array, x: Array, zero: Array) -> None:
    np.sin(x, out=y)


def _cos(y: Array, x: Array, *_: Array) -> None:
    np.cos(x, out=y)


def _sin_slope(d: Array, x: Array, y: Array, zero: Array) -> None:
    np.cos(x, out=d)


def _cos_slope(d: Array, x: Array, y: Array, zero: Array) -> None:
    np.sin(x, out=d)
    np.negative(d, out=d)


def _sqrt(y: Array, x: Array, zero: Array) -> None:
    np.sqrt(x, out=y)
    _undefined(y, x)


def _sqrt_slope(d: Array, x: Array, y: Array, zero: Array) -> None:
    np.divide(0.5, y, out=d)


def _abs(y: Array, x: Array, zero: Array) -> None:
    if x.dtype.kind == "c":
        np.multiply(x, np.sign(x.real), out=y)
    else:
        np.abs(x, out=y)


def _sign(d: Array, x: Array, y: Array, zero: Array) -> None:
    np.copyto(d, np.sign(x.real))


ROWS: dict[str, Activation] = {
    "negate": Activation(_negate, _minus_one, "− {0}", "( −1 )", "-{0}", torch_slope="-1"),
    "exp": Activation(_exp, _output, "e^( {0} )", "{y}", "torch.exp({0})", torch_slope="{y}", slope_flops=0),
    "log": Activation(_log, _reciprocal, "ln( {0} )", "1 / {0}", "torch.log({0})", torch_slope="1 / {0}"),
    "sin": Activation(_sin, _sin_slope, "sin( {0} )", "cos( {0} )", "torch.sin({0})", torch_slope="torch.cos({0})"),
    "cos": Activation(
        _cos, _cos_slope, "cos( {0} )", "( − sin( {0} ) )", "torch.cos({0})", torch_slope="-torch.sin({0})",
        slope_flops=2,
    ),
    "sqrt": Activation(_sqrt, _sqrt_slope, "√( {0} )", "½ / {y}", "torch.sqrt({0})", torch_slope="0.5 / {y}"),
    "abs": Activation(
        _abs, _sign, "| {0} |", "sign( {0} )", "torch.abs({0})", torch_slope="torch.sign({0})", kink=True,
    ),
    **{name: ACTIVATIONS[name] for name in ("tanh", "sigmoid", "relu")},
}  # fmt: skip

FUNCTIONS: dict[str, Primitive] = {name: elementwise(name, row, "function") for name, row in ROWS.items()}
COPY = elementwise("copy", replace(ACTIVATIONS["identity"], torch="{0}.clone()"), "function")


def _detached(y: Array, _: object, x: Array) -> None:
    np.copyto(y, x.real)


DETACH = Primitive(
    name="detach",
    kind="function",
    forward=_detached,
    vjps=(),
    jvps=(),
    formula="detach( {0} )",
    vjp_formulas=(),
    flops=lambda x: 0,
    vjp_flops=(),
    torch="{0}.detach()",
    detached=True,
)
