"""What the app measures by itself waits while keys come."""

from __future__ import annotations

import threading

from tests.steady import steady_machine
from tests.waits import GENEROUS
from tui_backprop.cost.measure import passes as measure
from tui_backprop.tui.app import cost_lab
from tui_backprop.tui.app.calm import Calm

LONG = 10 * GENEROUS  # seconds


def waiting(calm: Calm) -> threading.Thread:
    thread = threading.Thread(target=calm.wait, daemon=True)
    thread.start()
    return thread


def test_without_keys_nothing_waits():
    Calm(LONG).wait()


def test_after_a_key_a_thread_waits_and_no_longer_than_the_app_runs():
    calm = Calm(LONG)
    calm.disturb()
    thread = waiting(calm)
    assert thread.is_alive()
    calm.end()
    thread.join(GENEROUS)
    assert not thread.is_alive()


def test_after_a_while_without_keys_a_thread_goes_on():
    calm = Calm(0.01)
    calm.disturb()
    thread = waiting(calm)
    thread.join(GENEROUS)
    assert not thread.is_alive()


async def test_a_measurement_that_runs_goes_on_with_its_next_network_when_no_more_keys_come(
    open_app, monkeypatch
):
    """The first, short measurement does not wait, so that there is something to show."""
    reached, begun = [], threading.Event()

    def machine(spec, budget, kept=None, watch=None, most=None):
        begun.wait(GENEROUS if budget > measure.GLANCE else 0)
        for done in range(3):
            reached.append((budget > measure.GLANCE, done))
            watch(done, 3)
        return steady_machine(spec)

    monkeypatch.setattr(measure, "measure_machine", machine)
    monkeypatch.setattr(cost_lab, "LOOK_AGAIN", 0.01)
    async with open_app(settle=False) as ui:
        await ui.until(lambda: ui.app.cost_lab._tries < cost_lab.TRIES, "the longer measurement")
        ui.app.cost_lab._calm._seconds = LONG
        await ui.pilot.press("right")
        begun.set()
        await ui.until(lambda: (True, 0) in reached, "its first network")
        await ui.pilot.press("right", "left")
        assert ui.step == 1
        assert reached == [(False, 0), (False, 1), (False, 2), (True, 0)]
        ui.app.cost_lab._calm.end()
        await ui.settled()
        assert reached[-1] == (True, 2)
