"""The split of a data set: drawn with a seed, and what goes round in each part."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.data.samples import batches, cut, load
from tui_backprop.data.split import held_out_count, split_of
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.support.errors import InputError

SPEC = NetworkSpec((2, 4, 2), dtype="float64", seed=5)
SHARE = "not a share between 0 and 1"
SIZES = [(400, 80, 0), (400, 399, 5), (7, 1, 3), (2, 1, 0)]


@pytest.mark.parametrize(("samples", "validation", "seed"), SIZES)
def test_the_samples_held_out_are_the_first_of_a_permutation_by_the_seed(samples, validation, seed):
    split = split_of(samples, validation, seed)
    drawn = np.random.default_rng(seed).permutation(samples).tolist()
    assert list(split.held_out.samples) == sorted(drawn[:validation])
    assert list(split.training.samples) == sorted(drawn[validation:])
    for sample in range(samples):
        part = split.part(sample)
        assert part is (split.held_out if sample in drawn[:validation] else split.training)
        assert part.has(sample)
    assert (
        split.text
        == f"{samples - validation} samples for training, {validation} for validation, drawn with seed {seed}"
    )


def test_another_seed_draws_others_and_no_split_leaves_all_to_train_on():
    assert list(split_of(400, 80, 0).held_out.samples) != list(split_of(400, 80, 1).held_out.samples)
    whole = split_of(400, 0, 3)
    assert (whole.training.name, whole.training.samples, len(whole.held_out.samples)) == ("", range(400), 0)
    assert whole.part(399) is whole.training


@pytest.mark.parametrize(("samples", "validation", "seed"), [*SIZES, (9, 0, 0)])
def test_a_part_goes_round_like_a_list(samples, validation, seed):
    split = split_of(samples, validation, seed)
    for part in filter(lambda part: part.samples, (split.training, split.held_out)):
        numbers = list(part.samples)
        for at in range(0, len(numbers), max(len(numbers) // 7, 1)):
            sample = numbers[at]
            for by in (0, 1, -1, 5, len(numbers), -3 * len(numbers) - 1):
                there = part.after(sample, by)
                assert there == numbers[(at + by) % len(numbers)]
                assert type(there) is int
                assert part.distance(sample, there) == by % len(numbers)
            for batch in (1, 3, len(numbers), 2 * len(numbers) + 1):
                rows = np.arange(samples)[part.rows(sample, batch)]
                assert rows.tolist() == [numbers[(at + i) % len(numbers)] for i in range(batch)]


def test_a_sample_of_the_other_part_leads_to_the_next_one_of_this_part():
    split = split_of(400, 80, 0)
    for sample in range(400):
        following = [each for each in split.training.samples if each >= sample]
        assert split.training.after(sample) == (following or list(split.training.samples))[0]


@pytest.mark.parametrize("size", [1, 6, 300, 500])
def test_batches_of_a_part_are_its_samples(size):
    whole, split = load("moons", SPEC.seed), split_of(400, 150, SPEC.seed)
    for part in (split.training, split.held_out):
        batch_of = batches(SPEC, "moons", part)
        for at in (0, 3, len(part.samples) - 2):
            rows = [part.samples[(at + i) % len(part.samples)] for i in range(size)]
            for batch in (cut(SPEC, "moons", rows[0], size, part), batch_of(rows[0], size)):
                np.testing.assert_array_equal(batch.x, whole.x[rows])
                np.testing.assert_array_equal(batch.target, whole.target[rows])


@pytest.mark.parametrize(
    ("value", "samples", "count"),
    [
        ("0", 9, 0),
        ("0.0", 9, 0),
        ("0.2", 1000, 200),
        ("0.25", 10, 2),
        (".3", 10, 3),
        ("1", 2, 1),
        (" 200 ", 1000, 200),
        (5, 6, 5),
        ("1e-1", 50, 5),
        ("0.07", 100, 7),
    ],
)
def test_a_share_or_a_number_of_samples_is_held_out(value, samples, count):
    assert held_out_count(value, samples) == count


@pytest.mark.parametrize(
    ("value", "samples", "said"),
    [
        ("1.5", 200, SHARE),
        ("-1", 200, SHARE),
        ("-0.2", 200, SHARE),
        ("half", 200, "such as 0.2, or a number of samples, such as 200"),
        ("", 200, SHARE),
        ("nan", 200, SHARE),
        ("inf", 200, SHARE),
        ("1.0", 200, SHARE),
        ("20%", 200, SHARE),
        ("²", 200, "whole number"),
        ("200", 200, "200 of 200 samples leaves none for training; at most 199"),
        ("0.999", 200, "none for training"),
        ("0.001", 200, "0.001 of 200 samples is none"),
        ("0.5", 1, "one sample cannot be split"),
        ("1", 1, "one sample cannot be split"),
        ("9" * 30, 200, "too large"),
    ],
)
def test_any_other_value_is_refused_in_one_line(value, samples, said):
    with pytest.raises(InputError, match=said) as caught:
        held_out_count(value, samples)
    assert caught.value.field == "validation"
    assert "\n" not in caught.value.message
