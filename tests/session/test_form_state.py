"""The state of the form: what is brought, typed or from a file, becomes fields, and fields become a session."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.data.catalogue import info
from tui_backprop.data.typed import texts_typed, typed_samples
from tui_backprop.session.form_files import lost_weights, opened, to_open
from tui_backprop.session.form_state import FormState
from tui_backprop.session.form_texts import texts_of
from tui_backprop.session.network_form import session_of
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.share_token import decode, encode
from tui_backprop.session.state import from_preset
from tui_backprop.support.errors import UserError

XOR = from_preset("xor")
MAZUR = "W1=[[.15,.25],[.2,.3]], b1=.35, W2=[[.4,.5],[.45,.55]], b2=.6"


def open_files(form, watch=lambda done, of: None):
    """The form after what it names was opened, or the error."""
    asked = form.texts
    try:
        return form.opened(asked, opened(asked, form.session, watch))
    except UserError as error:
        return form.opened(asked, error)


@pytest.fixture
def weights(tmp_path):
    """A file with the parameters of a network 2-3-2, and the text that types them."""
    rng = np.random.default_rng(0)
    arrays = {"W1": rng.normal(size=(2, 3)), "b1": rng.normal(size=3), "W2": rng.normal(size=(3, 2))}
    arrays["b2"] = rng.normal(size=2)
    np.savez(tmp_path / "w.npz", **arrays)
    return str(tmp_path / "w.npz"), ", ".join(f"{name}={array.tolist()}" for name, array in arrays.items())


@pytest.mark.parametrize("preset", PRESETS)
def test_the_fields_of_a_session_describe_it(preset):
    session = from_preset(preset)
    assert session_of(texts_of(session), session) == session


def test_typed_and_filed_weights_give_the_same_session(weights):
    path, text = weights
    form = FormState(replace(XOR, network=replace(XOR.network, layers=(2, 3, 2), loss="cross-entropy")))
    typed = form.bringing("weights", "typed", "set").edited("set", text)
    filed = open_files(form.bringing("weights", "file", "weights-file").edited("weights-file", path))
    assert typed.after == filed.after
    assert decode(encode(filed.after)) == typed.after
    assert filed.words == ('"w.npz": W1, b1, W2, b2',)


def test_a_file_of_weights_brings_its_layers(weights):
    form = FormState(from_preset("moons") if "moons" in PRESETS else XOR)
    form = form.bringing("weights", "file", "weights-file").edited("weights-file", weights[0])
    assert form.described == (None, None)  # until it is opened
    assert open_files(form.edited("loss", "cross-entropy")).after.network.layers == (2, 3, 2)


def test_typed_samples_adapt_the_network_and_are_one_batch():
    form = (
        FormState(XOR).bringing("data", "typed", "x").edited("x", "[[1,2,3],[4,5,6]]").edited("y", "[0, 2]")
    )
    assert [form.texts[name] for name in ("layers", "batch", "loss")] == ["3,2,3", "2", "cross-entropy"]
    after = form.after
    assert (info(after.data).inputs, info(after.data).classes) == (3, 3)
    assert texts_typed(after.data) == ("[[1.0,2.0,3.0],[4.0,5.0,6.0]]", "[0,2]")
    assert FormState(after).texts["data"] == "typed"  # and can be edited further


def test_an_error_in_typed_samples_is_that_of_the_command_line():
    form = FormState(XOR).bringing("data", "typed", "x").edited("x", "[[1,2],[3]]")
    _, error = form.described
    with pytest.raises(UserError) as line:
        typed_samples("[[1,2],[3]]", form.texts["y"])
    assert (error.field, error.message) == (line.value.field, line.value.message)


def test_a_published_exercise_can_be_typed_into_the_form():
    form = FormState(from_preset("lesson"))
    for name, text in (
        ("layers", "2,2,2"), ("activation", "sigmoid"), ("loss", "half-squares"), ("output-activation", "sigmoid"),
        ("lr", "0.5"), ("init", PRESETS["mazur"].network.init), ("dtype", PRESETS["mazur"].network.dtype),
    ):  # fmt: skip
        form = form.edited(name, text)
    form = form.bringing("data", "typed", "x").edited("x", "[[.05,.1]]").edited("y", "[[.01,.99]]")
    form = form.bringing("weights", "typed", "set").edited("set", MAZUR)
    assert form.after.network == replace(PRESETS["mazur"].network, seed=form.after.network.seed)


def test_weights_that_fit_nothing_are_refused_if_typed_and_dropped_if_from_before():
    mazur = FormState(from_preset("mazur"))
    other = mazur.edited("layers", "2,5,2")
    assert other.after.network.start.startswith("b2=")  # the rest is of another shape
    wrong = other.edited("set", "W1=[[1,2],[3,4]]")
    assert wrong.described[1].message == "W1 needs the shape 2×5, not 2×2"


@pytest.mark.parametrize("name", ["file", "target", "scale", "data"])
def test_another_request_forgets_what_was_said_of_the_last_one(tmp_path, name):
    form = FormState(XOR).bringing("data", "file", "file").edited("file", "nowhere.csv")
    failed = open_files(form)
    assert failed.unopened.field == "file"
    other = failed.edited(name, {"scale": "minmax", "data": "moons"}.get(name, "y"))
    assert other.unopened is None


def test_after_opening_a_file_its_path_is_kept_to_open_it_otherwise(tmp_path):
    (tmp_path / "d.csv").write_text("a,b,y\n1,2,0\n3,4,1\n5,6,0\n")
    form = FormState(XOR).bringing("data", "file", "file").edited("file", str(tmp_path / "d.csv"))
    form = open_files(form)
    assert form.words == ('"d.csv": 3 samples, inputs 2, target: classes 0, 1',)
    form = form.applied(form.after).at("data").turned(-1)
    assert to_open(form.texts) == ("file",)
    assert form.texts["file"].endswith("d.csv")
    again = open_files(form.edited("target", "a"))
    assert info(again.after.data).classes == 3


def test_what_begins_no_data_set_is_a_path():
    form = FormState(XOR).at("data")
    for letter in "moons.csv":
        form = form.typed(letter) if form.field.name == "data" else form.edited("file", form.text + letter)
    assert (form.field.name, form.text) == ("file", "moons.csv")
    assert FormState(XOR).at("data").typed("moons").texts["data"] == "moons"


def test_the_last_group_is_folded_unless_something_in_it_is_set():
    folded, unfolded = FormState(XOR), FormState(replace(XOR, network=replace(XOR.network, dropout=0.5)))
    assert "dropout" not in {field.name for field in folded.fields}
    assert "dropout" in {field.name for field in unfolded.fields}
    edited = folded.edited("more", "shown").edited("dropout", "0.5").edited("more", "hidden")
    assert edited.after.network.dropout == 0.5  # out of sight, not out of force


def test_what_a_choice_of_data_adapted_is_taken_back_by_another_one_but_no_edit_is():
    form = FormState(XOR).edited("data", "sine")
    assert form.texts["loss"] == "mse"
    assert {*form.adapted} == {"layers", "loss"}
    assert form.edited("data", "moons").texts["loss"] == "binary-cross-entropy"
    assert form.edited("loss", "half-squares").edited("data", "moons").texts["loss"] == "half-squares"


def test_weights_that_a_network_cannot_take_are_known_to_be_lost():
    before = FormState(XOR).bringing("weights", "typed", "set").edited("set", "W1=[[1,2],[3,4]]")
    form = FormState(before.after)
    assert not lost_weights(form.texts, form.edited("seed", "3").after)
    assert lost_weights(form.texts, form.edited("layers", "2,3,1").after)
