"""The System Log, which may come late."""

from __future__ import annotations

from typing import Any, List, Mapping

from responders.drill.simulators.okta.org import OktaOrg
from responders.drill.simulators.server import Answer, Request


class Log(OktaOrg):
    """Events are seen `log_lag` seconds after they happened."""

    log_lag = 0.0

    def routes_of_log(self) -> None:
        self.guarded("GET", "/api/v1/logs", "okta.logs.read", self._logs)

    def _logs(self, request: Request) -> Answer:
        wanted = request.query.get("filter", "")
        until = min(self.stamp(self.clock() - self.log_lag), request.query.get("until", "9"))
        found = [
            event
            for event in self.state["log"]
            if request.query.get("since", "") <= event["published"] <= until and _matches(event, wanted)
        ]
        # Okta, "System Log query": a request without `until` polls, and has a next page even when that is empty.
        return self.paged(request, found, 100, endless="until" not in request.query)


def _matches(event: Mapping[str, Any], wanted: str) -> bool:
    """The part of Okta's filter language that is used here: `field eq "x"` joined by and, or, parentheses."""
    text = wanted.replace("(", "").replace(")", "")
    for part in text.split(" and "):
        options = [option.strip().split(" eq ") for option in part.split(" or ")]
        if not any(len(o) == 2 and o[1].strip('"') in _values(event, o[0]) for o in options):
            return not wanted
    return True


def _values(event: Mapping[str, Any], name: str) -> List[str]:
    if name == "target.id":
        return [str(item["id"]) for item in event["target"]]
    return [str(event["actor"]["id"])] if name == "actor.id" else [str(event.get(name, ""))]
