"""The list of the lesson's chapters: what is done of each, found by any word of its title or of its steps' titles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from tui_backprop.keys.search import Command, search
from tui_backprop.lesson.attempt import Place, first_open, place_of, places
from tui_backprop.lesson.chapter import Chapter, chapters
from tui_backprop.lesson.progress import Progress
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.tui.screens.dialog import Dialog
from tui_backprop.tui.screens.palette import CommandList
from tui_backprop.tui.widgets.line_input import LineInput

KEYS = "↑ ↓ select   enter goes there   del resets   esc closes"


def entries(progress: Progress, query: str) -> list[Command]:
    """Return the chapters, or the chapters and steps that have the words of the query; the best match first."""
    rows = [_chapter(chapter, progress) for chapter in chapters()]
    if query.strip():
        rows += [_step(place, progress) for place in places()]
    return search(query, rows, {})


def _chapter(chapter: Chapter, progress: Progress) -> Command:
    count, of = progress.done_in(chapter), len(chapter.steps)
    done = "done" if count == of else f"{count} of {of} done" if count else ""
    return Command(str(chapter.number), f"{chapter.number:>2}  {chapter.title}", done, chapter.about)


def _step(place: Place, progress: Progress) -> Command:
    done = "done" if place.id in progress.done else ""
    return Command(place.number, f"    {place.number}  {place.step.title}", done)


def place_at(entry: str, progress: Progress) -> Place:
    """Return the step that an entry of the list leads to: of a chapter, the first one that is not done."""
    for place in places():
        if entry == place.number:
            return place
    return first_open(chapters()[int(entry)], progress)


class ChaptersScreen(Dialog[Place]):
    """A dialog; typing searches, enter returns the step to go to, delete resets a chapter, escape closes it."""

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("delete", "reset", show=False, priority=True),
        Binding("escape,ctrl+g", "dismiss(None)", show=False),
    ]

    def __init__(
        self, progress: Progress, keep: Callable[[Progress], object], context: RenderContext
    ) -> None:
        super().__init__(context)
        self._progress, self._keep = progress, keep
        self._sure: Chapter | None = None  # the chapter that the next delete resets
        self._list = CommandList(self._found(""), context, "chapter or step")

    def _found(self, query: str) -> Sequence[Command]:
        return entries(self._progress, query)

    def compose(self) -> ComposeResult:
        with Vertical(id="chapters", classes="box") as box:
            box.border_title = "chapters of the lesson"
            yield LineInput(placeholder="type to search", compact=True)
            yield self._list

    def on_mount(self) -> None:
        self._say(KEYS)
        at = place_of(self._progress.at)
        if at is not None:
            self._list.move(at.chapter.number)

    def _say(self, words: str) -> None:
        self.query_one("#chapters").border_subtitle = self.render_context.text(words)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._unsure()
        self._list.show(self._found(event.value))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if self._list.selected is not None:
            self.dismiss(place_at(self._list.selected.id, self._progress))

    def action_move(self, by: int) -> None:
        self._unsure()
        self._list.move(by)

    def _unsure(self) -> None:
        self._sure = None
        self._say(KEYS)

    def action_reset(self) -> None:
        """Forget what was done in the chapter of the selected entry, at the second press."""
        if self._list.selected is None:
            return
        chapter = place_at(self._list.selected.id, self._progress).chapter
        if chapter != self._sure:
            self._sure = chapter
            count = self._progress.done_in(chapter)
            self._say(
                f"del again forgets the {count} of {len(chapter.steps)} steps done in chapter {chapter.number}"
            )
            return
        self._progress = self._progress.without(chapter)
        self._keep(self._progress)
        self._list.show(self._found(self.query_one(LineInput).value), self._list.at)
        self._unsure()
