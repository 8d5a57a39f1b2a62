"""The scenes, one function each: the promise, what is done, and what the attacker can still do afterwards."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Tuple

import requests

from responders import pipeline
from responders.containment.recheck import recheck
from responders.containment.restore import restore
from responders.drill.attacker import Attacker
from responders.drill.background import background
from responders.drill.cast import REAL, SHAPED, SYNTHETIC, Cast, Scene, begin, contain_found, detect, stream
from responders.drill.events import (
    assume_role_event,
    attack_runs,
    aws_attacks,
    checkout_event,
    grant_event,
    lab_grant,
    okta_event,
    secret_read_event,
)
from responders.drill.theft import audit, may_read, secrets_read, steal, ways_in
from responders.drill.watcher import Watcher
from responders.drill.wording import Task, who_next
from responders.escalation.report import Report
from responders.model import Account, Status, Tier

ADMIN_RUN = "aws.persistence.iam-create-admin-user"
DEPLOY_ROLE = Account("aws", "111122223333", "role", "AROADEPLOY")
DEPLOY_SECRET = "kv/data/aws-deploy"
_QUIET = (SHAPED, "behind every scene, a quiet day in Okta and Entra: two dozen events as the vendors document them")


def leaked_key(cast: Cast) -> None:
    scene = begin(
        cast, "a", "A leaked AWS key makes an administrator",
        "Somebody used a leaked AWS key to make an administrator. The key belongs to christophe, who also has accounts "
        "at Okta, Entra ID, CyberArk and Vault.",
        (REAL, f"CloudTrail of {attack_runs()} attack runs in AWS, one Entra grant of a lab tenant; only times are shifted"),
        _QUIET,
    )  # fmt: skip
    person = cast.people["christophe"]
    events: List[Tuple[str, Any]] = [*background(), ("m365_audit", lab_grant(100))]
    events += [("aws_cloudtrail", event) for event in aws_attacks(ADMIN_RUN, 60)]
    found = detect(cast, scene, events, "aws/admin_policy_or_trust", "christophe")
    attacker = Attacker(cast.world, person)
    with Watcher(attacker.tries()) as watcher:
        report = contain_found(cast, scene, found, (f"cyberark.account_id={person.held['cyberark account']}",))
    scene.ways = list(watcher.ways.values())
    cast.check(scene, "every way in at the four vendors is refused", not any(attacker.works().values()))
    open_aws = any("aws:" in item and "no responder" in item for item in report.open_items)
    cast.check(scene, "the AWS account itself is refused, and loudly open", report.loud and open_aws)
    scene.next += who_next(report)


def secret_sweep(cast: Cast) -> None:
    scene = begin(
        cast, "b", "A stolen AppRole sweeps the secrets store",
        "The build robot's Vault login was stolen, and somebody read 32 secrets with it.",
        (REAL, "OpenBao 2.7.2: the theft really happens, and its own audit log is searched (root's set-up work left out)"),
    )  # fmt: skip
    person = cast.people["ci-robot"]
    login = {"role_id": person.held["role_id"], "secret_id": person.held["secret_id"]}
    token = steal(cast, login, 32)
    found = detect(cast, scene, [*background(), *audit(cast, scene.started)], "vault/secret_sweep", "ci-robot")
    with Watcher(ways_in(cast, login, token)) as watcher:
        report = contain_found(cast, scene, found)
    scene.ways = list(watcher.ways.values())
    tries = {name: call() for name, call in ways_in(cast, login, token).items()}
    cast.check(scene, "it is revoked", _tier(report) is Tier.REVOKE)
    cast.check(scene, "the attacker's token is refused by OpenBao", not tries["vault token"])
    cast.check(scene, "the stolen SecretID logs nobody in", not tries["vault new login"])
    scene.next += who_next(report)


def second_hop(cast: Cast) -> None:
    scene = begin(
        cast, "c", "Okta, CyberArk, Vault, AWS: stopped at the second hop",
        "alice's Okta session was stolen. The attacker went on to CyberArk; Vault, and with the key that lies there AWS, "
        "would have been next.",
        (SYNTHETIC, "the Okta and CyberArk log lines; the checkout itself is made at the CyberArk simulator"),
        (REAL, "OpenBao refuses the third hop, and its own audit log shows it; AWS is not simulated"),
    )  # fmt: skip
    person = cast.people["alice"]
    cast.bao.request("POST", DEPLOY_SECRET, {"data": {"access_key": "AKIADRILL"}})
    cast.check(
        scene, "before: her Vault token may read the AWS key", may_read(cast, person.held["vault token"], DEPLOY_SECRET)
    )
    first: List[Tuple[str, Any]] = [
        ("okta", okta_event("policy.evaluate_sign_on", person.okta, "hop-1", 240, agent="Firefox on Windows")),
        ("okta", okta_event("policy.evaluate_sign_on", person.okta, "hop-2", 210, network=64999, agent="curl")),
    ]
    report = contain_found(cast, scene, detect(cast, scene, [*background(), *first], "okta/session_replay", "alice"))
    cast.check(scene, "hop 1: one signal alone restricts", _tier(report) is Tier.RESTRICT)
    restricted = time.time()

    account = person.held["cyberark account"]
    attacker = Attacker(cast.world, person)
    person.held["cyberark password"] = attacker.checks_out()
    cast.note(scene, "hop 2: with her CyberArk password, which restrict leaves alone, the attacker takes out another one")
    second = [*first, *cast.signals("alice"), ("cyberark", checkout_event("alice", "safe-alice", "root-alice"))]
    found = detect(cast, scene, [*background(), *second], "correlation/okta_hijack_then_checkout", "alice")
    with Watcher(attacker.tries()) as watcher:
        report = contain_found(cast, scene, found, (f"cyberark.account_id={account}",))
    scene.ways = list(watcher.ways.values())
    cast.check(scene, "hop 2: the checkout raises it to revoke", _tier(report) is Tier.REVOKE)
    cast.check(scene, "hop 2: every way in at the four vendors is refused", not any(attacker.works().values()))
    read = secrets_read(cast, person.entity, restricted)
    cast.check(scene, "hop 3 never happened: OpenBao's audit log has no secret read by her since hop 1", not read)
    dead = not may_read(cast, person.held["vault token"], DEPLOY_SECRET)
    cast.check(scene, "hop 4 is not possible: the AWS key lies in Vault, and her token there is dead", dead)
    happened = [*background(), *second, *audit(cast, restricted)]
    _left_alone(cast, scene, happened, person.entity)
    scene.next += who_next(report)


def _left_alone(cast: Cast, scene: Scene, happened: List[Tuple[str, Any]], entity: str) -> None:
    """What really happened holds no whole chain; with two made-up hops it does, later."""
    chain = "correlation/okta_to_aws_chain"
    cast.check(scene, "the search for the whole chain stays quiet", chain not in {f.slug for f in stream(cast, happened)})
    invented: List[Tuple[str, Any]] = [
        ("vault", secret_read_event(entity, DEPLOY_SECRET, -120)),
        ("aws_cloudtrail", assume_role_event(DEPLOY_ROLE.tenant, DEPLOY_ROLE.id, -240)),
    ]
    late = next((item for item in stream(cast, [*happened, *invented]) if item.slug == chain), None)
    cast.check(scene, "with two invented hops more it fires: the search would have seen them", late is not None)
    if late is not None:
        wait = (late.run_at - scene.found[-1].run_at) / 60
        cast.note(scene, f"left alone, the four-hop search would have spoken {wait:.0f} minutes later (invented hops)")


def low_confidence(cast: Cast) -> None:
    scene = begin(
        cast, "d", "Low confidence on a production service with dependents",
        "Something reads more secrets than usual as billing-api, on which checkout and invoices depend.",
        (REAL, "OpenBao 2.7.2 and its own audit log (root's set-up work left out)"),
    )  # fmt: skip
    person = cast.people["billing-api"]
    login = {"role_id": person.held["role_id"], "secret_id": person.held["secret_id"]}
    token = steal(cast, login, 16)
    events = [*background(), *audit(cast, scene.started)]
    found = detect(cast, scene, events, "vault/secret_sweep", "billing-api")
    with Watcher(ways_in(cast, login, token)) as watcher:
        report = contain_found(cast, scene, found)
    scene.ways = list(watcher.ways.values())
    cast.check(scene, "it is restricted and not disabled", _tier(report) is Tier.RESTRICT)
    tries = {name: call() for name, call in ways_in(cast, login, token).items()}
    cast.check(scene, "the stolen token reads no secret any more, nor does a new login", not any(tries.values()))
    state = cast.bao.request("GET", f"identity/entity/id/{person.accounts[0].id}")["data"]
    cast.check(scene, "checkout and invoices keep their identity: it is still enabled", state["disabled"] is False)
    scene.next += who_next(report)


def break_glass(cast: Cast) -> None:
    scene = begin(
        cast, "e", "An alert on a break-glass account",
        "The emergency account maria was made Global Administrator outside the normal process.",
        (SYNTHETIC, "one Entra audit event in the vendor's shape"),
    )  # fmt: skip
    person = cast.people["maria"]
    events = [*background(), ("entra_audit", grant_event(person.entra))]
    report = contain_found(cast, scene, detect(cast, scene, events, "entra/privileged_role_outside_pim", "maria"))
    cast.check(scene, "nothing was changed", all(Attacker(cast.world, person).works().values()))
    cast.check(scene, "it was escalated loudly", report.loud)
    scene.next += who_next(report)


def vendor_down(cast: Cast) -> None:
    scene = begin(
        cast, "f", "Entra is down while it happens",
        "dave was bombed with push messages until he accepted one, and Entra ID does not answer.",
        (SYNTHETIC, "the Okta events, in the vendor's shape; Entra's simulator drops every connection"),
    )  # fmt: skip
    person = cast.people["dave"]
    pushes: List[Tuple[str, Any]] = [
        ("okta", okta_event("user.mfa.okta_verify.deny_push", person.okta, f"push-{n}", 200 - 10 * n, result="FAILURE"))
        for n in range(10)
    ]
    tap = okta_event("user.authentication.auth_via_mfa", person.okta, "tap", 90)
    tap["debugContext"] = {"debugData": {"factor": "OKTA_VERIFY_PUSH"}}
    events = [*background(), *pushes, ("okta", tap)]
    found = detect(cast, scene, events, "okta/push_bombing_then_success", "dave")
    attacker = Attacker(cast.world, person)
    # A vendor that is down refuses nobody, and a checked-out password that no evidence names is left for a person.
    elsewhere = {n: c for n, c in attacker.tries().items() if not n.startswith("entra") and n != "cyberark password"}
    cast.world.graph.down = True
    with Watcher(elsewhere) as watcher:
        report = contain_found(cast, scene, found)
    scene.ways = list(watcher.ways.values())
    others = [o for o in report.outcomes if o.step.account.vendor != "entra"]
    since = scene.alerted or 0.0
    slowest = max((o.at.timestamp() - since for o in others), default=99.0)
    gave_up = max((o.at.timestamp() - since for o in report.outcomes if o not in others), default=0.0)
    refused = not any(call() for call in elsewhere.values()) and all(o.status.holds for o in others)
    cast.check(scene, "Okta, CyberArk and Vault were contained, and refuse the attacker", refused)
    text = f"none of them waited for Entra: done after {slowest:.2f} s, Entra was tried for {gave_up:.2f} s"
    cast.check(scene, text, slowest < gave_up)
    cast.check(
        scene, "the report says loudly that Entra is open", report.loud and any("entra" in i for i in report.open_items)
    )
    cast.world.graph.down = False
    with cast.stage.busy("Entra is back: doing what is due"):
        pipeline.take_up(cast.responder)
    settled = cast.settle(scene, report.containment)
    done = not attacker.works()["entra sign-in"] and all(o.status.holds for o in settled.outcomes)
    cast.check(scene, "once Entra is back the open steps are done and proved", done)
    scene.next += who_next(settled)


def put_back(cast: Cast) -> None:
    scene = begin(
        cast, "g", "The attacker re-enables himself",
        "With an administrator's stolen API token the attacker lifts alice's suspension at Okta.",
        (SYNTHETIC, "real calls at the Okta simulator; the recheck that is due 10 s after a containment is run at once"),
        (SYNTHETIC, "the log event of his sign-in, in Okta's shape"),
    )  # fmt: skip
    person = cast.people["alice"]
    containment = next(s.report.containment for s in cast.scenes if s.key == "c" and s.report)
    attacker = Attacker(cast.world, person)
    _lift_suspension(cast, person.okta)
    cast.check(scene, "he is in again", attacker.works()["okta sign-in"])
    seen = stream(cast, [*cast.standing("alice"), ("okta", okta_event("user.session.start", person.okta, "back", 0))])
    after = any(f.slug == "correlation/activity_after_containment" and f.identity == "alice" for f in seen)
    cast.check(scene, "the search for activity after containment names her from Okta's log of it", after)
    tries = {name: call for name, call in attacker.tries().items() if name.startswith("okta")}
    with Watcher(tries) as watcher, cast.stage.busy("rechecking alice"):
        scene.alerted = time.time()
        outcomes = recheck(cast.responder, containment, "10 s")
    scene.ways = list(watcher.ways.values())
    again = tuple(o for o in outcomes if o.step.account.vendor == "okta")
    scene.outcomes = again
    cast.stage.outcomes(again, scene.alerted)
    cast.check(scene, "the recheck puts the suspension back", not attacker.works()["okta sign-in"])
    cast.check(scene, "and reads it back", bool(again) and all(o.status.holds for o in again))
    cast.settle(scene, containment)
    scene.next.append(Task("identity team", "find whose API token lifted the suspension, and revoke it", now=True))
    scene.done = "Locked out again at Okta; every step read back"


def give_back(cast: Cast) -> None:
    scene = begin(
        cast, "h", "Restore",
        "alice is cleared, and ida, who may restore, gives her everything back.",
        (SYNTHETIC, "simulated Okta, Entra and CyberArk"),
        (REAL, "OpenBao"),
    )  # fmt: skip
    person = cast.people["alice"]
    containment = next(s.report.containment for s in cast.scenes if s.key == "c" and s.report)
    with cast.stage.busy("restoring alice"):
        scene.alerted = time.time()
        outcomes = restore(cast.responder, containment, by="ida", reason="the drill is over")
    scene.outcomes = tuple(o for o in outcomes if o.status is not Status.REFUSED)
    cast.stage.outcomes(scene.outcomes, scene.alerted)
    ended = len(outcomes) - len(scene.outcomes)
    cast.note(scene, f"{ended} steps have no undo: ended sessions, tokens and passwords stay ended")
    failed = [o for o in outcomes if o.status in (Status.FAILED, Status.UNKNOWN)]
    cast.check(scene, f"{len(scene.outcomes)} steps undone and read back, none failed", not failed)
    ways: Dict[str, bool] = Attacker(cast.world, person).works()
    signs_in = all(ways[f"{vendor} sign-in"] for vendor in ("okta", "entra", "cyberark", "vault"))
    cast.check(scene, "alice signs in everywhere again", signs_in)
    stolen = [name for name, on in ways.items() if on and "sign-in" not in name]
    cast.check(scene, "what was stolen stays dead", not stolen)
    scene.done = "Everything that was changed is put back and read back; what was stolen stays dead"
    chain = next(s for s in cast.scenes if s.key == "c")
    chain.next = [task for task in chain.next if task.now]  # the rest ended with the restore


def _lift_suspension(cast: Cast, user: str) -> None:
    """With an administrator's stolen API token: active again, and out of quarantine."""
    admin = cast.world.okta.add_user("admin@corp.example")
    cast.world.okta.add_role(admin, "SUPER_ADMIN")
    headers = {"Authorization": f"SSWS {cast.world.okta.add_api_token(admin)}"}
    url = f"{cast.world.okta.url}/api/v1"
    group = f"{url}/groups/{cast.world.okta_group}/users/{user}"
    with requests.Session() as session:
        session.trust_env = False
        session.post(f"{url}/users/{user}/lifecycle/unsuspend", headers=headers, timeout=5).raise_for_status()
        session.delete(group, headers=headers, timeout=5).raise_for_status()


def _tier(report: Report) -> Tier:
    return report.decision.tier if report.decision else Tier.OBSERVE
