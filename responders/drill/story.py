"""The drill's scenes, in order. Each shows one promise kept, or says that it was not."""

from __future__ import annotations

import copy
import json
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import requests

from responders import pipeline
from responders.containment.recheck import recheck
from responders.containment.responder import Responder, Timing
from responders.containment.restore import restore
from responders.content.loader import load_detections
from responders.drill.attacker import Attacker
from responders.drill.openbao import OpenBao
from responders.drill.search_clock import Found, search
from responders.drill.simulators.graph import TENANT
from responders.drill.watcher import Watcher, Way
from responders.drill.world import Person, World
from responders.escalation.channels import File
from responders.escalation.report import Report
from responders.inventory.files import accounts_rows
from responders.inventory.resolve import Inventory
from responders.model import Account, Identity, Status, Tier
from responders.surfaces.assemble import read_catalogue

DATA = Path(__file__).with_name("data")
Tell = Callable[[str, str], None]
"""Takes a kind (scene, event, detect, contain, prove, open, good, bad) and a line."""


@dataclass
class Scene:
    """One scene: what was promised, what was seen. `kept` is False when it was not."""

    key: str
    title: str
    data: str
    found: Optional[Found] = None
    report: Optional[Report] = None
    ways: List[Way] = field(default_factory=list)
    seen: List[str] = field(default_factory=list)
    kept: bool = True
    started: float = 0.0
    ended: float = 0.0


@dataclass
class Cast:
    """Everybody in it, the responder, and the journal of scenes."""

    world: World
    bao: OpenBao
    responder: Responder
    inventory: Inventory
    people: Dict[str, Person]
    tell: Tell
    scenes: List[Scene] = field(default_factory=list)

    def check(self, scene: Scene, promise: str, kept: bool) -> None:
        """Say whether a promise was kept."""
        scene.seen.append(("kept: " if kept else "NOT KEPT: ") + promise)
        scene.kept = scene.kept and kept
        self.tell("good" if kept else "bad", promise)


def play(folder: Path, tell: Tell) -> Tuple[List[Scene], List[str], Path]:
    """Play every scene; the scenes, what `journal verify` found, and the journal's path."""
    with World(folder) as world:
        if world.bao is None:
            raise RuntimeError("the drill needs OpenBao")
        cast = _cast(world, world.bao, tell)
        for scene in (_aws, _sweep, _chain, _low, _break_glass, _vendor_down, _put_back, _restore):
            started = time.time()
            scene(cast)
            cast.scenes[-1].started, cast.scenes[-1].ended = started, time.time()
        return cast.scenes, cast.responder.journal.verify(), folder / "journal.db"


def _cast(world: World, bao: OpenBao, tell: Tell) -> Cast:
    people = {name: world.add_person(name) for name in ("christophe", "alice", "dave", "maria")}
    events = _aws_events()
    caller = events[0]["userIdentity"]
    people["christophe"].accounts.append(Account("aws", caller["accountId"], "user", caller["principalId"]))
    robots = {name: _robot(world, bao, name) for name in ("ci-robot", "billing-api")}
    identities: List[Identity] = [
        people["christophe"].identity(owner="platform team"),
        people["alice"].identity(owner="payments team"),
        people["dave"].identity(owner="support team"),
        people["maria"].identity(break_glass=True, owner="security team"),
        robots["ci-robot"].identity(kind="service", owner="build team"),
        robots["billing-api"].identity(kind="service", owner="billing team", dependents=("checkout", "invoices")),
        *(Identity(name, "human", None, "normal", "production", False, (), ()) for name in ("ida", "ivo")),
        # The blast radius is a part of the population: a company of eight would be allowed two containments an hour.
        *(Identity(f"employee-{n}", "human", None, "normal", "production", False, (), ()) for n in range(4000)),
    ]
    aliases = {"cyberark:default:alice": "alice"}
    inventory = Inventory(identities, aliases, frozenset({"ida", "ivo"}))
    channel = File("escalations", str(world.folder / "escalations.jsonl"))
    made = world.responder(
        catalogue=read_catalogue(), channels=(channel,), timing=Timing(deadline=8.0, confirm_patience=1.5, retry_due=0.0)
    )
    responder = replace(made, inventory=inventory)
    for client in responder.clients.all():  # type: ignore[attr-defined]
        client.warm()
    return Cast(world, bao, responder, inventory, {**people, **robots}, tell)


