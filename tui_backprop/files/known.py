"""Where the files are that sessions name by their content: the last path of each, kept in the state folder, so that
``--resume`` finds them again. A token holds no path: it names a file, but opens none that its user did not open
before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tui_backprop.files.decoder import DecodeError, decode_json
from tui_backprop.files.identity import Identity, Watch, wait
from tui_backprop.files.opener import read_named, read_own
from tui_backprop.support.atomic_write import replacing
from tui_backprop.support.errors import FileError, UserError
from tui_backprop.support.format import printable
from tui_backprop.support.memory import available
from tui_backprop.support.paths import display_path, own_folder, state_folder
from tui_backprop.support.validation import quoted

NAME = "known-files"
MOST = 100  # files
LONGEST = 2**20  # bytes

_here: dict[str, str] = {}  # those of this process
_writing = threading.Lock()


def known(folder: Path | None = None) -> dict[str, str]:
    """Return the paths by the digests of their contents, the latest last."""
    found: dict[str, str] = {}
    with suppress(OSError, DecodeError):
        found = decode_json(read_own((folder or state_folder()) / NAME, LONGEST), dict[str, str])
    return found | _here


def remember(digest: str, path: Path, folder: Path | None = None) -> None:
    """Keep the path of a content. Where no file can be kept, this process knows it."""
    import msgspec

    with _writing:
        paths = {each: where for each, where in known(folder).items() if each != digest}
        paths[digest] = _here[digest] = str(path.absolute())
        with suppress(OSError), replacing(own_folder(folder or state_folder()) / NAME, private=True) as file:
            file.write(msgspec.json.encode(dict([*paths.items()][-MOST:])))


def remember_file(field: str, path: Path, watch: Watch) -> None:
    """Keep the path of a file by its content, hashed with the progress going to ``watch``. Raises FileError if it
    cannot be read."""
    try:
        content = read_named(path, available().bytes // 2, pipes=False)
    except OSError as error:
        why = printable(error.strerror or error)
        raise FileError(field, f"{quoted(display_path(path))} cannot be read: {why}") from None
    Identity(content, path).then(lambda digest: remember(digest, path))
    wait(watch)


def fetch(digest: str, read: Callable[[Path], object]) -> None:
    """Read the file of a digest, or of the first half of one, where it was last; if it cannot be read there, nothing
    happens."""
    for each, path in known().items():
        if each.startswith(digest):
            with suppress(UserError):
                read(Path(path))
