"""Every key in one table: what it does, in which panels, and how the key bar and the help name it.

The rows of the keys in force are part of the render context; by default they are these.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tui_backprop.keys.key_names import shown_key, spoken_key, types
from tui_backprop.keys.panel_row import CLASSES, EARLIER, HEADS, SAMPLES, SPLIT
from tui_backprop.keys.panel_table import PLACES
from tui_backprop.keys.panel_table import ROWS as PANEL_ROWS


@dataclass(frozen=True, eq=False, repr=False)
class Key:
    """``keys`` as Textual names them, the app's ``action``, how it is ``shown``, a ``word`` for the key bar
    (none: left out there), and a sentence for the help, in which {action} stands for the key of that action. Those
    that are a panel's ``own`` have a ``name`` for the command palette. The key bars of the panels in which a key
    is ``pinned`` name it at every width."""

    keys: str
    action: str
    shown: str
    word: str
    help: str
    places: tuple[str, ...] = PLACES
    pinned: tuple[str, ...] = ()
    own: bool = False
    name: str = ""
    words: tuple[tuple[str, str], ...] = ()  # (state, word): instead of ``word`` in that state
    needs: str = ""  # what there must be for the key bar to name it
    always: bool = False  # also in dialogs and while other keys wait, unless it types a character there

    @property
    def id(self) -> str:
        """The name of the action in the settings."""
        return self.action.removeprefix("app.")

    @property
    def fixed(self) -> bool:
        """True for keys that no settings change: the form's own go with those of a text field."""
        return self.own and "network" in self.places


WALK = ("walk",)
OPENING = tuple(
    Key(
        row.keys, f"panel('{row.name}')", row.keys[0] if row.word else "", row.word, row.help, needs=row.needs
    )
    for row in PANEL_ROWS
    if row.keys
)
# fmt: off
KEYS = (
    Key("right,l", "step_on", "← →", "step", "One step forward; from the last step into the next iteration.", WALK),
    Key("left,h", "step_back", "", "", "One step back, also into the previous iteration.", WALK),
    Key("up,k", "unit(-1)", "↑ ↓", "{unit}", "Select the previous unit, entry or position.", WALK),
    Key("down,j", "unit(1)", "", "", "Select the next one.", WALK),
    Key("J", "head(1)", "K J", "head", "The next head of attention.", WALK, needs=HEADS),
    Key("K", "head(-1)", "", "", "The previous head.", WALK),
    Key("right_square_bracket", "layer(1)", "[ ]", "{part}", "The next layer, block or statement.", WALK),
    Key("left_square_bracket", "layer(-1)", "", "", "The previous one.", WALK),
    Key("g", "grain", "g", "grain", "Step by layer (block, statement), equation or single operation.", WALK),
    Key("space", "play", "space", "play", "Play or pause.", WALK),
    Key("v", "view", "v", "view", "The array as a map, histogram, largest entries, or picture.", WALK),
    Key("plus,equals_sign", "speed(1)", "+", "", "Play faster."),
    Key("minus", "speed(-1)", "-", "", "Play slower."),
    Key("home", "ends(0)", "", "", "The first step.", WALK),
    Key("end", "ends(1)", "", "", "The last step.", WALK),
    Key("t", "train", "t", "train", "Train for one iteration; the walk stays at its step."),
    Key("n", "sample(1)", "n", "sample", "The next sample.", needs=SAMPLES),
    Key("N,p", "sample(-1)", "", "", "The previous sample."),
    Key("V", "other_part", "V", "held out",
        "Go to the samples held out for validation, or back to those to train on.", needs=SPLIT),
    Key("a", "automatic", "", "", "Select the unit with the largest |δ| in every layer.", WALK),
    Key("x", "input_gradient", "", "", "Go on to the gradient of the loss by the input, dL/dx, or leave it out.",
        WALK),
    Key("m", "clock", "m", "clock", "Switch the clock: measured here, or the lesson's 1 ms per pass.",
        ("cost", "claims"), pinned=("cost", "claims")),
    *OPENING,
    Key("s", "set_bookmark", "s", "bookmark", "Set a bookmark here."),
    Key("z", "zoom", "z", "zoom", "Only the current panel, or all that fit."),
    Key("e", "misclassified(1)", "e", "error", "The next misclassified sample (see {confusion}).", needs=CLASSES),
    Key("E", "misclassified(-1)", "", "", "The previous misclassified sample."),
    Key("C", "confusion", "C", "", "The confusion matrix: choose the errors that {misclassified(1)} goes through."),
    Key("slash", "find", "/", "find",
        "Find a number by its name (W2[13,200], a1[40]), the step of an array (a1), or an iteration (37).",
        pinned=WALK),
    Key("r", "restart", "r", "restart", "Restart: back to the initial weights (iteration 0)."),
    Key("R", "resume", "R", "resume", "Continue the session before this one.", pinned=PLACES, needs=EARLIER),
    Key("u", "undo", "u", "undo", "Undo. Successive moves of a cursor are undone together."),
    Key("U,ctrl+r", "redo", "", "", "Redo what was undone."),
    Key("question_mark,f1", "help", "?", "help", "This help: keys and words; typing filters it.", pinned=PLACES),
    Key("L", "lesson", "L", "lesson", "Show the lesson, beside the panels or below them, or hide it."),
    Key("full_stop", "lesson_step(1)", ".", "", "The next page or step of the lesson."),
    Key("comma", "lesson_step(-1)", ",", "", "The previous page or step of the lesson."),
    Key("semicolon", "chapters", ";", "", "The chapters of the lesson: choose one, see what is done, reset it."),
    Key("Q", "quiz", "", "", "The quiz: questions with the numbers of live networks; it goes on where you left it."),
    Key("H", "hessian", "", "", "The second derivatives of the loss: the Hessian and its eigenvalues, of up to 50"
        " parameters."),
    Key("P", "predict", "", "",
        "Predict each result of the walk before it is shown; press again to stop.", WALK),
    Key("enter", "guess", "", "", "While predicting: type a prediction, or ask for a hint.", WALK),
    Key("B", "break_it", "", "",
        "Break it: find the bug in the backward pass of a small network; then name its place and its kind."),
    Key("y", "token", "", "", "Save this state, training included: copy a token that --open takes on any machine"
        " (backprop-tui token prints it too)."),
    Key("Y", "torch", "", "", "Copy this step in PyTorch; in the number panel, the number."),
    Key("ctrl+z", "suspend_process", "", "", "Suspend to the shell; fg returns.", always=True),
    Key("ctrl+l", "redraw", "", "", "Redraw the screen, if other output has garbled it.",
        always=True),
    Key("ctrl+p", "command_palette", "", "", "Search all commands, pages and words."),
    Key("q,ctrl+q", "quit", "q", "quit", "Quit (twice, if something is running).", pinned=PLACES),
)
# Keys for everywhere that the network's form names in its own bar: those of them that type no character.
FORM_KEYS = (
    ("panel('walk')", "walk", "Back to the walk."),
    ("help", "help", "This help (letters type into the fields)."),
    ("quit", "quit", "Quit."),
)
# fmt: on
FORM_PINNED = 2  # of them, the last ones, named in its bar at every width

