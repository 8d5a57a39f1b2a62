"""Puts a responder together from its settings."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable, Mapping, Optional

from responders.containment.responder import Responder, Signals, Timing
from responders.containment.signals import FileSignals
from responders.errors import BadSettings
from responders.escalation.channels import open_channels
from responders.inventory.resolve import Inventory, from_compiled
from responders.inventory.store import InventoryStore
from responders.journal.chain import Journal, utc_now
from responders.policy.policy import Policy
from responders.policy.policy import from_compiled as policy_from_compiled
from responders.settings import Settings, load_settings
from responders.vendors.open import ClientPool

_PACKAGE = Path(__file__).resolve().parent.parent


def settings_path(app_home: str = "") -> str:
    """Where the settings are: $TOURNIQUET_SETTINGS, the Splunk app's local folder, or ~/.config/tourniquet."""
    given = os.environ.get("TOURNIQUET_SETTINGS")
    if given:
        return given
    if app_home:
        return os.path.join(app_home, "local", "tourniquet_settings.json")
    return os.path.join(os.path.expanduser("~"), ".config", "tourniquet", "settings.json")


def open_responder(
    path: str,
    *,
    clock: Optional[Callable[[], Any]] = None,
    read_inventory: Optional[Callable[[str, str], Inventory]] = None,
) -> Responder:
    """A responder from a settings file. Raises BadInputs, BadInput, JournalError.

    `read_inventory(text, path)` reads a source inventory where the libraries for it are; else only a compiled one is read.
    """
    settings = load_settings(path)
    journal = open_journal(settings, clock)
    return put_together(
        settings,
        path,
        inventory=_inventory(settings.inventory, read_inventory),
        policy=read_policy(settings.policy),
        journal=journal,
        signals=FileSignals(settings.signals, journal.clock),
        clock=clock,
    )


def put_together(
    settings: Settings,
    place: str,
    *,
    inventory: InventoryStore,
    policy: Policy,
    journal: Journal,
    signals: Signals,
    clock: Optional[Callable[[], Any]] = None,
) -> Responder:
    """A responder over these stores. `place` is where the settings stand. Raises BadInput, BadInputs."""
    catalogue = read_catalogue()
    strange = sorted(set(settings.unauthenticated_ingest) - set(catalogue))
    if strange:  # a guard that a slip of the pen switches off
        what = f"there is no detection {', '.join(map(repr, strange))}"
        where = f"{place}: unauthenticated_ingest"
        raise BadSettings(what, place=where, remedy="docs/detections.md lists them")
    return Responder(
        inventory=inventory,
        policy=policy,
        catalogue=catalogue,
        clients=ClientPool(settings.connections, clock=clock),
        journal=journal,
        channels=open_channels(settings.escalation),
        signals=signals,
        timing=_timing(settings.timing, place),
        unauthenticated_ingest=frozenset(settings.unauthenticated_ingest),
    )


def open_journal(settings: Settings, clock: Optional[Callable[[], Any]] = None) -> Journal:
    """The journal of these settings. Raises JournalError."""
    from responders.journal.sqlite import SqliteStore  # not needed inside Splunk, where a start must be quick

    store = SqliteStore(settings.journal)
    key = settings.journal_key.reveal().encode()
    return Journal(store, key, anchor=settings.anchor or None, clock=clock or utc_now)


def _inventory(path: str, read_source: Optional[Callable[[str, str], Inventory]]) -> Inventory:
    text = _read(path, "inventory")
    if path.endswith(".json"):
        return from_compiled(text, path)
    if read_source is None:
        raise BadSettings(
            "the alert action reads a compiled inventory", place=path, remedy="compile it with `tourniquet inventory build`"
        )
    return read_source(text, path)


def read_policy(path: str) -> Policy:
    """From a compiled JSON file, the default one when `path` is "". Raises BadInput."""
    if not path:
        path = str(_PACKAGE / "policy" / "default_policy.json")
    text = _read(path, "policy")
    if not path.endswith(".json"):
        raise BadSettings(
            "the responder reads a compiled policy", place=path, remedy="compile it with `tourniquet policy build`"
        )
    try:
        return policy_from_compiled(json.loads(text))
    except ValueError as error:
        raise BadSettings(f"not JSON: {error}", place=path, remedy="compile it with `tourniquet policy build`") from None


def read_catalogue() -> Mapping[str, Any]:
    """What the build compiled of the detections."""
    found: Mapping[str, Any] = json.loads(_read(str(_PACKAGE / "alerts" / "catalogue.json"), "catalogue"))["detections"]
    return found


def _read(path: str, what: str) -> str:
    try:
        with open(path, encoding="utf-8") as handle:
            return handle.read()
    except OSError as error:
        raise BadSettings(f"the {what} can't be read: {error.strerror}", place=path, remedy="correct the settings") from None
    except UnicodeDecodeError as error:
        raise BadSettings(f"the {what} is not UTF-8 (byte {error.start})", place=path, remedy="save it as UTF-8") from None


def _timing(given: Mapping[str, Any], place: str) -> Timing:
    try:
        values: Any = {key: tuple(value) if isinstance(value, list) else float(value) for key, value in given.items()}
        return Timing(**values)
    except (TypeError, ValueError) as error:
        raise BadSettings(f"timing: {error}", place=place, remedy="see docs/settings.md, timing") from None
