"""Settings: a flag comes before the environment, that before the settings file, and all of them before what is usual.

The file is TOML, in the platform's place for it. Nothing in it is guessed at: a name or a value that does not do is
refused in one line that says where it stands and what would be right.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tui_backprop.engine.training.memory import CHECKPOINT_MEGABYTES
from tui_backprop.support import paths as places
from tui_backprop.support.errors import FileError, InputError, UserError
from tui_backprop.support.format import printable
from tui_backprop.support.paths import display_path
from tui_backprop.support.validation import quoted, whole_number

PREFIX = "BACKPROP_TUI_"
FILE = f"{PREFIX}CONFIG"  # the variable that names another settings file
MOST = 2**20  # bytes of a settings file
AUTO = "auto"
SWITCH = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}

Keys = Mapping[str, tuple[str, ...]]
NONE: Mapping[str, Any] = MappingProxyType({})


def _choice(*names: str) -> Callable[[object], object]:
    def read(value: object) -> object:
        text = str(value) if type(value) in (str, int) else ""
        if text not in names:
            raise ValueError(f"choose from {', '.join(names)}")
        return text

    return read


def _switch(value: object) -> object:
    found = SWITCH.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise ValueError("it is true or false")
    return found


def _automatic_switch(value: object) -> object:
    """None stands for automatic."""
    if value == AUTO:
        return None
    try:
        return _switch(value)
    except ValueError:
        raise ValueError("it is auto, true or false") from None


def _megabytes(value: object) -> object:
    try:
        return whole_number("memory", value, 1)
    except UserError:
        raise ValueError("it is a number of megabytes, such as 256") from None


@dataclass(frozen=True)
class Setting:
    """One row of the table. ``read`` makes a value of what was written, or raises ValueError that says what would be
    right; ``values`` and ``about`` are for help."""

    name: str
    values: str
    about: str
    read: Callable[[object], object]

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()

    @property
    def switch(self) -> bool:
        return "false" in self.values


SETTINGS = (
    Setting(
        "color",
        "auto|true|256|16|none",
        "Colors: as the terminal has them, or of so many, or none.",
        _choice(AUTO, "true", "256", "16", "none"),
    ),
    Setting(
        "theme",
        "auto|dark|light|terminal",
        "How it looks; terminal: in the terminal's own 16 colors. Automatic: dark, unless it is known to be light.",
        _choice(AUTO, "dark", "light", "terminal"),
    ),
    Setting(
        "glyphs",
        "auto|utf-8|ascii",
        "Characters to draw with: those of the encoding, or plain ones.",
        _choice(AUTO, "utf-8", "ascii"),
    ),
    Setting("mouse", "true|false", "Whether the mouse is listened to.", _switch),
    Setting("motion", "auto|true|false", "Whether things move; automatic: not over SSH.", _automatic_switch),
    Setting(
        "tour",
        "auto|true|false",
        "Whether a tour shows around; automatic: at the first start.",
        _automatic_switch,
    ),
    Setting(
        "sparse",
        "auto|true|false",
        "Whether little is drawn; automatic: where the line is found to be slow.",
        _automatic_switch,
    ),
    Setting("memory", "256", "Megabytes kept for going back in time; 256 if not given.", _megabytes),
)
ROWS = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True)
class Settings:
    """What was chosen. ``motion``, ``sparse`` and ``tour`` are None where that is found out, ``memory`` is in
    megabytes, ``keys`` are those of actions that have other keys than usual. ``origins`` says where each was chosen
    that was."""

    color: str = AUTO
    theme: str = AUTO
    glyphs: str = AUTO
    mouse: bool = True
    motion: bool | None = None
    sparse: bool | None = None
    tour: bool | None = None
    memory: int = CHECKPOINT_MEGABYTES
    keys: Keys = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    def origin(self, name: str) -> str:
        """Where a setting comes from: a flag, a variable of the environment, a file, or the default."""
        return self.origins.get(name, "default")

    @property
    def keymap(self) -> dict[str, str]:
        """The keys by action, as Textual's ``set_keymap`` takes them (bindings' ids are their actions)."""
        return {action: ",".join(keys) for action, keys in self.keys.items()}


def settings(flags: Mapping[str, object] = NONE, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force. ``flags`` are those that were given (others None), ``config`` among them: another file.

    Raises InputError: for a file under ``config``, for a variable under its name, for a flag under its own.
    """
    path, chosen = _file(flags.get("config"), environ)
    found = _read_file(path, chosen) if path else {}
    values, origins = dict(found), dict.fromkeys(found, f"file {display_path(path)}" if path else "")
    for setting in SETTINGS:
        text = environ.get(setting.variable)
        if text:  # an empty one asks for nothing
            values[setting.name] = _read(setting, text, setting.variable, "")
            origins[setting.name] = f"environment {setting.variable}"
        if (flag := flags.get(setting.name)) is not None:
            values[setting.name] = _read(setting, flag, setting.name, "")
            origins[setting.name] = f"flag --{setting.name}"
    if flags.get("ascii"):
        if flags.get("glyphs") not in (None, "ascii"):
            raise InputError("ascii", "--glyphs asks for others; leave one of the two out")
        values["glyphs"], origins["glyphs"] = "ascii", "flag --ascii"
    return Settings(**values, origins=origins)


def _file(flag: object, environ: Mapping[str, str]) -> tuple[Path | None, bool]:
    """The settings file, and whether it was asked for."""
    named = flag or environ.get(FILE)
    if named:
        return Path(str(named)), True
    try:
        return places.config_file(), False
    except OSError:
        return None, False


def _read_file(path: Path, chosen: bool) -> dict[str, Any]:
    """The settings in a file. One that is not there is as good as an empty one, unless it was asked for."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST + 1)
    except FileNotFoundError:
        if chosen:
            raise FileError("config", f"{display_path(path)} is not there") from None
        return {}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError("config", f"{display_path(path)} cannot be read: {printable(reason)}") from None
    if len(content) > MOST:
        raise FileError(
            "config", f"{display_path(path)} is too large for settings; the most is {MOST // 2**20} MiB"
        )
    import tomllib

    try:
        table = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        what = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else printable(error)
        raise FileError("config", f"{display_path(path)} is not TOML: {what}") from None
    return _read_table(table, f"{display_path(path)}: ")


def _read_table(table: Mapping[str, object], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        if name == "keys":
            from tui_backprop.keys.remap import checked_keys

            found[name] = checked_keys(value, where)
        elif name in ROWS:
            found[name] = _read(ROWS[name], value, "config", f"{where}{name}: ")
        else:
            raise InputError(
                "config",
                f"{where}{printable(name, 40)}: no such setting; {suggestion(name, (*ROWS, 'keys'))}",
            )
    return found


def _read(setting: Setting, value: object, field: str, where: str) -> object:
    try:
        return setting.read(value)
    except ValueError as error:
        raise InputError(field, f"{where}{quoted(written(value))} does not do; {error}") from None


def written(value: object) -> str:
    """A value as it is written in the file."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def suggestion(name: str, names: Iterable[str]) -> str:
    """What may have been meant."""
    import difflib

    there = tuple(names)
    near = difflib.get_close_matches(name[:80].lower(), there, 1)
    return f"did you mean {near[0]}?" if near else f"there is {', '.join(there)}"
