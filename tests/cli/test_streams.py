"""The command as a process: exit codes, streams, encodings and pipes."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.waits import all_gone, until
from tui_backprop.cli import process
from tui_backprop.cli.output import print_json
from tui_backprop.support.exit_codes import EXIT_CODES

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


@pytest.mark.parametrize(
    ("arguments", "redirection", "code", "message"),
    [
        ("check --preset xor", "2>&- >/dev/null", 0, ""),
        ("check --preset xor", "<&- >/dev/null", 0, ""),
        ("check --preset xor", ">&-", 74, "stdout: cannot be written: Bad file descriptor"),
        ("--help", ">/dev/full", 74, "stdout: cannot be written: No space left on device"),
        ("trace --help", "| true", 141, ""),
        ("check --preset xor", "| true", 141, ""),
        ("--preset xor", "<&- 2>&1", 2, "terminal: stdin and stderr are not a terminal"),
        ("--preset xor", "2>&-", 2, ""),
        ("nonsense", "2>/dev/full", 2, ""),
        ("keys", "<&- >&- 2>&-", 74, ""),
    ],
)
def test_streams_that_are_closed_full_or_left(arguments, redirection, code, message):
    line = f"set -o pipefail; {shlex.join(COMMAND)} {arguments} {redirection}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=60, check=False)
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == code, said
    assert said.startswith(f"backprop-tui: {message}") if message else not said
    assert said.count("\n") == bool(message)


def test_a_stream_that_another_program_made_non_blocking_is_written_whole():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)  # less than is written
    with subprocess.Popen([*COMMAND, "man"], stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        with open(reader, "rb") as pipe:
            text = pipe.read()
        assert (process.wait(60), process.stderr.read()) == (0, b"")
    assert text == run("man").stdout


def test_no_control_character_leaves_the_process_whoever_wrote_it(capfd):
    hostile = "\x1b]0;evil\x07 \x9b31m \r \x7f \u202e \udc80"
    for write in (
        "sys.stdout.write",
        "sys.stderr.write",
        "print",
        "streams.write",
        "streams.say",
        "click.echo",
    ):
        code = (
            "import sys, click; from tui_backprop.cli import streams; streams.open_streams();"
            f"{write}({hostile!r} + ' \u03b4\\n')"
        )
        subprocess.run([sys.executable, "-X", "utf8", "-c", code], check=True)
        said = "".join(capfd.readouterr())
        assert said.strip() == "?]0;evil? ?31m ? ? ? ? δ", write


def test_json_escapes_what_is_not_printable(capsys):
    print_json({"path": "\x9b31m\x7f\u202e δ"})
    text = capsys.readouterr().out
    assert text.rstrip("\n").isprintable()
    assert json.loads(text) == {"path": "\x9b31m\x7f\u202e δ"}


def test_a_fault_of_the_program_exits_with_70_and_memory_that_ran_out_in_one_line(capfd):
    for error in ("ValueError('x')", "MemoryError"):
        code = f"def fail():\n raise {error}\nfrom tui_backprop.cli import process; process.exit_with(fail)"
        done = subprocess.run([sys.executable, "-c", code], check=False)
        said = capfd.readouterr().err.splitlines()
        assert done.returncode == 70
        assert said[-1].startswith("backprop-tui: ")
        assert len(said) == 1 or error != "MemoryError"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_command_by_its_own_code_without_a_word(name):
    race = [*COMMAND, "cost", "--race", "--method", "forward-difference"]
    with subprocess.Popen(race, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until(lambda: psutil.Process(process.pid).children(), "the process of the race")
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(getattr(signal, name))
        assert process.wait(60) == 128 + getattr(signal, name)
        assert process.stderr.read().strip() == b""
    all_gone(children)


def test_the_readme_lists_the_exit_codes():
    text = Path(__file__).parents[2].joinpath("README.md").read_text()
    for code, about in EXIT_CODES:
        assert f"| {code} | {about} |" in text


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


@pytest.mark.parametrize(("signal", "code"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
def test_a_signal_in_the_middle_of_an_import_is_no_fault(capfd, signal, code):
    """Python raises RuntimeError from what ``__set_name__`` raises (before 3.12)."""

    def command():
        raise RuntimeError("Error calling __set_name__") from signal

    with pytest.raises(SystemExit) as ended:
        process.exit_with(command)
    assert (ended.value.code, capfd.readouterr().err) == (code, "")
