"""A service with a console, its vendors simulated, and people who may sign in."""

from __future__ import annotations

import io
import json
import re
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Sequence, Type

from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Response

from responders.console.sessions import Session
from responders.console.settings import ROLES
from responders.drill.world import Person, World
from responders.journal.chain import Entry
from responders.surfaces.service.app import App
from responders.surfaces.service.run import Service, routes
from tests.surfaces.office import Office

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
ORIGIN = "http://localhost"
NOWHERE = "http://127.0.0.1:9"
CONSOLE: Mapping[str, Any] = {"roles": {role: [f"soc-{role}"] for role in ROLES}}


class Guest:
    """A browser: keeps cookies, and sends what browsers send with a form."""

    def __init__(self, app: App) -> None:
        self.client = Client(app, Response)
        self.csrf = ""
        self.session: Optional[Session] = None

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, base_url=ORIGIN, headers=headers)

    def post(self, path: str, data: Mapping[str, Any] = {}, **headers: str) -> TestResponse:
        given = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", **headers}
        body = {"csrf": self.csrf, **data}
        return self.client.post(path, base_url=ORIGIN, data=body, headers=given)


class House:
    """`with House(world) as house:` the service is opened and not started: pages are asked for as WSGI requests."""

    def __init__(self, world: World, url: str = NOWHERE, **console: Any) -> None:
        self.world = world
        self.office = Office(world)
        self.log = io.StringIO()
        for name, more in (("nora", {"can_restore": "true"}), ("omar", {"can_restore": "true"}), ("pia", {})):
            self.office.inventory_row(name, accounts=f"okta:default:00u{name}", aliases=f"elastic:default:{name}", **more)
        self.write(url, **console)
        self.people: Dict[str, Person] = {}

    def write(self, url: str, **console: Any) -> None:
        """Settings with a console."""
        serve = {"listen": "127.0.0.1:0", "threads": 8, "workers": 2, "console": {**CONSOLE, **console}}
        self.office.write_settings(serve=serve, elasticsearch={"url": url})

    def __enter__(self) -> House:
        self.service = Service(str(self.office.settings), self.log)
        assert self.service.site is not None
        self.site = self.service.site
        self.app = App(routes(self.service), self.service.log, 8)
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.service.index.close()
        self.site.door.close()
        self.service.responder().clients.close()  # type: ignore[attr-defined]

    def person(self, name: str, **more: str) -> Person:
        """Somebody who may be contained; the inventory is read anew."""
        if name not in self.people:
            self.people[name] = self.office.person(name, **more)
            self.service.reload()
        return self.people[name]

    def guest(self, app: Optional[App] = None) -> Guest:
        return Guest(app or self.app)

    def signed_in(self, *roles: str, user: str = "nora") -> Guest:
        """Somebody with these roles, as after a sign-in."""
        found = self.guest()
        cookie, found.session = self.site.sessions.begin(user, user, frozenset(roles), "realm")
        found.client.set_cookie(self.site.cookie, cookie, domain="localhost")
        found.csrf = found.session.csrf
        return found

    def contain(self, name: str, by: Optional[Guest] = None, **more: str) -> str:
        """Have somebody contained by a click; the containment's id."""
        self.person(name, **more)
        guest = by or self.signed_in("revoke")
        answer = guest.post("/console/contain", {"who": name, "tier": "revoke", "reason": "seen", "do": "contain"})
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"].rpartition("/")[2]

    def entries(self, prefix: str, kind: str) -> List[Entry]:
        """Entries of this kind in chains of this prefix."""
        journal = self.service.responder().journal
        chains = {key.split("/")[1] for key, _ in journal.store.scan(f"e/{prefix}")}
        return [entry for chain in sorted(chains) for entry in journal.entries(chain) if entry.kind == kind]

    def clicks(self) -> List[Entry]:
        return self.entries("q-", "click")

    def suspended(self, name: str) -> bool:
        return bool(self.world.okta.state["users"][self.people[name].okta]["status"] == "SUSPENDED")

    def said(self) -> List[Mapping[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def forms(text: str) -> Sequence[str]:
    """Where the forms of a page go."""
    return re.findall(r'<form[^>]* action="([^"]*)"', text)
