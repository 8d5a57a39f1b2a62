"""(g): the service beside Elastic Security, as its own process: from a visible alert to the last confirmed step."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

import requests

from responders.containment.record import all_containments, load
from responders.content.elastic.server import Server
from responders.content.elastic.stores import journal_index
from responders.drill.world import Person
from responders.settings import load_settings
from responders.surfaces.assemble import open_journal, read_catalogue
from responders.surfaces.service.run import WEBHOOK
from tests.bench.company import Company
from tests.bench.fixture import KEY, VENDORS, alert, inventory
from tests.bench.relay import Relay
from tests.kibana.executor import make_alerts_index

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "bench-webhook-secret-of-no-worth-0123456789"
_PATIENCE = 60.0


@dataclass(frozen=True)
class Served:
    """Seconds from when the alert could be searched until all four vendors were confirmed; the process's peak in MB."""

    confirmed: List[float]
    megabytes: float


def run(
    company: Company, elasticsearch: str, folder: Path, count: int, *, webhook: bool, elastic_journal: bool, far: bool
) -> Served:
    """So many alerts one after another, after one that is not counted. `far`: Elasticsearch is behind a relay as well."""
    people = [company.person(f"{folder.name}-{number}") for number in range(count + 1)]
    folder.mkdir()
    server, space = Server(elasticsearch), f"tq{secrets.token_hex(5)}"
    made = [make_alerts_index(server, space)]
    if elastic_journal:
        made.append(f"tourniquet-journal-{space}")
        server.call("PUT", f"/{made[-1]}", journal_index())
    try:
        _settings(company, people, folder, Relay(elasticsearch).url if far else elasticsearch, space, made[1:])
        with _serving(folder) as (address, pid):
            found = [_one(person, server, made[0], space, address, folder, webhook) for person in people]
            return Served(found[1:], _peak(pid))
    finally:
        server.delete(made)


def storm(company: Company, elasticsearch: str, folder: Path, count: int) -> float:
    """Seconds in which so many webhooks on one person are stored, by eight connections, while the service contains."""
    person = company.person(folder.name)
    folder.mkdir()
    server, space = Server(elasticsearch), f"tq{secrets.token_hex(5)}"
    index = make_alerts_index(server, space)
    try:
        _settings(company, [person], folder, elasticsearch, space, [])
        documents = [_document(alert(person, number=number), space) for number in range(count)]
        server.bulk((index, str(document["kibana.alert.uuid"]), document) for document in documents)
        with _serving(folder) as (address, _):

            def send(some: Sequence[Dict[str, Any]]) -> None:
                connection = http.client.HTTPConnection(address, timeout=60)
                for document in some:
                    connection.request("POST", WEBHOOK, json.dumps(_body(document, space)), _HEADERS)
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status != 202:
                        raise RuntimeError(f"not stored: {answer.status}")
                connection.close()

            began = time.monotonic()
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(send, [documents[number::8] for number in range(8)]))
            return time.monotonic() - began
    finally:
        server.delete([index])


_HEADERS = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}


def _one(person: Person, server: Server, index: str, space: str, address: str, folder: Path, webhook: bool) -> float:
    document = _document(alert(person), space)
    server.bulk([(index, str(document["kibana.alert.uuid"]), document)])
    visible = time.time()
    if webhook:
        answer = requests.post(f"http://{address}{WEBHOOK}", json=_body(document, space), headers=_HEADERS, timeout=30)
        if answer.status_code != 202:
            raise RuntimeError(f"not stored: {answer.status_code} {answer.text}")
    journal = open_journal(load_settings(str(folder / "settings.json")))
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        for containment, about in all_containments(journal):
            mine = about["identity"] == person.name and journal.head(containment) is not None
            record = load(journal, containment) if mine else None
            if record is not None and record.contained_at is not None and len(record.outcomes) == len(record.steps):
                if {step.account.vendor for step in record.steps.values()} != set(VENDORS):
                    raise RuntimeError(f"not all vendors: {record.steps}")
                time.sleep(0.3)  # the first recheck is later; the next alert meets a quiet service
                return record.contained_at.timestamp() - visible
        time.sleep(0.1)
    raise RuntimeError("not contained everywhere")


