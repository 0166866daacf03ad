"""What a network may be: every bad value is refused by name, in words that can be shown anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.engine.frontends.dense.spec import NetworkSpec, parse_activations, parse_layers
from tui_backprop.engine.network.initializer_rules import parse_init
from tui_backprop.support.errors import UserError
from tui_backprop.support.validation import non_negative_number, one_of, positive_number, quoted, whole_number

HUGE = "9" * 5000  # longer than Python turns into an int
NOISE = "\x1b[31m[bold red]\n\r\x07\x00\u202e\u200b\x9b"


def error_of(call, *arguments):
    with pytest.raises(UserError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize(
    "text",
    ["784", "784,-5,10", "784,2.5,10", "a,b", "", " ", ",", "784,,10", "784,10,", "0,10", "784 10", "784;10",
     "784,1e3,10", "0x10,10", "1_000,10", "784,inf", "784,nan", "784,True", "784,+,10", "784,--5,10", "+-3,2",
     f"784,{HUGE},10", f"784,-{HUGE},10", f"784,{10**18},10", "７８４,10", "٧٨٤,10", "²,10", "784,½"],
)  # fmt: skip
def test_bad_layers_are_refused(text):
    error = error_of(parse_layers, text)
    assert error.field == "layers"
    assert len(error.message) < 200
    assert error.message.isprintable()


@pytest.mark.parametrize(
    "text", ["784,256,10", " 784 , 256,10 ", "[784,256,10]", "(784, 256, 10)", "784,+256,10", "784,0256,10"]
)
def test_layers_are_read_as_people_write_them(text):
    assert parse_layers(text) == (784, 256, 10)


@pytest.mark.parametrize(
    "layers", [(784,), (), (784, 0), (784, -1), (784, 2.5), (True, 2), ("a", 2), (None, 1)]
)
def test_bad_layers_are_refused_however_they_come(layers):
    assert error_of(NetworkSpec, layers).field == "layers"


@pytest.mark.parametrize("seed", [-1, "-1", True, 1.5, "", "x", None, HUGE, "-" + HUGE, "１", float("nan")])
def test_bad_seeds_are_refused(seed):
    assert error_of(lambda: NetworkSpec(seed=seed)).field == "seed"


@pytest.mark.parametrize("field", ["activation", "loss", "init", "dtype"])
@pytest.mark.parametrize("value", ["", "rely", "RELU", None, 3, "x" * 5000])
def test_unknown_names_are_refused_with_those_there_are(field, value):
    error = error_of(lambda: NetworkSpec(**{field: value}))
    assert error.field == field
    assert "choose from" in error.message
    assert len(error.message) < 200


@pytest.mark.parametrize(
    "value",
    ["nan", "inf", "-inf", 0, "0", -1, "-0.1", "", "x", None, True, float("nan"), "1e999", HUGE, "0.1.2"],
)
def test_a_learning_rate_is_a_positive_number(value):
    assert error_of(positive_number, "lr", value).field == "lr"


@pytest.mark.parametrize(
    ("value", "number"), [("0.1", 0.1), (" 1e-3 ", 1e-3), (2, 2.0), (0.5, 0.5), ("1e300", 1e300)]
)
def test_a_positive_number_is_read(value, number):
    assert positive_number("lr", value) == number


def test_digits_of_other_scripts_are_refused_as_a_learning_rate_as_they_are_in_layers():
    assert error_of(positive_number, "lr", "０.１").field == "lr"


def test_leading_zeros_change_nothing():
    assert whole_number("seed", "0" * 30 + "7", 0) == 7
    assert whole_number("batch", "0" * 30 + "7", 1) == 7
    assert whole_number("seed", "0" * 5000, 0) == 0


def test_an_integer_too_long_to_print_is_refused():
    assert error_of(whole_number, "seed", 10**5000, 0).field == "seed"


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (one_of, ("loss", NOISE, ("mse",))),
        (whole_number, ("batch", NOISE, 1)),
        (positive_number, ("lr", NOISE)),
        (parse_layers, (NOISE,)),
        (lambda noise: NetworkSpec(activation=noise), (NOISE,)),
    ],
    ids=["one_of", "whole", "positive", "parse_layers", "NetworkSpec"],
)
def test_a_message_shows_what_was_typed_without_its_control_characters(call, arguments):
    error = error_of(call, *arguments)
    assert error.message.isprintable()
    assert "[bold red]" in error.message  # as it was typed: the screen does not read markup in it


def test_what_was_typed_is_cut_to_fit_a_line():
    assert len(quoted("x" * 10**6)) == 42
    assert quoted("short") == '"short"'


def test_a_spec_error_names_its_field():
    error = UserError("layers", "no")
    assert (error.field, error.message, str(error)) == ("layers", "no", "layers: no")
    assert isinstance(error, ValueError)


def test_a_spec_is_frozen_and_compares_by_value():
    spec = NetworkSpec((2, 3, 1))
    assert spec == NetworkSpec((2, 3, 1))
    assert hash(spec) == hash(NetworkSpec((2, 3, 1)))
    with pytest.raises(AttributeError):
        spec.seed = 1


def test_counts_of_weights_and_parameters():
    spec = NetworkSpec((3, 4, 2))
    assert (spec.depth, spec.fans, spec.weights, spec.parameters) == (2, ((3, 4), (4, 2)), 20, 26)
    assert NetworkSpec((3, 4, 2), bias=False).parameters == 20
    assert spec.parameter_terms == [("3×4 + 4", 16), ("4×2 + 2", 10)]


def test_counts_of_a_network_too_large_for_64_bits_are_exact():
    assert NetworkSpec((10**17, 10**17), bias=False).parameters == 10**34


@settings(derandomize=True, deadline=None)
@given(st.text("0123456789,,,-+. []()e_７²\x1b\n", max_size=30))
def test_any_text_is_layers_or_a_spec_error(text):
    try:
        layers = parse_layers(text)
    except UserError:
        layers = (1, 1)
    assert len(layers) >= 2
    assert min(layers) >= 1


@pytest.mark.parametrize("field", ["dropout", "l2"])
@pytest.mark.parametrize(
    "value", ["nan", "inf", "-inf", -1, "-0.1", "", "x", None, True, HUGE, "0.1.2", "０.１", NOISE]
)
def test_bad_rates_and_strengths_are_refused(field, value):
    error = error_of(lambda: NetworkSpec(**{field: value}))
    assert error.field == field
    assert error.message.isprintable()
    assert len(error.message) < 200


@pytest.mark.parametrize("value", [1, "1", 1.5, "2"])
def test_a_rate_of_dropout_that_leaves_nothing_is_refused(value):
    assert "(1 excluded)" in error_of(lambda: NetworkSpec(dropout=value)).message


def test_rates_and_strengths_are_read_as_numbers():
    spec = NetworkSpec(dropout="0.25", l2=" 1e-3 ")
    assert (spec.dropout, spec.l2) == (0.25, 0.001)
    assert spec == NetworkSpec(dropout=0.25, l2=0.001)
    assert non_negative_number("clip", "0") == 0


@pytest.mark.parametrize(
    ("field", "named"), [("bias", "bias"), ("layer_norm", "layer-norm"), ("residual", "residual")]
)
@pytest.mark.parametrize("value", ["yes", 1, None])
def test_a_switch_is_on_or_off(field, named, value):
    assert error_of(lambda: NetworkSpec(**{field: value})).field == named


@pytest.mark.parametrize(
    ("text", "said"),
    [("relu,tanh", "2 names for 3 hidden layers"), ("relu,tanh,relu,relu", "4 names for 3"), ("relu,,tanh", '""'),
     ("relu,cosh,tanh", 'invalid value "cosh"'), (NOISE, "invalid value")],
)  # fmt: skip
def test_bad_lists_of_activations_are_refused(text, said):
    error = error_of(lambda: NetworkSpec((2, 3, 4, 5, 2), text))
    assert error.field == "activation"
    assert said in error.message


def test_activations_are_one_for_all_hidden_layers_or_one_for_each():
    assert NetworkSpec((2, 3, 4, 5, 2), "tanh").activations == ("tanh",) * 3
    assert NetworkSpec((2, 3, 4, 5, 2), "relu, tanh,gelu").activations == ("relu", "tanh", "gelu")
    assert parse_activations("relu", 0) == ()


@pytest.mark.parametrize(
    "text", ["he:2", "normal:", "normal:0", "normal:-1", "normal:x", "constant:", "best:1", ":1"]
)
def test_bad_sizes_of_an_initialization_are_refused(text):
    assert error_of(lambda: NetworkSpec(init=text)).field == "init"


@pytest.mark.parametrize(
    ("text", "read"),
    [("he", ("he", 0.0)), ("normal", ("normal", 0.01)), ("normal:0.02", ("normal", 0.02)),
     ("constant:-0.5", ("constant", -0.5)), ("orthogonal", ("orthogonal", 0.0))],
)  # fmt: skip
def test_an_initialization_is_read_with_its_size(text, read):
    assert parse_init(text) == read


def test_a_normalized_network_has_a_gain_and_a_shift_for_each_hidden_unit():
    spec = NetworkSpec((3, 4, 5, 2), layer_norm=True)
    assert spec.parameters == NetworkSpec((3, 4, 5, 2)).parameters + 2 * (4 + 5)
    assert spec.parameter_terms == [("3×4 + 3×4", 24), ("4×5 + 3×5", 35), ("5×2 + 2", 12)]


def test_a_residual_goes_around_hidden_layers_as_wide_as_what_comes_in():
    spec = NetworkSpec((4, 4, 4, 5, 5, 5), residual=True)
    assert [spec.adds_input(k) for k in range(1, 6)] == [True, True, False, True, False]
    assert not any(NetworkSpec((4, 4, 4)).adds_input(k) for k in (1, 2))
