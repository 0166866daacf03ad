"""The app: owns the Session, and is the only file that knows all parts.

A key turns the Session into the next one; the panels are handed what follows from it. What takes time (a
pass, a measurement) runs in a worker thread, and the last screen stays until its result arrives.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.theme import Theme
from textual.timer import Timer

from tui_backprop import session as moves
from tui_backprop.cost.model import Machine
from tui_backprop.engine.spec import NetworkSpec
from tui_backprop.history import History
from tui_backprop.memory import MEGABYTES
from tui_backprop.session import Session
from tui_backprop.ui import palette
from tui_backprop.ui.inquiries import Inquiries
from tui_backprop.ui.keys import KEYS, bar
from tui_backprop.ui.messages import Applied, CursorMoved
from tui_backprop.ui.moment import Costs, Moment, steps_of
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.trainer import Trainer
from tui_backprop.ui.widgets.bars import KeyBar, StatusBar, TabBar
from tui_backprop.ui.widgets.blame import BlameView
from tui_backprop.ui.widgets.cost import CostView
from tui_backprop.ui.widgets.curves import CurvesView
from tui_backprop.ui.widgets.flow import FlowView
from tui_backprop.ui.widgets.form import NetworkPanel
from tui_backprop.ui.widgets.frame import Frame
from tui_backprop.ui.widgets.graph import GraphView
from tui_backprop.ui.widgets.marks import MarksView
from tui_backprop.ui.widgets.number import NumberView
from tui_backprop.ui.widgets.small import TooSmall
from tui_backprop.ui.widgets.train import TrainView
from tui_backprop.ui.widgets.walk import WalkView

if TYPE_CHECKING:  # numpy is imported in a worker, after the first paint
    from tui_backprop.engine.iteration import Pass

LOOK_AGAIN = 2.0  # seconds without a key after which the first, short measurement is followed by a longer one
# The panels that share the place to the right of the walk, with what they are called there.
ASIDE = {
    "cost": ("cost of one gradient", CostView),
    "blame": ("most to blame", BlameView),
    "number": ("one number", NumberView),
    "graph": ("computation graph", GraphView),
    "flow": ("gradient flow", FlowView),
    "curves": ("curves", CurvesView),
    "train": ("training", TrainView),
    "marks": ("bookmarks", MarksView),
}
SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # steps per second of play

THEME = Theme(
    name="backprop",
    primary=palette.FORWARD,
    secondary=palette.BACKWARD,
    warning=palette.BACKWARD,
    error=palette.LOSS,
    success=palette.UPDATE,
    accent=palette.BACKWARD,
    foreground=palette.TEXT,
    background=palette.BACKGROUND,
    surface=palette.SURFACE,
    panel=palette.SURFACE,
    dark=True,
    variables={
        "border": palette.FORWARD,
        "border-blurred": palette.FAINT,
        "text-muted": palette.MUTED,
        "field": palette.FIELD,
    },
)


class BackpropApp(Trainer, Inquiries):
    """Steps through a Session. ``glyphs`` is the set of characters that the terminal can show, ``memory`` the bytes
    that may be kept for going back in time."""

    CSS_PATH = "styles.tcss"
    TITLE = "backprop-tui"
    AUTO_FOCUS = "#walk-view"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-tiny"),
        (60, "-narrow"),
        (100, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-flat"),
        (18, "-short"),
        (30, "-tall"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.help, show=False) for key in KEYS
    ]

    def __init__(self, session: Session, glyphs: Glyphs, memory: int = MEGABYTES * 2**20) -> None:
        super().__init__(memory)
        self.history = History(session)
        self.moment: Moment | None = None
        self.machine: Machine | None = None
        self._glyphs = glyphs
        self._waiting: list[
            Callable[[], None]
        ] = []  # keys pressed before the first pass of a network was there
        self._computing = False
        self._measured: NetworkSpec | None = None  # the network that the machine was measured with
        self._look: Timer | None = None
        self._panel = "walk"
        self._aside = "cost"  # the panel to the right of the walk
        self._playing: Timer | None = None
        self._speed = 2
        self.register_theme(THEME)
        self.theme = THEME.name

    def compose(self) -> ComposeResult:
        # Textual sets these classes at the first resize, after the first paint; set now, nothing is laid out twice.
        for size, points in zip(
            self.size, (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS), strict=True
        ):
            self.screen.add_class([name for least, name in points or [] if least <= size][-1])
        self.screen.set_class(self._glyphs.plain, "plain")
        yield StatusBar(self._glyphs)
        yield TabBar(self._glyphs)
        with Horizontal(id="panels"):
            yield NetworkPanel(self.session, self._glyphs)
            with Frame("walk", "walk").add_class("current", "lit"):
                yield WalkView(self._glyphs)
            for name, (title, view) in ASIDE.items():
                with Frame(name, title).set_class(name != self._aside, "aside"):
                    yield view(self._glyphs)
        yield KeyBar(self._glyphs)
        yield TooSmall()

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(name, self.exit)
        self.query_one(KeyBar).show(bar("walk"))
        self._show()
        self.call_after_refresh(self._compute)  # the first paint does not wait for it

    # --- state: one value, and what follows from it -------------------------------------------------------

    @property
    def session(self) -> Session:
        """The state of the app."""
        return self.history.now

    def go(self, session: Session) -> None:
        """Make ``session`` the state of the app."""
        self._turn(self.history.go(session))

    def _turn(self, history: History) -> None:
        if history is not self.history:
            self.history = history
            self._follow()

    def _follow(self) -> None:
        """Show the session if its numbers are there; have them computed if not."""
        now = self.moment
        if now is not None and now.session.pass_key == self.session.pass_key:
            self.moment = self._moment(now.taken)
            self._show()
        elif not self._computing:
            self._compute()

    def _moment(self, taken: Pass) -> Moment:
        """The session, with the numbers of a pass."""
        return Moment(self.session, steps_of(self.session), taken)

    def _compute(self) -> None:
        self._computing = True
        self._take(self.session)

    @work(thread=True, group="pass")
    def _take(self, session: Session) -> None:
        try:
            taken = self._replay.take(session)
            taken.prepare()
        except Exception as error:  # whatever it is, it is said in one line, and the last good screen stays
            self.call_from_thread(self._failed, f"{type(error).__name__}: {error}")
        else:
            self.call_from_thread(self._arrived, Moment(session, steps_of(session), taken))

    def _failed(self, why: str) -> None:
        self._computing = False
        self._waiting.clear()
        if self.moment is None:
            self.exit(return_code=1, message=f"backprop-tui: the first pass failed: {why}")
        else:
            self.notify(f"This pass failed ({why}); the last one stays.", severity="error", markup=False)
            self.go(self.moment.session)

    def _arrived(self, moment: Moment) -> None:
        self._computing = False
        self.follow_training(self.moment, moment)
        self.moment = moment
        if moment.session.network == self.session.network:
            waiting, self._waiting = self._waiting, []
            for action in waiting:
                action()
        self._follow()
        if self._measured != self.session.network and not self._computing:
            self._measured = self.session.network
            self._measure(self.session.network, glance=True)

    @work(thread=True, group="measure")
    def _measure(self, network: NetworkSpec, glance: bool) -> None:
        from tui_backprop.cost.measure import GLANCE, LOOK, measure_machine
        from tui_backprop.ui.renderables import chart  # noqa: F401  (so that drawing finds plotext loaded)

        self.call_from_thread(
            self._timed, measure_machine(network, GLANCE if glance else LOOK), network, glance
        )

    def _timed(self, machine: Machine, network: NetworkSpec, glance: bool) -> None:
        """Show what a measurement found; after a glance, look longer when the start is over."""
        if network == self._measured:
            self.machine = machine
            self._show_costs()
            if glance:
                self._look = self.set_timer(LOOK_AGAIN, partial(self._look_again, network))

    def _look_again(self, network: NetworkSpec) -> None:
        self._look = None
        self._measure(network, glance=False)

    def _show(self) -> None:
        """Hand every panel its part of the state."""
        if self._look:
            self._look.reset()  # a longer measurement would make keys wait: it comes when none are pressed
        speed = SPEEDS[self._speed] if self._playing else None
        shown = self.session
        if self.moment is not None and self.moment.session.pass_key != shown.pass_key:
            shown = self.moment.session  # its numbers stay until those of the session are there
        self.query_one(StatusBar).show(shown, self.moment, speed)
        self.query_one(NetworkPanel).show(self.session, self.moment)
        self._show_costs()
        self._ask()

    def _ask(self) -> None:
        """Bring what is seen up to date."""
        self.show_training()
        self.answer()
        self.accuse()

    def _show_costs(self) -> None:
        now = self.session
        self.query_one(CostView).show(Costs(now.network, self.machine, now.decade, now.lesson_clock))

    # --- keys ---------------------------------------------------------------------------------------------

    def move(self, change: Callable[[Session, Moment], Session]) -> None:
        """Go to what ``change`` makes of the session; while its network has no pass yet, as soon as it has."""
        moment = self.moment
        if moment is None or moment.session.network != self.session.network:
            self._waiting.append(lambda: self.move(change))
        else:
            self.go(change(self.session, self._moment(moment.taken)))

    def action_step_on(self) -> None:
        self.move(lambda session, moment: moves.step_on(session, len(moment.steps)))

    def action_step_back(self) -> None:
        self.move(lambda session, moment: moves.step_back(session, len(moment.steps)))

    def action_along_graph(self, direction: int) -> None:
        """A step down (+1) or up the graph: on the way back, up is on."""

        def along(session: Session, moment: Moment) -> Session:
            on = direction > 0
            if moment.step.phase == "backward":
                on = not on
            return (moves.step_on if on else moves.step_back)(session, len(moment.steps))

        self.move(along)

    def action_ends(self, last: int) -> None:
        self.move(lambda session, moment: moves.at_step(session, last * (len(moment.steps) - 1)))

    def action_layer(self, direction: int) -> None:
        def jump(session: Session, moment: Moment) -> Session:
            return moves.jump(session, [(s.phase, s.layer) for s in moment.steps], direction)

        self.move(jump)

    def action_grain(self) -> None:
        def finer(session: Session, moment: Moment) -> Session:
            from tui_backprop.engine.trace import place_after

            there = moves.next_grain(session)
            return moves.at_step(there, place_after(steps_of(there), moment.step.done))

        self.move(finer)

    def action_view(self) -> None:
        self.move(lambda session, moment: moves.next_view(session))

    def action_unit(self, direction: int) -> None:
        def select(session: Session, moment: Moment) -> Session:
            layer = moment.step.layer
            return moves.select(session, layer, moment.unit(layer) + direction)

        self.move(select)

    def action_automatic(self) -> None:
        self.move(lambda session, moment: moves.select_automatic(session))

    def action_train(self) -> None:
        self.move(lambda session, moment: moves.after_update(session))

    def action_sample(self, direction: int) -> None:
        self.move(lambda session, moment: moves.next_sample(session, direction))

    def action_restart(self) -> None:
        self.move(lambda session, moment: moves.restart(session))

    def action_undo(self) -> None:
        self._turn(self.history.undo())

    def action_redo(self) -> None:
        self._turn(self.history.redo())

    def action_set_bookmark(self) -> None:
        self.move(lambda session, moment: moves.set_mark(session))

    def action_bookmark(self, direction: int) -> None:
        self.move(lambda session, moment: moves.choose_mark(session, direction))

    def action_hold_bookmark(self) -> None:
        self.move(lambda session, moment: moves.hold_mark(session))

    def action_drop_bookmark(self) -> None:
        self.move(lambda session, moment: moves.drop_mark(session))

    def action_to_bookmark(self) -> None:
        self.move(lambda session, moment: moves.to_mark(session))

    def action_clock(self) -> None:
        self.go(moves.other_clock(self.session))

    def action_play(self) -> None:
        if self._playing:
            self._playing.stop()
            self._playing = None
        else:
            self._playing = self.set_interval(1 / SPEEDS[self._speed], self._play_on)
        self._show()

    def _play_on(self) -> None:
        if not self._computing:  # a step that is late is not queued
            self.action_step_on()

    def action_speed(self, direction: int) -> None:
        self._speed = min(max(self._speed + direction, 0), len(SPEEDS) - 1)
        if self._playing:
            self.action_play()
            self.action_play()

    def action_panel(self, name: str) -> None:
        """Show a panel (where only one fits) and give it the keys."""
        self._current(name)
        if name == "network":
            self.query_one(NetworkPanel).focus_form()
        elif not self.query_one(f"#{name}-view").has_focus:
            self.query_one(f"#{name}-view").focus()

    def _current(self, name: str) -> None:
        self._panel = name
        if name in ASIDE:
            self._aside = name
        for frame in self.query(Frame):
            frame.set_class(frame.name == name, "current")
            frame.set_class(frame.name in ASIDE and frame.name != self._aside, "aside")
        self.query_one(TabBar).show(name)
        self.call_after_refresh(self._ask)

    def on_resize(self) -> None:
        """A panel that was hidden for want of room has lost the keys; it gets them back."""
        self.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        self._ask()
        if self.screen is self.screen_stack[0] and self.focused is None:
            self.action_panel(self._panel)

    def action_zoom(self) -> None:
        """The current panel alone, or all that fit beside it."""
        self.screen.toggle_class("zoomed")
        self.call_after_refresh(self._ask)

    def action_help(self) -> None:
        from tui_backprop.ui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self._glyphs))

    @on(Applied)
    def _applied(self, event: Applied) -> None:
        self.go(event.session)

    @on(CursorMoved)
    def _cursor_moved(self, event: CursorMoved) -> None:
        self.go(moves.read_cost_at(self.session, event.decade))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The panel that has the keys lights up, and the key bar names them. (A class, not :focus-within: the
        walk has it from the start, so that the first focus changes nothing and nothing is laid out twice.)"""
        for frame in self.query(Frame):
            if frame in event.widget.ancestors:
                frame.add_class("lit")
                self._current(frame.name or "")
                self.query_one(KeyBar).show(bar(frame.name or ""))
            else:
                frame.remove_class("lit")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for key in KEYS:
            names = f"key {key.shown}" if key.shown else ""
            yield SystemCommand(key.help.rstrip("."), names, partial(self._run, key.action))

    async def _run(self, action: str) -> None:
        await self.run_action(action)
