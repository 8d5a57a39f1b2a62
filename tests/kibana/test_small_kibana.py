"""The small Kibana refuses what Kibana refuses, and its check turns red where an exchange differs from the description."""

from __future__ import annotations

from typing import Any, Dict, Iterator

import pytest
import requests

from tests.kibana.server import Key, SmallKibana

HEADERS = {"Authorization": "ApiKey key-of-everything", "kbn-xsrf": "x"}
RULE: Dict[str, Any] = {
    "rule_id": "r1", "name": "n", "description": "d", "risk_score": 1, "severity": "low", "type": "esql", "language": "esql",
    "query": "FROM a",
}  # fmt: skip


@pytest.fixture
def kibana() -> Iterator[SmallKibana]:
    with SmallKibana() as found:
        yield found


def load(
    kibana: SmallKibana, text: str, name: str = "r.ndjson", overwrite: bool = True, **headers: str
) -> requests.Response:
    url = f"{kibana.url}/api/detection_engine/rules/_import?overwrite={str(overwrite).lower()}"
    return requests.post(url, files={"file": (name, text.encode())}, headers={**HEADERS, **headers}, timeout=10)


def one(**changes: Any) -> str:
    import json

    return json.dumps({**RULE, **changes}) + "\n"


def test_a_write_needs_the_xsrf_header_a_key_a_privilege_and_a_space(kibana: SmallKibana) -> None:
    """400, 401, 403, 404; a read needs no such header."""
    url = kibana.url + "/api/detection_engine/signals/tags"
    body = {"ids": ["a"], "tags": {"tags_to_add": ["x"], "tags_to_remove": []}}
    key = {"Authorization": HEADERS["Authorization"]}
    assert requests.post(url, json=body, headers=key, timeout=10).status_code == 400
    assert requests.post(url, json=body, headers={"kbn-xsrf": "x"}, timeout=10).status_code == 401
    kibana.keys["r"] = Key("reader", frozenset({"rules:read"}))
    reader = {"Authorization": "ApiKey r", "kbn-xsrf": "x"}
    assert requests.post(url, json=body, headers=reader, timeout=10).status_code == 403
    assert requests.post(url.replace("/api", "/s/nowhere/api"), json=body, headers=HEADERS, timeout=10).status_code == 404
    kibana.keys["s"] = Key("of a space", spaces=frozenset({"other"}))
    assert requests.post(url, json=body, headers={**HEADERS, "Authorization": "ApiKey s"}, timeout=10).status_code == 403
    find = kibana.url + "/api/detection_engine/rules/_find"
    assert requests.get(find, headers=key, timeout=10).status_code == 200
    assert requests.get(find + "?filter=x", headers=key, timeout=10).status_code == 400


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (one(risk_score="x"), "risk_score"),
        (one(risk_score=101), "risk_score"),
        (one(type="esq"), "discriminator"),
        (one(severity="bad"), "severity"),
        (one(interval="x"), "interval"),
        (one(max_signals=0), "max_signals"),
        (one(rule_id=None), "rule_id"),
        (one(alert_suppression={"group_by": []}, threat=[{}]), "threat"),
        ("{\n", "Expecting"),
        (one(actions=[{"id": "c", "group": "default", "params": {}, "action_type_id": ".slack"}]), "missing action IDs: c"),
    ],
)
def test_an_import_refuses_a_row(kibana: SmallKibana, text: str, word: str) -> None:
    """200 with success false and an error that says why; the good row beside it goes in."""
    found = load(kibana, text + one(rule_id="good")).json()
    assert found["success"] is False
    assert word in found["errors"][0]["error"]["message"]
    assert list(kibana.rules.rules) == ["good"]


def test_an_import_refuses_a_file(kibana: SmallKibana) -> None:
    """Another extension, no file, too many rules, too many bytes."""
    assert load(kibana, one(), name="r.json").status_code == 400
    empty = requests.post(kibana.url + "/api/detection_engine/rules/_import", headers=HEADERS, json={}, timeout=10)
    assert empty.status_code == 415
    assert load(kibana, "{}\n" * 10_001).status_code == 400
    assert load(kibana, " " * (10 * 1024 * 1024 + 1)).status_code == 413


