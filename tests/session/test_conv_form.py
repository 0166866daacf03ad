"""A convolutional network in the form, in tokens, and on the command line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main
from tui_backprop.engine.frontends.conv.spec import ConvSpec
from tui_backprop.session.form_fields import fields_of
from tui_backprop.session.form_texts import texts_of
from tui_backprop.session.network_form import chosen, session_of
from tui_backprop.session.share_token import decode, encode
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.errors import InputError

LENET = from_preset("lenet")
OWN = ("channels", "kernel", "stride", "padding", "pooling", "dense", "batch-norm")
CHANGED = {
    "channels": ("4,8,8", {"padding": "1"}),
    "kernel": ("3,5", {}),
    "stride": ("2,1", {"padding": "2"}),
    "padding": ("2", {}),
    "pooling": ("average", {}),
    "dense": ("none", {}),
    "batch-norm": ("on", {}),
    "activation": ("tanh", {}),
    "init": ("xavier", {}),
    "seed": ("7", {}),
    "dtype": ("float64", {}),
}


def test_choosing_the_preset_in_the_form_gives_its_session():
    before = Session()
    after = session_of(chosen("preset", "lenet", texts_of(before)), before)
    assert (after.network, after.data, after.lr) == (ConvSpec(), "digits", 0.05)


def test_the_form_has_the_fields_of_a_convolutional_network_and_no_layers():
    names = [field.name for field in fields_of(texts_of(LENET))]
    assert {*OWN, "activation", "init", "sample", "batch", "seed"} <= {*names}
    assert "layers" not in names
    assert not {*OWN}.intersection(field.name for field in fields_of(texts_of(Session())))


@pytest.mark.parametrize("field", CHANGED)
def test_each_field_changes_its_setting_and_comes_back(field):
    text, others = CHANGED[field]
    after = session_of({**texts_of(LENET), **others, field: text}, LENET)
    name = field.replace("-", "_")
    assert getattr(after.network, name) != getattr(LENET.network, name)
    assert texts_of(after)[field] == text.replace("none", "")
    assert session_of(texts_of(after), after) == after
    assert decode(encode(after)) == after


@pytest.mark.parametrize(
    ("field", "text"), [("channels", "6,x"), ("kernel", "99"), ("padding", ""), ("stride", "0")]
)
def test_an_invalid_text_is_an_error_of_its_field(field, text):
    with pytest.raises(InputError) as error:
        session_of({**texts_of(LENET), field: text}, LENET)
    assert error.value.field == field


def test_a_token_of_a_batch_of_a_changed_network_opens_as_it():
    network = ConvSpec((3,), (5,), padding=(1,), pooling="none", dense=(), batch_norm=True, seed=4)
    session = replace(LENET, network=network, batch=8, sample=5)
    assert decode(encode(session)) == session


def run(*arguments):
    return CliRunner().invoke(main, ["trace", *arguments])


def test_options_of_the_command_line_are_fields_of_the_network():
    done = run("--preset", "lenet", "--channels", "2,3", "--padding", "0", "--dense", "none", "--batch-norm")
    assert done.exit_code == 0
    assert "conv 2@5x5, 3@5x5, dense 10" in done.output
    assert "batch norm" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--channels", "3"], "--channels: does not apply to a dense network; add --preset lenet"),
        (["--batch-norm"], "--batch-norm: does not apply to a dense network; add --preset lenet"),
        (["--preset", "lenet", "--layers", "3,4"], "--layers: does not apply to conv 6@5x5"),
        (["--preset", "lenet", "--data", "xor"], "--data: xor does not fit conv 6@5x5"),
        (["--preset", "lenet", "--channels", "1,2,3"], "--padding: 2 numbers for 3 convolutions; write one"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(arguments, message):
    done = run(*arguments)
    assert done.exit_code == 2
    assert done.stderr.strip().startswith(f"backprop-tui: {message}")
    assert len(done.stderr.strip().splitlines()) == 1
