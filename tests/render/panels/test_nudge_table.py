"""What the nudge table says of the prediction: what was found, where it was looked for, and no more than that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.analysis.parameter_detail import Nudge, parameter_detail
from tui_backprop.engine.analysis.prediction_flips import Flip, FlipSearch
from tui_backprop.engine.analysis.ranking import ranking
from tui_backprop.engine.network.program import Program
from tui_backprop.render.panels.nudge_table import flip_sentence, flips_found, nudge_lines
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import from_preset

SEARCH = FlipSearch(1, 5, 5, reach=1024, ratio=1.022)
UP, DOWN, CORRECT = Flip(1.299, 6), Flip(-0.5, 3), Flip(5.321, 1)
STEPS = "; searched in steps of 2.2%; flips between them may be missed"


@pytest.mark.parametrize(
    ("search", "words"),
    [
        (SEARCH, f"no flip found from −1,024 to 1,024{STEPS}"),
        (
            replace(SEARCH, up=UP),
            f"+1.299 flips it to 6; no flip found down to −1,024; none found to the label, 1{STEPS}",
        ),
        (
            replace(SEARCH, up=UP, down=DOWN, correction=CORRECT),
            f"−0.5000 flips it to 3; +1.299 flips it to 6; +5.321 flips it to 1 (correct){STEPS}",
        ),
        (
            replace(SEARCH, up=CORRECT, correction=CORRECT),
            f"+5.321 flips it to 1 (correct); no flip found down to −1,024{STEPS}",
        ),
        (
            replace(SEARCH, label=5, down=DOWN),
            f"−0.5000 flips it to 3; no flip found up to 1,024{STEPS}",
        ),
        (FlipSearch(1, None), "no prediction: outputs are not finite"),
        (FlipSearch(1, 5, 5, untried="too many parameters"), "no flip was searched for: too many parameters"),
    ],
)
def test_what_was_found_is_said_and_nothing_beyond_it(search, words):
    assert flips_found(search) == words
    assert flips_found(search, names=[str(k) for k in range(9)]) == words
    assert "may miss some" in flips_found(search, brief=True) or not search.searched


def detail():
    pass_ = Replay().take(from_preset("xor"))
    return pass_, parameter_detail(pass_, ranking(pass_, "gradient", 1)[0], 0)


def test_a_nudge_after_which_nothing_is_predicted_flips_to_nothing():
    _, found = detail()
    changed = replace(
        found,
        flips=replace(SEARCH, up=UP),
        nudges=(Nudge("update", 0.1, 0.1, np.nan, None), Nudge("up", 0.1, 0.1, 0.1, 5)),
    )
    assert flip_sentence(changed).startswith("update: no prediction; +1.299 flips it to 6; ")
    rows = nudge_lines(changed, 60)
    assert [span[1] for span in rows[2] if span[0].strip() == "NaN"] == ["text", "loss"]
    nothing = replace(found, flips=FlipSearch(0, None))
    assert flip_sentence(nothing) == "no prediction: outputs are not finite."


def test_a_prediction_that_is_another_one_in_double_precision_is_told_from_the_network_s():
    _, found = detail()
    other = replace(found, flips=replace(found.flips, network_class=1 - found.flips.predicted_class))
    start = f"in double precision predicted {found.flips.predicted_class}; "
    assert flip_sentence(other).startswith(start)
    assert not flip_sentence(found).startswith(start)


def test_the_loss_above_the_table_is_that_of_double_precision():
    pass_, found = detail()
    program = Program(replace(pass_.spec, dtype="float64"), 4, pass_.program.parameters.astype(float))
    program.feed(pass_.tensor("x").astype(float), pass_.tensor("t").astype(float))
    loss = float(program.forward())
    assert found.base_loss == pytest.approx(loss, rel=1e-14)
    heads = ["".join(text for text, _ in nudge_lines(found, columns)[0]) for columns in (78, 52, 44, 33)]
    assert heads == [
        f"change in the loss from it alone, in double precision, now {loss:.4f}",
        f"float64 loss change from it alone, now {loss:.4f}",
        f"loss change from it alone, now {loss:.4f}",
        "loss change from it alone",
    ]
