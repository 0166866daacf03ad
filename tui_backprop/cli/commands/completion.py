"""``backprop-tui completion``: the script by which a shell completes what is typed."""

from __future__ import annotations

import click

from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import one_of

SHELLS = ("bash", "zsh", "fish")
NAME = "backprop-tui"
VARIABLE = "_BACKPROP_TUI_COMPLETE"  # by which the script asks the command what there is


@click.command("completion")
@click.argument("shell", metavar="|".join(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script by which a shell completes commands, options and names.

    For bash: eval "$(backprop-tui completion bash)" in ~/.bashrc. For zsh the same in ~/.zshrc. For fish: write it to
    ~/.config/fish/completions/backprop-tui.fish.
    """
    click.echo(script(context.find_root().command, shell))


def script(root: click.Command, shell: str) -> str:
    """click's own script for a shell. Raises InputError for one that it has none for."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(one_of("SHELL", shell, SHELLS))
    if kind is None:
        raise InputError("SHELL", f"this click has no script for {shell}")
    made = kind(root, {}, NAME, VARIABLE)
    return made.source_template % made.source_vars()  # source() would start a bash, to look at its version
