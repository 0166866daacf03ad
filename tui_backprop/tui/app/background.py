"""What panels wait for: their questions go to a worker each, and the answers to the panels that asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from time import perf_counter
from typing import TYPE_CHECKING

from textual import work
from textual.worker import get_current_worker

from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.app.panels import Panels
from tui_backprop.tui.panels.base import Panel
from tui_backprop.tui.panels.queries import QUESTIONS

if TYPE_CHECKING:  # loads numpy
    from tui_backprop.session.replay import Replay

OFTEN = 0.15  # seconds between two parts of an answer that are shown


@dataclass(frozen=True)
class Answer:
    """What was found, and what it was asked ``about``; ``whole`` once nothing more will come."""

    about: tuple[object, ...]
    found: object = None
    whole: bool = False
    failed: bool = False


class Answers(Panels):
    """The part of the app that keeps the panels shown up to date."""

    _answers: dict[str, Answer]
    _asking: set[str]

    def __init__(self, memory: int) -> None:
        super().__init__()
        self._memory = memory  # bytes for going back in time
        self._answers, self._asking = {}, set()
        self._putting_off = False  # the panel beside the walk

    @cached_property
    def _replay(self) -> Replay:
        """The passes of this app's sessions; first asked for in a worker."""
        from tui_backprop.session.replay import Replay

        return Replay(self._memory, partial(self.call_from_thread, self._replayed))

    def _replayed(self, done: int, of: int) -> None:
        """Say how far a replay is: where nothing else is seen yet in the walk, and then in the key bar."""
        words = f"going through {of:,} updates again: {done:,} done"
        walk = self.view("walk")
        if self.snapshot is None and isinstance(walk, Panel):
            walk.wait(words)
        else:
            self.say(words)

    def answer(self) -> None:
        """Show every panel its moment with what is known of it, and have found out what is not. The walk comes first:
        what is beside it is drawn when that has gone out."""
        walk = self.view("walk")
        if not isinstance(walk, Panel) or not walk.size:
            self.show_aside()
            return
        if self.snapshot is not None:
            self._answer(walk, self.snapshot)
        if not self._putting_off:
            self._putting_off = self.call_after_refresh(self.show_aside)

    def show_aside(self) -> None:
        """Show the panel beside the walk."""
        self._putting_off = False
        view = self.view(self._aside)
        if self.snapshot is None:
            return
        if isinstance(view, Panel) and view.size:
            self._answer(view, self.snapshot)
        for hidden in self._views.values():
            if isinstance(hidden, Panel) and not hidden.size:
                hidden.forget(self.snapshot.iteration)

    def _answer(self, panel: Panel, snapshot: Snapshot) -> None:
        name, question = panel.NAME, QUESTIONS.get(panel.NAME)
        about = question.about(snapshot) if question else ()
        if not question or not about:
            panel.show(snapshot)
            return
        known = self._answers.get(name)
        answered = known is not None and known.whole and known.about == about
        if not answered and name not in self._asking:
            self._asking.add(name)
            self._find(name, about, snapshot)
        lasting = question.lasting
        stands = known is not None and known.about[:lasting] == about[:lasting]
        panel.show(
            snapshot, known.found if known and stands else None, bool(known and stands and known.failed)
        )

    @work(thread=True, group="answers")
    def _find(self, name: str, about: tuple[object, ...], snapshot: Snapshot) -> None:
        whole, failed, worker = True, False, get_current_worker()
        try:
            found = QUESTIONS[name].find(snapshot, self._replay)
            if isinstance(found, Iterator):
                shown = perf_counter()
                for part in found:
                    found = part
                    if worker.is_cancelled:  # the app is being left
                        return
                    if perf_counter() - shown > OFTEN:
                        shown = perf_counter()
                        if not self.call_from_thread(self._part, name, Answer(about, part)):
                            whole = False  # nobody asks any more
                            break
        except Exception as error:  # said in one line, and not tried again
            found, failed = None, True
            why = f"Could not find this out: {type(error).__name__}: {error}"
            self.call_from_thread(partial(self.notify, why, severity="error", markup=False))
        self.call_from_thread(self._done, name, Answer(about, found, whole, failed))

    def _part(self, name: str, answer: Answer) -> bool:
        """Show a part of an answer; say whether the rest is still wanted."""
        snapshot = self.snapshot
        if snapshot is None or QUESTIONS[name].about(snapshot) != answer.about:
            return False
        self._answers[name] = answer
        self.answer()
        return True

    def _done(self, name: str, answer: Answer) -> None:
        self._asking.discard(name)
        if answer.whole:
            self._answers[name] = answer
        self.answer()
