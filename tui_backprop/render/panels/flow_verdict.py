"""Verdict of the rules of thumb on a network's gradient, and each rule with its threshold and figure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import isfinite

from tui_backprop.engine.analysis.gradient_flow import Flow
from tui_backprop.engine.analysis.health_rules import HEALTH_RULES, Callout, HealthRule, callouts, harmless
from tui_backprop.engine.analysis.judged import FitState
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, width, wrap
from tui_backprop.support.format import format_number

NOTE_ROWS = 16  # rows, from which a note says what was measured
RULE_COLUMNS = 17  # columns of a rule's name
BROKEN_MARK = "!"  # marks figures that break a rule


def verdict(report: Flow, columns: int, rows: int, chart: int, context: RenderContext) -> list[Line]:
    """Draw a note, a blank line, and the callouts at the greatest length that leaves ``chart`` lines for layers, or
    else fits into two fifths of the rows. Where there is room, the rules that are met follow, with this network's
    figures."""
    fair = 2 * rows // 5 - 1
    free = rows - chart - 1
    found = callouts(report)
    if not found:
        return [(), *_no_rule_broken(report, columns, max(free, fair), context)]
    notes = [_note(report, columns, context), _note(report, columns, context, brief=True)] * (
        rows >= NOTE_ROWS
    )
    called = [_broken_rule(call, columns, context) for call in found]
    kept = [rule for rule in HEALTH_RULES if rule not in [call.rule for call in found]]
    for room, detail, above in product((free, fair), (3, 2, 1), (*notes, [])):
        blocks = [row for lengths in called for row in lengths[detail]]
        if len(above) + len(blocks) <= room:
            rest = [(), *_table(report, kept, "rules met", columns, context)]
            fits = len(above) + len(blocks) + len(rest) <= room
            return [*above, (), *blocks, *(rest if fits and len(rest) > 2 else ())]
    brief, most = [lengths[0][0] for lengths in called], max(free, fair, 1)
    if len(brief) > most:
        left_out = len(brief) - max(most - 1, 1)
        brief = [*brief[:-left_out], line((f"{BROKEN_MARK} {left_out} more rules broken", "bad"))]
    return [(), *brief]


def _note(report: Flow, columns: int, context: RenderContext, brief: bool = False) -> list[Line]:
    """Draw the factor by which delta changes per layer, and the samples judged with the error on them; only the
    latter, and directly below the chart, if ``brief``."""
    notes = filter(None, ("" if brief else _factor(report), report.fit.judged))
    return [*(() if brief else ((),)), *wrap(context.text("; ".join(notes)), columns, "muted")]


def _factor(report: Flow) -> str:
    """Return the mean factor of delta per layer between hidden layers, and the factor of the step from the output,
    which is apart; "" where there is no mean."""
    each, last, step = report.per_layer, len(report.layers), report.from_output
    if each is None:
        return ""
    words = f"δ ×{format_number(each)} per layer, layer {last - 1} to {report.first}"
    return words if step is None else f"{words}; ×{format_number(step)} from layer {last} to {last - 1}"


def _no_rule_broken(report: Flow, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """Draw the verdict with the samples judged, and where there is room every rule with this network's figure."""
    brief = "learned" if report.fit.state is FitState.LEARNED else "no rule broken"
    whole, short = (
        wrap(context.text(f"{brief}: {_all_well(report, words)}"), columns, "good")
        for words in ("neither vanishing nor exploding, ", "")
    )
    table = _table(report, HEALTH_RULES, "rule", columns, context)
    choices: tuple[list[Line], ...] = (
        [*whole, (), *table],
        [*whole, *table],
        [*short, *table],
        whole,
        short,
        [line((brief, "good"))],
    )
    return next((lines for lines in choices if len(lines) <= rows), choices[-1])


def _all_well(report: Flow, words: str) -> str:
    """Say what is well: the loss that was reached, or the gradient, after ``words``; the samples judged; which broken
    rules are harmless."""
    factor, learned = _factor(report), report.fit.state is FitState.LEARNED
    gradient = f"{words}{factor}" if factor else ""
    left = ", ".join(rule.name for rule in harmless(report))
    parts = (
        f"loss {format_number(report.fit.loss)}" if learned else gradient,
        report.fit.judged,
        f"harmless so far: {left}" if left else "",
    )
    return "; ".join(filter(None, parts))


def _table(
    report: Flow, rules: Sequence[HealthRule], head: str, columns: int, context: RenderContext
) -> list[Line]:
    """Draw a table of rules: the condition that breaks each, as long as fits, and the figure of this network nearest
    to it; nothing where that is too wide."""
    figures = [rule.nearest(report) for rule in rules]
    forms = ((rule.condition, rule.limit, f"{rule.bound}{' …' * bool(rule.besides)}") for rule in rules)
    for limits in zip(*forms, strict=True):
        wide, here = (
            max(len(context.text(text)) for text in texts)
            for texts in ((*limits, "broken if"), (*figures, "here"))
        )
        rows = [
            (head, "broken if", "here"),
            *zip((rule.name for rule in rules), limits, figures, strict=True),
        ]
        if RULE_COLUMNS + wide + 1 + here <= columns:
            return [
                line(
                    (f"{name:<{RULE_COLUMNS}}", "text" if i else "muted"),
                    (f"{context.text(limit):<{wide}}", "muted"),
                    (f" {figure:>{here}}", "text" if i else "muted"),
                )
                for i, (name, limit, figure) in enumerate(rows)
            ]
    return []


def _broken_rule(call: Callout, columns: int, context: RenderContext) -> dict[int, list[Line]]:
    """Draw a broken rule at four lengths: cut to one line; in brief; with the rule in words; with the remedy."""
    rule, finding = call.rule, call.finding
    limit = f"; rule: {rule.limit}" if isfinite(rule.threshold) else ""
    name = (f"{BROKEN_MARK} {rule.name}", "bad")

    def headed(text: str) -> list[Line]:
        one = line(name, (context.text(f"  {text}"), "strong"))
        return [one] if width(one) <= columns else [line(name), *_indented(text, columns, "strong", context)]

    head, brief = (
        headed(finding + (_several(call.layers) if call.layers[1:] else "")),
        headed(finding + limit),
    )
    words = _indented(f"rule: {rule.condition}", columns, "muted", context)
    remedy = "; or ".join(remedy.words for remedy in call.advice)
    advice = _indented(f"try: {remedy}", columns, "text", context) if remedy else []
    cramped = line(name, (f"  {finding}{limit}".replace("δ", context.delta), "strong"))
    return {0: [cramped], 1: brief, 2: [*head, *words], 3: [*head, *words, *advice]}


def _indented(text: str, columns: int, role: str, context: RenderContext) -> list[Line]:
    return [line("  ", *row) for row in wrap(context.text(text), columns - 2, role)]


def _several(layers: tuple[int, ...]) -> str:
    """Name several layers in words."""
    if layers == tuple(range(layers[0], layers[-1] + 1)):
        return f"; in layers {layers[0]} {'and' if len(layers) == 2 else 'to'} {layers[-1]}"
    return f"; in layers {', '.join(map(str, layers))}" if len(layers) < 6 else f"; in {len(layers)} layers"
