"""docs/splunk_setup.md tells a vendor's administrator exactly what the default policy needs: not less, and not more."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import List, Set

import pytest

from responders.actions import registry
from responders.drill.world import VAULT_POLICY
from responders.readiness.check import BESIDE

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "splunk_setup.md").read_text(encoding="utf-8")


def block(kind: str) -> List[str]:
    found = re.search(rf"```{kind}\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    return [line.strip() for line in found[1].splitlines() if line.strip()]


def needed(vendor: str) -> Set[str]:
    """Permissions of the vendor's actions in the policy that ships, and of what the responder asks beside them."""
    policy = json.loads((ROOT / "responders" / "policy" / "default_policy.json").read_text())
    used = {name for kinds in policy["actions"].values() for names in kinds.values() for name in names}
    actions = [registry.load(name) for name in sorted(used)]
    beside = {name for names in BESIDE[vendor].values() for name in names}
    return {permission for action in actions if action.vendor == vendor for permission in action.permissions} | beside


@pytest.mark.parametrize("vendor", ["okta", "entra"])
def test_scopes_and_application_permissions_are_those_of_the_policy(vendor: str) -> None:
    """One list to copy. A right to write includes the one to read."""
    listed = [word for line in block(vendor) for word in line.split()]
    wanted = {name for name in needed(vendor) if name != "RoleManagement.Read.Directory"}
    assert sorted(listed) == sorted(wanted)


def test_authorizations_of_cyberark_are_those_of_the_policy() -> None:
    """The one on sessions is told in words, for it is a group and a setting."""
    assert set(block("cyberark")) == {name for name in needed("cyberark") if "recording safe" not in name}


def test_the_policy_for_vault_is_the_one_that_openbao_runs_with() -> None:
    """Line for line what the simulated company's OpenBao, a real one, is given: readiness and actions are tested with it."""
    assert block("hcl") == VAULT_POLICY.strip().splitlines()
