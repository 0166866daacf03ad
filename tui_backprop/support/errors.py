"""Errors that are reported to the user in one line: what is wrong, and what is allowed."""

from __future__ import annotations


class UserError(ValueError):
    """Base of the errors below.

    ``field`` is the name of the option or setting concerned (``layers``, ``loss``, ...), so that the command line can
    name the option and the form can show the message next to its input; ``message`` is the rest of the line. A
    command that fails with it exits with ``exit_code``.
    """

    exit_code = 2

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class InputError(UserError):
    """A value, or a combination of values, that cannot be used."""


class TokenError(UserError):
    """A session token that cannot be read, or a session that has none."""


class FileError(UserError):
    """A file that cannot be read, or does not hold what it should."""


class WriteError(UserError):
    """A file or a stream that cannot be written."""

    exit_code = 74  # EX_IOERR of sysexits.h


def reason_of(error: BaseException) -> str:
    """Return the reason of a failure in one line."""
    if isinstance(error, UserError):
        return error.message
    if isinstance(error, MemoryError):
        from tui_backprop.support.memory import ran_out

        return ran_out(error)
    return f"{type(error).__name__}: {error}".partition("\n")[0]


class TerminalError(UserError):
    """A terminal that cannot show the app."""
