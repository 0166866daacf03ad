"""The tour at the first start: its text, card by card."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """A fact in ``text``; what to ``press``; the events of which any one shows that it was ``done`` (see
    ``tui/app/tour.py``); and the panel that it is ``about``, where its keys do something else in other panels.

    {action} stands for the key of an action, {parameters} for the network's parameter count, and {passes} for the
    forward passes that its gradient takes by the naive method.
    """

    text: str
    press: str
    done: tuple[str, ...]
    about: str = ""


CARDS = (
    Card(
        "This network has {parameters} parameters. Every number on the screen is real, and computed on this machine.",
        "{step_on} runs the first operation",
        ("step",),
        "walk",
    ),
    Card(
        "Each cell is a unit. The value of the marked one is worked out below the formula, term by term.",
        "{unit(1)} picks another unit",
        ("unit", "loss"),
        "walk",
    ),
    Card(
        "On through the layers: at the end, one number says how wrong the output is. Which weights caused it?",
        "{step_on} up to the loss ({layer(1)}: by layer)",
        ("loss",),
        "walk",
    ),
    Card(
        "Now back. δ is how the loss changes with a unit's sum. A layer's δ comes from the next layer's.",
        "{step_on} begins the backward pass",
        ("delta",),
        "walk",
    ),
    Card(
        "One pass back, and all {parameters} gradients are known. The largest show the weights most to blame.",
        "{panel('blame')} ranks the weights to blame",
        ("blame",),
    ),
    Card(
        "Weight by weight, the same gradient takes {passes} forward passes. How long is that here?",
        "{panel('cost')} shows what it costs",
        ("cost",),
    ),
    Card(
        "{undo} undoes anything, {train} does one update, {sample(1)} shows the next sample, {find} finds any number"
        " by its name.",
        "{help} explains every key",
        ("help",),
    ),
)
