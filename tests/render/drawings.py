"""Every panel, page and strip as a function of a session, a step and a room; a new one is added to DRAWINGS."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random

from tests.having import having
from tests.render import states
from tests.render.states import SESSIONS
from tui_backprop.cost.accounting.ledger import ledger
from tui_backprop.cost.accounting.memory_ledger import memory_ledger
from tui_backprop.cost.accounting.path_counts import paths
from tui_backprop.cost.model.estimates import Estimate
from tui_backprop.cost.race.race import RACE_METHODS
from tui_backprop.keys.panel_table import COST_PAGES, PANELS
from tui_backprop.keys.table import bar
from tui_backprop.lesson.attempt import places
from tui_backprop.lesson.figures import ACTIONS
from tui_backprop.render.cost.chart import chart
from tui_backprop.render.cost.claims import claims_lines
from tui_backprop.render.cost.cost import heading, legend, readout
from tui_backprop.render.cost.ledger import ledger_lines
from tui_backprop.render.cost.page_bar import pages
from tui_backprop.render.cost.race import RaceForecast, race_lines
from tui_backprop.render.cost.reuse import reuse_lines
from tui_backprop.render.cost.step_size import step_size_lines
from tui_backprop.render.cost.sweep import sweeping
from tui_backprop.render.cost_state import CostState
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line
from tui_backprop.render.panels.blame import blame_panel
from tui_backprop.render.panels.bookmarks import bookmarks_panel
from tui_backprop.render.panels.confusion import Confusion, confusion_lines
from tui_backprop.render.panels.curves import curves_panel
from tui_backprop.render.panels.decision_boundary import picture_lines
from tui_backprop.render.panels.edits import edit_lines
from tui_backprop.render.panels.flow import flow_panel
from tui_backprop.render.panels.form import ShownForm, form_panel
from tui_backprop.render.panels.graph import graph_panel
from tui_backprop.render.panels.lesson import MARKS, OTHER, LessonView, lesson_lines, page_count
from tui_backprop.render.panels.number import number_panel
from tui_backprop.render.panels.screen_bars import key_bar, status, tabs
from tui_backprop.render.panels.summary import summary_lines
from tui_backprop.render.panels.text import text_panel
from tui_backprop.render.panels.training import amount_line, key_hint, training_panel
from tui_backprop.render.view_state import BlameState, Findings, Snapshot
from tui_backprop.render.walk.tensor import tensor_view
from tui_backprop.render.walk.walk import walk_panel
from tui_backprop.session.form_fields import fields_in_sight
from tui_backprop.session.form_texts import texts_of
from tui_backprop.session.session_parts import AXES, GRAINS, MEASURES, PRECISIONS, VIEWS, ZOOMS
from tui_backprop.session.state import Session
from tui_backprop.support.errors import UserError

PLACES_OF_LESSON = tuple(places())
AMOUNTS = ("1", "10", "100", "1,000", "10,000", "until stopped")


@dataclass(frozen=True)
class State:
    """A session by name, the step at a ``share`` of its walk, and a seed for all that can be shown of it."""

    name: str
    share: float = 0.5
    seed: int = 0

    @cached_property
    def random(self) -> Random:
        return Random(self.seed)

    @property
    def asked(self) -> Snapshot:
        """A snapshot in which any number may be asked for by name, and the loss may be drawn over two weights."""
        iteration = self.snapshot.iteration
        tensor = self.any_of(
            (*iteration.new, "x", *(f"{t}{k}" for k in (1, iteration.spec.depth) for t in "za"))
        )
        shape = iteration.tensor(tensor).shape
        index = tuple(n - 1 for n in (shape if tensor in iteration.new else shape[1:]))
        asked, pair = self.any_of((None, (tensor, index))), self.any_of((False, True))
        return replace(self.snapshot, session=having(self.snapshot.session, number=asked, pair=pair))

    def any_of(self, choices: Sequence):
        return self.random.choice(choices)

    @property
    def session(self) -> Session:
        return SESSIONS[self.name]

    @cached_property
    def snapshot(self) -> Snapshot:
        share = round(8 * self.share) / 8
        return states.snapshot_of(self.name, share, self.any_of(GRAINS), self.any_of(VIEWS))

    @cached_property
    def costs(self) -> CostState:
        """What is known of costs, once a machine is known."""
        race = self.race
        return CostState(
            self.any_of((self.session.network, *states.GIANTS)), self.any_of(states.MACHINES),
            self.any_of((None, 3.0, 7.25, 9.25, 12.0)),
            self.any_of((False, True)), self.any_of(AXES), self.any_of(range(len(ZOOMS))),
            self.any_of(states.SWEEPS), self.any_of((None, race)),
        )  # fmt: skip

    @cached_property
    def race(self):
        return states.race_of(
            self.any_of(states.RACES), self.any_of(RACE_METHODS), self.any_of((False, True))
        )

    @cached_property
    def blame(self) -> BlameState:
        measure, rank = self.any_of(MEASURES), self.any_of((0, 5, 29))
        layer = self.any_of(range(self.session.network.depth + 1))
        session = having(self.session, measure=measure, layer=layer, rank=rank)
        ranked = states.ranking_of(self.name, layer, measure)
        detail = self.any_of((None, states.detail_of(self.name, layer, rank)))
        return BlameState(
            session, states.iteration_of(self.name), self.any_of((None, ranked, ranked)), detail
        )


Draw = Callable[[State, int, int, RenderContext], list[Line]]


def _walk(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    return walk_panel(state.snapshot, columns, rows, context, given_up=state.any_of((False, True)))


def _tensor(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    return [context.fit(row) for row in tensor_view(state.snapshot, columns, rows, context)]


def _network(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    texts = texts_of(state.session)
    field = state.any_of(fields_in_sight(texts))
    error = state.any_of((None, UserError(field.name, f"invalid value {'x' * 30!r}; choose from 1, 2 and 3")))
    pending, selected = state.any_of((False, True)), state.any_of(fields_in_sight(texts)).name
    form = ShownForm(texts, selected, True, error, pending, state.session.network)
    return form_panel(form, state.snapshot, columns, rows, context)[:rows]


def _blame(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    moved = edit_lines(state.session, columns, context)
    lines = [*moved, *blame_panel(state.blame, columns, rows - len(moved), context)]
    return [context.fit(row) for row in lines]


def _number(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    return number_panel(
        state.asked, state.any_of((None, (7, 12_345, 1), (7, 12_345, 40))), columns, rows, context
    )


def _graph(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    timing = state.any_of((None, states.timing_of(state.name)))
    return graph_panel(state.snapshot, timing, columns, rows, context)


def _flow(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    report = states.report_of(state.name)
    return flow_panel(state.snapshot, state.any_of((None, report, report)), columns, rows, context)


def _curves(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    snapshot = state.asked
    found = state.any_of(states.slices_of(snapshot.session, state.name))
    return curves_panel(snapshot, found, columns, rows, context)


def _train(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    learning = states.learning_of(state.any_of(range(len(states.LOSSES))), state.any_of((False, True)))
    learning = state.any_of((None, learning, learning))
    return training_panel(state.snapshot, learning, states.picture_of(state.name), columns, rows, context)


def _choices(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    return [
        amount_line(AMOUNTS, state.any_of(range(len(AMOUNTS))), columns),
        context.fit(key_hint(columns, context)),
    ]


def _picture(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    picture = states.picture_of(state.name)
    return picture_lines(picture, columns, rows, context) if picture else [line("none")]


def _text(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    session, found = states.findings_of(state.any_of(tuple(range(len(states.TEXTS)))))
    return text_panel(session, state.any_of((None, *found)), columns, rows, context)


def _marks(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    session, found = states.difference_of(state.name)
    session = having(session, cursor=state.any_of((0, 1)), held=state.any_of((None, 0, 1)))
    session = having(session, items=()) if state.any_of((False,) * 5 + (True,)) else session
    found, first = state.any_of((None, found, found)), state.any_of((0, 3))
    return bookmarks_panel(replace(state.snapshot, session=session), found, columns, rows, context, first)


def _claims(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    return [context.fit(row) for row in claims_lines(state.costs, columns, context)][:rows]


def _race(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    entry = state.any_of((RaceForecast(3.5e-4, Estimate(15.0, 20.0, 30.0)), RaceForecast()))
    return [context.fit(row) for row in race_lines(state.race, columns, rows, context, entry)]


def _dial(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    found, step = states.dial_of(state.name), state.any_of((1e-1, 1e-4, 1e-16))
    return [
        context.fit(row)
        for row in step_size_lines(found, step, state.any_of(PRECISIONS), columns, rows, context)
    ]


def _ledger(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    timing = state.any_of((None, states.timing_of(state.name)))
    found = ledger(state.session.network, state.session.batch, timing)
    memory = memory_ledger(found, state.session.optimizer)
    return [context.fit(row) for row in ledger_lines(found, memory, columns, rows, context)]


def _reuse(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    tensor, index = state.snapshot.weights[0]
    name, counted = f"{tensor}[{','.join(map(str, index))}]", paths(state.session.network, tensor)
    runs = state.any_of((None, states.runs_of(state.name)))
    return [context.fit(row) for row in reuse_lines(name, counted, runs, columns)][:rows]


def _chart(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    return [context.fit(row) for row in chart(state.costs, columns, rows, context)]


def _cost_words(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    costs, page = state.costs, state.any_of(COST_PAGES)
    lines = [pages(page, columns, context), heading(costs, columns), legend(columns, context)]
    lines += [*sweeping(costs, columns, context), *readout(costs, columns, rows, context)]
    return [context.fit(row) for row in lines][:rows]


def _strips(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    snapshot, place = state.any_of((None, state.snapshot)), state.any_of((*PANELS, *COST_PAGES))
    notice = state.any_of(("", "undone: sample 12", "a" * 99))
    return [
        status(state.session, snapshot, state.any_of((None, 2.0)), columns, context),
        tabs(place, columns, context),
        key_bar(*bar(place), columns, context, notice),
    ][:rows]


def _summary(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    learning = states.learning_of(state.any_of(range(len(states.LOSSES))), state.any_of((False, True)))
    findings = Findings(
        state.any_of(("blame", "cost", "flow")),
        state.snapshot,
        state.any_of((None, state.blame)),
        state.any_of((None, states.report_of(state.name))),
        state.any_of((None, state.costs)),
        state.any_of((None, learning)),
    )
    return summary_lines(findings, columns, rows, context)


def _lesson(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    place = state.any_of(PLACES_OF_LESSON)
    step, titles = place.step, [each.title for each in place.chapter.steps]
    view = LessonView(
        number=place.number,
        chapter=place.chapter.title,
        titles=tuple((title, state.any_of((*MARKS,))) for title in titles),
        at=place.index,
        text=tuple((each.kind, _with_numbers(each.text)) for each in step.paragraphs),
        action=_with_numbers(step.action),
        status=state.any_of(("to read", "to do", "already so", "done")),
        note=state.any_of(("", "", OTHER)),
        onward=state.any_of(("next", "next chapter", "")),
        panel=state.any_of((*PANELS, *COST_PAGES)),
    )
    page = state.any_of(range(page_count(view, columns, rows, context)))
    return lesson_lines(view, page, columns, rows, context)


def _with_numbers(text: str) -> str:
    return re.sub(r"\{([^{}]+)\}", lambda found: found[0] if found[1] in ACTIONS else "0.0371", text)


def _confusion(state: State, columns: int, rows: int, context: RenderContext) -> list[Line]:
    most, classes = state.any_of((0, 13, 500)), state.any_of((2, 3, 10))
    counts = [[most * (t == s) + (7 * t + s) % 13 for s in range(classes)] for t in range(classes)]
    cell = state.any_of((None, (0, 1), (1, 0)))
    table = Confusion(counts, cell, half=state.any_of((False, True)), refused=state.any_of((False, True)))
    return [context.fit(row) for row in confusion_lines(table, columns, context)][:rows]


@dataclass(frozen=True)
class Drawing:
    """What is drawn, in rooms of at least (columns, rows)."""

    draw: Draw
    columns: int = 1
    rows: int = 1


DRAWINGS = {
    "network": Drawing(_network, 36, 8),
    "walk": Drawing(_walk),
    "cost": Drawing(_chart, 10, 4),
    "blame": Drawing(_blame, 34, 8),
    "number": Drawing(_number, 34, 8),
    "graph": Drawing(_graph),
    "flow": Drawing(_flow),
    "curves": Drawing(_curves),
    "train": Drawing(_train),
    "bookmarks": Drawing(_marks),
    "text": Drawing(_text, 34, 8),
    "claims": Drawing(_claims, 36, 8),
    "race": Drawing(_race, 34, 8),
    "step_size": Drawing(_dial, 35, 8),
    "ledger": Drawing(_ledger, 35, 8),
    "reuse": Drawing(_reuse, 34, 8),
    "tensor": Drawing(_tensor),
    "picture": Drawing(_picture, 4),
    "choices": Drawing(_choices, 30, 2),
    "cost words": Drawing(_cost_words, 42),
    "strips": Drawing(_strips, 60),
    "summary": Drawing(_summary, 40, 12),
    "lesson": Drawing(_lesson, 38, 5),
    "confusion": Drawing(_confusion, 54),
}
