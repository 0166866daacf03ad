"""Every key, in one table: what it does, where it works, and how the key bar and the help name it.

The rows of the keys in force are handed on with the glyphs; what has none of its own takes the usual ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tui_backprop.keys.names import shown_key, types
from tui_backprop.keys.panel_table import FORM_KEYS, PANEL_KEYS
from tui_backprop.session.state import PLACES


@dataclass(frozen=True)
class Key:
    """``keys`` as Textual names them, the app's ``action``, how it is ``shown``, a ``word`` for the key bar
    (none: left out there), and a sentence for the help, in which {action} stands for the key of that action. Those
    that a panel has for itself (``own``) have a ``name`` for the command palette."""

    keys: str
    action: str
    shown: str
    word: str
    help: str
    places: tuple[str, ...] = PLACES
    own: bool = False
    name: str = ""

    @property
    def id(self) -> str:
        """What the settings call the action."""
        return self.action.removeprefix("app.")

    @property
    def fixed(self) -> bool:
        """Whether no settings change it: the form's own keys go with those of a text field."""
        return self.own and "network" in self.places


WALK = ("walk",)
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
    Key("e", "mistake(1)", "e", "error", "The next sample that the network reads wrong (see {confusion})."),
    Key("E", "mistake(-1)", "", "", "The sample before that the network reads wrong."),
    Key("C", "confusion", "C", "", "What is read as what: choose the errors that {mistake(1)} goes through."),
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
    Key("full_stop", "tour", ".", "", "The tour: begin it; then its next card."),
    Key("comma", "end_tour", ",", "", "End the tour."),
    Key(
        "y",
        "token",
        "",
        "",
        "A token of this very moment, for --open on any machine; sent to the clipboard."
        " (backprop-tui token prints it too.)",
    ),
    Key("ctrl+z", "suspend_process", "", "", "To the shell; fg comes back to the same place."),
    Key(
        "ctrl+l", "redraw_all", "", "", "Draw the whole screen anew, where something else has written on it."
    ),
    Key("q,ctrl+q", "quit", "q", "quit", "Quit (where something is under way: twice)."),
)


PANELS_OWN = tuple(
    Key(keys, action, shown, word, words, (place,), own=True, name=name)
    for place, rows in PANEL_KEYS.items()
    for keys, action, shown, word, words, name in rows
)
Rows = Sequence[Key]
ROWS: tuple[Key, ...] = (*KEYS, *PANELS_OWN)


def names_of(key: Key) -> str:
    """All names of a key, as people read them."""
    return " ".join(map(shown_key, key.keys.split(",")))


def key_of(action: str, rows: Rows = ROWS) -> str:
    """The key of an action: the first, as people read it."""
    return next(shown_key(key.keys.split(",")[0]) for key in rows if key.id == action)


def worded(text: str, rows: Rows = ROWS) -> str:
    """A text in which {action} stands for the key of that action."""
    return re.sub(r"\{([^{}]+)\}", lambda found: key_of(found[1], rows), text)


def panel_key(panel: str, rows: Rows = ROWS, *, typing: bool = False) -> str:
    """The key to a panel for the tab bar: a digit if there is one; while ``typing``, one that types nothing."""
    names = next(key.keys for key in rows if key.id == f"panel('{panel}')").split(",")
    fit = [name for name in names if (not types(name) if typing else name.isdigit())]
    return shown_key(fit[0]) if fit else "" if typing else shown_key(names[0])


def own_keys(place: str, rows: Rows = ROWS) -> list[tuple[str, str, str]]:
    """(key, word, sentence) for the keys that a panel has for itself."""
    own = [(key.shown, key.word, key.help) for key in rows if key.own and place in key.places and key.help]
    if place == "network":  # letters type into its fields, so most keys for everywhere do not work there
        for action, word, words in FORM_KEYS:
            names = next(key.keys for key in rows if key.id == action).split(",")
            own += [(shown_key(name), word, words) for name in names if not types(name)][:1]
    return own


def everywhere(place: str, rows: Rows = ROWS) -> list[Key]:
    """The keys that work in every panel, without those that this one has for itself."""
    own = {name for key in rows if key.own and place in key.places for name in key.keys.split(",")}
    return [key for key in rows if key.places == PLACES and key.keys.split(",")[0] not in own]


def bar(place: str, rows: Rows = ROWS) -> list[tuple[str, str]]:
    """(key, word) pairs for the key bar of a panel, those of its own first."""
    own = [(shown, word) for shown, word, _ in own_keys(place, rows)]
    if place == "network":
        return own
    others = everywhere(place, rows)
    return own + [
        (key.shown, key.word)
        for key in rows
        if key.word and not key.own and (key in others or place in key.places != PLACES)
    ]
