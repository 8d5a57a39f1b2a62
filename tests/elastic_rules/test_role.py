"""The two shipped roles: one makes the indices, the other runs the rules and lets the doctor look. Neither can do more."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Iterator, Tuple

import pytest

from responders.content.elastic.server import ElasticError, Server
from responders.elastic.doctor.examine import examine
from responders.elastic.import_rules import changes, send
from responders.elastic.indices import ensure, read_requests
from responders.elastic.kibana import Kibana
from responders.settings import Secret
from tests.elastic_rules.conftest import SHIPPED, Office
from tests.kibana.server import Key

pytestmark = pytest.mark.engine("elasticsearch")


@pytest.fixture
def keys(office: Office) -> Iterator[Tuple[str, str]]:
    """Of the set-up and of the rules, each with exactly its role."""
    made = []
    for name in ("setup", "rules"):
        role = json.loads((SHIPPED / f"{name}_role.json").read_text(encoding="utf-8"))
        asked = {"name": f"{name}-{office.namespace}", "expiration": "30d", "role_descriptors": {name: role}}
        made.append(office.server.call("POST", "/_security/api_key", asked)["encoded"])
    office.kibana.keys[made[1]] = Key("rules")
    try:
        yield made[0], made[1]
    finally:
        for name in ("setup", "rules"):
            office.server.call("DELETE", "/_security/api_key", {"name": f"{name}-{office.namespace}"})


def test_the_roles_are_enough_and_no_more(office: Office, keys: Tuple[str, str]) -> None:
    """Indices and templates by one; every query and every check of the doctor by the other, which writes nothing."""
    text = (office.folder / "indices.json").read_text()
    template = {"index_patterns": [f"logs-tourniquet.agent-{office.namespace}*"], "priority": 300, "data_stream": {}}
    name = f"/_index_template/tourniquet-{office.namespace}"
    requests = [*read_requests(text, "indices"), {"method": "PUT", "path": name, "body": template}]
    url, schema = office.server.url, f"/tourniquet-schema-{office.namespace}"
    setup, rules = Server(url, key=Secret(keys[0])), Server(url, key=Secret(keys[1]))
    with setup, rules, Kibana(office.kibana.url, key=Secret(keys[1])) as client:
        try:
            assert {made.what for made in ensure(setup, requests)} == {"made"}
            assert all(
                not outcome.error for outcome in send(client, changes(client, office.rules(), enable=frozenset({"okta"})))
            )
            for rule in office.rules():
                assert rules.esql(rule["query"], {"match_all": {}}) == []
            found = examine(rules, client, office.rules(), requests, datetime.now(timezone.utc))
            assert [one for one in found if "could not be checked" in one.what or "can't be" in one.what] == []
            assert [one.about for one in found if one.check == "key"] == [f"rules-{office.namespace}"]
            log = f"/logs-okta.system-{office.namespace}/_doc/1"
            for server, method, path, body in (
                (rules, "PUT", log, {}), (rules, "PUT", f"{schema}/_doc/1", {}), (rules, "DELETE", schema, None),
                (rules, "PUT", name, template), (rules, "GET", f"/tourniquet-journal-{office.namespace}/_search", None),
                (setup, "PUT", log, {}), (setup, "GET", f"{schema}/_search", None),
                (setup, "PUT", "/_security/role/mine", {"cluster": ["all"]}),
                (setup, "POST", "/_security/api_key", {"name": "mine"}),
            ):  # fmt: skip
                with pytest.raises(ElasticError) as caught:
                    server.call(method, path, body)
                assert caught.value.status == 403, (method, path)
        finally:
            office.server.call("DELETE", name)
