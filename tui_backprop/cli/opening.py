"""The session that the app or a command opens: that of the options, of a token, or the last one; and its numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from tui_backprop.cli.brought import FILES, hold_files
from tui_backprop.cli.options import gathered
from tui_backprop.cli.session_options import session_from, session_options
from tui_backprop.session.state import Session
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import whole_number

if TYPE_CHECKING:
    from tui_backprop.engine.primitives import Array
    from tui_backprop.engine.training.iteration import Iteration

Command = Callable[..., None]
Watch = Callable[[int, int], None]  # (done, of how many)

NAMES = ("resume", "open")


def opening_options(command: Command) -> Command:
    """Add the options for the network and data, and those that open a session; the command gets them as two dicts,
    ``given`` and ``opened``."""
    decorated = gathered("opened", NAMES, session_options(command))
    decorated = click.option("--open", metavar="TOKEN", help="Open the session of a token.")(decorated)
    return click.option("--resume", is_flag=True, default=None, help="Continue the last session.")(decorated)


@dataclass(frozen=True)
class Opening:
    """What the options of a command ask for: a session by its network and data (``given``), or by a token or as the
    last one (``opened``), and the ``steps``, the updates to run first."""

    given: Mapping[str, Any]
    opened: Mapping[str, Any]
    steps: str | None = None

    def session(self, *, streamed: bool = False) -> Session:
        """Return the session after the updates. Raises InputError, naming the option, for a bad one, one too many, or
        more than a day of training; a ``streamed`` pass needs less memory."""
        return trained(self._opened(streamed), self.steps)

    def _opened(self, streamed: bool) -> Session:
        if not self.opened:
            return session_from(dict(self.given), streamed=streamed)
        field, *others = self.opened
        if others:
            raise InputError("resume", "cannot be combined with --open")
        hold_files(self.given)
        if others := [name for name in self.given if name not in FILES]:
            other = others[0].replace("_", "-")
            raise InputError(
                field, f"cannot be combined with --{other}: the session has its own network and data"
            )
        from tui_backprop.cli.progress import progress

        with progress("bytes hashed") as watch:
            if field == "open":
                from tui_backprop.session.share_token import decode

                return decode(self.opened["open"], watch)
            from tui_backprop.session.autosave import load

            return load(watch=watch)


def trained_options(command: Command) -> Command:
    """Add the options above and ``--steps``; the command gets them all as an ``opening``."""

    @wraps(command)
    def run(given: dict[str, Any], opened: dict[str, Any], steps: str | None, **options: Any) -> None:
        command(opening=Opening(given, opened, steps), **options)

    about = "Run so many updates first, each on the next batch (see --repeat-batch); default 0."
    return opening_options(click.option("--steps", metavar="0", help=about)(run))


def trained(session: Session, steps: str | None) -> Session:
    """Return the session after the updates that ``--steps`` asks for, at its text if it has one. Raises InputError
    for a bad number, or more than a day of training."""
    count = whole_number("steps", steps or 0, 0)
    if not count:
        return session
    from tui_backprop.session.transitions import after_training
    from tui_backprop.session.validation import LONGEST_REPLAY, replay_seconds

    session = replace(after_training(session, count), passage=session.passage)
    if replay_seconds(session) > LONGEST_REPLAY:
        raise InputError("steps", f"{session.t:,} updates of this network take more than a day")
    return session


def iteration_of(session: Session) -> Iteration:
    """Return the iteration of a session, trained with progress."""
    from tui_backprop.cli.progress import progress
    from tui_backprop.session.replay import Replay

    with progress("updates") as watch:
        return Replay(0, watch).take(session)


def parameters_of(session: Session, watch: Watch = lambda done, of: None) -> Array:
    """Return the parameters (P,) of a session: trained with progress, or as initialized, with their progress going to
    ``watch``."""
    if not session.update_log and not session.edits:
        from tui_backprop.engine.network.initializers import initial_parameters

        return initial_parameters(session.network, watch)
    from tui_backprop.cli.progress import progress
    from tui_backprop.session.replay import Replay

    with progress("updates") as updates:
        return Replay(0, updates).state(session).parameters
