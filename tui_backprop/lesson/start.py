"""The state that a chapter or a step starts from: a preset, and what differs from it, as in ``xor batch=1``."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.errors import InputError

OWN = ("data", "sample", "batch", "lr", "amount")  # fields of the session itself


@dataclass(frozen=True)
class Start:
    """A ``preset``, and (field, value) pairs as they are written: ``layers=2,1``."""

    preset: str
    changes: tuple[tuple[str, str], ...] = ()

    @property
    def session(self) -> Session:
        """The session to start from. Raises InputError for a value that does not fit."""
        base = from_preset(self.preset)
        given = {name: _read(name, text, base) for name, text in self.changes}
        network, walk, own = (
            _named(given, names) for names in (_fields(base.network), _fields(base.walk), OWN)
        )
        return replace(
            base,
            network=base.network.changed(**network),
            walk=replace(base.walk, **walk),
            **own,
        )


def read_start(text: str) -> Start:
    """Read a start as it is written in a chapter. Raises InputError for an unknown preset or field."""
    preset, *changes = text.split()
    pairs = tuple((name, value) for name, _, value in (each.partition("=") for each in changes))
    start = Start(preset, pairs)
    _ = start.session  # raises for what does not fit
    return start


def _fields(part: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(part))


def _named(given: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in names}


def _read(name: str, text: str, base: Session) -> Any:
    """Return a value in the type that the field has in the preset."""
    for part in (base, base.network, base.walk):
        if name in (OWN if part is base else _fields(part)):
            now = getattr(part, name)
            break
    else:
        raise InputError("start", f"a start has no field {name}")
    if isinstance(now, tuple):
        return tuple(map(int, filter(None, text.split(","))))
    return text == "on" if isinstance(now, bool) else type(now)(text)
