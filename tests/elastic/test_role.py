"""What a thief of the responder's key can't do in Elasticsearch: the shipped role, refused by the real one.

`GET /`, reindex, and update and delete by query are not in the Elasticsearch of the tests.
"""

from __future__ import annotations

import json
from typing import Any, Iterator, List, Mapping, Tuple

import pytest
import requests

from responders.inventory.resolve import Inventory
from responders.journal.chain import Journal
from responders.model import Account, Identity
from tests.elastic.office import Office

pytestmark = pytest.mark.engine("elasticsearch")


@pytest.fixture(scope="module")
def office(elasticsearch_url: str) -> Iterator[Office]:
    """Stores with something in each, an alert, and an index of somebody else's."""
    with Office(elasticsearch_url) as found:
        people = [Identity("bob", "human", None, "normal", "production", False, (Account("okta", "t", "user", "1"),), ())]
        found.fill(Inventory(people))
        found.journal(b"k" * 32).append("a-1", "thing", {"n": 1})
        alerts = f".internal.alerts-security.alerts-{found.names.space}-000001"
        found.create(alerts, {"aliases": {f".alerts-security.alerts-{found.names.space}": {"is_hidden": True}}})
        found.create(f"secret-{found.names.space}", {})
        for index in (alerts, f"secret-{found.names.space}"):
            found.server.call("PUT", f"/{index}/_doc/1", {"n": 1}, query={"refresh": "true"})
        found.server.call("PUT", f"/{found.names.stream('journal')}/_create/1", {"@timestamp": "2026-01-01T00:00:00Z"})
        yield found


def ask(office: Office, method: str, path: str, body: Any = None) -> Tuple[int, Any]:
    """By the role's key: status and answer. `{…}` in a path is a name of the office's."""
    names = office.names
    path = path.format(
        journal=names.journal, identities=names.identities, accounts=names.accounts, watch=names.watch, space=names.space,
        told=names.stream("journal"), alerts=f".internal.alerts-security.alerts-{names.space}-000001",
    )  # fmt: skip
    lines = isinstance(body, list)
    data = "".join(json.dumps(line) + "\n" for line in body) if lines else (None if body is None else json.dumps(body))
    kind = "application/x-ndjson" if lines else "application/json"
    headers = {"Authorization": f"ApiKey {office.key}", "Content-Type": kind}
    answer = requests.request(method, office.url + path, data=data, headers=headers, timeout=30)
    return answer.status_code, answer.json()


ALLOWED: List[Tuple[str, str, Any]] = [
    ("GET", "/.alerts-security.alerts-{space}/_search", {"query": {"match_all": {}}}),
    ("POST", "/{alerts}/_update/1", {"doc": {"kibana.alert.workflow_status": "acknowledged"}}),
    ("GET", "/logs-okta.system-*/_search?ignore_unavailable=true&allow_no_indices=true", {"size": 0}),
    ("POST", "/{journal}/_bulk", [{"create": {"_id": "e/b/0"}}, {"key": "e/b/0", "doc": "{}", "mark": "m"}]),
    ("POST", "/{journal}/_refresh", None),
    ("GET", "/{journal}/_doc/e%2Fb%2F0", None),
    ("GET", "/{identities}/_search", None),
    ("PUT", "/{watch}/_doc/bob", {"tq_watched": "bob"}),
    ("PUT", "/{watch}/_doc/bob", {"tq_watched": "bob", "tq_watched_why": "again"}),
    ("POST", "/{told}/_bulk", [{"create": {"_id": "2"}}, {"@timestamp": "2026-01-01T00:00:00Z"}]),
]


