"""Inventory sync of a large company, with vendors that answer at once and a clock that counts what they would have taken.

`python -m tests.bench.inventory [--people N]`: reads N people at Okta, Entra, CyberArk and Vault, joins and compiles, each
in a process of its own (`inventory sync` reads all in one, and compiles in another), and prints vendor time, time, memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple, cast
from urllib.parse import parse_qs, urlsplit

from responders.errors import RateLimited
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.run import How, read
from responders.inventory.sync.source import Listing, Row
from responders.inventory.sync.vendors import SOURCES
from responders.vendors.client import Response

OKTA_LIMIT = 600 * 0.7
"""Calls a minute to one group of endpoints (Okta, "Rate limits", Workforce default), less the part kept for containments."""
LATENCY = {"okta": 0.15, "entra": 0.3, "cyberark": 0.1, "vault": 0.005}
GROUPS, EACH = 500, 600
TENANT = "11111111-1111-4111-8111-111111111111"


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Vendor:
    """In the place of a client: answers by rule, each call takes its time, and some have a rate limit."""

    tenant = "corp"

    def __init__(self, name: str, people: int, clock: Clock) -> None:
        self.name, self.people, self.clock = name, people, clock
        self.tenant = TENANT if name == "entra" else "corp"
        self.transport = self
        self.began: Dict[str, Tuple[float, int]] = {}

    def path(self, template: str, ids: Sequence[str]) -> str:
        for text in ids:
            template = template.replace("{}", text, 1)
        return template

    def read(self, path: str, *, name: str = "") -> Response:
        parts = urlsplit(path)
        self._count(parts.path.split("/")[3] if self.name == "okta" else "")
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        return cast(Response, getattr(self, f"_{self.name}")(parts.path, query))

    def call(self, method: str, template: str, *, ids: Sequence[str] = (), query: Any = None, body: Any = None) -> Response:
        return self.read(self.path(template, ids))

    def items(self, template: str, *, ids: Sequence[str] = (), query: Any = None) -> Sequence[Mapping[str, Any]]:
        return cast(Sequence[Mapping[str, Any]], self.read(self.path(template, ids)).body["value"])

    def page(self, answer: Response) -> Tuple[Any, Any]:
        if self.name == "okta":
            return answer.body if isinstance(answer.body, list) else answer.body["value"], answer.headers.get("next")
        if self.name == "vault":
            return [{"key": key} for key in answer.body["data"]["keys"]], None
        return answer.body["value"], answer.body.get("@odata.nextLink")

    def _count(self, bucket: str) -> None:
        self.clock.now += LATENCY[self.name]
        if self.name == "okta":
            start, used = self.began.get(bucket, (self.clock.now, 0))
            if self.clock.now >= start + 60:
                start, used = self.clock.now, 0
            if used >= OKTA_LIMIT:
                raise RateLimited("okta", "rate limit", retry_at=start + 60)
            self.began[bucket] = (start, used + 1)

    def _okta(self, path: str, query: Mapping[str, str]) -> Response:
        start = int(query.get("after", 0))
        found: List[Any] = []
        end, total = start + 200, 0
        if "schemas" in path:
            properties = {
                n: {"permissions": [{"principal": "SELF", "action": "READ_ONLY"}]} for n in ("login", "employeeNumber")
            }
            return Response(200, {"definitions": {"base": {"properties": properties}}})
        if path == "/api/v1/users":
            total = self.people
            found = [_okta_user(n) for n in range(start, min(end, total))]
        elif path == "/api/v1/groups":
            total = GROUPS
            found = [
                {"id": f"00g{n:017d}", "type": "OKTA_GROUP", "profile": {"name": f"g{n}"}, "lastMembershipUpdated": "x"}
                for n in range(start, min(end, total))
            ]
        elif path.endswith("/users") and "/groups/" in path:
            total = min(EACH, self.people)
            first = int(path.split("/")[4][3:]) * EACH
            found = [{"id": f"00u{(first + n) % self.people:017d}"} for n in range(start, min(end, total))]
        after = f"https://org.invalid{path}?after={end}" if end < total else ""
        return Response(200, found, {"next": after} if after else {})

    def _entra(self, path: str, query: Mapping[str, str]) -> Response:
        start, total, made = int(query.get("$skiptoken", 0)), 0, _entra_user
        if path == "/users/delta":
            total = self.people
        elif path == "/servicePrincipals/delta":
            total, made = 2000, _principal
        end = min(start + 200, total)
        link = (
            {"@odata.nextLink": f"{path}?$skiptoken={end}"} if end < total else {"@odata.deltaLink": f"{path}?$deltatoken=1"}
        )
        return Response(200, {"value": [made(n) for n in range(start, end)], **link})

    def _cyberark(self, path: str, query: Mapping[str, str]) -> Response:
        count, start = min(5000, self.people), int(query.get("offset", 0))
        if path == "/API/Users":
            wanted = range(start, min(start + 1000, count))
            users = [{"id": n, "username": f"u{n}", "source": "LDAP", "userType": "EPVUser", "enableUser": True,
                      "internet": {"businessEmail": f"u{n}@corp.example"}} for n in wanted]  # fmt: skip
            return Response(200, {"Users": users, "Total": count})
        if path == "/API/Safes":
            return Response(200, {"value": [{"safeUrlId": f"s{n}", "safeName": f"s{n}"} for n in range(2000)]})
        if path.endswith("/Members"):
            members = [
                {"memberName": f"u{n}", "memberType": "User", "permissions": {"retrieveAccounts": True}} for n in range(20)
            ]
            return Response(200, {"value": members})
        return Response(200, {"value": [], "application": []})

    def _vault(self, path: str, query: Mapping[str, str]) -> Response:
        if path == "/sys/auth":
            return Response(200, {"oidc/": {"type": "oidc", "accessor": "a1"}})
        if path == "/identity/entity/id":
            return Response(200, {"data": {"keys": [f"e{n:06d}" for n in range(min(20000, self.people))]}})
        if path.startswith("/identity/entity/id/"):
            number = int(path.rpartition("/")[2][1:])
            data = {
                "id": f"e{number:06d}",
                "name": f"n{number}",
                "metadata": {"employee_number": f"E{number}"},
                "policies": ["p"],
            }
            return Response(200, {"data": data})
        if path.startswith("/sys/policies/acl/"):
            return Response(200, {"data": {"policy": 'path "kv/*" { capabilities = ["read"] }'}})
        return Response(200, {"data": {"keys": ["p"] if "policies" in path else []}})


def _okta_user(n: int) -> Dict[str, Any]:
    profile = {
        "login": f"u{n}@corp.example",
        "email": f"u{n}@corp.example",
        "employeeNumber": f"E{n}",
        "displayName": f"U {n}",
    }
    return {
        "id": f"00u{n:017d}", "status": "ACTIVE", "created": "2024-01-01T00:00:00.000Z",
        "profile": profile, "credentials": {"provider": {"type": "OKTA"}},
    }  # fmt: skip


def _entra_user(n: int) -> Dict[str, Any]:
    name = f"u{n}@corp.example"
    return {"id": f"22222222-2222-4222-8222-{n:012d}", "userPrincipalName": name, "mail": name, "employeeId": f"E{n}",
            "accountEnabled": True, "userType": "Member"}  # fmt: skip


def _principal(n: int) -> Dict[str, Any]:
    secret = {"keyId": f"k{n}", "startDateTime": "2024-01-01T00:00:00Z", "endDateTime": "2026-01-01T00:00:00Z"}
    return {
        "id": f"33333333-3333-4333-8333-{n:012d}", "appId": f"44444444-4444-4444-8444-{n:012d}", "displayName": f"app {n}",
        "accountEnabled": True, "passwordCredentials": [secret], "keyCredentials": [], "appRoles": [],
    }  # fmt: skip


def _read(vendor: str, state: Path, people: int) -> Dict[str, Any]:
    clock = Clock()
    began = clock.now
    source = SOURCES[vendor](Vendor(vendor, people, clock))
    with RawStore(state) as store:
        found = read(source, store, How(full=True, now=lambda: clock.now, sleep=clock.sleep))
    source.close()
    if found.failed or found.refused:
        raise RuntimeError(f"{vendor}: {found.failed or found.refused}")
    workers = {"vault": 8}.get(vendor, 1)
    return {"rows": sum(found.rows.values()), "vendor_seconds": (clock.now - began) / workers, "calls": found.calls}


def _compile(state: Path) -> Dict[str, Any]:
    from responders.inventory.sync.compile import compile_inventory
    from responders.inventory.sync.gather import Gathered

    with RawStore(state) as store, Gathered(store, {"okta:corp": "https://corp.okta.com"}) as gathered:
        found = compile_inventory(gathered, None, state.with_name("inventory.json"))
    return {
        "identities": found.identities,
        "accounts": found.accounts,
        "links": found.links,
        "conflicts": len(found.conflicts),
    }


def _rows(state: Path, count: int) -> Dict[str, Any]:
    """So many rows of one list in pages of a thousand: staged, taken over, and gone through."""
    listing = Listing("members")
    with RawStore(state) as store:
        store.begin("okta:corp", listing, 1.0, full=True, full_every=1.0, stale=1.0)
        for start in range(0, count, 1000):
            rows = [Row(f"00g{n // 1000:017d}/00u{n:017d}", {}, f"00g{n // 1000:017d}") for n in range(start, start + 1000)]
            store.add("okta:corp", listing.name, rows, cursor=str(start + 1000), done=start + 1000 >= count, delta="")
        taken = store.publish("okta:corp", [listing], {}, 1.0, 1.0)
        return {"rows": sum(1 for _ in store.rows("okta:corp", "members")), "new": taken.new}


def _steps(state: Path, people: int) -> Iterator[Tuple[str, Dict[str, Any]]]:
    for step in (*SOURCES, "compile", "compile", "rows"):
        began = time.monotonic()
        made = subprocess.run(
            [sys.executable, "-m", "tests.bench.inventory", "--step", step, "--state", str(state), "--people", str(people)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(made.stderr[-2000:])
        yield step, {**json.loads(made.stdout), "seconds": round(time.monotonic() - began, 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--step", default="")
    parser.add_argument("--state", default="")
    options = parser.parse_args()
    if options.step:
        state = Path(options.state)
        if options.step == "rows":
            found = _rows(state.with_name("rows.db"), 10 * options.people)
        else:
            found = _compile(state) if options.step == "compile" else _read(options.step, state, options.people)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps({**found, "peak_megabytes": round(peak)}))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for step, found in _steps(Path(folder) / "observed.db", options.people):
            sys.stdout.write(f"{step}: {json.dumps(found)}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
