"""The flow panel flags what breaks a rule, and counts the layers that it leaves out."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise, product, takewhile

import pytest

from tests.engine.analysis.reports import healthy_layer, judged_fit, report_of
from tui_backprop.data.catalogue import info
from tui_backprop.data.samples import cut
from tui_backprop.engine.analysis.gradient_flow import Flow, flow
from tui_backprop.engine.analysis.health_rules import HEALTH_RULES, callouts
from tui_backprop.engine.analysis.judged import Examples
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.panels.flow import LogScale, evenly_spread, flow_panel, scales
from tui_backprop.render.panels.flow_verdict import BROKEN_MARK
from tui_backprop.session.presets import NETWORKS
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_update
from tui_backprop.support.format import format_number

SIZES = [(36, 34), (76, 20), (56, 13), (74, 54), (114, 34)]
SETS = pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])
AT_SIZES = pytest.mark.parametrize(("columns", "rows"), SIZES)

DEEP = NetworkSpec((784, *(16,) * 39, 10), "sigmoid", init="normal")
ODD = {
    "one layer": Session(NetworkSpec((784, 10))),
    "one by one": Session(NetworkSpec((1, 1), loss="mse"), "sine"),
    "one unit": Session(NetworkSpec((2, 1, 1, 2)), "moons"),
    "zeros": Session(NetworkSpec((2, 8, 8, 2), init="zeros"), "moons"),
    "faded": Session(DEEP),
    "exploded": Session(NetworkSpec((784, *(64,) * 10, 10), init="normal:0.5"), lr=3.0),
    "everything": Session(
        NetworkSpec((2, 8, 8, 8, 2), "relu,tanh,elu", layer_norm=True, residual=True, dropout=0.1), "moons", batch=32
    ),
    "no numbers left": after_update(
        after_update(after_update(Session(NetworkSpec((2, 8, 3), loss="mse"), "spiral", lr=1e30)))
    ),
}  # fmt: skip
SESSIONS = {name: from_preset(name) for name in NETWORKS} | {"lesson": Session()} | ODD


REPORTS: dict[Session, Flow] = {}


def reported(session, iteration):
    if session not in REPORTS:
        about = info(session.data)
        first = cut(session.network, session.data, 0, min(256, about.samples))
        examples = Examples(first.x, first.t, about.samples, bool(about.classes))
        REPORTS[session] = flow(iteration, examples)
    return REPORTS[session]


@pytest.fixture
def shown(snapshots):
    """Return a function that draws the panel of a session's middle step, or another one, as text."""

    def of(session, columns, rows, context=UTF8, at=None, report=None):
        every = snapshots(session)
        snapshot = every[len(every) // 2 if at is None else at]
        report = report or reported(session, snapshot.iteration)
        return [plain(row) for row in flow_panel(snapshot, report, columns, rows, context)]

    return of


def healthy(depth, **changed):
    """Make a healthy report, but for the fields of layers that are ``changed``, by number: k1={...}."""
    return report_of(*(healthy_layer(k, **changed.get(f"k{k}", {})) for k in range(1, depth + 1)))


def layer_lines(lines):
    """Return the lines of layers by number, without the mark of the current one."""
    chart = takewhile(str.strip, lines)
    found = (re.match(r"[▸> ] (\d+) (?!in )", text) for text in chart)
    return {int(match[1]): match.string for match in found if match}


@SETS
def test_without_a_report_it_is_being_computed(snapshots, context):
    (row,) = flow_panel(snapshots(SESSIONS["lesson"])[0], None, 40, 10, context)
    assert plain(row).startswith("computing")


@pytest.mark.parametrize("name", SESSIONS)
def test_every_layer_is_shown_or_counted_as_left_out(shown, name):
    depth = SESSIONS[name].network.depth
    for columns, rows in SIZES:
        lines = shown(SESSIONS[name], columns, rows)
        layers = layer_lines(lines)
        said = [re.match(r"(\d+) of (\d+) layers; (\d+) left out$", text) for text in lines]
        counts = [tuple(map(int, match.groups())) for match in said if match]
        if len(layers) == depth:
            assert not counts
        else:
            assert counts == [(len(layers), depth, depth - len(layers))]
            assert {1, depth} <= set(layers)
        assert list(layers) == sorted(layers)


@AT_SIZES
@pytest.mark.parametrize("name", ["lesson", "faded", "vanishing"])
def test_the_layer_of_the_step_is_shown_and_marked(snapshots, shown, name, columns, rows):
    for snapshot in snapshots(SESSIONS[name])[1::7]:
        lines = shown(SESSIONS[name], columns, rows, at=snapshot.step.index)
        assert [k for k, text in layer_lines(lines).items() if text[0] == "▸"] == [snapshot.step.block]


@pytest.mark.parametrize("depth", [1, 2, 3, 11, 40, 300])
@pytest.mark.parametrize("room", [1, 2, 3, 5, 50])
def test_layers_are_spread_evenly_over_the_depth(depth, room):
    for here in range(depth + 1):
        layers = evenly_spread(depth, room, here)
        assert layers == sorted(set(layers))
        assert len(layers) == min(room, depth)
        assert set(layers) <= set(range(1, depth + 1))
        assert here in layers or here == 0
        if room >= 3 and depth > room:
            assert (layers[0], layers[-1]) == (1, depth)
            gaps = [b - a for a, b in pairwise(layers)]
            assert max(gaps) <= 2 * (depth - 1) / (room - 1) + 2


@AT_SIZES
@SETS
def test_the_figures_of_the_lesson_are_on_the_screen_and_nothing_is_wrong(shown, columns, rows, context):
    lines = shown(SESSIONS["lesson"], columns, rows, context)
    text = "\n".join(lines)
    assert "flows up" in lines[0]
    assert "log" in text
    assert "no rule broken" in text
    assert BROKEN_MARK not in text
    assert ("0.0564" if columns >= 70 else "0.056") in layer_lines(lines)[1]
    assert ("0.00312" if columns >= 70 else "0.0031") in layer_lines(lines)[1]
    assert text.count(" dead ") == 3


@pytest.mark.parametrize("name", SESSIONS)
def test_every_broken_rule_is_named_with_its_threshold(shown, snapshots, name):
    session = SESSIONS[name]
    calls = callouts(reported(session, snapshots(session)[0].iteration))
    limited = [call for call in calls if call.name != "not finite"]
    for (columns, rows), context in product(SIZES, (UTF8, ASCII)):
        text = " ".join(" ".join(shown(session, columns, rows, context)).split())
        for call in calls:
            assert f"{BROKEN_MARK} {call.name}" in text
        assert not (name == "faded" and "~" in text.replace("~ ->", ""))  # nothing is cut
        assert text.count("rule: ") in (len(calls), len(limited))  # in brief, "not finite" has no threshold
        assert ("no rule broken" in text or "learned" in text) == (not calls)


@SETS
@pytest.mark.parametrize(("columns", "rows"), [(36, 34), (78, 24)])
def test_the_verdict_leads_and_every_rule_has_its_limit_and_this_network_s_figure(
    shown, snapshots, columns, rows, context
):
    """Each rule is listed with its condition and this network's figure."""
    lines = shown(SESSIONS["lesson"], columns, rows, context)
    report = reported(SESSIONS["lesson"], snapshots(SESSIONS["lesson"])[0].iteration)
    text = " ".join(" ".join(lines).split())
    verdict = next(i for i, row in enumerate(lines) if "no rule broken" in row)
    rows = {rule.name: row for rule in HEALTH_RULES for row in lines[verdict:] if row.startswith(rule.name)}
    assert set(rows) == {rule.name for rule in HEALTH_RULES}
    worst = max(at.ratio for at in report.layers)
    figures = {
        "not finite": ("not finite", "none"),
        "exploding": ("above 100", format_number(max(report.relative().values()))),
        "vanishing": ("below 0.01", format_number(min(report.relative().values()))),
        "dead units": ("over 40%", f"{max(at.dead for at in report.hidden):.0%}"),
        "update too large": ("above 0.1", format_number(worst)),
        "saturated units": ("over 25%", "n/a"),
    }
    for name, (limit, figure) in figures.items():
        assert limit in rows[name]
        assert rows[name].split()[-1] == figure
    found = snapshots(SESSIONS["lesson"])[0].iteration
    rms = {k: float((found.tensor(f"δ{k}").astype(float) ** 2).mean() ** 0.5) for k in (1, 2, 3, 4)}
    hidden, output = (rms[1] / rms[3]) ** 0.5, rms[3] / rms[4]
    words = f"×{format_number(hidden)} per layer, layer 3 to 1; ×{format_number(output)} from layer 4 to 3"
    assert context.text(words) in text


@pytest.mark.parametrize(("columns", "words"), [(100, True), (50, True), (36, False)])
def test_a_rule_with_two_conditions_names_both_where_there_is_room(shown, columns, words):
    text = "\n".join(shown(SESSIONS["lesson"], columns, 40, UTF8))
    (row,) = [row for row in text.split("\n") if row.startswith("update too large")]
    assert ("loss rises" in row) == words


def test_rules_that_are_met_follow_those_that_are_broken_where_there_is_room(shown):
    report = healthy(4, k2={"dead": 0.62})
    text = "\n".join(shown(SESSIONS["lesson"], 76, 40, report=report))
    assert "! dead units" in text
    kept = text[text.index("rules met") :]
    assert [rule.name for rule in HEALTH_RULES if rule.name in kept] == [
        rule.name for rule in HEALTH_RULES if rule.name != "dead units"
    ]
    assert "rules met" not in "\n".join(shown(SESSIONS["lesson"], 76, 16, report=report))


@pytest.mark.parametrize("rule", HEALTH_RULES, ids=[rule.name for rule in HEALTH_RULES])
def test_a_rule_in_words_states_its_threshold(rule):
    text = rule.condition
    assert "{" not in text
    if "{}" in rule.words:
        stated = re.search(rf"(?:{rule.side}|over) ([\d.e+-]+)(%?)", text)
        assert float(stated[1]) / (100 if stated[2] else 1) == pytest.approx(rule.threshold)


@pytest.mark.parametrize(
    ("changed", "shown_as"),
    [
        ({"rms": 0.001}, "0.00100!"),
        ({"rms": 1e4}, "10,000!"),
        ({"rms": 0.0, "reached": 0.0}, "0!"),
        ({"update": 0.5}, "0.500!"),
        ({"dead": 0.62}, "dead  62%!"),
        ({"dead": 0.9995}, "dead >99.9%!"),
        ({"gradient": float("nan")}, "NaN!"),
    ],
)
def test_a_figure_that_breaks_a_rule_is_flagged_and_no_other(shown, changed, shown_as):
    layers = layer_lines(shown(SESSIONS["lesson"], 76, 40, report=healthy(4, k2=changed)))
    assert shown_as in layers[2]
    assert [text.count(BROKEN_MARK) for text in layers.values()] == [0, 1, 0, 0]


def test_many_broken_rules_in_few_rows_are_counted(shown):
    ill = {"update": 0.5, "dead": 0.9}
    report = healthy(
        4, k1=ill | {"rms": 0.0, "reached": 0.0}, k2={"rms": 1e-5, "twins": ((0, 1),), "update": 1e-9}
    )
    assert len(callouts(report)) == 6
    lines = shown(SESSIONS["lesson"], 56, 11, report=report)
    named = [
        rule.name
        for rule in HEALTH_RULES
        if any(text.startswith(f"{BROKEN_MARK} {rule.name}") for text in lines)
    ]
    assert named == [call.name for call in callouts(report)][: len(named)]
    assert lines[-1] == f"{BROKEN_MARK} {6 - len(named)} more rules broken"
    assert len(named) >= 1
    assert layer_lines(lines)


def test_bars_of_equal_length_are_equally_many_decades(shown):
    report = healthy(4, k1={"rms": 1e-4, "gradient": 0.1})
    delta, gradient = scales(report)
    assert delta.decades == gradient.decades
    assert delta.low == -4
    lengths = [
        text.count(UTF8.done)
        for text in layer_lines(shown(SESSIONS["lesson"], 76, 40, report=report)).values()
    ]
    assert lengths[0] < lengths[1] == lengths[2] == lengths[3]


def test_a_bar_is_as_long_as_its_logarithm():
    scale = LogScale(-6, 6)
    assert [scale.cells(10.0**e, 30) for e in range(-6, 1)] == [1, 5, 10, 15, 20, 25, 30]
    assert [scale.cells(v, 30) for v in (0.0, float("nan"), float("inf"), 1e-9)] == [0, 0, 30, 1]
    assert scale.ends == "1e-06 to 1"


@pytest.mark.parametrize("rms", [5e-324, 1e308, float("inf"), float("nan"), 0.0])
def test_the_scale_holds_at_the_limits_of_floats(shown, rms):
    for columns, rows in SIZES:
        assert shown(SESSIONS["lesson"], columns, rows, report=healthy(4, k1={"rms": rms}))
    empty = report_of(healthy_layer(1, rms, gradient=rms), samples=1, total=1)
    assert shown(ODD["one layer"], 56, 13, report=empty)


@SETS
@AT_SIZES
@pytest.mark.parametrize(
    ("fit", "stated"),
    [
        ({"samples": 200, "total": 200}, "judged on all 200 samples: 50 misclassified"),
        ({"samples": 256, "total": 4000}, "judged on 256 of 4,000 samples: 64 misclassified"),
        ({"samples": 1, "total": 200, "error": 1.0}, "judged on 1 of 200 samples: 1 misclassified"),
        ({"classes": False}, "judged on all 256 samples: 25% of the targets' variance unexplained"),
        ({"error": 0.02}, "learned: loss 0.300; judged on all 256 samples: 5 misclassified"),
        ({"error": None}, "judged on all 256 samples: error unknown"),
    ],
)
def test_the_verdict_states_the_samples_judged_and_the_error(shown, columns, rows, context, fit, stated):
    report = replace(healthy(4), fit=judged_fit(**fit))
    assert stated in " ".join(
        " ".join(shown(SESSIONS["lesson"], columns, rows, context, report=report)).split()
    )


def test_what_is_beyond_a_threshold_without_harm_is_no_callout(shown):
    report = replace(healthy(4, k2={"saturated": 0.62}), fit=judged_fit(error=0.0, loss=0.006))
    text = " ".join(" ".join(shown(SESSIONS["lesson"], 76, 40, report=report)).split())
    assert BROKEN_MARK not in text
    assert (
        "learned: loss 0.00600; judged on all 256 samples: 0 misclassified; harmless so far: saturated units"
        in text
    )
    assert "try:" not in text


@SETS
@AT_SIZES
@pytest.mark.parametrize("frozen", [(1,), (1, 2), (2,), (4,)])
def test_a_frozen_layer_is_shown_as_frozen_and_the_others_keep_their_figures(
    shown, columns, rows, context, frozen
):
    lesson = SESSIONS["lesson"]
    session = replace(lesson, network=replace(lesson.network, frozen=frozen))
    lines = shown(session, columns, rows, context)
    assert list(layer_lines(lines)) == [1, 2, 3, 4]
    chart = list(takewhile(str.strip, lines))
    each = (len(chart) - 3) // 4  # lines per layer
    parts = ["\n".join(chart[3 + k * each : 3 + (k + 1) * each]) for k in range(4)]
    assert [k for k, text in enumerate(parts, 1) if "frozen" in text] == list(frozen)
    without = {k for k in frozen if all(j in frozen for j in range(1, k))}  # no delta is computed there
    assert {k for k, text in enumerate(parts, 1) if "none" in text} == without
    ends = f"layer {1 + len(without)}" if columns >= 50 else f"→ {1 + len(without)}"
    assert context.text(ends) in lines[0]
    assert BROKEN_MARK not in "".join(parts)


def test_the_row_of_the_step_is_marked_below_frozen_layers_too(snapshots, shown):
    lesson = SESSIONS["lesson"]
    session = replace(lesson, network=replace(lesson.network, frozen=(1, 2)))
    for snapshot in snapshots(session)[1::3]:
        lines = shown(session, 76, 40, at=snapshot.step.index)
        assert [k for k, text in layer_lines(lines).items() if text[0] == "▸"] == [snapshot.step.block]
