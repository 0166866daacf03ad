"""Every number on the screen is in the file that ``trace --save`` writes, or follows from it by plain numpy."""

from __future__ import annotations

import re
from decimal import Decimal

import numpy as np
import pytest
from click.testing import CliRunner

from tests.having import having
from tui_backprop.cli.main import main
from tui_backprop.engine.explain.notation import ascii_formula
from tui_backprop.engine.explain.receipts import RECEIPTS
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.session.session_parts import GRAINS
from tui_backprop.session.state import Session

NUMBER = r"[+−]?(?:\d[\d,]*\.?\d*(?:e[+-]\d+)?|∞)"
ROW = re.compile(rf"^([ =−×÷]) (\S.*?)(?:  +({NUMBER} × {NUMBER}(?: × {NUMBER})?))?  +({NUMBER})$")
NAMED = re.compile(r"(d?[Wbγβδxzuanhrm]|δ)(\d*)\[([\d,]+)\](?: (before|after|so far))?")
HALF = Decimal("0.5")
EVERYTHING = (
    "--input-gradient --layer-norm --residual --dropout 0.3 --l2 0.01"
    " --dtype float64 --sample 7 --batch 3 --lr 0.05"
)
CASES = {
    "lesson": ("--sample 0", Session()),
    "no bias, mse": (
        "--layers 784,12,12,10 --activation tanh --loss mse --no-bias --lr 0.5 --sample 0",
        Session(NetworkSpec((784, 12, 12, 10), "tanh", "mse", bias=False), lr=0.5),
    ),
    "everything": (
        f"--layers 2,5,5,5,2 --data moons --activation gelu,relu,tanh --loss cross-entropy {EVERYTHING}",
        Session(
            NetworkSpec(
                (2, 5, 5, 5, 2), "gelu,relu,tanh", "cross-entropy", dtype="float64", layer_norm=True,
                residual=True, dropout=0.3, l2=0.01, input_gradient=True,
            ),
            "moons", sample=7, batch=3, lr=0.05,
        ),
    ),
}  # fmt: skip


def amount(text):
    """The number that a text shows, and half a unit of its last digit."""
    plain = text.replace(",", "").replace("−", "-")
    value = Decimal(plain)
    return value, HALF * Decimal(1).scaleb(value.as_tuple().exponent)


def saved(options, path):
    result = CliRunner().invoke(main, ["trace", *options.split(), "--save", str(path)])
    assert result.exit_code == 0, result.output
    with np.load(path) as file:
        return {name: array.astype(float) for name, array in file.items()}


def array_of(kind, layer, file, session):
    """An array of the file by the name on the screen; what the file does not have is made from what it has."""
    name = ascii_formula(kind + layer)
    k = int(layer or 0)
    if name in file:
        return file[name]
    if kind == "m":
        return file[f"mask{k}"]
    if kind == "u":
        return (file[f"a{k - 1}"] if k > 1 else file["x"]) @ file[f"W{k}"]
    past = 0.0
    if kind in ("da", "dr", "dh") and session.network.adds_input(k + 1):
        past = array_of("da", str(k + 1), file, session)
    back = file[f"delta{k + 1}"] @ file[f"W{k + 1}"].T + past
    return back * file[f"mask{k}"] if kind == "dh" and session.network.dropout else back


def truth(found, file, session):
    """What a name with a place says, by the file; a value's first sample is meant where it has no other."""
    kind, layer, place, when = found.groups()
    index = tuple(map(int, place.split(",")))
    array = array_of(kind, layer, file, session)
    if when == "so far":
        k = int(layer)
        weights = kind == "dW"
        array = (
            (file[f"a{k - 1}"] if k > 1 else file["x"]).T @ file[f"delta{k}"]
            if weights
            else file[f"delta{k + 1}"] @ file[f"W{k + 1}"].T
        )
    value = array[(0, *index) if len(index) < array.ndim else index]
    if when == "after":
        value = value - session.lr * file[f"d{kind}{layer}"][index]
    return float(value)


def close(text, value):
    shown, half = amount(text)
    return abs(float(shown) - value) <= float(half) * 1.001 + 2e-6 * abs(value)


