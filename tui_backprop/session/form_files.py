"""The files that the network form names: they are opened on request, and then the fields hold what was in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tui_backprop.engine.frontends.dense import start
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.session.form_fields import AS_IT_IS, BY_INIT, TYPED, Texts, fields_of
from tui_backprop.session.network_form import chosen, network_of
from tui_backprop.session.state import Session
from tui_backprop.support.errors import InputError, UserError

Watch = Callable[[int, int], None]  # (bytes read, of how many)

ROWS = {
    "data": "file",
    "weights": "weights-file",
    "text": "text-file",
}  # the field of a path, by the one whose choice it is


# What says which content is opened: texts that are others since then have it opened again.
REQUEST = ("data", "file", "target", "scale", "weights", "weights-file", "text", "text-file")


@dataclass(frozen=True)
class Opened:
    """The ``texts`` of all fields after files were opened, and what was found in them, in ``words``."""

    texts: dict[str, str]
    words: tuple[str, ...]


def to_open(texts: Texts) -> tuple[str, ...]:
    """Return the fields with the path of a file that is to be opened."""
    return tuple(field.name for field in fields_of(texts) if field.path)


def same_request(texts: Texts, others: Texts) -> bool:
    """Check whether two sets of texts ask for the same contents of files."""
    return all(texts[name] == others[name] for name in REQUEST)


def lost_weights(texts: Texts, after: Session) -> bool:
    """Check whether initial parameters that were brought fit nothing in the network of a session."""
    network = after.network.healthy
    brought = texts["weights"] not in (BY_INIT, TYPED) or bool(
        texts["weights"] == TYPED and texts["set"].strip()
    )
    return brought and isinstance(network, NetworkSpec) and not network.start


def opened(texts: Texts, before: Session, watch: Watch) -> Opened:
    """Open the files that the fields name. Raises UserError, naming a field, for the first one that cannot be read or
    does not fit, and whatever ``watch`` raises."""
    found = Opened(dict(texts), ())
    for name, read in OPENERS:
        if name in to_open(texts):
            try:
                more = read(found.texts, before, watch)
            except UserError as error:
                raise type(error)(ROWS.get(error.field, error.field), error.message) from None
            found = Opened(more.texts, (*found.words, *more.words))
    return found


def _with_text(texts: dict[str, str], before: Session, watch: Watch) -> Opened:
    """Return the fields with the text of a file."""
    from tui_backprop.data.text_file import read_documents
    from tui_backprop.session.brought_files import text_words

    data = read_documents(_path(texts, "text-file", "names.txt"))
    return Opened(chosen("text", data, texts), (text_words(data),))


def _path(texts: Texts, name: str, example: str) -> str:
    if not texts[name].strip():
        raise InputError(name, f"name a file, such as {example}")
    return texts[name] if not texts[name].startswith("~") else str(Path(texts[name]).expanduser())


def _with_samples(texts: dict[str, str], before: Session, watch: Watch) -> Opened:
    """Return the fields with the samples of a file, and a network that fits them."""
    from tui_backprop.data.table_file import read_samples
    from tui_backprop.session.brought_files import samples_words

    scale = "" if texts["scale"] == AS_IT_IS else texts["scale"]
    data = read_samples(_path(texts, "file", "points.csv"), texts["target"], scale, watch)
    return Opened(chosen("data", data, texts), (samples_words(data),))


def _with_weights(texts: dict[str, str], before: Session, watch: Watch) -> Opened:
    """Return the fields with the initial parameters in a file, and its layers."""
    from tui_backprop.engine.frontends.dense.matching import layers_in
    from tui_backprop.session.brought_files import read_weights

    file = read_weights(Path(_path(texts, "weights-file", "weights.npz")))
    layers = layers_in(file.arrays)
    texts = {**texts, "layers": ",".join(map(str, layers))} if layers else texts
    shapes = start.shapes_of(network_of(texts, before.network.healthy))
    text = start.start_of(file.name, file.identity.id, shapes)
    words = tuple(start.report(file.name, file.identity.id, shapes))
    filed = start.is_reference(text)
    return Opened({**texts, "weights": text if filed else TYPED, "set": "" if filed else text}, words)


OPENERS = (("file", _with_samples), ("weights-file", _with_weights), ("text-file", _with_text))
