"""How a GPT grows: by a factor f in width, f^(2/3) in depth and √f in heads, which is about how GPT-2 and GPT-3 grew.
Vocabulary and context, which belong to the text, stay as they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

from tui_backprop.engine.frontends.gpt.graph import HIDDEN
from tui_backprop.engine.frontends.gpt.spec import GptSpec
from tui_backprop.engine.network.family import Family, scaled

DEEPER, MORE_HEADS = 2 / 3, 1 / 2  # exponents of the factor
# The pattern; no product of two of them is another one, or four times the width.
VOCABULARY, CONTEXT, HEADS, HEAD_WIDTH, BLOCKS = 2, 3, 5, 7, 11
WIDTH = HEADS * HEAD_WIDTH
# In the pattern's two blocks: attention and MLP of the first stand for all but the last.
REPEATS = {2: BLOCKS, 3: BLOCKS, 4: 1, 5: 1}


class LargeGpt(GptSpec):
    """A GPT of any size."""

    MOST: ClassVar[Mapping[str, float]] = dict.fromkeys(GptSpec.MOST, math.inf)


@lru_cache(maxsize=32)
def family_of(spec: GptSpec) -> Family:
    """Return the GPTs with the options of this one."""

    def sizes(factor: float) -> dict[int, float]:
        heads, width = spec.heads * factor**MORE_HEADS, spec.width * factor
        return {
            VOCABULARY: spec.vocabulary, CONTEXT: spec.context, HEADS: heads, HEAD_WIDTH: width / heads,
            WIDTH: width, HIDDEN * WIDTH: HIDDEN * width, BLOCKS: spec.depth * factor**DEEPER - 1,
        }  # fmt: skip

    def settings(factor: float) -> dict[str, int]:
        heads = scaled(spec.heads, factor**MORE_HEADS)
        width = heads * scaled(spec.width, factor / heads)
        return {"heads": heads, "width": width, "depth": scaled(spec.depth, factor**DEEPER)}

    pattern = spec.changed(vocabulary=VOCABULARY, context=CONTEXT, heads=HEADS, width=WIDTH, depth=2)
    return Family(spec, LargeGpt(**spec.settings), pattern, sizes, settings, REPEATS)
