"""The activation functions: one row each, with f and f'.

Exponentials are computed only of numbers that are at most zero, so none overflows."""

from __future__ import annotations

import math

from tui_backprop.engine.arrays.types import Array, np
from tui_backprop.engine.primitives.base import Primitive, copy
from tui_backprop.engine.primitives.elementwise import Activation, elementwise

LEAK = 0.01  # slope of leaky ReLU below zero, PyTorch's default
GELU_SCALE, GELU_CUBE = (2 / math.pi) ** 0.5, 0.044715  # Hendrycks and Gimpel 2016, the tanh form
GELU_FLAT = 30.0  # beyond it σ is 0 or 1 in double precision, and the cube could overflow


# Three functions of one side of zero. For complex arrays, the real part decides the side.


def above(to: Array, z: Array, zero: Array) -> None:
    """max(z, 0)"""
    if z.dtype.kind == "c":
        np.multiply(z, z.real > 0, out=to)
    else:
        np.maximum(z, zero, out=to)


def _below(to: Array, z: Array, zero: Array) -> None:
    """min(z, 0)"""
    if z.dtype.kind == "c":
        np.multiply(z, z.real <= 0, out=to)
    else:
        np.minimum(z, zero, out=to)


def decay(to: Array, z: Array) -> None:
    """e^−|z|"""
    if z.dtype.kind == "c":
        np.multiply(z, np.where(z.real > 0, -1, 1), out=to)
    else:
        np.abs(z, out=to)
        np.negative(to, out=to)
    np.exp(to, out=to)


def log1p(to: Array, x: Array) -> None:
    """ln(1 + x) to full relative precision; numpy's own of complex numbers is off by ε where x is small."""
    if x.dtype.kind == "c":
        r, i = x.real.copy(), x.imag.copy()
        to.real[...], to.imag[...] = np.log1p(r * (2 + r) + i * i) / 2, np.arctan2(i, 1 + r)
    else:
        np.log1p(x, out=to)


def sigmoid(a: Array, z: Array, zero: Array, room: Array) -> None:
    """σ(z) = e^min(z, 0) / (1 + e^−|z|), to full relative precision on both sides."""
    _below(a, z, zero)
    np.exp(a, out=a)
    decay(room, z)
    np.add(room, 1, out=room)
    np.divide(a, room, out=a)


def _softplus(a: Array, z: Array, zero: Array, room: Array) -> None:
    """ln(1 + e^z) = max(z, 0) + ln(1 + e^−|z|)"""
    decay(room, z)
    log1p(room, room)
    above(a, z, zero)
    np.add(a, room, out=a)


def _sigmoid_slope(d: Array, z: Array, a: Array, zero: Array, *_: Array) -> None:
    np.subtract(1, a, out=d)
    np.multiply(d, a, out=d)


def _softplus_slope(d: Array, z: Array, a: Array, zero: Array, room: Array) -> None:
    sigmoid(d, z, zero, room)


def _relu(a: Array, z: Array, zero: Array) -> None:
    above(a, z, zero)


def _relu_slope(d: Array, z: Array, a: Array, zero: Array, *_: Array) -> None:
    np.greater(z.real, zero.real, out=d)  # 0 at the kink, as PyTorch has it


def _leaky_relu(a: Array, z: Array, zero: Array, room: Array) -> None:
    _below(room, z, zero)
    np.multiply(room, LEAK, out=room)
    above(a, z, zero)
    np.add(a, room, out=a)


def _leaky_relu_slope(d: Array, z: Array, a: Array, zero: Array, *_: Array) -> None:
    np.greater(z.real, zero.real, out=d)
    np.maximum(d, LEAK, out=d)


def _elu(a: Array, z: Array, zero: Array, room: Array) -> None:
    _below(room, z, zero)
    np.expm1(room, out=room)
    above(a, z, zero)
    np.add(a, room, out=a)


def _elu_slope(d: Array, z: Array, a: Array, zero: Array, *_: Array) -> None:
    _below(d, z, zero)
    np.exp(d, out=d)


def _silu(a: Array, z: Array, zero: Array, room: Array) -> None:
    sigmoid(room, z, zero, a)
    np.multiply(z, room, out=a)


def _silu_slope(d: Array, z: Array, a: Array, zero: Array, room: Array) -> None:
    np.subtract(1, room, out=d)  # room still holds σ
    np.multiply(d, z, out=d)
    np.add(d, 1, out=d)
    np.multiply(d, room, out=d)


def _bounded(to: Array, z: Array) -> None:
    """z where GELU bends, and the bound where it is flat."""
    if z.dtype.kind == "c":
        np.copyto(to, np.where(np.abs(z.real) < GELU_FLAT, z, np.copysign(GELU_FLAT, z.real)))
    else:
        np.clip(z, -GELU_FLAT, GELU_FLAT, out=to)


