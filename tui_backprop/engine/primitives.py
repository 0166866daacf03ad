"""The table of primitives: everything the engine knows about calculus is in this file.

A primitive computes ``y`` from its inputs ``x``, and has for each input i the two linear maps of the
derivative J_i = dy/dx_i: the VJP takes a cotangent of y back to one of x_i (reverse mode, backprop), the JVP
takes a tangent of x_i on to one of y (forward mode). A rule writes into the array it is given, its first
argument, so a pass allocates nothing. ``cache`` is what the forward rule leaves for the backward one.

    forward(y, cache, *x)
    vjps[i](x_bar, y_bar, y, cache, *x)      x_bar = y_bar J_i
    jvps[i](y_dot, x_dot, y, cache, *x)      y_dot = J_i x_dot

Shapes: samples are rows. ``a`` (n, fan_in), ``W`` (fan_in, fan_out), ``b`` (fan_out,), ``z`` (n, fan_out).
All rules also run on complex arrays, branching on the real part, so that the complex step can check them.

Formulas are written once, with field notation; ``{0}``, ``{1}`` stand for the inputs, ``{g}`` for the
cotangent of the output, ``{y}`` for the output. They are what the screen shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]
Rule = Callable[..., None]
Count = Callable[..., int]


@dataclass(frozen=True)
class Primitive:
    """One row of the table. ``flops`` and ``vjp_flops`` count floating-point operations from input shapes."""

    name: str
    forward: Rule
    vjps: tuple[Rule, ...]
    jvps: tuple[Rule, ...]
    flops: Count
    vjp_flops: tuple[Count, ...]
    formula: str
    vjp_formulas: tuple[str, ...]
    shape: Callable[..., Shape]
    cached: bool = False  # the forward rule fills a cache of the first input's shape
    in_place: bool = False  # y may share memory with input 0, and so may their cotangents
    macs: Count = lambda *shapes: 0  # multiply-accumulates, of the forward rule and of each VJP


def _size(shape: Shape) -> int:
    return int(np.prod(shape, dtype=object))


def _copy(to: Array, source: Array, *_: Array) -> None:
    if to is not source:
        np.copyto(to, source)


# --- matmul: y = a W --------------------------------------------------------------------------------------


def _matmul(y: Array, _: Array, a: Array, w: Array) -> None:
    np.matmul(a, w, out=y)


def _matmul_vjp_a(a_bar: Array, g: Array, _y: Array, _: Array, a: Array, w: Array) -> None:
    np.matmul(g, w.T, out=a_bar)


def _matmul_vjp_w(w_bar: Array, g: Array, _y: Array, _: Array, a: Array, w: Array) -> None:
    if len(a) == 1:
        np.multiply(a.T, g, out=w_bar)  # an outer product; matmul takes three to five times as long for it
    else:
        np.matmul(a.T, g, out=w_bar)


def _matmul_jvp_a(y_dot: Array, a_dot: Array, _y: Array, _: Array, a: Array, w: Array) -> None:
    np.matmul(a_dot, w, out=y_dot)


def _matmul_jvp_w(y_dot: Array, w_dot: Array, _y: Array, _: Array, a: Array, w: Array) -> None:
    np.matmul(a, w_dot, out=y_dot)


def _matmul_macs(a: Shape, w: Shape) -> int:
    return a[0] * w[0] * w[1]


# --- bias add: y = u + b ----------------------------------------------------------------------------------


def _bias_add(y: Array, _: Array, u: Array, b: Array) -> None:
    np.add(u, b, out=y)


def _bias_vjp_b(b_bar: Array, g: Array, *_: Array) -> None:
    np.sum(g, axis=0, out=b_bar)


# --- activations: one function, one derivative each; VJP and JVP multiply by that derivative --------------


@dataclass(frozen=True)
class Activation:
    """f and f' of an elementwise function. ``derivative`` may use z and a = f(z), whichever is cheaper."""

    forward: Callable[[Array, Array], None]  # (a, z): a = f(z)
    derivative: Callable[[Array, Array, Array], None]  # (d, z, a): d = f'(z)
    formula: str  # of f, with {0} = z
    slope: str  # of f', with {0} = z and {y} = a


