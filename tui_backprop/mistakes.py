"""Which samples a network reads wrong."""

from __future__ import annotations

import numpy as np

from tui_backprop.data.catalogue import LABEL_LOSSES, info
from tui_backprop.data.samples import cut
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.program import Program
from tui_backprop.session import Session

AT_ONCE = 256  # samples in a pass


def read_as(z: Array, loss: str) -> Array:
    """The classes that outputs (n, outputs) say, (n,): the largest one's, or class 1 where an only one says that this
    is likelier than not: a logit above 0, or with a loss of squares, whose targets are 0 and 1, above a half."""
    if z.shape[1] > 1:
        said: Array = np.argmax(np.nan_to_num(z, nan=-np.inf), axis=1)
    else:
        said = (z[:, 0] > (0 if loss in LABEL_LOSSES else 0.5)).astype(int)
    return said


def next_mistake(session: Session, parameters: Array, direction: int = 1) -> int | None:
    """The next sample after the session's (or the one before) that a network with these ``parameters`` (P,) reads
    wrong, going round at the ends; None if it reads all of them right, or if they have no classes. Nothing is
    dropped."""
    about, spec = info(session.data), session.network
    if not about.classes:
        return None
    program = Program(spec, AT_ONCE, parameters)
    for done in range(0, about.samples, AT_ONCE):
        first = (session.sample + (done + 1 if direction > 0 else -done - AT_ONCE)) % about.samples
        batch = cut(spec, session.data, first, AT_ONCE)
        program.feed(batch.x, batch.t)
        program.forward()
        wrong = np.flatnonzero(read_as(program.values[f"z{spec.depth}"], spec.loss) != batch.target)
        if len(wrong):
            return int(first + wrong[0 if direction > 0 else -1]) % about.samples
    return None
