"""The search for a bug: what is chosen, what was said of it, hints, and what is told at the end."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.engine.mutants.table import MUTANTS
from tui_backprop.lesson.bug_hunt import hints, summary, verdict
from tui_backprop.lesson.hunting import Hunting
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, plain, wrap

ABOUT = "One rule of this backward pass is wrong, in one {part}. The session is not saved and has no token."
GIVE_UP = "Give up? x again shows the bug."
LABEL_COLUMNS = 8
MARK_COLUMNS = 4  # beside a kind: the mark of the one chosen, and blanks


def hunt_lines(hunting: Hunting, columns: int, context: RenderContext) -> list[Line]:
    """Draw the search for a bug."""
    hunt = hunting.hunt
    about = ABOUT.format(part=hunt.bug.session.network.part)
    said = verdict(hunt)
    lines = [line((f"bug {hunt.seed}", "title"), (f"  {_network(hunting)}", "muted")), ()]
    lines += (
        wrap(context.text(said), columns, "good" if hunt.found else "bad") if said else wrap(about, columns)
    )
    if hunt.found:
        block, kind = hunt.named[-1]
        named = f"You named {hunt.bug.title(block)}: the gradient {MUTANTS[kind].about}."
        lines += [(), *wrap(context.text(named), columns)]
    elif hunt.gave_up:
        lines += [(), *wrap(f"There, the gradient {MUTANTS[hunt.bug.kind].about}.", columns, "strong")]
    elif hunting.asks:
        lines += wrap(GIVE_UP, columns, "strong")
    for text in hints(hunt):
        lines += wrap(context.text(text), columns, "strong")
    if said or hunt.hints or hunt.instruments:
        lines += wrap(context.text(summary(hunt)), columns, "muted")
    return lines if hunt.over else [*lines, (), *_choices(hunting, columns, context)]


def chosen_line(lines: Sequence[Line]) -> int:
    """Return the index of the line of the kind that is chosen; 0 if there is none."""
    return max((i for i, row in enumerate(lines) if any(role == "cursor" for _, role in row)), default=0)


def hunt_keys(hunting: Hunting) -> tuple[str, ...]:
    """Name the keys that work, in the order of their importance."""
    if hunting.hunt.over:
        return ("n next bug", "x leaves", "esc closes")
    return ("enter names it", "c check", "i hint", "x gives up", "? help", "esc to walk")


def _network(hunting: Hunting) -> str:
    session = hunting.hunt.bug.session
    what = "·".join(map(str, session.network.layers)) or session.network.title
    samples = "1 sample" if session.batch == 1 else f"{session.batch} samples"
    return f"{what} on {session.data}, {samples}"


def _choices(hunting: Hunting, columns: int, context: RenderContext) -> list[Line]:
    """Draw the blocks in a line and the kinds below each other, with what is chosen."""
    bug = hunting.hunt.bug
    part = bug.session.network.part
    titles = [(k, bug.title(k).removeprefix(f"{part} ")) for k in range(1, hunting.blocks + 1)]
    blocks = [(f" {title} ", "cursor" if k == hunting.block else "text") for k, title in titles]
    lines = [line((f"{part:<{LABEL_COLUMNS}}", "muted"), *blocks, ("  ← →", "key")), ()]
    for i, name in enumerate(hunting.kinds):
        chosen = i == hunting.kind
        label = "kind" if i == 0 else "↑ ↓" if i == 1 else ""
        about = wrap(context.text(MUTANTS[name].about), columns - LABEL_COLUMNS - MARK_COLUMNS)
        for n, row in enumerate(about):
            mark = "▸" if chosen and n == 0 else ""
            lines.append(
                line(
                    (f"{context.text(label) if n == 0 else '':<{LABEL_COLUMNS}}", "key" if i else "muted"),
                    (f" {context.text(mark):<2}{plain(row)} ", "cursor" if chosen else "text"),
                )
            )
    return lines
