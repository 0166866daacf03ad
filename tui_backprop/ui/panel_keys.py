"""The keys that a panel has for itself, in one table: its widget's bindings, the key bar, the help and the command
palette are made from it."""

from __future__ import annotations

# (keys as Textual names them, action, how it is shown, a word for the key bar, a sentence for the help, a name for
# the command palette). Rows that are shown together ("↑ ↓") follow each other; the first has their word and sentence.
# {action} in a sentence stands for the key of that action. An action without "app." is the widget's own.
Row = tuple[str, str, str, str, str, str]

# fmt: off
STEPS: tuple[Row, ...] = (
    ("right,l", "app.step_on", "← →", "step", "One step back or on.", "step on"),
    ("left,h", "app.step_back", "", "", "", "step back"),
)
TURNS: tuple[Row, ...] = (
    ("v", "app.page(1)", "v", "page",
     "The next page: chart, claims, race, step dial, ledger, reuse ({page(-1)}: the one before).", "the next page"),
    ("V", "app.page(-1)", "", "", "", "the page before"),
)

PANEL_KEYS: dict[str, tuple[Row, ...]] = {
    "network": (
        ("up,k", "go(-1)", "↑ ↓", "field", "The field before or after (also tab).", "the field before"),
        ("down,j", "go(1)", "", "", "", "the next field"),
        ("left,h", "turn(-1)", "← →", "choose",
         "In a field with choices: the one before or after.", "the choice before"),
        ("right,l,space", "turn(1)", "", "", "", "the next choice"),
        ("enter", "apply", "enter", "apply", "Build the network that the fields describe.", "build it"),
        ("escape", "discard", "esc", "undo", "Take back what is not applied yet.", "take back what was edited"),
    ),
    "walk": (),
    "blame": (
        ("up,k", "app.culprit(-1)", "↑ ↓", "rank",
         "The parameter before or after in the ranking ({culprit(-10)}, {culprit(10)}: ten).",
         "the parameter before"),
        ("down,j", "app.culprit(1)", "", "", "", "the next parameter"),
        ("pageup", "app.culprit(-10)", "", "", "", "ten parameters up"),
        ("pagedown", "app.culprit(10)", "", "", "", "ten parameters down"),
        ("home", "app.culprit(-1000)", "", "", "", "the first parameter"),
        ("left,h", "app.accuse(-1)", "← →", "layer",
         "Rank the parameters of one layer, or of all.", "rank the layer before"),
        ("right,l", "app.accuse(1)", "", "", "", "rank the next layer"),
        ("m", "app.measure", "m", "measure",
         "Rank by gradient, effect of the update, weight times gradient.", "rank by another measure"),
        ("e", "app.mistake(1)", "e", "error", "The next sample that is read wrong.", ""),
        ("C", "app.confusion", "C", "errors",
         "What is read as what: choose the errors that {mistake(1)} goes through, such as a 7 read as 2.", ""),
        ("i,5,f6", "app.panel('number')", "i", "number",
         "Show where this parameter's gradient comes from, number by number.", ""),
        ("enter", "app.look_up", "enter", "in the walk",
         "Show the gradient of this parameter in the walk.", "show it in the walk"),
        ("x", "app.fix('zero')", "x", "zero it",
         "Set this parameter to zero, for real: all numbers follow. {undo} takes it back.",
         "set the parameter to zero"),
        ("X", "app.fix('turn')", "X", "turn",
         "Move it as far as it takes to change what the sample is read as, if it can.",
         "move the parameter to turn the answer"),
        ("plus,equals_sign", "app.fix('up')", "+ −", "move", "Move it by 0.01 up or down.", "move the parameter up"),
        ("minus", "app.fix('down')", "", "", "", "move the parameter down"),
    ),
    "number": (
        ("up,k", "app.number(0, -1)", "↑ ↓ ← →", "place",
         "The number before or after: rows and columns of a matrix.", "the row before"),
        ("down,j", "app.number(0, 1)", "", "", "", "the next row"),
        ("left,h", "app.number(1, -1)", "", "", "", "the column before"),
        ("right,l", "app.number(1, 1)", "", "", "", "the next column"),
        ("left_square_bracket", "app.tensor(-1)", "[ ]", "tensor",
         "Back or on along the way that values go: from a weight to the unit before or after it.",
         "back along the way that values go"),
        ("right_square_bracket", "app.tensor(1)", "", "", "", "on along the way that values go"),
        ("m", "app.largest", "m", "largest",
         "The number of this tensor with the largest gradient.", "the largest gradient of this tensor"),
        ("w", "app.pin", "w", "pair",
         "Draw the loss over two weights: this one, and the next one looked at.", "pair it with the next weight"),
        ("a", "app.unasked", "a", "the walk's", "Back to the number that the walk is at.", "the walk's own"),
    ),
    "graph": (
        ("up,k", "app.along_graph(-1)", "↑ ↓", "operation",
         "Along the graph: the same cursor as the walk's.", "an operation up"),
        ("down,j", "app.along_graph(1)", "", "", "", "an operation down"),
        *STEPS,
        ("home", "app.ends(0)", "", "", "", ""),
        ("end", "app.ends(1)", "", "", "", ""),
    ),
    "flow": STEPS,
    "curves": (
        ("up,k", "app.other_unit(-1)", "↑ ↓", "unit", "The unit before or after.", "the unit before"),
        ("down,j", "app.other_unit(1)", "", "", "", "the next unit"),
        *STEPS,
        ("w", "app.two_weights", "w", "weights", "The loss along one weight, or over two.", "one weight or two"),
        ("a", "app.unasked", "a", "the walk's",
         "Back to the unit and the weight of the walk's step.", "the walk's own"),
    ),
    "train": (
        ("up,k", "app.amount(-1)", "↑ ↓", "how much", "How much is trained at a time.", "less at a time"),
        ("down,j", "app.amount(1)", "", "", "", "more at a time"),
        ("enter", "app.learn", "enter", "train",
         "Train so much, each update with the next samples.", "train so much"),
        ("escape", "app.stop_learning", "esc", "stop", "Stop training; what was done stays.", "stop"),
        ("left,h", "app.travel(-1)", "← →", "iteration",
         "Back in time: the iteration before or after ({travel(-10)}, {travel(10)}: ten; {ask} 37: any).",
         "the iteration before"),
        ("right,l", "app.travel(1)", "", "", "", "the next iteration"),
        ("pageup", "app.travel(-10)", "", "", "", "ten iterations back"),
        ("pagedown", "app.travel(10)", "", "", "", "ten iterations on"),
        ("home", "app.travel(-1000000000)", "home", "first",
         "To the first iteration; {travel(1000000000)}: to the newest.", "the first iteration"),
        ("end", "app.travel(1000000000)", "", "", "", "the newest iteration"),
    ),
    "marks": (
        ("up,k", "app.bookmark(-1)", "↑ ↓", "bookmark", "The bookmark before or after.", "the one before"),
        ("down,j", "app.bookmark(1)", "", "", "", "the next one"),
        ("enter", "app.to_bookmark", "enter", "go there", "Go there: to the place of this bookmark.", "go there"),
        ("w", "app.hold_bookmark", "w", "hold",
         "Hold this one: the others are compared with it, not with now. Again lets it go.",
         "hold this one, or let it go"),
        ("left_square_bracket,pageup", "scroll_tensors(-1)", "[ ]", "scroll",
         "Scroll the list of tensors (page up, page down: too).", "scroll up"),
        ("right_square_bracket,pagedown", "scroll_tensors(1)", "", "", "", "scroll down"),
        ("x,delete", "app.drop_bookmark", "x", "drop", "Drop this bookmark.", "drop this one"),
    ),
    "cost": (
        *TURNS,
        ("left,h", "app.cursor(-1)", "← →", "cursor",
         "Move the chart's cursor over the parameter counts.", "the cursor to fewer parameters"),
        ("right,l", "app.cursor(1)", "", "", "", "the cursor to more parameters"),
        ("up,k", "app.known(1)", "↑ ↓", "network",
         "To the next known network, LeNet-5 to GPT-3.", "to the next larger known network"),
        ("down,j", "app.known(-1)", "", "", "", "to the next smaller known network"),
        ("plus,equals_sign", "app.zoom_chart(1)", "+ −", "zoom",
         "Zoom the chart in and out around the cursor.", "zoom in"),
        ("minus", "app.zoom_chart(-1)", "", "", "", "zoom out"),
        ("x", "app.axis", "x", "axis", "In seconds, forward passes, FLOPs, or for a training run.", "another axis"),
        ("S", "app.sweep", "S", "sweep",
         "Measure networks up to what memory holds; again stops.", "sweep, or stop that"),
        ("home", "app.cursor(0)", "home", "this network",
         "The cursor back to the current network; {cursor(99)}: to a trillion.", "the cursor to this network"),
        ("end", "app.cursor(99)", "", "", "", "the cursor to a trillion parameters"),
    ),
    "claims": TURNS,
    "race": (
        *TURNS,
        ("enter", "app.race", "enter", "start", "Start the race; then pause it, and go on.", "start, pause, go on"),
        ("escape", "app.call_off", "esc", "cancel", "Call the race off.", "call it off"),
        ("m", "app.racer", "m", "method", "The numerical method that races, before it starts.", "another method"),
    ),
    "dial": (
        *TURNS,
        ("left,h", "app.turn_dial(-1)", "← →", "step h",
         "The step h one notch larger or smaller ({turn_dial(0)}: the lesson's 0.0001).", "a larger step h"),
        ("right,l", "app.turn_dial(1)", "", "", "", "a smaller step h"),
        ("pageup", "app.turn_dial(-4)", "", "", "", "a step h ten times larger"),
        ("pagedown", "app.turn_dial(4)", "", "", "", "a step h ten times smaller"),
        ("home", "app.turn_dial(0)", "", "", "", "the lesson's step h"),
        ("x", "app.precision", "x", "precision", "In float32 or float64.", "the other precision"),
    ),
    "ledger": (
        *TURNS,
        ("up,k", "scroll_ledger(-1)", "↑ ↓", "scroll", "The layers before or after.", "the layer before"),
        ("down,j", "scroll_ledger(1)", "", "", "", "the next layer"),
        ("home", "scroll_ledger(-100000)", "", "", "", "the first layer"),
        ("end", "scroll_ledger(100000)", "", "", "", "the last layer"),
    ),
    "reuse": TURNS,
}
# fmt: on

# Keys for everywhere that the network's form names in its own bar: those of them that do not type a character.
FORM_KEYS = (
    ("panel('walk')", "walk", "Back to the walk."),
    ("help", "help", "This page (letters type into the fields)."),
    ("quit", "quit", "Quit."),
)
