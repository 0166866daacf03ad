"""The race: a real numerical gradient in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.cost.race.workers import SMALL, naps, problem_of
from tests.waits import GENEROUS, all_gone, until
from tui_backprop.cost.race.agreement import RunningAgreement, name_of
from tui_backprop.cost.race.race import RACE_METHODS, Race, order_of
from tui_backprop.cost.race.shared_array import SharedArray
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import METHODS

LONG = NetworkSpec((784, 256, 256, 10))  # takes some seconds: enough to meet it on its way; in ORPHAN too


def reached(race, wanted):
    """Wait until a race stands as wanted; how it stands then."""
    return until(lambda: wanted(status := race.status()) and status, lambda: f"it stands {race.status()}")


def stopped(race):
    """Wait until the process of a paused race does nothing more; how it stands then."""
    before = naps(race)
    until(lambda: naps(race) > before + 1, "it to sleep")
    return race.status()


def finished(race):
    return reached(race, lambda status: not status.going)


@pytest.mark.parametrize("method", RACE_METHODS)
def test_it_finds_the_same_gradient_as_in_this_process_to_the_last_bit(method):
    problem = problem_of(SMALL, 4)
    with Race(problem, method) as race:
        assert race.status().state == "ready"
        race.start()
        end = finished(race)
    assert end.state == "done", end.why
    assert end.evaluations == end.of == METHODS[method].count(SMALL.parameters, 1)
    assert end.done == end.parameters == SMALL.parameters
    expected = METHODS[method].gradient(problem)
    assert race.gradient.tolist() == expected.astype(float).tolist()
    exact = METHODS["backprop"].gradient(problem)
    cosine = expected @ exact / np.linalg.norm(expected) / np.linalg.norm(exact)
    assert end.agreement.cosine == pytest.approx(cosine, abs=1e-12)
    off = np.abs(expected - exact)
    assert end.agreement.error == off.max()
    assert end.agreement.worst in {name_of(problem, int(at)) for at in np.flatnonzero(off == off.max())}
    assert end.agreement.relative == pytest.approx(np.linalg.norm(off) / np.linalg.norm(exact))
    assert end.backprop > 0


@pytest.mark.parametrize("method", ["forward-difference", "batched-difference"])
@pytest.mark.parametrize(
    ("spec", "batch"),
    [
        (replace(SMALL, dtype="float32"), 1),
        (SMALL, 32),
        (NetworkSpec((1, 1, 1), "tanh", "mse", dtype="float64"), 1),  # one parameter in each tensor
    ],
)
def test_so_it_does_for_every_kind_of_network(method, spec, batch):
    problem = problem_of(spec, batch)
    with Race(problem, method) as race:
        race.start()
        end = finished(race)
    assert (end.state, end.done) == ("done", spec.parameters)
    assert race.gradient.tobytes() == METHODS[method].gradient(problem).tobytes()
    assert end.agreement.cosine > 0.999
    assert race.status() == end  # closed, it can still be asked


def test_parameters_that_are_no_numbers_end_no_race():
    problem = problem_of(SMALL)
    problem.parameters[30] = np.nan
    with Race(problem) as race:
        race.start()
        end = finished(race)
    assert end.state == "done"
    assert np.isnan(end.agreement.cosine)
    assert np.isnan(end.agreement.error)
    assert end.agreement.worst is not None


def test_the_lesson_s_epsilon_can_race_too():
    problem = problem_of(SMALL, 4)
    with Race(problem, step=1e-4) as race:
        race.start()
        assert finished(race).state == "done"
    exact = METHODS["backprop"].gradient(problem)
    error = np.abs(race.gradient - exact).max()
    assert 1e-8 < error < 1e-3  # h/2 f'': far from the best step's


def test_what_is_done_is_found_and_what_is_not_done_is_not():
    problem = problem_of(LONG)
    with Race(problem, "batched-difference") as race:
        race.start()
        some = reached(race, lambda status: status.done > 3000 or not status.going)
        race.pause()
        there = reached(race, lambda status: status.state != "running")
        order = order_of("batched-difference", problem)
        exact = METHODS["backprop"].gradient(problem)
        found = race.gradient[order[: some.done]]
        assert np.allclose(found, exact[order[: some.done]], atol=2e-2)
        there_is = np.count_nonzero(exact[order[: some.done]])  # the others belong to units that are off
        assert np.count_nonzero(found) > 0.9 * there_is > 500
        assert sorted(order) == list(range(LONG.parameters))  # the last layer first
        assert order[0] >= LONG.parameters - 2570
        assert there.state == "paused"


def test_where_no_memory_can_be_shared_the_race_fails_with_a_reason(monkeypatch):
    def refuse(*given):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "memfd_create", refuse, raising=False)
    with Race(problem_of(SMALL)) as race:
        race.start()
        assert race.status().state == "failed"
        assert race.status().why.endswith("Too many open files")


def test_a_pause_stops_the_evaluations_and_it_goes_on_from_there():
    with Race(problem_of(LONG)) as race:
        race.start()
        reached(race, lambda status: status.evaluations > 100)
        race.pause()
        still = stopped(race)
        after = stopped(race)
        assert (after.evaluations, after.seconds) == (still.evaluations, still.seconds)
        assert still.state == "paused"
        assert still.evaluations < still.of
        race.resume()
        reached(race, lambda status: status.evaluations > still.evaluations)
        process = psutil.Process(race._process.pid)
        race.cancel()
        assert not process.is_running()
        end = race.status()
        assert end.state == "canceled"
        assert 0 < end.done < end.parameters
        assert end.rate > 0


def test_it_can_be_cancelled_while_it_pauses_and_closed_twice():
    race = Race(problem_of(LONG))
    race.start()
    reached(race, lambda status: status.evaluations > 0)
    race.pause()
    stopped(race)
    race.close()
    race.close()
    assert race.status().state == "canceled"
    race.start()  # over is over
    assert race.status().state == "canceled"


def test_one_that_was_never_started_can_be_closed():
    with Race(problem_of(SMALL)) as race:
        pass
    assert race.status().state == "canceled"


def test_a_killed_process_is_a_failed_race_with_its_reason():
    with Race(problem_of(LONG)) as race:
        race.start()
        reached(race, lambda status: status.evaluations > 0)
        os.kill(race._process.pid, signal.SIGKILL)
        end = finished(race)
    assert end.state == "failed"
    assert "signal 9" in end.why
    with Race(race.problem, exact=race.exact) as again:
        again.start()
        reached(again, lambda status: status.evaluations > 0)


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at the files of a process as Linux shows them")
def test_its_process_has_no_hand_on_the_terminal():
    with Race(problem_of(LONG)) as race:
        race.start()
        reached(race, lambda status: status.evaluations > 0)
        pid = race._process.pid
        assert {os.readlink(f"/proc/{pid}/fd/{stream}") for stream in (0, 1, 2)} == {os.devnull}
        os.kill(pid, signal.SIGINT)  # Ctrl+C goes to the whole group
        there = race.status().evaluations
        assert reached(race, lambda status: status.evaluations > there).state == "running"


def test_an_error_over_there_is_said_here_in_a_line():
    problem = problem_of(SMALL)
    with Race(problem, step=-1.0) as race:
        race.start()
        end = finished(race)
    assert end.state == "failed"
    assert end.why.startswith("ValueError: the step must be positive, such as 1e-6, not -1")
    with pytest.raises(KeyError):
        Race(problem, "spsa")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_gradient_that_is_no_number_is_compared_as_such():
    problem = problem_of(SMALL)
    exact = METHODS["backprop"].gradient(problem)
    broken = exact.copy()
    broken[3] = np.nan
    found = RunningAgreement(problem, exact, broken, None).up_to(SMALL.parameters)
    assert np.isnan(found.cosine)
    assert np.isnan(found.error)
    assert found.worst == name_of(problem, 3)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
@pytest.mark.parametrize("off", [0.0, 1e-9, 0.1, -2.0])
def test_cosine_and_relative_error_neither_vanish_nor_overflow_nor_leave_their_bounds(scale, off):
    problem = problem_of(SMALL, 4)
    exact = np.random.default_rng(0).normal(size=SMALL.parameters)
    sums = RunningAgreement(problem, scale * exact, scale * (1 + off) * exact, None)
    for done in (1, 20, SMALL.parameters):
        found = sums.up_to(done)
        assert -1 <= found.cosine <= 1
        assert found.cosine == pytest.approx(np.sign(1 + off), abs=1e-15)
        assert found.relative == pytest.approx(abs(off), rel=1e-6)


def test_the_cosine_with_a_gradient_of_zero_is_undefined():
    problem, zeros = problem_of(SMALL, 4), np.zeros(SMALL.parameters)
    for pair in ((zeros, zeros + 1), (zeros + 1, zeros), (zeros, zeros)):
        assert np.isnan(RunningAgreement(problem, *pair, None).up_to(SMALL.parameters).cosine)


def test_a_planted_error_is_named_and_every_entry_is_looked_at_once():
    problem = problem_of(SMALL)
    exact = METHODS["backprop"].gradient(problem)
    wrong = exact.copy()
    wrong[17] += 0.5
    sums = RunningAgreement(problem, exact, wrong, None)
    for done in (0, 1, 17, 18, 40, SMALL.parameters):
        found = sums.up_to(done)
        assert (found.worst == name_of(problem, 17)) == (done >= 18)
    assert found.error == pytest.approx(0.5)
    assert found == RunningAgreement(problem, exact, wrong, None).up_to(SMALL.parameters)
    assert name_of(problem, 17) == "b1[3]"


def test_dropout_uses_the_masks_of_the_iteration():
    problem = replace(problem_of(replace(SMALL, dropout=0.4), 8), t=5)
    with Race(problem) as race:
        race.start()
        assert finished(race).agreement.cosine > 0.99999


ORPHAN = """
    import os, signal, sys, time
    from workers import naps, problem_of
    from tui_backprop.cost.race.race import Race
    from tui_backprop.engine.frontends.dense.spec import NetworkSpec
    if __name__ == "__main__":
        race = Race(problem_of(NetworkSpec((784, 256, 256, 10))))
        race.start()
        while not race.status().evaluations:
            time.sleep(0.01)
        if sys.argv[1:] == ["paused"]:
            race.pause()
            before = naps(race)
            while naps(race) < before + 2:
                time.sleep(0.01)
        print(race._process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("state", ["running", "paused"])
def test_when_the_app_is_killed_no_process_stays_behind(tmp_path, state):
    (tmp_path / "workers.py").write_bytes(Path(__file__).with_name("workers.py").read_bytes())
    (tmp_path / "orphan.py").write_text(textwrap.dedent(ORPHAN))
    done = subprocess.run(
        [sys.executable, "orphan.py", state], cwd=tmp_path, capture_output=True, text=True, timeout=GENEROUS
    )
    assert done.returncode == -signal.SIGKILL
    all_gone([int(done.stdout)])
    assert "leaked" not in done.stderr


NAN = float("nan")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("reverse", [False, True], ids=["in order", "backward"])
@pytest.mark.parametrize("nans", [(0,), (3,), (17, 40), (72,)])
@pytest.mark.parametrize("cut", [1, 20, 72, 73])
def test_the_first_nan_is_the_worst_entry_whatever_comes_before_and_after_it(nans, cut, reverse):
    problem = problem_of(SMALL)
    count = SMALL.parameters
    assert count == 73
    exact = METHODS["backprop"].gradient(problem)
    found = exact + np.random.default_rng(0).normal(size=count)
    found[[*nans]] = NAN
    order = np.arange(count)[::-1] if reverse else None
    sums = RunningAgreement(problem, exact, found, order)
    places = np.arange(count) if order is None else order
    for done in (*range(cut, count, cut), count):
        seen = sums.up_to(done)
        there = [place for place in places[:done] if place in nans]
        if not there:
            assert seen.error == np.abs(found - exact)[places[:done]].max()
            continue
        assert np.isnan(seen.error)
        assert np.isnan([seen.cosine, seen.relative]).all()
        assert seen.worst == name_of(problem, min(there) if done == count else there[0])


def test_the_final_agreement_depends_on_neither_order_nor_parts_to_the_last_bit():
    problem = problem_of(LONG)
    generator = np.random.default_rng(1)
    exact = generator.normal(size=LONG.parameters)
    found = exact + 1e-6 * generator.normal(size=LONG.parameters)
    whole = RunningAgreement(problem, exact, found, None).up_to(LONG.parameters)
    for _ in range(3):
        sums = RunningAgreement(problem, exact, found, generator.permutation(LONG.parameters))
        for done in sorted(generator.integers(1, LONG.parameters, 40)):
            sums.up_to(int(done))
        assert sums.up_to(LONG.parameters) == whole


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="memory without a name, as on Linux")
@pytest.mark.parametrize("memfd", [True, False], ids=["in memory", "in a file"])
def test_shared_memory_has_no_name(tmp_path, monkeypatch, memfd):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if not memfd:
        monkeypatch.delattr(os, "memfd_create")
    shared = SharedArray(5)
    shared.values[3] = 2.5
    assert list(tmp_path.iterdir()) == []
    assert shared.values.tolist() == [0, 0, 0, 2.5, 0]
