"""Files of arrays by name: npz, or safetensors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui_backprop.engine.primitives import Array
from tui_backprop.files.decoder import DecodeError
from tui_backprop.files.identity import Identity
from tui_backprop.files.npz import read_npz
from tui_backprop.files.opener import read_named
from tui_backprop.files.safetensors import read_safetensors
from tui_backprop.support.errors import FileError
from tui_backprop.support.format import printable
from tui_backprop.support.memory import available
from tui_backprop.support.paths import display_path
from tui_backprop.support.validation import quoted

USABLE = 0.25  # of free memory, for the content of a file
ZIP, PICKLE = b"PK", b"\x80"
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt")


@dataclass(frozen=True, eq=False)
class ArraysFile:
    """The ``arrays`` of a file by name, its ``path`` as it was given, the ``identity`` of its content, and its
    ``format``, npz or safetensors."""

    path: Path
    identity: Identity
    arrays: dict[str, Array]
    format: str

    @property
    def name(self) -> str:
        return self.path.name


def read_arrays(field: str, path: Path) -> ArraysFile:
    """Read a file of arrays. Raises FileError for the ``field`` that named it if it cannot be read, is too large for
    free memory, or does not hold plain numbers."""
    most = int(USABLE * available().bytes)
    try:
        content = read_named(path, most)
        form = "npz" if content.startswith(ZIP) else "safetensors"
        arrays = _decoded(path, content, most)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise FileError(field, f"{quoted(display_path(path))} cannot be read: {printable(why)}") from None
    return ArraysFile(path, Identity(content, path), arrays, form)


def _decoded(path: Path, content: bytes, most: int) -> dict[str, Array]:
    if path.suffix in PICKLES or content.startswith(PICKLE):
        raise DecodeError("a pickle may run code; save the arrays with safetensors or numpy.savez")
    arrays = read_npz(content, most) if content.startswith(ZIP) else read_safetensors(content)
    if not arrays:
        raise DecodeError("it has no arrays")
    return arrays
