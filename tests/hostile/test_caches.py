"""A cost.json of any content: a cost model that gives finite costs, or none."""

from __future__ import annotations

import math
import random
import re

from tests.cost.machines import machine
from tests.hostile.chance import cases, told
from tui_backprop.cost.measure import cache
from tui_backprop.cost.model.landmarks import KNOWN
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import PASS_KINDS
from tui_backprop.engine.frontends.dense.spec import NetworkSpec

NUMBERS = (
    "0",
    "-1",
    "1e308",
    "1e-308",
    "1e400",
    "NaN",
    "null",
    "true",
    '"x"',
    "[]",
    "{}",
    "1.5",
    "9" * 400,
    "1e-300",
)
SHAPE = shape_of(NetworkSpec())


def damaged(text: str, chance: random.Random) -> bytes:
    match chance.randint(0, 5):
        case 0:  # a number
            spots = [*re.finditer(r"(?<=[:,\[])-?\d[\d.e+-]*", text)]
            spot = chance.choice(spots)
            return f"{text[: spot.start()]}{chance.choice(NUMBERS)}{text[spot.end() :]}".encode()
        case 1:  # every number of one name
            name = chance.choice(["low", "median", "high", "runs", "seed", "dropout", "l2", "format"])
            return re.sub(rf'"{name}":[^,}}]*', f'"{name}":{chance.choice(NUMBERS)}', text).encode()
        case 2:  # every list of one name
            name = chance.choice(["widths", "layers", "sizes", "rates", "points"])
            items = ",".join(chance.choices(NUMBERS, k=chance.randint(0, 5)))
            return re.sub(rf'"{name}":\[[^]]*', f'"{name}":[{items}', text).encode()
        case 3:
            return text[: chance.randrange(len(text))].encode() + b"[" * chance.choice([0, 1, 100_000])
        case 4:
            at = chance.randrange(len(text))
            return text[:at].encode() + chance.randbytes(chance.randint(1, 9)) + text[at:].encode()
    return chance.randbytes(chance.randint(0, 999))


def test_any_cache_is_a_cost_model_of_finite_costs_or_none(tmp_path):
    assert cache.store(machine((1e3, 1e5, 1e7), tuple(PASS_KINDS)), tmp_path)
    path = tmp_path / cache.NAME
    text = path.read_text()
    for chance in cases(150):
        path.write_bytes(content := damaged(text, chance))
        with told(content):
            found = cache.load(tmp_path)
            if found is None:
                continue
            for method in COST_METHODS:
                for parameters in (1e3, KNOWN[-1][1]):
                    cost = found.gradient(method, SHAPE.at(parameters))
                    assert 0 < cost.low <= cost.middle <= cost.high
                    assert math.isfinite(cost.high)
            assert all(math.isfinite(each.off) for each in (*found.left_out, *found.beyond))
