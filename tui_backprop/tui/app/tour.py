"""The tour: a strip that says one thing at a time and what to press, and sees when it was done. It takes no keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import work

from tui_backprop.session.state import COST_PAGES
from tui_backprop.tui.app.panels import Panels

if TYPE_CHECKING:  # imported when there is a tour: a start without one does not wait for it
    from tui_backprop.tui.widgets.tour import TourStrip


@dataclass(frozen=True)
class Seen:
    """What of the app's state the cards ask about."""

    step: int = 0
    phase: str = ""
    units: tuple[int, ...] = ()
    panel: str = "walk"
    helped: bool = False


# What shows that a card was done, from how things stood when it came and how they stand now.
DONE: dict[str, Callable[[Seen, Seen], bool]] = {
    "step": lambda before, now: now.step != before.step,
    "unit": lambda before, now: now.units != before.units,
    "loss": lambda before, now: now.phase in ("loss", "backward", "update"),
    "delta": lambda before, now: now.phase in ("backward", "update"),
    "blame": lambda before, now: now.panel == "blame",
    "cost": lambda before, now: now.panel in COST_PAGES,
    "help": lambda before, now: now.helped,
}


def reached(card: int, before: Seen, now: Seen) -> int:
    """The card that it is time for: what was done need not be asked for."""
    from tui_backprop.lesson.tour import CARDS

    while card < len(CARDS) and any(DONE[name](before, now) for name in CARDS[card].done):
        card += 1
        before = now
    return card


class Touring(Panels):
    """The part of the app that shows around."""

    _card: int | None = None  # the one that is shown
    _came = Seen()  # how things stood when it came
    _strip: TourStrip | None = None  # hidden while there is no tour

    def tour_strip(self) -> TourStrip:
        """The strip with its first card."""
        from tui_backprop.tui.widgets.tour import TourStrip

        self._card = 0
        self._remember()
        self._strip = TourStrip(0, self.session.network, self.render_context)
        return self._strip

    @work(thread=True, group="tour")
    def _remember(self) -> None:
        from tui_backprop.tui.app.first_run import tour_seen

        tour_seen()

    def follow_tour(self, helped: bool = False) -> None:
        """See whether what the card asks for was done."""
        if self._card is not None:
            self._to_card(reached(self._card, self._came, self._now(helped)))

    def _now(self, helped: bool = False) -> Seen:
        step = self.snapshot.step if self.snapshot else None
        return Seen(
            step.index if step else 0,
            step.phase if step else "",
            self.session.walk.units,
            self._panel,
            helped,
        )

    def action_tour(self) -> None:
        """The next card, or the first one."""
        if self._strip is None:
            self.screen_stack[0].mount(self.tour_strip(), before="#keys")
            self._came = self._now()
            return
        if self._card is None:
            self.say("")  # no longer that it is over
        self._to_card(0 if self._card is None else self._card + 1)

    def action_end_tour(self) -> None:
        if self._card is not None:
            self._to_card(None)

    def _to_card(self, card: int | None) -> None:
        """Show a card; after the last one (None), the tour is over."""
        from tui_backprop.lesson.tour import CARDS

        if self._strip is None:
            return
        if card != self._card:
            self._came = self._now()
        self._card = card if card is not None and card < len(CARDS) else None
        self._strip.display = self._card is not None
        if self._card is not None:
            self._strip.show(self._card, self.session.network, self._panel)
        else:
            self.say(f"the tour is over; {self.render_context.key('tour')} begins it again")
