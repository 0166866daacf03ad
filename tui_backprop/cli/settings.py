"""Settings: a flag takes precedence over the environment, the environment over the settings file, the file over the
default.

The file is TOML, in the platform's usual place. An unknown name or an invalid value in it is reported in one line,
with the file and what is allowed.
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
MAX_BYTES = 2**20  # of a settings file
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
        raise ValueError("choose true or false")
    return found


def _automatic_switch(value: object) -> object:
    """Read a switch; None stands for automatic."""
    if value == AUTO:
        return None
    try:
        return _switch(value)
    except ValueError:
        raise ValueError("choose auto, true or false") from None


def _megabytes(value: object) -> object:
    try:
        return whole_number("memory", value, 1)
    except UserError:
        raise ValueError("expected a number of megabytes, such as 256") from None


@dataclass(frozen=True)
class Setting:
    """One setting. ``read`` converts a value from the command line, the environment or the file, or raises ValueError
    with what is allowed; ``values`` and ``about`` are for the help text."""

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
        "Number of colors; auto: what the terminal supports, up to 256.",
        _choice(AUTO, "true", "256", "16", "none"),
    ),
    Setting(
        "theme",
        "auto|dark|light|terminal",
        "Color theme; terminal: the terminal's own 16 colors; auto: dark, unless the terminal is known to be light.",
        _choice(AUTO, "dark", "light", "terminal"),
    ),
    Setting(
        "glyphs",
        "auto|utf-8|ascii",
        "Characters to draw with; auto: as the encoding allows.",
        _choice(AUTO, "utf-8", "ascii"),
    ),
    Setting("mouse", "true|false", "Use the mouse.", _switch),
    Setting("motion", "auto|true|false", "Animations; automatic: off over SSH.", _automatic_switch),
    Setting(
        "tour",
        "auto|true|false",
        "Guided tour; automatic: at the first start.",
        _automatic_switch,
    ),
    Setting(
        "sparse",
        "auto|true|false",
        "Draw less, for slow lines; automatic: if the line is found to be slow.",
        _automatic_switch,
    ),
    Setting("memory", "256", "Megabytes of history to keep for going back; default 256.", _megabytes),
)
ROWS = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True)
class Settings:
    """The settings in force. ``motion``, ``sparse`` and ``tour`` are None for automatic, ``memory`` is in megabytes,
    ``keys`` are those of remapped actions. ``origins`` says where each setting comes from that is not the default."""

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
        """Name the origin of a setting: a flag, an environment variable, a file, or the default."""
        return self.origins.get(name, "default")

    @property
    def keymap(self) -> dict[str, str]:
        """The keys by action, as Textual's ``set_keymap`` takes them (the ids of bindings are their actions)."""
        return {action: ",".join(keys) for action, keys in self.keys.items()}


def settings(flags: Mapping[str, object] = NONE, environ: Mapping[str, str] = os.environ) -> Settings:
    """Determine the settings in force. ``flags`` are the options given, among them ``config``, another settings file.

    Raises FileError with field ``config`` for the file, InputError for an environment variable or a flag, under its
    name.
    """
    path, chosen = _file(flags.get("config"), environ)
    found = _read_file(path, chosen) if path else {}
    values, origins = dict(found), dict.fromkeys(found, f"file {display_path(path)}" if path else "")
    for setting in SETTINGS:
        text = environ.get(setting.variable)
        if text:  # an empty one counts as unset
            values[setting.name] = _read(setting, text, setting.variable, "")
            origins[setting.name] = f"environment {setting.variable}"
        if (flag := flags.get(setting.name)) is not None:
            values[setting.name] = _read(setting, flag, setting.name, "")
            origins[setting.name] = f"flag --{setting.name}"
    if flags.get("ascii"):
        if flags.get("glyphs") not in (None, "ascii"):
            raise InputError("ascii", f"cannot be combined with --glyphs {flags['glyphs']}")
        values["glyphs"], origins["glyphs"] = "ascii", "flag --ascii"
    return Settings(**values, origins=origins)


def _file(flag: object, environ: Mapping[str, str]) -> tuple[Path | None, bool]:
    """Find the settings file, and if it was named explicitly."""
    named = flag or environ.get(FILE)
    if named:
        return Path(str(named)), True
    try:
        return places.config_file(), False
    except OSError:
        return None, False


def _read_file(path: Path, chosen: bool) -> dict[str, Any]:
    """Read a settings file. A missing one counts as empty, unless it was named explicitly."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        if chosen:
            raise FileError("config", f"{display_path(path)} does not exist") from None
        return {}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError("config", f"{display_path(path)} cannot be read: {printable(reason)}") from None
    if len(content) > MAX_BYTES:
        raise FileError(
            "config",
            f"{display_path(path)} is too large for a settings file (at most {MAX_BYTES // 2**20} MiB)",
        )
    import tomllib

    try:
        table = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        what = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else printable(error)
        raise FileError("config", f"{display_path(path)} is not valid TOML: {what}") from None
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
            raise FileError(
                "config",
                f"{where}{printable(name, 40)}: unknown setting; {suggestion(name, (*ROWS, 'keys'))}",
            )
    return found


def _read(setting: Setting, value: object, field: str, where: str) -> object:
    try:
        return setting.read(value)
    except ValueError as error:
        error_class = FileError if field == "config" else InputError
        raise error_class(field, f"{where}invalid value {quoted(written(value))}; {error}") from None


def written(value: object) -> str:
    """Format a value as in the settings file."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def suggestion(name: str, names: Iterable[str]) -> str:
    """Suggest a name that may have been meant, or list all."""
    import difflib

    there = tuple(names)
    near = difflib.get_close_matches(name[:80].lower(), there, 1)
    return f"did you mean {near[0]}?" if near else f"choose from {', '.join(there)}"
