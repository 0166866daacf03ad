"""Recordings of the models, kept in ``tests/recordings``, so that they are computed again where there is no PyTorch.

.venv/bin/python -m tests.record.recordings     remakes them, with PyTorch
"""

from __future__ import annotations

import json
import random
from hashlib import sha256
from pathlib import Path

import msgspec

from tui_backprop.engine.frontends.recording.validity import VERSION
from tui_backprop.files.recording import DESCRIPTION, Room, open_recording, write_recording

FOLDER = Path(__file__).parents[1] / "recordings"
MADE_FROM = FOLDER / "made-from.txt"
SMALL = FOLDER / "mlp-relu.bp"
MODELS = Path(__file__).with_name("models.py")


def made_from() -> str:
    """What the recordings depend on: the models, and the version of the format."""
    return f"{sha256(MODELS.read_bytes()).hexdigest()} version {VERSION}\n"


def record_model(name, path):
    """Record one model, with the same numbers each time."""
    import torch

    from tests.record.models import MODELS as STEPS
    from tui_backprop.record import record

    torch.manual_seed(0)
    random.seed(0)
    with record(path):
        STEPS[name]()


def changed(tmp_path, change, arrays=None):
    """A recording whose description was changed, with other arrays if there are some."""
    header, kept = open_recording(SMALL)
    description = json.loads(msgspec.json.encode(header))
    change(description, description["iterations"][0])
    path = tmp_path / "changed.bp"
    with (
        (tmp_path / "room").open("w+b") as room,
        (tmp_path / "last").open("w+b") as last,
        path.open("wb") as file,
    ):
        kept_in = Room(room)
        for key in kept:
            if key != DESCRIPTION:
                kept_in.add(key, (arrays or {}).get(key, kept[key]))
        write_recording(description, [kept_in], last, file)
    return path


def remake():
    from tests.record.models import MODELS as STEPS

    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.bp"):
        old.unlink()
    for name in STEPS:
        record_model(name, FOLDER / f"{name}.bp")
    MADE_FROM.write_text(made_from(), "utf-8")


if __name__ == "__main__":
    remake()
