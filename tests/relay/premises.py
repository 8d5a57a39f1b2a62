"""A Splunk that can't reach CyberArk and Vault, relays that can, and what an attacker may put between them."""

from __future__ import annotations

import contextlib
import io
import json
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple, Type

from responders.drill.world import World
from responders.settings import Connection, Secret
from responders.surfaces.relay.config import load_config
from responders.surfaces.relay.run import Relay
from responders.vendors import relay_wire as wire
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits
from tests.splunk_rest.office import Office

NAME = "dc1"
KEY = "a1b2c3d4" * 8


def relay_file(world: World, folder: Path, splunk: str, token: str, instance: str = "one", **more: Any) -> Path:
    """The relay's settings, with the vendors' credentials of this world; secrets in files of their own."""
    folder.mkdir(parents=True, exist_ok=True)

    def secret(name: str, value: str) -> Mapping[str, str]:
        path = folder / f"{instance}-{name}"
        path.write_text(value)
        path.chmod(0o600)
        return {"file": str(path)}

    connections = [
        {
            "vendor": c.vendor, "tenant": c.tenant, "url": c.url, "allow_loopback_http": True, **c.plain,
            **{name: secret(f"{c.vendor}-{name}", value.reveal()) for name, value in c.secrets.items()},
        }
        for c in world.connections if c.vendor in ("cyberark", "vault")
    ]  # fmt: skip
    relay = {
        "name": NAME, "instance": instance, "splunk": splunk, "token": secret("token", token), "key": secret("key", KEY),
        "state": str(folder / f"{instance}.db"), "allow_loopback_http": True, **more,
    }  # fmt: skip
    path = folder / f"{instance}.json"
    told = [{"type": "file", "path": str(folder / "told.jsonl")}]
    path.write_text(json.dumps({"connections": connections, "relay": relay, "escalation": told}))
    return path


def relayed(vendor: str, key: str = KEY) -> Connection:
    """The connection as Splunk has it."""
    return Connection(vendor, "default", "", {"relay_key": Secret(key)}, relay=NAME)


class Told:
    """What the relay told people and its log."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "told.jsonl"
        self.log = io.StringIO()

    def people(self) -> List[str]:
        return [json.loads(line)["title"] for line in self._path.read_text().splitlines()] if self._path.exists() else []


class MemoryQueue:
    """The queue without Splunk: what both sides need of it."""

    def __init__(self) -> None:
        self.docs: Dict[str, Mapping[str, Any]] = {}
        self._lock = threading.Lock()

    def create(self, key: str, doc: Mapping[str, Any]) -> bool:
        with self._lock:
            return self.docs.setdefault(key, doc) is doc

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Mapping[str, Any]]]:
        with self._lock:
            found = sorted((k, d) for k, d in self.docs.items() if k.startswith(prefix) and k > after)
        yield from found

    def forget(self, key: str) -> None:
        with self._lock:
            self.docs.pop(key, None)


class Inline:
    """A relay's own work without the way to Splunk: a thread takes requests from the queue as the poll would."""

    def __init__(self, world: World, folder: Path, **more: Any) -> None:
        self.told = Told(folder)
        config = load_config(str(relay_file(world, folder, "http://127.0.0.1:9", "t", **more)))
        self.relay, self.queue = Relay(config, self.told.log), MemoryQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Inline:
        self.queue.create(f"s/{NAME}/{wire.stamp(time.time() + 3600)}-inline", {})
        self._thread.start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._stop.set()
        self._thread.join()
        self.relay.clients.close()
        self.relay.state.close()

    def pool(self, *vendors: str, key: str = KEY, seconds: float = 8.0) -> ClientPool:
        return ClientPool(tuple(relayed(v, key) for v in vendors), limits=Limits(total=seconds), queue=self.queue)

    def ask(self, vendor: str, method: str, template: str, *ids: str, **more: Any) -> Mapping[str, Any]:
        """Hand the relay one request, signed unless `more` says otherwise, and read what it answers."""
        return self.hand(*self.signed(vendor, method, template, *ids, **more))

    def signed(
        self, vendor: str, method: str, template: str, *ids: str, key: str = KEY, what: str = wire.CALL, issued: float = 0.0,
        life: float = 15.0, relay: str = NAME, tenant: str = "default", query: Any = None, body: Any = None,
    ) -> Tuple[str, str]:  # fmt: skip
        """Text and signature of a request, as who holds `key` can make it."""
        now = time.time() + issued
        ask = wire.Ask(
            wire.new_id(now), relay, vendor, tenant, False, now, now + life, what, method, template, ids, query, body
        )
        return ask.text(), wire.sign(key, wire.REQUEST, ask.text())

    def hand(self, text: str, mac: str) -> Mapping[str, Any]:
        with contextlib.suppress(ValueError):
            return dict(json.loads(self.relay.result({"id": json.loads(text)["id"], "doc": text, "mac": mac})))
        return {}

    def _run(self) -> None:
        while not self._stop.wait(0.005):
            for key, doc in self.queue.scan(f"r/{NAME}/"):
                ask_id = key.rpartition("/")[2]
                if self.queue.create(f"c/{NAME}/{ask_id}", {"by": "inline"}):
                    self.queue.forget(key)
                    threading.Thread(target=self._answer, args=(ask_id, doc), daemon=True).start()

    def _answer(self, ask_id: str, doc: Mapping[str, Any]) -> None:
        text = self.relay.result({"id": ask_id, **doc})
        self.queue.create(f"a/{NAME}/{ask_id}", {"doc": text, "mac": wire.sign(KEY, wire.ANSWER, text)})


