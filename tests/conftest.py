"""For all tests."""

from __future__ import annotations

import os

# Tests run side by side, one process a core. Threads of BLAS beside each other wait for each other most of the time.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# The tour of the first start is for the tests that are about it.
os.environ["BACKPROP_TUI_TOUR"] = "false"
