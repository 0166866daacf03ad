"""The tour: a strip that explains one thing at a time and which key to press, and advances when that is done. It
never has the focus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import App

from tui_backprop.keys.panel_table import COST_PAGES
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.state import AppState

if TYPE_CHECKING:  # imported only if there is a tour: a start without one does not wait for it
    from tui_backprop.tui.widgets.tour import TourStrip


@dataclass(frozen=True)
class Progress:
    """The part of the app's state that the cards depend on."""

    step: int = 0
    phase: str = ""
    units: tuple[int, ...] = ()
    panel: str = "walk"
    helped: bool = False


# Tests if a card is done, from the state when it was first shown and the current state.
DONE: dict[str, Callable[[Progress, Progress], bool]] = {
    "step": lambda before, now: now.step != before.step,
    "unit": lambda before, now: now.units != before.units,
    "loss": lambda before, now: now.phase in ("loss", "backward", "update"),
    "delta": lambda before, now: now.phase in ("backward", "update"),
    "blame": lambda before, now: now.panel == "blame",
    "cost": lambda before, now: now.panel in COST_PAGES,
    "help": lambda before, now: now.helped,
}


def reached(card: int, before: Progress, now: Progress) -> int:
    """Return the card to show next; cards that are already done are skipped."""
    from tui_backprop.lesson.tour import CARDS

    while card < len(CARDS) and any(DONE[name](before, now) for name in CARDS[card].done):
        card += 1
        before = now
    return card


class Tour:
    """Show the tour: one card at a time."""

    def __init__(self, app: AppContext, screen: App[None], state: AppState) -> None:
        self.card: int | None = None  # the card shown
        self._app, self._screen, self._state = app, screen, state
        self._before = Progress()  # when the card was first shown
        self._strip: TourStrip | None = None  # hidden while there is no tour

    def strip(self) -> TourStrip:
        """Return the strip with its first card."""
        from tui_backprop.tui.widgets.tour import TourStrip

        self.card = 0
        self._app.in_thread("tour", self._remember)
        self._strip = TourStrip(0, self._state.session.network, self._app.render_context)
        return self._strip

    def _remember(self) -> None:
        from tui_backprop.tui.app.first_run import tour_seen

        tour_seen()

    def follow(self, helped: bool = False) -> None:
        """Go on to the next card if what this one asks for was done."""
        if self.card is not None:
            self._to_card(reached(self.card, self._before, self._now(helped)))

    def _now(self, helped: bool = False) -> Progress:
        step = self._state.snapshot.step if self._state.snapshot else None
        return Progress(
            step.index if step else 0,
            step.phase if step else "",
            self._state.session.walk.units,
            self._app.current_panel,
            helped,
        )

    def action_tour(self) -> None:
        """Show the next card, or the first one."""
        if self._strip is None:
            self._screen.screen_stack[0].mount(self.strip(), before="#keys")
            self._before = self._now()
            return
        if self.card is None:
            self._app.say("")  # instead of the notice that it is over
        self._to_card(0 if self.card is None else self.card + 1)

    def action_end_tour(self) -> None:
        if self.card is not None:
            self._to_card(None)

    def _to_card(self, card: int | None) -> None:
        """Show a card; after the last one (None), the tour is over."""
        from tui_backprop.lesson.tour import CARDS

        if self._strip is None:
            return
        if card != self.card:
            self._before = self._now()
        self.card = card if card is not None and card < len(CARDS) else None
        self._strip.display = self.card is not None
        if self.card is not None:
            self._strip.show(self.card, self._state.session.network, self._app.current_panel)
        else:
            self._app.say(f"end of the tour; {self._app.render_context.key('tour')} starts it again")