def _robot(world: World, bao: OpenBao, name: str) -> Person:
    """A service that logs in to Vault by AppRole; its SecretID will be stolen."""
    person = Person(name)
    bao.request("POST", f"auth/approle/role/{name}", {"token_policies": "app"})
    role = bao.request("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
    secret = bao.request("POST", f"auth/approle/role/{name}/secret-id")["data"]["secret_id"]
    auth = bao.request("POST", "auth/approle/login", {"role_id": role, "secret_id": secret})["auth"]
    person.held = {"role_id": role, "secret_id": secret}
    person.accounts = [
        Account("vault", "default", "entity", auth["entity_id"]),
        Account("vault", "default", "approle", name),
    ]
    return person


# -- helpers of scenes ------------------------------------------------------------------------------------


def _begin(cast: Cast, key: str, title: str, data: str) -> Scene:
    scene = Scene(key, title, data)
    cast.scenes.append(scene)
    cast.tell("scene", f"({key}) {title}   [{data}]")
    return scene


def _detect(cast: Cast, scene: Scene, events: List[Tuple[str, Any]], slug: str) -> Found:
    """Run the whole bundle over the events on the simulated clock, and take the finding of one detection."""
    found = search(load_detections(), events, accounts=accounts_rows(cast.inventory), only=slug)
    if not found:
        raise RuntimeError(f"the drill's {slug} did not fire: run `tourniquet detections test`")
    scene.found = found[0]
    row = found[0].hit.row
    cast.tell(
        "detect",
        f"{slug} at {row['tq_confidence']}: {row['tq_identity']}, {found[0].seconds:.0f} s after the completing event "
        "(simulated one-minute clock)",
    )
    return found[0]


def _contain(cast: Cast, scene: Scene, found: Found, more: Tuple[str, ...] = ()) -> Report:
    row = dict(found.hit.row)
    row["tq_evidence"] = [*_list(row.get("tq_evidence")), *more]
    started = time.time()
    report = pipeline.contain(row, cast.responder)
    scene.report = report
    held = sum(outcome.status.holds for outcome in report.outcomes)
    tier = report.decision.tier.label if report.decision else "none"
    cast.tell("contain", f"tier {tier}: {held} of {len(report.outcomes)} steps proved in {time.time() - started:.2f} s")
    for outcome in report.outcomes:
        mark = "✓" if outcome.status.holds else "✗"
        cast.tell("prove", f"{mark} {outcome.step.action}: {outcome.proof}")
    for item in report.open_items:
        cast.tell("open", item)
    return report


def _list(value: Any) -> List[str]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [str(value)]


def _stamp(seconds_ago: float) -> str:
    at = datetime.now(timezone.utc) - timedelta(seconds=seconds_ago)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _aws_events() -> List[Dict[str, Any]]:
    """The real CloudTrail events, their times shifted so that the last one is a minute old."""
    events: List[Dict[str, Any]] = json.loads((DATA / "aws.persistence.iam-create-admin-user.json").read_text())
    events.sort(key=lambda event: str(event["eventTime"]))
    for event in events:
        event["eventTime"] = _stamp(60)
    return events


# -- the scenes -------------------------------------------------------------------------------------------


def _aws(cast: Cast) -> None:
    scene = _begin(cast, "a", "A leaked AWS key makes an administrator", "real CloudTrail of an attack run, times shifted")
    person = cast.people["christophe"]
    noise = [("okta", _okta_event("user.session.start", "00uNobody", f"quiet-{n}", 300 - n)) for n in range(20)]
    events: List[Tuple[str, Any]] = [*noise, *(("aws_cloudtrail", event) for event in _aws_events())]
    found = _detect(cast, scene, events, "aws/admin_policy_or_trust")
    attacker = Attacker(cast.world, person)
    with Watcher(attacker) as watcher:
        report = _contain(cast, scene, found, (f"cyberark.account_id={person.held['cyberark account']}",))
    scene.ways = list(watcher.ways.values())
    cast.check(scene, "every way in at the four vendors is refused", not any(attacker.works().values()))
    open_aws = any("aws:" in item and "no responder" in item for item in report.open_items)
    cast.check(scene, "the AWS account itself is refused, and loudly open", report.loud and open_aws)


def _sweep(cast: Cast) -> None:
    scene = _begin(cast, "b", "A stolen AppRole sweeps the secrets store", "real OpenBao, its own audit log")
    person = cast.people["ci-robot"]
    login = {"role_id": person.held["role_id"], "secret_id": person.held["secret_id"]}
    token = _steal(cast, login, 32)
    found = _detect(cast, scene, _audit(cast), "vault/secret_sweep")
    report = _contain(cast, scene, found)
    cast.check(scene, "tier revoke", report.decision is not None and report.decision.tier is Tier.REVOKE)
    cast.check(scene, "the attacker's token is refused by OpenBao", not _works(cast, token))
    cast.check(scene, "the stolen SecretID logs nobody in", not _logs_in(cast, login))


def _chain(cast: Cast) -> None:
    scene = _begin(cast, "c", "Okta hijack, CyberArk, Vault, AWS: stopped at the second hop", "synthetic")
    person = cast.people["alice"]
    first = [
        (
            "okta",
            _okta_event("policy.evaluate_sign_on", person.okta, "hop-1", 120, network=64500, agent="Firefox on Windows"),
        ),
        ("okta", _okta_event("policy.evaluate_sign_on", person.okta, "hop-2", 90, network=64999, agent="curl")),
    ]
    hijack = _detect(cast, scene, first, "okta/session_replay")
    report = _contain(cast, scene, hijack)
    cast.check(scene, "one signal alone restricts", report.decision is not None and report.decision.tier is Tier.RESTRICT)
    signal = {k: hijack.hit.row[k] for k in ("tq_detection", "tq_identity", "tq_account", "tq_layer", "tq_confidence")}
    signal.update(tq_events=_list(hijack.hit.row["tq_events"]), tq_completed_at=_stamp(80), tq_finding="f")
    record = {"MessageID": "295", "Desc": "Retrieve password", "IsoTimestamp": _stamp(60), "Issuer": "alice"}
    record.update(Safe="safe-alice", File="root-alice", Station="203.0.113.9")
    second: List[Tuple[str, Any]] = [("signal", signal), ("cyberark", {"syslog": {"audit_record": record}})]
    found = _detect(cast, scene, second, "correlation/okta_hijack_then_checkout")
    attacker = Attacker(cast.world, person)
    with Watcher(attacker) as watcher:
        report = _contain(cast, scene, found, (f"cyberark.account_id={person.held['cyberark account']}",))
    scene.ways = list(watcher.ways.values())
    cast.check(
        scene, "the second hop raises it to revoke", report.decision is not None and report.decision.tier is Tier.REVOKE
    )
    cast.check(scene, "Vault and AWS are never reached: every way in is refused", not any(attacker.works().values()))


def _low(cast: Cast) -> None:
    scene = _begin(cast, "d", "Low confidence on a production service with dependents", "real OpenBao, its own audit log")
    person = cast.people["billing-api"]
    token = _steal(cast, {"role_id": person.held["role_id"], "secret_id": person.held["secret_id"]}, 16)
    entity = person.accounts[0].id
    events = [item for item in _audit(cast) if item[1].get("auth", {}).get("entity_id") == entity]
    report = _contain(cast, scene, _detect(cast, scene, events, "vault/secret_sweep"))
    cast.check(
        scene, "it is restricted and not disabled", report.decision is not None and report.decision.tier is Tier.RESTRICT
    )
    cast.check(scene, "the stolen token reads no secret any more", not _works(cast, token))
    state = cast.bao.request("GET", f"identity/entity/id/{entity}")["data"]
    cast.check(scene, "checkout and invoices keep their identity: it is still enabled", state["disabled"] is False)


def _break_glass(cast: Cast) -> None:
    scene = _begin(cast, "e", "An alert on a break-glass account", "synthetic")
    person = cast.people["maria"]
    event = _grant_event(person.entra)
    report = _contain(cast, scene, _detect(cast, scene, [("entra_audit", event)], "entra/privileged_role_outside_pim"))
    cast.check(scene, "nothing was changed", all(Attacker(cast.world, person).works().values()))
    cast.check(scene, "it was escalated loudly", report.loud)


def _vendor_down(cast: Cast) -> None:
    scene = _begin(cast, "f", "Entra is down while it happens", "synthetic")
    person = cast.people["dave"]
    pushes = [
        ("okta", _okta_event("user.mfa.okta_verify.deny_push", person.okta, f"push-{n}", 200 - 10 * n, result="FAILURE"))
        for n in range(10)
    ]
    tap = _okta_event("user.authentication.auth_via_mfa", person.okta, "tap", 90)
    tap["debugContext"] = {"debugData": {"factor": "OKTA_VERIFY_PUSH"}}
    found = _detect(cast, scene, [*pushes, ("okta", tap)], "okta/push_bombing_then_success")
    cast.world.graph.down = True
    report = _contain(cast, scene, found)
    works = Attacker(cast.world, person).works()
    others = not any(on for name, on in works.items() if not name.startswith("entra") and name != "cyberark password")
    cast.check(scene, "Okta, CyberArk and Vault were contained without waiting", others)
    cast.check(
        scene, "the report says loudly that Entra is open", report.loud and any("entra" in i for i in report.open_items)
    )
    cast.world.graph.down = False
    pipeline.take_up(cast.responder)
    works = Attacker(cast.world, person).works()
    cast.check(scene, "once Entra is back the open steps are done", not works["entra sign-in"])


def _put_back(cast: Cast) -> None:
    scene = _begin(cast, "g", "The attacker re-enables himself", "synthetic; the 10 s recheck is run at once")
    person = cast.people["alice"]
    containment = next(s.report.containment for s in cast.scenes if s.key == "c" and s.report)
    # With an administrator's stolen API token: out of quarantine, and active again.
    admin = cast.world.okta.add_user("admin@corp.example")
    cast.world.okta.add_role(admin, "SUPER_ADMIN")
    headers = {"Authorization": f"SSWS {cast.world.okta.add_api_token(admin)}"}
    url = f"{cast.world.okta.url}/api/v1"
    group = f"{url}/groups/{cast.world.okta_group}/users/{person.okta}"
    with requests.Session() as session:
        session.trust_env = False
        session.post(f"{url}/users/{person.okta}/lifecycle/unsuspend", headers=headers, timeout=5).raise_for_status()
        session.delete(group, headers=headers, timeout=5).raise_for_status()
    cast.check(scene, "he is in again", Attacker(cast.world, person).works()["okta sign-in"])
    outcomes = recheck(cast.responder, containment, "10 s")
    cast.check(scene, "the recheck puts the suspension back", not Attacker(cast.world, person).works()["okta sign-in"])
    cast.check(scene, "and reads it back", all(o.status.holds for o in outcomes if o.step.account.vendor == "okta"))


def _restore(cast: Cast) -> None:
    scene = _begin(cast, "h", "Restore", "synthetic")
    person = cast.people["alice"]
    containment = next(s.report.containment for s in cast.scenes if s.key == "c" and s.report)
    outcomes = restore(cast.responder, containment, by="ida", reason="the drill is over")
    failed = [o for o in outcomes if o.status in (Status.FAILED, Status.UNKNOWN)]
    cast.check(scene, f"{len(outcomes)} steps, none failed to undo", not failed)
    works = Attacker(cast.world, person).works()
    signs_in = all(works[f"{vendor} sign-in"] for vendor in ("okta", "entra", "cyberark", "vault"))
    cast.check(scene, "alice signs in everywhere again", signs_in)
    stolen = [name for name, on in works.items() if on and "sign-in" not in name]
    cast.check(scene, "what was stolen stays dead", not stolen)


# -- events and attacks -----------------------------------------------------------------------------------


def _okta_event(
    kind: str, user: str, uuid: str, ago: float, *, network: int = 64500, agent: str = "Firefox", result: str = "SUCCESS"
) -> Dict[str, Any]:
    return {
        "uuid": uuid,
        "published": _stamp(ago),
        "eventType": kind,
        "actor": {"id": user, "type": "User", "alternateId": f"{user}@corp.example"},
        "authenticationContext": {"externalSessionId": f"session-{user}"},
        "client": {"ipAddress": f"198.51.100.{network % 200}", "userAgent": {"rawUserAgent": agent}},
        "securityContext": {"asNumber": network, "isProxy": False},
        "outcome": {"result": result},
    }


def _grant_event(user: str) -> Dict[str, Any]:
    change = [{"displayName": "Role.DisplayName", "newValue": '"Global Administrator"'}]
    return {
        "time": _stamp(60),
        "operationName": "Add member to role",
        "category": "AuditLogs",
        "tenantId": TENANT,
        "properties": {
            "id": "drill-grant",
            "activityDisplayName": "Add member to role",
            "result": "success",
            "initiatedBy": {"user": {"id": "someone", "userPrincipalName": "someone@corp.example"}},
            "targetResources": [{"id": user, "type": "User", "modifiedProperties": change}],
        },
    }


def _steal(cast: Cast, login: Dict[str, str], paths: int) -> str:
    """Log in with stolen AppRole credentials and read secrets, for real; the attacker's token."""
    for number in range(paths):
        cast.bao.request("POST", f"kv/data/secret-{number}", {"data": {"value": str(number)}})
    token = str(cast.bao.request("POST", "auth/approle/login", login)["auth"]["client_token"])
    if paths >= 30:
        cast.bao.request("PUT", "sys/policies/acl/app", {"policy": _LISTING})
        cast.bao.request("GET", "kv/metadata/?list=true", token=token)
    for number in range(paths):
        cast.bao.request("GET", f"kv/data/secret-{number}", token=token)
    return token


_LISTING = """
path "kv/data/*" { capabilities = ["create", "read", "update"] }
path "kv/metadata/*" { capabilities = ["list"] }
path "auth/token/create" { capabilities = ["update"] }
"""


def _audit(cast: Cast) -> List[Tuple[str, Any]]:
    """What OpenBao itself wrote; the work of root, which set the drill up, left out."""
    lines = [json.loads(line) for line in cast.bao.audit_log.read_text().splitlines()]
    kept = [line for line in lines if "root" not in (line.get("auth", {}).get("policies") or ())]
    return [("vault", copy.deepcopy(line)) for line in kept]


def _works(cast: Cast, token: str) -> bool:
    try:
        cast.bao.request("GET", "kv/data/secret-1", token=token)
    except Exception:  # any refusal
        return False
    return True


def _logs_in(cast: Cast, login: Dict[str, str]) -> bool:
    try:
        cast.bao.request("POST", "auth/approle/login", login)
    except Exception:  # any refusal
        return False
    return True
