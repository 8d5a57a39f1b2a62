"""How old an inventory in Elasticsearch is, as validation asks."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from responders.inventory.elasticsearch import ElasticInventory
from responders.surfaces.command_line.validate_checks import inventory
from tests.elastic.office import Office
from tests.inventory.test_elasticsearch import company


@pytest.mark.engine("elasticsearch")
def test_an_inventory_in_elasticsearch_is_as_old_as_its_last_push(elasticsearch_url: str) -> None:
    """Read by a key of the shipped role; too old, it is named with the time."""
    settings: Any = SimpleNamespace(inventory="elasticsearch", connections=())
    with Office(elasticsearch_url) as office:
        office.fill(company(3))
        store = ElasticInventory(office.cluster(), office.names.identities)
        responder: Any = SimpleNamespace(inventory=store)
        young, old = inventory(1.0, settings, responder), inventory(1e-9, settings, responder)
        assert timedelta(0) < datetime.now(timezone.utc) - store.pushed < timedelta(minutes=10)
    assert (young.ok, old.ok) == (True, False)
    assert old.problems[0].startswith("the inventory in Elasticsearch is of 20")
