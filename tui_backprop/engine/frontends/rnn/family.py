"""How a recurrent network grows: by a factor f in its units, and √f in the steps that it is unrolled over, of which
there are at least two. The vocabulary stays as it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

from tui_backprop.engine.frontends.rnn.spec import RnnSpec
from tui_backprop.engine.network.family import Family, scaled

LONGER = 1 / 2  # exponent of the factor
LEAST_STEPS = 2
VOCABULARY, STEPS, HIDDEN, LATER = 2, 4, 5, 7  # numbers of the pattern
# Of its four steps, the first has no state before it, the second is the first to read Wh, and the third stands for
# all others but the last.
REPEATS = {1: 1, 2: 1, 3: LATER, 4: 1}


class LargeRnn(RnnSpec):
    """A recurrent network of any size."""

    MOST: ClassVar[Mapping[str, float]] = dict.fromkeys(RnnSpec.MOST, math.inf)


@lru_cache(maxsize=32)
def family_of(spec: RnnSpec) -> Family:
    """Return the recurrent networks with the options of this one."""

    def sizes(factor: float) -> dict[int, float]:
        steps = max(spec.context * factor**LONGER, LEAST_STEPS)
        return {VOCABULARY: spec.vocabulary, STEPS: steps, HIDDEN: factor * spec.hidden, LATER: steps - 3}

    def settings(factor: float) -> dict[str, int]:
        steps = max(scaled(spec.context, factor**LONGER), LEAST_STEPS)
        return {"hidden": scaled(spec.hidden, factor), "context": steps}

    pattern = spec.changed(vocabulary=VOCABULARY, hidden=HIDDEN, context=STEPS)
    return Family(spec, LargeRnn(**spec.settings), pattern, sizes, settings, REPEATS)
