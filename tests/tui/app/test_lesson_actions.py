"""What the lesson says to press does what its checks look for, in the running app."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tui_backprop.keys.key_names import key_name
from tui_backprop.keys.table import bound_keys
from tui_backprop.lesson.chapter import chapters
from tui_backprop.lesson.checks import CHECKS, done
from tui_backprop.lesson.figures import ACTIONS, fill
from tui_backprop.session.replay import Replay

MOST = 24  # presses of one key
# Steps whose work takes seconds; what their keys do is tested with training.
SLOW = ("accurate",)


def said(step):
    """The keys that an action names, in order, without alternatives; what is typed after the key of the prompt."""
    text = re.split(r",? or |\. (?![.])", fill(step.action, step.start.session))[0]
    typed = re.search(r"type (\S+) and press enter", text)
    keys = [bound_keys(name)[0] for name in re.findall(r"\{([^{}]+)\}", text) if name in ACTIONS]
    return [*keys, *map(key_name, typed[1]), "enter"] if typed else keys


async def act(ui, step, replay):
    """Press the keys, the last one until the step is done; return whether it was not done before, and is now."""

    def now():
        return replace(ui.app.session, panel=ui.app.current_panel)

    then = now()
    before = done(step.check, then, then, replay)
    *first, last = said(step)
    await ui.press(*first)
    for _ in range(MOST):
        await ui.press(last)
        if done(step.check, then, now(), replay):
            return not before
    return False


def stretches():
    """The steps of each chapter that follow each other from one start."""
    for chapter in chapters():
        run = []
        for step in chapter.steps:
            if step.fresh and run:
                yield chapter, tuple(run)
                run = []
            run.append(step)
        yield chapter, tuple(run)


STRETCHES = [(chapter, steps) for chapter, steps in stretches() if any(step.check for step in steps)]


@pytest.mark.parametrize(
    ("chapter", "steps"), STRETCHES, ids=[f"{chapter.number}-{steps[0].name}" for chapter, steps in STRETCHES]
)
async def test_the_keys_that_a_step_names_do_what_it_asks_for(open_app, chapter, steps):
    replay = Replay()
    async with open_app(steps[0].start.session, size=(80, 24)) as ui:
        for step in steps:
            if step.check and step.check not in SLOW:
                assert await act(ui, step, replay), (step.name, said(step), ui.screen)


def test_the_slow_checks_exist():
    assert set(SLOW) <= set(CHECKS)
