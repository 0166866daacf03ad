"""Initial parameters that are brought: typed or in a file, they start the same session, and it is found again."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from tests.session.sessions import sealed
from tui_backprop.cli.main import main
from tui_backprop.engine.frontends.dense import start
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.session import autosave
from tui_backprop.session.replay import Replay
from tui_backprop.session.share_token import decode
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import after_training
from tui_backprop.session.undo import UndoHistory
from tui_backprop.support.errors import TokenError

TYPED = "W1=[[.15,.25],[.2,.3]], b1=.35, W2=[[.4],[.45]], b2=-.6"
ARRAYS = {
    "W1": np.array([[0.15, 0.25], [0.2, 0.3]]), "b1": np.full(2, 0.35), "W2": np.array([[0.4], [0.45]]),
    "b2": np.array([-0.6]),
}  # fmt: skip
TORCH = {
    "0.weight": ARRAYS["W1"].T,
    "0.bias": ARRAYS["b1"],
    "2.weight": ARRAYS["W2"].T,
    "2.bias": ARRAYS["b2"],
}
SAFE = {"<f8": "F64", "<f4": "F32", "<u2": "BF16"}


def run(*arguments, code=0):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == code, result.output
    return result


def token(*arguments):
    return run("token", "--preset", "xor", *arguments).stdout.strip()


def saved(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def safetensors(path, arrays):
    header, data = {}, b""
    for name, array in arrays.items():
        begins, data = len(data), data + array.tobytes()
        kind = SAFE[array.dtype.str]
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [begins, len(data)]}
    text = json.dumps({"__metadata__": {"format": "pt"}} | header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return str(path)


def refused(*arguments):
    result = run("token", *arguments, code=2)
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


@pytest.fixture
def ours(tmp_path):
    return saved(tmp_path / "ours.npz", **ARRAYS)


def test_typed_and_filed_weights_of_every_kind_are_one_session(tmp_path, ours):
    torch = saved(tmp_path / "torch.npz", **{f"model.net.{name}": array for name, array in TORCH.items()})
    safe = safetensors(
        tmp_path / "torch.safetensors", {name: np.ascontiguousarray(a) for name, a in TORCH.items()}
    )
    tokens = {token("--set", TYPED), *(token("--weights", file) for file in (ours, torch, safe))}
    assert len(tokens) == 1
    start_of = decode(tokens.pop()).network
    views = start_of.graph.views(initial_parameters(start_of))
    for name, array in ARRAYS.items():
        assert np.array_equal(views[name], array)


def test_what_was_taken_for_what_is_said(tmp_path):
    said = run("token", "--preset", "xor", "--weights", saved(tmp_path / "torch.npz", **TORCH)).stderr
    assert 'torch.npz": W1 = 0.weight transposed, b1 = 0.bias, W2 = 2.weight transposed, b2 = 2.bias' in said


def test_what_trace_saves_starts_the_trained_network(tmp_path):
    file = str(tmp_path / "saved.npz")
    run("trace", "--preset", "xor", "--steps", "3", "--save", file)
    trained = Replay(0).state(after_training(from_preset("xor"), 3)).parameters
    assert np.array_equal(initial_parameters(decode(token("--weights", file)).network), trained)


def test_what_trace_saves_of_gains_and_shifts_is_read(tmp_path):
    file, options = str(tmp_path / "saved.npz"), ("--preset", "xor", "--layer-norm")
    run("trace", *options, "--steps", "2", "--save", file)
    network = decode(run("token", *options, "--weights", file).stdout).network
    assert "γ1=[" in network.start


def test_the_layers_are_those_of_the_file(tmp_path):
    arrays = {"fc1.weight": np.ones((5, 784), "f"), "fc1.bias": np.ones(5, "f"), "fc2.weight": np.ones((10, 5), "f"),
              "fc2.bias": np.ones(10, "f")}  # fmt: skip
    network = decode(run("token", "--weights", saved(tmp_path / "net.npz", **arrays)).stdout).network
    assert network.layers == (784, 5, 10)


def test_undo_autosave_and_resume_keep_the_weights_bit_for_bit(ours):
    session = decode(token("--weights", ours))
    trained = after_training(session, 5)
    expected = Replay(0).state(trained).parameters
    autosave.save(trained)
    assert autosave.load() == trained
    history = UndoHistory(session).go(trained).undo()
    assert np.array_equal(Replay(0).state(history.redo().now).parameters, expected)
    assert np.array_equal(Replay(0).state(history.now).parameters, initial_parameters(session.network))
    assert not np.array_equal(expected, Replay(0).state(after_training(from_preset("xor"), 5)).parameters)


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A token of weights that are too many for it, and their file; held by nobody."""
    network = from_preset("lesson").network
    flat = np.arange(network.parameters, dtype="f") / network.parameters
    file = saved(tmp_path / "large.npz", **network.graph.views(flat))
    made = run("token", "--weights", file).stdout.strip()
    monkeypatch.setattr(start, "_held", {})
    start._matched.cache_clear()
    start.canonical.cache_clear()
    return made, tmp_path / "large.npz", flat


