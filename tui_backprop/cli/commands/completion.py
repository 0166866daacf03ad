"""``backprop-tui completion``: shell completion."""

from __future__ import annotations

import click

from tui_backprop.cli.streams import write
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import one_of

SHELLS = ("bash", "zsh", "fish")
NAME = "backprop-tui"
VARIABLE = "_BACKPROP_TUI_COMPLETE"  # with which the script runs the command


def _complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    return [shell for shell in SHELLS if shell.startswith(begun)]


@click.command("completion")
@click.argument("shell", metavar="|".join(SHELLS), shell_complete=_complete)
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print a shell completion script for commands, options and names.

    bash: put eval "$(backprop-tui completion bash)" into ~/.bashrc. zsh: the same with zsh, in ~/.zshrc. fish: save
    the output as ~/.config/fish/completions/backprop-tui.fish.
    """
    write(script(context.find_root().command, shell))


def script(root: click.Command, shell: str) -> str:
    """Return click's script for a shell. Raises InputError for an unknown one."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(one_of("SHELL", shell, SHELLS))
    if kind is None:
        raise InputError("SHELL", f"the installed version of click has no script for {shell}")
    made = kind(root, {}, NAME, VARIABLE)
    return made.source_template % made.source_vars()  # source() would start a bash, to look at its version
