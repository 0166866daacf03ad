"""Only weights that a module of PyTorch keeps transposed are said to be transposed there."""

from __future__ import annotations

import pytest

from tui_backprop.engine.explain.pytorch import transposed_entry
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.state import from_preset

DENSE = {
    "lenet": {"W3", "W4", "W5"},
    "rnn": {"Wh", "U"},
    "microgpt": {"Wq1", "Wk1", "Wv1", "Wo1", "Wu1", "Wd1", "Wout"},
    "mazur": {"W1", "W2"},
}


@pytest.mark.parametrize("name", DENSE)
def test_weights_of_dense_layers_are_transposed_in_pytorch_kernels_and_tables_are_not(name):
    graph = from_preset(name).network.graph
    index = (1, 3, 0, 4)
    told = {
        each: transposed_entry(graph, each, index[: len(shape)]) for each, shape in graph.parameters.items()
    }
    assert {each for each, text in told.items() if text} == DENSE[name]
    assert {text for text in told.values() if text} == {"nn.Linear stores Wᵀ: weight.grad[3,1]"}


@pytest.mark.parametrize("name", [name for name in PRESETS if name not in DENSE])
def test_what_is_transposed_is_a_matrix_of_weights(name):
    graph = from_preset(name).network.graph
    for each, shape in graph.parameters.items():
        assert bool(transposed_entry(graph, each, (0,) * len(shape))) == graph.is_weight(each)
