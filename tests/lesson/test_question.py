"""Questions are read from Markdown; one of another form is refused with its place."""

from __future__ import annotations

import pytest

from tui_backprop.lesson.question import Place, read_questions
from tui_backprop.support.errors import InputError

TEXT = """# Questions

## why-not-perturb

Why is no weight
perturbed?

    ∂L/∂w ≈ (L(w + h) − L(w)) / h

- [ ] `too-inaccurate` It is too inaccurate.
- [x] It takes {passes} passes.
  One pass
  is enough.
- [ ] `too-small-to-see` Nothing changes.
  It does.

place: cost

## a-number
on: xor batch=2
ask: after backward W1

What is {parameter}?

- [x] `value`
- [ ] `backward-updates`
- [ ] `grad-replaced`
- [ ] `no-slope`

place: step output delta
"""


def test_a_question_in_words():
    question, _ = read_questions("03-naive.md", TEXT)
    assert (question.name, question.chapter, question.on) == ("why-not-perturb", 3, "lesson")
    assert question.paragraphs == ("Why is no weight perturbed?", "    ∂L/∂w ≈ (L(w + h) − L(w)) / h")
    assert [(each.misconception, each.text, each.about) for each in question.options] == [
        ("", "It takes {passes} passes.", "One pass is enough."),
        ("too-inaccurate", "It is too inaccurate.", ""),
        ("too-small-to-see", "Nothing changes.", "It does."),
    ]
    assert question.place == Place("cost")
    assert question.what is None


def test_a_question_about_a_number():
    _, question = read_questions("03-naive.md", TEXT)
    assert (question.on, question.what, question.value) == ("xor batch=2", "after backward", "W1")
    assert [each.misconception for each in question.options] == [
        "", "backward-updates", "grad-replaced", "no-slope",
    ]  # fmt: skip
    assert not any(each.text for each in question.options)
    assert question.place == Place("walk", "output delta")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("- [x] It", "- [ ] `no-slope` It", "it needs one right option, marked [x]"),
        ("`too-inaccurate`", "`too-exact`", "there is no misconception too-exact for: It is too inaccurate."),
        ("`too-inaccurate`", "", "there is no misconception named for: It is too inaccurate."),
        ("`too-inaccurate`", "`too-small-to-see`", "two options follow from the same misconception"),
        ("- [ ] `too-inaccurate` It is too inaccurate.\n", "", "it needs 2 wrong options, not 1"),
        ("place: cost", "place: kitchen", "there is no panel kitchen"),
        ("after backward W1", "before backward W1", "before backward cannot be asked; choose from gradient,"),
        ("`grad-replaced`", "`reverse-required`", "it needs 2 misconceptions or more that have numbers"),
        ("What is {parameter}?", "", "it has no words"),
    ],
)  # fmt: skip
def test_a_question_of_another_form_is_refused(right, wrong, message):
    assert right in TEXT
    with pytest.raises(InputError, match=r"03-naive\.md: ") as error:
        read_questions("03-naive.md", TEXT.replace(right, wrong, 1))
    assert message in error.value.message
