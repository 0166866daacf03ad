"""Wrong ideas about the loss and its seed, signs, normalization, dropout and penalties."""

from __future__ import annotations

from tui_backprop.engine.arrays.types import np
from tui_backprop.engine.mutants.site import Site
from tui_backprop.engine.mutants.slopes import no_slope
from tui_backprop.engine.mutants.sums import nothing, samples
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.losses import LabelsLossCache, Loss, LossCache
from tui_backprop.engine.primitives.normalization import NormalizationCache


def _negated(x_bar: Array, *_: object) -> None:
    np.negative(x_bar, out=x_bar)


def target_minus_output(site: Site) -> Op | None:
    return site.spoiling(0, spoil=_negated) if isinstance(site.row, Loss) else None


def error_is_delta(site: Site) -> Op | None:
    """Take a − t for delta: without the 2/outputs of a mean of squares, and without the slope of the output."""
    row = site.row
    if isinstance(row, Loss) and row.over_outputs:

        def spoil(z_bar: Array, *_: object) -> None:
            np.multiply(z_bar, z_bar.shape[1] / 2, out=z_bar)

        return site.spoiling(0, spoil=spoil)
    readers = site.graph.readers.get(site.op.output, ())
    return no_slope(site) if any(isinstance(op.primitive, Loss) for op in readers) else None


def only_target(site: Site) -> Op | None:
    """Give a gradient to the logit of the target alone."""

    def spoil(z_bar: Array, _g: Array, _y: Array, _: LabelsLossCache, z: Array, t: Array) -> None:
        kept = np.arange(z.shape[-1]) == t[..., None]
        np.multiply(z_bar, kept, out=z_bar)

    return site.spoiling(0, spoil=spoil) if isinstance(site.row, Loss) and site.row.labels else None


def probability_is_delta(site: Site) -> Op | None:
    """Take p for delta, without the target."""
    row = site.row
    if not (isinstance(row, Loss) and row.probabilities):
        return None

    def rule(z_bar: Array, g: Array, _y: Array, room: LossCache, _z: Array, t: Array) -> None:
        counted = t[..., None] >= 0 if row.per_position else 1  # positions without a target have no loss
        np.multiply(room.left, counted * (g / samples(row, z_bar, room)), out=z_bar)

    return site.replacing({0: rule})


def sign_lost(site: Site) -> Op | None:
    """Lose the sign of 1 − p in d log(1 − p), or that of any number that is subtracted."""
    row = site.row
    if row.sign == "-":
        return site.spoiling(1, spoil=_negated)

    def rule(z_bar: Array, g: Array, _y: Array, room: LossCache, z: Array, t: Array) -> None:
        p = room.left
        np.multiply(-t * (1 - p) - (1 - t) * p, g / len(z), out=z_bar)

    binary = isinstance(row, Loss) and row.probabilities and not row.labels
    return site.replacing({0: rule}) if binary else None


def zero_seed(site: Site) -> Op | None:
    """Start from dL/dL = 0: the gradients as they would be before the backward pass."""
    at_end = site.op.output == site.graph.loss
    return site.replacing(dict.fromkeys(range(len(site.row.vjps)), nothing)) if at_end else None


def loss_as_seed(site: Site) -> Op | None:
    """Start from the loss instead of from dL/dL = 1."""

    def spoil(x_bar: Array, _g: Array, y: Array, *_: object) -> None:
        np.multiply(x_bar, y, out=x_bar)

    at_end = site.op.output == site.graph.loss
    return site.spoiling(*range(len(site.row.vjps)), spoil=spoil) if at_end else None


def constant_statistics(site: Site) -> Op | None:
    """Take the mean and the deviation of layer normalization for constants."""

    def rule(
        x_bar: Array, g: Array, _y: Array, room: NormalizationCache, x: Array, gain: Array, _: Array
    ) -> None:
        np.divide(g * gain, room.deviation, out=x_bar)

    return site.replacing({0: rule}) if site.row.kind == "normalization" else None


def no_mask(site: Site) -> Op | None:
    """Send gradients through units that were dropped."""

    def rule(x_bar: Array, g: Array, *_: object) -> None:
        np.copyto(x_bar, g)

    return site.replacing({0: rule}) if site.row.kind == "dropout" else None


def no_penalty(site: Site) -> Op | None:
    """Leave the penalty out of the gradient."""
    return site.replacing({1: nothing}) if site.row.kind == "penalty" else None
