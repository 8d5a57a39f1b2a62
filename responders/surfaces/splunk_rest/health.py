"""GET health: whether the app can work here: KV store, settings, journal, halt, what is due, searches, policy."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from responders import __version__
from responders.containment import due
from responders.errors import BadInputs, TourniquetError
from responders.surfaces import splunk_settings
from responders.surfaces.splunk_rest import macros, relays, searches, stores
from responders.surfaces.splunk_rest.context import Context
from responders.vendors.relay import RelayClient


def get(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """Each part by itself: one that can't be read is named with its remedy, and hides no other."""
    found: Dict[str, Any] = {"version": __version__, "problems": []}
    parts: Mapping[str, Callable[[Context], Any]] = {
        "kvstore": _kvstore, "index": _index, "connections": _connections, "policy": _policy, "halted": _halted, "due": _due,
        "searches": _searches,
    }  # fmt: skip
    for name, part in parts.items():
        try:
            found[name] = part(context)
        except BadInputs as error:
            found[name] = None
            found["problems"] += [f"{name}: {one}" for one in error.errors]
        except TourniquetError as error:
            found[name] = None
            found["problems"].append(f"{name}: {error}")
    found["problems"] += _shared(found["index"])
    found["problems"] += _away(found["connections"] or [])
    found["problems"] += _deaf((found["searches"] or {}).get("unread", {}))
    found["problems"] = _once(found["problems"])
    return found


def _once(problems: List[str]) -> List[str]:
    """Parts that need the responder all say the same when it can't be opened."""
    seen: Dict[str, str] = {}
    for text in problems:
        seen.setdefault(text.partition(": ")[2], text)
    return list(seen.values())


def _kvstore(context: Context) -> str:
    return str(context.splunkd.entries("kvstore", "status", app="search")[0]["content"]["current"]["status"])


def _index(context: Context) -> Mapping[str, str]:
    """Where our events go, and where the searches look for them."""
    general = stores.stanzas(context.splunkd, splunk_settings.SETTINGS).get("general", {})
    macro = stores.stanzas(context.splunkd, "macros").get(macros.OWN_INDEX, {})
    return {"name": general.get("index", "main"), "searched": str(macro.get("definition", ""))}


def _shared(index: Optional[Mapping[str, str]]) -> List[str]:
    """A signal of somebody else's making counts like ours: it must come from nowhere that others may write."""
    if index is None:
        return []
    found = []
    if index["name"] == "main":
        found.append("index: the app's own events go to main, where others write too. Make an index of its own, and name it")
    if macros.values(index["searched"]) != [index["name"]]:
        what = f"index: macro {macros.OWN_INDEX} is {index['searched'][:80]}, and the app's events go to {index['name']}"
        found.append(f"{what}. Save the index once more on the setup page")
    return found


def _connections(context: Context) -> List[Mapping[str, Any]]:
    """`relay` and who was seen of it in the last minute stand where a relay speaks for the vendor."""
    found: List[Mapping[str, Any]] = []
    for client in context.responder.clients.all():
        one: Dict[str, Any] = {"vendor": client.vendor, "tenant": client.tenant}
        if isinstance(client, RelayClient):
            one.update(relays.shown(context.splunkd, client.relay))
        found.append(one)
    return found


def _away(connections: List[Mapping[str, Any]]) -> List[str]:
    gone = sorted({one["relay"] for one in connections if one.get("relay") and not one["relay_seen"]})
    return [
        f"connections: relay {name} has not asked for work within the last minute. Start it: docs/relay.md" for name in gone
    ]


def _policy(context: Context) -> str:
    return context.responder.policy.version


def _halted(context: Context) -> str:
    return context.responder.halted()


def _due(context: Context) -> Mapping[str, Any]:
    pending = list(due.pending(context.responder.journal, context.responder.now()))
    oldest = min((item.at for item in pending), default=None)
    return {"overdue": len(pending), "oldest": oldest.isoformat() if oldest else None}


def _searches(context: Context) -> Mapping[str, Any]:
    """`unread` are the detections that run and read nothing."""
    found = searches.all_of(context)
    running = {item["detection"] for item in found if item["enabled"]}
    unread = {name: logs for name, logs in searches.unread(context).items() if name in running}
    return {"enabled": sum(item["enabled"] for item in found), "total": len(found), "unread": unread}


def _deaf(unread: Mapping[str, List[str]]) -> List[str]:
    return (
        [f"searches: detections that run and read nothing: {len(unread)}, for {searches.no_index(unread)}"] if unread else []
    )
