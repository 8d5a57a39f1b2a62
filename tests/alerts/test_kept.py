"""The journal keeps the raw alert, and none of the secrets in it."""

from __future__ import annotations

import json
import time
from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders import pipeline
from responders.alerts.kept import kept
from responders.alerts.row import alert_from_row
from responders.drill.world import World, now
from responders.errors import BadAlert
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

# Made up; no credential of anything.
SECRETS = {
    "_raw": '{"eventName":"CreateAccessKey","accessKey":{"secretAccessKey":"wJalrXUtnFEMIK7MDENGbPxRfiCY"}}',
    "message": "login with password=Tr0ub4dor&3x failed, X-Vault-Token: hvs.CAESIJ0123456789abcdefghij",
    "headers": {"Authorization": "SSWS 00abcdefghijklmnop", "cookie": ["sid=102abcdefghij"]},
    "client_secret": "8Q~abcdefghijklmnop",
    "escaped": 'body {\\"password\\":\\"hunter2hunter2\\"}',
    "jwt": "sent eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA1234\n-----END RSA PRIVATE KEY-----",
    "unreadable": '{"session_key": "Xk29dkfjSessionKeyOfSplunk", "sid": "1"}',
}
PARTS = (
    "wJalrXUtnFEMIK7MDENGbPxRfiCY", "Tr0ub4dor", "CAESIJ0123456789", "00abcdefghijklmnop", "102abcdefghij",
    "8Q~abcdefghijklmnop", "hunter2hunter2", "c2lnbmF0dXJl", "MIIEowIBAAKCAQEA1234", "Xk29dkfjSessionKeyOfSplunk",
)  # fmt: skip


def test_the_shortest_secret_is_hidden_in_our_columns_too() -> None:
    """A scheme and six letters, the shortest that has the shape of a secret."""
    assert kept({"tq_reasons": ["SSWS abcdef", "ssws abcde"]}) == {"tq_reasons": ["***", "ssws abcde"]}


def test_no_secret_of_a_raw_event_reaches_the_journal(world: World) -> None:
    """Whatever the SIEM's row carried beside our columns, or in our reasons: the database file holds no secret."""
    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE)
    row = raw_alert(person, tq_reasons=["used Bearer abcdefghijklmnopqrstuvwxyz"], **SECRETS)
    report = pipeline.contain(row, responder)
    pipeline.contain({"tq_detection": "no/such", **SECRETS}, responder)
    assert report.containment
    stored = json.dumps([doc for _, doc in responder.journal.store.scan("")], ensure_ascii=False)
    assert not [part for part in (*PARTS, "abcdefghijklmnopqrstuvwxyz") if part in stored]
    assert "CreateAccessKey" in stored
    assert responder.journal.verify() == []


def test_our_own_columns_stay_what_they_are() -> None:
    """Ids and evidence whose names speak of tokens and secrets are ids, and are acted on unchanged."""
    row = {
        "tq_evidence": ["okta.api_token_id=00Tabc", "vault.secret_id_accessor=3f2a-11", "okta.client_secret_id=ocs1"],
        "tq_events": "\n".join(f"event-{number}" for number in range(4000)),
        "tq_account": "okta:default:00u1",
    }
    assert kept(row) == row


@pytest.mark.parametrize("odd", [b"bytes", object(), {1, 2}, 1j])
def test_what_is_no_json_is_kept_as_something_that_is(world: World, odd: Any) -> None:
    """A caller's mistake, names that are no text, a cell too many of a CSV: kept and escalated, and the chain is whole."""
    responder = world.responder(catalogue=CATALOGUE)
    row: Dict[Any, Any] = {"tq_detection": odd, None: ["cell too many"], 3: odd, "text": "\ud800"}
    assert pipeline.contain(row, responder).loud
    assert responder.journal.verify() == []


def test_a_huge_row_takes_bounded_room(world: World) -> None:
    """Attack: fields of ten megabytes, to fill the disk with each alert. A part is kept; too long stays too long."""
    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE)
    big = "x" * 10_000_000
    row = raw_alert(person, _raw=big, fields=[big] * 3, tq_account=big)
    assert pipeline.contain(row, responder).loud
    assert (world.folder / "journal.db").stat().st_size < 4_000_000
    with pytest.raises(BadAlert, match="longer than 65536 characters"):
        alert_from_row(kept(row), CATALOGUE, now())


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["tq_account", "tq_evidence", "tq_reasons", "_raw", "user"]), JSON, max_size=4))
def test_kept_twice_is_kept_once(row: Dict[str, Any]) -> None:
    """An alert taken up again from the journal is the very same alert."""
    once = kept(row)
    assert json.dumps(kept(json.loads(json.dumps(once)))) == json.dumps(once)


@pytest.mark.parametrize(
    "unit",
    ["x", "eyJ-", "password", "token:", 'secret="', "\\\\", "secret=\\", "-----BEGIN ", "bearer ", "s.", "gho_", "' "],
)
def test_hostile_text_costs_no_more_than_its_length(unit: str) -> None:
    """Attack: a text made to keep the search for secrets busy while the identity is still free."""
    text = unit * (256 * 1024 // len(unit))
    begun = time.process_time()
    kept({"_raw": text, "tq_reasons": text[:65536]})
    assert time.process_time() - begun < 2.0
