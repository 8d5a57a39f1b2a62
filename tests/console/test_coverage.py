"""What the inventory covers."""

from __future__ import annotations

import pytest

from responders import pipeline
from responders.console.coverage import coverage
from responders.inventory.resolve import Inventory
from responders.model import Account, Identity
from tests.console.house import House
from tests.elastic.office import Office


def test_unmapped_accounts_and_missing_owners_are_counted(house: House) -> None:
    """Accounts of alerts that no row claims, by how often they were named; identities by kind, those without owner."""
    house.office.inventory_row("svc-orphan", kind="service", owner="", criticality="high", accounts="okta:default:0oaorphan")
    person = house.person("una")
    responder = house.service.responder()
    pipeline.keep(house.office.alert(person, tq_events=["e1"]), responder)
    for number in (2, 3):
        row = house.office.alert(
            person, tq_account="okta:default:00uunknown", tq_events=[f"e{number}"], tq_finding=f"f{number}"
        )
        pipeline.keep(row, responder)
    pipeline.keep({"tq_account": [1, None, "no key", "okta:default:00uodd"], "tq_finding": "odd"}, responder)
    found = coverage(responder)
    assert found.unmapped == (("okta:default:00uunknown", 2), ("okta:default:00uodd", 1))
    assert (found.alerts, found.named, found.cut) == (4, 3, False)
    assert found.kinds is not None
    by = {kind.name: kind for kind in found.kinds}
    assert (by["service"].count, by["service"].ownerless) == (1, 1)
    assert [identity.id for identity in found.ownerless] == ["svc-orphan"]
    page = house.signed_in("viewer").get("/console/inventory").text
    assert "okta:default:00uunknown" in page and "svc-orphan" in page


@pytest.mark.engine("elasticsearch")
def test_an_inventory_in_elasticsearch_is_counted_too(house: House, elasticsearch_url: str) -> None:
    """With the responder's own key, over more than one page: the same figures as of a file."""
    accounts = [(Account("okta", "default", "user", f"00u{number}"),) for number in range(1200)]
    people = [
        Identity(f"p{n}", "human", None if n % 100 == 0 else "x", "normal", "production", False, found, ())
        for n, found in enumerate(accounts)
    ]  # fmt: skip
    agent = Identity("bot", "agent", "x", "privileged", "production", True, (Account("okta", "default", "app", "0oa1"),), ())
    inventory = Inventory([*people, agent], {}, frozenset({"p1"}))
    with Office(elasticsearch_url) as office:
        office.fill(inventory)
        responder = office.responder(house.world)
        found = coverage(responder)
        assert found.population == 1201 and found.kinds is not None
        assert [(kind.name, kind.count, kind.ownerless, kind.privileged) for kind in found.kinds] == [
            ("agent", 1, 0, 1),
            ("human", 1200, 12, 0),
        ]
        assert len(found.ownerless) == 12
