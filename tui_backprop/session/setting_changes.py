"""The settings that changed in the middle of training, read off the update log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise

from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.session.state import Session
from tui_backprop.session.update_log import UpdateRun
from tui_backprop.support.format import format_setting


@dataclass(frozen=True)
class SettingChange:
    """The settings that are others from iteration ``t`` on, by the names of their options, with their new values; of
    another optimizer also those of its own that are not the default."""

    t: int
    values: tuple[tuple[str, object], ...]

    @property
    def text(self) -> str:
        """The settings in brief: l2=0.001, optimizer=adam."""
        return ", ".join(f"{name}={_value(value)}" for name, value in self.values)


def setting_changes(session: Session) -> tuple[SettingChange, ...]:
    """Return the changes on the way to a session, in order; the last one may be about its next update."""
    t, found = 0, []
    for before, run in pairwise((*session.update_log, session.update)):
        t += before.count
        values = tuple(_changed(before, run))
        if values:
            found.append(SettingChange(t, values))
    return tuple(found)


def change_here(session: Session) -> SettingChange | None:
    """Return the change between the last update and the next one, if there is one."""
    changes = setting_changes(session)
    return changes[-1] if changes and changes[-1].t == session.t else None


def new_optimizer(session: Session) -> str:
    """Say what an optimizer that begins with the next update starts from: "adam starts with m = v = 0"; empty where
    it goes on, or keeps nothing."""
    slots = UPDATE_RULES[session.optimizer.name].slots
    if not (session.t and slots and session.began == session.t):
        return ""
    return f"{session.optimizer.name} starts with {' = '.join(slots)} = 0"


def applied_words(before: Session, after: Session) -> str:
    """Say what applying the form did to the training behind a session; empty where there is none, or no change."""
    if not before.t:
        return ""
    if not after.t:
        return f"training restarts: {before.t:,} update{'s' * (before.t != 1)} discarded"
    change = change_here(after)
    if change is None or after.update == before.update:
        return ""
    return "; ".join(filter(None, (f"from iteration {after.t:,} on: {change.text}", new_optimizer(after))))


def _changed(before: UpdateRun, after: UpdateRun) -> Iterator[tuple[str, object]]:
    old, new = _settings(before), _settings(after)
    defaults = asdict(OptimizerSpec())
    for name, value in new.items():
        if value != old.get(name, defaults.get(name)):
            yield name, value


def _settings(run: UpdateRun) -> dict[str, object]:
    """Return the settings of an update by the names of their options; only those that its optimizer has."""
    rule = asdict(run.optimizer)
    name, every = rule.pop("name"), {each for row in UPDATE_RULES.values() for each in row.settings}
    without = every.difference(UPDATE_RULES[name].settings)
    found = {"optimizer": name, "lr": run.lr} | {
        key: value for key, value in rule.items() if key not in without
    }
    found |= asdict(run.settings) | {"batch": run.batch}
    return {key.replace("_", "-"): value for key, value in found.items()}


def _value(value: object) -> str:
    if isinstance(value, bool):
        return ("off", "on")[value]
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return format_setting(value) if isinstance(value, float) else str(value)
