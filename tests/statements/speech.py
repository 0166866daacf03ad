"""All that is said of a configuration: every panel and report as text, and every JSON output."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tests.statements.configurations import Configuration
from tests.statements.reference import Reference, reference_of
from tui_backprop.cli.commands.check import run_check
from tui_backprop.cli.output import json_value
from tui_backprop.cost.accounting.ledger import Ledger, ledger
from tui_backprop.data.catalogue import info
from tui_backprop.data.samples import cut
from tui_backprop.engine.analysis.gradient_flow import Flow, flow
from tui_backprop.engine.analysis.judged import Examples
from tui_backprop.engine.analysis.parameter_detail import parameter_detail
from tui_backprop.engine.analysis.ranking import ranking
from tui_backprop.engine.gradients.check.report import Report
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.spans import Line, plain
from tui_backprop.render.panels.flow import flow_panel
from tui_backprop.render.panels.screen_bars import status
from tui_backprop.render.view_state import BlameState, Snapshot
from tui_backprop.report.blame import blame_dict, blame_text
from tui_backprop.report.check import check_text
from tui_backprop.report.trace import trace_dict, trace_text
from tui_backprop.session.misclassified import confusion, first_class
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session
from tui_backprop.session.training_curve import Score, score
from tui_backprop.session.walk_steps import steps_of

WIDE = 160  # columns
EVERY = 30  # parameters ranked


def said(lines: Iterable[Line]) -> str:
    """Lines of a panel as text."""
    return "\n".join(map(plain, lines))


@dataclass
class Speech:
    """What is said of a configuration, each computed when it is first asked for."""

    configuration: Configuration

    @cached_property
    def session(self) -> Session:
        return self.configuration.session()

    @cached_property
    def iteration(self) -> Iteration:
        return Replay().take(self.session)

    @cached_property
    def reference(self) -> Reference:
        return reference_of(self.iteration)

    @cached_property
    def snapshot(self) -> Snapshot:
        return Snapshot(self.session, steps_of(self.session), self.iteration)

    @property
    def exact(self) -> float:
        """How far a number may be off, relative to the numbers that it is made of."""
        return 2e-4 if self.session.network.dtype == "float32" else 1e-9

    @cached_property
    def status(self) -> str:
        return plain(status(self.session, self.snapshot, None, WIDE, UTF8))

    @cached_property
    def blame_state(self) -> BlameState:
        ranked = ranking(self.iteration, "gradient", EVERY)
        label = first_class(self.session, self.iteration)
        detail = parameter_detail(self.iteration, ranked[0], label) if ranked else None
        return BlameState(self.session, self.iteration, ranked, detail)

    @cached_property
    def blame(self) -> dict[str, Any]:
        return blame_dict(self.blame_state)

    @cached_property
    def blame_text(self) -> str:
        return blame_text(self.blame_state, UTF8)

    @cached_property
    def trace(self) -> dict[str, Any]:
        return trace_dict(self.session, self.iteration)

    @cached_property
    def trace_text(self) -> str:
        return trace_text(self.session, self.iteration, UTF8)

    @cached_property
    def check(self) -> Report:
        """The gradient against the complex step, entry by entry; without the updates."""
        options = {
            "method": "backprop", "against": "complex-step", "entries": "all", "exhaustive": False, "fast": False,
            "directions": None, "probes": None, "step": None, "rtol": None, "atol": None, "workers": None,
            "scheduler": None, "tls_ca": None, "tls_cert": None, "tls_key": None,
        }  # fmt: skip
        return run_check(self.session, self.session.network.dtype, options)

    @cached_property
    def check_text(self) -> str:
        return check_text(self.session, self.check, UTF8)

    @cached_property
    def ledger(self) -> Ledger:
        return ledger(self.session.network, self.session.batch)

    @cached_property
    def confusion(self) -> np.ndarray:
        return confusion(self.session, self.iteration.before.parameters)

    @cached_property
    def score(self) -> Score:
        return score(self.session, self.iteration.before.parameters)

    @cached_property
    def flow(self) -> Flow:
        classes = bool(info(self.session.data).classes)
        return flow(self.iteration, Examples(self.data.x, self.data.t, self._samples, classes))

    @cached_property
    def flow_text(self) -> str:
        return said(flow_panel(self.snapshot, self.flow, WIDE, 60, UTF8))

    @cached_property
    def data(self):
        """All samples of the data set."""
        return cut(self.session.network, self.session.data, 0, self._samples)

    @property
    def _samples(self) -> int:
        return info(self.session.data).samples

    @staticmethod
    def json(value: Any) -> str:
        """A value as the commands print it; raises ValueError if that is no JSON."""
        return json.dumps(json_value(value), allow_nan=False)