@pytest.mark.parametrize(("method", "path", "body"), ALLOWED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_the_service_does_is_allowed(office: Office, method: str, path: str, body: Any) -> None:
    """Each kind of call that the responder makes."""
    status, answer = ask(office, method, path, body)
    assert status in (200, 201), answer
    assert not answer.get("errors"), answer


ENTRY = "/{journal}/_doc/e%2Fa-1%2F00000000"
REFUSED: List[Tuple[str, str, Any]] = [
    # the journal: no entry changes, none goes
    ("DELETE", ENTRY, None),
    ("PUT", ENTRY, {"key": "e/a-1/00000000", "doc": "{{}}"}),
    ("POST", "/{journal}/_update/e%2Fa-1%2F00000000", {"doc": {"doc": "{{}}"}}),
    ("POST", "/{journal}/_update/new", {"doc": {"key": "x"}, "doc_as_upsert": True}),
    ("DELETE", "/{journal}", None),
    ("POST", "/{journal}/_close", None),
    ("PUT", "/{journal}/_mapping", {"properties": {"x": {"type": "keyword"}}}),
    ("PUT", "/{journal}/_settings", {"index.blocks.write": True}),
    ("PUT", "/{journal}/_block/write", None),
    ("POST", "/_aliases", {"actions": [{"add": {"index": "{journal}", "alias": "mine"}}]}),
    ("PUT", "/tourniquet-journal-{space}-more", None),
    # who is who
    ("PUT", "/{identities}/_doc/x", {"keys": ["okta:t:1"]}),
    ("DELETE", "/{identities}/_doc/about", None),
    ("PUT", "/{accounts}/_doc/x", {"tq_account": "okta:t:1", "tq_identity": "eve"}),
    ("GET", "/{accounts}/_search", None),
    # what was told, and the watch list
    ("POST", "/{told}/_update/1", {"doc": {"x": 1}}),
    ("POST", "/{told}/_rollover", None),
    ("DELETE", "/{watch}/_doc/bob", None),
    ("DELETE", "/{watch}-1", None),
    ("GET", "/{watch}/_search", None),
    # alerts and everybody else's
    ("DELETE", "/{alerts}/_doc/1", None),
    ("DELETE", "/{alerts}", None),
    ("GET", "/secret-{space}/_search", None),
    ("PUT", "/secret-{space}/_doc/2", {"n": 2}),
    ("PUT", "/logs-okta.system-{space}/_doc/1?op_type=create", {"@timestamp": "2026-01-01T00:00:00Z"}),
    # the cluster
    ("PUT", "/_cluster/settings", {"persistent": {"cluster.routing.allocation.enable": "none"}}),
    ("GET", "/_cluster/state", None),
    ("PUT", "/_index_template/mine", {"index_patterns": ["mine-*"]}),
    ("GET", "/.security/_search", None),
    ("POST", "/_security/api_key", {"name": "mine"}),
    ("GET", "/_security/role", None),
    ("PUT", "/_security/role/mine", {"cluster": ["all"]}),
    ("PUT", "/_security/user/mine", {"password": "long-enough-1", "roles": ["superuser"]}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_nothing_else_is(office: Office, method: str, path: str, body: Any) -> None:
    """Refused as unauthorized, whatever the way."""
    status, answer = ask(office, method, path, body)
    assert status == 403, answer
    assert answer["error"]["type"] == "security_exception"


def test_a_data_stream_takes_no_overwriting_from_anybody(office: Office) -> None:
    """Elasticsearch itself refuses it, before it asks who."""
    status, answer = ask(office, "PUT", "/{told}/_doc/1?op_type=index", {"@timestamp": "2026-01-01T00:00:00Z"})
    assert status == 400 and "op_type of create" in answer["error"]["reason"]


BULK: List[Mapping[str, Any]] = [
    {"index": {"_index": "J", "_id": "e/a-1/00000000"}}, {"key": "e/a-1/00000000", "doc": "{}"},
    {"update": {"_index": "J", "_id": "e/a-1/00000000"}}, {"doc": {"doc": "{}"}},
    {"delete": {"_index": "J", "_id": "e/a-1/00000000"}},
]  # fmt: skip


def test_a_bulk_request_is_no_way_around(office: Office) -> None:
    """Each line of it is judged by itself; and the entry is what it was."""
    lines = json.loads(json.dumps(BULK).replace('"J"', json.dumps(office.names.journal)))
    _, answer = ask(office, "POST", "/_bulk", lines)
    assert [next(iter(item.values()))["status"] for item in answer["items"]] == [403] * 3
    journal: Journal = office.journal(b"k" * 32)
    assert [entry.body for entry in journal.entries("a-1")] == [{"n": 1}]
    assert [line for line in journal.verify() if "a-1" in line] == []
    status, answer = ask(office, "PUT", "/{told}/_doc/1?op_type=index", {"@timestamp": "2026-01-01T00:00:00Z"})
    assert (
        status == 400 and "op_type of create" in answer["error"]["reason"]
    )  # a data stream takes nothing else from anybody
