"""The network panel: a form that edits the session, and is validated as it is typed.

All rows are drawn by one view. A row with choices handles its keys there; a text row has a Textual Input laid over
its value while it is selected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input
from textual.widgets.input import Selection

from tui_backprop.engine.training.memory import check_memory
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.network_form import (
    FIELDS,
    Field,
    adapted,
    choices_of,
    chosen,
    fields_of,
    session_of,
    texts_of,
)
from tui_backprop.session.setting_changes import applied_words
from tui_backprop.session.state import Session
from tui_backprop.support.errors import UserError
from tui_backprop.tui.messages import Applied
from tui_backprop.tui.widgets.form_rows import Discard, Editor, FormView, Go
from tui_backprop.tui.widgets.frame import Frame

if TYPE_CHECKING:  # imported when the form is drawn: at the start it is out of sight
    from tui_backprop.render.panels.form import ShownForm


class NetworkPanel(Frame):
    """Shows the fields, and below them the parameter count. Posts Applied when a valid set of values is entered."""

    def __init__(self, session: Session, context: RenderContext) -> None:
        super().__init__("network", "network")
        self._session = session
        self.render_context = context
        self._edits: dict[str, str] = {}  # fields whose text differs from the session
        self._adapted: tuple[str, ...] = ()  # fields that the last choice of data changed, too
        self._selected = fields_of(texts_of(session))[1].name  # after the preset
        self._beginning = ""  # on a field with choices: the beginning of one
        self._refused = ""  # what was typed there and begins none
        self._error: UserError | None = None
        self._snapshot: Snapshot | None = None

    def compose(self) -> ComposeResult:
        yield FormView(self._drawn, self.render_context)

    def _drawn(self, columns: int, rows: int) -> list[Line]:
        from tui_backprop.render.panels.form import form_panel

        return form_panel(self._form, self._snapshot, columns, rows, self.render_context)

    @property
    def _form(self) -> ShownForm:
        from tui_backprop.render.panels.form import ShownForm

        after = self._read()
        return ShownForm(
            texts=self._texts,
            selected=self._field.name,
            active=self.has_focus_within,
            error=self._error,
            pending=after is not None and after != self._session,
            network=(after or self._session).network,
            lost=0 if after is None or after.update_log else self._session.t,
            kept=0 if after is None else after.t,
            changed="" if after is None else applied_words(self._session, after),
            adapted=self._adapted if self._edits else (),
            refused=self._refused,
            choices=tuple(choices_of(self._field, self._session)) if self._refused else (),
        )

    @property
    def _texts(self) -> dict[str, str]:
        """The text of each field: from the session, or as edited and not yet applied."""
        return texts_of(self._session) | self._edits

    @property
    def _fields(self) -> tuple[Field, ...]:
        """The fields that apply."""
        return fields_of(self._texts)

    @property
    def _row(self) -> int:
        """The row of the selected field; if that does not apply any longer, of the last one before it that does."""
        names, shown = [field.name for field in FIELDS], [field.name for field in self._fields]
        before = names[: names.index(self._selected) + 1]
        return max(shown.index(name) for name in before if name in shown)

    @property
    def _field(self) -> Field:
        """The selected field."""
        return self._fields[self._row]

    @property
    def _view(self) -> FormView:
        return self.query_one(FormView)

    # --- state down ---------------------------------------------------------------------------------------

    def show(self, session: Session, snapshot: Snapshot | None) -> None:
        """Follow the app's session; unapplied edits remain."""
        before, iteration = self._texts, self._snapshot and self._snapshot.iteration
        self._session, self._snapshot = session, snapshot
        if self._texts != before:
            self._fill_editor()
            self._view.redraw()
        elif snapshot is not None and snapshot.iteration is not iteration:  # the picture differs
            self._view.redraw()

    def focus_form(self) -> None:
        """Take the focus, at the row that was selected last."""
        self._select(self._row)

    # --- keys ---------------------------------------------------------------------------------------------

    @on(Go)
    def _go(self, event: Go) -> None:
        self._select((self._row + event.direction) % len(self._fields))

    @on(FormView.Pick)
    def _picked(self, event: FormView.Pick) -> None:
        seen = self._form.seen(*self._view.size)
        if event.y < len(seen):
            self._select(seen[event.y])

    def _select(self, row: int) -> None:
        """Select a row: an Input is laid over a text; on a row with choices, the view takes the focus."""
        self._take_typed()
        self._beginning = self._refused = ""
        field = self._fields[row]
        self._selected = field.name
        if field.choices:
            self._close_editor()
            self._view.focus()
        else:
            self._open_editor(field.name)
        self._view.redraw()

    def _open_editor(self, name: str) -> None:
        text = self._texts[name]
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
        columns, rows = self._view.size
        from tui_backprop.render.panels.form import field_columns, value_columns

        fields = field_columns(columns, self._form.longest)
        label = self.render_context.text(self._field.label)
        wide = value_columns(label, editor.value + " ", fields)  # with a place for the cursor
        editor.styles.width = wide
        editor.styles.offset = (fields - wide, self._row - self._form.seen(columns, rows).start)

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
        self._beginning = self._refused = ""
        following = self._following(event.direction)
        if following:
            self._choose(following[0])

    @on(FormView.Typed)
    def _typed_on_choice(self, event: FormView.Typed) -> None:
        """Choose the value that begins with what was typed so far, or say that none does. A letter typed again, or
        after a whole value, begins anew."""
        letter, current = event.character.lower(), self._texts[self._field.name]
        anew = self._beginning in ("", letter, current)
        begin = letter if anew else self._beginning + letter
        order = self._following(1) if anew else (current, *self._following(1))
        found = next((value for value in order if value.lower().startswith(begin)), None)
        self._refused = begin if found is None else ""
        if found is not None:
            self._beginning = begin
            self._choose(found)
        self._view.redraw()

    def _following(self, direction: int) -> Sequence[str]:
        """Return the choices of the row after the current one (or before it), and round to it; a text has none."""
        field = self._field
        if not field.choices:
            return ()
        choices = choices_of(field, self._session)[::direction]
        after = choices.index(self._texts[field.name]) + 1
        return (*choices[after:], *choices[:after])

    def _choose(self, value: str) -> None:
        name = self._field.name
        try:
            texts = chosen(name, value, self._texts, self._session)
            if self._field.adapts:
                self._adapted = adapted(name, self._texts, texts)
        except UserError:  # another field is invalid: change this one alone
            texts = {**self._texts, name: value}
        self._edit(texts)

    @on(Input.Changed)
    def _typed(self) -> None:
        self._take_typed()
        self._place_all()

    def _take_typed(self) -> None:
        """Take the text of the Input for its row. (An event may be about the previous row: it arrives after keys that
        were pressed in quick succession.)"""
        field = self._field
        for editor in self.query(Editor):
            if editor.display and not field.choices:
                self._edit({**self._texts, field.name: editor.value})

    @on(Input.Submitted)
    @on(FormView.Apply)
    def _apply(self) -> None:
        after = self._read()
        if after is not None and after != self._session:
            self._session, self._edits = after, {}
            self._fill_editor()
            self._view.redraw()
            self.post_message(Applied(after))

    @on(Discard)
    def _discard(self) -> None:
        self._edits, self._beginning, self._refused = {}, "", ""
        self._fill_editor()
        self._view.redraw()

    # --- the form's own state -----------------------------------------------------------------------------

    def _edit(self, texts: dict[str, str]) -> None:
        """Keep the texts that differ from the session."""
        said = texts_of(self._session)
        self._edits = {name: text for name, text in texts.items() if text != said[name]}
        self._view.redraw()

    def _fill_editor(self) -> None:
        """Copy the text of the selected row to the Input, if there is one, without treating that as an edit."""
        field = self._field
        if field.name != self._selected:  # which does not apply any longer
            self._selected = field.name
            self._close_editor()
            if self.has_focus_within:
                self._select(self._row)
        for editor in self.query(Editor):
            self._place(editor)
            if not field.choices:
                with editor.prevent(Input.Changed):
                    editor.value = self._texts[field.name]

    def _read(self) -> Session | None:
        """Return the session that the fields describe, or None, and store the error."""
        self._error = None
        try:
            after = session_of(self._texts, self._session)
            check_memory(after.network, after.batch, after.optimizer)
        except UserError as wrong:
            self._error = wrong
            return None
        return after

    def on_descendant_focus(self) -> None:
        self._view.redraw()

    def on_descendant_blur(self) -> None:
        self._view.redraw()
