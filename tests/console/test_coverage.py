"""What the inventory covers."""

from __future__ import annotations

from responders import pipeline
from responders.console.coverage import coverage
from tests.console.house import House


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
