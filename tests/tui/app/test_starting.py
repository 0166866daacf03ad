"""Where no thread or process can be started, the app says so and goes on."""

from __future__ import annotations

import errno
import multiprocessing.process
from concurrent.futures import ThreadPoolExecutor

import pytest


def no_thread(*arguments, **named):
    raise RuntimeError("can't start new thread")


def no_process(*arguments, **named):
    raise OSError(errno.EMFILE, "Too many open files")


def notices(ui) -> str:
    return " ".join(each.message for each in ui.app._notifications)


async def test_an_iteration_that_cannot_be_computed_is_said_and_the_last_one_stays(open_app, monkeypatch):
    async with open_app() as ui:
        before = ui.app.session
        with monkeypatch.context() as context:
            context.setattr(ThreadPoolExecutor, "submit", no_thread)
            ui.app.action_sample(1)
            await ui.until(lambda: "no thread can be started" in notices(ui), "a notice")
        assert ui.app.session.pass_key == before.pass_key
        ui.app.action_sample(1)
        await ui.until(lambda: ui.app.snapshot.session.sample == before.sample + 1, "the next sample")


@pytest.mark.parametrize("failing", [no_process, no_thread])
async def test_a_sweep_and_a_race_that_cannot_start_say_so(open_app, monkeypatch, failing):
    async with open_app() as ui:
        monkeypatch.setattr(multiprocessing.process.BaseProcess, "start", failing)
        ui.app.action_sweep()
        await ui.until(lambda: "No sweep: no process can be started" in notices(ui), "a notice")
        assert not ui.app.cost_lab.sweep.running
        ui.app.action_race()
        await ui.until(lambda: ui.app.cost_lab.race.status is not None, "the race")
        assert "no process can be started" in ui.app.cost_lab.race.status.why
