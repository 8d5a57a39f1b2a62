"""Entra's raw events: their odd times, their places, who is risky, and who gains a permission."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict

import pytest

from responders.content.ecs import to_ecs
from responders.content.forms import parse_time, to_splunk

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)


def document(source: str, event: Dict[str, Any]) -> Dict[str, Any]:
    return to_ecs(source, event, NOW)[0].document


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("8/22/2022 6:11:52 PM", "2022-08-22T18:11:52Z"),
        ("12/1/2022 12:00:01 AM", "2022-12-01T00:00:01Z"),
        ("12/1/2022 12:00:01 PM", "2022-12-01T12:00:01Z"),
    ],
)
def test_a_time_of_id_protection_is_read(text: str, same: str) -> None:
    """Event Hub has month, day and year, and a clock of twelve hours."""
    assert parse_time(text) == parse_time(same)


def test_what_only_looks_like_such_a_time_is_none() -> None:
    """A thirteenth month is no time, and neither is a date without its half of the day."""
    assert parse_time("13/40/2022 6:11:52 PM") is None
    assert parse_time("8/22/2022 6:11:52") is None


def test_a_risky_user_is_a_new_event_with_each_change() -> None:
    """The user's id is the event's id there, so that two states of one user must not be one document."""
    event = {"time": "8/22/2022 6:11:52 PM", "category": "RiskyUsers", "properties": {"id": "u1", "riskState": "atRisk"}}
    later = {**event, "properties": {"id": "u1", "riskState": "remediated"}}
    first, second = to_ecs("entra_risk", event, NOW)[0], to_ecs("entra_risk", later, NOW)[0]
    assert first.id != second.id
    assert first.index == "logs-azure.identity_protection-default"
    assert first.document["@timestamp"] == "2022-08-22T18:11:52.000Z"
    assert to_splunk("entra_risk", event, 0.0)["sourcetype"] == "azure:monitor:aad"
    assert to_splunk("entra_risk", event["properties"], 0.0)["sourcetype"].startswith("azure:aad:identity_protection:")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "place",
    [None, "x", {}, {"geoCoordinates": None}, {"geoCoordinates": {"latitude": "x", "longitude": 1}},
     {"geoCoordinates": {"latitude": 91, "longitude": 1}}, {"geoCoordinates": {"latitude": 1}}],
)  # fmt: skip
def test_a_place_that_is_none_is_left_out(place: Any) -> None:
    """A value that no geo_point takes would have Elasticsearch reject the whole sign-in."""
    made = document("entra_signin", {"time": "2026-03-01T10:00:00Z", "properties": {"id": "s1", "location": place}})
    assert "location" not in made.get("geo", {})


def test_a_place_keeps_its_coordinates() -> None:
    """Zero is a coordinate like any other."""
    place = {"geoCoordinates": {"latitude": 0, "longitude": -74.0}}
    made = document("entra_signin", {"time": "2026-03-01T10:00:00Z", "properties": {"id": "s1", "location": place}})
    assert made["geo"]["location"] == {"lat": 0.0, "lon": -74.0}


def test_names_in_small_letters_are_read() -> None:
    """Some exports write what stands beside the properties so."""
    made = document(
        "entra_signin", {"time": "2026-03-01 10:00:00", "tenantid": "t1", "calleripaddress": "192.0.2.1", "resulttype": 0}
    )
    assert (made["azure"]["tenant_id"], made["source"]["ip"]) == ("t1", "192.0.2.1")


def test_the_first_target_keeps_eight_changed_properties() -> None:
    """Who gained a permission is the sixth; of other targets five are mapped, which the index has columns for."""
    changed = [{"displayName": f"p{n}", "newValue": str(n)} for n in range(12)]
    targets = [{"id": "a", "modifiedProperties": changed}, {"id": "b", "modifiedProperties": changed}]
    event = {"time": "2026-03-01T10:00:00Z", "properties": {"id": "d1", "targetResources": targets}}
    made = document("entra_audit", event)["azure"]["auditlogs"]["properties"]["target_resources"]
    assert (len(made["0"]["modified_properties"]), len(made["1"]["modified_properties"])) == (8, 5)
