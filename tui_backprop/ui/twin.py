"""The plain twin of the walk: the same steps as text, as an object for programs, and as arrays in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tui_backprop.data.samples import cut
from tui_backprop.engine.notation import ascii_formula
from tui_backprop.engine.spec import SpecError, quoted
from tui_backprop.engine.trace import Step, walk
from tui_backprop.engine.train import Pass
from tui_backprop.engine.worked import worked
from tui_backprop.session import Session, at_step
from tui_backprop.ui.moment import Moment
from tui_backprop.ui.renderables.bars import sample_text
from tui_backprop.ui.renderables.equation import formula_with_shapes, receipt
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.spans import Line, line, plain
from tui_backprop.ui.renderables.tensor import statistics
from tui_backprop.ui.renderables.walk import closing_lines

COLUMNS = 100


def as_text(session: Session, taken: Pass, glyphs: Glyphs) -> str:
    """The whole walk, one block a step: what it does, formula and shapes, one unit's arithmetic, cost."""
    spec = session.network
    head = (
        f"network  {','.join(map(str, spec.layers))} {spec.activation}, {spec.loss}, init {spec.init},"
        f" seed {spec.seed}, {spec.dtype}, {spec.parameters:,} parameters"
    )
    steps = walk(spec, session.batch)
    blocks = [
        [line(head)],
        [line(f"data     {sample_text(session, Moment(session, steps, taken))}, α = {session.lr:g}")],
    ]
    for step in steps:
        moment = Moment(at_step(session, step.index), steps, taken)
        blocks.append([(), *_block(moment, step, glyphs)])
    return "\n".join(plain(glyphs.fit(row)).rstrip() for block in blocks for row in block)


def _block(moment: Moment, step: Step, glyphs: Glyphs) -> list[Line]:
    taken = moment.taken
    title = f"{step.index:>3}  {step.phase}, layer {step.layer}: {step.op}"
    summary = taken.summary(step.tensor, updated=step.phase == "update")
    body = formula_with_shapes(step, COLUMNS, glyphs)
    body += receipt(worked(taken, step, moment.unit(step.layer)), COLUMNS, step.phase, glyphs)
    if summary.size > 1:
        body.append(line(f"{step.tensor}  {statistics(summary, COLUMNS)}"))
    return [line(title), *(line("     ", *row) for row in [*body, *closing_lines(moment, COLUMNS)])]


def as_object(session: Session, taken: Pass) -> dict[str, Any]:
    """What ``trace --json`` prints: network, parameters, loss, steps."""
    spec = session.network
    return {
        "network": {
            "layers": list(spec.layers), "activation": spec.activation, "loss": spec.loss, "init": spec.init,
            "dtype": spec.dtype, "bias": spec.bias, "seed": spec.seed,
        },
        "data": {"name": session.data, "sample": session.sample, "batch": session.batch},
        "lr": session.lr,
        "parameters": spec.parameters,
        "loss": taken.loss,
        "loss_after": taken.loss_after,
        "steps": [
            {
                "index": step.index, "phase": step.phase, "layer": step.layer, "op": step.op,
                "formula": ascii_formula(step.formula),
                "shapes": {ascii_formula(name): list(shape) for name, shape in step.operands},
                "flops": step.flops, "macs": step.macs, "ratio": step.ratio,
            }
            for step in walk(spec, session.batch)
        ],
    }  # fmt: skip


def save_arrays(session: Session, taken: Pass, path: Path) -> int:
    """Write x, target, loss, and for each layer k Wk, bk, zk, ak, dWk, dbk, deltak; return
    how many arrays that is. Raises SpecError if the file cannot be written."""
    spec = session.network
    batch = cut(spec, session.data, session.sample, session.batch)
    arrays = {
        "x": taken.tensor("x"),
        "target": batch.target if spec.loss == "cross-entropy" else taken.tensor("t"),
        "loss": taken.tensor("L"),
    }
    for k in range(1, spec.depth + 1):
        for name in (f"W{k}", f"b{k}", f"z{k}", f"a{k}", f"dW{k}", f"db{k}", f"delta{k}"):
            if spec.bias or "b" not in name:
                arrays[name] = taken.tensor(name)
    try:
        with path.open("wb") as file:  # a path, not a name: numpy would add a second .npz
            np.savez(file, **arrays)  # type: ignore[arg-type]  # the stub takes every keyword for allow_pickle
    except OSError as error:
        raise SpecError("save", f"{quoted(str(path))} cannot be written: {error.strerror or error}") from None
    return len(arrays)
