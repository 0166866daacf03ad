"""How a convolutional network grows: by a factor in the channels and in the dense layers. Images, kernels and classes
stay as they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

from tui_backprop.engine.arrays.types import size
from tui_backprop.engine.frontends.conv.spec import ConvSpec
from tui_backprop.engine.network.family import Family, scaled

FIRST = 2**40  # of the numbers of the pattern: more than there are pixels


class LargeConv(ConvSpec):
    """A convolutional network of any size."""

    MOST: ClassVar[Mapping[str, float]] = dict.fromkeys(ConvSpec.MOST, math.inf)


@lru_cache(maxsize=32)
def family_of(spec: ConvSpec) -> Family:
    """Return the convolutional networks with the options of this one."""
    stages, positions = len(spec.channels), size(spec.shapes[-1][1][1:])
    channels = tuple(range(FIRST, FIRST + stages))
    dense = tuple(range(FIRST + stages, FIRST + stages + len(spec.dense)))

    def sizes(factor: float) -> dict[int, float]:
        units = zip((*channels, *dense), (*spec.channels, *spec.dense), strict=True)
        found = {number: factor * of for number, of in units}
        return {**found, positions * channels[-1]: positions * found[channels[-1]]}

    def settings(factor: float) -> dict[str, tuple[int, ...]]:
        return {name: tuple(scaled(n, factor) for n in getattr(spec, name)) for name in ("channels", "dense")}

    unbounded = LargeConv(**spec.settings)
    return Family(spec, unbounded, unbounded.changed(channels=channels, dense=dense), sizes, settings)
