"""The commands of the palette: every action of the key table, every page, theme and word, from any panel."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.app import App

from tui_backprop.keys.panel_table import PANEL_ROWS, PLACES
from tui_backprop.keys.table import Key, names_of
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.lesson import Lesson
from tui_backprop.tui.app.panel_focus import Panels
from tui_backprop.tui.screens.dialog import Dialog

if TYPE_CHECKING:  # what is searched is imported by the first search: the start does not wait for it
    from tui_backprop.keys.search import Command

WORDS_PENALTY = 2  # panels come first, then what is done in them, then words
PALETTE = "command_palette"  # the action that opens the palette, which does not list itself
PICTURE = "Screenshot, saved as an SVG file in the current folder."
Run = Callable[[], Awaitable[object] | None]


def title_of(help_text: str) -> str:
    """Return the beginning of a sentence that can stand for it: without explanations and conditions."""
    return re.split(r"[;:.] | \(", help_text.rstrip("."))[0]


class CommandList:
    """Offer the commands, and run them. ``themes`` are those that the terminal has the colors for."""

    def __init__(
        self, app: AppContext, screen: App[None], panels: Panels, lesson: Lesson, themes: Sequence[str]
    ) -> None:
        self._app, self._screen, self._panels, self._lesson = app, screen, panels, lesson
        self._themes = themes
        self._uses: Counter[str] = Counter()

    # --- actions -----------------------------------------------------------------------------------------------

    def action_command_palette(self) -> None:
        """Open the list of commands, in place of another dialog; close it if it is open."""
        from tui_backprop.tui.screens.palette import PaletteScreen

        top = self._screen.screen
        if isinstance(top, Dialog):
            top.dismiss()
        if not isinstance(top, PaletteScreen):
            self._app.open_dialog(PaletteScreen(self.find, self._app.render_context), self._chosen)

    def action_theme(self, name: str) -> None:
        """Use another theme until the app ends."""
        self._screen.theme = name

    # --- the commands ------------------------------------------------------------------------------------------

    def find(self, query: str) -> list[Command]:
        """Return the commands that match, the best one first; the current panel's own come first among equals."""
        from tui_backprop.keys.search import search

        here = self._panels.current
        rows = sorted(self._all(), key=lambda row: here not in row[1] or set(PLACES) <= set(row[1]))
        return search(query, [command for command, _, _ in rows], self._uses)

    def commands(self) -> dict[str, tuple[Command, Run]]:
        """Return each command with the function that runs it, by its id."""
        return {command.id: (command, run) for command, _, run in self._all()}

    async def run(self, name: str) -> None:
        """Run a command by its id."""
        self._uses[name] += 1
        done = self.commands()[name][1]()
        if done is not None:
            await done

    async def _chosen(self, name: str | None) -> None:
        if name is not None:
            await self.run(name)

    def _all(self) -> Iterator[tuple[Command, tuple[str, ...], Run]]:
        """Yield each command, the panels that it belongs to, and the function that runs it."""
        from tui_backprop.keys.search import Command
        from tui_backprop.keys.search_words import FORM_COMMANDS, PAGE_COMMANDS, SEARCH_WORDS
        from tui_backprop.lesson.chapter import chapters
        from tui_backprop.lesson.glossary import GLOSSARY
        from tui_backprop.tui.app.screenshot import Screenshot

        context = self._app.render_context
        for action, rows in self._actions().items():
            key, places = rows[0], tuple(place for row in rows for place in row.places)
            title = title_of(context.words(key.help))
            if key.own:
                title = f"{PANEL_ROWS[key.places[0]].command}: {key.name}"
            words = SEARCH_WORDS.get(action, "")
            command = Command(action, title, names_of(key), context.words(key.help), words, int(key.own))
            yield command, places, partial(self._run_action, action, places)
        for name, page in PAGE_COMMANDS.items():
            command = Command(name, title_of(page.help), "", page.help, SEARCH_WORDS.get(name, ""))
            yield command, (), partial(self._panels.open, page.name)
        for each in FORM_COMMANDS:
            command = Command(each.id, context.text(each.title), "", context.words(each.help), each.words)
            yield command, ("network",), partial(self._panels.bring, each.name, each.value, each.row)
        command = Command("screenshot", title_of(PICTURE), "", PICTURE, SEARCH_WORDS["screenshot"])
        yield command, (), Screenshot(self._app, self._screen).action_screenshot
        for name in self._themes:
            if name == self._screen.theme:
                continue
            about = f"Use the {name} theme until the app ends (--theme {name} starts with it)."
            command = Command(f"theme('{name}')", f"Theme: {name}", "", about, SEARCH_WORDS["theme"])
            yield command, (), partial(self.action_theme, name)
        for chapter in chapters():
            name, title = f"chapter({chapter.number})", f"Lesson {chapter.number}: {chapter.title}"
            command = Command(name, title, "", chapter.about, SEARCH_WORDS["chapters"], WORDS_PENALTY)
            yield command, (), partial(self._lesson.open_chapter, chapter.number)
        for term in GLOSSARY:
            meaning = context.words(term.meaning)
            command = Command(f"word('{term.word}')", f"Word: {term.word}", "", meaning, "", WORDS_PENALTY)
            yield command, (), partial(self._explain, term.word)

    def _actions(self) -> dict[str, list[Key]]:
        """Return the rows of each action; those that work everywhere come first."""
        found: dict[str, list[Key]] = {}
        for key in self._app.render_context.keys:
            if key.id != PALETTE:
                found.setdefault(key.id, []).append(key)
        return found

    def _explain(self, word: str) -> None:
        """Show a word in the help."""
        from tui_backprop.tui.screens.help import HelpScreen

        self._app.open_dialog(HelpScreen(self._app.render_context, self._app.current_panel, word))

    async def _run_action(self, action: str, places: tuple[str, ...]) -> None:
        """Run an action; if it belongs to panels other than the current one, open the first of those before."""
        if not set(PLACES) <= set(places) and self._panels.current not in places:
            await self._panels.open(places[0])
        key = next(key for key in self._app.render_context.keys if key.id == action)
        view = self._app.view(self._panels.current) if key.own else None
        await self._screen.run_action(key.action, view)
