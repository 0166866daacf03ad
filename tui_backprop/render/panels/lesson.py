"""The strip of the lesson: one step of a chapter in a few rows, its action, how the learner stands, and the keys of
the lesson. A narrow and high one stands beside the app, with all that is said on one page, and the chapter's steps
where there is room."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tui_backprop.keys.table import panel_key
from tui_backprop.lesson.attempt import Attempt, Place, Status, beside
from tui_backprop.lesson.chapter import Chapter, Kind
from tui_backprop.lesson.progress import Progress
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, Span, cut, flowing, line, pad, plain, width, wrap
from tui_backprop.session.state import Session

NARROW = 56  # columns below which titles and keys take lines of their own
INDENT = "    "  # of formulas and code
GOOD = ("done", "already so")
Text = tuple[Kind, str]  # a paragraph
OTHER = "This is about another network; {chapters} leads back to it."
MARKS = {"done": "●", "skipped": "◇", "open": "○"}  # before the steps of the chapter


@dataclass(frozen=True)
class LessonView:
    """What the strip shows of a step: ``number`` as in 3.2; the ``titles`` of all steps of the chapter, each with how
    it stands (a key of MARKS), and which of them this is, from 0. ``text`` has its paragraphs with figures,
    ``action`` what to do, with {action} for the key of an action. ``note`` says what else is to be known. ``onward``
    is where the key for the next step leads, "" if this is the last one of all; ``panel`` is the one that has the
    keys."""

    number: str
    chapter: str
    titles: tuple[tuple[str, str], ...]
    at: int
    text: tuple[Text, ...]
    action: str
    status: Status
    note: str = ""
    onward: str = "next"
    panel: str = "walk"


def view_of(
    attempt: Attempt, progress: Progress, text: tuple[Text, ...], action: str, now: Session
) -> LessonView:
    """Return the view of a step, with its figures in ``text`` and ``action``, in the session ``now``."""
    place = attempt.place
    return LessonView(
        number=place.number,
        chapter=place.chapter.title,
        titles=titles_of(place.chapter, progress),
        at=place.index,
        text=text,
        action=action,
        status=attempt.status(progress),
        note="" if attempt.about(now) else OTHER,
        onward=_onward(place),
        panel=now.panel,
    )


def _onward(place: Place) -> str:
    """Name what comes after a step: the next one, the next chapter, or nothing."""
    after = beside(place, 1)
    if after is None:
        return ""
    return "next" if after.chapter == place.chapter else "next chapter"


def titles_of(chapter: Chapter, progress: Progress) -> tuple[tuple[str, str], ...]:
    """Return the titles of the steps of a chapter, each with how it stands."""

    def standing(step: str) -> str:
        return "done" if step in progress.done else "skipped" if step in progress.skipped else "open"

    return tuple(
        (step.title, standing(name)) for step, name in zip(chapter.steps, chapter.ids(), strict=True)
    )


@dataclass(frozen=True)
class Parts:
    """The rows of a strip from the top: its head, its pages of text, one of which is shown, what to do, and the
    foot."""

    head: Sequence[Line]
    pages: Sequence[Sequence[Line]]
    action: Sequence[Line]
    foot: Sequence[Line]


def page_count(view: LessonView, columns: int, rows: int, context: RenderContext) -> int:
    """Count the pages that the text of a step has in so many columns and rows."""
    return len(_parts(view, 0, columns, rows, context).pages)


def lesson_lines(view: LessonView, page: int, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """Draw one page of a step in so many columns and rows, the foot in the last ones."""
    parts = _parts(view, page, columns, rows, context)
    room = rows - len(parts.head) - len(parts.action) - len(parts.foot)
    text = parts.pages[min(page, len(parts.pages) - 1)]
    gap = 1 if room > len(text) and parts.action else 0
    left = room - len(text) - gap
    outline = _outline(view, _inner(columns), left, context)
    body = [*text, *[()] * gap, *parts.action, *outline, *[()] * (left - len(outline))]
    margin = " " * ((columns - _inner(columns)) // 2)
    every = [*parts.head, *body, *parts.foot]
    return [context.fit(line(margin, *row)) if row else () for row in every][:rows]


def _inner(columns: int) -> int:
    """Columns without the margins."""
    return columns - 2 * (1 if columns >= NARROW else 2)


def _parts(view: LessonView, page: int, columns: int, rows: int, context: RenderContext) -> Parts:
    narrow, columns = columns < NARROW, _inner(columns)
    head, action = _head(view, columns, context), _action(view, columns, context)
    foot = _keys(view, False, columns, context)
    if narrow:
        action = [*action, *([()] if action else []), _status(view, 0, 1)]
        foot = [*foot, ()]
    if len(head) + len(action) + len(foot) >= rows:  # on the smallest screens
        action = _action(replace(view, note=""), columns, context)
    pages = _pages(_text(view, columns, context), max(rows - len(head) - len(action) - len(foot), 1))
    if not narrow:
        keys = _keys(view, page < len(pages) - 1, columns, context)[0]
        foot = [_apart(_status(view, page, len(pages)), keys, columns)]
    return Parts(head, pages, action, foot)


def _pages(paragraphs: Sequence[Sequence[Line]], rows: int) -> list[list[Line]]:
    """Distribute paragraphs over pages of so many rows; with blank lines between them, unless that takes more pages
    or leaves less on the first one."""
    layouts = [_distributed(paragraphs, rows, gap) for gap in (1, 0)]
    return min(layouts, key=lambda pages: (len(pages), -sum(map(bool, pages[0]))))


def _distributed(paragraphs: Sequence[Sequence[Line]], rows: int, gap: int) -> list[list[Line]]:
    pages: list[list[Line]] = [[]]
    for paragraph in paragraphs:
        blank: list[Line] = [()] * (gap if pages[-1] else 0)
        if len(pages[-1]) + len(blank) + len(paragraph) <= rows:
            pages[-1] += [*blank, *paragraph]
            continue
        starts = range(0, len(paragraph), rows)
        pages += [list(paragraph[start : start + rows]) for start in starts]
    return [page for page in pages if page] or [[]]


def _head(view: LessonView, columns: int, context: RenderContext) -> list[Line]:
    """The number and title of the step, and the chapter that it belongs to."""
    title = context.text(view.titles[view.at][0])
    count = f"step {view.at + 1} of {len(view.titles)}"
    chapter = f"{view.chapter}, {count}"
    if columns >= NARROW:
        name = line((f"{view.number} ", "mark"), (title, "title"))
        rest = columns - width(name) - 3
        said = chapter if len(chapter) <= rest else count
        rule = "─" * (
            columns - width(name) - len(said) - 2
        )  # sets the strip apart where it has no background
        return [line(*name, (f" {rule} ", "faint"), (said, "muted"))]
    titled = wrap(f"{view.number} {title}", columns, "title")
    return [(), *wrap(context.text(chapter), columns, "muted"), (), *titled, ()]


def _text(view: LessonView, columns: int, context: RenderContext) -> list[list[Line]]:
    """The rows of each paragraph."""
    return [_paragraph(kind, text, columns, context) for kind, text in view.text]


def _paragraph(kind: Kind, text: str, columns: int, context: RenderContext) -> list[Line]:
    if kind == "words":
        return keyed(text, columns, context)
    lines = [context.text(each) for each in text.split("\n")]
    indent = INDENT if max(map(len, lines)) + len(INDENT) <= columns else ""
    return [line((row, "strong")) for each in lines for row in _broken(f"{indent}{each}", columns)]


def _broken(text: str, columns: int) -> list[str]:
    """Break a line of a formula or of code at blanks, if it is too wide; it goes on further to the right."""
    if len(text) <= columns:
        return [text.rstrip()]
    lead = text[: len(text) - len(text.lstrip())]
    first, *rest = (plain(row) for row in wrap(text, columns - len(lead) - len(INDENT)))
    return [f"{lead}{first}", *(f"{lead}{INDENT}{row}" for row in rest)]


def _action(view: LessonView, columns: int, context: RenderContext) -> list[Line]:
    """What to do, with the keys standing out; in the network's form, where letters are typed, the keys that
    lead out of it."""
    if view.panel == "network":
        key = panel_key("walk", context.keys, typing=True)
        return wrap(f"Letters are typed into the fields here; esc or {key} leads back to the walk.", columns)
    said = [view.note] if view.note else []
    said += [f"▸ {view.action}"] if view.action else []
    return [row for text in said for row in keyed(text, columns, context)]


def keyed(text: str, columns: int, context: RenderContext) -> list[Line]:
    """Wrap a text, with the key of each {action} in it standing out."""
    keys = [context.key(name) for name in re.findall(r"\{([^{}]+)\}", text)]
    rows = [re.split(r"( )", plain(row)) for row in wrap(context.words(text), columns)]
    return [line(*(span for word in words for span in _key_apart(word, keys))) for words in rows]


def _key_apart(word: str, keys: Sequence[str]) -> Iterator[Span]:
    """Split a word into a key, which stands out, and what follows it."""
    key = next((key for key in keys if word in (key, *(f"{key}{mark}" for mark in ".,:;)"))), "")
    yield key, "key"
    yield word[len(key) :], "text"


def _keys(view: LessonView, more: bool, columns: int, context: RenderContext) -> list[Line]:
    """The keys of the lesson; where all of them are typed into a field, none."""
    if view.panel == "network":
        return [()]
    onward = "more" if more else "skip" if view.status == "to do" else view.onward
    pairs = (
        *(
            (("lesson_step(1)", onward, "good" if view.status in GOOD and not more else "muted"),)
            if onward
            else ()
        ),
        ("lesson_step(-1)", "back", "muted"),
        ("chapters", "list", "muted"),
        ("lesson", "hide", "muted"),
    )
    keys = [line((context.key(action), "key"), (f" {word}", role)) for action, word, role in pairs]
    return flowing(keys, columns, 2)


def _status(view: LessonView, page: int, pages: int) -> Line:
    mark, role = ("●", "good") if view.status in GOOD else ("○", "muted")
    said = line() if view.status == "to read" else line((f"{mark} {view.status}", role))
    at = f"page {page + 1}/{pages}" if pages > 1 else ""
    return line(*said, ("  " if said and at else "", "text"), (at, "muted"))


def _outline(view: LessonView, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """The steps of the chapter, the current one marked, if there is room for all."""
    if rows < len(view.titles) + 3 or columns >= NARROW:
        return []
    found: list[Line] = [(), (), line((context.text(f"chapter {view.number.partition('.')[0]}"), "muted"))]
    for index, (title, standing) in enumerate(view.titles):
        here = index == view.at
        mark = "◆" if here else MARKS[standing]
        shown = cut(context.text(title), columns - 2)
        role = "strong" if here else "good" if standing == "done" else "muted"
        found.append(line((f"{mark} ", role), (shown, "strong" if here else "muted")))
    return found


def _apart(left: Line, right: Line, columns: int) -> Line:
    """One thing on the left, the other on the right."""
    return line(*pad(left, columns - width(right)), *right)