def test_an_import_without_overwrite_leaves_what_is_there(kibana: SmallKibana) -> None:
    """409 for the rule; with it the rule is replaced whole, and a field that is not sent falls back to its default."""
    load(kibana, one(exceptions_list=[kibana.rules.add_list("mine")], interval="9m"))
    assert load(kibana, one(), overwrite=False).json()["errors"][0]["error"]["status_code"] == 409
    assert kibana.rules.rules["r1"]["interval"] == "9m"
    load(kibana, one())
    held = kibana.rules.rules["r1"]
    assert (held["interval"], held["exceptions_list"], held["revision"]) == ("5m", [], 1)
    twice = load(kibana, one(rule_id="a") + one(rule_id="a"), overwrite=False).json()
    assert "More than one rule" in twice["errors"][0]["error"]["message"]


def test_alerts_take_tags_status_and_notes(kibana: SmallKibana) -> None:
    """And refuse a tag both added and removed, an unknown status, a note without its timeline."""
    kibana.alerts["default"] = {"a": {"kibana.alert.workflow_tags": ["old"]}}
    signals = kibana.url + "/api/detection_engine/signals"

    def post(path: str, body: Any) -> int:
        return requests.post(signals + path, json=body, headers=HEADERS, timeout=10).status_code

    assert post("/tags", {"ids": ["a"], "tags": {"tags_to_add": ["new"], "tags_to_remove": ["old"]}}) == 200
    assert post("/status", {"signal_ids": ["a"], "status": "acknowledged"}) == 200
    assert kibana.alerts["default"]["a"] == {
        "kibana.alert.workflow_tags": ["new"], "kibana.alert.workflow_status": "acknowledged",
    }  # fmt: skip
    assert post("/tags", {"ids": ["a"], "tags": {"tags_to_add": ["x"], "tags_to_remove": ["x"]}}) == 400
    assert post("/tags", {"ids": [], "tags": {"tags_to_add": ["x"], "tags_to_remove": []}}) == 400
    assert post("/status", {"signal_ids": ["a"], "status": "done"}) == 400
    note = {"note": {"timelineId": "", "eventId": "a", "note": "contained"}}
    assert requests.patch(kibana.url + "/api/note", json=note, headers=HEADERS, timeout=10).status_code == 200
    assert requests.patch(kibana.url + "/api/note", json={"note": {}}, headers=HEADERS, timeout=10).status_code == 400
    assert kibana.notes[0]["note"] == "contained"


def test_the_check_turns_red(kibana: SmallKibana) -> None:
    """A good exchange passes; an unknown parameter, an answer of another shape and an unknown operation are each told."""
    find = kibana.url + "/api/detection_engine/rules/_find"
    load(kibana, one())
    requests.get(find, headers=HEADERS, timeout=10)
    assert kibana.violations() == []
    kibana.requests.clear()
    requests.get(find + "?colour=red", headers=HEADERS, timeout=10)
    assert "unknown query parameter colour" in kibana.violations()[0]
    kibana.requests.clear()
    kibana.answer_instead.append(("_find", 200, {"page": 1}))
    requests.get(find, headers=HEADERS, timeout=10)
    assert "required" in kibana.violations()[0]
    kibana.requests.clear()
    requests.get(kibana.url + "/api/nothing", headers=HEADERS, timeout=10)
    assert "neither in the description" in kibana.violations()[0]
    kibana.requests.clear()
    body = {"ids": ["a"], "tags": {"tags_to_add": [7], "tags_to_remove": []}}
    requests.post(kibana.url + "/api/detection_engine/signals/tags", json=body, headers=HEADERS, timeout=10)
    assert any("request" in one for one in kibana.violations())
