"""The numbers on the screen are those of the arrays that ``trace --save`` writes."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.explain.receipts import RECEIPTS
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.report.trace import save_arrays
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_update, next_sample

RESULT = re.compile(
    r"^= (?P<name>[\wδ]+)(?:\[(?P<at>[\d,]+)\])?[^\n]*?  +(?P<value>[+−]?[\d.,]+)\s*$", re.MULTILINE
)

EVERYTHING = Session(
    NetworkSpec(
        (2, 8, 8, 2), "gelu,silu", layer_norm=True, residual=True, dropout=0.3, l2=0.01, input_gradient=True
    ),
    "moons",
    batch=3,
)
WALK_ALONE = 70, 40  # columns, rows: one panel, with the array below the equation and not beside it
SHAPE = re.compile(r"\((?:\d+,?)+\)|number")


def saved(session: Session, path) -> dict[str, np.ndarray]:
    save_arrays(Replay().take(session), path)
    with np.load(path) as file:
        return dict(file)


def last_result(walk: str) -> tuple[str, tuple[int, ...], float, int]:
    """The last "=" row of the receipt: what it is of, where, its value and how many decimals are shown."""
    found = [*RESULT.finditer(walk)][-1]
    text = found["value"].replace("−", "-").replace(",", "")
    at = tuple(map(int, found["at"].split(","))) if found["at"] else ()
    return found["name"], at, float(text), len(text.partition(".")[2])


def held(arrays: dict[str, np.ndarray], session: Session, kind: str, name: str, at: tuple[int, ...]) -> float:
    """The value that the arrays have for a result: the first sample's, where they have a row for each."""
    if kind in ("loss", "penalty"):
        return float(arrays["loss" if name == "L" else name])
    if kind == "update":
        return float(arrays[name][at] - session.lr * arrays[f"d{name}"][at])
    array = arrays[ascii_formula(name)]
    return float(array[at if len(at) == array.ndim else (0, *at)])


@pytest.mark.parametrize("which", ["lesson", "xor", "sine", "everything"])
async def test_every_result_on_screen_is_the_value_in_the_saved_arrays(open_app, tmp_path, which):
    session = EVERYTHING if which == "everything" else from_preset(which)
    arrays, kinds = saved(session, tmp_path / "saved.npz"), set()
    async with open_app(session, size=WALK_ALONE) as ui:
        for _ in ui.app.snapshot.steps:
            step = ui.app.snapshot.step
            name, at, shown, decimals = last_result(ui.walk)
            value = held(arrays, session, step.kind, name, at)
            assert shown == pytest.approx(value, rel=1e-6, abs=0.5000001 * 10**-decimals), ui.walk
            assert decimals >= 2
            kinds.add(step.kind)
            await ui.press("right")
    everywhere = {"input", "affine", "activation", "loss", "output delta", "weights", "delta", "update"}
    assert kinds == (RECEIPTS.keys() if which == "everything" else everywhere)


async def test_a_selected_units_results_are_its_own_values_in_the_saved_arrays(open_app, tmp_path):
    session = Session()
    arrays = saved(session, tmp_path / "saved.npz")
    async with open_app(session, size=WALK_ALONE) as ui:
        for index in (1, 10, 13):
            await ui.press("home", *["right"] * index, "down", "down")
            name, at, shown, decimals = last_result(ui.walk)
            step = ui.app.snapshot.step
            assert at[-1] == ui.app.snapshot.unit(step.block)
            value = held(arrays, session, step.kind, name, at)
            assert shown == pytest.approx(value, rel=1e-6, abs=0.5000001 * 10**-decimals)


async def test_after_training_the_screen_shows_the_arrays_of_that_iteration(open_app, tmp_path):
    session = after_update(next_sample(after_update(Session())))
    arrays = saved(session, tmp_path / "saved.npz")
    async with open_app(size=WALK_ALONE) as ui:
        await ui.press("t", "n", "t", "end", "[")
        assert ui.app.session.update_log == session.update_log
        name, at, shown, decimals = last_result(ui.walk)
        value = held(arrays, session, "update", name, at)
        assert shown == pytest.approx(value, rel=1e-6, abs=0.5000001 * 10**-decimals)
        loss = re.search(r"loss ([\d.]+)", ui.status)
        assert float(loss[1]) == pytest.approx(float(arrays["loss"]), rel=1e-3)


@pytest.mark.parametrize("preset", ["lesson", "xor", "sine", "vanishing"])
async def test_every_step_shows_its_whole_formula_and_the_shapes(open_app, preset):
    async with open_app(from_preset(preset), size=WALK_ALONE) as ui:
        for _ in ui.app.snapshot.steps:
            step = ui.app.snapshot.step
            squeezed = re.sub(r"\s", "", ui.walk)
            assert step.formula.replace(" ", "") in SHAPE.sub("", squeezed), f"{step.formula}\n{ui.walk}"
            for _, shape in step.operands:
                assert not shape or f"({','.join(map(str, shape))}" in squeezed
            await ui.press("right")


async def test_each_sum_on_screen_adds_up(open_app):
    row = re.compile(r"^(?P<sign>[ −]) (?P<label>[^\n]*?)  +(?P<value>[+−]?\d+\.\d+)\s*$")
    async with open_app(size=WALK_ALONE) as ui:
        for _ in range(4):
            await ui.press("right")
            if ui.app.snapshot.step.kind != "affine":
                continue
            terms = [m["value"] for m in map(row.match, ui.walk.splitlines()) if m]
            _, _, total, decimals = last_result(ui.walk)
            assert len(terms) > 4
            added = sum(float(term.replace("−", "-")) for term in terms)
            assert added == pytest.approx(
                total, abs=0.51 * 10**-decimals * (len(terms) + 1)
            )  # each is rounded


async def test_the_backward_pass_ends_at_2_40_forward_passes(open_app):
    async with open_app(size=WALK_ALONE) as ui:
        ratios = []
        while ui.app.snapshot.step.phase != "update":
            ratios += re.findall(r"total ([\d.]+)x", ui.walk)
            await ui.press("right")
        assert ratios == sorted(ratios, key=float)
        assert ratios[-1] == "2.40"
        assert "1.00" in ratios  # the forward pass itself
        assert "gradient 2.40x" in ui.walk


async def test_backward_steps_name_what_they_reuse_of_the_forward_pass(open_app):
    async with open_app(size=WALK_ALONE) as ui:
        reused = []
        for _ in ui.app.snapshot.steps:
            named = re.findall(r"reused +(\S+) from the forward pass", ui.walk)
            assert bool(named) == (ui.app.snapshot.step.phase == "backward")
            reused += named
            await ui.press("right")
        assert reused == ["p", "a3", "z3", "a2", "z2", "a1", "z1", "x"]
