"""The quiz that was taken last, kept in a file beside the last session after each answer."""

from __future__ import annotations

from pathlib import Path

from tui_backprop.files.decoder import DecodeError, decode_json
from tui_backprop.lesson.quiz import Course, Quiz
from tui_backprop.support.errors import FileError
from tui_backprop.support.format import printable
from tui_backprop.support.paths import display_path, own_folder, state_folder

NAME = "last-quiz"
LONGEST_FILE = 2**16  # bytes: many times what all answers take


def save(quiz: Quiz, folder: Path | None = None) -> None:
    """Save a quiz atomically. Raises OSError if the file cannot be written."""
    import msgspec

    from tui_backprop.support.atomic_write import replacing

    with replacing(own_folder(folder or state_folder()) / NAME, private=True) as file:
        file.write(msgspec.json.encode(quiz) + b"\n")


def load(course: Course, folder: Path | None = None) -> Quiz:
    """Load the quiz that was taken last. Raises FileError if there is none, or if it is unusable."""
    quiz = last(course, folder)
    if quiz is None:
        raise FileError("resume", "no quiz was begun yet; leave out --resume to begin one")
    return quiz


def last(course: Course, folder: Path | None = None) -> Quiz | None:
    """Return the quiz that was taken last, None if there is none. Raises FileError if it is unusable."""
    from tui_backprop.files.opener import read_own

    try:
        path = (folder or state_folder()) / NAME
        content = read_own(path, LONGEST_FILE)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise FileError("resume", f"the quiz cannot be read: {printable(error.strerror or error)}") from None
    try:
        quiz = decode_json(content, Quiz)
    except DecodeError as error:
        raise _of_no_use(path, str(error)) from None
    if quiz.seed < 0 or not course.fits(quiz):
        raise _of_no_use(path, "it has answers to other questions")
    return quiz


def _of_no_use(path: Path, why: str) -> FileError:
    return FileError("resume", f"{display_path(path)} is of no use: {why}; the next quiz replaces it")