def _gelu(a: Array, z: Array, zero: Array, s: Array, room: Array) -> None:
    """z (1 + tanh v) / 2 = z σ(2v) with v = √(2/π) (z + 0.044715 z³); as σ it keeps its relative precision."""
    _bounded(a, z)
    np.multiply(a, a, out=room)
    np.multiply(room, GELU_CUBE, out=room)
    np.add(room, 1, out=room)
    np.multiply(room, a, out=room)
    np.multiply(room, 2 * GELU_SCALE, out=room)
    sigmoid(s, room, zero, a)
    np.multiply(z, s, out=a)


def _gelu_slope(d: Array, z: Array, a: Array, zero: Array, s: Array, room: Array) -> None:
    """σ (1 + z (1 − σ) 2v') with the σ that the forward rule saved"""
    _bounded(d, z)
    np.multiply(d, d, out=d)
    np.multiply(d, 3 * GELU_CUBE, out=d)
    np.add(d, 1, out=d)
    np.multiply(d, 2 * GELU_SCALE, out=d)
    np.subtract(1, s, out=room)
    np.multiply(d, room, out=d)
    np.multiply(d, z, out=d)
    np.add(d, 1, out=d)
    np.multiply(d, s, out=d)


def _tanh(a: Array, z: Array, zero: Array) -> None:
    np.tanh(z, out=a)


def _tanh_slope(d: Array, z: Array, a: Array, zero: Array, *_: Array) -> None:
    np.multiply(a, a, out=d)
    np.subtract(1, d, out=d)


def _identity_slope(d: Array, z: Array, a: Array, zero: Array, *_: Array) -> None:
    d.fill(1)


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(
        _relu,
        _relu_slope,
        formula="max(0, {0} )",
        slope_formula="[ {0} > 0 ]",
        torch="torch.relu({0})",
        torch_slope="({0} > 0)",
        slope_dtype=bool,
        kink=True,
        can_die=True,
        zero_below=True,
    ),
    "leaky-relu": Activation(
        _leaky_relu,
        _leaky_relu_slope,
        formula="max(0.01 {0} , {0} )",
        slope_formula="[ 1 if {0} > 0 else 0.01 ]",
        torch="F.leaky_relu({0}, 0.01)",
        rooms=1,
        flops=4,
        slope_flops=2,
        kink=True,
    ),
    "elu": Activation(
        _elu,
        _elu_slope,
        formula="max(0, {0} ) + e^min(0, {0} ) − 1",
        slope_formula="e^min(0, {0} )",
        torch="F.elu({0})",
        rooms=1,
        flops=4,
        slope_flops=2,
    ),
    "gelu": Activation(
        _gelu,
        _gelu_slope,
        formula="½ {0} ( 1 + tanh(0.798 ( {0} + 0.0447 {0} ³)))",
        slope_formula="gelu'( {0} )",
        torch='F.gelu({0}, approximate="tanh")',
        rooms=2,
        flops=12,
        slope_flops=10,
        saves=True,
        can_die=True,
    ),
    "silu": Activation(
        _silu,
        _silu_slope,
        formula="{0} σ( {0} )",
        slope_formula="σ( {0} ) ( 1 + {0} − {y} )",
        torch="F.silu({0})",
        rooms=1,
        flops=6,
        slope_flops=4,
        saves=True,
        can_die=True,
    ),
    "softplus": Activation(
        _softplus,
        _softplus_slope,
        formula="ln( 1 + e^ {0} )",
        slope_formula="σ( {0} )",
        torch="F.softplus({0})",
        rooms=1,
        flops=4,
        slope_flops=5,
        can_die=True,
    ),
    "tanh": Activation(
        _tanh,
        _tanh_slope,
        formula="tanh( {0} )",
        slope_formula="( 1 − {y} ² )",
        torch="torch.tanh({0})",
        torch_slope="(1 - {y} ** 2)",
        slope_flops=2,
        bounds=(-1.0, 1.0),
    ),
    "sigmoid": Activation(
        sigmoid,
        _sigmoid_slope,
        formula="σ( {0} )",
        slope_formula="{y} ( 1 − {y} )",
        torch="torch.sigmoid({0})",
        torch_slope="{y} * (1 - {y})",
        rooms=1,
        flops=5,
        slope_flops=2,
        bounds=(0.0, 1.0),
    ),
    "identity": Activation(
        copy,
        _identity_slope,
        formula="{0}",
        slope_formula="1",
        torch="{0}",
        torch_slope="1",
        flops=0,
        slope_flops=0,
        slope_dtype=bool,
    ),
}


ELEMENTWISE: dict[str, Primitive] = {name: elementwise(name, row) for name, row in ACTIVATIONS.items()}
IDENTITY = ELEMENTWISE["identity"]
