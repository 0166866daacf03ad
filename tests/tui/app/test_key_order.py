"""Any split of what is typed into reads gives the same session and the same screen."""

from __future__ import annotations

import os
import random

import pytest

from tests.tui.conftest import Ui
from tui_backprop.session.state import Session, from_preset
from tui_backprop.terminal.input_parser import InputParser

LONG = 9.0  # seconds, more than the parser waits for
STREAMS = int(os.environ.get("KEY_STREAMS", "3"))  # more to search, fewer for every day
UP, DOWN, RIGHT, LEFT, ESCAPE = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[27u"

# What is typed: keys that compute, move, open, and the text that goes where they lead.
MOVES = [RIGHT, RIGHT, LEFT, UP, DOWN, "\x1b[F", "\x1b[H", *"nptjkuUgvabzZ+-[]hl=", ESCAPE, "\t"]
PANELS = ["\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~", "\x1b[18~", "\x1b[19~", *"1234"]
PHRASES = [
    "/W2[1,0]\r", "/z1[0]\r", "/loss\x7f\x7f\x7f\x7fb2[1]\r", "/nothing\r\x1b[27u", "/0\r", "/2\r", "ttt",
    "[[", "eE", "4xu",
    "4jjjx", "4d0", "4\r", "C1\r", "C\x1b[Dq", "?jj\x1b[27u", "\x10next sample\r", "\x10undo\r", "\x10blame\r",
    "\x10xyz\x1b[27u", "1\x7f\x7f\x7f3,1\r", "1" + "\x7f" * 9 + "2,3,1\r", "1" + DOWN + "tanh\r",
    "1" + DOWN * 3 + "0.5\r",
    "1\x1b[200~2,4,1\x1b[201~\r", "1x" + ESCAPE + "\x1bOR", "m" + "n" + "m", "\xe4",
]  # fmt: skip


def stream(seed: int) -> list[str]:
    """Return what is typed, key by key or phrase by phrase."""
    rng = random.Random(seed)
    pools = rng.choices((MOVES, PANELS, PHRASES), (5, 2, 4), k=14)
    return [rng.choice(pool) for pool in pools]


def feed(ui: Ui, parser: InputParser, data: bytes) -> None:
    """Pass what one read returns on, as the driver does."""
    driver = ui.app._driver
    assert driver is not None
    for message in parser.feed(data):
        driver.process_message(message)


async def run(open_app, session: Session, data: bytes, cuts: list[int], settled: bool) -> tuple[Session, str]:
    """Return the session and the screen after reads that end at the cuts; with ``settled`` each read comes once what
    was read before has been done."""
    async with open_app(session, size=(80, 24)) as ui:
        parser, last = InputParser(), 0
        for cut in (*cuts, len(data)):
            feed(ui, parser, data[last:cut])
            last = cut
            if settled:
                await ui.settled()
        await ui.settled()
        ui.app.clear_notifications()
        ui.app.say("")
        await ui.settled()
        return ui.app.state.placed, ui.screen


def ends_of_keys(data: bytes) -> list[int]:
    """Return where each key ends."""
    parser = InputParser()
    return [at + 1 for at in range(len(data)) if parser.feed(data[at : at + 1])]


@pytest.mark.parametrize("seed", range(STREAMS))
async def test_any_split_into_reads_gives_the_same(open_app, seed):
    session = from_preset("xor") if seed % 2 else from_preset("lesson") if seed % 4 else Session()
    data = "".join(stream(seed)).encode()
    rng = random.Random(-seed)
    right = await run(open_app, session, data, ends_of_keys(data), settled=True)
    for cuts in ([], sorted(rng.sample(range(len(data)), 9))):
        found = await run(open_app, session, data, cuts, settled=False)
        assert found[0] == right[0], f"{data!r} cut at {cuts}"
        assert found[1] == right[1], f"{data!r} cut at {cuts}"
