"""Reads every connected vendor at once, each in a thread of its own; one that fails holds up nobody."""

from __future__ import annotations

import fcntl
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence

from responders.errors import BadSettings, InventoryError, Refused, VendorError
from responders.inventory.sync.cyberark import CyberArkSource
from responders.inventory.sync.entra import EntraSource
from responders.inventory.sync.okta import OktaSource
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.run import How, Read, read
from responders.inventory.sync.source import Source
from responders.inventory.sync.vault import VaultSource
from responders.settings import Connection
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits

LIMITS = Limits(connect=10.0, attempt=60.0, total=60.0, retries=0, wait=1.0)
"""One try a call, for pages are long; `run` repeats it, waits longer than a containment could, and says so."""
SOURCES: Mapping[str, Callable[[Any], Source]] = {
    "okta": OktaSource,
    "entra": EntraSource,
    "cyberark": CyberArkSource,
    "vault": VaultSource,
}


def read_all(connections: Sequence[Connection], state: Path, how: How) -> List[Read]:
    """Read all these tenants. What failed says so in its `Read`; it is taken up where it was the next time."""
    found: Dict[str, Read] = {}
    pool = ClientPool(tuple(connections), limits=LIMITS)

    def one(connection: Connection) -> None:
        place = f"{connection.vendor}:{connection.tenant}"
        try:
            client = pool.get(connection.vendor, connection.tenant)
            source = SOURCES[connection.vendor](client)
            try:
                with RawStore(state) as store:
                    found[place] = read(source, store, how)
            finally:
                source.close()
        except ImportError:
            what = "Okta's SDK is not installed: install tourniquet[sync]"
            found[place] = Read(place, failed=what)
        except (VendorError, InventoryError, BadSettings) as error:
            found[place] = Read(place, failed=str(error))
        except Exception as error:  # a hole of ours in one vendor's reading must not hide what the others showed
            found[place] = Read(place, failed=f"{type(error).__name__} in reading it: report this")

    threads = [threading.Thread(target=one, args=(connection,), daemon=True) for connection in connections]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        pool.close()
    return [found[place] for place in sorted(found)]


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Only one sync at a time works on a state file. Raises Refused, BadSettings for a place that can't be written."""
    try:
        opened = state.with_name(state.name + ".lock").open("w")
    except OSError as error:
        remedy = "make its folder, and let us write there, or name another --state or --output"
        raise BadSettings(str(error.strerror), place=str(state), remedy=remedy) from None
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(f"another sync is at work on {state}: wait until it has ended") from None
        yield


def issuers(connections: Sequence[Connection]) -> Dict[str, str]:
    """Who vouches for sign-ins of each tenant: an Okta org's own URL. Source: OpenID Connect Discovery, `issuer`."""
    return {f"{c.vendor}:{c.tenant}": c.url.rstrip("/") for c in connections if c.vendor == "okta"}
