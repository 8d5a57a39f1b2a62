"""Searches: which detections run. A detection and its late twin go together: one without the other loses events.

A detection whose logs have no index yet is not switched on: it would find nothing, and look as if all were quiet.
"""

from __future__ import annotations

import threading
from typing import Any, Dict, List, Mapping, Sequence, Set, Tuple

from responders.surfaces.assemble import read_catalogue
from responders.surfaces.splunk_rest import macros, stores
from responders.surfaces.splunk_rest.context import Context
from responders.surfaces.splunk_rest.fields import Fields
from responders.surfaces.splunk_rest.wire import Status

PREFIX = "Tourniquet - "
LATE = " - late"
_TIERS = ("observe", "restrict", "revoke")
_LOCK = threading.Lock()
_NAMED = 10
"""Searches that are named when people are told."""


def get(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """Every search of the app, detections with their id, source and highest tier.

    `unread` of a detection: the logs that it reads, where no index is named of any of them.
    """
    left = unread(context)
    return {"searches": [{**item, "unread": left.get(item["detection"], [])} for item in all_of(context)]}


def post(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """{"enable": true or false} with one of `detections` (ids), `source`, `tier`, or `upkeep`: true for all others.

    Switching detections on switches the upkeep on with them: without the watch list correlations find nothing. `unread` of
    the answer are those that were left off, with their logs. Raises Status 409 when that would be all of them.
    """
    fields = Fields(context.request.body(), ("enable", "detections", "source", "tier", "upkeep"))
    enable = fields.flag("enable")
    if enable is None and not any(error.place.endswith("enable") for error in fields.errors):
        fields.error("enable", "is missing", "send true or false")
    known = read_catalogue()
    ids = [item for item in fields.items("detections", most=len(known) + 1) if isinstance(item, str)]
    for name in ids:
        if name not in known:
            fields.error("detections", f"there is no detection {name[:80]!r}", "GET searches lists them")
    source, tier = fields.text("source"), fields.choice("tier", _TIERS)
    if source and not any(name.startswith(f"{source}/") for name in known):
        fields.error("source", f"{source[:40]!r} is unknown", f"use one of {', '.join(sorted(_sources(known)))}")
    upkeep = fields.flag("upkeep")
    if sum(map(bool, (ids, source, tier, upkeep))) != 1:
        fields.error("", "names not exactly one group", "give detections, source, tier, or upkeep")
    fields.done()
    wanted = {
        name for name, about in known.items()
        if name in ids or (source and name.startswith(f"{source}/")) or (tier and about.get("max_tier") == tier)
    }  # fmt: skip
    left = {name: logs for name, logs in unread(context).items() if name in wanted} if enable else {}
    wanted -= set(left)
    if left and not wanted:
        raise Status(409, f"nothing is switched on: {no_index(left)}")
    context.audit("searches", enable=bool(enable), detections=sorted(wanted), upkeep=bool(upkeep))
    changed: List[str] = []
    with _LOCK:
        for item in all_of(context):
            others = item["scheduled"] and bool(upkeep or (enable and wanted))  # those that seed are run by hand
            mine = item["detection"] in wanted if item["detection"] else others
            if mine and item["enabled"] != enable:
                context.splunkd.post("saved", "searches", item["name"], form={"disabled": "0" if enable else "1"})
                changed.append(item["name"])
    if changed and not enable:
        names = ", ".join(name[len(PREFIX) :] for name in changed[:_NAMED])
        context.tell(f"{len(changed)} searches were switched off: {names}{', …' if len(changed) > _NAMED else ''}")
    return {"enabled" if enable else "disabled": changed, "unread": left}


def unread(context: Context) -> Dict[str, List[str]]:
    """Detections that would read nothing, with the titles of their logs."""
    return macros.unread(context.app_home, stores.stanzas(context.splunkd, "macros"))


def no_index(left: Mapping[str, Sequence[str]]) -> str:
    """Which logs have no index, as a sentence with its remedy."""
    logs = ", ".join(sorted({title for titles in left.values() for title in titles}))
    return f"no index is named for {logs}. Name it on the setup page, section Sources"


def all_of(context: Context) -> List[Dict[str, Any]]:
    """The app's saved searches."""
    known = {str(about["name"]): (name, about) for name, about in read_catalogue().items()}
    found: List[Dict[str, Any]] = []
    for entry in context.splunkd.entries("saved", "searches"):
        name = str(entry["name"])
        acl = entry.get("acl") or {}
        if not name.startswith(PREFIX) or acl.get("app", context.splunkd.app) != context.splunkd.app:
            continue
        title = name[len(PREFIX) :]
        late = title.endswith(LATE)
        ident, about = known.get(title[: -len(LATE)] if late else title, ("", {}))
        content = entry.get("content") or {}
        scheduled = _true(content.get("is_scheduled", content.get("enableSched", "0")))
        found.append(
            {
                "name": name,
                "enabled": scheduled and not _true(content.get("disabled", "0")),
                "detection": ident,
                "late": late,
                "source": ident.partition("/")[0],
                "tier": str(about.get("max_tier", "")),
                "cron": str(content.get("cron_schedule", "")),
                "scheduled": scheduled,
            }
        )
    return found


def _true(value: Any) -> bool:
    return str(value).lower() in ("1", "true")


def _sources(known: Mapping[str, Any]) -> Set[str]:
    return {name.partition("/")[0] for name in known}
