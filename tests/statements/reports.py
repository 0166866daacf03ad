"""What the reports, the status line and the flow panel say: one check for each kind of statement."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

from tests.statements.closeness import close, number
from tests.statements.speech import Speech
from tui_backprop.data.catalogue import info


def finite_in_double(speech: Speech) -> bool:
    """True if no number of the pass overflows in double precision: then the reference knows all of them."""
    reference = speech.reference
    z = reference.outputs(reference.x, reference.parameters)
    return bool(np.isfinite(z).all() and np.isfinite(reference.loss()))


def the_loss(speech: Speech) -> None:
    right = float(speech.reference.loss())
    if math.isfinite(speech.iteration.loss):
        tiny = float(np.finfo(speech.session.network.dtype).tiny)  # what is smaller may be rounded to 0
        assert close(
            speech.iteration.loss, right, speech.reference.scale() + tiny / speech.exact, speech.exact
        )
        said = re.search(r"loss (\S+)", speech.status)
        assert said
        assert close(number(said[1]), speech.iteration.loss, 0, 6e-4)
    else:  # nothing is said of the loss but that it is not finite
        assert re.search(r"loss (NaN|−?∞|-?inf)", speech.status, re.IGNORECASE), speech.status
        assert speech.iteration.bad is not None


def the_prediction(speech: Speech) -> None:
    """Of the first sample: its class, and whether that is correct."""
    if not info(speech.session.data).classes:
        assert not re.search("^label .*predicted", speech.blame_text, re.MULTILINE)
        return
    (first,) = re.findall("^label .*", speech.blame_text, re.MULTILINE)
    label = int(np.asarray(speech.data.target)[speech.session.sample])
    assert first.startswith(f"label {label}, ")
    z = speech.iteration.tensor(f"z{speech.session.network.depth}").astype(float)
    if np.isfinite(z[0].max()):
        (right,) = speech.reference.predicted(z[:1])
        assert f"predicted {right}: {'correct' if right == label else 'wrong'}" in first
    else:
        assert "no prediction" in first
        assert "predicted" not in first
        assert "correct" not in first


def the_accuracy(speech: Speech) -> None:
    """Of all samples, and the table of errors: a sample without a prediction is never correct."""
    about = info(speech.session.data)
    if not about.classes:
        return
    parameters = speech.reference.parameters
    z = speech.reference.outputs(speech.data.x.astype(float), parameters, masked=False)
    predicted, labels = speech.reference.predicted(z), np.asarray(speech.data.target)
    counts = speech.confusion
    assert counts.sum() == about.samples
    order = np.sort(z, axis=1)
    sure = np.isfinite(z).all(axis=1) & (
        (order[:, -1] - order[:, -2] > 1e-3 * np.abs(z).max(axis=1))
        if z.shape[1] > 1
        else (np.abs(z[:, 0] - (0.5 if speech.session.network.loss in ("mse", "half-squares") else 0)) > 1e-3)
    )
    if speech.session.network.dtype == "float32" and np.abs(z[np.isfinite(z)]).max(initial=0) > 1e30:
        return  # some of them overflow in single precision, and the reference does not know which
    unsure = int((~sure).sum())
    for label in range(about.classes):
        for said in range(about.classes):
            right = int(((labels == label) & (predicted == said) & sure).sum())
            assert right <= counts[label, said] <= right + unsure
    diagonal = int(np.trace(counts[:, :-1]))
    if speech.data.x.shape[0] == about.samples and about.samples <= 500:
        assert abs(speech.score.accuracy - diagonal / about.samples) < 1e-9
        assert abs(speech.score.unpredicted - counts[:, -1].sum() / about.samples) < 1e-9


def the_ranking(speech: Speech) -> None:
    """Of the parameters with the largest gradients: they are sorted, finite, and by the complex step what is said."""
    ranked = speech.blame["ranking"]
    scores = [entry["score"] for entry in ranked]
    assert scores == sorted(scores, reverse=True)
    assert all(math.isfinite(entry["gradient"]) and entry["score"] > 0 for entry in ranked)
    if not finite_in_double(speech) or speech.iteration.bad is not None:
        return
    largest = max((abs(entry["gradient"]) for entry in ranked), default=0.0)
    for entry in ranked[:3]:
        right = speech.reference.gradient(speech.reference.name_of(entry["tensor"]), tuple(entry["index"]))
        if not at_a_kink(speech):
            assert close(entry["gradient"], right, largest + speech.reference.terms(), 10 * speech.exact)


def at_a_kink(speech: Speech) -> bool:
    """True if a pre-activation is so near to 0, or so far beyond the range of an exponential, that the reference in
    another precision may be on the other side."""
    kinked = {"relu", "leaky-relu", "elu"}
    for k, name in enumerate(speech.session.network.activations, 1):
        z = speech.iteration.tensor(f"n{k}" if speech.session.network.layer_norm else f"z{k}")
        if name in kinked and (np.abs(z) <= 1e-4 * np.abs(z).max(initial=1e-300)).any():
            return True
    return False


def first_parameter(speech: Speech) -> tuple[str, tuple[int, ...]]:
    """The parameter that is ranked first."""
    first = speech.blame["ranking"][0]
    return speech.reference.name_of(first["tensor"]), tuple(first["index"])


def the_nudges(speech: Speech) -> None:
    """The loss after each change of the first parameter, and the class that is predicted then."""
    if not speech.blame["nudges"] or not finite_in_double(speech):
        return
    tensor, index = first_parameter(speech)
    base = float(speech.reference.loss())
    for nudge in speech.blame["nudges"]:
        moved = speech.reference.moved(tensor, index, nudge["by"])
        right = float(speech.reference.loss(moved)) - base
        if isinstance(nudge["actual_change"], float):
            scale = abs(base) + abs(right) + speech.reference.scale()
            assert close(nudge["actual_change"], right, scale, 1e-9), nudge


def the_flips(speech: Speech) -> None:
    """A change that is said to flip the prediction flips it, and what was not found is said no further than that."""
    found = speech.blame.get("flips")
    if not found or not finite_in_double(speech):
        return
    tensor, index = first_parameter(speech)
    x = speech.reference.x[:1]
    one = speech.reference.of_first()
    scale = np.abs(
        one.outputs(x, one.moved(tensor, index, 0.0))
    ).max()  # which round-off of a change is relative to

    def predicted(by: float) -> tuple[int, float]:
        z = one.outputs(x, one.moved(tensor, index, by))
        order = np.sort(z[0])
        gap = order[-1] - order[-2] if len(order) > 1 else abs(z[0, 0] - one.threshold)
        return int(one.predicted(z)[0]), float(gap / (max(np.abs(z).max(), scale) + 1e-300))

    before, _ = predicted(0.0)
    for side, sign in (("up", 1), ("down", -1)):
        if found[side]:
            after, gap = predicted(found[side]["by"])
            assert found[side]["by"] * sign > 0
            assert after == found[side]["predicted_class"] or gap < 1e-9
            assert after != before or gap < 1e-9


def json_is_json(speech: Speech) -> None:
    """No bare NaN, whatever the numbers are, and a reason where some are not finite."""
    for value in (speech.blame, speech.trace):
        json.loads(speech.json(value), parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
        assert bool(value["reason"]) == (speech.iteration.bad is not None)


def the_first_bad_number(speech: Speech) -> None:
    """Where numbers are not finite, one is named that is not finite indeed, and all before it are finite."""
    bad = speech.iteration.bad
    everything = [speech.iteration.loss, speech.iteration.loss_after]
    sums = [np.abs(speech.iteration.tensor(f"d{name}")).max() for name in speech.reference.parameters]
    if all(map(math.isfinite, (*everything, *map(float, sums)))):
        if bad is not None:  # then it is a parameter or a slot after the update that is not finite
            assert "update" in bad.op or "updated" in bad.why, bad.why
            assert not math.isfinite(bad.number)
        return
    assert bad is not None
    assert not math.isfinite(bad.number)
    assert str(bad.value) in bad.why


STATISTICS = re.compile(
    r"^     (?P<name>[^\s=·]+'?)  (?P<low>\S+) to (?P<high>\S+)  norm (?P<norm>\S+)"
    r"(?:  (?P<zero>\S+) zero)?(?:  mean (?P<mean>\S+))?"
)


def statistics_of_the_trace(speech: Speech) -> None:
    """The smallest and largest entry, norm, mean and share of zeros of each array of the walk."""
    if speech.configuration.seed % 10:
        return
    for row in speech.trace_text.splitlines():
        said = STATISTICS.match(row)
        if said is None:
            continue
        name = said["name"]
        array = speech.iteration.new[name[:-1]] if name.endswith("'") else speech.iteration.tensor(name)
        if not np.isfinite(array).all():
            continue
        double = np.asarray(array, float)
        assert close(number(said["low"]), float(double.min()), 0, 6e-3), row
        assert close(number(said["high"]), float(double.max()), 0, 6e-3), row
        with np.errstate(over="ignore"):
            norm = float(np.abs(double).max() * np.linalg.norm(double / (np.abs(double).max() or 1.0)))
        assert close(number(said["norm"]), norm, 0, 6e-3), row
        share_is(said["zero"] or "", float((array == 0).mean()), row)


def share_is(said: str, right: float, where: str) -> None:
    """0% is said of exactly none and 100% of exactly all; others are right within their digits."""
    if not said:
        return
    value = float(re.sub(r"[<>%]|under ", "", said))
    if said == "0%" or said == "100%":
        assert right == value / 100, where
    elif said.startswith(("<", "under")):
        assert 0 < right < value / 100 + 1e-12, where
    elif said.startswith(">"):
        assert value / 100 - 1e-12 < right < 1, where
    else:
        assert abs(value / 100 - right) <= 0.0051, where


def the_check(speech: Speech) -> None:
    """It passes where the gradient equals that of the reference, and never over numbers that are not finite."""
    if speech.configuration.seed % 5 or speech.configuration.updates:
        return
    verdict = speech.check_text.splitlines()[-1]
    if speech.check.passed:
        assert verdict.startswith("passed"), verdict
        assert math.isfinite(speech.iteration.loss), verdict  # what comes after the update is not checked
        assert np.isfinite(speech.iteration.program.gradient).all(), verdict
    else:
        assert verdict.startswith("FAILED"), verdict
        assert speech.iteration.bad is not None, verdict
    if speech.check.passed and finite_in_double(speech) and not at_a_kink(speech):
        for tensor in speech.check.tensors:
            if tensor.worst is not None and tensor.worst.index:
                name = speech.reference.name_of(tensor.tensor)
                right = speech.reference.gradient(name, tuple(tensor.worst.index))
                size = float(np.abs(speech.iteration.tensor(f"d{name}")).max()) + speech.reference.scale()
                assert abs(tensor.worst.second - right) <= tensor.worst.allowed + 1e-9 * size, tensor.tensor


def counts(speech: Speech) -> None:
    """Parameters, and the multiply-accumulates of both passes."""
    spec = speech.session.network
    parameters = sum(array.size for array in speech.reference.parameters.values())
    assert spec.parameters == parameters
    weights = sum(speech.reference.parameters[f"W{k}"].size for k in range(1, spec.depth + 1))
    first = speech.reference.parameters["W1"].size
    ratio = (3 * weights - first) / weights
    assert abs(speech.ledger.ratio - ratio) < 1e-12


def dead_units(speech: Speech) -> None:
    """The share of ReLU units that are off on every sample, of the samples that the flow panel judged."""
    if not finite_in_double(speech) or speech.iteration.bad is not None:
        return
    assert speech.flow.fit.samples == len(speech.data.x)
    inputs: dict[int, np.ndarray] = {}
    speech.reference.outputs(
        speech.data.x.astype(float), speech.reference.parameters, masked=False, seen=inputs
    )
    for k, name in enumerate(speech.session.network.activations, 1):
        said = speech.flow.layers[k - 1].dead
        if name != "relu" or said is None or not np.isfinite(inputs[k]).all():
            continue
        near = 1e-4 * np.abs(inputs[k]).max(initial=0) + 1e-9
        least, most = (float((inputs[k] < edge).all(axis=0).mean()) for edge in (-near, near))
        assert least - 1e-9 <= said <= most + 1e-9, f"layer {k}"


CHECKS = (
    the_loss, the_prediction, the_accuracy, the_ranking, the_nudges, the_flips, json_is_json, the_first_bad_number,
    statistics_of_the_trace, the_check, counts, dead_units,
)  # fmt: skip
