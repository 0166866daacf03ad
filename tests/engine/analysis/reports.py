"""Reports of the gradient flow as if computed, for tests of rules and drawings."""

from __future__ import annotations

from tui_backprop.engine.analysis.gradient_flow import Flow, LayerFlow
from tui_backprop.engine.analysis.judged import Fit
from tui_backprop.engine.analysis.remedies import Setup
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec

SETUP = Setup(NetworkSpec((2, 4, 2)), OptimizerSpec(), 0.1, 4)


def judged_fit(**changes):
    """Make a fit in the middle of training, but for what is changed."""
    well = {"samples": 256, "total": 256, "classes": True, "loss": 0.3, "error": 0.25, "sensitivity": 1.0}
    return Fit(**(well | {"constant": 0.7, "hidden": True} | changes))


def healthy_layer(k, rms=1.0, ratio=1e-3, **changes):
    """Make the figures of a layer, healthy but for those given."""
    return LayerFlow(
        k,
        f"δ{k}",
        f"a{k}",
        **(
            {"delta": rms, "rms": rms, "gradient": 1.0, "weights": 1.0, "update": ratio, "reached": 1.0}
            | changes
        ),
    )


def report_of(*layers, t=1, rises=True, bad=None, setup=SETUP, **fit):
    """Make a report of layers, in which the last update raised the loss; ``fit`` are changes of a fit."""
    return Flow(tuple(layers), judged_fit(**fit), setup, t, rises, bad)