LEAK = 0.01  # slope of leaky ReLU below zero, PyTorch's default


def _relu(a: Array, z: Array) -> None:
    if z.dtype.kind == "c":
        np.multiply(z, z.real > 0, out=a)
    else:
        np.maximum(z, 0, out=a)


def _relu_slope(d: Array, z: Array, a: Array) -> None:
    np.greater(z.real, 0, out=d)  # 0 at the kink, as PyTorch has it


def _leaky_relu(a: Array, z: Array) -> None:
    np.multiply(z, np.where(z.real > 0, 1.0, LEAK).astype(z.real.dtype), out=a)


def _leaky_relu_slope(d: Array, z: Array, a: Array) -> None:
    np.copyto(d, np.where(z.real > 0, 1.0, LEAK))


def _tanh(a: Array, z: Array) -> None:
    np.tanh(z, out=a)


def _tanh_slope(d: Array, z: Array, a: Array) -> None:
    np.multiply(a, a, out=d)
    np.subtract(1, d, out=d)


def _sigmoid(a: Array, z: Array) -> None:
    np.multiply(z, 0.5, out=a)  # 1 / (1 + e^-z) = (1 + tanh(z/2)) / 2, which cannot overflow
    np.tanh(a, out=a)
    np.add(a, 1, out=a)
    np.multiply(a, 0.5, out=a)


def _sigmoid_slope(d: Array, z: Array, a: Array) -> None:
    np.subtract(1, a, out=d)
    np.multiply(d, a, out=d)


def _one(d: Array, z: Array, a: Array) -> None:
    d.fill(1)


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(_relu, _relu_slope, "max(0, {0} )", "[ {0} > 0 ]"),
    "leaky-relu": Activation(
        _leaky_relu, _leaky_relu_slope, "max(0.01 {0} , {0} )", "[ 1 if {0} > 0 else 0.01 ]"
    ),
    "tanh": Activation(_tanh, _tanh_slope, "tanh( {0} )", "( 1 − {y} ² )"),
    "sigmoid": Activation(_sigmoid, _sigmoid_slope, "σ( {0} )", "{y} ( 1 − {y} )"),
    "identity": Activation(_copy, _one, "{0}", "1"),
}


def _elementwise(name: str, row: Activation) -> Primitive:
    def forward(y: Array, _: Array, z: Array) -> None:
        row.forward(y, z)

    def times_slope(to: Array, given: Array, y: Array, _: Array, z: Array) -> None:
        row.derivative(to, z, y)
        np.multiply(to, given, out=to)

    return Primitive(
        name=name,
        forward=forward,
        vjps=(times_slope,),
        jvps=(times_slope,),
        flops=lambda z: _size(z),
        vjp_flops=(lambda z: 2 * _size(z),),
        formula=row.formula,
        vjp_formulas=("{g} ⊙ " + row.slope,),
        shape=lambda z: z,
    )


# --- losses: y = L(z, t), averaged over the n samples; the target t has the output's shape ----------------


def _softmax_cross_entropy(loss: Array, p: Array, z: Array, t: Array) -> None:
    top = z.real.max(axis=1, keepdims=True)  # subtracting the largest logit keeps e^z from overflowing
    np.subtract(z, top, out=p)
    shifted_target = np.sum(p * t)
    np.exp(p, out=p)
    total = p.sum(axis=1, keepdims=True)
    loss[...] = (np.log(total).sum() - shifted_target) / len(z)
    np.divide(p, total, out=p)


def _binary_cross_entropy(loss: Array, p: Array, z: Array, t: Array) -> None:
    above = z.real > 0
    softplus = z * above + np.log1p(np.exp(np.where(above, -z, z)))  # log(1 + e^z) without overflow
    loss[...] = (softplus - z * t).sum() / len(z)
    _sigmoid(p, z)


def _mse(loss: Array, r: Array, z: Array, t: Array) -> None:
    np.subtract(z, t, out=r)
    loss[...] = np.sum(r * r) / z.size


