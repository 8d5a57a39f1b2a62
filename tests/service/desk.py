"""A service beside a real Elasticsearch with alerts, and simulated vendors: what most tests here use."""

from __future__ import annotations

import io
import json
import secrets
import time
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional, TypeVar

import requests

from responders.containment.record import all_containments
from responders.content.elastic.server import Server
from responders.drill.world import Person, World
from responders.journal.chain import Journal
from responders.settings import load_settings
from responders.surfaces.assemble import open_journal, read_catalogue
from responders.surfaces.service.run import WEBHOOK, Service
from tests.elastic.office import Office as Stores
from tests.kibana.executor import make_alerts_index
from tests.kibana.store import stamp
from tests.service.front import Front
from tests.surfaces.office import DETECTION, Office

T = TypeVar("T")
SECRET = "a-webhook-secret-of-no-worth-0123456789"
RULES: Mapping[str, str] = {name: str(known["id"]) for name, known in read_catalogue().items()}


def until(what: Callable[[], T], seconds: float = 20.0) -> T:
    """What `what` gives as soon as that is true. Fails when it never is."""
    end = time.monotonic() + seconds
    while True:
        found = what()
        if found or time.monotonic() > end:
            assert found, "it did not come about in time"
            return found
        time.sleep(0.02)


class Desk:
    """An office (settings, inventory, vendors) whose service reads the alerts of a space of its own."""

    def __init__(self, world: World, front: Front) -> None:
        self.world, self.front = world, front
        self.office = Office(world)
        self.server = Server(f"http://{front.target.netloc}")
        self.space = f"tq{secrets.token_hex(5)}"
        self.index = make_alerts_index(self.server, self.space)
        self.secret = self.office._secret("webhook.secret", SECRET)
        self.office.secrets.append(SECRET)
        self.log = io.StringIO()
        self.service: Optional[Service] = None
        self.address = ""
        self.configure()

    def configure(self, *, settings: Mapping[str, Any] = {}, **more: Any) -> None:
        """Write the settings anew; `more` are keys of the section serve."""
        serve = {
            "listen": "127.0.0.1:0", "spaces": [self.space], "webhook": {"secrets": [{"file": self.secret}]},
            "poll": {"every": 0.1}, "threads": 8, "workers": 4, **more,
        }  # fmt: skip
        serve = {name: value for name, value in serve.items() if value is not None}
        self.office.write_settings(**{"serve": serve, "elasticsearch": {"url": self.front.url}, **settings})

    def in_elasticsearch(self, stores: Stores, url: str = "", **more: Any) -> None:
        """The journal in Elasticsearch, which is asked with a key of the shipped role; `url` leads round the proxy."""
        key = self.office._secret("elastic.key", stores.key)
        self.office.secrets.append(stores.key)
        index = {"store": "elasticsearch", "index": stores.names.journal, "key": {"file": "journal.key"}}
        reached = {"url": url or self.front.url, "api_key": {"file": key}}
        self.configure(settings={"elasticsearch": reached, "journal": index}, **more)

    # -- the service --------------------------------------------------------------------------------------

    def open(self) -> Service:
        """The service, not started."""
        self.service = Service(str(self.office.settings), self.log)
        return self.service

    def start(self) -> Service:
        service = self.service or self.open()
        service.start()
        [line] = [entry for entry in self.said() if entry["message"] == "serving"][-1:]
        self.address = f"http://{line['address']}"
        until(lambda: self.space in service.poller.last_good)
        return service

    def stop(self) -> None:
        if self.service is not None:
            self.service.stop()
            self.service = None

    def close(self) -> None:
        self.stop()
        self.server.delete([self.index])
        self.server.__exit__(None, None, None)

    def said(self) -> List[Dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    # -- alerts -------------------------------------------------------------------------------------------

    def document(self, row: Mapping[str, Any], **more: Any) -> Dict[str, Any]:
        """An alert as Kibana writes it for a row of a rule's query."""
        name = secrets.token_hex(20)
        return {
            **row, "@timestamp": stamp(datetime.now(timezone.utc)), "kibana.alert.uuid": name,
            "kibana.alert.workflow_status": "open",
            "kibana.alert.workflow_tags": [], "kibana.alert.rule.rule_id": RULES.get(str(row.get("tq_detection")), "?"),
            "kibana.space_ids": [self.space], **more,
        }  # fmt: skip

    def raise_all(self, *documents: Mapping[str, Any]) -> List[str]:
        """Index alerts; their ids."""
        names = [str(document["kibana.alert.uuid"]) for document in documents]
        self.server.bulk([(self.index, name, document) for name, document in zip(names, documents)])
        return names

    def raised(self, person: Person, **more: Any) -> str:
        """One alert on a person, in the index; its id."""
        return self.raise_all(self.document(self.row(person, **more)))[0]

    def row(self, person: Person, **more: Any) -> Dict[str, Any]:
        return self.office.alert(person, **{"tq_detection": DETECTION, **more})

    def alert(self, name: str) -> Dict[str, Any]:
        """An alert as it is stored now."""
        found: Dict[str, Any] = self.server.call("GET", f"/{self.index}/_doc/{name}")["_source"]
        return found

    # -- webhooks -----------------------------------------------------------------------------------------

    def body(self, name: str, **more: Any) -> Dict[str, Any]:
        return {
            "alert_id": name, "rule_id": RULES[DETECTION], "space": self.space,
            "at": stamp(datetime.now(timezone.utc)), **more,
        }  # fmt: skip

    def hook(self, name: str, **more: Any) -> requests.Response:
        """A webhook as the connector sends it."""
        return self.post(json.dumps(self.body(name, **more)))

    def post(self, body: Any, headers: Optional[Mapping[str, str]] = None) -> requests.Response:
        given = {"Authorization": f"Bearer {SECRET}"} if headers is None else headers
        return self.request("POST", WEBHOOK, data=body, headers={"Content-Type": "application/json", **given})

    def request(self, method: str, path: str, **more: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self.address + path, timeout=20, **more)

    def journal(self) -> Journal:
        """The service's journal, whoever runs it."""
        return open_journal(load_settings(str(self.office.settings)))

    # -- what came of it ----------------------------------------------------------------------------------

    def contained(self) -> List[str]:
        """Identities with a containment, one entry for each containment."""
        assert self.service is not None
        return sorted(about["identity"] for _, about in all_containments(self.service.responder().journal))

    def suspended(self, person: Person) -> bool:
        return bool(self.world.okta.state["users"][person.okta]["status"] == "SUSPENDED")

    def counted(self, name: str, **labels: str) -> float:
        assert self.service is not None
        return self.service.metrics.registry.get_sample_value(name, labels) or 0.0
