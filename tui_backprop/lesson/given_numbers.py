"""The numbers that the words of a question give, so that its answer can be worked out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import numpy as np

from tui_backprop.engine.analysis.influence import strongest_path
from tui_backprop.engine.mutants.answers import Answers
from tui_backprop.engine.mutants.mutant import Asked
from tui_backprop.engine.network.rerun import contribution, pulled
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array
from tui_backprop.support.format import format_number

DIGITS = 3  # of numbers, those to choose from too
IN_FULL = 10  # digits of losses whose small difference counts


def _entry(answers: Answers, asked: Asked) -> str:
    """The name of what is asked for: dW1[0,2]; of a parameter where its value is, W1[0,2]."""
    gradient = answers.iteration.graph.gradient_of(asked.name)
    return entry_name(gradient if asked.what == "gradient" else asked.name, asked.index)


def _gradient(answers: Answers, asked: Asked) -> str:
    return format_number(float(answers.iteration.program.cotangents[asked.name][asked.index]), DIGITS)


def _deltas(answers: Answers, asked: Asked) -> str:
    """The delta of the unit of a bias, for each sample."""
    iteration, layer = answers.iteration, answers.iteration.graph.block(asked.name)
    column = iteration.tensor(iteration.graph.delta(layer))[:, asked.index[-1]]
    return ", ".join(format_number(float(each), DIGITS) for each in column)


def _contributions(answers: Answers, asked: Asked) -> str:
    """The terms of a gradient, in the order of the operations that read the value."""
    program = answers.iteration.program
    terms = (contribution(program, visit)[asked.index] for visit in program.graph.visits_of[asked.name])
    return _listed(format_number(float(term), DIGITS) for term in terms)


def _numbers(array: Array) -> str:
    return ", ".join(format_number(float(each), DIGITS) for each in array)


def _weights(answers: Answers, asked: Asked) -> Array:
    """The row of attention weights that a score has a part in, without what is masked."""
    values = answers.iteration.program.values
    row: Array = values[_softmax(answers, asked)][asked.index[:-1]]
    return row[: asked.index[-2] + 1]


def _weight_gradients(answers: Answers, asked: Asked) -> Array:
    cotangents = answers.iteration.program.cotangents
    row: Array = cotangents[_softmax(answers, asked)][asked.index[:-1]]
    return row[: asked.index[-2] + 1]


def _softmax(answers: Answers, asked: Asked) -> str:
    """The output of the softmax that scores go into."""
    graph, name = answers.iteration.graph, asked.name
    while graph.by_output[name].primitive.kind != "softmax":
        name = graph.readers[name][0].output
    return name


def _positions(answers: Answers, asked: Asked) -> str:
    """The terms of the gradient of a kernel's weight, position by position, summed over the samples."""
    program = answers.iteration.program
    (visit,) = program.graph.visits_of[asked.name]
    back = program.cotangents[visit.op.output]
    found = []
    for place in np.ndindex(back.shape[2:]):
        kept = np.zeros_like(back)
        kept[..., *place] = back[..., *place]
        found.append(float(pulled(program, visit.op, visit.of or 0, kept)[asked.index]))
    return _listed(format_number(term, DIGITS) for term in found)


def _listed(texts: Iterable[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last


def _factors(answers: Answers, asked: Asked) -> str:
    """The factors of the path on which a weight has the most influence, from the loss on."""
    steps = reversed(strongest_path(answers.iteration, asked.name, asked.index).steps)
    return ", ".join(
        f"{step.formula} = {format_number(step.factor, DIGITS)}" for step in steps if step.formula != "1"
    )


GIVEN: dict[str, Callable[[Answers, Asked], str]] = {
    "entry": _entry,
    "parameter": lambda answers, asked: entry_name(asked.name, asked.index),
    "value": lambda answers, asked: format_number(
        float(answers.iteration.tensor(asked.name)[asked.index]), DIGITS
    ),
    "gradient": _gradient,
    "deltas": _deltas,
    "contributions": _contributions,
    "factors": _factors,
    "attention_weights": lambda answers, asked: _numbers(_weights(answers, asked)),
    "attention_gradients": lambda answers, asked: _numbers(_weight_gradients(answers, asked)),
    "terms_of_positions": _positions,
    "loss_before": lambda answers, asked: format_number(answers.losses(asked)[1], IN_FULL),
    "loss_moved": lambda answers, asked: format_number(answers.losses(asked)[0], IN_FULL),
}


def put(text: str, answers: Answers, asked: Asked) -> str:
    """Put the numbers of a question into its words; other names in braces are left."""

    def number(found: re.Match[str]) -> str:
        return GIVEN[found[1]](answers, asked) if found[1] in GIVEN else found[0]

    return re.sub(r"\{([^{}]+)\}", number, text)