def _half_squares(loss: Array, r: Array, z: Array, t: Array) -> None:
    np.subtract(z, t, out=r)
    loss[...] = np.sum(r * r) / (2 * len(z))


def _loss(
    name: str,
    forward: Rule,
    formula: str,
    vjp_formula: str,
    slope: Callable[[Array, Array, Array], None],
    scale: Callable[[Array], float],
) -> Primitive:
    """A loss whose derivative is ``slope`` (written from cache and target) times ``scale(z)``."""

    def vjp(z_bar: Array, g: Array, _y: Array, cache: Array, z: Array, t: Array) -> None:
        slope(z_bar, cache, t)
        np.multiply(z_bar, g * scale(z), out=z_bar)

    def jvp(y_dot: Array, z_dot: Array, _y: Array, cache: Array, z: Array, t: Array) -> None:
        direction = np.empty_like(cache)
        slope(direction, cache, t)
        y_dot[...] = np.sum(direction * z_dot) * scale(z)

    return Primitive(
        name=name,
        forward=forward,
        vjps=(vjp,),
        jvps=(jvp,),
        flops=lambda z, t: 5 * _size(z),
        vjp_flops=(lambda z, t: 2 * _size(z),),
        formula=formula,
        vjp_formulas=(vjp_formula,),
        shape=lambda z, t: (),
        cached=True,
    )


def _minus_target(d: Array, p: Array, t: Array) -> None:
    np.subtract(p, t, out=d)


def _residual(d: Array, r: Array, t: Array) -> None:
    np.copyto(d, r)


MATMUL = Primitive(
    name="matmul",
    forward=_matmul,
    vjps=(_matmul_vjp_a, _matmul_vjp_w),
    jvps=(_matmul_jvp_a, _matmul_jvp_w),
    flops=lambda a, w: 2 * _matmul_macs(a, w),
    vjp_flops=(lambda a, w: 2 * _matmul_macs(a, w), lambda a, w: 2 * _matmul_macs(a, w)),
    formula="{0} {1}",
    vjp_formulas=("{g} {1}ᵀ", "{0}ᵀ {g}"),
    shape=lambda a, w: (a[0], w[1]),
    macs=_matmul_macs,
)

BIAS_ADD = Primitive(
    name="bias add",
    forward=_bias_add,
    vjps=(_copy, _bias_vjp_b),
    jvps=(_copy, lambda y_dot, b_dot, *_: np.copyto(y_dot, b_dot)),
    flops=lambda u, b: _size(u),
    vjp_flops=(lambda u, b: 0, lambda u, b: _size(u) - _size(b)),
    formula="{0} + {1}",
    vjp_formulas=("{g}", "Σ {g}"),
    shape=lambda u, b: u,
    in_place=True,
)

ELEMENTWISE: dict[str, Primitive] = {name: _elementwise(name, row) for name, row in ACTIVATIONS.items()}

LOSSES: dict[str, Primitive] = {
    "cross-entropy": _loss(
        "softmax cross-entropy",
        _softmax_cross_entropy,
        "mean( − ln p[ {1} ] ) , p = softmax( {0} )",
        "( p − {1} ) / n",
        _minus_target,
        lambda z: 1 / len(z),
    ),
    "binary-cross-entropy": _loss(
        "binary cross-entropy",
        _binary_cross_entropy,
        "mean( Σ ( − {1} ln p − (1− {1} ) ln(1−p) ) ) , p = σ( {0} )",
        "( p − {1} ) / n",
        _minus_target,
        lambda z: 1 / len(z),
    ),
    "mse": _loss(
        "mean squared error",
        _mse,
        "mean( ( {0} − {1} )² )",
        "2 ( {0} − {1} ) / entries",
        _residual,
        lambda z: 2 / z.size,
    ),
    "half-squares": _loss(
        "half sum of squares",
        _half_squares,
        "mean( ½ Σ ( {0} − {1} )² )",
        "( {0} − {1} ) / n",
        _residual,
        lambda z: 1 / len(z),
    ),
}
