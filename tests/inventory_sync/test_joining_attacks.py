"""Joining, attacked: who would join a victim, take many along, split off, or bring the sync to a standstill."""

from __future__ import annotations

import tracemalloc
from typing import Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.inventory.joining import LARGEST, Explicit, Link, Rank, join
from tests.inventory_sync.test_joining import (
    ACCOUNTS,
    ENTRA,
    OKTA,
    ROWS,
    VAULT,
    VENDORS,
    _closure,
    _made,
    _rows,
    mail,
    number,
    seen,
)


def alias(key: str) -> Tuple[str, str, str]:
    return ("account", key, "vendor")


@pytest.mark.parametrize("value", ["0", "0000", "N/A", " n/a ", "none", "-", "TBD", "unknown", "?"])
def test_a_placeholder_is_nobodys_number(value: str) -> None:
    """Two strangers for whom somebody wrote "N/A" are not one person."""
    assert len(join([seen(OKTA, number(value)), seen(ENTRA, number(value))]).groups) == 2


def test_a_placeholder_does_not_keep_an_identity_apart() -> None:
    """Nor do "N/A" and a number make two of one person."""
    found = join([seen(OKTA, number("N/A"), mail("a@corp")), seen(ENTRA, number("7"), mail("a@corp"))])
    assert len(found.groups) == 1


def test_a_vendor_speaks_of_its_own_accounts_only() -> None:
    """A Vault that calls an account of Okta its alias would take over whoever it likes."""
    found = join([seen(VAULT, alias(OKTA), user=True), seen(OKTA)])
    assert len(found.groups) == 2
    assert [c.what for c in found.conflicts] == ["not its own"]


def test_nobody_gathers_a_company_in_one_identity() -> None:
    """Whoever may write aliases hangs everybody's logins on an entity of theirs: containing it would take them all out."""
    logins = [f"vault:prod:userpass/{n}" for n in range(LARGEST)]
    found = join([seen(VAULT, *map(alias, logins)), *map(seen, logins)])
    assert len(found.groups) == LARGEST + 1
    assert f"{LARGEST + 1} accounts" in found.conflicts[0].text
    found = join([seen(VAULT, *map(alias, logins[1:])), *map(seen, logins[1:])])
    assert len(found.groups) == 1


def test_a_machine_alias_does_not_split_a_person_off_their_login() -> None:
    """With an AppRole hung on one's entity, the userpass login still is the entity's; the AppRole is told apart."""
    role, login = "vault:prod:role", "vault:prod:userpass/al"
    found = join([seen(VAULT, alias(role), alias(login)), seen(role, user=False), seen(login)])
    assert found.groups == ((VAULT, login), (role,))
    assert "machine" in found.conflicts[0].text


def test_who_takes_the_alias_away_does_not_split_the_login_off() -> None:
    """Tokens of the entity live on: it keeps its login, and a person is told; unless another entity has that login now."""
    login, other = "vault:prod:userpass/al", "vault:prod:2"
    before = join([seen(VAULT, alias(login)), seen(login)])
    after = join([seen(VAULT), seen(login)], (), before.links)
    assert after.groups == ((VAULT, login),)
    assert [c.what for c in after.conflicts] == ["evidence gone"]
    assert join([seen(VAULT), seen(login)], (), after.links).groups == after.groups
    moved = join([seen(VAULT), seen(login), seen(other, alias(login))], (), after.links)
    assert moved.groups == ((VAULT,), (other, login))


def test_accounts_of_one_row_that_are_of_one_vendor_do_not_end_its_other_keys() -> None:
    """Somebody with two Okta accounts in your file is still joined with Entra by the number that one of them has."""
    found = join(
        [seen(OKTA, number("7")), seen("okta:corp:2"), seen(ENTRA, number("7"))], [Explicit("a", (OKTA, "okta:corp:2"))]
    )
    assert found.groups == ((ENTRA, OKTA, "okta:corp:2"),)


def test_a_new_hire_with_an_old_address_is_not_joined_and_the_conflict_says_whose_it_was() -> None:
    """The account that is gone had the address: whether the new one is the same person, a person must say."""
    before = join([seen(OKTA, mail("a@corp")), seen(ENTRA, mail("a@corp"))])
    anew = "okta:corp:2"
    found = join(
        [seen(OKTA, mail("a@corp")), seen(anew, mail("a@corp")), seen(ENTRA, mail("a@corp"))],
        (), before.links, frozenset({OKTA}),
    )  # fmt: skip
    assert found.groups == ((ENTRA, OKTA), (anew,))
    (conflict,) = found.conflicts
    assert set(conflict.accounts) == {OKTA, ENTRA, anew}


