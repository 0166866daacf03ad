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
MAX_BYTES = 64_000  # of a settings file
DEFAULT = "settings file"  # as the field of an error
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


class UnreadableError(FileError):
    """A settings file that cannot be read, whatever it holds."""


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
        "lesson",
        "auto|true|false",
        "Show the lesson; automatic: at the first start, and with --resume where it was open.",
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
    """The settings in force. ``motion``, ``sparse`` and ``lesson`` are None for automatic, ``memory`` is in
    megabytes, ``keys`` are those of remapped actions. ``origins`` says where each setting comes from that is not
    the default, ``trouble`` why the default settings file was not read."""

    color: str = AUTO
    theme: str = AUTO
    glyphs: str = AUTO
    mouse: bool = True
    motion: bool | None = None
    sparse: bool | None = None
    lesson: bool | None = None
    memory: int = CHECKPOINT_MEGABYTES
    keys: Keys = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)
    trouble: str = field(default="", compare=False)

    def origin(self, name: str) -> str:
        """Name the origin of a setting: a flag, an environment variable, a file, or the default."""
        return self.origins.get(name, "default")

    @property
    def keymap(self) -> dict[str, str]:
        """The keys by action, as Textual's ``set_keymap`` takes them (the ids of bindings are their actions)."""
        return {action: ",".join(keys) for action, keys in self.keys.items()}


def settings(flags: Mapping[str, object] = NONE, environ: Mapping[str, str] = os.environ) -> Settings:
    """Determine the settings in force. ``flags`` are the options given, among them ``config``, another settings file.
    A default file that cannot be read counts as missing; ``trouble`` says so.

    Raises FileError for the file, under the name of what named it, and InputError for an environment variable or a
    flag, under its name.
    """
    path, named = _file(flags.get("config"), environ)
    found, trouble = {}, ""
    try:
        found = _read_file(path, named) if path else {}
    except UnreadableError as error:
        if named:
            raise
        trouble = f"{error.message}; the default settings are used"
    values, origins = dict(found), dict.fromkeys(found, f"file {display_path(path)}" if path else "")
    for setting in SETTINGS:
        text = environ.get(setting.variable)
        if text:  # an empty one counts as unset
            values[setting.name] = _read(setting, text, setting.variable)
            origins[setting.name] = f"environment {setting.variable}"
        if (flag := flags.get(setting.name)) is not None:
            values[setting.name] = _read(setting, flag, setting.name)
            origins[setting.name] = f"flag --{setting.name}"
    if flags.get("ascii"):
        if flags.get("glyphs") not in (None, "ascii"):
            raise InputError("ascii", f"cannot be combined with --glyphs {flags['glyphs']}")
        values["glyphs"], origins["glyphs"] = "ascii", "flag --ascii"
    return Settings(**values, origins=origins, trouble=trouble)


def _file(flag: object, environ: Mapping[str, str]) -> tuple[Path | None, str]:
    """Find the settings file, and the option or variable that names it; an empty text for the default one."""
    if flag is not None:
        return Path(str(flag)), "config"
    if environ.get(FILE):
        return Path(environ[FILE]), FILE
    try:
        return places.config_file(), ""
    except OSError:
        return None, ""


def _read_file(path: Path, named: str) -> dict[str, Any]:
    """Read a settings file: the one ``named`` by an option or a variable, or the default one, which may be missing.
    Raises FileError with that name as field."""
    if not named and _missing(path):  # the usual start: it does not wait for the modules that read files
        return {}
    from tui_backprop.files.decoder import DecodeError, decode_toml
    from tui_backprop.files.opener import read_named, read_own

    try:
        content = read_named(path, MAX_BYTES) if named else read_own(path, MAX_BYTES)
        table = decode_toml(content)
    except (FileNotFoundError, NotADirectoryError):
        if named:
            raise FileError(named, f"{display_path(path)} does not exist") from None
        return {}
    except DecodeError as error:
        raise FileError(named or DEFAULT, f"{display_path(path)} is not valid TOML: {error}") from None
    except (OSError, ValueError) as error:
        reason = printable(getattr(error, "strerror", None) or error)
        raise UnreadableError(named or DEFAULT, f"{display_path(path)} cannot be read: {reason}") from None
    return _read_table(table, named or DEFAULT, f"{display_path(path)}: ")


def _missing(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # reading it tells why
        return False
    return False


def _read_table(table: Mapping[str, object], source: str, where: str) -> dict[str, Any]:
    """Return the settings in a table. Raises FileError with field ``source`` for the first bad one."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        if name == "keys":
            from tui_backprop.keys.remap import checked_keys

            try:
                found[name] = checked_keys(value)
            except InputError as error:
                raise FileError(source, f"{where}keys: {error.message}") from None
        elif name in ROWS:
            try:
                found[name] = _read(ROWS[name], value, name)
            except InputError as error:
                raise FileError(source, f"{where}{name}: {error.message}") from None
        else:
            raise FileError(
                source,
                f"{where}{printable(name, 40)}: unknown setting; {suggestion(name, (*ROWS, 'keys'))}",
            )
    return found


def _read(setting: Setting, value: object, field: str) -> object:
    try:
        return setting.read(value)
    except ValueError as error:
        raise InputError(field, f"invalid value {quoted(value)}; {error}") from None


def suggestion(name: str, names: Iterable[str]) -> str:
    """Suggest a name that may have been meant, or list all."""
    import difflib

    there = tuple(names)
    near = difflib.get_close_matches(name[:80].lower(), there, 1)
    return f"did you mean {near[0]}?" if near else f"choose from {', '.join(there)}"
