"""``backprop-tui keys``: every action that can be remapped, as lines for the settings file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from tui_backprop.cli.streams import write

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
@click.option("--plain", is_flag=True, help="For screen readers: one action a line, in words and ASCII.")
def command(plain: bool) -> None:
    """Print all actions and their keys, as lines for the settings file."""
    write(key_sentences() if plain else key_table())


def key_table() -> str:
    """Make the TOML: one commented line for each action, grouped by the panels where it works; global ones first."""
    lines = [*HEAD]
    for where, keys in _groups():
        lines += ["", f"# --- {where}", *map(_line, keys)]
    return "\n".join(lines)


def key_sentences() -> str:
    """Make a line for each action: where it works, its keys as the settings file names them, what it does."""
    from tui_backprop.render.draw.context import LINEAR

    return "\n".join(
        f"{where}: {' or '.join(key.keys.split(','))}: {LINEAR.text(_about(key))}"
        for where, keys in _groups()
        for key in keys
    )


def _groups() -> list[tuple[str, list[Key]]]:
    """Group the actions by the panels where they work, global ones first."""
    from tui_backprop.keys.panel_table import PLACES
    from tui_backprop.keys.table import ROWS

    rows: dict[str, Key] = {}
    for key in ROWS:
        if not key.fixed:
            rows.setdefault(key.id, key)
    groups: dict[tuple[str, ...], list[Key]] = {PLACES: []}
    for key in rows.values():
        groups.setdefault(key.places, []).append(key)
    return [
        ("Everywhere" if places == PLACES else f"In {', '.join(places)}", keys)
        for places, keys in groups.items()
    ]


def _line(key: Key) -> str:
    import json

    name = key.id if BARE.fullmatch(key.id) else json.dumps(key.id)
    return f"# {name} = {json.dumps(key.keys.split(','))}  # {_about(key)}"


def _about(key: Key) -> str:
    from tui_backprop.keys.table import worded

    return worded(key.help) if key.help else f"{key.name[:1].upper()}{key.name[1:]}."