def test_the_same_person_made_anew_is_known_by_their_number() -> None:
    """An employee number outlives the account: the new one takes the place of the one that is gone."""
    before = join([seen(OKTA, number("7")), seen(ENTRA, number("7"))])
    anew = "okta:corp:2"
    made = [seen(OKTA, number("7")), seen(anew, number("7")), seen(ENTRA, number("7"))]
    found = join(made, (), before.links, frozenset({OKTA}))
    assert found.groups == ((ENTRA, anew), (OKTA,))


@pytest.mark.parametrize(
    "address", ["a@corp.", "a+x@corp", "a@corp\u200b", "a@\u0441orp", "a\x00@corp", "\u202ea@corp", "a@co rp"]
)
def test_an_address_that_only_looks_like_the_victims_joins_nothing(address: str) -> None:
    """Trailing dot, plus, zero width, Cyrillic, NUL, turned writing direction."""
    assert len(join([seen(OKTA, mail("a@corp")), seen(ENTRA, mail(address))]).groups) == 2


@pytest.mark.parametrize("shape", ["one row", "one entity", "one number", "a chain"])
def test_one_value_of_many_accounts_needs_no_more_memory_than_many_values(shape: str) -> None:
    """Four times the accounts, about four times the memory: nobody stops the sync with one value."""

    def needed(count: int) -> int:
        keys = [f"vault:prod:{n:06d}" for n in range(count)]
        rows, links, made = [], [], [seen(key) for key in keys]
        if shape == "one row":
            rows = [Explicit("a", tuple(keys))]
        elif shape == "one entity":
            made[0] = seen(keys[0], *map(alias, keys[1:]))
        elif shape == "one number":
            made = [seen(key, number("7")) for key in keys]
        else:
            links = [Link(a, b, Rank.KEPT, "x") for a, b in zip(keys, keys[1:])]
        tracemalloc.start()
        join(made, rows, links)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert needed(4_000) < 6 * needed(1_000)


KEPT = st.lists(
    st.builds(
        Link,
        st.builds("{}:{}".format, st.sampled_from(VENDORS), st.integers(0, 4)),
        st.builds("{}:{}".format, st.sampled_from(VENDORS), st.integers(0, 4)),
        st.sampled_from(Rank),
        st.just("what was"),
    ),
    max_size=6,
)
GONE = st.frozensets(st.builds("{}:{}".format, st.sampled_from(VENDORS), st.integers(0, 3)), max_size=3)


@given(ACCOUNTS, ROWS, KEPT, GONE, st.randoms(use_true_random=False))
def test_what_was_kept_and_is_gone_in_any_order_is_the_same(accounts, rows, kept, gone, random) -> None:  # type: ignore[no-untyped-def]
    """Whatever order vendors, the file and the report of last time are in: the same identities, links and conflicts."""
    made, explicit = _made(accounts), _rows(rows)
    first = join(made, explicit, kept, gone)
    random.shuffle(made)
    random.shuffle(kept)
    second = join(made, explicit, kept, gone)
    assert (first.groups, first.rows, first.conflicts) == (second.groups, second.rows, second.conflicts)


@given(ACCOUNTS, ROWS, KEPT, GONE)
def test_nor_do_forged_links_of_last_time_join_what_must_stay_apart(accounts, rows, kept, gone) -> None:  # type: ignore[no-untyped-def]
    """A protected identity has the accounts of its row and no other; no row has another's; nobody has two accounts of one
    vendor that neither the file nor that vendor puts together; nobody has more than LARGEST."""
    made, explicit = _made(accounts), _rows(rows)
    found = join(made, explicit, kept, gone)
    said = _closure(found, (Rank.FILE, Rank.VENDOR))
    claimed = [key for row in explicit for key in set(row.accounts)]
    for group in found.groups:
        owners = {row.identity for row in explicit for key in row.accounts if key in group and claimed.count(key) == 1}
        assert len(owners) <= 1
        for row in explicit:
            if row.closed and row.identity in owners:
                assert set(group) == {key for key in row.accounts if claimed.count(key) == 1}
        of_vendor: dict[str, set[str]] = {}
        for key in group:
            of_vendor.setdefault(key.partition(":")[0], set()).add(said.get(key, key))
        assert all(len(together) == 1 for together in of_vendor.values())


