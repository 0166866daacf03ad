"""The network panel: a form that edits the session, and is validated as it is typed.

All rows are drawn by one view. A row with choices handles its keys there; a text row has a Textual Input laid over
its value while it is selected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input
from textual.widgets.input import Selection

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Activity, Snapshot
from tui_backprop.session.form_files import Opened, lost_weights, same_request, to_open
from tui_backprop.session.form_state import FormState
from tui_backprop.session.setting_changes import applied_words
from tui_backprop.session.state import Session
from tui_backprop.support.errors import UserError
from tui_backprop.tui.messages import Applied, WentOn
from tui_backprop.tui.widgets.form_files import FileOpening, PathNames
from tui_backprop.tui.widgets.form_rows import Complete, Discard, Editor, FormView, Go
from tui_backprop.tui.widgets.frame import Frame

if TYPE_CHECKING:  # imported when the form is drawn: at the start it is out of sight
    from tui_backprop.render.panels.form import ShownForm


class NetworkPanel(Frame):
    """Shows the fields, and below them the parameter count. Posts Applied when a valid set of values is entered."""

    def __init__(self, session: Session, context: RenderContext) -> None:
        super().__init__("network", "network")
        self.render_context = context
        first = FormState(session)
        self.form = first.at(first.fields[1].name)  # after the preset
        self._files = FileOpening(self, self._went_on, self._opened)
        self._paths = PathNames(self, self._redraw)
        self._snapshot: Snapshot | None = None

    def compose(self) -> ComposeResult:
        yield FormView(self._drawn, self.render_context)

    def _drawn(self, columns: int, rows: int) -> list[Line]:
        from tui_backprop.render.panels.form import form_panel

        return form_panel(self._shown, self._snapshot, columns, rows, self.render_context)

    @property
    def _shown(self) -> ShownForm:
        from tui_backprop.render.panels.form import ShownForm

        form, (after, error) = self.form, self.form.described
        return ShownForm(
            texts=form.texts,
            selected=form.field.name,
            active=self.has_focus_within,
            error=error,
            pending=form.after is not None,
            network=(after or form.session).network,
            to_open=bool(to_open(form.texts)),
            opening=self._files.far,
            words=form.words,
            listed=self._listed,
            no_fit=after is not None and lost_weights(form.texts, after),
            lost=0 if after is None or after.update_log else form.session.t,
            kept=0 if after is None else after.t,
            changed="" if after is None else applied_words(form.session, after),
            adapted=tuple(form.adapted) if form.edits else (),
            refused=form.refused,
            choices=form.choices if form.refused else (),
        )

    @property
    def _listed(self) -> tuple[str, ...]:
        """What may be typed into the selected field: files and folders, or parameters."""
        if self.form.field.path:
            return self._paths.candidates(self.form.text)
        return self.form.parameters if self.form.field.parameters else ()

    @property
    def _view(self) -> FormView:
        return self.query_one(FormView)

    @property
    def activity(self) -> Activity | None:
        """The reading of files, while it goes on."""
        return self._files.activity

    def _redraw(self) -> None:
        self._view.redraw()

    def _become(self, form: FormState) -> None:
        """Show another state; files that it does not name are not read any longer."""
        if not same_request(self.form.texts, form.texts):
            self._files.stop()
        self.form = form
        self._view.redraw()

    # --- state down ---------------------------------------------------------------------------------------

    def show(self, session: Session, snapshot: Snapshot | None) -> None:
        """Follow the app's session; unapplied edits remain."""
        before, iteration = self.form, self._snapshot and self._snapshot.iteration
        self._snapshot = snapshot
        after = before.following(session)
        if after.texts != before.texts:
            self._become(after)
            self._fill_editor()
            return
        self.form = after
        if snapshot is not None and snapshot.iteration is not iteration:  # the picture differs
            self._view.redraw()

    def focus_form(self) -> None:
        """Take the focus, at the row that was selected last."""
        self._select(self.form.row)

    def bring(self, name: str, value: str, row: str) -> None:
        """Choose the ``value`` of a field of a dense network, and select the ``row`` that this asks for."""
        self._take_typed()
        self._become(self.form.bringing(name, value, row))
        self._edit_selected()

    # --- keys ---------------------------------------------------------------------------------------------

    @on(Go)
    def _go(self, event: Go) -> None:
        self._select((self.form.row + event.direction) % len(self.form.fields))

    @on(FormView.Pick)
    def _picked(self, event: FormView.Pick) -> None:
        layout = self._shown.layout(*self._view.size)
        if event.y < len(layout) and (field := layout[event.y]):
            self._select(self.form.fields.index(field))

    def _select(self, row: int) -> None:
        """Select a row, after what was typed in the one before is taken."""
        name = self.form.fields[row].name
        self._take_typed()
        self.form = self.form.at(name)
        self._edit_selected()

    def _edit_selected(self) -> None:
        """Give the keys to the selected row: an Input is laid over a text, and choices are turned in the view."""
        if self.form.field.choices:
            self._close_editor()
            self._view.focus()
        else:
            self._open_editor()
        self._view.redraw()

    def _open_editor(self) -> None:
        text = self.form.text
        if self.form.field.path:
            self._paths.look(text, again=True)
        editors = self.query(Editor)
        editor = editors.first() if editors else Editor(compact=True, select_on_focus=False)
        with editor.prevent(Input.Changed):
            editor.value = text
        self._place(editor)
        editor.selection = Selection(len(text), 0)  # typing replaces it; its beginning is shown
        editor.display = True
        if not editors:
            self.mount(editor)
        editor.focus()

    def _place(self, editor: Editor) -> None:
        """Place the editor over the value of the edited row."""
        shown, (columns, rows) = self._shown, self._view.size
        from tui_backprop.render.panels.form import field_columns, value_columns

        fields = field_columns(columns, shown.longest)
        label = self.render_context.text(self.form.field.label)
        wide = value_columns(label, editor.value + " ", fields)  # with a place for the cursor
        editor.styles.width = wide
        editor.styles.offset = (fields - wide, shown.layout(columns, rows).index(self.form.field))

    def on_resize(self) -> None:
        self.call_after_refresh(self._place_all)

    def _place_all(self) -> None:
        for editor in self.query(Editor):
            self._place(editor)

    def _close_editor(self) -> None:
        for editor in self.query(Editor):
            editor.display = False

    @on(FormView.Turn)
    def _turned(self, event: FormView.Turn) -> None:
        self._become(self.form.turned(event.direction))

    @on(FormView.Typed)
    def _typed_on_choice(self, event: FormView.Typed) -> None:
        before = self.form.field
        self._become(self.form.typed(event.text))
        if self.form.field is not before:  # the text goes to a field of its own
            self._edit_selected()
            self._write(self.form.text)

    @on(Complete)
    def _complete(self) -> None:
        """Complete a path as far as it is certain. With that done, go to the next row, unless there is a choice."""
        form = self.form
        longer = self._paths.completed(form.text) if form.field.path else form.text
        if longer != form.text:
            self._write(longer)
        elif not (form.field.path and form.text and len(self._paths.candidates(form.text)) > 1):
            self._select((form.row + 1) % len(form.fields))

    def _write(self, text: str) -> None:
        """Put a text into the editor, with the cursor at its end."""
        editor = self.query_one(Editor)
        editor.value = text
        editor.cursor_position = len(text)

    @on(Input.Changed)
    def _typed(self) -> None:
        self._take_typed()
        self._place_all()

    def _take_typed(self) -> None:
        """Take the text of the Input for its row. (An event may be about the previous row: it arrives after keys that
        were pressed in quick succession.)"""
        field = self.form.field
        for editor in self.query(Editor):
            if editor.display and not field.choices and editor.value != self.form.text:
                self._become(self.form.edited(field.name, editor.value))
                if field.path:
                    self._paths.look(editor.value)

    @on(Input.Submitted)
    @on(FormView.Apply)
    def _apply(self) -> None:
        """Apply what the fields describe; if they name files, open those first."""
        self._take_typed()
        after = self.form.after
        if to_open(self.form.texts):
            if not self._files.far:
                self.form = replace(self.form, unopened=None)
                self._files.start(self.form.texts, self.form.session)
        elif after is not None:
            self.form = self.form.applied(after)
            self._fill_editor()
            self._view.redraw()
            self.post_message(Applied(after))

    @on(Discard)
    async def _discard(self) -> None:
        """Stop reading files; if none is read, revert all edits; if there are none, go back to the walk."""
        if self._files.stop():
            return
        before, self.form = self.form, self.form.reverted()
        if self.form == before:
            await self.run_action("app.panel('walk')")
            return
        self._fill_editor()
        self._view.redraw()

    # --- files --------------------------------------------------------------------------------------------

    def _went_on(self) -> None:
        """Show how far files are read, here and in the bars."""
        self._view.redraw()
        self.post_message(WentOn())

    def _opened(self, asked: Mapping[str, str], found: Opened | UserError) -> None:
        """Take what was in files, or why they cannot be read."""
        self.form = self.form.opened(asked, found)
        self._fill_editor()
        self._view.redraw()

    # --- the editor ---------------------------------------------------------------------------------------

    def _fill_editor(self) -> None:
        """Copy the text of the selected row to the Input, if there is one, without treating that as an edit."""
        field = self.form.field
        if field.name != self.form.selected:  # which is not in sight any longer
            self.form = self.form.at(field.name)
            self._close_editor()
            if self.has_focus_within:
                self._edit_selected()
        for editor in self.query(Editor):
            self._place(editor)
            if not field.choices:
                with editor.prevent(Input.Changed):
                    editor.value = self.form.text

    def on_descendant_focus(self) -> None:
        self._view.redraw()

    def on_descendant_blur(self) -> None:
        self._view.redraw()
