"""Contain from an alert of Elastic Security: read from a real Elasticsearch, judged whole, and marked there."""

from __future__ import annotations

import secrets
from typing import Any, Iterator, Mapping

import pytest
import requests

from responders.drill.world import World
from tests.console.house import CONSOLE, HOSTILE
from tests.service.desk import Desk, until
from tests.service.front import Front

pytestmark = pytest.mark.engine("elasticsearch")


@pytest.fixture(scope="module")
def desk(elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A service whose alerts wait for a tag: nothing is contained but by a click."""
    with World(tmp_path_factory.mktemp("alerts"), vault=False) as world, Front(elasticsearch_url) as front:
        found = Desk(world, front)
        for name, more in (("nora", {"can_restore": "true"}), ("pia", {})):
            found.office.inventory_row(name, accounts=f"okta:default:00u{name}", aliases=f"elastic:default:{name}", **more)
        for name in ("mallory", "trent"):
            found.office.person(name)
        found.configure(console=dict(CONSOLE), wait_for_tag="all")
        found.start()
        try:
            yield found
        finally:
            found.close()


def post(desk: Desk, form: Mapping[str, str], *roles: str, user: str = "nora") -> requests.Response:
    """A form sent over HTTP by somebody with these roles."""
    assert desk.service is not None and desk.service.site is not None
    site = desk.service.site
    cookie, session = site.sessions.begin(user, user, frozenset(roles), "realm")
    headers = {"Origin": desk.address, "Cookie": f"{site.cookie}={cookie}"}
    data: Mapping[str, Any] = {"csrf": session.csrf, **form}
    return desk.request("POST", "/console/contain", data=data, headers=headers, allow_redirects=False)


def test_contain_from_an_alert(desk: Desk) -> None:
    """Preview shows its points; contain goes by policy; the alert is acknowledged and tagged as any other."""
    name = desk.raised(desk.world.people["mallory"], tq_reasons=[HOSTILE])
    form = {"space": desk.space, "alert": name, "tier": "policy"}
    shown = post(desk, {**form, "do": "preview"}, "restrict", "revoke")
    assert shown.status_code == 200 and "Would take mallory (human) to tier revoke" in shown.text
    assert "confidence of 95" in shown.text and "<script>alert" not in shown.text
    assert not desk.suspended(desk.world.people["mallory"])
    answer = post(desk, {**form, "do": "contain", "reason": "it is him"}, "revoke")
    assert answer.status_code == 303 and desk.suspended(desk.world.people["mallory"])
    marked = until(lambda: "tourniquet:contained" in str(desk.alert(name)) and desk.alert(name))
    assert "acknowledged" in str(marked)


def test_who_may_restrict_gets_no_revoke_by_an_alerts_confidence(desk: Desk) -> None:
    """An alert of 95 would revoke; the asker's own limit holds whatever it says."""
    name = desk.raised(desk.world.people["trent"])
    form = {"space": desk.space, "alert": name, "tier": "policy", "do": "contain", "reason": "seen"}
    assert post(desk, form, "restrict", user="pia").status_code == 303
    assert not desk.suspended(desk.world.people["trent"]) and "trent" in desk.contained()


def test_an_alert_that_is_none_of_ours_contains_nobody(desk: Desk) -> None:
    """Of another rule, of a space that is not looked after, vanished, with a path for an id: refused in words."""
    foreign = desk.document(desk.row(desk.world.people["trent"]), **{"kibana.alert.rule.rule_id": secrets.token_hex(8)})
    [other] = desk.raise_all(foreign)
    for space, name, why in (
        (desk.space, other, "none of Tourniquet"),
        ("default", other, "no such alert"),
        (desk.space, "0" * 40, "no such alert"),
        (desk.space, "../../_search", "no such alert"),
        ("", other, "no such alert"),
        (desk.space, "", "no such alert"),
    ):
        answer = post(desk, {"space": space, "alert": name, "tier": "policy", "do": "preview"}, "revoke")
        assert answer.status_code == 403 and why in answer.text, (space, name)


def test_an_elasticsearch_that_is_gone_is_said(desk: Desk) -> None:
    """The alert can't be read: told so; an identity can still be contained while the journal is elsewhere."""
    name = desk.raised(desk.world.people["trent"])
    desk.front.down.set()
    try:
        answer = post(desk, {"space": desk.space, "alert": name, "tier": "policy", "do": "preview"}, "revoke")
        assert answer.status_code == 403 and "be read now" in answer.text
        answer = post(desk, {"who": "trent", "tier": "revoke", "do": "contain", "reason": "by hand"}, "revoke")
        assert answer.status_code == 303 and desk.suspended(desk.world.people["trent"])
    finally:
        desk.front.down.clear()
