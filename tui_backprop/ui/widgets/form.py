"""The network panel: a form over the session, checked while it is typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input, Label, Select

from tui_backprop.engine.spec import NetworkSpec, SpecError
from tui_backprop.memory import check_memory
from tui_backprop.session import Session
from tui_backprop.ui.form import FIELDS, chosen, session_of, texts_of
from tui_backprop.ui.messages import Applied
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.parameters import complaint, parameter_sum
from tui_backprop.ui.renderables.spans import Line, line
from tui_backprop.ui.widgets.canvas import Canvas


class Choice(Select[str], inherit_bindings=False):
    """A list to choose from, one line high: left and right go through it, enter opens it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "show_overlay", show=False),
        Binding("left", "turn(-1)", show=False),
        Binding("right", "turn(1)", show=False),
    ]

    def __init__(self, id: str, choices: Sequence[str], value: str) -> None:
        super().__init__([(c, c) for c in choices], id=id, value=value, allow_blank=False, compact=True)
        self._choices = choices

    def action_turn(self, direction: int) -> None:
        at = self._choices.index(str(self.value)) + direction
        self.value = self._choices[at % len(self._choices)]


class Summary(Canvas):
    """Below the fields: the parameter count and its sum, or what is wrong."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="summary")
        self._glyphs = glyphs
        self._spec: NetworkSpec | None = None
        self._error: SpecError | None = None
        self._pending = False

    def show(self, spec: NetworkSpec, error: SpecError | None, pending: bool) -> None:
        self._spec, self._error, self._pending = spec, error, pending
        self.redraw()

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        if self._spec is None:
            return []
        lines: list[Line] = []
        if self._error is not None:
            lines = [*complaint(self._error, columns), line(("the last good network is still shown", "muted"))]
        elif self._pending:
            lines = [line(("enter", "key"), (" builds this network", "muted"))]
        lines = [*lines, *([()] if lines else []), *parameter_sum(self._spec, columns, max(rows - len(lines) - 1, 3))]
        return [self._glyphs.fit(row) for row in lines]


class NetworkPanel(VerticalScroll, can_focus=False):
    """Fields on top, the sum of parameters below. Says Applied when a good set of values is entered."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(self, session: Session, glyphs: Glyphs) -> None:
        super().__init__(id="network", classes="panel")
        self.border_title = "network"
        self._session = session
        self._glyphs = glyphs
        self._texts = texts_of(session)

    def compose(self) -> ComposeResult:
        for field in FIELDS:
            with Horizontal(classes="field"):
                yield Label(self._glyphs.fit(line(field.label))[0][0], id=f"label-{field.name}", markup=False)
                value = self._texts[field.name]
                if field.choices:
                    yield Choice(f"field-{field.name}", field.choices, value)
                else:
                    yield Input(value, id=f"field-{field.name}", compact=True, select_on_focus=False)
        yield Summary(self._glyphs)

    def on_mount(self) -> None:
        self._check()

    def show(self, session: Session) -> None:
        """Follow the app's session, unless something is being edited that is not applied yet."""
        if session == self._session:
            return
        pending = self._texts != texts_of(self._session)
        self._session = session
        if not pending:
            self._write(texts_of(session))

    def focus_first(self) -> None:
        self.query_one("#field-layers").focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._texts[self._field(event.input)] = event.value
        self._check()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        self._apply()

    @on(Select.Changed)
    def _picked(self, event: Select.Changed) -> None:
        name = self._field(event.select)
        if self._texts[name] == event.value:
            return
        try:
            self._write(chosen(name, str(event.value), self._texts, self._session))
        except SpecError:
            self._texts[name] = str(event.value)
        self._apply()

    def _field(self, widget: Input | Select[str]) -> str:
        return (widget.id or "").removeprefix("field-")

    def _write(self, texts: dict[str, str]) -> None:
        """Set the fields, without taking that for an edit."""
        self._texts = dict(texts)
        with self.prevent(Input.Changed, Select.Changed):
            for name, text in texts.items():
                widget = self.query_one(f"#field-{name}")
                if isinstance(widget, Input | Choice) and widget.value != text:
                    widget.value = text
        self._check()

    def _check(self) -> Session | None:
        """Look at all fields; mark the one that is wrong. The session that they make, if they make one."""
        after, error = None, None
        try:
            after = session_of(self._texts, self._session)
            check_memory(after.network, after.batch)
        except SpecError as wrong:
            after, error = None, wrong
        for field in FIELDS:
            self.query_one(f"#label-{field.name}").set_class(error is not None and error.field == field.name, "wrong")
        network = after.network if after is not None else self._session.network
        self.query_one(Summary).show(network, error, after is not None and after != self._session)
        return after

    def _apply(self) -> None:
        after = self._check()
        if after is not None and after != self._session:
            self._session = after
            self._write(texts_of(after))
            self.post_message(Applied(after))
