"""One office a test module: a Splunk, the vendors, and some users."""

from __future__ import annotations

from typing import Iterator

import pytest

from responders.drill.world import World
from tests.splunk_rest.office import CAPABILITIES, Office


@pytest.fixture(scope="module")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world"), vault=False) as found:
        yield found


@pytest.fixture
def office(small_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """ana restricts, rita revokes, ida and ivo restore, eve and ed edit policies, carl configures, vic looks, nil no."""
    found = Office(small_world, tmp_path_factory.mktemp("splunk"))
    found.user("ana", "view_journal", "preview", "contain_restrict", identity="ana")
    found.user("rita", "view_journal", "preview", "contain_restrict", "contain_revoke", identity="rita")
    found.user("ida", "view_journal", "preview", "contain_revoke", "restore", identity="ida", restorer=True)
    found.user("ivo", "view_journal", "preview", "contain_revoke", "restore", identity="ivo", restorer=True)
    found.user("eve", "view_journal", "edit_policy", identity="eve")
    found.user("ed", "view_journal", "edit_policy", identity="ed")
    found.user("carl", "view_journal", "configure")
    found.user("vic", "view_journal")
    found.user("nil")
    found.user("stranger", *CAPABILITIES)
    found.connect()
    yield found
    found.close()