@given(ACCOUNTS, ROWS, st.data())
def test_nobody_splits_off_by_taking_addresses_away(accounts, rows, data) -> None:  # type: ignore[no-untyped-def]
    """What was one identity stays one, whichever addresses and accounts vanish afterwards."""
    explicit = _rows(rows)
    before = join(_made(accounts), explicit)
    for place in data.draw(st.lists(st.sampled_from(sorted(accounts)), unique=True)) if accounts else ():
        keys, user = accounts[place]
        accounts[place] = ([key for key in keys if key[0] != "email"], user)
    made = _made(accounts)
    left = {one.account.key for one in made}
    after = join(made, explicit, before.links)
    for group in before.groups:
        together = [set(now) for now in after.groups if left & set(group) & set(now)]
        assert len(together) <= 1


PREVIEW = "okta:preview:9"
SAME = (frozenset({"okta:corp", "okta:preview"}),)


@pytest.mark.parametrize(
    "keys", [[number("7")], [mail("a@corp")], [number("7"), mail("a@corp")], [("immutable_id", "ad-1", "vendor")]]
)
def test_who_administers_a_small_tenant_joins_nobody_of_the_large_one(keys: list[Tuple[str, str, str]]) -> None:
    """Numbers and addresses that stand at two tenants of one vendor may be another company's, or the attacker's: nobody is
    joined by them, whoever else has them, and what to do is told."""
    found = join([seen(OKTA, *keys), seen(PREVIEW, *keys), seen(ENTRA, *keys)])
    assert len(found.groups) == 3
    assert {c.what for c in found.conflicts} == {"two tenants"}
    assert all("one_company: [[okta:corp, okta:preview]]" in c.remedy for c in found.conflicts)


def test_an_address_decides_where_a_number_stands_at_two_tenants() -> None:
    """A company that was bought numbers its people as ours does: the number proves nothing, an address of one's own does."""
    bought, theirs = "entra:bought:1", "entra:t:2"
    made = [
        seen(OKTA, number("7"), mail("a@corp")), seen(PREVIEW, number("7"), mail("b@bought")),
        seen(bought, number("7"), mail("b@bought")), seen(theirs, number("7"), mail("a@corp")),
    ]  # fmt: skip
    assert join(made).groups == ((bought, PREVIEW), (theirs, OKTA))


def test_tenants_that_the_rules_call_one_company_are_joined() -> None:
    """Of those each still has one account of an identity at most, and a third tenant is none of them."""
    third = "okta:bought:1"
    made = [seen(OKTA, number("7")), seen(PREVIEW, number("7")), seen(ENTRA, number("7"))]
    assert join(made, one_company=SAME).groups == ((ENTRA, OKTA, PREVIEW),)
    assert len(join([*made, seen("okta:preview:2", number("7"))], one_company=SAME).groups) == 4
    assert len(join([*made, seen(third, number("7"))], one_company=SAME).groups) == 4


def test_your_file_joins_accounts_of_two_tenants() -> None:
    """And the number that both have leads to them from elsewhere."""
    made = [seen(OKTA, number("7")), seen(PREVIEW, number("7")), seen(ENTRA, number("7"))]
    assert join(made, [Explicit("a", (OKTA, PREVIEW))]).groups == ((ENTRA, OKTA, PREVIEW),)


def test_two_tenants_are_not_joined_by_way_of_a_third_account() -> None:
    """By number with the one, by subject with the other; nor by links of the last time."""
    third = seen(ENTRA, number("7"), ("subject", "i|s", "vendor"))
    made = [seen(OKTA, number("7")), seen(PREVIEW, ("subject", "i|s", "vendor")), third]
    found = join(made)
    assert len(found.groups) == 3 and "one_company" in found.conflicts[0].text
    links = [Link(ENTRA, OKTA, Rank.KEY, "x"), Link(ENTRA, PREVIEW, Rank.KEY, "x")]
    assert len(join([seen(OKTA), seen(PREVIEW), seen(ENTRA)], (), links).groups) == 3


def test_a_thousand_numbers_at_two_tenants_are_one_conflict() -> None:
    """Two orgs that number alike are told once, with how many, and not a thousand times."""
    made = [seen(f"okta:{tenant}:{n}", number(str(n + 1))) for tenant in ("corp", "preview") for n in range(1000)]
    (conflict,) = join(made).conflicts
    assert (conflict.count, len(conflict.accounts)) == (2000, 20)
    assert "1000 times" in conflict.text
