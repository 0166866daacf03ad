"""The state of the network form while it is edited: one frozen value, and what keys turn it into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from tui_backprop.engine.frontends.dense.spec import FRONTEND, NetworkSpec
from tui_backprop.engine.frontends.dense.start import shapes_of, written
from tui_backprop.engine.training.memory import check_memory
from tui_backprop.session.form_fields import BY_NAME, CUSTOM, FIELDS, FILE, Field, fields_in_sight
from tui_backprop.session.form_files import ROWS, Opened, same_request, to_open
from tui_backprop.session.form_texts import texts_of
from tui_backprop.session.network_form import choices_of, chosen, session_of
from tui_backprop.session.state import Session
from tui_backprop.support.errors import UserError

VIEW = ("more",)  # what is in sight: it is not reverted
KEPT = (
    *VIEW,
    "file",
    "target",
    "scale",
    "weights-file",
    "text-file",
)  # what is kept when the rest is applied
FILLED = (*ROWS, "set")  # fields that an opened file fills


@dataclass(frozen=True)
class FormState:
    """The ``session`` that is edited, and the ``edits``: fields whose texts differ from it. On the ``selected``
    field, ``beginning`` is that of a choice as it was typed; ``refused`` was typed there and begins none."""

    session: Session
    edits: Mapping[str, str] = field(default_factory=dict)
    selected: str = FIELDS[0].name
    beginning: str = ""
    refused: str = ""
    adapted: Mapping[str, tuple[str, str]] = field(
        default_factory=dict
    )  # by the last choice of data: from, to
    words: tuple[str, ...] = ()  # what was found in the files that were opened last
    unopened: UserError | None = None  # why the files that are named cannot be opened

    # --- what it shows ------------------------------------------------------------------------------------

    @cached_property
    def said(self) -> dict[str, str]:
        """The text of each field for the session."""
        return texts_of(self.session)

    @cached_property
    def texts(self) -> dict[str, str]:
        """The text of each field: from the session, or as edited and not yet applied."""
        return {**self.said, **self.edits}

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields in sight."""
        return fields_in_sight(self.texts)

    @property
    def row(self) -> int:
        """The row of the selected field; if that is not in sight any longer, of the last one before it that is."""
        names, shown = [each.name for each in FIELDS], [each.name for each in self.fields]
        before = names[: names.index(self.selected) + 1]
        return max(shown.index(name) for name in before if name in shown)

    @property
    def field(self) -> Field:
        """The selected field."""
        return self.fields[self.row]

    @property
    def text(self) -> str:
        """The text of the selected field."""
        return self.texts[self.field.name]

    @property
    def choices(self) -> tuple[str, ...]:
        """The choices of the selected field; a text has none."""
        return choices_of(self.field, self.said[self.field.name], self.text) if self.field.choices else ()

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the network that the fields describe, with their shapes: W1 2×3."""
        after, _ = self.described
        network = (after or self.session).network.healthy
        if not isinstance(network, NetworkSpec):
            return ()
        return tuple(f"{name} {written(shape)}" for name, shape in shapes_of(network))

    @cached_property
    def described(self) -> tuple[Session | None, UserError | None]:
        """The session that the fields describe; None where there is an error, or a file is to be opened first."""
        if self.unopened or to_open(self.texts):
            return None, self.unopened
        try:
            after = session_of(self.texts, self.session)
            check_memory(after.network, after.batch, after.optimizer)
        except UserError as wrong:
            return None, wrong
        return after, None

    @property
    def after(self) -> Session | None:
        """The session that enter applies; None if there is none, or it is the one there is."""
        after, _ = self.described
        return None if after == self.session else after

    # --- what it becomes ----------------------------------------------------------------------------------

    def following(self, session: Session) -> FormState:
        """Return the form of another session; edits remain."""
        return self if session is self.session else self._about_files(replace(self, session=session))

    def at(self, name: str) -> FormState:
        """Return the form with another field selected."""
        return replace(self, selected=name, beginning="", refused="")

    def edited(self, name: str, text: str) -> FormState:
        """Return the form after an edit of a field."""
        return self._after(name, text, self.texts)

    def turned(self, direction: int) -> FormState:
        """Return the form after a step to the next choice of the selected field, or to the one before."""
        others = self._choices_from(direction)
        return replace(self.edited(self.field.name, others[0]), beginning="", refused="") if others else self

    def typed(self, text: str) -> FormState:
        """Return the form with the choice that begins with what was typed so far. What begins none goes to the field
        for texts, if there is one. A letter typed again, or after a whole value, begins anew."""
        field = self.field
        whole = self.beginning.lower() == self.text and not field.typed
        anew = whole or self.beginning in ("", text)
        begin = text if anew else self.beginning + text
        order = [*([] if anew else [self.text]), *self._choices_from(1)]
        found = next((value for value in order if value.lower().startswith(begin.lower())), None)
        if found is not None:
            return replace(self.edited(field.name, found), beginning=begin, refused="")
        if field.typed:
            return self.bringing(field.name, FILE, field.typed).edited(field.typed, begin)
        return replace(self, refused=begin)

    def bringing(self, name: str, value: str, row: str) -> FormState:
        """Return the form of a dense network with a ``value`` chosen in a field, and the ``row`` selected that this
        asks for."""
        other = {} if self.texts["kind"] == FRONTEND else {"kind": FRONTEND, "preset": CUSTOM}
        return self._after(name, value, {**self.texts, **other}).at(row)

    def opened(self, asked: Mapping[str, str], found: Opened | UserError) -> FormState:
        """Return the form with what was in the files that the texts ``asked`` for, or why there is nothing."""
        if isinstance(found, UserError):
            return replace(self, unopened=found)
        changes = {name: text for name, text in found.texts.items() if text != asked[name]}
        texts = {**self.texts, **changes}
        return replace(self._with(texts), adapted=_changed("", asked, texts), words=found.words)

    def reverted(self) -> FormState:
        """Return the form without its edits."""
        return self._about_files(
            replace(self._with_edits(lambda name: name in VIEW), beginning="", refused="")
        )

    def applied(self, after: Session) -> FormState:
        """Return the form after ``after`` was applied; the paths of files are kept for the next time."""
        return replace(self._with_edits(lambda name: name in KEPT), session=after)

    # --- how ----------------------------------------------------------------------------------------------

    def _choices_from(self, direction: int) -> tuple[str, ...]:
        """Return the choices of the row after the current one (or before it), and round to it."""
        if not self.choices:
            return ()
        choices = self.choices[::direction]
        after = choices.index(self.text) + 1
        return (*choices[after:], *choices[:after])

    def _after(self, name: str, value: str, texts: Mapping[str, str]) -> FormState:
        """Return the form after an edit. What the last choice of data changed is first taken back by another one."""
        again = BY_NAME[name].adapts
        back = {each: old for each, (old, new) in self.adapted.items() if again and texts[each] == new}
        before = {**texts, **back}
        try:
            after = chosen(name, value, before)
        except UserError:  # another field is invalid: change this one alone
            return self._with({**texts, name: value})
        return replace(self._with(after), adapted=_changed(name, before, after) if again else self.adapted)

    def _with(self, texts: Mapping[str, str]) -> FormState:
        """Return the form with other texts; those that differ from the session are edits."""
        edits = {name: text for name, text in texts.items() if text != self.said[name]}
        return self._about_files(replace(self, edits=edits))

    def _with_edits(self, keep: Callable[[str], bool]) -> FormState:
        return replace(
            self, edits={name: text for name, text in self.edits.items() if keep(name)}, adapted={}
        )

    def _about_files(self, after: FormState) -> FormState:
        """Return another state, without what is known of the files that this one names if that names others."""
        return after if same_request(self.texts, after.texts) else replace(after, words=(), unopened=None)


def _changed(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the fields that differ from before, besides the one that was edited and those that files fill."""
    return {
        each: (before[each], text)
        for each, text in after.items()
        if text != before[each] and each in BY_NAME and each not in (name, *FILLED)
    }
