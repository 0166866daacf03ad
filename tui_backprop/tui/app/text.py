"""The text panel's work: generating letters, going to one of them in the walk or the ranking, and changing a weight
that is to blame for it. Letters are generated in a worker, since they may need a replay of the training."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from tui_backprop.data.catalogue import info
from tui_backprop.session import text_changes, transitions
from tui_backprop.session.session_parts import GeneratedText
from tui_backprop.session.state import Session
from tui_backprop.support.errors import reason_of
from tui_backprop.support.format import format_number
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.inspection import look_at
from tui_backprop.tui.app.state import AppState

if TYPE_CHECKING:  # numpy is imported in a worker, after the first paint
    from tui_backprop.engine.training.iteration import Iteration
    from tui_backprop.session.letter_blame import LetterFix

Found = TypeVar("Found")
WORK = "text"  # the worker group
NO_LETTERS = "no letters yet; {generate(1)} generates the next one, {generate(0)} a whole text"
NO_TEXT = "this network takes no text"
# What leads to the next text and to the one before, and why it may lead nowhere.
TURNS: dict[int, tuple[Callable[[Session], Session], str]] = {
    1: (text_changes.next_text, "this text is empty; {generate(1)} generates its first letter"),
    -1: (text_changes.previous_text, "no text before this one"),
}


class TextControl:
    """Generate text, and inspect its letters."""

    def __init__(self, app: AppContext, state: AppState) -> None:
        self._app, self._state = app, state

    @property
    def waits(self) -> bool:
        """True while letters are generated: keys that follow are about them."""
        return self._app.busy(WORK)

    def drop_waiting(self) -> None:
        """Do nothing: the letters come soon."""

    # --- generating ------------------------------------------------------------------------------------------

    def action_generate(self, count: int) -> None:
        """Generate so many letters, 0: all of the rest; after the end of a text, those of the next one."""
        session = self._state.session
        if not session.network.context:
            self._app.say(NO_TEXT)
            return
        if text_changes.is_complete(session):
            session = text_changes.begin_text(session)
        self._app.in_thread(WORK, self._generate, session, count)

    def _generate(self, session: Session, count: int) -> None:
        from tui_backprop.session.letter_blame import generated

        try:
            found = generated(session, count, self._state.replay)
        except Exception as error:  # any error is reported in one line
            self._app.call_from_thread(self._app.fail, f"Could not generate text: {reason_of(error)}")
        else:
            self._app.call_from_thread(self._generated, session, found)

    def _generated(self, session: Session, found: GeneratedText) -> None:
        """Show the letters, unless the state of which they are is no longer there."""
        now = self._state.session
        if (now.training_key, now.update_log) == (session.training_key, session.update_log):
            self._state.go(text_changes.with_shown(now, found))

    def action_new_text(self, direction: int) -> None:
        """Show the next text, or the one before; where there is none, say why."""
        turn, words = TURNS[direction]
        session = self._state.session
        if turn(session) == session:
            self._app.say(self._app.render_context.words(words if session.network.context else NO_TEXT))
        else:
            self._change(turn)

    def action_temperature(self, direction: int) -> None:
        self._change(partial(text_changes.change_temperature, by=direction))

    def action_letter(self, direction: int) -> None:
        self._change(partial(text_changes.move_letter, by=direction), letters=True)

    def action_letter_weight(self, direction: int) -> None:
        """Move the cursor over the weights that are most to blame for the letter."""
        from tui_backprop.session.letter_blame import letter_weights, next_weight

        self._work_out(
            letter_weights, lambda session, weights: self._state.go(next_weight(session, weights, direction))
        )

    def _change(self, change: Callable[[Session], Session], letters: bool = False) -> None:
        """Go to the session that ``change`` returns; where it needs ``letters`` and there are none, say so."""
        if letters and not self._has_letter():
            return
        self._state.move(lambda session, snapshot: change(session))

    def _has_letter(self) -> bool:
        """Return True if a letter is under the cursor; say so if there is none."""
        session = self._state.session
        if not session.text.letter:
            words = NO_LETTERS if session.network.context else NO_TEXT
            self._app.say(self._app.render_context.words(words))
        return bool(session.text.letter)

    # --- from a letter to what made it -----------------------------------------------------------------------

    def action_walk_letter(self) -> None:
        """Walk the text with the loss of the letter alone."""
        self._to_letter("walk")

    def action_blame_letter(self) -> None:
        """Rank the parameters by their blame for the letter."""
        self._to_letter("blame")

    def _to_letter(self, panel: str) -> None:
        if self._has_letter():
            self._change(text_changes.walk_letter)
            self._app.to_panel(panel)

    def action_fix_weight(self, how: str) -> None:
        """Change the weight under the cursor, ``up`` or ``down`` by 0.01, to ``zero``, or just enough to ``flip`` the
        prediction."""
        from tui_backprop.session.letter_blame import letter_fix

        self._work_out(partial(letter_fix, how=how), self._fix)

    def _work_out(
        self, work: Callable[[Session, Iteration], Found], then: Callable[[Session, Found], None]
    ) -> None:
        """Call ``then`` with the session and what the ``work`` finds in the iteration of the letter alone."""
        if self._has_letter():
            self._app.in_thread(WORK, self._in_worker, self._state.session, work, then)

    def _in_worker(
        self,
        session: Session,
        work: Callable[[Session, Iteration], Found],
        then: Callable[[Session, Found], None],
    ) -> None:
        try:
            there = text_changes.walk_letter(session)
            found = work(session, self._state.replay.take(there))
        except Exception as error:
            self._app.call_from_thread(self._app.fail, f"Could not rank the weights: {reason_of(error)}")
        else:
            self._app.call_from_thread(then, session, found)

    def _fix(self, session: Session, fix: LetterFix | None) -> None:
        """Change a weight, and say how probable the letter was; where there is no change to make, say why."""
        from tui_backprop.engine.network.tensor_names import entry_name

        if fix is None:
            return
        place = fix.weight.tensor, fix.weight.index
        if fix.by is None:
            from tui_backprop.render.panels.nudge_table import flips_found

            assert fix.search is not None
            self._app.say(flips_found(fix.search, brief=True, names=info(session.data).token_labels))
        elif not fix.by:
            self._app.say(f"{entry_name(*place)} is 0 already")
        else:
            there = look_at(text_changes.walk_letter(session), *place)
            self._state.go(transitions.edit_parameter(there, *place, fix.by))
            done = "changed just enough to flip" if fix.search else "changed"
            undo = self._app.render_context.key("undo")
            self._app.say(f"{entry_name(*place)} {done}; p was {format_number(fix.p)}, {undo} undoes it")
