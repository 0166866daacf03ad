"""Keys, replies and broken bytes as a real line carries them: what was typed is done, in order, and nothing else."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.pty
CLIPBOARD = b"\x1b]52;c;" + b"QUFB" * 25_000 + b"\x1b\\"
NO_KEYS = {
    "bad bytes": b"\xff\xe4\x1b[M \xf5\xf5",
    "bad numbers": b"\x1b[1114112u\x1b[55296u\x1b[57399;2:3u\x1b[<0;99999;99999M\x1b[<0;99999;99999m",
    "replies": b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\\x1b[?62;22c\x1bP>|XTerm(390)\x1b\\\x1b[?1u\x1b[?2031;1$y",
    "sizes": b"\x1b[48;99999;99999;1;1t\x1b[8;99999;99999t\x1b[?2048;1$y",
    "a clipboard": CLIPBOARD,
}


def write(run, data: bytes) -> None:
    """Write all of it, as fast as the app reads."""
    while data:
        data = data[os.write(run.master, data[:4000]) :]
        run.read(0)


def test_a_name_its_return_and_what_follows_in_one_write_are_done_in_order(terminal):
    run = terminal(120, 40)
    run.shows("step 0/20")
    write(run, b"/W2[1,0]\r\x1bOR\x1b[C\x1b[C")
    run.until(lambda: "step 2/20" in run.text, "the steps after the number")
    write(run, b"1" + b"\x7f" * 20 + b"784,32,10\r\x1bOR\x1b[C")
    run.until(lambda: "784·32·10" in run.text and "step 1/" in run.text, "the network, and a step in it")
    write(run, b"4xu")
    run.until(lambda: "undone: " in run.text, "undo, after the number was shown")
    write(run, b"q")
    assert run.ended() == 0


def test_what_is_no_key_changes_nothing(terminal):
    run = terminal()
    run.shows("step 0/20")
    run.press("right", "step 1/20")
    before = run.text
    for what, data in NO_KEYS.items():
        write(run, data)
        run.press("right", "step 2/20")
        run.press("left", "step 1/20")
        assert run.text == before, what
    assert b"\x1b[?2048" not in run.raw, "sizes are asked of the system"
    write(run, b"q")
    assert run.ended() == 0
    assert b"Traceback" not in run.raw
