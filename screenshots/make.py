"""Make the screenshots in this folder: the real app, driven by keys, saved as SVG.

.venv/bin/python screenshots/make.py
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.render.draw.context import UTF8
from tui_backprop.session.session_parts import WalkState
from tui_backprop.session.state import Session, from_preset
from tui_backprop.tui.app.app import BackpropApp

HERE = Path(__file__).parent
SPIRAL = Session(NetworkSpec((2, 16, 16, 3), "tanh"), "spiral", batch=32, lr=0.5)
TO_DELTA = ("right_square_bracket",) * 8

# name, session, columns and rows, keys
SHOTS: tuple[tuple[str, Session, tuple[int, int], tuple[str, ...]], ...] = (
    ("opening", Session(), (120, 40), ()),
    ("forward", Session(), (120, 40), ("right",) * 3),
    ("backward", Session(), (80, 24), TO_DELTA),
    ("backward", Session(), (120, 40), TO_DELTA),
    ("backward", Session(), (200, 60), TO_DELTA),
    ("update", Session(), (120, 40), ("end",)),
    ("network", Session(), (80, 24), ("1", "down")),
    ("cost", Session(), (80, 24), ("3", "right", "right")),
    ("cost", Session(), (120, 40), ("3", "z")),
    ("claims", Session(), (120, 40), ("3", "v", "z")),
    ("race", from_preset("xor"), (120, 40), ("3", "v", "v", "enter")),
    ("step", Session(), (120, 40), ("3", "v", "v", "v", "z")),
    ("ledger", Session(), (120, 40), ("3", "v", "v", "v", "v", "z")),
    ("xor", from_preset("xor"), (120, 40), ("end",)),
    ("vanishing", from_preset("vanishing"), (120, 40), ("end", "left_square_bracket")),
    ("blame", Session(sample=2), (120, 40), ("b", "right", "down")),
    ("number", Session(sample=2), (120, 40), (*TO_DELTA, "right", "i")),
    ("graph", Session(), (120, 40), (*TO_DELTA, "o")),
    ("flow", from_preset("vanishing"), (120, 40), ("end", "f")),
    ("curves", Session(), (120, 40), (*TO_DELTA, "c")),
    ("train", SPIRAL, (120, 40), ("T", "down", "enter")),
    ("picture", Session(walk=WalkState(view="picture")), (120, 40), ("z", *("right",) * 16)),
    ("help", Session(), (120, 40), ("question_mark",)),
)


async def shoot(session: Session, size: tuple[int, int], keys: tuple[str, ...]) -> str:
    """Press the keys and export the screen, as SVG without embedded web fonts."""
    app = BackpropApp(session, UTF8)
    async with app.run_test(size=size) as pilot:
        while app.cost_lab.cost_model is None:  # until the chart has its first measurements
            await pilot.pause(0.05)
        await pilot.press(*keys)
        await pilot.pause()
        while any(not worker.is_finished for worker in app.workers) or app.cost_lab.race.running:
            await pilot.pause(0.05)
        await pilot.pause()
        svg = app.export_screenshot(title="backprop-tui")
    svg = re.sub(r"@font-face\s*{[^}]*}", "", svg)
    return svg.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")


def main() -> None:
    for name, session, size, keys in SHOTS:
        path = HERE / f"{name}-{size[0]}x{size[1]}.svg"
        path.write_text(asyncio.run(shoot(session, size, keys)), encoding="utf-8")
        print(path.name)


if __name__ == "__main__":
    main()
