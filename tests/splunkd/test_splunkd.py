"""The fake splunkd is as strict as the real one is documented to be: driven by the whole of splunklib."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import pytest
from splunklib import client

from tests.splunkd import Deployment, Splunkd

APP = Path(__file__).resolve().parent.parent.parent / "splunk_app"


@pytest.fixture
def splunkd() -> Iterator[Splunkd]:
    deployment = Deployment()
    deployment.install(APP)
    deployment.user("analyst", "search")
    with Splunkd(deployment) as found:
        yield found


def service(splunkd: Splunkd, user: str = "admin") -> Any:
    return client.connect(
        host="127.0.0.1", port=splunkd.port, scheme="http", token=splunkd.session(user), owner="nobody", app="tourniquet"
    )


def test_collections(splunkd: Splunkd) -> None:
    """Insert once, query with operators, sort, skip and limit, replace, delete, batches up to their limit."""
    data = service(splunkd).kvstore["tourniquet_watch"].data
    assert data.insert({"_key": "b/1ä", "n": 1}) == {"_key": "b/1ä"}
    with pytest.raises(client.HTTPError, match="same key and user") as caught:
        data.insert({"_key": "b/1ä", "n": 2})
    assert caught.value.status == 409
    data.batch_save({"_key": "a", "n": 2}, {"_key": "c", "n": "text"})
    assert [row["_key"] for row in data.query(sort="_key:-1")] == ["c", "b/1ä", "a"]
    assert [row["_key"] for row in data.query(query={"$or": [{"n": {"$gte": 2}}, {"_key": "c"}]}, sort="_key")] == ["a", "c"]
    assert data.query(sort="_key", skip=1, limit=1, fields="n") == [{"n": 1}]
    assert data.query_by_id("b/1ä")["n"] == 1
    data.update("a", {"n": 3})
    assert [[row["n"] for row in found] for found in data.batch_find({"query": {"_key": "a"}}, {"query": {"n": 9}})] == [
        [3],
        [],
    ]
    data.delete_by_id("c")
    data.delete(query='{"n": {"$lt": 2}}')
    assert [row["_key"] for row in data.query()] == ["a"]
    with pytest.raises(client.HTTPError, match="exceeds API limits"):
        data.batch_save(*({"n": n} for n in range(1001)))


REFUSED = {
    "an unknown path": (404, lambda s: s.get("no/such/path")),
    "an unknown argument": (400, lambda s: s.get("storage/collections/data/tourniquet_watch", colour="red")),
    "an unknown operator": (400, lambda s: s.kvstore["tourniquet_watch"].data.query(query={"n": {"$where": "1"}})),
    "a document that is no JSON": (415, lambda s: s.post("storage/collections/data/tourniquet_watch", body="x")),
    "an unknown collection": (404, lambda s: s.get("storage/collections/data/none")),
    "a name that is missing": (400, lambda s: s.post("storage/passwords", password="x")),
    "an argument of passwords": (400, lambda s: s.post("storage/passwords", name="a", password="x", colour="red")),
    "an index that is not there": (400, lambda s: s.post("/services/receivers/simple", body="x", index="none")),
    "another method": (405, lambda s: s.delete("server/info")),
    "a conf file that is not there": (404, lambda s: s.get("configs/conf-none")),
    "a default stanza cannot go": (400, lambda s: s.delete("configs/conf-tourniquet_settings/timing")),
}


def test_what_is_not_documented_is_refused(splunkd: Splunkd) -> None:
    """Each with a status and a message in Splunk's form."""
    admin = service(splunkd)
    for what, (status, call) in REFUSED.items():
        with pytest.raises(client.HTTPError) as caught:
            call(admin)
        assert (what, caught.value.status) == (what, status)
        assert b"msg" in caught.value.body or b"messages" in caught.value.body, what


def test_rights(splunkd: Splunkd) -> None:
    """No secret, conf file or collection of the responder for who may only search; nothing without a session."""
    analyst = service(splunkd, "analyst")
    for call in (
        lambda: analyst.storage_passwords.list(),
        lambda: analyst.confs["tourniquet_settings"]["general"].update(index="x"),
        lambda: analyst.kvstore["tourniquet_journal"].data.query(),
        lambda: analyst.kvstore["tourniquet_watch"].data.insert({}),
        lambda: analyst.post("/services/receivers/simple", body="x"),
        lambda: analyst.saved_searches.list(count=1)[0].update(cron_schedule="* * * * *"),
    ):
        with pytest.raises(client.HTTPError) as caught:
            call()
        assert caught.value.status == 403
    assert analyst.get("/services/authentication/current-context").body.read().count(b"analyst") >= 1
    splunkd.deployment.sessions.clear()
    with pytest.raises(client.AuthenticationError):
        analyst.get("apps/local")


def test_passwords_and_conf_files(splunkd: Splunkd) -> None:
    """Made once, changed by their name, whatever it holds; default/ under local/."""
    admin = service(splunkd)
    made = admin.storage_passwords.create("secret", "a:b/c", "tourniquet")
    assert (made.name, made.clear_password) == ("tourniquet:a\\:b/c:", "secret")
    with pytest.raises(client.HTTPError, match="already exists"):
        admin.storage_passwords.create("other", "a:b/c", "tourniquet")
    timing = admin.confs["tourniquet_settings"]["timing"]
    timing.update(deadline="5")
    assert (timing.refresh()["deadline"], timing["claim"]) == ("5", "60")
    admin.confs["tourniquet_connection"].create("okta_corp", vendor="okta")
    assert [stanza.name for stanza in admin.confs["tourniquet_connection"]] == ["okta_corp"]


def test_the_states_of_the_kv_store(splunkd: Splunkd) -> None:
    """Starting and failed: nothing; read-only: reads; said by server/info, which needs no session."""
    admin = service(splunkd)
    data = admin.kvstore["tourniquet_watch"].data
    for state, reads in (("starting", False), ("failed", False), ("readonly", True)):
        splunkd.deployment.kvstore = state
        assert admin.info["kvStoreStatus"] == state
        with pytest.raises(client.HTTPError) as caught:
            data.insert({})
        assert caught.value.status == 503
        if reads:
            assert data.query() == []
        else:
            with pytest.raises(client.HTTPError):
                data.query()
