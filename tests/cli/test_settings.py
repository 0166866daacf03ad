"""Settings: which one counts, where it comes from, and how an invalid one is reported."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from tui_backprop.cli import settings as config
from tui_backprop.cli.settings import ROWS, SETTINGS, Settings, settings
from tui_backprop.files import opener
from tui_backprop.support import paths as places
from tui_backprop.support.errors import UserError


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder with a settings file in it: ``home(text)``."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "config" / "config.toml"
    monkeypatch.setattr(places, "config_file", lambda: path)

    def write(text):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def refusal(flags=config.NONE, environ=config.NONE):
    with pytest.raises(UserError) as caught:
        settings(flags, environ)
    assert len(caught.value.message) < 250
    assert caught.value.message.isprintable()
    return caught.value.field, caught.value.message


WHOLE = """
color = "16"
glyphs = "ascii"
mouse = false
motion = false
lesson = false
memory = 64

[keys]
view = ["w"]
quit = "ctrl+x"
"""


def test_nothing_chosen_is_the_default(home):
    found = settings({}, {})
    assert found == Settings()
    assert {found.origin(each.name) for each in SETTINGS} == {"default"}


def test_settings_are_frozen():
    with pytest.raises(FrozenInstanceError):
        Settings().color = "16"


def test_everything_can_be_chosen_in_the_file(home):
    home(WHOLE)
    found = settings({}, {})
    assert found == Settings(
        color="16",
        glyphs="ascii",
        mouse=False,
        motion=False,
        lesson=False,
        memory=64,
        keys={"view": ("w",), "quit": ("ctrl+x",)},
    )
    assert found.keymap == {"view": "w", "quit": "ctrl+x"}
    assert found.origin("color") == found.origin("keys") == "file ~/config/config.toml"


def test_a_flag_comes_before_the_environment_and_that_before_the_file(home):
    home('color = "16"\nmemory = 64\nglyphs = "ascii"')
    environ = {"BACKPROP_TUI_COLOR": "none", "BACKPROP_TUI_MEMORY": "32"}
    found = settings({"memory": "128", "color": None}, environ)
    assert (found.color, found.memory, found.glyphs, found.mouse) == ("none", 128, "ascii", True)
    assert [found.origin(name) for name in ("color", "memory", "glyphs", "mouse")] == [
        "environment BACKPROP_TUI_COLOR", "flag --memory", "file ~/config/config.toml", "default",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["mouse", "motion", "lesson"])
@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("Yes", True), ("on", True), ("0", False), ("no", False), ("FALSE", False)],
)
def test_switches_are_read_from_words_in_the_environment(home, name, text, value):
    assert getattr(settings({}, {f"BACKPROP_TUI_{name.upper()}": text}), name) is value
    assert getattr(settings({name: value}, {}), name) is value


def test_automatic_is_none_and_takes_back_what_stands_in_the_file(home):
    home("motion = true")
    environ = {"BACKPROP_TUI_MOTION": "auto"}
    assert settings({}, {}).motion is True
    assert settings({}, environ).motion is None


def test_an_empty_variable_asks_for_nothing(home):
    home('color = "16"')
    assert settings({}, {"BACKPROP_TUI_COLOR": "", "BACKPROP_TUI_CONFIG": ""}).color == "16"


def test_numbers_of_colors_need_no_quotes(home):
    home("color = 256")
    assert settings({}, {}).color == "256"


def test_ascii_is_a_flag_of_its_own(home):
    found = settings({"ascii": True}, {"BACKPROP_TUI_GLYPHS": "utf-8"})
    assert (found.glyphs, found.origin("glyphs")) == ("ascii", "flag --ascii")
    assert refusal({"ascii": True, "glyphs": "utf-8"})[0] == "ascii"


def test_another_file_is_named_by_a_flag_before_the_environment(home, tmp_path):
    home("memory = 1")
    one, other = tmp_path / "one.toml", tmp_path / "other.toml"
    one.write_text("memory = 2")
    other.write_text("memory = 3")
    assert settings({}, {"BACKPROP_TUI_CONFIG": str(one)}).memory == 2
    assert settings({"config": str(other)}, {"BACKPROP_TUI_CONFIG": str(one)}).memory == 3
    assert refusal({}, {"BACKPROP_TUI_CONFIG": "none.toml"})[0] == "BACKPROP_TUI_CONFIG"
    assert refusal({"config": str(tmp_path / "none.toml")}) == ("config", "~/none.toml does not exist")


CASES = [
    ('colour = "16"', "colour: unknown setting; did you mean color?"),
    ("MEMORY = 1", "MEMORY: unknown setting; did you mean memory?"),
    ("xyz = 1", f"xyz: unknown setting; choose from {', '.join((*ROWS, 'keys'))}"),
    ('color = "pink"', 'color: invalid value "pink"; choose from auto, true, 256, 16, none'),
    ("color = true", 'color: invalid value "true"; choose from auto, true, 256, 16, none'),
    ("color = 1.5", "choose from auto"),
    ("color = []", "choose from auto"),
    ('glyphs = "Ascii"', "choose from auto, utf-8, ascii"),
    ('mouse = "maybe"', 'mouse: invalid value "maybe"; choose true or false'),
    ("mouse = 1", 'mouse: invalid value "1"; choose true or false'),
    ('mouse = "auto"', "choose true or false"),
    ('motion = "maybe"', "choose auto, true or false"),
    ("memory = 0", 'memory: invalid value "0"; expected a number of megabytes, such as 256'),
    ("memory = -1", "such as 256"),
    ("memory = 1.5", "such as 256"),
    ("memory = true", "such as 256"),
    ("memory = 1979-05-27", "such as 256"),
    ("keys = 1", "keys: expected a table [keys]"),
    ('[keys]\nveiw = ["w"]', "keys: unknown action veiw; did you mean view"),
    ('[keys]\nview = []', 'keys: view takes one or more keys, such as ["right", "l"]'),
    ("[keys]\nview = 1", "keys: view takes one or more keys"),
    ('[keys]\nview = ["hyper+w", "rihgt"]', 'keys: view: "rihgt" is not a key; examples:'),
    ('[keys]\nview = ["t"]', "keys: view: t is already a key of train; choose another"),
    ('[keys]\nview = ["w"]\ngrain = ["w"]', "w is already a key of"),
    ("color = pink", "is not valid TOML: Invalid value (at line 1, column 9)"),
    ('color = "16"\ncolor = "16"', "is not valid TOML: Cannot overwrite a value"),
    (b'color = "\xff"', "is not valid TOML: it is not UTF-8"),
    ("a = " + "[" * 5000, "is not valid TOML: it is nested too deeply"),
    ("color" + ".a" * 20_000 + " = 1", "is not valid TOML: a line has more than 200 dots"),
    ("color" + ".a" * 199 + " = 1", "color: invalid value a table; choose from"),
    ("memory = " + "9" * 4301, "is not valid TOML: it holds a number that is too long"),
    ("memory = 0x1" + "0" * 3600, "memory: invalid value a very long integer; expected"),
    ("[keys]\nview = [0x1" + "0" * 3600 + "]", "keys: view: a very long integer is not a key"),
    ("[keys]\nview" + ".a" * 190 + " = 1", "keys: view takes one or more keys"),
    ("[keys]\nview = [" + "[" * 90 + "]" * 90 + "]", "keys: view: a list is not a key"),
    ('[keys]\nview = "ctrl+ctrl+x"', '"ctrl+ctrl+x" is not a key'),
    ('"\\u001b[2J" = 1', "?[2J: unknown setting"),
    ('color = "\\u001b[31m"', 'invalid value "?[31m"'),
    ('[keys]\n"[red]\\u0007" = 1', "keys: unknown action [red]?"),
    ('[keys]\nview = ["\\u001b"]', '"?" is not a key'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "why"), CASES, ids=range(len(CASES)))
def test_an_invalid_value_in_the_file_is_named_with_what_is_allowed(home, text, why):
    home(text)
    field, message = refusal()
    assert field == "settings file"
    assert message.startswith("~/config/config.toml")
    assert why in message


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.name)
def test_what_does_not_do_elsewhere_is_named_after_its_place(home, setting):
    field, message = refusal({}, {setting.variable: "\x1b[31mpink"})
    assert field == setting.variable
    assert message.startswith('invalid value "?[31mpink"; ')
    assert refusal({setting.name: "pink"})[0] == setting.name


def test_a_file_that_cannot_be_read_is_said_to_be(home):
    path = home("")
    path.unlink()
    path.mkdir()
    assert refusal({"config": str(path)}) == ("config", "~/config/config.toml cannot be read: Is a directory")
    assert "cannot be read" in refusal({"config": "a\0b"})[1]


def unreadable(path):
    """Make each kind of file that cannot be read in the place of ``path``, and yield what is said about it."""
    path.mkdir()
    yield "Is a directory"
    path.rmdir()
    os.mkfifo(path)
    yield "it is not a regular file"
    path.unlink()
    path.symlink_to("/dev/zero")
    yield "it is not a regular file"
    path.unlink()
    path.symlink_to(path)
    yield "Too many levels of symbolic links"
    path.unlink()
    with path.open("wb") as file:
        file.truncate(8 * 2**30)
    yield "it is larger than 64 kB"


def test_a_default_file_that_cannot_be_read_is_said_to_be_and_counts_as_none(home, monkeypatch):
    path = home("")
    path.unlink()
    for why in unreadable(path):
        found = settings({}, {})
        assert found == Settings()
        assert found.trouble == f"~/config/config.toml cannot be read: {why}; the default settings are used"
    path.unlink()
    home('color = "16"')
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(opener, "SUPERUSER", 12346)
    assert "belongs to another user" in settings({}, {}).trouble
    assert settings({"config": str(path)}, {}).color == "16"  # named, it may be anybody's


def test_a_file_below_what_is_no_folder_is_missing(home, monkeypatch):
    monkeypatch.setattr(places, "config_file", lambda: Path("/dev/null/backprop-tui/config.toml"))
    assert (settings({}, {}), settings({}, {}).trouble) == (Settings(), "")


def test_a_named_file_may_be_a_pipe_but_not_one_that_says_nothing(tmp_path, monkeypatch):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with ThreadPoolExecutor() as pool:
        written = pool.submit(path.write_bytes, b"memory = 3")
        assert settings({"config": str(path)}, {}).memory == 3
        written.result()
    monkeypatch.setattr(opener, "PATIENCE", 0.01)
    assert "nothing was written to this pipe" in refusal({"config": str(path)})[1]


def test_without_a_home_there_is_no_file(monkeypatch):
    def homeless():
        raise OSError("this user has no home folder")

    monkeypatch.setattr(places, "config_file", homeless)
    assert settings({}, {}) == Settings()


def test_places_are_shown_without_the_home_folder_and_without_control_characters(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert places.display_path(tmp_path / "a" / "b") == "~/a/b"
    assert places.display_path(tmp_path) == "~"
    assert places.display_path(f"{tmp_path}x/y") == f"{tmp_path}x/y"[:120]
    assert places.display_path("/etc/\x1b[2J\nx") == "/etc/?[2J?x"
    assert len(places.display_path("/" + "a" * 500)) == 120


def test_a_home_that_stands_for_nothing_makes_no_folder_of_that_name():
    with pytest.raises(OSError, match="no home folder"):
        places._absolute(lambda name: Path("~/.config") / name)
