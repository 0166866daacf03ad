"""``backprop-tui lesson``: the chapters of the lesson as text."""

from __future__ import annotations

import click

from tui_backprop.cli.options import choice
from tui_backprop.cli.output import glyphs_for_stdout
from tui_backprop.cli.streams import say, write
from tui_backprop.session.presets import PRESETS
from tui_backprop.support.errors import FileError, InputError, WriteError
from tui_backprop.support.format import printable
from tui_backprop.support.validation import one_of


@click.command("lesson")
@click.option("--list", "listed", is_flag=True, help="List the chapters, and what is done of them.")
@click.option("--chapter", metavar="3", help="Print this chapter only.")
@choice("--preset", "|".join(PRESETS), "Network whose figures are put in, instead of the lesson's.")
@click.option("--reset", metavar="3", help="Forget the progress in this chapter.")
@click.option("--plain", is_flag=True, help="For screen readers: one paragraph a line, in words and ASCII.")
def command(listed: bool, chapter: str | None, preset: str | None, reset: str | None, plain: bool) -> None:
    """Print the lesson: why perturbing each weight is hopeless, and how backprop gets all gradients in one pass.

    The app has the same chapters beside the running network. All figures are computed from the network that a chapter
    is about; keys are those of the app.
    """
    chosen = {"--list": listed, "--chapter": chapter is not None, "--reset": reset is not None}
    given = [name for name, is_given in chosen.items() if is_given]
    if len(given) > 1:
        raise InputError(given[1][2:], f"cannot be combined with {given[0]}")
    if preset is not None and (listed or reset is not None):
        raise InputError("preset", f"cannot be combined with {given[0]}, which prints no figures")
    if reset is not None:
        forget(reset)
    else:
        write(listing(plain) if listed else text(chapter, preset, plain))


def text(chapter: str | None, preset: str | None, plain: bool) -> str:
    """Make the text of one chapter, or of all. Raises InputError for an unknown one."""
    from tui_backprop.lesson.chapter import chapter_numbered, chapters
    from tui_backprop.report.lesson import REFERENCE, lesson_text

    wanted = one_of("preset", REFERENCE if preset is None else preset, PRESETS)
    chosen = chapters() if chapter is None else (chapter_numbered(chapter),)
    return lesson_text(chosen, wanted, glyphs_for_stdout(plain))


def listing(plain: bool) -> str:
    """Make the list of chapters. A progress that cannot be read is reported, and counts as none."""
    from tui_backprop.lesson.chapter import chapters
    from tui_backprop.lesson.progress import Progress, load
    from tui_backprop.report.lesson import list_text

    try:
        progress = load()
    except FileError as error:
        say(f"backprop-tui: {error.message}")
        progress = Progress()
    return list_text(chapters(), progress, glyphs_for_stdout(plain))


def forget(chapter: str) -> None:
    """Reset the progress in a chapter. Raises InputError for an unknown one, FileError and WriteError for a file that
    cannot be read or written."""
    from tui_backprop.lesson.chapter import chapter_numbered
    from tui_backprop.lesson.progress import load, save

    wanted = chapter_numbered(chapter, "reset")
    before = load()
    try:
        save(before.without(wanted), since=before)
    except OSError as error:
        reason = printable(error.strerror or error)
        raise WriteError("reset", f"the progress cannot be saved: {reason}") from None
    count = before.done_in(wanted)
    steps = f"{count} step{'s were' if count != 1 else ' was'} done"
    say(f"backprop-tui: chapter {wanted.number} is reset; {steps}")
