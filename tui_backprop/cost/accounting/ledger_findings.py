"""Sentences on a ledger: the ratio, why it is not three, which network would come close, and what is kept."""

from __future__ import annotations

from dataclasses import dataclass

from tui_backprop.cost.accounting.ledger import (
    Ledger,
    LedgerRow,
    hidden_layers_near_three,
    with_hidden_layers,
)
from tui_backprop.engine.frontends.dense.spec import NetworkSpec, backprop_ratio
from tui_backprop.support.format import format_share
from tui_backprop.support.quantity import Content, Quantity, Text, phrase, ratio

LIMIT = 3.0


@dataclass(frozen=True)
class Finding:
    """A sentence, or a ``figure`` with its description."""

    words: Content
    figure: Quantity | None = None

    @property
    def text(self) -> Text:
        return phrase("{}", self.words) if self.figure is None else phrase("{} {}", self.figure, self.words)


def findings(ledger: Ledger, in_time: Quantity | None = None) -> tuple[Finding, ...]:
    """Return all findings on a ledger, figures first. ``in_time`` is the ratio in time of whole passes of one sample;
    for a batch, it is that of the operations, where they were timed."""
    found = [Finding(f"a forward pass in {ledger.unit}", ratio(ledger.ratio))]
    if ledger.batch == 1 and in_time is not None:
        alone = "; in the table each operation is timed by itself, which takes longer" if ledger.timed else ""
        found.append(Finding(f"in time, of whole passes{alone}", in_time))
    elif ledger.batch > 1 and ledger.ratio_in_time:
        of_batch = f"in time, of the operations, for a batch of {ledger.batch:,}"
        found.append(Finding(of_batch, ratio(ledger.ratio_in_time)))
    kept = Quantity(ledger.total.kept, "bytes")
    last = phrase(
        "Without dW (as Nielsen counts) {}. Kept for the backward pass: {}.", ratio(ledger.without_dw), kept
    )
    if ledger.spec.graph.layered:
        found.append(Finding(_why_not_three(ledger)))
    elif first := [row for row in ledger.layers if row.forward.macs and not row.delta.macs]:
        found.append(Finding(_ends_there(ledger, first[0])))
    if isinstance(ledger.spec, NetworkSpec):
        found.append(Finding(_deeper(ledger.spec)))
    return (*found, Finding(last))


def _why_not_three(ledger: Ledger) -> Text:
    three = ratio(LIMIT, 0)
    graph = ledger.spec.graph
    if graph.depth == 1:
        return phrase("Not {}: its only layer needs no gradient of its input.", three)
    words = f"Not {{}}: {graph.blocks[1].title} has {{}} of the weights, and needs no gradient of its input."
    return phrase(words, three, format_share(ledger.first_share))


def _ends_there(ledger: Ledger, first: LedgerRow) -> Text:
    """Say why the ratio of a network of other blocks than layers is below three."""
    share = format_share(first.forward.macs / ledger.total.forward.macs)
    words = f"Not {{}}: {first.kind} takes {{}} of a forward pass, and needs no gradient of its input."
    return phrase(words, ratio(LIMIT, 0), share)


def _deeper(spec: NetworkSpec) -> Text:
    """Return the ratios of deeper networks of the same width."""
    ten, near = ratio(backprop_ratio(with_hidden_layers(spec, 10))), hidden_layers_near_three(spec)
    width = max(spec.layers[1:-1] or spec.layers)
    deep = ratio(backprop_ratio(with_hidden_layers(spec, near))) if near else None
    there = phrase(f", with {near} it is {{}}", deep) if deep else ""
    return phrase(
        f"With ten hidden layers of {width} it is {{}}{{}}; the limit is {{}}.", ten, there, ratio(LIMIT, 0)
    )
