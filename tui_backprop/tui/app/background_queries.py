"""The queries of the panels: each runs in a worker, and its result goes to its panel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

from textual.worker import get_current_worker

from tui_backprop.render.view_state import Snapshot
from tui_backprop.support.errors import reason_of
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.panel_focus import Panels
from tui_backprop.tui.app.state import AppState
from tui_backprop.tui.panels.base import SnapshotView
from tui_backprop.tui.panels.registry import query_of
from tui_backprop.tui.widgets.summary import Summary

OFTEN = 0.15  # seconds between two partial results shown


@dataclass(frozen=True)
class Result:
    """The result ``found`` for the key ``about``; ``whole`` if it is complete."""

    about: tuple[object, ...]
    found: object = None
    whole: bool = False
    failed: bool = False


class BackgroundQueries:
    """Keep the visible panels up to date. ``after`` is called when the panel beside the walk has been shown."""

    def __init__(
        self, app: AppContext, state: AppState, panels: Panels, after: Callable[[], None] | None = None
    ) -> None:
        self.results: dict[str, Result] = {}
        self._app, self._state, self._panels, self._after = app, state, panels, after
        self._running: set[str] = set()
        self._deferred = False  # the panel beside the walk

    def update(self) -> None:
        """Show each visible panel the snapshot with the results known so far, and run the queries that have no
        result. The walk comes first: the panel beside it is drawn after the walk was sent to the terminal."""
        if self._state.snapshot is None:
            self._panels.wait(self._state.waiting)
            return
        walk = self._app.view("walk")
        if not isinstance(walk, SnapshotView) or not walk.size:
            self._show_aside()
            return
        if self._state.snapshot is not None:
            self._show(walk, self._state.snapshot)
        if not self._deferred:
            self._deferred = self._app.call_after_refresh(self._show_aside)

    def _show_aside(self) -> None:
        """Show the panel beside the walk."""
        self._deferred = False
        view, snapshot = self._app.view(self._panels.aside), self._state.snapshot
        if snapshot is not None:
            if isinstance(view, SnapshotView) and view.size:
                self._show(view, snapshot)
            for hidden in self._panels.views:
                if isinstance(hidden, SnapshotView) and not hidden.size:
                    hidden.forget(snapshot.iteration)
            summary = self._app.view("summary")
            if isinstance(summary, Summary) and summary.size:
                flow = self._known("flow", snapshot).found
                summary.tell(aside=self._panels.aside, snapshot=snapshot, flow=flow)
        if self._after is not None:
            self._after()

    def _show(self, panel: SnapshotView, snapshot: Snapshot) -> None:
        known = self._known(panel.panel, snapshot)
        panel.show(snapshot, known.found, known.failed)

    def _known(self, name: str, snapshot: Snapshot) -> Result:
        """Return the result of a panel's query as far as it is known, and run the query if that is not all."""
        query = query_of(name)
        about = query.about(snapshot) if query else ()
        if not query or not about:
            return Result(())
        known = self.results.get(name)
        if not (known and known.whole and known.about == about) and name not in self._running:
            self._running.add(name)
            self._app.in_thread("queries", self._run, name, about, snapshot)
        lasts = known is not None and known.about[: query.lasting] == about[: query.lasting]
        return known if known is not None and lasts else Result(about)

    def _run(self, name: str, about: tuple[object, ...], snapshot: Snapshot) -> None:
        whole, failed, worker = True, False, get_current_worker()
        query = query_of(name)
        assert query is not None
        try:
            found = query.find(snapshot, self._state.replay)
            if isinstance(found, Iterator):
                shown = perf_counter()
                for part in found:
                    found = part
                    if worker.is_cancelled:  # the app is closing
                        return
                    if perf_counter() - shown > OFTEN:
                        shown = perf_counter()
                        if not self._app.call_from_thread(self._partial, name, Result(about, part)):
                            whole = False  # no longer needed
                            break
        except Exception as error:  # reported in one line, and not tried again
            found, failed = None, True
            why = f"Could not compute the {name} panel: {reason_of(error)}"
            self._app.call_from_thread(self._app.fail, why)
        self._app.call_from_thread(self._done, name, Result(about, found, whole, failed))

    def _partial(self, name: str, result: Result) -> bool:
        """Show a part of a result; return True if the rest is still needed."""
        snapshot, query = self._state.snapshot, query_of(name)
        if snapshot is None or query is None or query.about(snapshot) != result.about:
            return False
        self.results[name] = result
        self.update()
        return True

    def _done(self, name: str, result: Result) -> None:
        self._running.discard(name)
        if result.whole:
            self.results[name] = result
        self.update()
