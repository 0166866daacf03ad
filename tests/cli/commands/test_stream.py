"""``backprop-tui trace --stream``: a pass that keeps no weight gradient."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main
from tui_backprop.support import memory
from tui_backprop.support.memory import Available

SMALL = ("--layers", "2,30,20,2", "--data", "moons", "--batch", "3", "--activation", "tanh")


def run(*arguments):
    return CliRunner().invoke(main, ["trace", "--stream", *arguments])


def test_it_reports_what_the_whole_trace_saves(tmp_path):
    file = tmp_path / "walk.npz"
    assert CliRunner().invoke(main, ["trace", *SMALL, "--save", str(file)]).exit_code == 0
    found = json.loads(run(*SMALL, "--json").stdout)
    with np.load(file) as saved:
        assert found["loss"] == pytest.approx(float(saved["loss"]))
        for layer in found["layers"]:
            k = layer["layer"]
            dw = saved[f"dW{k}"]
            assert layer["gradient_norm"] == pytest.approx(np.linalg.norm(dw), rel=1e-5)
            assert layer["delta_norm"] == pytest.approx(np.linalg.norm(saved[f"delta{k}"]), rel=1e-5)
            top = layer["largest"][0]
            assert abs(top["value"]) == pytest.approx(np.abs(dw).max(), rel=1e-5)
            assert dw[top["row"], top["column"]] == pytest.approx(top["value"], rel=1e-5)
    assert found["parameters"] == 752


def test_dropout_drops_the_same_units_as_in_the_whole_trace():
    arguments = *SMALL, "--dropout", "0.5", "--json"
    whole = json.loads(CliRunner().invoke(main, ["trace", *arguments]).stdout)
    assert json.loads(run(*arguments).stdout)["loss"] == pytest.approx(whole["loss"])


def test_the_text_has_a_line_for_each_layer():
    lines = run(*SMALL).stdout.splitlines()
    assert lines[0].endswith("752 parameters")
    assert [line.split()[:2] for line in lines[4:7]] == [["1", "2x30"], ["2", "30x20"], ["3", "20x2"]]
    assert all("[" in line for line in lines[4:7])
    assert re.search(r"together [\d.]+x a forward pass$", lines[8])
    assert lines[9].startswith("initializing the weights took ")


def test_it_has_nothing_to_save(tmp_path):
    result = run("--save", str(tmp_path / "walk.npz"))
    assert result.exit_code == 2
    assert result.stderr == "backprop-tui: --save: cannot be combined with --stream, which keeps no arrays\n"


@pytest.mark.parametrize(("free", "streamed", "whole"), [(20e9, 0, 2), (4e9, 2, 2)])
def test_memory_is_refused_before_it_is_taken_with_both_figures(monkeypatch, free, streamed, whole):
    monkeypatch.setattr(memory, "available", lambda: Available(int(free)))
    iteration = []

    def stand_in(session):
        iteration.append(session)
        return SimpleNamespace(reason=None), 0.0

    monkeypatch.setattr("tui_backprop.cli.commands.trace.run_stream", stand_in)
    monkeypatch.setattr("tui_backprop.report.stream.stream_text", lambda *_: "")
    layers = "--layers", "784,18130,18130,18130,18130,10"
    result = run(*layers)
    assert result.exit_code == streamed
    assert len(iteration) == (streamed == 0)
    if streamed:
        assert result.stderr == (
            "backprop-tui: --layers: 1,000,558,450 parameters need 4.01 GB of memory; 4 GB is free, of which a"
            " fifth is reserved; choose smaller layers\n"
        )
    result = CliRunner().invoke(main, ["trace", *layers])
    assert result.exit_code == whole
    assert "1,000,558,450 parameters need 40 GB of memory" in result.stderr
