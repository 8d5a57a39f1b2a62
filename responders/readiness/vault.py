"""What a Vault token may do: `sys/capabilities-self`, asked for the paths that the actions name."""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple

from responders.errors import BadAnswer
from responders.readiness.held import Held
from responders.vendors.client import VendorClient

_PERMISSION = re.compile(r"\A([a-z, ]+) on (\S+)\Z")
_ANY = "tourniquet-readiness"
"""Stands for one name where a path takes any."""
_MOUNTS = "asked at the default mounts (auth/approle, auth/userpass, database, pki): others need the same"


def held(client: VendorClient, wanted: Sequence[str]) -> Held:
    """Source: Vault API, "/sys/capabilities-self": `paths` to a list of capabilities each; `root` means all.

    Tried on OpenBao. Raises BadAnswer, VendorError.
    """
    asked: Dict[str, Tuple[Set[str], str]] = {}
    for name in wanted:
        found = _PERMISSION.match(name)
        if found is not None:
            path = found[2].replace("+", _ANY).replace("*", _ANY)
            asked[name] = ({word.strip() for word in found[1].split(",")}, path)
    paths: List[str] = sorted({path for _, path in asked.values()})
    body = client.call("POST", "/sys/capabilities-self", body={"paths": paths}).body
    data = body.get("data", body) if isinstance(body, Mapping) else None
    if not isinstance(data, Mapping):
        raise BadAnswer(client.vendor, "capabilities-self: no data in the answer")
    permissions: Dict[str, Optional[bool]] = {}
    for name in wanted:
        needs, path = asked.get(name, (set(), ""))
        given = data.get(path)
        permissions[name] = None if not isinstance(given, list) else "root" in given or needs <= set(given)
    return Held(permissions, (_MOUNTS,))
