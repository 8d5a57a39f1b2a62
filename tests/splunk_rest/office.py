"""A Splunk with the app in it, as far as the REST interface sees one, in front of the simulated vendors.

`ask` speaks splunkd's own protocol: `handle(in_string)` of the class that bin/tourniquet_rest.py makes, over a stand-in for
Splunk's base class, with splunkd's check of the capabilities in restmap.conf before it.
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from responders.drill.world import Person, World
from responders.inventory.resolve import Inventory
from responders.journal.chain import Entry, Journal
from responders.journal.kvstore import KvStore
from responders.model import Identity
from responders.splunk.inventory import push
from responders.splunk.splunkd import Splunkd as Client
from responders.surfaces.splunk_rest.handler import handler_on
from tests.packaging.splunk import csv_of
from tests.splunkd import Deployment, Splunkd
from tests.splunkd.deployment import SYSTEM_USER

ROOT = Path(__file__).resolve().parent.parent.parent
APP = ROOT / "splunk_app"
CAPABILITIES = ("view_journal", "preview", "contain_restrict", "contain_revoke", "restore", "edit_policy", "configure")
KEY = "k" * 64


class Base:
    """Stand-in for splunk.persistconn.application.PersistentServerConnectionApplication: its constructor takes nothing."""


@dataclass(frozen=True)
class Reply:
    """What came back; `by` says who refused: splunkd before the app, or the app."""

    status: int
    body: Mapping[str, Any]
    by: str = "app"

    @property
    def error(self) -> str:
        return str(self.body.get("error", ""))


class SplunkdWithApp(Splunkd):
    """A splunkd that has the app's endpoints: it checks restmap.conf, and asks the persistent process."""

    def __init__(self, deployment: Deployment, office: Office) -> None:
        self.office = office
        super().__init__(deployment)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Tuple[int, str, bytes]:
        found = re.match(r"/servicesNS/[^/]+/tourniquet/tourniquet/([\w/-]+)(?:\?(.*))?\Z", target)
        name = self.deployment.sessions.get(headers.get("Authorization", "").partition(" ")[2])
        if found is None or name is None:
            return super().answer(method, target, headers, body)
        path = found[1] + (f"?{found[2]}" if found[2] else "")
        sent = [[key, value] for key, value in headers.items() if key.lower() != "authorization"]
        reply = self.office.ask(name, method, path, body.decode() or None, headers=sent)
        self.asked.append((name, path.partition("?")[0], reply.status))
        if reply.by == "splunkd":
            text = f"You (user={name}) do not have permission to perform this operation ({reply.error})."
            return 403, "application/json", json.dumps({"messages": [{"type": "ERROR", "text": text}]}).encode()
        return reply.status, "application/json", json.dumps(reply.body).encode()

    @property
    def asked(self) -> List[Tuple[str, str, int]]:
        """Who asked the app's endpoints for what, and the answer's status."""
        return self.office.asked


