"""Every key, in one table: what it does, where it works, and how the key bar and the help name it."""

from __future__ import annotations

from dataclasses import dataclass

from tui_backprop.session import PLACES


@dataclass(frozen=True)
class Key:
    """``keys`` as Textual names them, the app's ``action``, how it is ``shown``, a ``word`` for the key bar
    (none: left out there), and a sentence for the help."""

    keys: str
    action: str
    shown: str
    word: str
    help: str
    places: tuple[str, ...] = PLACES


WALK = ("walk",)
PAGE = ("v", "page", "The next page: chart, claims, race, step dial, ledger, reuse (V: the one before).")
KEYS = (
    Key(
        "right,l", "step_on", "← →", "step", "One step on; from the last step into the next iteration.", WALK
    ),
    Key("left,h", "step_back", "", "", "One step back, also into the iteration before.", WALK),
    Key("up,k", "unit(-1)", "↑ ↓", "unit", "Select the unit before.", WALK),
    Key("down,j", "unit(1)", "", "", "Select the next unit.", WALK),
    Key("right_square_bracket", "layer(1)", "[ ]", "layer", "To the next layer of the walk.", WALK),
    Key("left_square_bracket", "layer(-1)", "", "", "To the layer before.", WALK),
    Key("g", "grain", "g", "grain", "Go by layers, by equations, or by single operations.", WALK),
    Key("v", "view", "v", "view", "The array as a map, histogram, largest entries, or picture.", WALK),
    Key("space", "play", "space", "play", "Play and pause.", WALK),
    Key("plus,equals_sign", "speed(1)", "+", "", "Play faster."),
    Key("minus", "speed(-1)", "-", "", "Play slower."),
    Key("home", "ends(0)", "", "", "To the first step.", WALK),
    Key("end", "ends(1)", "", "", "To the last step.", WALK),
    Key("t", "train", "t", "train", "Train one whole step: same place, one iteration later."),
    Key("n", "sample(1)", "n", "sample", "The next sample."),
    Key("N,p", "sample(-1)", "", "", "The sample before."),
    Key("a", "automatic", "", "", "Back to the unit with the largest |δ| in every layer.", WALK),
    Key(
        "m",
        "clock",
        "m",
        "clock",
        "Clock: this machine's, or the lesson's 1 ms a forward pass.",
        ("cost", "claims"),
    ),
    Key("1,f2", "panel('network')", "", "", "To the network: edit it."),
    Key("2,f3", "panel('walk')", "", "", "To the walk."),
    Key("3,f4,dollar_sign", "panel('cost')", "", "", "To the cost chart."),
    Key("b,4,f5", "panel('blame')", "b", "blame", "To the weights that are most to blame."),
    Key("i,5,f6", "panel('number')", "i", "number", "To one number: where it comes from, its gradient."),
    Key("o,6,f7", "panel('graph')", "o", "graph", "To the operations: the computation graph."),
    Key(
        "f,7,f8", "panel('flow')", "f", "flow", "To the gradient flow over depth, and what is wrong with it."
    ),
    Key(
        "c,8,f9", "panel('curves')", "c", "curves", "To the curves: activation function, loss along a weight."
    ),
    Key("T,9,f10", "panel('train')", "T", "training", "To training: how it went, and what was learned."),
    Key("d,0,f12", "panel('marks')", "d", "marks", "To the bookmarks, and what is different between two."),
    Key("s", "set_bookmark", "s", "bookmark", "Set a bookmark here."),
    Key("z", "zoom", "z", "zoom", "The current panel alone, and back."),
    Key("e", "mistake(1)", "e", "error", "The next sample that the network reads wrong (see C)."),
    Key("E", "mistake(-1)", "", "", "The sample before that the network reads wrong."),
    Key("C", "confusion", "C", "", "What is read as what: choose the errors that e goes through."),
    Key(
        "slash",
        "ask",
        "/",
        "find",
        "Look at a number by its name (W2[13,200], a1[40]), or go to an iteration (37).",
    ),
    Key("r", "restart", "r", "restart", "Back to the first weights (iteration 0)."),
    Key(
        "u",
        "undo",
        "u",
        "undo",
        "Undo: back to what was before. Moves of one cursor in a row are undone together.",
    ),
    Key("U,ctrl+r", "redo", "", "", "Redo what was undone."),
    Key("question_mark,f1", "help", "?", "help", "This page."),
    Key(
        "y", "token", "", "", "A token of this very moment, for --open on any machine; sent to the clipboard."
    ),
    Key("ctrl+z", "suspend_process", "", "", "To the shell; fg comes back to the same place."),
    Key("q,ctrl+q", "quit", "q", "quit", "Quit."),
)

