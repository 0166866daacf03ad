"""How much is sent to the terminal for a key."""

from __future__ import annotations

from statistics import median

from rich.color import ColorSystem

from tui_backprop.terminal.screen_diff import ScreenDiff

STEPS = 20
MEDIAN, MOST = 1250, 2000  # bytes


def painted(app) -> str:
    """The whole screen as Textual paints it, in 256 colors."""
    app.console._color_system = ColorSystem.EIGHT_BIT
    strips = app.screen._compositor.render_strips()
    return "".join(f"\x1b[{y};1H{strip.render(app.console)}" for y, strip in enumerate(strips, 1))


async def test_a_step_takes_little_more_than_a_kilobyte(open_app):
    async with open_app(size=(120, 40)) as ui:
        diff, sizes = ScreenDiff(erases=True), []
        for _ in range(1 + STEPS):
            diff.paint(painted(ui.app))
            sizes.append(len(diff.take_update().encode()))
            await ui.press("right")
        steps = sizes[1:]
        assert median(steps) <= MEDIAN, sorted(steps)
        assert max(steps) <= MOST, sorted(steps)
