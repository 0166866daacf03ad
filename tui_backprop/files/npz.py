"""Arrays in npz files, as numpy reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO
from zipfile import ZipFile

import numpy as np
from numpy.lib import format as npy

from tui_backprop.engine.primitives import Array


def write_npz(file: BinaryIO, arrays: Mapping[str, Array]) -> None:
    """Write arrays by name. Raises OSError. Unlike after ``np.savez``, an archive that is not complete has no
    directory, so that no reader takes it for a whole one, and nothing is written again later."""
    archive = ZipFile(file, "w")
    try:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy.write_array(member, np.asanyarray(array), allow_pickle=False)
        archive.close()
    except BaseException:
        archive.fp = None  # what ZipFile closes when it is collected
        raise