# Keys that a panel has for itself, for the key bar and the help.
PANEL_KEYS = {
    "network": (
        ("↑ ↓", "field", "The field before or after (also tab)."),
        ("← →", "choose", "In a field with choices: the one before or after."),
        ("enter", "apply", "Build the network that the fields describe."),
        ("esc", "undo", "Take back what is not applied yet."),
        ("F3", "walk", "Back to the walk."),
        ("F1", "help", "This page (letters type into the fields)."),
        ("ctrl+q", "quit", "Quit."),
    ),
    "walk": (),
    "blame": (
        ("↑ ↓", "rank", "The parameter before or after in the ranking (page up, page down: ten)."),
        ("← →", "layer", "Rank the parameters of one layer, or of all."),
        ("m", "measure", "Rank by gradient, effect of the update, weight times gradient."),
        ("e", "error", "The next sample that is read wrong."),
        (
            "C",
            "errors",
            "What is read as what: choose the errors that e goes through, such as a 7 read as 2.",
        ),
        ("i", "number", "Show where this parameter's gradient comes from, number by number."),
        ("enter", "in the walk", "Show the gradient of this parameter in the walk."),
        ("x", "zero it", "Set this parameter to zero, for real: all numbers follow. u takes it back."),
        ("X", "turn", "Move it as far as it takes to change what the sample is read as, if it can."),
        ("+ −", "move", "Move it by 0.01 up or down."),
    ),
    "number": (
        ("↑ ↓ ← →", "place", "The number before or after: rows and columns of a matrix."),
        (
            "[ ]",
            "tensor",
            "Back or on along the way that values go: from a weight to the unit before or after it.",
        ),
        ("m", "largest", "The number of this tensor with the largest gradient."),
        ("w", "pair", "Draw the loss over two weights: this one, and the next one looked at."),
        ("a", "the walk's", "Back to the number that the walk is at."),
    ),
    "graph": (
        ("↑ ↓", "operation", "Along the graph: the same cursor as the walk's."),
        ("← →", "step", "One step back or on."),
    ),
    "flow": (("← →", "step", "One step back or on."),),
    "curves": (
        ("↑ ↓", "unit", "The unit before or after."),
        ("← →", "step", "One step back or on."),
        ("w", "weights", "The loss along one weight, or over two."),
        ("a", "the walk's", "Back to the unit and the weight of the walk's step."),
    ),
    "train": (
        ("↑ ↓", "how much", "How much is trained at a time."),
        ("enter", "train", "Train so much, each update with the next samples."),
        ("esc", "stop", "Stop training; what was done stays."),
        (
            "← →",
            "iteration",
            "Back in time: the iteration before or after (page up, page down: ten; / 37: any).",
        ),
        ("home", "first", "To the first iteration; end: to the newest."),
    ),
    "marks": (
        ("↑ ↓", "bookmark", "The bookmark before or after."),
        ("enter", "go there", "Go there: to the place of this bookmark."),
        ("w", "hold", "Hold this one: the others are compared with it, not with now. Again lets it go."),
        ("[ ]", "scroll", "Scroll the list of tensors (page up, page down: by pages)."),
        ("x", "drop", "Drop this bookmark."),
    ),
    "cost": (
        PAGE,
        ("← →", "cursor", "Move the chart's cursor over the parameter counts."),
        ("↑ ↓", "network", "To the next known network, LeNet-5 to GPT-3."),
        ("+ −", "zoom", "Zoom the chart in and out around the cursor."),
        ("x", "axis", "In seconds, forward passes, FLOPs, or for a training run."),
        ("S", "sweep", "Measure networks up to what memory holds; again stops."),
        ("home", "this network", "The cursor back to the current network; end: to a trillion."),
    ),
    "claims": (PAGE,),
    "race": (
        PAGE,
        ("enter", "start", "Start the race; then pause it, and go on."),
        ("esc", "cancel", "Call the race off."),
        ("m", "method", "The numerical method that races, before it starts."),
    ),
    "dial": (
        PAGE,
        ("← →", "step h", "The step h one notch smaller or larger (home: the lesson's 0.0001)."),
        ("x", "precision", "In float32 or float64."),
    ),
    "ledger": (
        PAGE,
        ("↑ ↓", "scroll", "The layers before or after."),
    ),
    "reuse": (PAGE,),
}


def bar(place: str) -> list[tuple[str, str]]:
    """(key, word) pairs for the key bar of a panel, those of its own first."""
    own = [(shown, word) for shown, word, _ in PANEL_KEYS[place]]
    if place == "network":  # letters type into its fields, so the keys for everywhere do not work there
        return own
    return own + [(key.shown, key.word) for key in KEYS if key.word and place in key.places]