class Office:
    """Users: each of `people` has a Splunk account of the same name, with the capabilities that are given."""

    def __init__(self, world: World, home: Path, people: Sequence[Person] = (), *, app: Path = APP) -> None:
        self.world, self.home = world, home
        self.app = home / "etc" / "apps" / "tourniquet"
        self.app.parent.mkdir(parents=True)
        self.app.symlink_to(app, target_is_directory=True)
        (home / "var" / "log" / "splunk").mkdir(parents=True)
        self.deployment = Deployment()
        self.deployment.install(APP)
        self.handler = handler_on(Base, str(self.app))("", "")
        self.splunkd = SplunkdWithApp(self.deployment, self)
        self.restmap = self.deployment.merged("tourniquet", "restmap")
        self._extra: List[Identity] = []
        self._aliases: Dict[str, str] = {}
        self._restorers: List[str] = []
        self.people: List[Person] = list(people)
        self.asked: List[Tuple[str, str, int]] = []
        self._client: Optional[Client] = None

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self.splunkd.close()

    # -- the administrator --------------------------------------------------------------------------------

    def user(self, name: str, *capabilities: str, identity: str = "", restorer: bool = False) -> str:
        """A Splunk user who is, in the inventory, the identity ("" for nobody)."""
        self.deployment.user(name, *(f"tourniquet_{c}" for c in capabilities))
        if identity:
            self._aliases[f"splunk:default:{name}"] = identity
            known = {person.name for person in self.people} | {item.id for item in self._extra}
            if identity not in known:
                self._extra.append(Identity(identity, "human", None, "normal", "production", False, (), ()))
            if restorer:
                self._restorers.append(identity)
        return name

    def person(self, name: str, **more: Any) -> Person:
        """Somebody with accounts at the vendors, and an attacker at work in them. Known from the next `inventory` on."""
        found = self.world.add_person(name, vendors=("okta",), **more)
        self.people.append(found)
        return found

    def inventory(self, **more: Mapping[str, Any]) -> None:
        """Upload it; `more` are further facts of an identity by its id."""
        found = [person.identity(**more.get(person.name, {})) for person in self.people]
        push(self.client(), Inventory([*found, *self._extra], dict(self._aliases), frozenset(self._restorers)))

    def connect(self) -> None:
        """The vendors of the world as an administrator configured them, the journal's key, and quick times."""
        for found in self.world.connections:
            name = f"{found.vendor}_main"
            keys = {"vendor": found.vendor, "tenant": found.tenant, "url": found.url, "allow_loopback_http": "1"}
            keys.update({k: v if isinstance(v, str) else " ".join(v) for k, v in found.plain.items()})
            keys.update({f"settings.{k}": v for k, v in found.settings.items()})
            for kind, secret in found.secrets.items():
                keys["credential"] = kind
                self.deployment.store_password(f"{name}.{kind}", secret.reveal())
            self.deployment.configure("tourniquet_connection", name, keys)
        self.deployment.store_password("journal_key", KEY)
        self.deployment.configure("tourniquet_settings", "timing", {"deadline": "10", "confirm_patience": "1"})

    def client(self) -> Client:
        """The connection as the app."""
        if self._client is None:
            self._client = Client(self.splunkd.uri, self.deployment.session(SYSTEM_USER))
        return self._client

    def journal(self) -> Journal:
        return Journal(KvStore(self.client(), patience=0.5), KEY.encode())

    def kinds(self, prefix: str) -> List[str]:
        """Kinds of the entries of every chain that begins so, in order."""
        return [doc["kind"] for _, doc in self.journal().store.scan(f"e/{prefix}")]

    def audit(self) -> List[Entry]:
        """Who changed what about Tourniquet itself, of today and the day before."""
        journal = self.journal()
        days = (journal.clock() - timedelta(days=back) for back in (1, 0))
        return [entry for day in days for entry in journal.entries(f"audit-{day:%Y%m%d}")]

    def secrets(self) -> List[str]:
        return [password.clear for password in self.deployment.passwords.values()]

    # -- a request ----------------------------------------------------------------------------------------

    def ask(self, user: str, method: str, path: str, body: Any = None, **more: Any) -> Reply:
        """As splunkd hands it over, after it has checked the capability of restmap.conf."""
        refused = self._restmap(user, method, path)
        if refused is not None and not more.pop("past_splunkd", False):
            return refused
        reply = json.loads(json.dumps(self.handler.handle(self.in_string(user, method, path, body, **more))))
        assert set(reply) == {"status", "payload", "headers"}
        assert reply["headers"]["Content-Type"] == "application/json"
        assert "<" not in reply["payload"]
        for secret in (*self.secrets(), *self.deployment.sessions):
            assert len(secret) < 12 or secret not in reply["payload"], "a secret came back"
        return Reply(reply["status"], json.loads(reply["payload"]))

    def in_string(self, user: str, method: str, path: str, body: Any = None, **more: Any) -> str:
        key = more.pop("key", None) or self.deployment.session(user)
        where, _, query = path.partition("?")
        given: Dict[str, Any] = {
            "output_mode": "json",
            "output_mode_explicit": False,
            "server": {"rest_uri": self.splunkd.uri, "hostname": "sh1", "servername": "sh1", "guid": "0"},
            "restmap": {"name": f"script:tourniquet_{where.split('/')[0]}", "conf": {}},
            "path_info": "/".join(where.split("/")[1:]),
            "query": [pair.split("=", 1) for pair in query.split("&") if pair],
            "connection": {"src_ip": "127.0.0.1", "ssl": True, "listening_port": 8089},
            "session": {"user": user, "authtoken": key},
            "rest_path": f"/tourniquet/{where}",
            "method": method,
            "ns": {"app": "tourniquet", "user": "nobody"},
            "form": [],
            "headers": [["Content-Type", "application/json"], ["Accept", "*/*"]],
            "system_authtoken": self.deployment.session(SYSTEM_USER),
        }
        if body is not None:
            given["payload"] = body if isinstance(body, str) else json.dumps(body)
        return json.dumps({**given, **more})

    # -- an adaptive response action ----------------------------------------------------------------------

    def payload(self, user: str, rows: Sequence[Mapping[str, Any]] = (), **more: Any) -> bytes:
        """What splunkd writes to an alert action's stdin when this user runs it by hand."""
        given: Dict[str, Any] = {
            "app": "search", "owner": user, "server_host": "sh1", "server_uri": self.splunkd.uri,
            "session_key": self.deployment.session(user), "sid": "1700000000.42", "search_name": "",
            "configuration": {}, "result": {},
        }  # fmt: skip
        if rows:
            path = self.home / f"results-{len(self.deployment.sessions)}.csv.gz"
            path.write_bytes(gzip.compress(csv_of(rows).encode()))
            given["results_file"] = str(path)
        return json.dumps({**given, **more}).encode()

    def log(self, action: str) -> List[str]:
        """Lines of the action's log."""
        path = self.home / "var" / "log" / "splunk" / f"{action}_modalert.log"
        return path.read_text().splitlines() if path.exists() else []

    def _restmap(self, user: str, method: str, path: str) -> Optional[Reply]:
        """splunkd's own check. Source: restmap.conf.spec, capability.<method>: names with or, and, ()."""
        stanza = self.restmap[f"script:tourniquet_{path.split('/')[0].split('?')[0]}"]
        rule = stanza.get(f"capability.{method.lower()}")
        if rule is None:
            return None
        held = self.deployment.users[user].capabilities
        words = re.findall(r"\w+", rule)
        if any(word in held for word in words if word not in ("or", "and")):
            return None
        return Reply(403, {"error": f"requires capability: {rule}"}, by="splunkd")
