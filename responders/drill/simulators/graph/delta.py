"""Delta queries, agent identities, and who holds an application's app roles."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Mapping, Tuple

from responders.drill.simulators.graph.applications import GRAPH, Applications, role_id
from responders.drill.simulators.server import Answer, Request

_ROLES = ("RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory", "Directory.Read.All")


class Delta(Applications):
    """Microsoft Graph, "Use delta query": pages by $skiptoken, then a link by $deltatoken that gives what changed since.

    `delta_page` objects a page. `forget_deltas` lets every link expire: 400 `syncStateNotFound`. With `delta_sparse` an
    object that changed shows its id and what changed of it only, which the document allows.
    """

    delta_page = 100
    delta_sparse = False

    def routes_of_delta(self) -> None:
        self._given: Dict[str, Tuple[Dict[str, str], str]] = {}
        self._going: Dict[str, Tuple[List[Dict[str, Any]], Dict[str, str], str]] = {}
        self._tokens = 0
        read = ("Application.Read.All", "Directory.Read.All", "Application.ReadWrite.All")
        self.guarded("GET", "/users/delta", ("User.Read.All", "Directory.Read.All"), self._delta("users"))
        self.guarded("GET", "/servicePrincipals/delta", read, self._delta("service_principals"))
        self.guarded("GET", "/applications/delta", read, self._delta("applications"))
        self.guarded("GET", "/servicePrincipals/microsoft.graph.agentIdentity", read, self._agents)
        self.guarded("GET", "/servicePrincipals/{id}/appRoleAssignedTo", read, self._assigned_to)

    def forget_deltas(self) -> None:
        self._given.clear()

    def add_agent(self, name: str) -> str:
        """An agent identity; its service principal's id."""
        agent = self.add_app(name)
        self.state["service_principals"][agent]["servicePrincipalType"] = "ServiceIdentity"
        self.state["agents"][agent] = True
        return agent

    def _delta(self, topic: str) -> Callable[[Request], Answer]:
        def read(request: Request) -> Answer:
            going, given = request.query.get("$skiptoken", ""), request.query.get("$deltatoken", "")
            if not going:
                if given and given not in self._given:
                    raise self.refuse(400, "The sync state generation is not found.", "syncStateNotFound")
                before, select = self._given.get(given, ({}, request.query.get("$select", "")))
                going = self._begin(topic, before, select)
            if going.partition(".")[0] not in self._going:
                raise self.refuse(400, "The sync state generation is not found.", "syncStateNotFound")
            return self._delta_page(request, going)

        return read

    def _begin(self, topic: str, before: Mapping[str, str], select: str) -> str:
        names = [name for name in select.split(",") if name]
        now: Dict[str, str] = {}
        changed: List[Dict[str, Any]] = []
        for name, item in self._things(topic).items():
            shown = {key: value for key, value in item.items() if not names or key in names}
            now[name] = json.dumps(shown, sort_keys=True)
            if before.get(name) != now[name]:
                old = json.loads(before[name]) if self.delta_sparse and name in before else {}
                changed.append({key: value for key, value in shown.items() if key == "id" or old.get(key) != value})
        changed += [{"id": name, "@removed": {"reason": "deleted"}} for name in before if name not in now]
        self._tokens += 1
        self._going[str(self._tokens)] = (changed, now, select)
        return f"{self._tokens}.0"

    def _things(self, topic: str) -> Dict[str, Dict[str, Any]]:
        hidden = ("password", "created", "revoked_at")
        found = {
            name: {key: value for key, value in self.shown(item).items() if key not in hidden}
            for name, item in self.state[topic].items()
        }
        if topic == "service_principals":
            found[GRAPH] = {**self.graph(), "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a"}
        return found

    def _delta_page(self, request: Request, going: str) -> Answer:
        token, _, start = going.partition(".")
        changed, now, select = self._going[token]
        end = int(start) + self.delta_page
        body: Dict[str, Any] = {"value": changed[int(start) : end]}
        base = f"{self.login}{request.path}"
        if end < len(changed):
            body["@odata.nextLink"] = f"{base}?$skiptoken={token}.{end}"
        else:
            self._given[token] = (now, select)
            body["@odata.deltaLink"] = f"{base}?$deltatoken={token}"
        return Answer(200, body)

    def _agents(self, request: Request) -> Answer:
        return self.paged(request, [{"id": name} for name in self.state["agents"]])

    def _assigned_to(self, request: Request) -> Answer:
        if request.ids[0] != GRAPH:
            self.thing("service_principals", request.ids[0])
        found = [
            {**item, **self._who(item["principalId"])}
            for item in self.state["app_roles"].values()
            if item["resourceId"] == request.ids[0]
        ]
        if request.ids[0] == GRAPH:
            found += [
                {
                    "id": f"{name}-{role}", "principalId": name, "resourceId": GRAPH, "appRoleId": role_id(role),
                    **self._who(name),
                }
                for name, item in self.state["service_principals"].items()
                for role in item["roles"]
            ]  # fmt: skip
        return self.paged(request, found)

    def _who(self, principal: str) -> Dict[str, str]:
        for kind, topic in (("User", "users"), ("Group", "groups")):
            if principal in self.state[topic]:
                item = self.state[topic][principal]
                shown = str(item.get("displayName", item.get("userPrincipalName")))
                return {"principalType": kind, "principalDisplayName": shown}
        return {"principalType": "ServicePrincipal"}
