"""``backprop-tui keys``: every action that can be remapped, as lines for the settings file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from tui_backprop.cli.output import write

if TYPE_CHECKING:
    from tui_backprop.keys.table import Key

HEAD = (
    "# Current keys of all actions. To change some, copy their lines to the settings file (backprop-tui doctor shows",
    "# where it is), below one line [keys], and remove the leading #.",
    "",
    "[keys]",
)
BARE = re.compile(r"[A-Za-z0-9_-]+")  # a TOML key that needs no quotes


@click.command("keys")
def command() -> None:
    """Print all actions and their keys, as lines for the settings file."""
    write(key_table())


def key_table() -> str:
    """Make the TOML: one commented line for each action, grouped by the panels where it works; global ones first."""
    from tui_backprop.keys.panel_table import PLACES
    from tui_backprop.keys.table import ROWS

    rows: dict[str, Key] = {}
    for key in ROWS:
        if not key.fixed:
            rows.setdefault(key.id, key)
    groups: dict[tuple[str, ...], list[Key]] = {PLACES: []}
    for key in rows.values():
        groups.setdefault(key.places, []).append(key)
    lines = [*HEAD]
    for places, keys in groups.items():
        where = "Everywhere" if places == PLACES else f"In {', '.join(places)}"
        lines += ["", f"# --- {where}", *map(_line, keys)]
    return "\n".join(lines)


def _line(key: Key) -> str:
    import json

    from tui_backprop.keys.table import ROWS, worded

    name = key.id if BARE.fullmatch(key.id) else json.dumps(key.id)
    about = worded(key.help, ROWS) if key.help else f"{key.name[:1].upper()}{key.name[1:]}."
    return f"# {name} = {json.dumps(key.keys.split(','))}  # {about}"
