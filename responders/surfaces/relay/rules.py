"""What a relay does at a vendor, and nothing else: calls by method and path template, with what may be in them.

The key of the requests is in Splunk, so this list is written against somebody who holds it. What takes away is let
through, as often as the hour's limit says. What gives is let through only to give back what this relay took away
itself: a user that it disabled, a member that it removed, with the same permissions. An answer holds the fields that
the actions read.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Tuple

from responders.surfaces.relay import cyberark_rules, vault_rules
from responders.surfaces.relay.rule import ALL, Broken, Rule
from responders.vendors.relay_wire import CALL, ITEMS, Ask

RULES: Mapping[str, Tuple[Rule, ...]] = {"cyberark": cyberark_rules.RULES, "vault": vault_rules.RULES}
_MOUNTED = ("/{}/", "/auth/{}/")
_NUMBERED = ("/API/Users/", "/API/UserGroups/")
_NUMBER = re.compile(r"[1-9][0-9]{0,18}\Z")
"""05 and 5 may be one user there: only one way of writing is taken, so that what is protected can't be written otherwise."""
_OWN_MOUNTS = ("sys", "auth", "identity", "cubbyhole", "token")


def rule_for(ask: Ask) -> Rule:
    """The rule of a request. Raises Broken for one that no action makes."""
    found = next(
        (
            rule
            for rule in RULES.get(ask.vendor, ())
            if (rule.what, rule.method, rule.template) == (ask.what, ask.method, ask.template)
        ),
        None,
    )
    if found is None:
        raise Broken(f"{ask.what} {ask.method[:10]} {ask.template[:80]} is no call that an action makes at {ask.vendor}")
    strange = sorted(set(ask.query or {}) - set(found.query))
    if strange:
        raise Broken(f"{found.template}: the query has {', '.join(strange)[:80]}")
    body = ask.body if ask.body is not None else {}
    if not isinstance(body, dict) or not set(body) <= set(found.body):
        raise Broken(f"{found.template}: the body has more than {', '.join(found.body) or 'nothing'}")
    if found.template.startswith(_NUMBERED) and "{}" in found.template and not _NUMBER.match(ask.ids[0] if ask.ids else ""):
        raise Broken(f"{found.template}: {ask.ids[:1]} is no number as CyberArk writes it")
    for number, text in enumerate(ask.ids):
        _sound(text, ask.vendor == "vault" and number == 0 and found.template.startswith(_MOUNTED))
    return found


def kept(rule: Rule, vendor: str, body: Any) -> Any:
    """The part of an answer that goes back."""
    if rule.changes:
        return None
    if vendor == "vault" and rule.what == CALL:
        data = body.get("data") if isinstance(body, dict) else None
        return {"data": _fields(data, rule.keep)} if isinstance(data, dict) else None
    if rule.what == ITEMS:
        return [_fields(item, rule.keep) for item in body]
    return _fields(body, rule.keep) if isinstance(body, dict) else None


def named(ask: Ask) -> List[str]:
    """Every id in a request: in its path, and the texts in its body."""
    return [*ask.ids, *(value for value in (ask.body or {}).values() if isinstance(value, str))]


def _fields(given: Mapping[str, Any], keep: Tuple[str, ...]) -> Dict[str, Any]:
    return dict(given) if keep == ALL else {name: given[name] for name in keep if name in given}


def _sound(text: str, mount: bool) -> None:
    """An id must stay one: a server may take an escaped slash for a slash, and then the path is another one."""
    parts = text.split("/") if mount else [text]
    if (
        text != text.strip()
        or any(part in ("", ".", "..") or set(part) & set("/\\?#%\0") for part in parts)
        or (mount and parts[0] in _OWN_MOUNTS)
    ):
        raise Broken(f"{text[:80]!r} can't be an id here")
