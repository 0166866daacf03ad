"""What the lesson says to press does what its checks look for, and the lesson sees it, in the running app."""

from __future__ import annotations

import re

import pytest

from tui_backprop.keys.key_names import key_name
from tui_backprop.keys.table import bound_keys
from tui_backprop.lesson.attempt import places
from tui_backprop.lesson.checks import CHECKS
from tui_backprop.lesson.figures import ACTIONS, fill

MOST = 24  # presses of one key
# Steps whose work takes seconds; what their keys do is tested with training.
SLOW = ("accurate",)


def said(step):
    """The keys that an action names, in order, without alternatives; what is typed after the key of the prompt."""
    text = re.split(r",? or |\. (?![.])", fill(step.action, step.start.session))[0]
    typed = re.search(r"type (\S+) and press enter", text)
    keys = [bound_keys(name)[0] for name in re.findall(r"\{([^{}]+)\}", text) if name in ACTIONS]
    return [*keys, *map(key_name, typed[1]), "enter"] if typed else keys


async def act(ui, step):
    """Press the keys, the last one until the lesson says that the step is done."""
    *first, last = said(step)
    await ui.press(*first)
    for _ in range(MOST):
        await ui.press(last)
        if ui.app.lesson.attempt.met:
            return


def stretches():
    """The steps that follow each other from one start."""
    found = []
    for place in places():
        if place.opens:
            found.append([])
        found[-1].append(place)
    return [run for run in found if any(place.step.check for place in run)]


@pytest.mark.parametrize("run", stretches(), ids=lambda run: f"{run[0].number}-{run[0].step.name}")
async def test_the_keys_that_a_step_names_do_what_it_asks_for(open_app, run):
    start = run[0].step.start.session
    async with open_app(start, size=(80, 24), lesson=True, chapter=run[0].number) as ui:
        for place in run:
            while ui.app.lesson.attempt.place != place:  # past the pages of a long step
                await ui.press("full_stop")
            if place.step.check and place.step.check not in SLOW:
                assert not ui.app.lesson.attempt.met, (place.number, "already so")
                await act(ui, place.step)
                assert ui.app.lesson.attempt.met, (place.number, said(place.step), ui.screen)


def test_the_slow_checks_exist():
    assert set(SLOW) <= set(CHECKS)
