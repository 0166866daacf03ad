"""The blame panel: the ranking of all parameters, and the detail of the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from tui_backprop.data.catalogue import info
from tui_backprop.engine.analysis.ranking import MEASURES, Attribution, plain_sgd
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.predictions import prediction_of
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.render.draw.context import UTF8, RenderContext
from tui_backprop.render.draw.spans import Line, Span, beside, first_fitting, line, option, wrap
from tui_backprop.render.panels.nudge_table import NUMBER_COLUMNS
from tui_backprop.render.panels.parameter_detail import parameter_detail_lines
from tui_backprop.render.sample_text import text_of
from tui_backprop.render.view_state import BlameState
from tui_backprop.session.session_parts import ALL_LAYERS
from tui_backprop.session.state import Session
from tui_backprop.support.format import counted, format_number

SIDE_BY_SIDE_COLUMNS = 70  # columns from which the list is beside the detail
LEAST_RANKED_ROWS, TALL_ROWS = (
    (5, 11),
    30,
)  # parameters in the list at least, and in a panel of so many rows: ten, and a bias
RANK_COLUMNS = 4  # columns
EXPLAINED_ROWS = 18  # rows of the panel, below which the measure is not explained
LEAST_SHARED = 5  # parameters of one unit in a row at the top, from which a note says so
FIRST_RANKS = 10  # parameters at the top of the ranking, of which those that are not weights are counted
BIASES, NO_WEIGHTS = ("is a bias", "are biases"), ("is not a weight", "are not weights")
MEASURE_NAMES = {"gradient": "gradient", "update": "update", "weight x gradient": "w×dW"}


@dataclass(frozen=True)
class RankingColumn:
    """A column of the ranking: its heading, its role, and the text of a parameter."""

    head: str
    role: str
    text: Callable[[Attribution], str]


VALUE = RankingColumn("value", "text", lambda attribution: format_number(attribution.value, sign=True))
GRADIENT = RankingColumn(
    "gradient", "backward", lambda attribution: format_number(attribution.gradient, sign=True)
)
SCORE = RankingColumn("update", "update", lambda attribution: format_number(attribution.score))
PRODUCT = RankingColumn(
    "w×dW", "loss", lambda attribution: format_number(attribution.value * attribution.gradient, sign=True)
)
RANKING_COLUMNS = {  # by the measure, whose own column is the last
    "gradient": (VALUE, GRADIENT),
    "update": (GRADIENT, SCORE),
    "weight x gradient": (VALUE, PRODUCT),
}


def blame_panel(blame_state: BlameState, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """At most ``rows`` lines: label and prediction, the measure and the layers to choose from, the ranking, and
    the detail of one parameter."""
    session, iteration = blame_state.session, blame_state.iteration
    head = [
        *prediction_lines(session, iteration, columns, context),
        *measure_lines(session, columns, context),
        (),
    ]
    if rows < EXPLAINED_ROWS:
        head = head[:3]
    if blame_state.ranked is None:
        return [*head, line((f"ranking {counted(session.network.parameters, 'parameter')} …", "muted"))][
            :rows
        ]
    bad = iteration.bad
    left_out = blame_state.ranked.words
    words = wrap(context.text(left_out), columns, "bad" if bad else "muted") if left_out else []
    words += wrap(context.text(bad.why), columns, "bad") if bad else []
    if blame_state.chosen is None:
        return [*head, *words][:rows]
    if rows >= EXPLAINED_ROWS:
        head = [
            *head[:-1],
            *words,
            *ranking_notes(iteration.graph, blame_state.ranked, columns, context, session.inspection.layer),
            (),
        ]
    left = rows - len(head)
    if columns >= SIDE_BY_SIDE_COLUMNS:
        wide = (
            RANK_COLUMNS
            + _name_wide(blame_state.ranked, context)
            + len(RANKING_COLUMNS[session.inspection.measure]) * NUMBER_COLUMNS
        )
        right = parameter_detail_lines(blame_state, columns - wide - 2, left, context)
        lower = beside(ranking_table(blame_state, wide, left, context), right, wide)
    else:
        fewest = min(LEAST_RANKED_ROWS[rows >= TALL_ROWS], len(blame_state.ranked))
        below = parameter_detail_lines(blame_state, columns, left - fewest - 2, context)
        above = ranking_table(blame_state, columns, max(left - len(below) - 1, fewest + 1), context)
        lower = [*above, (), *below]
    return [*head, *lower][:rows]


def prediction_lines(
    session: Session, iteration: Iteration, columns: int, context: RenderContext = UTF8
) -> list[Line]:
    """The label and the prediction of the first sample, where there are classes; of a text, those at its positions;
    else the loss."""
    graph, text = iteration.graph, text_of(session, iteration)
    loss = line(("loss ", "muted"), (format_number(iteration.loss, 4), "loss"))
    if text:
        letters = text.predicted(iteration.tensor(graph.output)[0])
        right = sum(a == b != " " for a, b in zip(letters, text.following, strict=True))
        score = (f"  {right} of {len(text.following.replace(' ', ''))} correct", "muted")
        return [
            context.fit(line(("target    ", "muted"), (text.following, "strong"), ("  ", "text"), *loss)),
            context.fit(line(("predicted ", "muted"), (letters, "text"), score)),
        ]
    if not info(session.data).classes:
        return [loss]
    outputs, targets = iteration.tensor(graph.output), iteration.tensor(graph.target)
    found = prediction_of(outputs[0], targets[0], graph.loss_rule)
    label: list[Span] = [("label ", "text"), (f"{found.label}", "strong"), (", ", "text")]
    role = "good" if found.correct else "bad"
    which = (f", 1st of {session.batch:,}" if session.batch > 1 else "", "muted")
    verdicts = [line(*label, (words, role)) for words in (found.words, found.brief)]
    return [first_fitting(columns, line(*verdicts[0], which), *verdicts)]


def measure_lines(session: Session, columns: int, context: RenderContext = UTF8) -> list[Line]:
    """The measures and, where there are layers, those to choose from, the chosen ones in brackets; then what the
    measure is."""
    depth, accused = session.network.graph.depth, session.inspection.layer
    each = [ALL_LAYERS, *range(1, depth + 1)]
    while len("layer   [all]") + sum(len(str(k)) + 2 for k in each[1:]) > columns and len(each) > 3:
        each = [k for k in each if k in (ALL_LAYERS, accused) or abs(k - max(accused, 1)) < len(each) // 3]
    layers = [option("all" if k == ALL_LAYERS else str(k), k == accused) for k in each]
    names = [option(MEASURE_NAMES[name], name == session.inspection.measure) for name in MEASURES]
    chooser = [line(("layer   ", "muted"), *layers)] if session.network.graph.layered else []
    return [
        *chooser,
        line(("measure ", "muted"), *names),
        *measure_words(session, columns, context),
    ]


def measure_words(session: Session, columns: int, context: RenderContext = UTF8) -> list[Line]:
    """What the measure is."""
    row = MEASURES[session.inspection.measure]
    words = f"{row.formula}: {row.about}"
    if session.inspection.measure == "update" and plain_sgd(session.optimizer):
        words = "α dW²: loss drop it causes; plain sgd: same rank as gradient"
    return wrap(context.text(words), columns, "muted")


def ranking_notes(
    graph: Graph,
    attributions: Sequence[Attribution],
    columns: int,
    context: RenderContext,
    accused: int = ALL_LAYERS,
) -> list[Line]:
    """Draw notes on the first of the ranking: how many of ten are not weights, how many are tied, and whether the
    first ones all belong to one unit and so share its derivative, which makes them one cause rather than many."""
    if not attributions:
        return []
    notes, first = [], attributions[:FIRST_RANKS]
    others = sum(not graph.is_weight(attribution.tensor) for attribution in first)
    if others and others < len(first):
        roles = {graph.role(attribution.tensor) for attribution in first}
        words = BIASES if roles <= {"weight", "bias"} else NO_WEIGHTS
        notes.append(f"{others} of the first {len(first)} {words[others > 1]}")
    tied = sum(attribution.score == attributions[0].score for attribution in attributions)
    if tied > 1 and attributions[0].score:
        notes.append(f"the first {tied} are tied")
    notes += _of_one_unit(graph, attributions, accused) if graph.layered else []
    return wrap(context.text("; ".join(notes)), columns, "muted") if notes else []


def _of_one_unit(graph: Graph, attributions: Sequence[Attribution], accused: int) -> list[str]:
    """Say that the first of the ranking belong to one unit, if they do."""
    layer, unit = graph.block(attributions[0].tensor), attributions[0].index[-1]
    same = list(
        takewhile(lambda each: (graph.block(each.tensor), each.index[-1]) == (layer, unit), attributions)
    )
    if len(same) < LEAST_SHARED:
        return []
    many = "all of these" if len(same) == len(attributions) else f"the first {len(same)}"
    return [f"{many} share the δ of unit {unit}" + ("" if accused else f" of layer {layer}")]


def ranking_table(blame_state: BlameState, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """The head of a table, and as many parameters as fit, the one under the cursor among them."""
    attributions, at, chosen = blame_state.ranked, blame_state.rank, blame_state.chosen
    if not attributions:
        return []
    fitting = max(min(rows - 1, len(attributions)), 1)
    # By pages: fewer lines change than in scrolling.
    first = min(at // fitting * fitting, len(attributions) - fitting)
    name_wide = _name_wide(attributions, context)
    shown: Sequence[RankingColumn] = RANKING_COLUMNS[blame_state.session.inspection.measure]
    shown = shown[-max((columns - RANK_COLUMNS - name_wide) // NUMBER_COLUMNS, 1) :]
    heads = "".join(f"{column.head:>{NUMBER_COLUMNS}}" for column in shown)
    lines = [line((f"{'':<{RANK_COLUMNS}}{'parameter':<{name_wide}}{heads}", "muted"))]
    for i, attribution in enumerate(attributions[first : first + fitting], first):
        here = chosen is not None and (attribution.tensor, attribution.index) == (chosen.tensor, chosen.index)
        lines.append(
            line(
                (f"{i + 1:>{RANK_COLUMNS - 1}} ", "muted"),
                (f"{_name(attribution, context):<{name_wide}}", "cursor" if here else "text"),
                *((f"{column.text(attribution):>{NUMBER_COLUMNS}}", column.role) for column in shown),
            )
        )
    return lines


def _name(attribution: Attribution, context: RenderContext) -> str:
    return context.text(entry_name(attribution.tensor, attribution.index))


def _name_wide(attributions: Sequence[Attribution], context: RenderContext) -> int:
    """Columns of the names of all of them, so that nothing moves from page to page."""
    return max([len("parameter"), *(len(_name(each, context)) for each in attributions)])
