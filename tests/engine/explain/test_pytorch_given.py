"""Where parameters are given, the lines of PyTorch define them: pasted, they give the loss and the gradients."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.explain.pytorch import Before, lines_of, name_in
from tui_backprop.engine.explain.pytorch_given import MOST
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense import start
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.files.npz import write_npz
from tui_backprop.session.brought_files import read_weights
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_update

IMPORTS = """
import torch
import torch.nn.functional as F
from torch import optim
from torch.nn.utils import get_total_norm
"""
ROUGH = NetworkSpec(
    (2, 3, 2), "tanh", layer_norm=True, l2=0.3, start="W1=[[0.1,-0.2,1e-7],[3,0.5,0]],b2=0.25"
)
DEEP = NetworkSpec((2, 60, 70, 2), "tanh", "mse", layer_norm=True)
SESSIONS = {name: from_preset(name) for name in PRESETS} | {
    "some are drawn": Session(ROUGH, "moons", batch=4),
    "in double precision": Session(replace(ROUGH, dtype="float64", dropout=0.4), "moons", batch=4),
    "a frozen layer": Session(replace(ROUGH, frozen=(1,)), "moons"),
}
DRAWN = ("lesson", "sine", "symmetry", "vanishing", "xor")
GIVEN = [name for name in SESSIONS if name not in DRAWN]


def statements(session):
    """Return the lines of an iteration, and the iteration."""
    iteration = Replay(0).take(session)
    steps = walk(iteration.spec, iteration.batch, iteration.optimizer)
    return [line for step in steps for line in lines_of(step, iteration)], iteration


def pasted(session):
    """Run the lines with nothing but the imports, and compare loss, gradients and update."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed here")
    lines, iteration = statements(session)
    names, graph = {}, iteration.graph
    try:
        exec("\n".join([IMPORTS, *lines]), names)
    finally:
        torch.set_default_dtype(torch.float32)
    close = 1e-12 if iteration.spec.dtype == "float64" else 1e-5  # of the largest entry
    assert names[name_in(graph.loss)].item() == pytest.approx(iteration.loss, rel=close)
    for name in graph.trained:
        tensor = names[name_in(name)]
        right = iteration.tensor(graph.gradient_of(name))
        for found, wanted in ((tensor.grad, right), (tensor.detach(), iteration.new[name])):
            assert np.abs(found.numpy() - wanted).max() <= close * np.abs(wanted).max(), name


@pytest.mark.parametrize("name", GIVEN)
def test_the_lines_alone_give_loss_gradients_and_update(name):
    pasted(SESSIONS[name])


def test_a_textbook_s_numbers_are_written_as_they_were_typed():
    lines, _ = statements(SESSIONS["mazur"])
    assert lines[:8] == [
        "torch.set_default_dtype(torch.float64)",
        "W1 = torch.tensor([[0.15, 0.25], [0.2, 0.3]], requires_grad=True)",
        "b1 = torch.tensor([0.35, 0.35], requires_grad=True)",
        "W2 = torch.tensor([[0.4, 0.5], [0.45, 0.55]], requires_grad=True)",
        "b2 = torch.tensor([0.6, 0.6], requires_grad=True)",
        "params = [W1, b1, W2, b2]",
        "x = torch.tensor([[0.05, 0.1]])",
        "t = torch.tensor([[0.01, 0.99]])",
    ]


def test_numbers_of_single_precision_are_written_as_short_as_they_are():
    lines, _ = statements(SESSIONS["some are drawn"])
    assert "W1 = torch.tensor([[0.1, -0.2, 1e-07], [3.0, 0.5, 0.0]], requires_grad=True)" in lines
    assert "lambda_ = 0.3" in lines


@pytest.mark.parametrize("name", DRAWN)
def test_where_all_parameters_are_drawn_they_are_not_written(name):
    lines, _ = statements(SESSIONS[name])
    assert not any("torch.tensor(" in line for line in lines)


def test_in_a_later_iteration_only_the_batch_is_written():
    session = after_update(SESSIONS["some are drawn"])
    iteration = Replay(0).take(session)
    first = walk(iteration.spec, iteration.batch, iteration.optimizer)[0]
    lines = lines_of(first, iteration, Before(0.1))
    assert [line.partition(" = ")[0] for line in lines] == ["x", "t"]


def test_a_parameter_of_many_numbers_is_written_alone():
    spec = NetworkSpec((2, MOST, 2), start="b2=[0.5,0.25]")
    lines, _ = statements(Session(spec, "moons"))
    first = next(line for line in lines if "torch.tensor(" in line)
    assert first == "b2 = torch.tensor([0.5, 0.25], requires_grad=True)"
    assert not any(line.startswith(("W1 = ", "b1 = ", "W2 = ")) for line in lines)


def write_safetensors(path, arrays):
    """Write arrays as the format says: length, header, data."""
    header, data = {}, b""
    for name, array in arrays.items():
        content = np.ascontiguousarray(array, "<f4").tobytes()
        header[name] = {
            "dtype": "F32", "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(content)],
        }  # fmt: skip
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def in_modules(arrays):
    """Return the parameters of a network by names as PyTorch has them, matrices transposed."""
    parts = {
        "W": ("fc{}", "weight"),
        "b": ("fc{}", "bias"),
        "γ": ("norm{}", "weight"),
        "β": ("norm{}", "bias"),
    }
    named = {f"{parts[name[0]][0].format(name[1:])}.{parts[name[0]][1]}": a for name, a in arrays.items()}
    return {name: array.T for name, array in named.items()}


def filed(folder, kind):
    """Return a session on the weights of a file of a kind."""
    arrays = DEEP.graph.views(initial_parameters(DEEP))
    path = folder / f'a "b".{kind}'
    if kind == "npz":
        with path.open("wb") as file:
            write_npz(file, {name_in(name): array for name, array in arrays.items()})
    else:
        write_safetensors(path, in_modules(arrays))
    found = read_weights(path)
    text = start.start_of(found.name, found.identity.digest, start.shapes_of(DEEP))
    assert start.is_reference(text)
    return Session(replace(DEEP, start=text), "moons", batch=3)


def test_the_numbers_of_a_large_file_are_loaded_from_its_path_by_their_names_there(tmp_path):
    lines, _ = statements(filed(tmp_path, "npz"))
    path = str(tmp_path / 'a \\"b\\".npz')
    assert lines[:3] == [
        f'import numpy; file = numpy.load("{path}")',
        'W1 = torch.tensor(file["W1"], dtype=torch.float32, requires_grad=True)',
        'b1 = torch.tensor(file["b1"], dtype=torch.float32, requires_grad=True)',
    ]
    assert 'gamma1 = torch.tensor(file["gamma1"], dtype=torch.float32, requires_grad=True)' in lines
    lines, _ = statements(filed(tmp_path, "safetensors"))
    assert lines[0].startswith("from safetensors.torch import load_file; file = load_file(")
    assert lines[1] == 'W1 = file["fc1.weight"].T.to(torch.float32).requires_grad_()'
    assert lines[3] == 'gamma1 = file["norm1.weight"].to(torch.float32).requires_grad_()'


@pytest.mark.parametrize("kind", ["npz", "safetensors"])
def test_the_lines_that_load_a_file_give_loss_gradients_and_update(tmp_path, kind):
    if kind == "safetensors":
        pytest.importorskip("safetensors.torch", reason="safetensors is not installed here")
    pasted(filed(tmp_path, kind))
