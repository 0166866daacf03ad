"""Hold blame's ranking of earlier letters against the change of the loss when each of them is replaced: on names that
a trained GPT generates, for every letter with at least three tokens before it.

    .venv/bin/python benchmarks/blamed_letters.py
    .venv/bin/python benchmarks/blamed_letters.py --names 200 --steps 3000 --temperature 1
"""

from __future__ import annotations

import argparse
from itertools import islice

import numpy as np

from tui_backprop.data.samples import load_text
from tui_backprop.engine.analysis.blame_agreement import Judged, judged
from tui_backprop.engine.analysis.generation import Predictor, Sampling
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import after_training

SHOWN = 5  # disagreements


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    add = parser.add_argument
    add("--names", type=int, default=50, help="names generated (50)")
    add("--steps", type=int, default=1000, help="updates before that (1,000)")
    add("--temperature", type=float, default=0.5, help="temperature (0.5)")
    add("--seed", type=int, default=0, help="seed of the draws (0)")
    return parser.parse_args()


def told(each: Judged, name: str, names_of: tuple[str, ...]) -> str:
    """Tell where blame and the real change disagree most for one letter."""
    worst = each.worst
    predicted = name[each.position] if each.position < len(name) else names_of[-1]
    found = worst.replaced
    assert found is not None
    return (
        f'"{name}": letter {each.position + 1} ({predicted}), blamed: {worst.position}'
        f" ({names_of[worst.token]}): mean change to first order {worst.first_order:+.3f}, actual {found.mean:+.3f}"
    )


def main() -> None:
    chosen = options()
    session = after_training(from_preset("microgpt"), chosen.steps)
    parameters, text = Replay(0).state(session).parameters, load_text(session.data)
    predictor = Predictor(session.network, parameters, text.boundary)
    names = []
    for number in range(chosen.names):
        sampling = Sampling(chosen.temperature, chosen.seed, number)
        tokens = [choice.token for choice in predictor.generate((), sampling)]
        names.append([token for token in tokens if token != text.boundary])
    windows = (text.window(name, session.network.context) for name in names)
    rankings = list(judged(session.network, parameters, windows, text.boundary))
    rho = np.array([each.rho for each in rankings])
    print(f"{len(names)} names, {len(rankings):,} letters with 3 tokens or more before them")
    print(
        f"rank correlation of mean change to first order and actual: mean {rho.mean():.3f},"
        f" median {np.median(rho):.3f}, worst {rho.min():.3f}; below 0: {np.mean(rho < 0):.0%}"
    )
    print(f"first of the ranking is the same: {np.mean([each.same_first for each in rankings]):.1%}")
    print(
        f"letters with the same sign: {np.mean([each.same_signs for each in rankings]):.1%} (mean of the rankings)"
    )
    print("largest disagreements:")
    names_of = (*text.characters, "BOS")
    for each in islice(sorted(rankings, key=lambda each: -each.worst.disagreement), SHOWN):
        print(f"  {told(each, text.decode(names[each.text]), names_of)}")


if __name__ == "__main__":
    main()
