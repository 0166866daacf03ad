"""What a session is about, in a few words: its layers, samples and iteration."""

from __future__ import annotations

from tui_backprop.data.catalogue import info
from tui_backprop.engine.network.model import Model
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.state import Session
from tui_backprop.support.format import printable

WORD_COLUMNS = 24  # of the text of a sample


def layers_text(layers: tuple[int, ...], columns: int) -> str:
    """784·256·256·256·10; equal neighbors folded where that is too long: 2·3×10·2."""
    text = "·".join(map(str, layers))
    if len(text) <= columns:
        return text
    folded: list[tuple[int, int]] = []
    for n in layers:
        if folded and folded[-1][0] == n:
            folded[-1] = (n, folded[-1][1] + 1)
        else:
            folded.append((n, 1))
    return "·".join(str(n) if times == 1 else f"{n}×{times}" for n, times in folded)


def short(word: str) -> str:
    """Shorten the text of a sample."""
    return word if len(word) <= WORD_COLUMNS else f"{word[: WORD_COLUMNS - 1]}…"


def network_name(network: Model, columns: int) -> str:
    """Name a network by its layers, as ``layers_text`` does; anything else by its title, cut."""
    if network.layers:
        return layers_text(network.layers, columns)
    title = network.title
    return title if len(title) <= columns else f"{title[: columns - 1]}…"


def sample_text(session: Session, snapshot: Snapshot | None) -> str:
    """The samples of the batch: sample 0, a "1"; sample 2, anita; samples 0-3; validation sample 7; "" if
    there are none to choose from."""
    if session.network.holds_numbers:
        return ""
    if session.passage is not None:
        return printable(session.passage.title, 60)
    if session.batch > 1:
        return in_part(session, f"samples {sample_range(session)}")
    label = ""
    if snapshot is not None and session.network.vocabulary:
        from tui_backprop.render.sample_text import text_of  # numpy: after the first paint

        text = text_of(session, snapshot.iteration)
        label = f", {short(text.word)}" if text else ""
    elif snapshot is not None and info(session.data).image:
        target = snapshot.graph.by_name[snapshot.graph.target]
        label = f', a "{snapshot.iteration.tensor(target.name)[0]}"' if target.classes else ""
    return in_part(session, f"sample {session.sample}{label}")


def in_part(session: Session, samples: str) -> str:
    """Put the part of the data that the batch is from before its samples, where there is a split."""
    return f"{session.part.name} {samples}".lstrip()


def sample_range(session: Session) -> str:
    """The numbers of the samples of the batch: 0, 0-3, or "3998 and 3 more" where they do not follow each other: the
    batch goes round at the end, or skips samples of the other part of the data."""
    first, last = session.sample, session.part.after(session.sample, session.batch - 1)
    if last - first != session.batch - 1:
        return f"{first} and {session.batch - 1:,} more"
    return f"{first}-{last}" if last > first else f"{first}"


def iteration_text(session: Session) -> str:
    """The iteration and whether parameters were edited: iteration 12, with edits."""
    return f"iteration {session.t:,}{', with edits' if session.edits else ''}"
