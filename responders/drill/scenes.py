"""The scenes, one function each: the promise, what is done, and what the attacker can still do afterwards."""

from __future__ import annotations

from typing import Any, List, Tuple

import requests

from responders import pipeline
from responders.containment.recheck import recheck
from responders.containment.restore import restore
from responders.drill.attacker import Attacker
from responders.drill.cast import Cast, begin, contain_found, detect
from responders.drill.events import as_list, aws_events, grant_event, okta_event, stamp
from responders.drill.theft import audit, logs_in, steal, works
from responders.drill.watcher import Watcher
from responders.model import Status, Tier


def leaked_key(cast: Cast) -> None:
    scene = begin(cast, "a", "A leaked AWS key makes an administrator", "real CloudTrail of an attack run, times shifted")
    person = cast.people["christophe"]
    noise = [("okta", okta_event("user.session.start", "00uNobody", f"quiet-{n}", 300 - n)) for n in range(20)]
    events: List[Tuple[str, Any]] = [*noise, *(("aws_cloudtrail", event) for event in aws_events())]
    found = detect(cast, scene, events, "aws/admin_policy_or_trust")
    attacker = Attacker(cast.world, person)
    with Watcher(attacker) as watcher:
        report = contain_found(cast, scene, found, (f"cyberark.account_id={person.held['cyberark account']}",))
    scene.ways = list(watcher.ways.values())
    cast.check(scene, "every way in at the four vendors is refused", not any(attacker.works().values()))
    open_aws = any("aws:" in item and "no responder" in item for item in report.open_items)
    cast.check(scene, "the AWS account itself is refused, and loudly open", report.loud and open_aws)


def secret_sweep(cast: Cast) -> None:
    scene = begin(cast, "b", "A stolen AppRole sweeps the secrets store", "real OpenBao, its own audit log")
    person = cast.people["ci-robot"]
    login = {"role_id": person.held["role_id"], "secret_id": person.held["secret_id"]}
    token = steal(cast, login, 32)
    found = detect(cast, scene, audit(cast), "vault/secret_sweep")
    report = contain_found(cast, scene, found)
    cast.check(scene, "tier revoke", report.decision is not None and report.decision.tier is Tier.REVOKE)
    cast.check(scene, "the attacker's token is refused by OpenBao", not works(cast, token))
    cast.check(scene, "the stolen SecretID logs nobody in", not logs_in(cast, login))


def second_hop(cast: Cast) -> None:
    scene = begin(cast, "c", "Okta hijack, CyberArk, Vault, AWS: stopped at the second hop", "synthetic")
    person = cast.people["alice"]
    first = [
        (
            "okta",
            okta_event("policy.evaluate_sign_on", person.okta, "hop-1", 120, network=64500, agent="Firefox on Windows"),
        ),
        ("okta", okta_event("policy.evaluate_sign_on", person.okta, "hop-2", 90, network=64999, agent="curl")),
    ]
    hijack = detect(cast, scene, first, "okta/session_replay")
    report = contain_found(cast, scene, hijack)
    cast.check(scene, "one signal alone restricts", report.decision is not None and report.decision.tier is Tier.RESTRICT)
    signal = {k: hijack.hit.row[k] for k in ("tq_detection", "tq_identity", "tq_account", "tq_layer", "tq_confidence")}
    signal.update(tq_events=as_list(hijack.hit.row["tq_events"]), tq_completed_at=stamp(80), tq_finding="f")
    record = {"MessageID": "295", "Desc": "Retrieve password", "IsoTimestamp": stamp(60), "Issuer": "alice"}
    record.update(Safe="safe-alice", File="root-alice", Station="203.0.113.9")
    second: List[Tuple[str, Any]] = [("signal", signal), ("cyberark", {"syslog": {"audit_record": record}})]
    found = detect(cast, scene, second, "correlation/okta_hijack_then_checkout")
    attacker = Attacker(cast.world, person)
    with Watcher(attacker) as watcher:
        report = contain_found(cast, scene, found, (f"cyberark.account_id={person.held['cyberark account']}",))
    scene.ways = list(watcher.ways.values())
    cast.check(
        scene, "the second hop raises it to revoke", report.decision is not None and report.decision.tier is Tier.REVOKE
    )
    cast.check(scene, "Vault and AWS are never reached: every way in is refused", not any(attacker.works().values()))


