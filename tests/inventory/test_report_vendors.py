"""What the vendors' observers tell of credentials, as the report's ages need it."""

from __future__ import annotations

from pathlib import Path

from responders.inventory.observation import Holds
from responders.inventory.sync.cyberark import CyberArkObserver
from responders.inventory.sync.gather import Gathered
from responders.inventory.sync.okta import OktaObserver
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.source import Row


def test_an_okta_token_that_is_used_daily_is_as_old_as_its_creation() -> None:
    """Okta moves `lastUpdated` with each use, and with each switch of a client secret: neither makes a secret young."""
    old, used = "2024-01-01T00:00:00.000Z", "2026-11-20T00:00:00.000Z"
    token = Row("t", {"userId": "u", "name": "n", "created": old, "lastUpdated": used, "expiresAt": used})
    secret = Row("app/secret:s", {"created": old, "lastUpdated": used, "status": "ACTIVE"}, "app")
    observer = OktaObserver("okta:corp")
    found = [*observer.observe("api_tokens", token), *observer.observe("app_credentials", secret)]
    assert [(h.created, h.changed) for h in found if isinstance(h, Holds)] == [(old, ""), (old, "")]


def test_a_cyberark_account_says_whether_its_password_is_changed_by_itself() -> None:
    """`automaticManagementEnabled` as the vault says it, None when it says nothing."""
    rows = [Row("1", {"safeName": "s", "managed": False}), Row("2", {"safeName": "s"})]
    found = [fact for row in rows for fact in CyberArkObserver("cyberark:pam").observe("accounts", row)]
    assert [fact.managed for fact in found if isinstance(fact, Holds)] == [False, None]


def test_many_memberships_hide_no_credential(tmp_path: Path) -> None:
    """Of an account with more facts than are told, what gives power comes first, then its credentials."""
    with RawStore(tmp_path / "x.db") as store:
        profile = {"profile": {"login": "x@corp"}, "provider": "OKTA", "status": "ACTIVE"}
        store.put("okta:corp", "users", [Row("u1", profile)], "", 0.0)
        store.put("okta:corp", "groups", [Row(f"g{n}", {"name": f"group {n}"}) for n in range(700)], "", 0.0)
        store.put("okta:corp", "members", [Row(f"g{n}/u1", {}, f"g{n}") for n in range(700)], "", 0.0)
        store.put("okta:corp", "api_tokens", [Row("t1", {"userId": "u1", "name": "hidden"})], "", 0.0)
        with Gathered(store, {}) as gathered:
            found = gathered.observed("okta:corp:u1")
    assert found is not None and [held.name for held in found.holds] == ["hidden"]
