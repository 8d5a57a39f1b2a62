"""How a simulated PVWA gives lists: pages with a relative nextLink, and applications, which have none."""

from __future__ import annotations

import re
from typing import Any, Dict, List
from urllib.parse import urlencode

from responders.drill.simulators.server import Answer, Refuse, Request, Simulator

_CHANGED = re.compile(r"modificationTime gte (\d+)")


class CyberArkLists(Simulator):
    """`page_size` is what the vendor takes for a page when nobody asks for another, `most` what it never goes beyond.

    `modification_unit`: 1000 as CyberArk's guide says, 1 as psPAS does.
    """

    modification_unit = 1000
    most = 1000

    prefix = "/PasswordVault"
    path_flags = re.IGNORECASE  # it stands behind IIS
    page_size = 50

    def refuse(self, status: int, text: str) -> Refuse:
        return Refuse(self.error(status, text))

    def paged(self, request: Request, items: List[Dict[str, Any]]) -> Answer:
        """One page by `limit` and `offset`; nextLink is relative to the application, as the PVWA gives it."""
        size, start = (request.query.get(n, given) for n, given in (("limit", str(self.page_size)), ("offset", "0")))
        if not (size.isdecimal() and start.isdecimal() and int(size) > 0):
            raise self.refuse(400, "limit and offset must be numbers")
        size = str(min(int(size), self.most))
        body: Dict[str, Any] = {"value": items[int(start) : int(start) + int(size)], "count": len(items)}
        if int(start) + int(size) < len(items):
            path = "api" + request.path[len(self.prefix + "/API") :]
            asked = {**request.query, "limit": size, "offset": str(int(start) + int(size))}
            body["nextLink"] = f"{path}?{urlencode(asked)}"
        return Answer(200, body)

    def changed_since(self, request: Request, accounts: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
        """Those that `filter=modificationTime gte N` leaves, N in `modification_unit` of a second."""
        match = _CHANGED.fullmatch(request.query.get("filter", ""))
        if match is None:
            return accounts
        return [
            one for one in accounts if one["secretManagement"]["lastModifiedTime"] * self.modification_unit >= int(match[1])
        ]

    def list_applications(self, request: Request) -> Answer:
        found = [{"AppID": name, "Disabled": False, "Location": "\\", **item}
                 for name, item in self.state["applications"].items()]  # fmt: skip
        return Answer(200, {"application": found})
