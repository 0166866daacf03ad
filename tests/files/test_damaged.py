"""Files that are changed at random are read, or refused with a reason: nothing else is raised, nothing is warned."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import numpy as np
import pytest

from tui_backprop.data.table_file import _table
from tui_backprop.files.decoder import DecodeError
from tui_backprop.files.npz import read_npy, read_npz
from tui_backprop.files.safetensors import read_safetensors
from tui_backprop.support.errors import UserError

MOST = 10**6
ARRAYS = {"x": np.ones((4, 3)), "y": np.arange(4.0)}
HEADER = json.dumps({"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()


def written(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def table(content):
    return _table(content, "f.csv", "", Path("nowhere"), lambda done, of: None)


NPZ, PACKED = (
    written(lambda file, save=save: save(file, **ARRAYS)) for save in (np.savez, np.savez_compressed)
)
NPY = written(lambda file: np.save(file, ARRAYS["x"]))
TEXT = b"a,b,c\n1,2,3\n4,5,6\n7,8,x\n"
READERS = {
    "npz": (NPZ, lambda content: read_npz(content, MOST)),
    "packed npz": (PACKED, lambda content: read_npz(content, MOST)),
    "npy": (NPY, read_npy),
    "safetensors": (len(HEADER).to_bytes(8, "little") + HEADER + bytes(16), read_safetensors),
    "samples": (NPZ, table),
    "IDX": (bytes([0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3, 4]), table),
    "CSV": (TEXT, table),
    "TSV": (TEXT.replace(b",", b"\t"), table),
}


def damaged(rng, content):
    """Return a content with some bytes changed, dropped, added or doubled."""
    found = bytearray(content)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(found) + 1)
        match rng.randrange(4):
            case 0:
                found[at : at + 1] = rng.randbytes(1)
            case 1:
                del found[at : at + rng.randint(1, 20)]
            case 2:
                found[at:at] = rng.randbytes(rng.randint(1, 8))
            case 3:
                found[at:at] = found[rng.randrange(len(found) + 1) :][:10]
    return bytes(found)


@pytest.mark.parametrize("kind", READERS)
def test_a_damaged_file_is_read_or_refused(kind):
    content, read = READERS[kind]
    rng = random.Random(kind)
    for _ in range(150):
        try:
            read(damaged(rng, content))
        except (DecodeError, UserError, OSError):
            continue
