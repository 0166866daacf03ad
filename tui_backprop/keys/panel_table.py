"""The panels: what each is called, the keys that open it, and its own keys. One row a panel, and one a page of the
cost panel; key bar, tab bar, help, command palette and bindings are made from them.

What draws a panel is in ``tui/panels``, in the file of the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

# What a key needs of a session to be of use.
SAMPLES, LAYERS, CLASSES, HEADS, BLOCKS = "samples", "layers", "classes", "heads of attention", "blocks"
TEXT = "text"
EARLIER = "earlier session"  # what a key needs besides
SPLIT = "split"  # samples held out for validation


class PanelKey(NamedTuple):
    """A panel's own key: ``keys`` as Textual names them, the ``action``, how the key is ``shown``, a ``word`` for the
    key bar, a sentence for the help, a ``name`` for the command palette.

    Rows that are shown together ("↑ ↓") follow each other; the first has their word and sentence. {action} in a
    sentence stands for the key of that action. An action without "app." is one of the panel's view. ``words`` replace
    the ``word`` while the panel's work is in some state; an empty one leaves the key out. The key bar leaves out a
    key whose ``needs`` (SAMPLES, LAYERS, CLASSES, HEADS, BLOCKS, SPLIT, TEXT) are not met."""

    keys: str
    action: str
    shown: str
    word: str
    help: str
    name: str
    words: tuple[tuple[str, str], ...] = ()  # (state, word)
    needs: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class PanelRow:
    """``title`` is in the panel's frame, ``command`` before the names of its keys in the command palette. The
    ``keys`` open it (a page has none), with a ``word`` for the key bar and a sentence for the ``help``. ``short`` is
    its name in the tab bar where there is little room, ``tab`` its name among the pages of the panel that it is a
    ``page_of``. It is ``of_iteration`` if its numbers are those of one iteration; some panels are
    ``hidden_while_predicting``, since a number that is to be predicted can be seen there. Tab bar and key bar leave
    out a panel whose ``needs`` are not met."""

    name: str
    title: str
    command: str
    keys: str = ""
    word: str = ""
    help: str = ""
    own: tuple[PanelKey, ...] = ()
    tab: str = ""
    short: str = ""
    page_of: str = ""
    of_iteration: bool = False
    hidden_while_predicting: bool = False
    needs: str = ""


# fmt: off
STEPS = (
    PanelKey("right,l", "app.step_on", "← →", "step", "One step back or forward.", "step forward"),
    PanelKey("left,h", "app.step_back", "", "", "", "step back"),
)
TURNS = (
    PanelKey("v", "app.page(1)", "v", "page",
             "The next page: chart, claims, race, step size, ledger, reuse ({page(-1)}: the previous one).",
             "next page"),
    PanelKey("V", "app.page(-1)", "", "", "", "previous page"),
)
SCROLL = (
    PanelKey("up,k", "scroll_page(-1)", "↑ ↓", "scroll", "Scroll through the page.", "scroll up"),
    PanelKey("down,j", "scroll_page(1)", "", "", "", "scroll down"),
    PanelKey("home", "scroll_page(-100000)", "", "", "", "first line"),
    PanelKey("end", "scroll_page(100000)", "", "", "", "last line"),
)
MEASURE = PanelKey("M", "app.measure_again", "M", "measure",
                   "Measure the passes of this network again, and those that other work disturbed.", "measure again")

ROWS: tuple[PanelRow, ...] = (
    PanelRow("network", "network", "Network", "1,f2", "", "Edit the network.", short="net", own=(
        PanelKey("up,shift+tab", "go(-1)", "↑ ↓", "field",
                 "The previous or next field (also tab, which completes a path first).", "previous field"),
        PanelKey("down,tab", "go(1)", "", "", "", "next field"),
        PanelKey("left", "turn(-1)", "← →", "choose",
                 "In a field with choices, the previous or next one; typing goes to the one that begins with it.",
                 "previous choice"),
        PanelKey("right", "turn(1)", "", "", "", "next choice"),
        PanelKey("enter", "apply", "enter", "apply", "Open the file that a field names; then apply the changes: build"
                 " the network that the fields describe.",
                 "apply the changes", (("running", ""),)),
        PanelKey("escape", "discard", "esc", "revert",
                 "Revert the changes that are not applied, or stop reading a file; if there is neither, back to the"
                 " walk.",
                 "revert the changes", (("running", "stop"),)),
    )),
    PanelRow("walk", "walk", "Walk", "2,f3", "", "Show the walk."),
    PanelRow("cost", "cost of one gradient", "Cost chart", "3,f4,dollar_sign", "", "Show the cost chart.",
             tab="chart", page_of="cost", own=(
        *TURNS,
        PanelKey("left,h", "app.cursor(-1)", "← →", "cursor",
                 "Move the chart's cursor over the parameter counts.", "cursor to fewer parameters"),
        PanelKey("right,l", "app.cursor(1)", "", "", "", "cursor to more parameters"),
        PanelKey("up,k", "app.known_network(1)", "↑ ↓", "network",
                 "The next known network (LeNet-5 to GPT-3).", "next larger known network"),
        PanelKey("down,j", "app.known_network(-1)", "", "", "", "next smaller known network"),
        PanelKey("plus,equals_sign", "app.zoom_chart(1)", "+ −", "zoom",
                 "Zoom the chart in or out around the cursor.", "zoom in"),
        PanelKey("minus", "app.zoom_chart(-1)", "", "", "", "zoom out"),
        PanelKey("x", "app.axis", "x", "cost",
                 "Show seconds, forward passes, FLOPs, or a training run.", "next unit"),
        PanelKey("S", "app.sweep", "S", "sweep",
                 "Measure networks up to the memory limit; press again to stop.", "start or stop a sweep",
                 (("running", "stop sweep"),)),
        MEASURE,
        PanelKey("home", "app.cursor(0)", "home", "this network",
                 "Cursor to this network; {cursor(99)}: to a trillion parameters.", "cursor to this network"),
        PanelKey("end", "app.cursor(99)", "", "", "", "cursor to a trillion parameters"),
    )),
    PanelRow("blame", "most to blame", "Blame", "b,4,f5", "blame", "Show the weights that are most to blame.",
             of_iteration=True, hidden_while_predicting=True, own=(
        PanelKey("up,k", "app.rank(-1)", "↑ ↓", "rank",
                 "The previous or next parameter in the ranking ({rank(-10)}, {rank(10)}: ten).",
                 "previous parameter"),
        PanelKey("down,j", "app.rank(1)", "", "", "", "next parameter"),
        PanelKey("pageup", "app.rank(-10)", "", "", "", "ten parameters up"),
        PanelKey("pagedown", "app.rank(10)", "", "", "", "ten parameters down"),
        PanelKey("home", "app.rank(-1000)", "", "", "", "first parameter"),
        PanelKey("left,h", "app.rank_layer(-1)", "← →", "layer",
                 "Rank the parameters of one layer, or of all.", "rank the previous layer", needs=LAYERS),
        PanelKey("right,l", "app.rank_layer(1)", "", "", "", "rank the next layer", needs=LAYERS),
        PanelKey("m", "app.measure", "m", "measure",
                 "Rank by gradient, effect of the update, or weight times gradient.", "rank by the next measure"),
        PanelKey("plus,equals_sign", "app.edit('up')", "+ −", "change", "Change it by 0.01 up or down.",
                 "increase the parameter"),
        PanelKey("minus", "app.edit('down')", "", "", "", "decrease the parameter"),
        PanelKey("x", "app.edit('zero')", "x", "zero it",
                 "Set this parameter to zero; all numbers are recomputed. {undo} undoes it.",
                 "set the parameter to zero"),
        PanelKey("X", "app.edit('flip')", "X", "flip",
                 "Change it by as much as corrects the prediction, or else flips it, if that was found.",
                 "flip the prediction", needs=CLASSES),
        PanelKey("enter", "app.show_in_walk", "enter", "in the walk",
                 "Show the gradient of this parameter in the walk.", "show it in the walk"),
        PanelKey("e", "app.misclassified(1)", "e", "error", "The next misclassified sample.", "", needs=CLASSES),
        PanelKey("C", "app.confusion", "C", "matrix",
                 "The confusion matrix: choose the errors that {misclassified(1)} goes through.", "", needs=CLASSES),
        PanelKey("i,5,f6", "app.panel('number')", "i", "number",
                 "Show where this parameter's gradient comes from, number by number.", ""),
    )),
    PanelRow("number", "one number", "Number", "i,5,f6", "number", "Show one number and its gradient, term by term.",
             short="num", of_iteration=True, hidden_while_predicting=True, own=(
        PanelKey("up,k", "app.number(0, -1)", "↑ ↓ ← →", "entry",
                 "The neighboring entry: rows and columns of a matrix.", "previous row"),
        PanelKey("down,j", "app.number(0, 1)", "", "", "", "next row"),
        PanelKey("left,h", "app.number(1, -1)", "", "", "", "previous column"),
        PanelKey("right,l", "app.number(1, 1)", "", "", "", "next column"),
        PanelKey("left_square_bracket", "app.tensor(-1)", "[ ]", "tensor",
                 "The previous or next tensor of the forward pass: from a weight to the unit before or after it.",
                 "previous tensor of the forward pass"),
        PanelKey("right_square_bracket", "app.tensor(1)", "", "", "", "next tensor of the forward pass"),
        PanelKey("m", "app.largest", "m", "largest",
                 "The entry of this tensor with the largest gradient.", "largest gradient of this tensor"),
        PanelKey("w", "app.pin", "w", "pair",
                 "Plot the loss over two weights: this one and the next one you select.",
                 "pair with the next weight"),
        PanelKey("a", "app.follow_walk", "a", "follow walk", "Show the number at the walk's step.",
                 "follow the walk"),
    )),
    PanelRow("graph", "computation graph", "Graph", "o,6,f7", "graph", "Show the computation graph.",
             of_iteration=True, hidden_while_predicting=True, own=(
        PanelKey("up,k", "app.graph_step(-1)", "↑ ↓", "operation",
                 "The previous or next operation in the graph; the walk follows.", "operation above"),
        PanelKey("down,j", "app.graph_step(1)", "", "", "", "operation below"),
        PanelKey("enter", "app.fold", "enter", "(un)fold", "Unfold the block at the cursor, or fold it.",
                 "fold or unfold the block", needs=BLOCKS),
        *STEPS,
        PanelKey("home", "app.ends(0)", "", "", "", ""),
        PanelKey("end", "app.ends(1)", "", "", "", ""),
    )),
    PanelRow("flow", "gradient flow", "Flow", "f,7,f8", "flow",
             "Show the gradient flow by layer, and any problems.", of_iteration=True,
             hidden_while_predicting=True, own=STEPS),
    PanelRow("curves", "curves", "Curves", "c,8,f9", "curves",
             "Show the curves: activation function, loss along a weight.", of_iteration=True,
             hidden_while_predicting=True, own=(
        PanelKey("up,k", "app.curve_unit(-1)", "↑ ↓", "unit", "The previous or next unit.", "previous unit"),
        PanelKey("down,j", "app.curve_unit(1)", "", "", "", "next unit"),
        *STEPS,
        PanelKey("w", "app.weight_pair", "w", "weights", "The loss along one weight, or over two.",
                 "one weight or two"),
        PanelKey("a", "app.follow_walk", "a", "follow walk", "Show the unit and weight at the walk's step.",
                 "follow the walk"),
    )),
    PanelRow("train", "training", "Training", "T,9,f10", "training",
             "Show training: the loss curve, and what was learned.", hidden_while_predicting=True, own=(
        PanelKey("minus", "app.amount(-1)", "− +", "amount", "How many updates to run at a time.",
                 "fewer updates at a time"),
        PanelKey("plus,equals_sign", "app.amount(1)", "", "", "", "more updates at a time"),
        PanelKey("enter", "app.start_training", "enter", "train",
                 "Run that many updates, on the next batches or on the same one ({repeat}).", "start training",
                 (("running", ""),)),
        PanelKey("escape", "app.stop_training", "esc", "", "Stop training; the updates done so far stay.",
                 "stop training", (("running", "stop"),)),
        PanelKey("m", "app.repeat", "m", "batch",
                 "Train on the next batch each time, or on the same one again and again.", "next or same batch",
                 needs=SAMPLES),
        PanelKey("left,h", "app.iteration(-1)", "← →", "iteration",
                 "The previous or next iteration ({iteration(-10)}, {iteration(10)}: ten; {find} 37: any).",
                 "previous iteration"),
        PanelKey("right,l", "app.iteration(1)", "", "", "", "next iteration"),
        PanelKey("pageup", "app.iteration(-10)", "", "", "", "ten iterations back"),
        PanelKey("pagedown", "app.iteration(10)", "", "", "", "ten iterations forward"),
        PanelKey("home", "app.iteration(-1000000000)", "home", "first",
                 "The first iteration; {iteration(1000000000)}: the latest.", "first iteration"),
        PanelKey("end", "app.iteration(1000000000)", "", "", "", "latest iteration"),
    )),
    PanelRow("bookmarks", "bookmarks", "Bookmarks", "d,0,f12", "bookmarks",
             "Show the bookmarks, and the difference between two.", short="marks",
             hidden_while_predicting=True, own=(
        PanelKey("up,k", "app.bookmark(-1)", "↑ ↓", "bookmark", "The previous or next bookmark.",
                 "previous bookmark"),
        PanelKey("down,j", "app.bookmark(1)", "", "", "", "next bookmark"),
        PanelKey("enter", "app.go_to_bookmark", "enter", "go there", "Go to this bookmark.", "go to this bookmark"),
        PanelKey("w", "app.hold_bookmark", "w", "base",
                 "Compare with this bookmark instead of the current state; again: release it.",
                 "hold or release this bookmark"),
        PanelKey("left_square_bracket,pageup", "scroll_tensors(-1)", "[ ]", "scroll",
                 "Scroll the list of tensors (also page up, page down).", "scroll up"),
        PanelKey("right_square_bracket,pagedown", "scroll_tensors(1)", "", "", "", "scroll down"),
        PanelKey("x,delete", "app.delete_bookmark", "x", "delete", "Delete this bookmark.", "delete this bookmark"),
    )),
    PanelRow("text", "generated text", "Text", "G", "text",
             "Generate text, and show which earlier letters and which weights made it say a letter.",
             of_iteration=True, hidden_while_predicting=True, needs=TEXT, own=(
        PanelKey("space", "app.generate(1)", "space", "next", "Generate the next letter.", "next letter"),
        PanelKey("g", "app.generate(0)", "g", "all", "Generate the rest; of a text that has ended, the next one.",
                 "generate the rest"),
        PanelKey("left,h", "app.letter(-1)", "← →", "letter", "The previous or next letter of the text.",
                 "previous letter of the text"),
        PanelKey("right,l", "app.letter(1)", "", "", "", "next letter of the text"),
        PanelKey("enter", "app.walk_letter", "enter", "walk",
                 "Walk the text with the loss of this letter alone; {sample(1)} there goes back to the samples.",
                 "show the letter in the walk"),
        PanelKey("b,4,f5", "app.blame_letter", "b", "blame", "Rank all weights by their blame for this letter.",
                 "rank all weights by their blame"),
        PanelKey("plus,equals_sign", "app.fix_weight('up')", "+ − x", "fix",
                 "Change the weight by 0.01 up or down, or set it to zero ({fix_weight('zero')}); {undo} undoes it.",
                 "increase the weight"),
        PanelKey("minus", "app.fix_weight('down')", "", "", "", "decrease the weight"),
        PanelKey("x", "app.fix_weight('zero')", "", "", "", "set the weight to zero"),
        PanelKey("up,k", "app.letter_weight(-1)", "↑ ↓", "weight",
                 "The previous or next of the weights that are most to blame for this letter.", "previous weight"),
        PanelKey("down,j", "app.letter_weight(1)", "", "", "", "next weight"),
        PanelKey("n", "app.new_text(1)", "n", "new", "Begin the next text ({new_text(-1)}: the one before).",
                 "begin the next text"),
        PanelKey("N", "app.new_text(-1)", "", "", "", "begin the text before"),
        PanelKey("left_square_bracket", "app.temperature(-1)", "[ ]", "temperature",
                 "A lower or higher temperature: 0 generates the most likely letter, 1 draws as predicted.",
                 "lower temperature"),
        PanelKey("right_square_bracket", "app.temperature(1)", "", "", "", "higher temperature"),
    )),
    PanelRow("claims", "the lesson's claims, measured", "Claims",
             help="Show the lesson's claims, measured on this machine.",
             tab="claims", page_of="cost", own=(*TURNS, *SCROLL, MEASURE)),
    PanelRow("race", "the race", "Race",
             help="Show the race: a numerical gradient against backprop, parameter by parameter.",
             tab="race", page_of="cost", hidden_while_predicting=True, own=(
        *TURNS,
        PanelKey("enter", "app.race", "enter", "start", "Start, pause or resume the race.",
                 "start or pause", (("running", "pause"), ("paused", "resume"))),
        PanelKey("escape", "app.cancel_race", "esc", "", "Cancel the race.", "cancel",
                 (("running", "cancel"), ("paused", "cancel"))),
        PanelKey("m", "app.race_method", "m", "method", "The next numerical method, while no race runs.",
                 "next method", (("running", ""), ("paused", ""))),
    )),
    PanelRow("step_size", "step size", "Step size",
             help="Show the step size: the error of a finite difference for each h.",
             tab="step", page_of="cost", of_iteration=True, hidden_while_predicting=True, own=(
        *TURNS,
        PanelKey("left,h", "app.change_step(-1)", "← →", "step h",
                 "A larger or smaller step size h ({change_step(0)}: the lesson's 0.0001).", "larger step size"),
        PanelKey("right,l", "app.change_step(1)", "", "", "", "smaller step size"),
        PanelKey("pageup", "app.change_step(-4)", "", "", "", "step size ten times larger"),
        PanelKey("pagedown", "app.change_step(4)", "", "", "", "step size ten times smaller"),
        PanelKey("home", "app.change_step(0)", "", "", "", "the lesson's step size"),
        PanelKey("x", "app.precision", "x", "precision", "float32 or float64.", "the other precision"),
    )),
    PanelRow("ledger", "ledger of one pass", "Ledger",
             help="Show the ledger of one pass: operations, time and memory of each layer.",
             tab="ledger", page_of="cost", own=(
        *TURNS,
        PanelKey("up,k", "scroll_ledger(-1)", "↑ ↓", "scroll", "Scroll through the layers.", "previous layer"),
        PanelKey("down,j", "scroll_ledger(1)", "", "", "", "next layer"),
        PanelKey("home", "scroll_ledger(-100000)", "", "", "", "first layer"),
        PanelKey("end", "scroll_ledger(100000)", "", "", "", "last layer"),
    )),
    PanelRow("reuse", "paths & reuse", "Reuse",
             help="Show paths and reuse: how one backward pass covers every path.",
             tab="reuse", page_of="cost", own=(*TURNS, *SCROLL)),
)
# fmt: on

PANEL_ROWS = {row.name: row for row in ROWS}
PANELS = tuple(row.name for row in ROWS if row.keys)  # those that a key opens, in the order of the tab bar
COST_PAGES = tuple(row.name for row in ROWS if row.page_of)
PLACES = tuple(PANEL_ROWS)  # all that can have the focus
