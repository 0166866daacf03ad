"""The rows of the table of panels: what each is called, the keys that open it, and its own keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

# What a key needs of a session to be of use.
SAMPLES, LAYERS, CLASSES, HEADS, BLOCKS = "samples", "layers", "classes", "heads of attention", "blocks"
TEXT, PREDICTION = "text", "single prediction"  # for a sample, or at a letter
EARLIER = "earlier session"  # what a key needs besides
SPLIT = "split"  # samples held out for validation


class PanelKey(NamedTuple):
    """A panel's own key: ``keys`` as Textual names them, the ``action``, how the key is ``shown``, a ``word`` for the
    key bar, a sentence for the help, a ``name`` for the command palette.

    Rows that are shown together ("↑ ↓") follow each other; the first has their word and sentence. {action} in a
    sentence stands for the key of that action. An action without "app." is one of the panel's view. ``words`` replace
    the ``word`` while the panel's work is in some state; an empty one leaves the key out. The key bar leaves out a
    key whose ``needs`` (SAMPLES, LAYERS, CLASSES, ...) are not met."""

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
