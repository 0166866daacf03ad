"""The text panel: the generated letters with their probabilities, and for the one under the cursor the letters and
the weights that are to blame."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.data.catalogue import info
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, Span, flowing, line, option, plain, width, wrap
from tui_backprop.render.panels.edits import edit_lines
from tui_backprop.render.panels.letters import letter_lines, prediction_words
from tui_backprop.session.letter_blame import LetterFindings, chosen_weight
from tui_backprop.session.session_parts import TEMPERATURES
from tui_backprop.session.state import Session
from tui_backprop.session.text_changes import is_complete
from tui_backprop.session.update_log import EDIT_STEP
from tui_backprop.support.format import format_number

CELL, LABEL = 5, 5  # columns of a letter, and of what is before the first one
NO_TEXT = "This network takes no text. Choose the preset microgpt in the network panel ({panel('network')})."
UNTRAINED = "Every letter is about as likely at first: train the network before ({panel('train')})."
BEGIN = (
    "{generate(1)} generates a letter, {generate(0)} a whole text; then choose a letter, to see what made it."
)
ENDLESS = 10**6  # columns
ROOMY_ROWS = 30  # rows of the panel, from which a long text has several lines
SPARE_ROWS = 16  # rows of the panel, from which parts are set apart by a blank


def text_panel(
    session: Session, found: LetterFindings | None, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """At most ``rows`` lines: temperature and text, each letter with its probability; what is predicted in place of
    the one under the cursor, which letters and which weights are to blame, and how the edits changed it."""
    if not session.network.context:
        return wrap(context.words(NO_TEXT), columns, "muted")[:rows]
    gap: list[Line] = [()] if rows >= SPARE_ROWS else []
    head = [temperature_line(session, columns), *gap]
    if not session.text.letter:
        return [*head, *start_lines(session, columns, context)][:rows]
    head += [*text_lines(session, found, columns, rows, context), *gap]
    if found is None:
        return [*head, line((context.text("computing …"), "muted"))][:rows]
    words = [context.text(prediction_words(found.blame, most)) for most in (3, 2)]
    head += wrap(next((each for each in words if len(each) <= columns), words[0]), columns, "text")
    head += change_lines(session, found, columns, context)
    weights = weights_lines(session, found, columns, context, chosen_alone=not gap)
    weights += chosen_lines(session, found, columns, context)
    room = rows - len(head) - len(weights) - 2 * len(gap)
    letters = letter_lines(found.blame, columns, max(room, 0), context)
    return [*head, *gap, *letters, *gap, *weights][:rows]


def temperature_line(session: Session, columns: int) -> Line:
    """The number of the text, and the temperatures, the chosen one in brackets."""
    text = session.text
    name: Span = (f"text {text.series + 1}   ", "muted")
    options = [option(f"{each:g}", each == text.temperature) for each in TEMPERATURES]
    whole = line(name, ("temperature ", "muted"), *options)
    return whole if width(whole) <= columns else line(name, (f"temperature {text.temperature:g}", "muted"))


def start_lines(session: Session, columns: int, context: RenderContext) -> list[Line]:
    """Say how to begin."""
    lines = wrap(context.words(BEGIN), columns, "text")
    return lines if session.t else [*wrap(context.words(UNTRAINED), columns, "muted"), *lines]


def text_lines(
    session: Session, found: LetterFindings | None, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """The letters side by side, the one under the cursor marked, and below each its probability: now, and before the
    edits. Where there is room in a panel of so many ``rows``, all of them; otherwise those around the cursor."""
    about, text = info(session.data), session.text
    letters = [about.token_labels[about.characters.index(character)] for character in text.characters]
    letters += [about.token_labels[-1]] if text.ended else []
    goes_on = not is_complete(session)
    fitting = max((columns - LABEL) // CELL, 2)
    count = len(letters) + goes_on
    if count > fitting and rows < ROOMY_ROWS:
        fitting -= 1  # for the sign that there are more
        first = max(min(text.letter - 1 - fitting // 2, len(letters) - fitting), 0)
        parts = [range(first, min(first + fitting, len(letters)))]
    else:
        parts = [range(i, min(i + fitting, len(letters))) for i in range(0, count, fitting)]
    known = found is not None and found.passage.characters == text.characters
    chances = [("p", found.p, "forward"), ("was", found.before, "muted")] if known and found else []
    lines: list[Line] = []
    for shown in parts:
        before = context.text("…") if shown.start and shown == parts[0] else ""
        spans: list[Span] = [(f"{before:<{LABEL - 1}}", "muted")]
        for i in shown:
            name = context.text(letters[i])[: CELL - 2]
            mark = (f"[{name}]", "cursor") if i + 1 == text.letter else (f" {name} ", "strong")
            spans += [(" " * (CELL - len(mark[0])), "text"), mark]
        if shown == parts[-1] and (shown.stop < len(letters) or goes_on):
            spans.append((context.text(" …"), "muted"))
        lines += [line(*spans), *(_row(label, p, shown, role) for label, p, role in chances if p is not None)]
    return lines


def _row(label: str, p: Sequence[float], shown: range, role: str) -> Line:
    cells = "".join(f"{percent(p[i]) if i < len(p) else '':>{CELL - 1}} " for i in shown)
    return line((f"{label:<{LABEL}}", "muted"), (cells.rstrip(), role))


def percent(p: float) -> str:
    """A probability in four columns: 12%, 3.4%, 0.1%."""
    return f"{p:.0%}" if p >= 0.0995 else f"{p:.1%}"


def change_lines(session: Session, found: LetterFindings, columns: int, context: RenderContext) -> list[Line]:
    """Say how the edits changed the probability of the letter."""
    position = found.passage.position
    if found.before is None or position >= len(found.before):
        return []
    was, now = (format_number(p[position]) for p in (found.before, found.p))
    change = line(("p of this letter ", "muted"), (f"{was} {context.on} {now}", "update"))
    edited = [
        row
        for each in edit_lines(session, ENDLESS, context)
        for row in wrap(context.text(plain(each)), columns, "update")
    ]
    return flowing([*edited, change], columns)


def weights_lines(
    session: Session, found: LetterFindings, columns: int, context: RenderContext, chosen_alone: bool = False
) -> list[Line]:
    """The gradients of the weights that are most to blame, the chosen one marked, or of that alone."""
    chosen = chosen_weight(session, found.weights)
    pieces = [line(("weight gradients", "muted"))]
    for weight in (each for each in found.weights if each == chosen or not chosen_alone):
        name = context.text(entry_name(weight.tensor, weight.index))
        gradient = context.text(format_number(weight.gradient, 2, sign=True))
        mark = (f"[{name}]", "cursor") if weight == chosen else (f" {name} ", "text")
        pieces.append(line(mark, " ", (gradient, "backward")))
    return flowing(pieces, columns, 1) if len(pieces) > 1 else []


def chosen_lines(session: Session, found: LetterFindings, columns: int, context: RenderContext) -> list[Line]:
    """The value of the chosen weight, and what ``EDIT_STEP`` more changes in the probability of the letter: as
    L = −ln p, dp = −p dL."""
    weight, position = chosen_weight(session, found.weights), found.passage.position
    if weight is None or position >= len(found.p):
        return []
    change = format_number(-found.p[position] * weight.gradient * EDIT_STEP, 2, sign=True)
    words = f"{entry_name(weight.tensor, weight.index)} = {format_number(weight.value)}: "
    words += f"+{EDIT_STEP:g} changes p of this letter by {change} to first order"
    return wrap(context.text(words), columns, "text")
