"""Matrix products of any size: those of a few samples with wide weights are computed in another order of arrays."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.engine.primitives.linear import FEW_SAMPLES, MATMUL, SAMPLES, WIDE

EDGES = (1, 2, FEW_SAMPLES[0], FEW_SAMPLES[-1], FEW_SAMPLES[-1] + 1, SAMPLES, SAMPLES + 1)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("widths", [(WIDE, WIDE), (WIDE + 37, WIDE + 3), (WIDE - 1, 2 * WIDE)])
def test_the_vjp_by_the_input_is_g_times_the_transpose_for_any_number_of_samples(dtype, widths):
    for n in EDGES:
        rng = np.random.default_rng(n)
        shapes = (n, widths[0]), widths
        a, w, g = (rng.normal(size=(*s, 2)) @ [1, 1j] for s in (*shapes, (n, widths[1])))
        a, w, g = ((each if dtype[0] == "c" else each.real).astype(dtype) for each in (a, w, g))
        cache = MATMUL.room(np.dtype(dtype), *shapes)
        assert bool(cache) == (n in FEW_SAMPLES and min(widths) >= WIDE)
        a_bar = np.full_like(a, np.nan)
        for _ in range(2):
            MATMUL.vjps[0](a_bar, g, np.full_like(g, np.nan), cache, np.full_like(a, np.nan), w)
            wide = "complex128" if dtype[0] == "c" else "float64"
            bound = 4 * widths[1] * np.finfo(dtype).eps * (np.abs(g) @ np.abs(w).T)
            assert (np.abs(a_bar - g.astype(wide) @ w.astype(wide).T) <= bound).all()