class Premises:
    """The office of tests/splunk_rest, whose CyberArk and Vault are behind relays."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.office = Office(world, folder / "splunk")
        self.office.connect()
        self.office.deployment.configure("tourniquet_settings", "timing", {"deadline": "5", "confirm_patience": "1"})
        local = self.office.deployment.confs["tourniquet", "tourniquet_connection"][1]
        for vendor in ("cyberark", "vault"):
            keys = {"vendor": vendor, "tenant": "default", "relay": NAME, "credential": "relay_key"}
            local[f"{vendor}_main"] = keys
            self.office.deployment.passwords = {
                where: found for where, found in self.office.deployment.passwords.items() if vendor not in found.name
            }
            self.office.deployment.store_password(f"{vendor}_main.relay_key", KEY)
        self.office.deployment.user("relay-dc1", "tourniquet_relay")
        self.token = self.office.deployment.token("relay-dc1")
        self.told = Told(folder / "relay")
        self._relays: List[Relay] = []

    def file(self, instance: str = "one", **more: Any) -> Path:
        return relay_file(self.world, self.folder / "relay", self.office.splunkd.uri, self.token, instance, **more)

    def start(self, instance: str = "one", **more: Any) -> Relay:
        """A relay, and wait until Splunk has seen it."""
        relay = Relay(load_config(str(self.file(instance, **more))), self.told.log, wait=0.5)
        relay.start()
        self._relays.append(relay)
        self.seen(instance)
        return relay

    def seen(self, instance: str) -> None:
        until = time.monotonic() + 10.0
        while not any(row["_key"].startswith(f"s/{NAME}/") and row["_key"].endswith(f"-{instance}") for row in self.rows()):
            assert time.monotonic() < until, f"the relay was not seen: {self.told.log.getvalue()}"
            time.sleep(0.02)

    def stop(self, relay: Relay) -> None:
        self._relays.remove(relay)
        relay.stop()

    def seen_without_relay(self) -> None:
        """As it is within a minute after the last relay asked."""
        self.office.deployment.put("tourniquet_relay", {"_key": f"s/{NAME}/{wire.stamp(time.time())}-gone", "doc": "{}"})

    def rows(self) -> List[Mapping[str, Any]]:
        return list(self.office.deployment.rows("tourniquet_relay"))

    def close(self) -> None:
        for relay in list(self._relays):
            self.stop(relay)
        self.office.close()
