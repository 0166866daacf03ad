"""Parameters of a dense network among the arrays of a file: by our names, or by those of PyTorch's modules.

A module of PyTorch has a ``weight`` of shape (fan_out, fan_in), transposed here, and a ``bias``; a layer
normalization has both, as vectors. Any prefix will do: modules are matched by their order and their shapes. What can
be meant in two ways is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

import numpy as np

from tui_backprop.engine.frontends.dense.start import FILE, Misfit, Shapes, listed, written
from tui_backprop.engine.primitives import Array, Shape
from tui_backprop.support.validation import quoted

NUMBER = re.compile(r"(\d+)")
SPELLED = re.compile(r"(gamma|beta)(\d+)")
SYMBOLS = {"gamma": "γ", "beta": "β"}
WEIGHT = re.compile(r"W(\d+)")
PARTS = ("weight", "bias")


@dataclass(frozen=True)
class Source:
    """The name of an array in its file, and whether the parameter is that array ``transposed``."""

    key: str
    transposed: bool = False

    @property
    def words(self) -> str:
        return f"{self.key} transposed" if self.transposed else self.key


@dataclass(frozen=True)
class Match:
    """Arrays by the names of the parameters, in their shapes; and where each is from."""

    arrays: Mapping[str, Array]
    sources: Mapping[str, Source]

    @property
    def words(self) -> str:
        """What was matched: W1 = fc1.weight transposed, b1 = fc1.bias."""
        return listed(
            [
                name if name == _symbol(source.words) else f"{name} = {source.words}"
                for name, source in self.sources.items()
            ]
        )


@dataclass(frozen=True)
class Module:
    """The arrays of a PyTorch module, by part; ``prefix`` is its name."""

    prefix: str
    parts: dict[str, Array] = field(default_factory=dict)

    @property
    def linear(self) -> bool:
        return self.parts["weight"].ndim == 2

    @property
    def family(self) -> str:
        """The name without what numbers the module within its parent."""
        return NUMBER.sub("#", self.prefix.rpartition(".")[0])


def match(found: Mapping[str, Array], shapes: Shapes, file: str) -> Match:
    """Find the parameters of a network in the arrays of a file. Raises Misfit, in words about the ``file``."""
    keys = {_symbol(key): key for key in found}
    found = {name: found[key] for name, key in keys.items()}
    named = [name for name, _ in shapes if name in found]
    matched = _by_name(found, keys, shapes, file) if named else _by_module(found, shapes, file)
    for name, array in matched.arrays.items():
        if not np.issubdtype(array.dtype, np.floating) and not np.issubdtype(array.dtype, np.integer):
            raise Misfit(FILE, f"{file}: {matched.sources[name].words} holds {array.dtype}, not real numbers")
    return matched


def _symbol(name: str) -> str:
    """Return the name of a gain or shift that is written in ASCII, gamma1, with its symbol."""
    spelled = SPELLED.fullmatch(name)
    return name if spelled is None else SYMBOLS[spelled[1]] + spelled[2]


def _by_name(found: Mapping[str, Array], keys: Mapping[str, str], shapes: Shapes, file: str) -> Match:
    lacking = [name for name, _ in shapes if name not in found]
    if lacking:
        raise Misfit(FILE, f"{file} lacks {listed(lacking)}; it has {listed(map(quoted, found))}")
    for name, wanted in shapes:
        if found[name].shape != wanted:
            hint = "; transpose it" if len(wanted) > 1 and found[name].shape == wanted[::-1] else ""
            raise Misfit(
                FILE,
                f"{file}: {name} is {written(found[name].shape)}, but the network needs {written(wanted)}{hint}",
            )
    return Match({name: found[name] for name, _ in shapes}, {name: Source(keys[name]) for name, _ in shapes})


def layers_in(found: Mapping[str, Array]) -> tuple[int, ...] | None:
    """Return the layer sizes of the network whose weights a file has, input first; None if they are not a chain."""
    own = sorted((int(one[1]), one[0]) for one in map(WEIGHT.fullmatch, found) if one)
    weights = [found[name] for _, name in own] or [
        each.parts["weight"].T for each in _modules(found) if each.linear
    ]
    if not weights or any(w.ndim != 2 for w in weights):
        return None
    chained = all(one.shape[1] == other.shape[0] for one, other in pairwise(weights))
    return (weights[0].shape[0], *(w.shape[1] for w in weights)) if chained else None


def _by_module(found: Mapping[str, Array], shapes: Shapes, file: str) -> Match:
    modules, layers = _modules(found), _layers(shapes)
    linear = _chosen(
        [each for each in modules if each.linear], [dict(layer) for layer in layers], file, found
    )
    family = {each.family for each in linear}
    norms = [each for each in modules if not each.linear and each.family in family]
    arrays: dict[str, Array] = {}
    sources: dict[str, Source] = {}

    def give(name: str, wanted: Shape, module: Module, part: str) -> None:
        array, source = module.parts.get(part), ".".join(filter(None, (module.prefix, part)))
        if array is None:
            raise Misfit(FILE, f"{file} has no {source} for {name}; leave out biases with --no-bias")
        turned = array.T if array.ndim == 2 else array
        if turned.shape != wanted:
            raise Misfit(
                FILE, f"{file}: {source} is {written(array.shape)}, but {name} needs {written(wanted[::-1])}"
            )
        arrays[name], sources[name] = turned, Source(source, array.ndim == 2)

    for layer, module in zip(layers, linear, strict=True):
        for (name, wanted), part in zip(layer[:2], PARTS, strict=False):
            give(name, wanted, module, part)
        if len(layer) == 1 and "bias" in module.parts:
            raise Misfit(FILE, f"{file} has biases, such as {module.prefix}.bias; leave out --no-bias")
    normalized = [layer[-2:] for layer in layers if len(layer) > 2]
    if len(norms) != len(normalized):
        raise Misfit(
            FILE, f"{file} has {len(norms)} layer normalizations, but the network has {len(normalized)};"
            " see --layer-norm"
        )  # fmt: skip
    for layer, module in zip(normalized, norms, strict=True):
        for (name, wanted), part in zip(layer, PARTS, strict=True):
            give(name, wanted, module, part)
    return Match({name: arrays[name] for name, _ in shapes}, {name: sources[name] for name, _ in shapes})


def _modules(found: Mapping[str, Array]) -> list[Module]:
    """Return the modules of a file in the order of their names, 2 before 10."""
    modules: dict[str, Module] = {}
    for name, array in found.items():
        prefix, _, part = name.rpartition(".")
        if part in PARTS and array.ndim in (1, 2):
            modules.setdefault(prefix, Module(prefix)).parts[part] = array
    return sorted((each for each in modules.values() if "weight" in each.parts), key=_natural)


def _natural(module: Module) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in NUMBER.split(module.prefix)]


def _layers(shapes: Shapes) -> list[list[tuple[str, Shape]]]:
    """Return the parameters of each layer, its weights first."""
    starts = [i for i, (_, shape) in enumerate(shapes) if len(shape) == 2]
    return [[*shapes[a:b]] for a, b in zip(starts, [*starts[1:], len(shapes)], strict=True)]


def _chosen(
    modules: Sequence[Module], layers: Sequence[Mapping[str, Shape]], file: str, found: Mapping[str, Array]
) -> list[Module]:
    """Return the linear module of each layer. Raises Misfit if there is none, or more than one choice."""
    wanted = [next(iter(layer.values()))[::-1] for layer in layers]
    families = [list(group) for _, group in groupby(modules, key=lambda each: each.family)]
    fitting = [fit for family in [modules, *families] if (fit := _fit(family, wanted))]
    every = list({tuple(each.prefix for each in fit): fit for fit in fitting}.values())
    if len(every) == 1 and (not _interchangeable(every[0])):
        return every[0]
    if not every:
        needs = listed(map(written, wanted))
        has = listed([f"{quoted(name)} {written(array.shape)}" for name, array in found.items()])
        raise Misfit(
            FILE, f"{file} does not fit: this network's weights are {needs} in PyTorch; it has {has}"
        )
    choices = every if len(every) > 1 else [every[0], every[0][::-1]]
    texts = " or ".join(listed([each.prefix for each in fit], 4) for fit in choices)
    raise Misfit(FILE, f"{file} is ambiguous: the layers could be {texts}; rename the arrays W1, b1, ...")


def _fit(modules: Sequence[Module], wanted: Sequence[Shape]) -> list[Module] | None:
    """Return modules in an order in which their shapes are those wanted: as they are, or the only one there is."""
    if len(modules) != len(wanted):
        return None
    if [each.parts["weight"].shape for each in modules] == [*wanted]:
        return [*modules]
    by_shape = {each.parts["weight"].shape: each for each in modules}
    if len(by_shape) == len(modules) and by_shape.keys() == {*wanted}:
        return [by_shape[shape] for shape in wanted]
    return None


def _interchangeable(fit: Sequence[Module]) -> bool:
    """Return True if two of the modules have one shape, and names that no number orders."""
    shapes = [each.parts["weight"].shape for each in fit]
    twins = [each for each in fit if shapes.count(each.parts["weight"].shape) > 1]
    kinds = {NUMBER.sub("#", each.prefix) for each in twins}
    return bool(twins) and (len(kinds) > 1 or not all(NUMBER.search(each.prefix) for each in twins))