def low_confidence(cast: Cast) -> None:
    scene = begin(cast, "d", "Low confidence on a production service with dependents", "real OpenBao, its own audit log")
    person = cast.people["billing-api"]
    token = steal(cast, {"role_id": person.held["role_id"], "secret_id": person.held["secret_id"]}, 16)
    entity = person.accounts[0].id
    events = [item for item in audit(cast) if item[1].get("auth", {}).get("entity_id") == entity]
    report = contain_found(cast, scene, detect(cast, scene, events, "vault/secret_sweep"))
    cast.check(
        scene, "it is restricted and not disabled", report.decision is not None and report.decision.tier is Tier.RESTRICT
    )
    cast.check(scene, "the stolen token reads no secret any more", not works(cast, token))
    state = cast.bao.request("GET", f"identity/entity/id/{entity}")["data"]
    cast.check(scene, "checkout and invoices keep their identity: it is still enabled", state["disabled"] is False)


def break_glass(cast: Cast) -> None:
    scene = begin(cast, "e", "An alert on a break-glass account", "synthetic")
    person = cast.people["maria"]
    event = grant_event(person.entra)
    report = contain_found(cast, scene, detect(cast, scene, [("entra_audit", event)], "entra/privileged_role_outside_pim"))
    cast.check(scene, "nothing was changed", all(Attacker(cast.world, person).works().values()))
    cast.check(scene, "it was escalated loudly", report.loud)


def vendor_down(cast: Cast) -> None:
    scene = begin(cast, "f", "Entra is down while it happens", "synthetic")
    person = cast.people["dave"]
    pushes = [
        ("okta", okta_event("user.mfa.okta_verify.deny_push", person.okta, f"push-{n}", 200 - 10 * n, result="FAILURE"))
        for n in range(10)
    ]
    tap = okta_event("user.authentication.auth_via_mfa", person.okta, "tap", 90)
    tap["debugContext"] = {"debugData": {"factor": "OKTA_VERIFY_PUSH"}}
    found = detect(cast, scene, [*pushes, ("okta", tap)], "okta/push_bombing_then_success")
    cast.world.graph.down = True
    report = contain_found(cast, scene, found)
    ways = Attacker(cast.world, person).works()
    others = not any(on for name, on in ways.items() if not name.startswith("entra") and name != "cyberark password")
    cast.check(scene, "Okta, CyberArk and Vault were contained without waiting", others)
    cast.check(
        scene, "the report says loudly that Entra is open", report.loud and any("entra" in i for i in report.open_items)
    )
    cast.world.graph.down = False
    pipeline.take_up(cast.responder)
    ways = Attacker(cast.world, person).works()
    cast.check(scene, "once Entra is back the open steps are done", not ways["entra sign-in"])


def put_back(cast: Cast) -> None:
    scene = begin(cast, "g", "The attacker re-enables himself", "synthetic; the 10 s recheck is run at once")
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


def give_back(cast: Cast) -> None:
    scene = begin(cast, "h", "Restore", "synthetic")
    person = cast.people["alice"]
    containment = next(s.report.containment for s in cast.scenes if s.key == "c" and s.report)
    outcomes = restore(cast.responder, containment, by="ida", reason="the drill is over")
    failed = [o for o in outcomes if o.status in (Status.FAILED, Status.UNKNOWN)]
    cast.check(scene, f"{len(outcomes)} steps, none failed to undo", not failed)
    ways = Attacker(cast.world, person).works()
    signs_in = all(ways[f"{vendor} sign-in"] for vendor in ("okta", "entra", "cyberark", "vault"))
    cast.check(scene, "alice signs in everywhere again", signs_in)
    stolen = [name for name, on in ways.items() if on and "sign-in" not in name]
    cast.check(scene, "what was stolen stays dead", not stolen)
