"""Which identity is meant: exact matches only, ambiguous means nobody, unmapped stands for itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from responders.errors import BadInventory
from responders.inventory.resolve import Inventory, from_compiled, resolve
from responders.model import Account, Identity


def account(key: str, kind: str = "user") -> Account:
    vendor, tenant, name = key.split(":", 2)
    return Account(vendor, tenant, kind, name)


def identity(name: str, *keys: str, **more: Any) -> Identity:
    return Identity(name, "human", None, "normal", "production", False, tuple(account(key) for key in keys), (), **more)


ALICE = identity("alice", "okta:default:00uAlice", "vault:default:e-1")
INVENTORY = Inventory(
    [ALICE, identity("bob", "okta:default:00uBob"), identity("Admin Team", "okta:default:00uTeam", break_glass=True)],
    {"okta:default:alice@corp.example": "alice"},
)


@pytest.mark.parametrize("key", ["okta:default:00uAlice", "vault:default:e-1", "okta:default:alice@corp.example"])
def test_an_exact_key_finds_its_identity(key: str) -> None:
    """Accounts and aliases match as they are written."""
    assert resolve(INVENTORY, [account(key)]).identity == ALICE


NEARLY = [
    "okta:default:00ualice", "okta:default:00uAlic", "okta:default:00uAlice2", "okta:default: 00uAlice",
    "okta:other:00uAlice",
    "entra:default:00uAlice", "okta:default:00uAlice ", "okta:default:Alice@corp.example", "okta:default:alice",
    "okta:default:*",
    "okta:default:00uAl\u0131ce", "okta:default:alice@corp.example.evil", "okta:default:Admin Team", "OKTA:default:00uAlice",
]  # fmt: skip


@pytest.mark.parametrize("key", NEARLY)
def test_nearly_the_same_is_somebody_else(key: str) -> None:
    """Case, white space, prefix, suffix, another tenant or vendor, and display names never match."""
    found = resolve(INVENTORY, [account(key)]).identity
    assert found is not None
    assert found.unmapped and found.id == key
    assert found.accounts == (account(key),)


def test_a_protected_identity_is_protected_by_exact_id_only() -> None:
    """`admin` in a name protects nobody, and a protected identity's own key does (mistake 5 of others)."""
    assert INVENTORY.break_glass == {"okta:default:00uTeam"}
    found = resolve(INVENTORY, [account("okta:default:00uTeam-admin")]).identity
    assert found is not None and not found.protected and not found.break_glass


@pytest.mark.parametrize("kind", ["app", "service_principal", "application", "approle", "role", "access_key"])
def test_an_unmapped_machine_is_a_service(kind: str) -> None:
    """What is no person's login is judged as a service."""
    found = resolve(INVENTORY, [account("okta:default:x", kind)]).identity
    assert found is not None and found.kind == "service" and found.unmapped


def test_ambiguous_means_nobody() -> None:
    """An account of two identities, an alert on two identities, several strangers: nobody, and why."""
    both = Inventory([ALICE, identity("eve", "okta:default:00uAlice")])
    cases = [
        (both, ["okta:default:00uAlice"], "alice, eve"),
        (INVENTORY, ["okta:default:00uAlice", "okta:default:00uBob"], "alice, bob"),
        (INVENTORY, ["okta:default:x", "okta:default:y"], "no inventory row claims"),
        (INVENTORY, [], "no account"),
        (both, ["vault:default:e-1", "okta:default:00uAlice"], "several identities"),
    ]
    for inventory, keys, why in cases:
        found = resolve(inventory, [account(key) for key in keys])
        assert found.identity is None and why in found.why


def test_two_accounts_of_one_identity_are_that_identity() -> None:
    """Naming somebody twice is not ambiguous."""
    assert resolve(INVENTORY, [account("okta:default:00uAlice"), account("vault:default:e-1")]).identity == ALICE


def test_a_stranger_beside_a_known_account_is_told() -> None:
    """The known identity is meant; the account that nobody claims is named, so that it is not silently left out."""
    found = resolve(INVENTORY, [account("okta:default:00uAlice"), account("aws:1:AKIAX")])
    assert found.identity == ALICE
    assert "aws:1:AKIAX" in found.why


@given(st.text(min_size=1))
def test_no_text_matches_by_accident(text: str) -> None:
    """Only the very ids of the inventory resolve to its identities, also after a round through the compiled form."""
    assume(text not in ("00uAlice", "00uBob", "00uTeam", "alice@corp.example"))
    for inventory in (INVENTORY, from_compiled(INVENTORY.to_json(), "x")):
        found = resolve(inventory, [Account("okta", "default", "user", text)]).identity
        assert found is not None and found.unmapped


def test_two_identities_of_one_id_are_no_inventory() -> None:
    """The accounts of one would lead to the other."""
    doc = json.loads(INVENTORY.to_json())
    doc["identities"].append({**doc["identities"][0], "accounts": []})
    with pytest.raises(BadInventory, match="twice"):
        from_compiled(json.dumps(doc), "x")


LOOKS = [
    "00uAlice.", "00uAlice\u200b", "\u202e00uAlice", "00uAlice\x00", "00u\u0410lice", "00uAl\u0130ce", "00uAl\uff49ce",
    "00uAlice%00", "00uAlice#", "00uAlice/..", "00uAlice:x", "okta:default:00uAlice", "00uAl*ce", '00uAlice"',
    "00uAlice OR 1", "\ufeff00uAlice",
]  # fmt: skip


@pytest.mark.parametrize("name", LOOKS)
def test_no_disguise_of_an_id_is_that_id(name: str) -> None:
    """Homoglyphs, a Turkish i, zero width, NUL, queries and wildcards: somebody unknown, who is restricted at most."""
    found = resolve(INVENTORY, [account("okta:default:00uBob"), Account("okta", "default", "user", name)])
    assert found.identity is not None and found.identity.id == "bob"
    assert "that no inventory row claims" in found.why
    alone = resolve(INVENTORY, [Account("okta", "default", "user", name)]).identity
    assert alone is not None and alone.unmapped
