"""The files that a session names by their content: read, held, and found again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tui_backprop.data.catalogue import BROUGHT, info, title
from tui_backprop.engine.frontends.dense import start
from tui_backprop.files.arrays import ArraysFile, read_arrays
from tui_backprop.files.identity import Watch, wait
from tui_backprop.files.known import fetch, remember
from tui_backprop.support.errors import UserError
from tui_backprop.support.format import counted
from tui_backprop.support.validation import quoted


def read_weights(path: Path) -> ArraysFile:
    """Read a file of parameters, and hold its arrays for the starts that name it. Raises FileError."""
    found = read_arrays(start.FILE, path)
    held = start.Held(found.arrays, str(path), found.format)
    start.hold(found.identity.id, held)
    found.identity.then(lambda digest: start.hold(digest, held))
    found.identity.then(lambda digest: remember(digest, path))
    return found


def _numbered(classes: Sequence[str]) -> list[str]:
    """Name classes, with the number by which screens and reports name each, unless that is its name."""
    return [name if name == str(number) else f"{number} = {name}" for number, name in enumerate(classes)]


def samples_words(data: str) -> str:
    """Say what samples are: how many, their inputs and their target. Raises InputError if their file is not held."""
    from tui_backprop.data.own import table_of

    about, classes = info(data), table_of(data).classes
    values = f"{about.outputs} real values" if about.outputs > 1 else "a real value"
    target = f"classes {start.listed(_numbered(classes))}" if classes else values
    return f"{quoted(title(data))}: {about.samples:,} samples, inputs {about.inputs}, target: {target}"


def text_words(data: str) -> str:
    """Say what a text is: how many documents, of how many different characters."""
    about = info(data)
    kinds = counted(len(about.characters), "different character")
    return f"{quoted(title(data))}: {counted(about.samples, 'document')}, {kinds}"


def fetch_files(packed: dict[str, Any], watch: Watch) -> None:
    """Read the files that a decoded token and its bookmarks name, as far as their paths are known, and wait until
    they are hashed: ``watch`` is called with the progress. Nothing is known of the types in the token yet."""
    for each in _sessions(packed):
        network, data = each.get("network"), each.get("data")
        text = network.get("start") if isinstance(network, dict) else None
        if isinstance(text, str) and (lacking := start.missing(text)):
            fetch(lacking[1], read_weights)
        if isinstance(data, str) and data.startswith(BROUGHT):
            _fetch_data(data)
    wait(watch)


def _sessions(packed: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield packed
    marks = packed.get("bookmarked")
    yield from (each for each in (marks if isinstance(marks, list) else ()) if isinstance(each, dict))


def _fetch_data(data: str) -> None:
    from tui_backprop.data.own import missing
    from tui_backprop.data.table_file import read_samples
    from tui_backprop.data.text_file import read_documents

    try:
        lacking = missing(data)
    except UserError:
        return  # which is reported where the session is made
    if lacking:
        read = (
            partial(read_documents, name=lacking.name)
            if lacking.documents
            else partial(read_samples, target=lacking.target, scale=lacking.scale, name=lacking.name)
        )
        fetch(lacking.sha256, lambda path: read(str(path)))
