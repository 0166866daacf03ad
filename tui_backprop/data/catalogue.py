"""The available data sets, and the networks that fit them. This module loads neither data nor numpy."""

from __future__ import annotations

from dataclasses import replace

from tui_backprop.data.info import DataInfo
from tui_backprop.data.passage import Passage
from tui_backprop.data.split import checked_count
from tui_backprop.engine.frontends.dense.spec import NO_ACTIVATION, NetworkSpec
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import one_of, quoted, whole_number

DATASETS = {
    "digits": DataInfo("handwritten digits, 28x28", 784, 4000, classes=10, image=(28, 28), first=22),
    "xor": DataInfo("exclusive or", 2, 200, classes=2),
    "circles": DataInfo("a disc inside a ring", 2, 400, classes=2),
    "spiral": DataInfo("three spiral arms", 2, 600, classes=3),
    "moons": DataInfo("two half moons", 2, 400, classes=2),
    "sine": DataInfo("one period of a sine", 1, 200),
    "symmetry": DataInfo("all patterns of six bits; class 1 is mirror-symmetric", 6, 64, classes=2),
    "mazur": DataInfo("one sample, of Mazur's worked example", 2, 1, outputs=2),
}

TEXTS = {
    "names": DataInfo(
        "first names of the US Census of 1990", 0, 5163, first=2, characters="abcdefghijklmnopqrstuvwxyz"
    ),
}

GIVEN = "given"  # the data of a graph that holds all its numbers: one sample
BROUGHT = "{"  # first character of the text of data that a user brought
OWN = DataInfo("numbers of its own", 0, 1)


def info(data: str) -> DataInfo:
    """Look up a data set; raises InputError with the available names."""
    if data.startswith(BROUGHT):
        from tui_backprop.data.own import info as own_info  # with msgspec

        return own_info(data)
    known = DATASETS | TEXTS
    return OWN if data == GIVEN else known[one_of("data", data, known)]


def title(data: str) -> str:
    """Name a data set for a reader."""
    if data.startswith(BROUGHT):
        from tui_backprop.data.own import title as own_title

        return own_title(data)
    return data


def check(spec: Model, data: str, sample: int, batch: int, validation: int = 0) -> None:
    """Raise InputError unless the network, the data set, the choice of samples and the number of those that are held
    out for ``validation`` fit each other."""
    if spec.holds_numbers != (data == GIVEN):
        why = "takes no data set; its numbers are its own" if spec.holds_numbers else "needs a data set"
        raise InputError("data", f"{spec.title} {why}")
    _check_text(spec, data)
    if isinstance(spec, NetworkSpec):
        _check_widths(spec, data)
    if spec.image is not None:
        _check_images(spec, data)
    samples = info(data).samples
    if not 0 <= sample < samples:
        what = f"{title(data)} has samples 0 to {samples - 1}" if samples > 1 else "there is one sample, 0"
        raise InputError("sample", f"{sample} is out of range; {what}")
    if spec.holds_numbers and batch != 1:
        raise InputError("batch", f"{batch} is out of range; there is one sample")
    whole_number("batch", batch, 1)
    checked_count(validation, samples)


def check_passage(spec: Model, data: str, passage: Passage, batch: int) -> None:
    """Raise InputError unless a passage can be walked in place of a batch of so many samples."""
    if not spec.context:
        raise InputError("text", f"does not apply to {spec.title}; add --preset microgpt")
    for character in passage.characters:
        if character not in info(data).characters:
            raise InputError("text", f"{title(data)} has no character {quoted(character)}")
    length, most = len(passage.characters), spec.context
    if length > most:
        raise InputError("text", f"{length:,} characters exceed the context of {most}")
    last = min(length + 1, most)
    if not 0 <= passage.letter <= last:
        end = f", {last} being the end" if last > length else ""
        raise InputError("letter", f"{passage.letter} is out of range (1 to {last}{end})")
    if batch != 1:
        raise InputError("batch", f"{batch} is out of range; a text is one sample")


def _check_text(spec: Model, data: str) -> None:
    tokens = len(info(data).token_names)
    if tokens and not spec.context:
        raise InputError("data", f"{title(data)} is text, but {spec.title} takes numbers")
    if spec.context and not tokens:
        raise InputError(
            "data", f"{spec.title} takes text, but {title(data)} has numbers; choose {', '.join(TEXTS)}"
        )
    if tokens != spec.vocabulary:
        raise InputError(
            "vocabulary",
            f"{title(data)} has {tokens} tokens, the boundary included, but {spec.title} takes {spec.vocabulary}",
        )


def _check_images(spec: Model, data: str) -> None:
    about = info(data)
    if about.image is None or (1, *about.image) != spec.image or about.classes != spec.classes:
        raise InputError("data", f"{title(data)} does not fit {spec.title}; it takes images of digits, 28x28")


def _check_widths(spec: NetworkSpec, data: str) -> None:
    about = info(data)
    if spec.layers[0] != about.inputs:
        raise InputError(
            "layers",
            f"{title(data)} has {_count(about.inputs, 'input')} per sample, but the network takes {spec.layers[0]};"
            f" write {_fit(spec, data)}",
        )
    if not about.classes and LOSSES[spec.loss].probabilities:
        raise InputError(
            "loss", f"{spec.loss} needs class labels, but {title(data)} has real values; choose {_choices()}"
        )
    if LOSSES[spec.loss].labels and spec.layers[-1] != about.classes:
        raise InputError(
            "layers",
            f"{title(data)} has {about.classes} classes, but the network has {_count(spec.layers[-1], 'output')};"
            f" write {_fit(spec, data)}",
        )
    if spec.layers[-1] not in about.widths:
        raise InputError(
            "layers",
            f"a target of {title(data)} has {_count(about.widths[0], 'value')}, but the network has"
            f" {_count(spec.layers[-1], 'output')}; write {_fit(spec, data)}",
        )


def fitted(spec: NetworkSpec, data: str) -> NetworkSpec:
    """Return the nearest network that fits the data: the same hidden layers, with input, output and loss adapted."""
    about = info(data)
    loss = spec.loss
    row = LOSSES[loss]
    if not about.classes and row.probabilities:
        loss = next(name for name, other in LOSSES.items() if other.output_is_value)
    elif about.classes > 2 and row.probabilities and not row.labels:
        loss = next(name for name, other in LOSSES.items() if other.labels)
    widths = about.widths[:1] if LOSSES[loss].labels else about.widths
    output = NO_ACTIVATION if LOSSES[loss].probabilities else spec.output_activation
    last = spec.layers[-1] if spec.layers[-1] in widths else widths[0]
    return replace(spec, layers=(about.inputs, *spec.layers[1:-1], last), loss=loss, output_activation=output)


def _fit(spec: NetworkSpec, data: str) -> str:
    """Return the layers of the nearest network that fits the data, as text."""
    return ",".join(map(str, fitted(spec, data).layers))


def _choices() -> str:
    """Name the losses for real values."""
    return " or ".join(name for name, row in LOSSES.items() if row.output_is_value)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")
