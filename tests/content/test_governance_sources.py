"""SailPoint's events, GitHub's leaked tokens, baselines that know when something was last seen, and renamed addresses."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timezone
from typing import Any, Dict, List

import pytest

from responders.content.ecs import to_ecs
from responders.content.forms import to_splunk
from responders.content.loader import load_macros
from responders.content.rename import rename
from responders.content.spl import Context, parse, run
from responders.content.splunk_upkeep import upkeep
from tests import shipped

NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)


def test_a_sailpoint_event_becomes_snake_case() -> None:
    """Keys with humps are found under the integration's names, at every depth; what the field list lacks is left out."""
    event = {
        "id": "a1", "created": "2026-03-01T10:00:00Z", "technicalName": "ACCOUNT_ENABLE_PASSED", "ipAddress": "203.0.113.9",
        "actor": {"id": "u1", "displayName": "Dora"}, "attributes": {"accountName": "eroth", "unheardOf": "x"},
    }  # fmt: skip
    (document,) = to_ecs("sailpoint", event, NOW)
    held = document.document["sailpoint_identity_sc"]["events"]
    assert (document.index, document.id) == ("logs-sailpoint_identity_sc.events-default", "a1")
    assert (held["technical_name"], held["ip_address"]) == ("ACCOUNT_ENABLE_PASSED", "203.0.113.9")
    assert (held["actor"]["display_name"], held["attributes"]) == ("Dora", {"account_name": "eroth"})


def test_a_secret_scanning_alert_keeps_its_secret_and_its_times() -> None:
    """The alert's time is its last change, as the pipeline has it, and the time it was made stays beside it."""
    event = {
        "number": 7,
        "created_at": "2026-03-01T10:00:00Z",
        "updated_at": "2026-03-01T11:00:00Z",
        "secret": "s",
        "secret_type": "t",
    }
    (document,) = to_ecs("github_secret_scanning", event, NOW)
    assert document.document["@timestamp"] == "2026-03-01T11:00:00.000Z"
    assert document.document["github"]["secret_scanning"]["created_at"] == "2026-03-01T10:00:00.000Z"
    assert document.document["github"]["secret_scanning"]["secret"] == "s"


@pytest.mark.parametrize("number", range(12))
def test_a_token_has_the_hash_of_the_audit_log(number: int) -> None:
    """The search makes of a leaked token what GitHub writes as hashed_token: its SHA-256 in base64."""
    token = f"ghp_{hashlib.sha256(str(number).encode()).hexdigest()[:36]}"
    event = to_splunk("github_secret_scanning", {"created_at": "2026-03-01T10:00:00Z", "secret": token}, 0.0)
    search = parse("`tourniquet_secret_scanning` | `tourniquet_token_hash` | table tq_leaked_hash", load_macros())
    (row,) = run(search, [event], Context(load_macros(), {}, 0.0))
    assert row["tq_leaked_hash"] == base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()


def test_a_baseline_keeps_the_last_time_and_learns_after_the_searches() -> None:
    """The last time only ever gets later; what was indexed in the last 20 minutes is left to the searches first."""
    settings = dict(upkeep(shipped.detections()))
    found = dict(settings["Tourniquet - baseline account_disabled"])
    assert (found["dispatch.index_earliest"], found["dispatch.index_latest"]) == ("-25m@m", "-20m@m")
    assert dict(settings["Tourniquet - watch list"])["dispatch.index_latest"] == "@m"
    tables: Dict[str, List[Dict[str, Any]]] = {"tourniquet_accounts": [], "tourniquet_watch": [], "tourniquet_seen": []}
    search = parse(found["search"], load_macros())
    for day in (3, 1, 2):
        event = {
            "id": f"e{day}", "org": "acme", "created": f"2026-03-0{day}T10:00:00Z", "action": "DisableAccount",
            "actor": {"name": "dora"}, "target": {"name": "emil"},
        }  # fmt: skip
        run(search, [to_splunk("sailpoint", event, 0.0)], Context(load_macros(), tables, 0.0))
    (row,) = [row for row in tables["tourniquet_seen"] if row["tq_seen"] == "account_disabled|sailpoint:acme:emil|off"]
    assert float(row["tq_last_seen"]) - float(row["tq_first_seen"]) == 2 * 86400


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.7.9", "172.20.0.4", "100.64.3.3", "127.0.0.1"])
def test_a_renamed_private_address_stays_private(address: str) -> None:
    """A search that asks whether an address is private gives the same for an example and for its renamed copy."""
    ((event,), _, _) = rename([{"ip": address, "other": "203.0.113.9"}], [], {})
    assert event["ip"].split(".")[:2] == address.split(".")[:2]
    assert event["ip"] != address
    assert not event["other"].startswith("203.")
