"""Measure the app in a real pty: time to first content, time to settle, time and bytes per key; and the time per key
while a race or a sweep keeps a core busy.

A bare Textual app is measured in the same run; compare the ratios, since machines are noisy.

    .venv/bin/python benchmarks/terminal.py
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import termios
from time import perf_counter

BARE = (
    "from textual.app import App\n"
    "from textual.widgets import Static\n"
    "class Bare(App):\n"
    "    BINDINGS = [('right', 'go', '')]\n"
    "    n = 0\n"
    "    def compose(self): yield Static('hello ' * 30)\n"
    "    def action_go(self): self.n += 1; self.query_one(Static).update(f'hello {self.n} ' * 30)\n"
    "Bare().run()\n"
)
APPS = {
    "bare Textual app": [sys.executable, "-c", BARE],
    "backprop-tui": [sys.executable, "-m", "tui_backprop"],
}
# What is pressed before the steps are timed: to the race and start it; to the cost panel and start a sweep.
BUSY = {"nothing else": [], "a race": [b"3", b"v", b"v", b"\r"], "a sweep": [b"3", b"S"]}
RUNS, KEYS, TIMED = 5, 18, 100
TOP_LINE = b"\x1b[1;"  # a step changes it, and what else goes on does not
ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=$]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]|\s")


def until_quiet(fd: int, quiet: float) -> tuple[float | None, float | None, float | None, int]:
    """Read until nothing came for ``quiet`` seconds: times of the first byte, of 60 characters shown and of the last
    byte, and the number of bytes."""
    start, data, first, content, last = perf_counter(), b"", None, None, None
    while select.select([fd], [], [], quiet if data else 10)[0]:
        data += os.read(fd, 65536)
        last = perf_counter() - start
        first = last if first is None else first
        if content is None and len(ESCAPES.sub(b"", data)) > 60:
            content = last
    return first, content, last, len(data)


def started(command: list[str]) -> tuple[int, int]:
    """Start a command in a terminal of 120x40: its process and the terminal."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        os.environ |= {"BACKPROP_TUI_LESSON": "false"}
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        os.execvp(command[0], command)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    return pid, fd


def ended(pid: int, fd: int) -> None:
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    os.close(fd)


def measure(command: list[str]) -> tuple[float, float, list[tuple[float, int]]]:
    """Measure one start and some keys at 120x40: (seconds to content, to settle, (seconds, bytes) of each key)."""
    pid, fd = started(command)
    _, content, settled, _ = until_quiet(fd, 0.8)
    keys = []
    for _ in range(KEYS):
        os.write(fd, b"\x1b[C")
        first, _, _, size = until_quiet(fd, 0.2)
        keys.append((first or 0.0, size))
    ended(pid, fd)
    return content or 0.0, settled or 0.0, keys


def while_busy(before: list[bytes]) -> list[float]:
    """Measure the milliseconds from each of many step keys to the top line that shows the step."""
    pid, fd = started(APPS["backprop-tui"])
    until_quiet(fd, 3.0)
    for key in before:
        os.write(fd, key)
        end = perf_counter() + 0.5
        while select.select([fd], [], [], max(end - perf_counter(), 0))[0]:
            os.read(fd, 65536)
    os.write(fd, b"2")
    times = []
    for _ in range(TIMED):
        end = perf_counter() + 0.06
        while select.select([fd], [], [], max(end - perf_counter(), 0))[0]:
            os.read(fd, 65536)
        start, data = perf_counter(), b""
        os.write(fd, b"\x1b[C")
        while TOP_LINE not in data and select.select([fd], [], [], 5)[0]:
            data += os.read(fd, 65536)
        times.append(1e3 * (perf_counter() - start))
    ended(pid, fd)
    return sorted(times)


def main() -> None:
    print(f"{'medians of ' + str(RUNS) + ' runs':<20}  content s  settled s  key ms  p95 ms  bytes a key")
    for name, command in APPS.items():
        runs = [measure(command) for _ in range(RUNS)]
        keys = sorted(1e3 * key for _, _, pressed in runs for key, _ in pressed)
        sizes = [size for _, _, pressed in runs for _, size in pressed]
        content, settled = (statistics.median(run[i] for run in runs) for i in (0, 1))
        print(
            f"{name:<20}  {content:>9.3f}  {settled:>9.3f}  {statistics.median(keys):>6.1f}"
            f"  {keys[int(0.95 * len(keys))]:>6.1f}  {statistics.median(sizes):>11,.0f}"
        )
    print("\nms from a step to its top line, while there goes on:")
    for name, before in BUSY.items():
        times = while_busy(before)
        print(
            f"{name:<20}  median {statistics.median(times):>6.1f}  p95 {times[int(0.95 * len(times))]:>6.1f}"
        )


if __name__ == "__main__":
    main()
