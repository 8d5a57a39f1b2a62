"""Puts an inventory into Elasticsearch: new contents in new indices, then both aliases moved in one request.

So neither a rule nor a responder ever meets half of one, or the accounts of one beside the identities of another.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, Iterator, List, Mapping, Tuple

from responders.content.elastic.mappings import LOOKUPS, mapping
from responders.content.elastic.query import ACCOUNTS
from responders.content.elastic.server import Server
from responders.content.elastic.stores import IDENTITIES, identities_index
from responders.elastic.ids import document_id
from responders.errors import BadInput
from responders.inventory.elasticsearch import ABOUT, STAMP
from responders.inventory.files import accounts_rows
from responders.inventory.lines import plain
from responders.inventory.resolve import Inventory


def push(server: Server, inventory: Inventory, *, accounts: str = ACCOUNTS, identities: str = IDENTITIES) -> Tuple[str, str]:
    """Fill new indices and move the aliases; their names. The old ones are deleted. Raises ElasticError, BadInput."""
    stamp = f"{datetime.now(timezone.utc):{STAMP}}"
    made = (f"{accounts}-{stamp}", f"{identities}-{stamp}")
    columns = LOOKUPS[ACCOUNTS]
    server.create(made[0], mapping(columns), lookup=True)
    server.call("PUT", f"/{made[1]}", identities_index())
    rows = accounts_rows(inventory)
    server.bulk((made[0], document_id(row["tq_account"]), {n: row[n] for n in columns if row.get(n)}) for row in rows)
    server.bulk(_documents(made[1], inventory))
    for index, expected in zip(made, (len(rows), inventory.population + 1)):
        held = server.call("GET", f"/{index}/_count")["count"]
        if held != expected:
            remedy = "push again; what was there before is still in place"
            raise BadInput(f"holds {held} documents, not {expected}", place=index, remedy=remedy)
    old = {alias: _behind(server, alias) for alias in (accounts, identities)}
    moves: List[Dict[str, Any]] = [
        {"remove": {"index": index, "alias": alias}} for alias, found in old.items() for index in found
    ]
    moves += [{"add": {"index": index, "alias": alias}} for index, alias in zip(made, (accounts, identities))]
    server.call("POST", "/_aliases", {"actions": moves})
    server.delete([index for found in old.values() for index in found])
    return made


def _documents(index: str, inventory: Inventory) -> Iterator[Tuple[str, str, Mapping[str, Any]]]:
    aliases: Dict[str, List[str]] = {}
    for alias, name in inventory.aliases.items():
        aliases.setdefault(name, []).append(alias)
    for identity in inventory.identities:
        keys = [account.key for account in identity.accounts] + aliases.get(identity.id, [])
        yield index, document_id(identity.id), {"keys": sorted(set(keys)), "identity": plain(identity)}
    about = {
        "population": inventory.population,
        "restorers": sorted(inventory.restorers),
        "break_glass": sorted(inventory.break_glass),
    }
    yield index, ABOUT, {"about": about}


def _behind(server: Server, alias: str) -> List[str]:
    found = server.call("GET", f"/_resolve/index/{alias}", query={"ignore_unavailable": "true"}).get("aliases") or []
    return [name for entry in found for name in entry["indices"]]
