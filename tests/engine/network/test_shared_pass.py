"""A pass that threads share gives what one thread computes, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.engine.arrays.team import Team
from tui_backprop.engine.frontends.conv.spec import ConvSpec
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network import shared_pass
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives.linear import SAMPLES, WEIGHT_ROWS, parts

OPTIONS = (
    {},
    {"activation": "gelu", "layer_norm": True},
    {"activation": "sigmoid", "residual": True, "dropout": 0.3},
    {"activation": "elu,leaky-relu,silu", "loss": "mse", "l2": 0.1, "l2_bias": True},
    {"activation": "tanh", "loss": "binary-cross-entropy", "bias": False, "l2": 0.01},
    {"activation": "softplus", "layer_norm": True, "residual": True, "dropout": 0.2, "l2": 0.1},
)


def random_pass(seed):
    """A network and a batch of sizes on both sides of where parts begin."""
    rng = np.random.default_rng(seed)
    options = OPTIONS[seed % len(OPTIONS)]
    hidden = int(rng.integers(1, 4))
    widths = rng.integers(1, 40, size=hidden + 2)
    if options.get("residual"):
        widths[1:-1] = widths[1]
    widths[0] = rng.choice([1, 7, WEIGHT_ROWS, WEIGHT_ROWS + 1, 3 * WEIGHT_ROWS + 5])
    widths[-1] = max(widths[-1], 2)
    if "," in options.get("activation", ""):
        options = options | {"activation": options["activation"].split(",")[hidden - 1]}
    spec = NetworkSpec(tuple(map(int, widths)), dtype=("float32", "float64")[seed % 2], **options)
    batch = int(rng.choice([1, 2, 33, SAMPLES, SAMPLES + 1, 2 * SAMPLES, 3 * SAMPLES + 17, 9 * SAMPLES + 1]))
    program = Program(spec, batch, rng.normal(scale=0.3, size=spec.parameters).astype(spec.dtype))
    target = program.values["t"]
    labels = target.dtype.kind == "i"
    program.feed(
        rng.normal(size=(batch, spec.layers[0])).astype(spec.dtype),
        rng.integers(spec.layers[-1], size=batch) if labels else rng.random(target.shape).astype(spec.dtype),
    )
    program.draw(rng)
    return program


def bits(program):
    """All values and gradients of a pass that begins with none of them."""
    for array in (*program.cotangents.values(), program.gradient):
        if array.shape:
            array.fill(np.nan)
    program.forward()
    program.backward()
    arrays = (program.values | {f"d{name}": each for name, each in program.cotangents.items()}).values()
    return [array.tobytes() for array in arrays]


@pytest.fixture
def with_threads(monkeypatch):
    """A function that makes passes of any size shared among so many threads."""
    teams = {threads: Team(threads) for threads in (1, 2, 3, 4)}

    def share(threads):
        monkeypatch.setattr(shared_pass, "team", lambda: teams[threads])

    return share


@pytest.mark.parametrize("seeds", [range(start, start + 20) for start in range(0, 200, 20)], ids=str)
def test_one_to_four_threads_give_the_same_bits_as_a_pass_that_is_not_shared(
    monkeypatch, with_threads, seeds
):
    for seed in seeds:
        alone = bits(random_pass(seed))
        with monkeypatch.context() as small:
            small.setattr(shared_pass, "LEAST_MACS", 0)
            for threads in (1, 2, 3, 4):
                with_threads(threads)
                program = random_pass(seed)
                assert bits(program) == alone, (seed, threads)
                assert len(program._down) == 2
                assert len(program._up) == (2 if program.batch <= SAMPLES else 3)


@pytest.mark.parametrize("batch", [2, 32, 100, 256])
def test_a_wide_network_gives_the_same_bits_too(monkeypatch, with_threads, batch):
    def wide():
        rng = np.random.default_rng(batch)
        spec = NetworkSpec((300, 150, 200, 140, 10), layer_norm=True, l2=0.1)
        program = Program(spec, batch, rng.normal(scale=0.1, size=spec.parameters).astype("float32"))
        program.feed(rng.normal(size=(batch, 300)).astype("float32"), rng.integers(10, size=batch))
        return program

    alone = bits(wide())
    monkeypatch.setattr(shared_pass, "LEAST_MACS", 0)
    for threads in (1, 2, 4):
        with_threads(threads)
        program = wide()
        for _ in range(5):
            assert bits(program) == alone


def test_step_by_step_gives_the_same_bits(monkeypatch, with_threads):
    monkeypatch.setattr(shared_pass, "LEAST_MACS", 0)
    with_threads(2)
    for seed in range(12):
        program = random_pass(seed)
        program.forward()
        values = [array.tobytes() for array in program.values.values()]
        for _ in program.steps():
            pass
        assert [array.tobytes() for array in program.values.values()] == values


def test_small_passes_are_not_shared_and_large_ones_are():
    spec = NetworkSpec()
    for batch, down, up in ((1, [1], [1]), (32, [1, 1], [1, 9]), (256, [2, 1], [1, 2, 8])):
        program = Program(spec, batch)
        assert [len(phase) for phase in program._down] == down
        assert [len(phase) for phase in program._up] == up


def test_parts_are_whole_and_a_few_of_them_divide_as_all_of_them_do():
    for most in (1, 5, 128):
        for rows in range(1, 3 * most + 2):
            divided = parts(rows, most)
            assert [i for part in divided for i in range(rows)[part]] == [*range(rows)]
            for few in parts(rows, 2 * most):
                inside = [
                    slice(few.start + part.start, few.start + part.stop)
                    for part in parts(few.stop - few.start, most)
                ]
                assert set(map(str, inside)) <= set(map(str, divided))


def test_gradients_of_kernels_are_not_divided_by_rows(monkeypatch):
    monkeypatch.setattr(shared_pass, "LEAST_MACS", 0)
    spec = ConvSpec((2, 3), (3,), (1,), (1,), "max", (4,), "tanh", False, (1, 7, 6), 3, dtype="float64")
    program = Program(spec, 3 * SAMPLES, np.full(spec.parameters, 0.1))
    kernels = [visit for visit in spec.graph.backward_visits if visit.writes in ("W1", "W2")]
    assert len(kernels) == 2
    assert not any(map(shared_pass.by_rows, kernels))
    assert len(shared_pass.backward_phases(program)) == 1  # one thread walks up
