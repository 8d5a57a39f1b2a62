"""Who may read and write the app's KV collections over REST, as its metadata says and a splunkd holds to it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Dict, Iterator, Tuple

import pytest
import requests

from tests.splunkd import Deployment, Splunkd

APP = Path(__file__).resolve().parents[2] / "splunk_app"
READ_BY_SEARCHES = ("tourniquet_accounts", "tourniquet_watch", "tourniquet_seen", "tourniquet_sources")
CONF = (APP / "default" / "collections.conf").read_text()
CLOSED = tuple(sorted({*re.findall(r"^\[(\w+)\]", CONF, re.MULTILINE)} - {*READ_BY_SEARCHES}))
"""Whatever is no lookup of a search: a collection that is added later must be closed, too."""
ANALYST = ("tourniquet_view_journal", "tourniquet_contain_revoke", "tourniquet_restore")
Doors = Tuple[Splunkd, Dict[str, str]]


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    """A splunkd with the app, and a session each of an analyst with roles of ours, an administrator, Splunk itself."""
    deployment = Deployment()
    deployment.install(APP)
    deployment.user("ana", *ANALYST, roles=("user", "power", "tourniquet_restorer", "tourniquet_admin"))
    for name in (*CLOSED, *READ_BY_SEARCHES):
        deployment.put(name, {"_key": "k", "tq_account": "okta:corp:1"})
    with Splunkd(deployment) as splunkd:
        yield splunkd, {name: deployment.session(name) for name in ("ana", "admin", "splunk-system-user")}


def ask(doors: Doors, who: str, method: str, tail: str, body: object = None) -> int:
    splunkd, keys = doors
    url = f"{splunkd.uri}/servicesNS/nobody/tourniquet/storage/collections/data/{tail}"
    headers = {"Authorization": f"Splunk {keys[who]}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body)
    return requests.request(method, url, headers=headers, data=data, timeout=10).status_code


def test_each_collection_has_its_own_line_in_the_metadata() -> None:
    """So that nobody is let in by a line that was written for something else."""
    named = (APP / "metadata" / "default.meta").read_text()
    assert {*CLOSED} >= {"tourniquet_journal", "tourniquet_policy", "tourniquet_identities"}
    assert all(f"[collections/{name}]" in named for name in (*CLOSED, *READ_BY_SEARCHES))


@pytest.mark.parametrize("name", CLOSED)
def test_what_the_responder_keeps_is_read_by_nobody_else(name: str, doors: Doors) -> None:
    """Not by an analyst with every role of the app, in no way: raw alerts, who is protected, who proposed what."""
    ways = (("GET", name, None), ("GET", f"{name}/k", None), ("POST", f"{name}/batch_find", [{}]))
    assert {ask(doors, "ana", *way) for way in ways} == {403}
    assert {ask(doors, who, "GET", f"{name}/k") for who in ("admin", "splunk-system-user")} == {200}


@pytest.mark.parametrize("name", READ_BY_SEARCHES)
def test_lookups_are_read_by_searches_of_anybody(name: str, doors: Doors) -> None:
    """The detections' lookups, and a dashboard that an analyst looks at."""
    assert ask(doors, "ana", "GET", name) == 200


@pytest.mark.parametrize("name", [*CLOSED, *READ_BY_SEARCHES])
def test_no_analyst_writes_any_of_them(name: str, doors: Doors) -> None:
    """Else an analyst, or who holds his session, could unmap an identity, end a watch, or teach a baseline."""
    ways = (
        ("POST", name, {"_key": "x"}), ("POST", f"{name}/k", {"tq_account": ""}), ("DELETE", f"{name}/k", None),
        ("DELETE", name, None), ("POST", f"{name}/batch_save", [{"_key": "k"}]),
    )  # fmt: skip
    assert {ask(doors, "ana", *way) for way in ways} == {403}
    assert ask(doors, "splunk-system-user", "POST", f"{name}/k", {"tq_account": "okta:corp:1"}) == 200
