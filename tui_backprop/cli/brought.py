"""What the options of a command bring: initial parameters and samples, typed or in files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_backprop.cli.streams import say
from tui_backprop.data.catalogue import DATASETS, TEXTS
from tui_backprop.data.info import SCALES
from tui_backprop.engine.frontends.dense import start
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import one_of

if TYPE_CHECKING:
    from tui_backprop.files.arrays import ArraysFile
    from tui_backprop.session.state import Session

FILES = ("weights", "data")  # options that name a file which an opened session may need
STDIN = "-"


# --- parameters --------------------------------------------------------------------------------------------


def weights_of(given: Mapping[str, Any]) -> ArraysFile | None:
    """Read the file of initial parameters, if one is given."""
    if "weights" not in given:
        return None
    from tui_backprop.session.brought_files import read_weights

    return read_weights(Path(given["weights"]))


def filed(network: NetworkSpec, file: ArraysFile) -> str:
    """Return the initial parameters in a file; say what was taken for what, and what is not finite."""
    shapes = start.shapes_of(network)
    found = start.start_of(file.name, file.identity.id, shapes)
    for line in start.report(file.name, file.identity.id, shapes):
        say(f"backprop-tui: {line}")
    return found


# --- samples -----------------------------------------------------------------------------------------------


def data_of(given: Mapping[str, Any], base: Session) -> str:
    """Return the data that the options ask for: of a file, typed, or a set by its name; otherwise those of ``base``,
    whose network takes either numbers or text."""
    name = str(given.get("data", base.data))
    if base.network.context:
        return _text(name, given, base.network.title)
    file = "data" in given and is_file(name)
    for option in ("target", "scale"):
        if option in given and not file:
            raise InputError(option, "requires --data with the name of a file, such as points.csv")
    if "x" in given or "y" in given:
        return typed(given)
    return _of_file(name, given) if file else one_of("data", name, DATASETS)


def is_file(name: str) -> bool:
    """Return True for the name of a file: with a suffix or a slash, or - for stdin."""
    return name == STDIN or "." in name or "/" in name


def _text(name: str, given: Mapping[str, Any], network: str) -> str:
    """Return the text of a file, or of a set by its name."""
    for option in ("x", "y", "target", "scale"):
        if option in given:
            raise InputError(option, f"{network} takes text, not numbers; give a file of it with --data")
    if not is_file(name):
        return one_of("data", name, TEXTS)
    from tui_backprop.data.text_file import read_documents
    from tui_backprop.session.brought_files import text_words

    data = read_documents(name)
    say(f"backprop-tui: {text_words(data)}")
    return data


def _of_file(name: str, given: Mapping[str, Any]) -> str:
    from tui_backprop.cli.progress import progress
    from tui_backprop.data.own import parsed
    from tui_backprop.data.table_file import read_samples
    from tui_backprop.session.brought_files import samples_words

    scale = one_of("scale", given["scale"], SCALES) if "scale" in given else ""
    with progress("bytes read") as watch:
        data = read_samples(name, str(given.get("target", "")), scale, watch)
    say(f"backprop-tui: {samples_words(data)}")
    if parsed(data).sha256 and name == STDIN:
        say("backprop-tui: what came from stdin is too much for a token, so the session cannot be resumed")
    return data


def typed(given: Mapping[str, Any]) -> str:
    """Return the samples of --x and --y. Raises InputError for the first thing that is wrong."""
    from tui_backprop.data.typed import typed_samples

    for option, other in (("x", "y"), ("y", "x")):
        if option not in given:
            raise InputError(option, f"--{other} requires it; write rows, such as [[0.05, 0.1]]")
    if "data" in given:
        raise InputError("x", "cannot be combined with --data")
    return typed_samples(str(given["x"]), str(given["y"]))


def hold_files(given: Mapping[str, Any]) -> None:
    """Note where the files are that a session needs which is opened."""
    from tui_backprop.cli.progress import progress
    from tui_backprop.files.known import remember_file

    with progress("bytes hashed") as watch:
        for option in FILES:
            if option in given:
                remember_file(option, Path(given[option]), watch)
