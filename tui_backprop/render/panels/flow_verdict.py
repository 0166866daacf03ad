"""Verdict of the rules of thumb on a network's gradient, and each rule with its threshold and figure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import isfinite

from tui_backprop.engine.analysis.gradient_flow import (
    FEWEST_SAMPLES,
    HEALTH_RULES,
    Callout,
    Flow,
    HealthRule,
    callouts,
)
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, width, wrap
from tui_backprop.support.format import format_number, format_share

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
        return [(), *_no_rule_broken(report, columns, max(free, fair), rows >= NOTE_ROWS, context)]
    note = _note(report, columns, context) if rows >= NOTE_ROWS else []
    called = [_broken_rule(call, report, columns, context) for call in found]
    kept = [rule for rule in HEALTH_RULES if rule not in [call.rule for call in found]]
    for room, detail, above in product((free, fair), (3, 2, 1), (note, [])):
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


def _note(report: Flow, columns: int, context: RenderContext, calm: bool = False) -> list[Line]:
    """Draw the mean factor by which delta changes per hidden layer (not if ``calm``, where the verdict states it),
    the factor of the step from the output, which is not in that mean, and the number of samples that units were
    judged on."""
    each, notes = report.per_layer, []
    if each is not None and not calm:
        notes.append(f"δ rms ×{format_number(each)} per hidden layer backward")
    if each is not None and report.from_output is not None:
        last = len(report.layers)
        notes.append(f"δ ×{format_number(report.from_output)} from layer {last} to {last - 1}")
    if any(at.dead is not None or at.saturated is not None for at in report.layers):
        notes.append(f"units judged on {report.samples:,} {'sample' if report.samples == 1 else 'samples'}")
    if report.hidden and report.samples < FEWEST_SAMPLES:
        notes.append(f"dead units need at least {FEWEST_SAMPLES} samples")
    return [(), *wrap(context.text("; ".join(notes)), columns, "muted")] if notes else []


def _no_rule_broken(report: Flow, columns: int, rows: int, roomy: bool, context: RenderContext) -> list[Line]:
    """Draw the verdict, and where there is room every rule with this network's figure, and the number of samples that
    units were judged on."""
    each = report.per_layer
    finding = f"no rule broken, of {len(HEALTH_RULES)}"
    if each is not None:
        finding = (
            f"no rule broken: neither vanishing nor exploding, δ ×{format_number(each)} per hidden layer"
        )
    first = wrap(context.text(finding), columns, "good")
    table = _table(report, HEALTH_RULES, "rule", columns, context)
    note = _note(report, columns, context, calm=True) if roomy else []
    choices: tuple[list[Line], ...] = (
        [*first, (), *table, *note],
        [*first, *table],
        first,
        [line(("no rule broken", "good"))],
    )
    return next((lines for lines in choices if len(lines) <= rows), choices[-1])


def _table(
    report: Flow, rules: Sequence[HealthRule], head: str, columns: int, context: RenderContext
) -> list[Line]:
    """Draw a table of rules: the condition that breaks each, in words or as a threshold alone, and the figure of this
    network nearest to it; nothing where that is too wide."""
    figures = [_nearest(rule, report) for rule in rules]
    for limits in ([_words(rule) for rule in rules], [_limit(rule) for rule in rules]):
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


def _words(rule: HealthRule) -> str:
    """Return the condition that breaks a rule, in words."""
    return rule_text(rule) if isfinite(rule.threshold) else "a value is NaN or inf"


def _limit(rule: HealthRule) -> str:
    """Return the threshold of a rule, as in "above 100"."""
    side = "over" if rule.share else rule.side
    return f"{side} {_amount(rule, rule.threshold, 1)}" if isfinite(rule.threshold) else rule.side


def _nearest(rule: HealthRule, report: Flow) -> str:
    """Return the figure nearest to the threshold of a rule that is met."""
    figures = rule.figure(report).values()
    if not figures:
        return "none" if rule.side == "not finite" else "n/a"
    return _amount(rule, max(figures) if rule.side == "above" else min(figures), 3)


def rule_text(rule: HealthRule) -> str:
    """Return a rule in words, with its threshold."""
    return rule.words.format(_amount(rule, rule.threshold, 1))


def _amount(rule: HealthRule, value: float, digits: int) -> str:
    return format_share(value) if rule.share else format_number(value, digits)


def _broken_rule(call: Callout, report: Flow, columns: int, context: RenderContext) -> dict[int, list[Line]]:
    """Draw a broken rule at four lengths: cut to one line; in brief; with the rule in words; with the remedy."""
    rule, why = call.rule, report.bad.brief if report.bad else ""
    figure = _amount(rule, call.figure, 2)
    finding = rule.says.format(layer=call.layer, figure=figure, last=len(report.hidden), why=why)
    limit = f"; rule: {_limit(rule)}" if isfinite(rule.threshold) else ""

    name = (f"{BROKEN_MARK} {rule.name}", "bad")

    def headed(text: str) -> list[Line]:
        one = line(name, (context.text(f"  {text}"), "strong"))
        return [one] if width(one) <= columns else [line(name), *_indented(text, columns, "strong", context)]

    head, brief = (
        headed(finding + (_several(call.layers) if call.layers[1:] else "")),
        headed(finding + limit),
    )
    words = _indented(f"rule: {rule_text(rule)}", columns, "muted", context)
    remedy = _indented(f"try: {rule.remedy}", columns, "text", context)
    cramped = line(name, (f"  {finding}{limit}".replace("δ", context.delta), "strong"))
    return {0: [cramped], 1: brief, 2: [*head, *words], 3: [*head, *words, *remedy]}


def _indented(text: str, columns: int, role: str, context: RenderContext) -> list[Line]:
    return [line("  ", *row) for row in wrap(context.text(text), columns - 2, role)]


def _several(layers: tuple[int, ...]) -> str:
    """Name several layers in words."""
    if layers == tuple(range(layers[0], layers[-1] + 1)):
        return f"; layers {layers[0]} to {layers[-1]}"
    return f"; layers {', '.join(map(str, layers))}" if len(layers) < 6 else f"; {len(layers)} layers"
