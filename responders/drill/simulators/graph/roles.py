"""Directory roles: assigned, and eligible by schedule (PIM)."""

from __future__ import annotations

from typing import Callable

from responders.drill.simulators.graph.tenant import GraphTenant
from responders.drill.simulators.server import Answer, Request

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"


class Roles(GraphTenant):
    """Eligible roles survive a removed active one."""

    def routes_of_roles(self) -> None:
        manage = ("RoleManagement.ReadWrite.Directory",)
        base = "/roleManagement/directory"
        self.guarded("GET", f"{base}/roleAssignments", (*manage, "RoleManagement.Read.Directory"), self._list("roles"))
        self.guarded(
            "POST",
            f"{base}/roleAssignments",
            manage,
            self.create("roles"),
        )
        self.guarded("DELETE", f"{base}/roleAssignments/{{id}}", manage, self.delete_one("roles"))
        for kind, topic in (("Assignment", "assignments"), ("Eligibility", "eligibilities")):
            self.guarded("GET", f"{base}/role{kind}Schedules", (*manage, "RoleManagement.Read.Directory"), self._list(topic))
            self.guarded("POST", f"{base}/role{kind}ScheduleRequests", manage, self._schedule(topic))

    def add_role(self, principal: str, role: str = GLOBAL_ADMINISTRATOR) -> str:
        return self.new("roles", {"principalId": principal, "roleDefinitionId": role, "directoryScopeId": "/"})

    def add_eligibility(self, principal: str, role: str) -> str:
        return self.new("eligibilities", {"principalId": principal, "roleDefinitionId": role, "directoryScopeId": "/"})

    def _list(self, topic: str) -> Callable[[Request], Answer]:
        """With $expand=principal each tells what kind of object holds it."""
        listed = self.find(topic)

        def expanded(request: Request) -> Answer:
            answer = listed(request)
            if request.query.get("$expand") == "principal":
                for item in answer.body["value"]:
                    name = item["principalId"]
                    kinds = (("group", "groups"), ("servicePrincipal", "service_principals"), ("user", "users"))
                    kind = next((kind for kind, where in kinds if name in self.state[where]), "user")
                    item["principal"] = {"@odata.type": f"#microsoft.graph.{kind}", "id": name}
            return answer

        return expanded

    def _schedule(self, topic: str) -> Callable[[Request], Answer]:
        def change(request: Request) -> Answer:
            body = request.body if isinstance(request.body, dict) else {}
            if body.get("action") not in ("adminRemove", "adminAssign") or not body.get("principalId"):
                raise self.refuse(400, "The action is not valid")
            keys = ("principalId", "roleDefinitionId", "directoryScopeId")
            wanted = {key: body.get(key) for key in keys}
            held = [k for k, item in self.state[topic].items() if {key: item.get(key) for key in keys} == wanted]
            if body["action"] == "adminAssign":
                self.new(topic, wanted)
            elif not held:
                raise self.refuse(404, "The role assignment schedule does not exist")
            else:
                del self.state[topic][held[0]]
            return Answer(201, {"id": self.new_id(), "status": "Provisioned", **wanted})

        return change
