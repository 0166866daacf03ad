"""Models whose fields in the network form are the settings of their specification: their texts, and the model that
they describe."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from tui_backprop.data.catalogue import info
from tui_backprop.engine.network.model import Model
from tui_backprop.session.presets import MODELS

SWITCH = ("off", "on")
# The preset that the fields of a model begin with, by front end.
BEGINS = {row.frontend: name for name, row in MODELS.items()}

Texts = Mapping[str, str]


@lru_cache(maxsize=8)
def beginning(kind: str) -> Model:
    """Return the model of a front end with which its fields begin."""
    return MODELS[BEGINS[kind]].network


def has_setting(kind: str, name: str) -> bool:
    """Check whether models of a front end have a setting with a field, by its option name."""
    return kind in BEGINS and name.replace("-", "_") in beginning(kind).settings


def option(setting: str) -> str:
    """Return the name of the option and the field of a setting."""
    return setting.replace("_", "-")


def text_of(value: object) -> str:
    """Write the value of a setting."""
    if isinstance(value, bool):
        return SWITCH[value]
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def own_texts(model: Model) -> dict[str, str]:
    """Return the texts of the fields of one of these models; of another one, none."""
    settings = model.settings if model.frontend in BEGINS else {}
    return {option(name): text_of(value) for name, value in settings.items()}


def model_of(texts: Texts, old: Model) -> Model:
    """Return the model that the fields describe. What has no field, and what was not edited, is that of the ``old``
    one, if that has the same front end. Raises InputError."""
    base = old if old.frontend == texts["kind"] else beginning(texts["kind"])
    changes: dict[str, Any] = {}
    for name, value in base.settings.items():
        text = texts.get(option(name), text_of(value))
        if text != text_of(value):
            changes[name] = text == SWITCH[True] if isinstance(value, bool) else text
    if base.context:
        changes["vocabulary"] = len(info(texts["text"]).token_names)
    return base.changed(**changes) if changes else base


def data_of_model(texts: Texts, old: str, model: Model) -> str:
    """Return the data that feed the model: those that the fields name, if it takes text."""
    if model.context:
        return texts["text"]
    return old if info(old).image else MODELS[BEGINS[model.frontend]].data
