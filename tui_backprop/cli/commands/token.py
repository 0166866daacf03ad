"""``backprop-tui token``: the last session as a token."""

from __future__ import annotations

import click

from tui_backprop.cli.output import write


@click.command("token")
def command() -> None:
    """Print a token of the last session; --open TOKEN restores it on any machine."""
    from tui_backprop.session.autosave import load
    from tui_backprop.session.share_token import encode

    write(encode(load()))
