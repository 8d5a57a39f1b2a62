"""The last part of a vendor's rate limit is kept for revokes."""

from __future__ import annotations

import time

import pytest

from responders import pipeline
from responders.containment.responder import Timing
from responders.drill.world import World
from responders.vendors.transport import Limits
from tests.catalogue import CATALOGUE
from tests.support import raw_alert


@pytest.mark.parametrize(("confidence", "writes"), [(60, False), (95, True)])
def test_a_restrict_leaves_the_last_calls_to_a_revoke(world: World, confidence: int, writes: bool) -> None:
    """With less than the kept part of Okta's limit left, a restrict changes nothing there, and a revoke still blocks."""
    person = world.add_person("bob")
    responder = world.responder(
        catalogue=CATALOGUE, timing=Timing(deadline=1.0, confirm_patience=0.2), limits=Limits(total=0.5)
    )
    client = responder.clients.get("okta", "default")
    assert client is not None
    world.okta.per_minute = 40
    world.okta._window = (time.time(), 25)
    pipeline.contain(raw_alert(person, confidence=confidence), responder)
    changes = [r for r in world.okta.requests if r.method != "GET" and not r.path.endswith("/oauth2/v1/token")]
    assert bool(changes) == writes