def checked_rows(text, file, session):
    """Compare every row of a receipt that names one number, or a product of them; how many there were."""
    count = 0
    for line in text.splitlines():
        row = ROW.match(line.rstrip())
        if not row:
            continue
        factors, value = row[3], row[4]
        label = row[2].split(" = ")[-1 if factors else 0]
        if whole := NAMED.fullmatch(label):
            assert close(value, truth(whole, file, session)), line
            count += 1
        elif factors and all(NAMED.fullmatch(part) for part in label.split(" · ")):
            for part, factor in zip(label.split(" · "), factors.split(" × "), strict=True):
                assert close(factor, truth(NAMED.fullmatch(part), file, session)), line
                count += 1
    return count


def sums(text):
    """Receipts on the screen: the shown summands, those of the rest too, and the shown total."""
    parts, rest = [], False
    for line in text.splitlines():
        row = ROW.match(line.rstrip())
        if not row:
            parts, rest = [], False
        elif row[1] == "=":
            if rest:
                yield line, parts, row[4]
            parts, rest = [], False
        elif row[1] in " −":
            parts.append((row[1], row[4]))
            rest |= "more terms" in row[2]
        else:
            parts, rest = [], False  # a product: its rows do not add up
    return


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("name", CASES)
async def test_the_numbers_of_every_step_are_those_of_the_saved_file(open_app, tmp_path, name, grain):
    options, session = CASES[name]
    file = saved(options, tmp_path / "pass.npz")
    seen, added = set(), 0
    async with open_app(having(session, grain=grain), size=(150, 90)) as ui:
        assert f"{file['loss']:.4g}"[:5] in ui.status
        for i, step in enumerate(ui.app.snapshot.steps):
            assert ui.step == i
            text = ui.walk
            if checked_rows(text, file, session):
                seen |= {piece.kind for piece in step.pieces}
            for line, parts, total in sums(text):
                came = sum(amount(value)[0] * (-1 if sign == "−" else 1) for sign, value in parts)
                assert abs(came - amount(total)[0]) <= (len(parts) + 1) * amount(total)[1], line
                added += 1
            await ui.press("right")
    assert seen >= {step.kind for step in ui.app.snapshot.steps for step in step.pieces} - {"loss", "penalty"}
    assert added or name == "everything"
    if name == "everything" and grain != "layer":
        assert seen >= RECEIPTS.keys() - {"loss", "penalty"}


async def test_the_number_panel_and_the_ranking_say_what_the_file_says(open_app, tmp_path):
    options, session = CASES["lesson"]
    file = saved(options, tmp_path / "pass.npz")
    async with open_app(session, size=(160, 70)) as ui:
        await ui.press("i")
        for keys, tensor in (("m", "x"), ("right_square_bracket", "W1"), ("right_square_bracket", "b1")):
            await ui.press(keys, *["right"] * 3)
            shown, index = ui.app.snapshot.number
            assert shown == tensor
            rows = ui.app.query_one("#number-view").text.splitlines()
            value = next(row.split()[1] for row in rows if row.startswith("value"))
            true = file[tensor][(0, *index) if tensor == "x" else index]
            assert close(value, true)
            if tensor != "x":
                gradient = next(row.split()[1] for row in rows if row.startswith("gradient"))
                assert close(gradient, file[f"d{tensor}"][index])
        await ui.press("b")
        ranked = re.findall(
            rf"(W|b)(\d)\[([\d,]+)\] +({NUMBER}) +({NUMBER})", ui.app.query_one("#blame-view").text
        )
        assert len(ranked) >= 10
        for kind, layer, place, value, gradient in ranked:
            index = tuple(map(int, place.split(",")))
            assert close(value, file[f"{kind}{layer}"][index])
            assert close(gradient, file[f"d{kind}{layer}"][index])
        order = np.sort(
            np.abs(np.concatenate([file[f"d{n}{k}"].ravel() for k in (1, 2, 3, 4) for n in "Wb"]))
        )
        for row, size in zip(ranked, order[::-1], strict=False):
            assert close(row[4].replace("−", "+"), size)


def test_the_reader_of_the_screen_sees_a_number_that_is_wrong():
    file, session = {"z1": np.array([[0.25, -1.5]])}, Session()
    assert checked_rows("= z1[1]   −1.50\n", file, session) == 1
    for wrong in ("= z1[1]   −1.51\n", "= z1[1]   +1.50\n", "= z1[0]   −1.50\n"):
        with pytest.raises(AssertionError):
            checked_rows(wrong, file, session)
    rows = "  a[1]   +0.10\n  7 more terms   −0.35\n= z1[0]   −0.25\n"
    ((_, parts, total),) = sums(rows)
    assert (len(parts), total) == (2, "−0.25")
