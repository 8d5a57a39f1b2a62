"""What a relay does at CyberArk: the calls of responders/actions/cyberark and of the readiness check."""

from __future__ import annotations

import json
from typing import Any, Mapping, Tuple

from responders.surfaces.relay.rule import Broken, Job, Passed, Rule, change, key_of
from responders.vendors.relay_wire import CALL, ITEMS, Ask


def _disable(job: Job) -> Passed:
    key, user = _user(job.ask), job.client.call("GET", "/API/Users/{}", ids=job.ask.ids).body
    if isinstance(user, Mapping):
        job.spared(str(user.get("username", "")))
    if not isinstance(user, Mapping) or user.get("enableUser") is not True or job.state.taken(key) is not None:
        return Passed(job.ask.body)  # disabled by somebody else: that is not ours to undo
    job.state.take(key)  # before it is done: a crash in between must not leave a user that nobody enables again
    return Passed(job.ask.body, refused=lambda: job.state.gave_back(key))


def _user(ask: Ask) -> str:
    return key_of(ask, "user", *ask.ids)


def _session(ask: Ask) -> str:
    return key_of(ask, "session", *ask.ids)


def _membership(ask: Ask) -> str:
    return key_of(ask, "group", *ask.ids, str((ask.body or {}).get("memberId", "")))


def _safe_membership(ask: Ask) -> str:
    return key_of(ask, "safe", *ask.ids, str((ask.body or {}).get("memberName", "")))


def _enable(job: Job) -> Passed:
    key = _user(job.ask)
    job.must_be_taken(key, f"disabling user {job.ask.ids[0]}")
    return Passed(job.ask.body, done=lambda: job.state.gave_back(key))


def _suspend(job: Job) -> Passed:
    return Passed(job.ask.body, done=lambda: job.state.take(_session(job.ask)))


def _resume(job: Job) -> Passed:
    key = _session(job.ask)
    job.must_be_taken(key, f"suspending session {job.ask.ids[0]}")
    return Passed(job.ask.body, done=lambda: job.state.gave_back(key))


def _leave_group(job: Job) -> Passed:
    # Only once it succeeded: PVWA answers 404 for somebody who is no member.
    return Passed(job.ask.body, done=lambda: job.state.take(job.key("group", *job.ask.ids)))


def _join_group(job: Job) -> Passed:
    body: Mapping[str, Any] = job.ask.body or {}
    if body.get("memberType") != "vault":
        raise Broken("only members of type vault are put back")
    key = _membership(job.ask)
    job.must_be_taken(key, f"removing {str(body.get('memberId', ''))[:80]} from group {job.ask.ids[0]}")
    return Passed(job.ask.body, done=lambda: job.state.gave_back(key))


def _leave_safe(job: Job) -> Passed:
    safe, member = job.ask.ids
    found = [m for m in job.client.items("/API/Safes/{}/Members", ids=(safe,)) if m.get("memberName") == member]
    if not found:
        return Passed(job.ask.body)
    doc = _rights(found[0])
    return Passed(job.ask.body, done=lambda: job.state.take(job.key("safe", safe, member), doc))


def _join_safe(job: Job) -> Passed:
    body: Mapping[str, Any] = job.ask.body or {}
    safe, member = job.ask.ids[0], str(body.get("memberName", ""))
    key = _safe_membership(job.ask)
    before = job.must_be_taken(key, f"removing {member[:80]} from safe {safe}")
    if _rights(body) != before:
        raise Broken(f"{member[:80]} had other permissions in safe {safe} when this relay removed it")
    return Passed(job.ask.body, done=lambda: job.state.gave_back(key))


def _rights(member: Mapping[str, Any]) -> str:
    return json.dumps({key: member[key] for key in ("memberType", "permissions") if key in member}, sort_keys=True)


_USER = ("id", "username", "enableUser", "vaultAuthorization", "groupsMembership")
RULES: Tuple[Rule, ...] = (
    Rule(CALL, "GET", "/API/Users/{}", keep=_USER),
    Rule(ITEMS, "GET", "/API/Users", keep=_USER[:4], query=("ExtendedDetails",)),
    Rule(ITEMS, "GET", "/API/LiveSessions", keep=("SessionID", "User", "IsSuspended")),
    Rule(CALL, "GET", "/API/Accounts/{}", keep=("secretManagement",)),
    Rule(ITEMS, "GET", "/API/Safes", keep=("safeUrlId",)),
    Rule(ITEMS, "GET", "/API/Safes/{}/Members", keep=("memberName", "memberType", "permissions")),
    change("POST", "/API/Users/{}/disable/", guard=_disable),
    change("POST", "/API/Users/{}/enable/", guard=_enable, gives=_user),
    change("POST", "/API/LiveSessions/{}/Suspend", guard=_suspend),
    change("POST", "/API/LiveSessions/{}/Resume", guard=_resume, gives=_session),
    change("POST", "/API/LiveSessions/{}/Terminate"),
    change("POST", "/API/Accounts/{}/Change"),
    change("POST", "/API/Accounts/{}/Reconcile"),
    change("DELETE", "/API/Users/Secret/SSHKeys/ClearCache"),
    change("DELETE", "/API/UserGroups/{}/members/{}/", guard=_leave_group),
    change("POST", "/API/UserGroups/{}/Members", body=("memberId", "memberType"), guard=_join_group, gives=_membership),
    change("DELETE", "/API/Safes/{}/Members/{}/", guard=_leave_safe),
    change(
        "POST",
        "/API/Safes/{}/Members",
        body=("memberName", "memberType", "permissions"),
        guard=_join_safe,
        gives=_safe_membership,
    ),
)
