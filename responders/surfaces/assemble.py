"""Puts a responder together from its settings."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional

from responders.alerts import canary
from responders.alerts.by_hand import DETECTION, ENTRY
from responders.containment.responder import Responder, Signals, Timing
from responders.containment.signals import FileSignals
from responders.errors import BadSettings
from responders.escalation.channels import open_channels
from responders.inventory.resolve import Inventory, from_compiled
from responders.inventory.store import InventoryStore
from responders.journal.chain import Journal, utc_now
from responders.journal.mirror import Outbox
from responders.journal.store import JournalStore
from responders.policy.policy import Policy
from responders.policy.policy import from_compiled as policy_from_compiled
from responders.settings import ELASTIC, Settings, load_settings
from responders.vendors.open import ClientPool
from responders.vendors.relay_wire import RelayQueue

if TYPE_CHECKING:  # what is of Elasticsearch does not ship to Splunk
    from responders.elastic.cluster import Cluster

_PACKAGE = Path(__file__).resolve().parent.parent


def settings_path() -> str:
    """Where the settings file is: $TOURNIQUET_SETTINGS, or ~/.config/tourniquet."""
    given = os.environ.get("TOURNIQUET_SETTINGS")
    if given:
        return given
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
    cluster = open_cluster(settings)
    journal = open_journal(settings, clock, cluster)
    return put_together(
        settings,
        path,
        inventory=_inventory(settings.inventory, read_inventory, cluster),
        policy=read_policy(settings.policy),
        journal=journal,
        signals=_signals(settings, journal, cluster),
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
    queue: Optional[RelayQueue] = None,
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
        catalogue={**catalogue, DETECTION: ENTRY, canary.DETECTION: canary.ENTRY},
        clients=ClientPool(settings.connections, clock=clock, queue=queue),
        journal=journal,
        channels=open_channels(settings.escalation),
        signals=signals,
        timing=_timing(settings.timing, place),
        unauthenticated_ingest=frozenset(settings.unauthenticated_ingest),
    )


def open_cluster(settings: Settings) -> Optional[Cluster]:
    """One connection pool for all that these settings keep in Elasticsearch; None when they name none."""
    if settings.elasticsearch is None:
        return None
    try:
        from responders.elastic.cluster import Cluster
    except ModuleNotFoundError as error:
        raise BadSettings(
            f"there is no library {error.name}", place="elasticsearch", remedy="pip install 'tourniquet[elastic]'"
        ) from None
    return Cluster(settings.elasticsearch)


def open_journal(
    settings: Settings, clock: Optional[Callable[[], Any]] = None, cluster: Optional[Cluster] = None
) -> Journal:
    """The journal of these settings, and its mirror where signals go to Elasticsearch. Raises JournalError.

    `cluster` is a connection that is open already.
    """
    key = settings.journal_key.reveal().encode()
    cluster = cluster or open_cluster(settings)
    journal = Journal(_store(settings, cluster), key, anchor=settings.anchor or None, clock=clock or utc_now)
    if settings.signals == ELASTIC and cluster is not None and settings.elasticsearch is not None:
        from responders.elastic.telling import ElasticMirror

        journal.listener = Outbox(journal, ElasticMirror(cluster, journal.clock, settings.elasticsearch.space))
    return journal


def _store(settings: Settings, cluster: Optional[Cluster]) -> JournalStore:
    if settings.journal_index and cluster is not None:
        from responders.journal.elasticsearch import ElasticStore

        return ElasticStore(cluster, settings.journal_index)
    from responders.journal.sqlite import SqliteStore  # not needed inside Splunk, where a start must be quick

    return SqliteStore(settings.journal)


def _signals(settings: Settings, journal: Journal, cluster: Optional[Cluster]) -> Signals:
    if settings.signals == ELASTIC and cluster is not None and settings.elasticsearch is not None:
        from responders.elastic.telling import ElasticSignals

        return ElasticSignals(cluster, journal.clock, settings.elasticsearch.space)
    return FileSignals(settings.signals, journal.clock)


def _inventory(
    path: str, read_source: Optional[Callable[[str, str], Inventory]], cluster: Optional[Cluster]
) -> InventoryStore:
    if path == ELASTIC and cluster is not None:
        from responders.inventory.elasticsearch import ElasticInventory

        return ElasticInventory(cluster)
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