def test_a_token_of_many_weights_names_their_file_which_is_found_again(large):
    made, _, flat = large
    assert len(made) < 200
    assert np.array_equal(initial_parameters(decode(made).network), flat)


def test_a_token_made_elsewhere_says_which_file_it_needs(large, tmp_path):
    made, file, _ = large
    moved = file.rename(tmp_path / "moved.npz")
    said = run("trace", "--open", made, code=2).stderr
    assert 'needs the file "large.npz" (SHA-256' in said
    assert "give it with --weights" in said
    run("trace", "--open", made, "--weights", str(moved), "--stream")


def test_another_file_of_the_name_is_not_taken_for_it(large):
    made, file, flat = large
    network = from_preset("lesson").network
    saved(file, **network.graph.views(flat + 1))
    assert 'needs the file "large.npz"' in run("trace", "--open", made, code=2).stderr


def test_infinite_weights_are_said_and_kept(tmp_path):
    file = saved(tmp_path / "bad.npz", **(ARRAYS | {"b1": np.array([np.nan, np.inf])}))
    said = run("trace", "--preset", "xor", "--weights", file, code=1).stderr
    assert "2 of the 2 entries of b1 are NaN or infinite" in said


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"W1": ARRAYS["W1"]}, 'lacks b1, W2, b2; it has "W1"'),
        (ARRAYS | {"W2": ARRAYS["W2"].T}, "W2 is 1×2, but the network needs 2×1; transpose it"),
        (ARRAYS | {"b1": np.ones(3)}, "b1 is 3, but the network needs 2"),
        (ARRAYS | {"b1": np.ones(2, complex)}, '"b1" holds complex128; only real numbers are read'),
        ({"q": np.ones(2)}, "does not fit: this network's weights are 2×2, 1×2 in PyTorch"),
        ({"0.weight": ARRAYS["W1"], "2.weight": ARRAYS["W2"].T}, "has no 0.bias for b1"),
        ({**{f"actor.{n}": a for n, a in TORCH.items()}, **{f"critic.{n}": a for n, a in TORCH.items()}},
         "is ambiguous: the layers could be actor.0, actor.2 or critic.0, critic.2"),
        ({}, "it has no arrays"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_refused_in_one_line(tmp_path, arrays, why):
    assert why in refused(
        "--preset", "xor", "--layers", "2,2,1", "--weights", saved(tmp_path / "w.npz", **arrays)
    )


def test_layers_of_one_shape_whose_names_have_no_order_are_ambiguous(tmp_path):
    square = {f"{name}.{part}": a for name in ("in", "out")
              for part, a in (("weight", np.eye(2)), ("bias", np.ones(2)))}  # fmt: skip
    said = refused("--layers", "2,2,2", "--data", "circles", "--weights", saved(tmp_path / "w.npz", **square))
    assert "is ambiguous: the layers could be in, out or out, in" in said
    numbered = {name.replace("in", "fc1").replace("out", "fc2"): array for name, array in square.items()}
    run("token", "--layers", "2,2,2", "--data", "circles", "--weights", saved(tmp_path / "n.npz", **numbered))


class Bomb:
    def __reduce__(self):
        return print, ("unpickled",)


def test_a_pickle_is_refused_and_never_run(tmp_path, capfd):
    (tmp_path / "model.pt").write_bytes(pickle.dumps(Bomb()))
    np.savez(tmp_path / "objects.npz", W1=np.array([Bomb()], object))
    assert "a pickle may run code" in refused("--weights", str(tmp_path / "model.pt"))
    assert '"W1" holds Python objects (a pickle)' in refused("--weights", str(tmp_path / "objects.npz"))
    assert "unpickled" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("W9=1", 'there is no parameter "W9"; choose from W1, b1, W2, b2'),
        ("W1=[[1,2,3]]", "W1 needs the shape 2×2, not 1×3"),
        ("W2=[[1,2]]", "W2 needs the shape 2×1, not 1×2; its 2 columns are rows here"),
        ("b1=[1,2", "[ is not closed"),
        ("b1=1, b1=2", "b1 is given twice"),
        ("b1", '"b1" gives no number to a parameter'),
        ("b1=nan", "the value of b1 is not a number"),
        ("b1=__import__('os')", "is not allowed"),
    ],
)
def test_typed_weights_that_are_wrong_are_refused_in_one_line(typed, why):
    assert why in refused("--preset", "xor", "--set", typed)


