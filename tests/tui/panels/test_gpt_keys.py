"""Keys of a GPT: positions and heads in the walk, blocks that fold in the graph."""

from __future__ import annotations

from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import at_step


def walked_to(session, tensor):
    from tui_backprop.session.walk_steps import steps_of

    return at_step(session, next(step.index for step in steps_of(session) if step.tensor == tensor))


async def test_arrows_choose_a_position_and_K_J_a_head(open_app):
    async with open_app(walked_to(from_preset("microgpt"), "A1"), size=(80, 24)) as ui:
        await ui.settled()
        first = ui.app.snapshot.number[1]
        await ui.press("down", "J")
        head, position, _ = ui.app.snapshot.number[1]
        assert (head, position) == ((first[0] + 1) % 4, (first[1] + 1) % 6)
        await ui.press("right")  # to O1
        assert ui.app.snapshot.number[0] == "O1"
        assert ui.app.snapshot.number[1][:2] == (head, position)
        await ui.press("a")
        assert not ui.app.session.walk.units


async def test_positions_go_round_at_the_end_of_the_text(open_app):
    async with open_app(walked_to(from_preset("microgpt"), "z"), size=(80, 24)) as ui:
        await ui.settled()
        seen = []
        for _ in range(7):
            await ui.press("down")
            seen.append(ui.app.snapshot.number[1][0])
        assert sorted(seen[:6]) == [*range(6)]
        assert seen[6] == seen[0]


async def test_enter_unfolds_the_block_at_the_cursor_and_arrows_pass_folded_ones(open_app):
    async with open_app(walked_to(from_preset("microgpt"), "A1"), size=(80, 24)) as ui:
        await ui.settled()
        await ui.press("6", "down")
        assert ui.app.snapshot.step.tensor == "m1"  # the first step of the next block
        await ui.press("up")
        assert ui.app.snapshot.step.tensor == "n1"
        await ui.press("enter")
        assert ui.app.session.walk.unfolded == (2,)
        await ui.press("down")
        assert ui.app.snapshot.step.tensor == "q1"
        await ui.press("enter")
        assert ui.app.session.walk.unfolded == ()
