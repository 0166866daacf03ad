"""The text panel: letters with their probabilities, what is to blame for one of them, and what the edits changed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.render.states import findings_of
from tui_backprop.engine.analysis.blamed_letters import BlamedLetter, Replaced
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.panels.letters import ABOUT, drawn_bar, letter_table, ranked, trust_lines
from tui_backprop.render.panels.text import LABEL, percent, text_panel
from tui_backprop.session.letter_blame import LetterBlame, chosen_weight
from tui_backprop.session.session_parts import GeneratedText
from tui_backprop.session.state import Session
from tui_backprop.session.update_log import EDIT_STEP
from tui_backprop.support.format import format_number

NAMES = (*"abc", "•")


def drawn(session, found, columns=80, rows=24, context=UTF8):
    return [plain(row) for row in text_panel(session, found, columns, rows, context)]


def blamed(first_order, mean=None, position=1):
    found = None if mean is None else Replaced(mean, 2 * mean, 2, None)
    return BlamedLetter(position, 0, first_order, 1.0, found)


def told(*letters):
    return " ".join(plain(row) for row in trust_lines(LetterBlame(letters, 1.0, NAMES), 200, UTF8))


def test_each_letter_has_its_probability_below_it():
    session, (*_, found) = findings_of(5)
    rows = drawn(session, found)
    letters, now, was = rows[2:5]
    assert letters.split() == [*"karet", "a", "[•]"]
    assert now.split() == ["p", *(percent(p) for p in found.p)]
    assert was.split() == ["was", *(percent(p) for p in found.before)]
    for i, letter in enumerate("kareta"):
        end = letters.index(letter) if letter != "a" else None
        if end:
            assert now[: end + 2].rstrip().endswith(percent(found.p[i]))
    assert found.p != found.before


def test_the_boundary_has_one_name():
    session, (*_, found) = findings_of(5)
    words = " ".join(drawn(session, found, columns=120, rows=40))
    assert "by •" in words
    assert "0 (•)" in words
    assert "BOS" not in words
    assert "by *" in " ".join(drawn(session, found, columns=120, rows=40, context=ASCII))


def test_the_change_of_the_probability_is_said_where_there_are_edits():
    session, (*_, found) = findings_of(5)
    assert any("p of this letter" in row and "→" in row for row in drawn(session, found))
    untouched, (*_, other) = findings_of(4)
    assert not any("→" in row or row.startswith("was") for row in drawn(untouched, other))


def test_the_chosen_weight_is_the_one_asked_for_or_else_that_of_the_rank():
    session, (*_, found) = findings_of(4)
    first, second = found.weights[:2]
    assert chosen_weight(session, found.weights) == first
    ranked_second = replace(session, inspection=replace(session.inspection, rank=1))
    assert chosen_weight(ranked_second, found.weights) == second
    asked = replace(session, inspection=replace(session.inspection, number=(second.tensor, second.index)))
    assert chosen_weight(asked, found.weights) == second
    assert f"[{second.tensor}" in " ".join(drawn(asked, found))


def test_what_a_step_of_the_chosen_weight_does_to_the_probability_is_said():
    session, (*_, found) = findings_of(4)
    weight, p = found.weights[0], found.p[found.passage.position]
    words = " ".join(" ".join(drawn(session, found)).split())
    change = format_number(-p * weight.gradient * EDIT_STEP, 2, sign=True)
    assert (
        f"= {format_number(weight.value)}: +0.01 changes p of this letter by {change} to first order" in words
    )


def test_without_letters_it_says_how_to_begin_and_to_train_first():
    trained, _ = findings_of(0)
    fresh, _ = findings_of(1)
    assert "space generates a letter" in " ".join(drawn(trained, None))
    assert "train the network" not in " ".join(drawn(trained, None))
    assert "train the network" in " ".join(drawn(fresh, None))
    assert "text 10" in drawn(fresh, None)[0]
    assert "[0]" in drawn(fresh, None)[0]


def test_a_network_that_takes_no_text_says_so():
    assert "takes no text" in drawn(Session(), None)[0]


def test_findings_about_another_text_give_no_probabilities():
    session, (*_, found) = findings_of(5)
    other = replace(session, text=GeneratedText("kar", letter=3))
    assert any(row.startswith(f"{'p':<{LABEL}}") for row in drawn(session, found))
    assert not any(row.startswith(f"{'p':<{LABEL}}") for row in drawn(other, found))


@pytest.mark.parametrize(
    ("p", "text"), [(0.5, "50%"), (0.0994, "9.9%"), (0.0996, "10%"), (1.0, "100%"), (0.0, "0.0%")]
)
def test_a_probability_takes_four_columns(p, text):
    assert percent(p) == text
    assert len(text) <= 4


def test_the_letter_most_to_blame_is_the_first_and_the_one_that_helps_most_the_last():
    letters = blamed(-0.1), blamed(0.7, position=2), blamed(-0.3, position=3), blamed(0.1, position=4)
    blame = LetterBlame(letters, 1.0, NAMES)
    assert [each.position for each in ranked(blame)] == [3, 1, 4, 2]
    first, *_, last = [plain(row) for row in letter_table(blame, 100, 5, UTF8)][1:]
    assert "−0.300" in first  # − it is to blame
    assert "+0.700" in last
    assert "the most to blame first (− to blame, + it helps)" in ABOUT
    assert [each.position for each in ranked(blame, 2)] == [
        3,
        2,
    ]  # one to blame, and the largest of the others
    assert ranked(blame, 0) == []


@pytest.mark.parametrize("rows", [10, 14, 24])
@pytest.mark.parametrize("rank", [0, 3])
def test_the_numbers_of_the_weights_are_called_gradients(rank, rows):
    session, (*_, found) = findings_of(4)
    session = replace(session, inspection=replace(session.inspection, rank=rank))
    text = " ".join(" ".join(drawn(session, found, rows=rows)).split())
    chosen = found.weights[rank]
    assert text.count("weight gradients ") == 1
    numbers = text.partition("weight gradients ")[2]
    assert (
        f"[{entry_name(chosen.tensor, chosen.index)}] {format_number(chosen.gradient, 2, sign=True)}"
        in numbers
    )


def test_first_order_and_actual_have_the_same_sign_where_they_agree():
    rows = letter_table(LetterBlame((blamed(-0.4, -0.5),), 1.0, NAMES), 100, 5, UTF8)
    assert "−0.400" in plain(rows[1])
    assert "−0.500" in plain(rows[1])


def test_a_bar_shows_its_sign_without_color():
    assert drawn_bar(1.0, 2.0, 8, UTF8) == "████"
    assert drawn_bar(-2.0, 2.0, 8, UTF8) == "≡" * 8
    assert drawn_bar(-2.0, 2.0, 8, ASCII).isascii()
    assert drawn_bar(float("nan"), 1.0, 8, UTF8) == drawn_bar(1.0, 0.0, 8, UTF8) == ""


def test_the_letter_where_both_differ_most_is_explained():
    near, far = blamed(-0.1, -0.1), blamed(0.1, 2.0, position=2)
    assert (
        "Same sign for 2 of 2. Furthest apart: 2 (a), +0.100 against +2.000. On the way to another letter the loss"
        in told(near, far)
    )
    assert "Same sign for 1 of 2" in told(near, blamed(-0.1, 2.0, position=2))
    assert "The signs are opposite" in told(near, blamed(-0.1, 2.0, position=2))
    assert "within a factor of 2" in told(near, blamed(-0.5, -0.45, position=2))


def test_opposite_signs_are_a_rank_correlation_of_minus_1():
    words = told(*(blamed(change, -change, position=i) for i, change in enumerate((0.3, -0.2, 0.1))))
    assert "Rank correlation −1.0, same sign for 0 of 3." in words


def test_while_letters_are_replaced_it_says_so():
    assert told(blamed(0.1, -0.1), blamed(0.3)) == "replacing letters …"
    session, (first, *_) = findings_of(5)
    assert any("replacing letters" in row for row in drawn(session, first, rows=40))


def test_a_narrow_panel_uses_its_height_for_what_does_not_fit_beside():
    session, (*_, found) = findings_of(5)
    rows = drawn(session, found, columns=37, rows=48)
    assert all(len(row) <= 37 for row in rows)
    words = " ".join(" ".join(rows).split())
    assert words.count("largest ") == len(found.blame.letters)
    assert words.count("by • ") == len(found.blame.letters) - 1
    assert "u undoes the last change" in words
    fewer = drawn(session, found, columns=37, rows=40)
    assert 0 < " ".join(fewer).count("largest ") < len(found.blame.letters)
    assert len([row for row in fewer if re.match(r"\d \(", row)]) == len(found.blame.letters) + 1


def test_a_long_text_has_several_lines_where_there_is_room():
    session, (*_, found) = findings_of(3)
    rows = drawn(session, found, columns=37, rows=40)
    letters = [letter for row in rows[2:12:2] for letter in row.replace("[", " ").replace("]", " ").split()]
    assert "".join(letters).startswith(session.text.characters[:12])
    assert not any("…" in row for row in rows[2:8])


def test_of_many_letters_those_around_the_cursor_are_shown():
    session, (*_, found) = findings_of(3)
    row = drawn(session, found, columns=40)[2]
    assert row.startswith("…")
    assert "[p]" in row
