"""The initial parameters that are given to a dense network instead of drawn.

A start is a text. That of a few parameters holds their numbers, ``W1=[[0.15,0.25],[0.2,0.3]],b1=[0.35,0.35]``,
wherever they came from. That of many names a file by its content, ``weights.npz#`` and the first half of its SHA-256;
its arrays are held by this process. Parameters that a start does not name are drawn. Nothing here needs numpy unless
there is a file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from tui_backprop.engine.arrays.types import Array, Shape, size
from tui_backprop.engine.frontends.dense import names
from tui_backprop.engine.network.value import InTorch, Role
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import quoted

if TYPE_CHECKING:
    from tui_backprop.engine.frontends.dense.matching import Match
    from tui_backprop.engine.frontends.dense.spec import NetworkSpec

FIELD, FILE = "set", "weights"
INSIDE = 4000  # parameters whose numbers are part of the start
LONGEST = 30 * INSIDE  # characters
EXAMPLE = "W1=[[0.15, 0.25], [0.2, 0.3]], b1=0.35"
DIGITS = 32  # of a file's SHA-256, in hexadecimal
REFERENCE = re.compile(rf"(?P<name>[^#\n]{{1,255}})#(?P<digest>[0-9a-f]{{{DIGITS}}})")
ONE = re.compile(r"\s*(?P<name>\w+)\s*=(?P<value>.*)", re.DOTALL)


class Misfit(InputError):
    """A parameter that a network does not have, or has in another shape."""


Shapes = tuple[tuple[str, Shape], ...]  # of all parameters, by name, in order


@dataclass(frozen=True, eq=False)
class Held:
    """The ``arrays`` of a file by their names in it, its ``path`` as it was given, and its ``format``."""

    arrays: Mapping[str, Array]
    path: str = ""
    format: str = "npz"


# How PyTorch opens a file of a format, and reads an array of it as a leaf tensor.
IN_TORCH = {
    "npz": InTorch(
        "import numpy; file = numpy.load({path})",
        "torch.tensor(file[{key}]{turned}, dtype=torch.{dtype}, requires_grad=True)",
    ),
    "safetensors": InTorch(
        "from safetensors.torch import load_file; file = load_file({path})",
        "file[{key}]{turned}.to(torch.{dtype}).requires_grad_()",
    ),
}

_held: dict[str, Held] = {}  # by digest


def parameters_of(spec: NetworkSpec) -> Iterator[tuple[str, Role, Shape, int]]:
    """Iterate over the parameters of a network: name, role, shape, layer."""
    for k, (fan_in, fan_out) in enumerate(spec.fans, 1):
        norm = spec.layer_norm and k < spec.depth
        yield names.weight(k), "weight", (fan_in, fan_out), k
        if spec.bias:
            yield names.bias(k), "bias", (fan_out,), k
        if norm:
            yield names.gain(k), "gain", (fan_out,), k
            yield names.shift(k), "shift", (fan_out,), k


def shapes_of(spec: NetworkSpec) -> Shapes:
    """Return the shapes of all parameters of a network."""
    return tuple((name, shape) for name, _, shape, _ in parameters_of(spec))


@lru_cache(maxsize=64)
def canonical(text: str, shapes: Shapes) -> str:
    """Return the one text of a start: each parameter with all its entries, in the order of the network. Raises
    InputError for one that does not fit, and for a file that is not held."""
    if is_reference(text):
        arrays_of(text, shapes)
        return text
    given = numbers_of(text, shapes)
    return ",".join(f"{name}={_nested(given[name], shape)}" for name, shape in shapes if name in given)


@lru_cache(maxsize=64)
def kept(text: str, shapes: Shapes) -> str:
    """Return what of a start is left in a network of other shapes: the parameters that it has, too; of a file, all or
    none. Raises InputError for what is no start, and for a file that is not held."""
    if is_reference(text):
        return canonical(text, shapes) if _fits(text, shapes) else ""
    parts = [part for part in _parts(text) if _fits(part, shapes)]
    return canonical(",".join(parts), shapes) if parts else ""


def _fits(text: str, shapes: Shapes) -> bool:
    """Return False for a start with a parameter that a network does not have in its shape."""
    try:
        canonical(text, shapes)
    except Misfit:
        return False
    return True


def _nested(numbers: Iterable[float], shape: Shape) -> str:
    """Write numbers as nested lists."""
    texts = [repr(number + 0.0) for number in numbers]
    for length in reversed(shape):
        texts = [f"[{','.join(texts[i : i + length])}]" for i in range(0, len(texts), length)]
    return texts[0]


@lru_cache(maxsize=64)
def numbers_of(text: str, shapes: Shapes) -> Mapping[str, tuple[float, ...]]:
    """Return the numbers that a start holds, row by row; a single one fills its parameter. Raises InputError."""
    if REFERENCE.fullmatch(text):
        return {}
    found: dict[str, tuple[float, ...]] = {}
    for part in _parts(text):
        name, numbers = _one(part, dict(shapes))
        if name in found:
            raise InputError(FIELD, f"{name} is given twice; give each parameter once")
        found[name] = numbers
    return found


def _parts(text: str) -> Iterator[str]:
    from tui_backprop.engine.frontends.expression.lets import parts_of

    if len(text) > LONGEST:
        raise InputError(FIELD, f"{len(text):,} characters; at most {LONGEST:,} are allowed")
    return parts_of(text)


def _one(part: str, shapes: Mapping[str, Shape]) -> tuple[str, tuple[float, ...]]:
    from tui_backprop.engine.frontends.expression.lets import array_of
    from tui_backprop.engine.frontends.expression.syntax import checked_text

    one = ONE.fullmatch(part)
    if one is None:
        what = (
            f"{quoted(part.strip())} gives no number to a parameter" if part.strip() else "a name is missing"
        )
        raise InputError(FIELD, f"{what}; write it like {EXAMPLE}")
    name = one["name"]
    if name not in shapes:
        raise Misfit(FIELD, f"there is no parameter {quoted(name)}; choose from {listed(shapes)}")
    wanted = shapes[name]
    numbers, shape = array_of(FIELD, name, checked_text(FIELD, one["value"].strip(), LONGEST))
    if shape not in ((), wanted):
        hint = f"; its {shape[1]} columns are rows here" if shape == wanted[::-1] and len(shape) > 1 else ""
        raise Misfit(FIELD, f"{name} needs the shape {written(wanted)}, not {written(shape)}{hint}")
    if size(wanted) > INSIDE:
        raise InputError(FIELD, f"{name} has {size(wanted):,} entries; give more than {INSIDE:,} in a file")
    return name, numbers * (1 if shape else size(wanted))


def listed(every: Iterable[str], most: int = 12) -> str:
    """List names, at most so many."""
    texts = [*every]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def written(shape: Shape) -> str:
    """Write a shape: 2×3."""
    return "×".join(map(str, shape)) or "a number"


# --- files -------------------------------------------------------------------------------------------------


def reference(name: str, digest: str) -> str:
    """Return the start that names a file by its content, of which ``digest`` is the SHA-256."""
    return f"{name.replace('#', '')[:200]}#{digest[:DIGITS]}"


def hold(digest: str, held: Held) -> None:
    """Hold the arrays of a file."""
    _held[digest[:DIGITS]] = held


def held_bytes(text: str) -> int:
    """Return the bytes of all arrays in the file that a start names; 0 for one that names none."""
    found = REFERENCE.fullmatch(text)
    arrays = _held[found["digest"]].arrays if found and found["digest"] in _held else {}
    return sum(array.nbytes for array in arrays.values())


def missing(text: str) -> tuple[str, str] | None:
    """Return the name and the digest of the file that a start needs, if that is not held."""
    found = REFERENCE.fullmatch(text)
    return None if found is None or found["digest"] in _held else (found["name"], found["digest"])


def arrays_of(text: str, shapes: Shapes) -> Mapping[str, Array]:
    """Return the parameters in the file of a start, by name; {} of one that names none. Raises InputError if the file
    is not held or does not fit."""
    return _matched(text, shapes).arrays if REFERENCE.fullmatch(text) else {}


def array_of(name: str, text: str, shapes: Shapes) -> Array:
    """Return a parameter in the file of a start."""
    return arrays_of(text, shapes)[name]


def is_reference(text: str) -> bool:
    """Return True for a start that names a file."""
    return REFERENCE.fullmatch(text) is not None


@lru_cache(maxsize=8)
def _matched(text: str, shapes: Shapes) -> Match:
    from tui_backprop.engine.frontends.dense.matching import match

    found = REFERENCE.fullmatch(text)
    assert found is not None
    if found["digest"] not in _held:
        what = f"the file {quoted(found['name'])} (SHA-256 {found['digest'][:12]}...)"
        raise InputError(FILE, f"this session needs {what}; give it with --weights")
    return match(_held[found["digest"]].arrays, shapes, quoted(found["name"]))


def in_torch(name: str, text: str, shapes: Shapes, dtype: str) -> InTorch:
    """Return how PyTorch reads a parameter in the file of a start."""
    source, found = _matched(text, shapes).sources[name], REFERENCE.fullmatch(text)
    assert found is not None
    held = _held[found["digest"]]
    key, turned = json.dumps(source.key), ".T" if source.transposed else ""
    row = IN_TORCH[held.format]
    return InTorch(
        row.opened.format(path=json.dumps(held.path)), row.tensor.format(key=key, turned=turned, dtype=dtype)
    )


def report(name: str, digest: str, shapes: Shapes) -> Iterator[str]:
    """Say which arrays of a file are which parameters, and which of them are not finite."""
    import numpy as np

    found = _matched(reference(name, digest), shapes)
    yield f"{quoted(name)}: {found.words}"
    for key, array in found.arrays.items():
        if bad := array.size - int(np.isfinite(array).sum()):
            yield f"{quoted(name)}: {bad:,} of the {array.size:,} entries of {key} are NaN or infinite"


def start_of(name: str, digest: str, shapes: Shapes) -> str:
    """Return the start that the arrays of a file that is held are for a network: their numbers, or where these are
    many or not all finite, a reference. Raises InputError if they do not fit."""
    import numpy as np

    found = arrays_of(text := reference(name, digest), shapes)
    if sum(map(size, dict(shapes).values())) > INSIDE or not all(
        np.isfinite(a).all() for a in found.values()
    ):
        return text
    numbers = {key: _nested(map(float, found[key].ravel()), shape) for key, shape in shapes}
    return ",".join(f"{key}={text}" for key, text in numbers.items())