def _document(row: Dict[str, Any], space: str) -> Dict[str, Any]:
    return {
        **row, "@timestamp": datetime.now(timezone.utc).isoformat(), "kibana.alert.uuid": secrets.token_hex(20),
        "kibana.alert.workflow_status": "open", "kibana.alert.workflow_tags": [], "kibana.space_ids": [space],
        "kibana.alert.rule.rule_id": read_catalogue()[str(row["tq_detection"])]["id"],
    }  # fmt: skip


def _body(document: Dict[str, Any], space: str) -> Dict[str, Any]:
    return {
        "alert_id": document["kibana.alert.uuid"], "rule_id": document["kibana.alert.rule.rule_id"], "space": space,
        "at": datetime.now(timezone.utc).isoformat(),
    }  # fmt: skip


@contextlib.contextmanager
def _serving(folder: Path) -> Iterator[Any]:
    """Address and process id of a service that is ready."""
    program = "import sys; from responders.surfaces.command_line.main import main; sys.exit(main())"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    environment["TOURNIQUET_SETTINGS"] = str(folder / "settings.json")
    with (
        open(folder / "log", "wb") as log,
        subprocess.Popen([sys.executable, "-c", program, "serve"], stderr=log, env=environment) as process,
    ):
        try:
            yield _ready(folder, process), process.pid
        finally:
            process.terminate()
            process.wait(60)


def _ready(folder: Path, process: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        lines = [json.loads(line) for line in (folder / "log").read_text().splitlines() if line.startswith("{")]
        address = next((str(line["address"]) for line in lines if line["message"] == "serving"), "")
        if address and requests.get(f"http://{address}/readyz", timeout=5).status_code == 200:
            time.sleep(1.0)  # signed in at every vendor
            return address
        time.sleep(0.05)
    raise RuntimeError(f"the service is not ready: {(folder / 'log').read_text()[-2000:]}")


def _settings(
    company: Company, people: Sequence[Person], folder: Path, elasticsearch: str, space: str, index: Sequence[str]
) -> None:
    connections: List[Dict[str, Any]] = []
    for found in company.connections:
        kept = {name: {"file": _secret(folder, f"{found.vendor}.{name}", s.reveal())} for name, s in found.secrets.items()}
        plain = {key: list(value) if isinstance(value, tuple) else value for key, value in found.plain.items()}
        connections.append(
            {"vendor": found.vendor, "tenant": found.tenant, "url": found.url, "settings": dict(found.settings),
             "allow_loopback_http": True, **plain, **kept}
        )  # fmt: skip
    policy = json.loads((ROOT / "responders" / "policy" / "default_policy.json").read_text())
    policy["limits"].update(revokes=1000, never_under=1000, population_share=1.0, detection_share=1.0, guarded=1000)
    (folder / "policy.json").write_text(json.dumps(policy))
    (folder / "inventory.json").write_text(inventory(people).to_json())
    key = {"file": _secret(folder, "key", KEY)}
    store = {"store": "elasticsearch", "index": index[0], "key": key} if index else {"path": "journal.db", "key": key}
    section = {
        "listen": "127.0.0.1:0", "spaces": [space], "webhook": {"secrets": [{"file": _secret(folder, "secret", SECRET)}]},
    }  # fmt: skip
    given = {
        "connections": connections, "journal": store, "inventory": "inventory.json", "policy": "policy.json",
        "elasticsearch": {"url": elasticsearch}, "serve": section,
    }  # fmt: skip
    (folder / "settings.json").write_text(json.dumps(given))


def _secret(folder: Path, name: str, value: str) -> str:
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(value)
    return str(path)


def _peak(pid: int) -> float:
    """Peak resident size in MB (VmHWM)."""
    lines = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) / 1024