def test_what_is_not_given_is_drawn_as_without_it():
    drawn, given = NetworkSpec((2, 3, 1), loss="mse"), NetworkSpec((2, 3, 1), loss="mse", start="W1=1")
    one, other = (spec.graph.views(initial_parameters(spec)) for spec in (drawn, given))
    assert (other["W1"] == 1).all()
    assert np.array_equal(one["W2"], other["W2"])


def test_bf16_is_read(tmp_path):
    bf16 = {
        name: (np.ascontiguousarray(a, "<f4").view("<u4") >> 16).astype("<u2") for name, a in TORCH.items()
    }
    network = decode(token("--weights", safetensors(tmp_path / "w.safetensors", bf16))).network
    assert np.allclose(network.graph.views(initial_parameters(network))["W1"], ARRAYS["W1"], rtol=2**-7)


def test_damaged_files_are_refused(tmp_path, ours):
    whole = (tmp_path / "ours.npz").read_bytes()
    safe = (tmp_path / "s.safetensors", dict(list(ARRAYS.items())[:1]))
    safetensors(*safe)
    for content in (b"", b"PK\x03\x04", whole[:-30], whole[: len(whole) // 2], safe[0].read_bytes()[:-8],
                    b"\xff" * 100, (5).to_bytes(8, "little") + b"{]}  "):  # fmt: skip
        (tmp_path / "cut").write_bytes(content)
        assert "cannot be read" in refused("--weights", str(tmp_path / "cut"))


def test_thousands_of_negative_numbers_travel_in_a_token():
    numbers = -np.random.default_rng(0).random((40, 40))
    options = ("--data", "circles", "--layers", "2,40,40,2", "--set", f"W2={numbers.tolist()}")
    network = decode(run("token", *options).stdout).network
    assert np.array_equal(network.graph.views(initial_parameters(network))["W2"], numbers.astype("f"))


def test_a_network_of_other_shapes_keeps_the_parameters_that_it_has_too():
    network = decode(token("--set", TYPED)).network
    assert replace(network, layers=(2, 2, 2), loss="mse").start == network.start.partition(",W2")[0]
    assert replace(network, layers=(3, 5, 1)).start == "b2=[-0.6]"


def test_a_network_of_other_shapes_keeps_nothing_of_a_file(large):
    network = decode(large[0]).network
    assert network.start
    assert replace(network, layers=(784, 10)).start == ""


@pytest.mark.parametrize("text", ["W1=[[1.0]]", "W1=1", TYPED, "import os", "weights.npz#" + "0" * 32])
def test_a_token_whose_weights_are_not_as_they_are_written_here_is_refused(text):
    with pytest.raises(TokenError):
        decode(sealed(msgspec.msgpack.encode({"preset": "xor", "network": {"start": text}})))
