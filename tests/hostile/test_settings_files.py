"""Settings files of any content: settings, or one bounded line that says what is wrong."""

from __future__ import annotations

import random

from tests.hostile.chance import cases, told
from tests.hostile.refusals import refused
from tui_backprop.cli.settings import SETTINGS, Settings, settings
from tui_backprop.keys.remap import ACTIONS
from tui_backprop.support.errors import UserError

NAMES = [setting.name for setting in SETTINGS]
VALUES = (
    "true", "1", "-1", "0x1" + "0" * 3600, "9" * 4301, "1e999", "nan", "1979-05-27", "[]", "{}",
    '"auto"', '"\\u001b[2J"',
    '"' + "x" * 5000 + '"', "[" * 2000, "[" * 80 + "]" * 80, "{a." * 60 + "b = 1" + "}" * 60,
    '["ctrl+ctrl+x"]', '"ctrl+x"',
    "256", '"16"', "'''\n#'''", "0b" + "1" * 9000, '["a", "b"]', "[0x1" + "0" * 3600 + "]",
)  # fmt: skip
KEYS = (
    *NAMES, "keys", '"\\u0007"', "a" + ".a" * 150, "color" + ".a" * 9000, "x" * 3000, "keys.view", "", "'é'",
)  # fmt: skip


def content(chance: random.Random) -> bytes:
    lines = []
    for _ in range(chance.randint(0, 12)):
        match chance.randint(0, 5):
            case 0:
                lines.append(
                    "[keys]" if chance.random() < 0.8 else "[" + "k." * chance.randint(0, 300) + "k]"
                )
            case 1:
                lines.append(f'"{chance.choice([*ACTIONS])}" = {chance.choice(VALUES)}')
            case _:
                lines.append(f"{chance.choice(KEYS)} = {chance.choice(VALUES)}")
    text = "\n".join(lines).encode()
    if chance.random() < 0.2:
        text += chance.randbytes(chance.randint(1, 200))
    return text * 200 if chance.random() < 0.02 else text


def test_any_settings_file_is_read_or_refused_in_one_line(tmp_path):
    path, read = tmp_path / "config.toml", 0
    for chance in cases(400):
        path.write_bytes(text := content(chance))
        with told(text):
            try:
                found = settings({"config": str(path)}, {})
            except UserError as error:
                refused(error, "config")
            else:
                assert isinstance(found, Settings)
                read += 1
    assert read
