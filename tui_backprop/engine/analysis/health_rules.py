"""Rules of thumb for what is unhealthy in the gradient flow, and what helps. The rules are a table, gravest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, isfinite

from tui_backprop.engine.analysis import remedies
from tui_backprop.engine.analysis.gradient_flow import Flow
from tui_backprop.engine.analysis.judged import STUCK, FitState
from tui_backprop.engine.analysis.remedies import Remedy
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.support.format import format_number, format_share

# Predicates of (figure, threshold) that are true where a rule is broken. NaN breaks none of the first three.
SIDES: dict[str, Callable[[float, float], bool]] = {
    "above": lambda figure, threshold: threshold < figure < inf,
    "below": lambda figure, threshold: figure < threshold,
    "exactly": lambda figure, threshold: figure == threshold,
    "not finite": lambda figure, threshold: not isfinite(figure),
}
QUIET = frozenset({FitState.LEARNED})  # the states in which most broken rules do no harm
STALLED = frozenset({FitState.LIMIT, FitState.PLATEAU, FitState.STUCK})  # the states without a gradient


@dataclass(frozen=True)
class Case:
    """One case of a broken rule. ``says`` states the finding, with {layer}, {delta} (its symbol), {figure}, {last}
    (the delta of the last hidden layer), {why}, {twins} and {errors}. ``remedies`` each helped in at least 15 of 20
    runs (see benchmarks/advice.py)."""

    says: str
    remedies: tuple[Remedy, ...]
    when: Callable[[Flow], bool] = lambda report: True


@dataclass(frozen=True)
class HealthRule:
    """One rule of thumb: layers whose ``figure`` is on ``side`` of ``threshold`` break it.

    ``words`` is the condition as the screen shows it, with {} for the threshold; ``also`` is its second part, which
    ``besides`` words. ``column`` is the field of LayerFlow that the rule reads, if it reads one; figures of a
    ``share`` are shown as per cent. The first of its ``cases`` that holds says what was found and what helps. In a
    ``harmless`` state, a broken rule is not called out.
    """

    name: str
    words: str
    side: str
    threshold: float
    column: str
    figure: Callable[[Flow], Mapping[int, float]]
    cases: tuple[Case, ...]
    also: Callable[[Flow], bool] = lambda report: True
    besides: str = ""
    share: bool = False
    harmless: frozenset[FitState] = QUIET

    @property
    def condition(self) -> str:
        """The condition in words, with the threshold."""
        return self._whole(self.words.format(self.amount(self.threshold, 1)))

    @property
    def limit(self) -> str:
        """The condition without the name of the figure, as in "above 100"."""
        return self._whole(self.bound)

    @property
    def bound(self) -> str:
        """The threshold alone."""
        side = "over" if self.share and self.side == "above" else self.side
        return f"{side} {self.amount(self.threshold, 1)}" if isfinite(self.threshold) else side

    def _whole(self, first: str) -> str:
        return "; ".join(filter(None, (first, self.besides)))

    def amount(self, value: float, digits: int) -> str:
        """Format a figure of the rule."""
        if not self.share:
            return format_number(value, digits)
        close = value != self.threshold and f"{value:.0%}" == f"{self.threshold:.0%}"
        return format_share(value, decimals=1 if close else 0)

    def nearest(self, report: Flow) -> str:
        """Format the figure nearest to the threshold."""
        shows_any = self.side == "not finite"
        figures = [figure for figure in self.figure(report).values() if shows_any or isfinite(figure)]
        if not figures:
            return "none" if self.side == "not finite" else "n/a"
        return self.amount(max(figures) if self.side == "above" else min(figures), 3)


def _bad(report: Flow) -> Mapping[int, float]:
    return {report.bad.block: report.bad.number} if report.bad else {}


def _twins(report: Flow) -> Mapping[int, float]:
    return {at.layer: sum(map(len, at.twins)) for at in report.hidden}


def _reached(report: Flow) -> Mapping[int, float]:
    """Shares of samples that give a layer a gradient; none where they give the last layer none, or were too few."""
    shares = {at.layer: at.reached for at in report.layers if at.reached is not None}
    return shares if shares.get(len(report.layers)) else {}


def _sensitivity(report: Flow) -> Mapping[int, float]:
    """The sensitivity of the loss, in the output layer; none before the first update."""
    value = report.fit.sensitivity
    return {len(report.layers): value} if report.t and value is not None else {}


def _dead(report: Flow) -> Mapping[int, float]:
    return {at.layer: at.dead for at in report.layers if at.dead is not None}


def _saturated(report: Flow) -> Mapping[int, float]:
    return {at.layer: at.saturated for at in report.layers if at.saturated is not None}


def _ratios(report: Flow) -> Mapping[int, float]:
    """Ratios of the layers that have a gradient; a missing gradient is a rule of its own."""
    return {at.layer: at.ratio for at in report.layers if at.ratio is not None and at.gradient}


# Reasons for the thresholds. All layers share one learning rate, and updates are healthy at about 1e-3 of the
# weights, within two decades; where delta changes by more than two decades over the layers (compared layer by layer
# in Glorot and Bengio 2010), no rate suits both ends. A ReLU network of 40 layers of 64 units with He's weights
# has a third of its units dead at the start, and trains.
HEALTH_RULES: tuple[HealthRule, ...] = (
    HealthRule(
        "not finite", "a value is NaN or inf", "not finite", inf, "rms", _bad,
        (
            Case("{why}", (remedies.RANDOM,), lambda report: not report.starts_finite),
            Case("{why}", (remedies.CLIP, remedies.LOWER_RATE)),
        ),
        harmless=frozenset(),
    ),
    HealthRule(
        "twin units", "units of a layer have equal weights in and out", "above", 0, "twins", _twins,
        (Case("{twins} get equal gradients for ever", (remedies.RANDOM,)),),
    ),
    HealthRule(
        "no gradient", "δ of a layer is not 0 on exactly {} of the samples", "exactly", 0.0, "rms", _reached,
        (Case("{delta} is 0 on every sample", (remedies.WIDE_LEAKY,)),),
        share=True,
    ),
    HealthRule(
        "exploding", "δ rms above {} times the last hidden layer's", "above", 100.0, "rms", Flow.relative,
        (Case("{delta} is {figure} times {last}", (remedies.RANDOM,)),),
    ),
    HealthRule(
        "vanishing", "δ rms below {} times the last hidden layer's", "below", 0.01, "rms", Flow.relative,
        (
            Case(
                "{delta} is {figure} times {last}", (remedies.FEWER_LAYERS, remedies.HE),
                lambda report: len(report.hidden) > 2 * remedies.FEW_LAYERS,
            ),
            Case("{delta} is {figure} times {last}", (remedies.HE,)),
        ),
    ),
    HealthRule(
        "stuck", "norm(dL) norm(w) / L below {}", "below", STUCK, "", _sensitivity,
        (
            Case(
                "{errors}, hardly any gradient left, no hidden layer", (remedies.HIDDEN_LAYER,),
                lambda report: report.fit.state is FitState.LIMIT,
            ),
            Case(
                "hardly any gradient, loss that of a constant output", (remedies.WIDE_RELU, remedies.WIDE_ADAM),
                lambda report: report.fit.state is FitState.PLATEAU,
            ),
            Case("{errors}, hardly any gradient left", (remedies.MORE_UNITS, remedies.OTHER_SEEDS)),
        ),
        also=lambda report: report.fit.state in STALLED, besides="many errors",
    ),
    HealthRule(
        "dead units", "over {} of a layer's units are 0 on every sample", "above", 0.4, "dead", _dead,
        (Case("{figure} of layer {layer}", (remedies.WIDE_LEAKY,)),), share=True,
    ),
    HealthRule(
        "update too large", "update norm above {} times the weights'", "above", 0.1, "ratio", _ratios,
        (Case("{figure} in layer {layer}, and the loss rises", (remedies.LOWER_RATE, remedies.CLIP)),),
        also=lambda report: report.rises, besides="loss rises",
    ),
    HealthRule(
        "saturated units", "over {} of a layer's outputs beyond ±0.97 of tanh", "above", 0.25, "saturated",
        _saturated, (Case("{figure} of layer {layer}", ()),), share=True,
        harmless=frozenset(FitState) - STALLED,
    ),
    HealthRule(
        "update too small", "update norm below {} times the weights'", "below", 1e-5, "ratio", _ratios,
        (Case("{figure} in layer {layer}", (remedies.HIGHER_RATE,)),),
        harmless=QUIET | STALLED,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Callout:
    """A broken rule: the ``layers`` that break it, and the worst of them, ``layer``, with its ``figure``. ``finding``
    says so in a sentence; ``advice`` are the remedies that change something in this run, of the first callout only:
    those after it may be its effects."""

    rule: HealthRule
    case: Case
    layers: tuple[int, ...]
    layer: int
    figure: float
    finding: str
    advice: tuple[Remedy, ...] = ()

    @property
    def name(self) -> str:
        return self.rule.name

    @property
    def threshold(self) -> float:
        return self.rule.threshold


def callouts(report: Flow) -> tuple[Callout, ...]:
    """Return the broken rules that do harm, gravest first."""
    found: list[Callout] = []
    for rule in HEALTH_RULES:
        broken = {} if report.fit.state in rule.harmless else _broken(rule, report)
        if broken:
            worst = (min if rule.side == "below" else max)(broken, key=lambda k: broken[k])
            case = next(case for case in rule.cases if case.when(report))
            finding = _finding(case, rule, report, worst, broken[worst])
            advice = () if found else _advice(case, report)
            found.append(Callout(rule, case, tuple(broken), worst, broken[worst], finding, advice))
    return tuple(found)


def _advice(case: Case, report: Flow) -> tuple[Remedy, ...]:
    """Return the remedies that change something in this run."""
    setup = report.setup
    return tuple(row for row in case.remedies if row.change(setup)) if setup else ()


def harmless(report: Flow) -> tuple[HealthRule, ...]:
    """Return the broken rules that do no harm as training stands."""
    return tuple(rule for rule in HEALTH_RULES if report.fit.state in rule.harmless and _broken(rule, report))


def _broken(rule: HealthRule, report: Flow) -> dict[int, float]:
    side = SIDES[rule.side]
    figures = rule.figure(report) if rule.also(report) else {}
    return {k: figure for k, figure in figures.items() if side(figure, rule.threshold)}


def _finding(case: Case, rule: HealthRule, report: Flow, layer: int, figure: float) -> str:
    symbols = {at.layer: at.symbol for at in report.layers}
    return case.says.format(
        layer=layer,
        delta=symbols.get(layer, ""),
        figure=rule.amount(figure, 2),
        last=symbols.get(len(report.hidden), ""),
        why=report.bad.brief if report.bad else "",
        twins=_named(report, layer),
        errors=report.fit.errors,
    )


def _named(report: Flow, layer: int) -> str:
    """Name the largest group of twins of a layer, counting from 0."""
    if layer not in range(1, len(report.layers)) or not report.layers[layer - 1].twins:
        return ""
    at = report.layers[layer - 1]
    group = max(at.twins, key=len)
    if len(group) > 3:
        return f"{len(group)} equal units of layer {layer}"
    *others, last = (entry_name(at.output, (unit,)) for unit in group)
    return f"{', '.join(others)} and {last}"
