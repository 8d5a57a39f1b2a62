"""What the rules need on a server beside the integrations: the schema index and the lookups."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Dict, Iterable, List, Mapping, Sequence

from responders.content.elastic.mappings import LOOKUPS, document_id, mapping, schema_fields
from responders.content.elastic.query import ACCOUNTS, SCHEMA, SEEN, WATCH
from responders.content.elastic.server import Server


def set_up(server: Server, accounts: Sequence[Mapping[str, str]] = ()) -> List[str]:
    """Create what is absent, and fill the accounts lookup if any are given; what was done, one line each.

    `tourniquet-schema` is an empty index that maps each field the rules use, so that a source nobody has is no error.
    The lookups stand behind aliases: new contents go into a new index and the alias is moved in one step.
    """
    done: List[str] = []
    if server.create(SCHEMA, mapping(schema_fields())):
        done.append(f"created {SCHEMA}")
    else:
        server.call("PUT", f"/{SCHEMA}/_mapping", mapping(schema_fields()))
        done.append(f"updated {SCHEMA}")
    for name in (ACCOUNTS, WATCH, SEEN):
        if not server.call("GET", f"/_resolve/index/{name}", query={"ignore_unavailable": "true"}).get("aliases"):
            fill_lookup(server, name, name, ())
            done.append(f"created {name}, empty")
    if accounts:
        fill_lookup(server, ACCOUNTS, ACCOUNTS, accounts)
        done.append(f"filled {ACCOUNTS}: {len(accounts)} accounts")
    return done


def fill_lookup(server: Server, kind: str, alias: str, rows: Iterable[Mapping[str, str]]) -> str:
    """Put rows into a new lookup index, move the alias to it in one step, and delete the old one; its name.

    `kind` is one of LOOKUPS. A second row for the key of a first would multiply findings, so the key is the document's id.
    """
    columns = LOOKUPS[kind]
    key = next(iter(columns))
    index = f"{alias}-{datetime.now(timezone.utc):%Y%m%d%H%M%S%f}"
    server.create(index, mapping(columns), lookup=True)
    server.bulk((index, document_id(row[key]), {name: row[name] for name in columns if row.get(name)}) for row in rows)
    old = _behind(server, alias)
    moves: List[Dict[str, Dict[str, str]]] = [{"remove": {"index": name, "alias": alias}} for name in old]
    server.call("POST", "/_aliases", {"actions": [*moves, {"add": {"index": index, "alias": alias}}]})
    server.delete(old)
    return index


def _behind(server: Server, alias: str) -> List[str]:
    found = server.call("GET", f"/_resolve/index/{alias}", query={"ignore_unavailable": "true"}).get("aliases") or []
    return [name for entry in found for name in entry["indices"]]
