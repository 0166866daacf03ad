"""The command as a process: exit codes, streams, encodings and pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "tui_backprop"]


def run(*arguments, **environment):
    return subprocess.run(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )


def test_the_app_without_a_terminal_is_refused_in_one_line_that_points_to_trace():
    done = run("--preset", "xor")
    assert done.returncode == 2
    assert done.stdout == b""
    (text,) = done.stderr.decode().splitlines()
    assert text.startswith("backprop-tui: terminal: stdin")
    assert "backprop-tui trace" in text


def test_bad_input_exits_with_2_and_one_line():
    done = run("trace", "--layers", "784")
    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252", "cp437", "utf-16"])
def test_an_encoding_without_the_glyphs_is_given_plain_ones(encoding):
    done = run("trace", "--preset", "xor", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode(encoding)
    assert text.isascii()
    assert "delta2" in text
    assert "?" not in text  # which is what a character without a plain form would have become


def test_utf_8_is_given_field_notation():
    text = run("trace", "--preset", "xor", PYTHONIOENCODING="utf-8").stdout.decode("utf-8")
    assert "δ1  =  (δ2   W2ᵀ) ⊙ (1 −  a1²)" in text


def test_a_message_in_an_encoding_without_its_characters_is_still_one_line():
    done = run("trace", "--layers", "784,½", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_a_reader_that_leaves_early_is_met_without_a_traceback(options):
    reader, writer = os.pipe()
    os.close(reader)  # as `head` does, only sooner: every write fails
    try:
        done = subprocess.run(
            [*COMMAND, "trace", *options], stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("command", ["trace", "keys", "completion bash"])
def test_a_stream_that_cannot_be_written_exits_with_74_and_one_line(command):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, *command.split()], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert done.returncode == 74
    assert done.stderr == b"backprop-tui: stdout: cannot be written: No space left on device\n"


def test_the_json_is_the_same_in_every_encoding():
    printed = {
        run("trace", "--preset", "xor", "--json", PYTHONIOENCODING=e).stdout for e in ("utf-8", "ascii")
    }
    assert len(printed) == 1
    assert json.loads(printed.pop())["parameters"] == 9


def test_no_color_codes_are_written_where_no_terminal_is():
    assert b"\x1b" not in run("trace", "--preset", "xor", FORCE_COLOR="1").stdout


def test_the_numbers_do_not_depend_on_the_hash_seed():
    one, other = (run("trace", "--preset", "sine", "--json", PYTHONHASHSEED=seed).stdout for seed in "12")
    assert one == other
