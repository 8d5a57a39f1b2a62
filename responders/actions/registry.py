"""Finds actions by name, importing only the one asked for: the alert process pays for what it uses."""

from __future__ import annotations

import functools
import importlib
import pathlib
from typing import Tuple

from responders.actions.action import Action
from responders.errors import BadPolicy

_FOLDER = pathlib.Path(__file__).parent
VENDORS: Tuple[str, ...] = ("okta", "entra", "cyberark", "vault")


@functools.cache
def names() -> Tuple[str, ...]:
    """Every action as `vendor.verb_object`, read from the folder, once: a lane asks for each of its steps, many times."""
    return tuple(
        f"{vendor}.{path.stem}"
        for vendor in VENDORS
        for path in sorted((_FOLDER / vendor).glob("*.py"))
        if not path.stem.startswith("_")
    )


@functools.cache
def load(name: str) -> Action:
    """The action of that name, looked for once. Raises BadPolicy for a name that is not in the folder."""
    if name not in names():
        raise BadPolicy(
            f"there is no action {name!r}",
            place="action",
            remedy="`tourniquet policy check` lists the actions there are",
        )
    module = importlib.import_module(f"responders.actions.{name}")
    action = module.ACTION
    if not isinstance(action, Action):
        raise TypeError(f"{module.__name__}.ACTION is not an Action")
    return action
