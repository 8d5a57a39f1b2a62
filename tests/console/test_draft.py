"""A policy editor's draft."""

from __future__ import annotations

import html
from pathlib import Path

from responders.policy import policy
from tests.console.house import House

DEFAULT = (Path(policy.__file__).parent / "default_policy.yaml").read_text("utf-8")


def test_a_draft_is_checked_and_never_put_in_force(house: House) -> None:
    """A sound one is compared with the policy in force; a broken one is told with its lines, one out of bounds with what is
    out of them; none changes anything."""
    guest = house.signed_in("policy_editor")
    before = house.service.responder().policy
    text = html.unescape(guest.post("/console/policy", {"draft": DEFAULT}).text)
    assert "It is sound." in text and "limits.revokes" in text and "Its version is the same" in text
    text = html.unescape(guest.post("/console/policy", {"draft": DEFAULT + "\nhostile: <script>alert(1)</script>\n"}).text)
    assert "It is not sound" in text and "draft:" in text and "hostile" in text
    far = DEFAULT.replace("revokes: 10", "revokes: 5000")
    text = html.unescape(guest.post("/console/policy", {"draft": far}).text)
    assert "It is not sound" in text and "draft.limits.revokes: 5000 is out of bounds" in text
    for draft in ("a: &x [1]\nb: *x\n", "{", "- \u0000", "[" * 3000):
        answer = guest.post("/console/policy", {"draft": draft})
        assert answer.status_code == 200 and "not sound" in answer.text
    assert guest.post("/console/policy", {"draft": " "}).status_code == 403
    assert house.service.responder().policy is before
