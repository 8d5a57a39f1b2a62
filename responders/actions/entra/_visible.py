"""Properties that Graph hides from a caller without the permission: they come as null, which is no `false`."""

from __future__ import annotations

from typing import Any, List, Mapping

from responders.errors import BadAnswer, Forbidden


def flag(found: Mapping[str, Any], name: str) -> bool:
    """A property that is true or false. Raises Forbidden when it is hidden, BadAnswer when it is something else.

    Source: Microsoft Graph, "List registeredDevices" (limited information for objects the app may not read).
    """
    value = found.get(name)
    if value is None:
        raise Forbidden("entra", f"the answer does not show {name}: a permission to read it is missing")
    if not isinstance(value, bool):
        raise BadAnswer("entra", f"{name} is neither true nor false")
    return value


def credentials(found: Mapping[str, Any], name: str) -> List[Mapping[str, Any]]:
    """A list of credentials that was asked for. Raises BadAnswer when it is not there: missing is not empty."""
    value = found.get(name)
    if not isinstance(value, list) or not all(isinstance(item, Mapping) and "keyId" in item for item in value):
        raise BadAnswer("entra", f"the answer shows no list of {name}")
    return value
