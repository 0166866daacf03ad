"""The exit codes, in the manual page and in the help."""

from __future__ import annotations

DONE, NOT_PASSED, USAGE, FAULT, NOT_WRITTEN, SIGNAL = 0, 1, 2, 70, 74, 128
HANGUP, INTERRUPTED, PIPE_CLOSED, TERMINATED = (SIGNAL + number for number in (1, 2, 13, 15))

EXIT_CODES = (
    (f"{DONE}", "done"),
    (f"{NOT_PASSED}", "a check failed, or numbers are not finite"),
    (f"{USAGE}", "bad usage, input refused, too little memory for it, or no scheduler"),
    (f"{FAULT}", "a fault of the program, or memory that ran out midway"),
    (f"{NOT_WRITTEN}", "a stream or a file cannot be written"),
    (
        f"{SIGNAL} + n",
        f"ended by signal n: {HANGUP} if the terminal is gone, {INTERRUPTED} by ctrl+c, {TERMINATED} by kill, "
        f"{PIPE_CLOSED} if the pipe is closed",
    ),
)
SUMMARY = "Exit codes: " + "; ".join(f"{code} {about}" for code, about in EXIT_CODES) + "."