PANELS_OWN = tuple(
    Key(
        key.keys,
        key.action,
        key.shown,
        key.word,
        key.help,
        (row.name,),
        own=True,
        name=key.name,
        words=key.words,
        needs=key.needs,
    )
    for row in PANEL_ROWS
    for key in row.own
)
Rows = Sequence[Key]
ROWS: tuple[Key, ...] = (*KEYS, *PANELS_OWN)


def names_of(key: Key) -> str:
    """Return all names of a key, for display."""
    return " ".join(map(shown_key, key.keys.split(",")))


def bound_keys(action: str, rows: Rows = ROWS) -> list[str]:
    """Return the keys of an action, as Textual names them."""
    return next(row.keys for row in rows if row.id == action).split(",")


def action_always(key: str, rows: Rows = ROWS) -> str:
    """Return the action of a key that works in dialogs, too, and while other keys wait; "" for other keys."""
    return next((row.action for row in rows if row.always and key in row.keys.split(",")), "")


def key_of(action: str, rows: Rows = ROWS, *, spoken: bool = False) -> str:
    """Return the first key of an action, for display, or in words."""
    first = next(key.keys.split(",")[0] for key in rows if key.id == action)
    return spoken_key(first) if spoken else shown_key(first)


def worded(text: str, rows: Rows = ROWS, *, spoken: bool = False) -> str:
    """Replace each {action} in a text by the key of that action."""
    return re.sub(r"\{([^{}]+)\}", lambda found: key_of(found[1], rows, spoken=spoken), text)


def panel_key(panel: str, rows: Rows = ROWS, *, typing: bool = False) -> str:
    """Return the key that opens a panel, for the tab bar: a digit if there is one; while ``typing``, one that types
    no character."""
    names = next(key.keys for key in rows if key.id == f"panel('{panel}')").split(",")
    fit = [name for name in names if (not types(name) if typing else name.isdigit())]
    return shown_key(fit[0]) if fit else "" if typing else shown_key(names[0])


def own_keys(place: str, rows: Rows = ROWS, state: str = "") -> list[tuple[str, str, str]]:
    """Return (key, word, sentence) for each of a panel's own keys, with the words for a state of its work."""
    own = [
        (key.shown, dict(key.words).get(state, key.word), key.help)
        for key in rows
        if key.own and place in key.places and key.help
    ]
    if place == "network":  # letters type into its fields, so most keys for everywhere do not work there
        for action, word, words in FORM_KEYS:
            names = next(key.keys for key in rows if key.id == action).split(",")
            own += [(shown_key(name), word, words) for name in names if not types(name)][:1]
    return own


def everywhere(place: str, rows: Rows = ROWS) -> list[Key]:
    """Return the keys that work in every panel, without those that this one uses for its own actions."""
    own = {name for key in rows if key.own and place in key.places for name in key.keys.split(",")}
    return [key for key in rows if key.places == PLACES and key.keys.split(",")[0] not in own]


def bar(
    place: str,
    rows: Rows = ROWS,
    state: str = "",
    lacks: Collection[str] = (EARLIER,),
    part: str = "layer",
    unit: str = "unit",
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return (key, word) pairs for the key bar of a panel whose work is in a state: those named where there is room,
    its own first, and those named at every width; without those that need what the app ``lacks``. A ``part`` and a
    ``unit`` of the model are called so."""
    rows = [key for key in rows if key.needs not in lacks]
    own = [(shown, word) for shown, word, _ in own_keys(place, rows, state) if word]
    if place == "network":
        return own[:-FORM_PINNED], own[-FORM_PINNED:]
    others = everywhere(place, rows)
    named = [
        key for key in rows if key.word and not key.own and (key in others or place in key.places != PLACES)
    ]
    words = {key: key.word.format(part=part, unit=unit) for key in named}
    pinned = [(key.shown, words[key]) for key in named if place in key.pinned]
    return own + [(key.shown, words[key]) for key in named if place not in key.pinned], pinned
