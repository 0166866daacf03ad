"""``backprop-tui token``: a session as a token: the last one, or a new one that options describe."""

from __future__ import annotations

from typing import Any

import click

from tui_backprop.cli.session_options import session_from, session_options
from tui_backprop.cli.streams import say, write
from tui_backprop.support.errors import FileError

LAST = "the last session"  # as the field of an error


@click.command("token")
@session_options
def command(given: dict[str, Any]) -> None:
    """Print a token of the last session, or of a new one if options describe it; --open TOKEN opens it anywhere."""
    from tui_backprop.cli.progress import progress
    from tui_backprop.files.identity import changed, wait
    from tui_backprop.session.autosave import load, no_session
    from tui_backprop.session.share_token import encode

    if not given and no_session():
        raise FileError(
            LAST,
            "there is none yet; run backprop-tui once, or name a network: token --preset xor",
        )
    with progress("bytes hashed") as watch:
        session = session_from(given) if given else load(field=LAST, watch=watch)
        wait(watch)
    if note := changed():
        say(f"backprop-tui: {note}")
    write(encode(session))
