"""The inventory from a CSV or YAML file, with every error of the file at once, each with file and line."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from responders.errors import BadInput, BadInputs, BadInventory
from responders.inventory.resolve import Inventory
from responders.model import Account, Identity
from responders.yaml_source import parse

COLUMNS = (
    "id", "kind", "owner", "criticality", "environment", "protected", "break_glass", "shared", "can_restore",
    "dependents", "accounts", "aliases", "canary",
)  # fmt: skip
_NEEDED = ("id", "kind", "accounts")
KINDS = ("human", "service", "agent")
CRITICALITIES = ("low", "normal", "high", "privileged")
ENVIRONMENTS = ("production", "non-production")
MASTERED = ("cloud", "ad", "federated", "guest")
ACCOUNT_KINDS: Mapping[str, Tuple[str, ...]] = {
    "okta": ("user", "app", "ai_agent"),
    "entra": ("user", "service_principal", "application"),
    "cyberark": ("user", "application"),
    "vault": ("entity", "approle", "userpass"),
}
"""Kinds of accounts that the four vendors have; the first is the usual one."""
MOST_ACCOUNTS = 200
"""Of one identity: the blast radius counts identities, and containing one takes all its accounts."""
_MOST_ERRORS = 1000
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffd\ud800-\udfff]")
"""Control characters, and what nobody sees or what turns a line: two names that look alike must be one name."""
_ACCOUNT = re.compile(r"(?P<vendor>[a-z][a-z0-9_]*):(?P<tenant>[^:]+):(?P<id>.+)\Z")
_PATH = re.compile(r"(?:^|[/\\])\.{1,2}(?:[/\\]|\Z)|%[0-9A-Fa-f]{2}|\?")
"""What walks a path or opens a query: no id of the vendors holds it."""
_FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet would run: the lookup table is opened in one sooner or later."""
_FLAGS = {"true": True, "yes": True, "false": False, "no": False, "": False}


@dataclass(frozen=True)
class Row:
    """One identity as the file has it: text by column, lists as tuples, and where it stands."""

    place: str
    values: Mapping[str, Any]


def read_inventory(text: str, name: str) -> Inventory:
    """Read CSV (by the name's ending) or YAML. Raises BadInputs.

    In CSV, lists are separated by `;`. An account is `vendor:tenant:id`, optionally followed by `|kind` and
    `|mastered`; in YAML it may be a mapping with the keys account, kind and mastered. Two rows that claim the same
    account or alias are an error that names both places.
    """
    errors: List[BadInput] = []
    text = text[1:] if text.startswith("\ufeff") else text
    rows = _csv_rows(text, name, errors) if name.lower().endswith(".csv") else _yaml_rows(text, name, errors)
    identities: List[Identity] = []
    aliases: Dict[str, str] = {}
    claims: Dict[str, str] = {}
    names: Dict[str, str] = {}
    restorers: List[str] = []
    for row in rows:
        reader = _Row(row, errors)
        identity, also = reader.identity(), reader.aliases()
        if identity.id in names:
            reader.error("id", f"{identity.id!r} stands already at {names[identity.id]}", "merge the two rows")
        elif identity.id:
            names[identity.id] = row.place
        for key in [*(account.key for account in identity.accounts), *also]:
            if key in claims:
                reader.error("accounts", f"{key} is claimed at {claims[key]} already", "give it to one identity only")
            claims.setdefault(key, row.place)
        aliases.update(dict.fromkeys(also, identity.id))
        reader.canary(identity)
        if reader.flag("can_restore"):
            restorers.append(identity.id)
        identities.append(identity)
        if len(errors) > _MOST_ERRORS:
            del errors[_MOST_ERRORS:]
            errors.append(_bad(row.place, f"there are more errors: only the first {_MOST_ERRORS} are told", "correct these"))
            break
    if errors:
        raise BadInputs(errors)
    return Inventory(identities, aliases, frozenset(restorers))


def _csv_rows(text: str, name: str, errors: List[BadInput]) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = list(reader.fieldnames or [])
        known = f"the columns are {', '.join(COLUMNS)}"
        if len(columns) == 1 and any(mark in columns[0] for mark in ";\t|"):
            errors.append(_bad(f"{name}:1", "the columns are not separated by commas", f"save it with commas; {known}"))
            return
        errors.extend(_bad(f"{name}:1", f"unknown column {c!r}", known) for c in columns if c not in COLUMNS)
        twice = sorted({c for c in columns if columns.count(c) > 1})
        errors.extend(_bad(f"{name}:1", f"column {c!r} stands twice", "keep one of them") for c in twice)
        missing = [c for c in _NEEDED if c not in columns]
        errors.extend(_bad(f"{name}:1", f"there is no column {c!r}", known) for c in missing)
        if missing:
            return
        for row in reader:
            place = f"{name}:{reader.line_num}"
            if None in row or None in row.values():
                errors.append(_bad(place, f"has not {len(columns)} fields", "one for each column of line 1"))
                continue
            yield Row(place, {str(key): value for key, value in row.items()})
    except csv.Error as error:
        errors.append(_bad(f"{name}:{reader.line_num}", f"not CSV: {error}", "correct the line"))


def _yaml_rows(text: str, name: str, errors: List[BadInput]) -> Iterator[Row]:
    source = parse(text, name)
    errors.extend(_bad(f"{name}:{line}", what, "correct the file") for line, what in source.problems)
    value = source.value
    entries = value.get("identities") if isinstance(value, dict) else None
    strange = [key for key in value if key != "identities"] if isinstance(value, dict) else []
    errors.extend(_bad(source.place((key,)), f"unknown key {key!r}", "the only key is identities") for key in strange)
    if not isinstance(entries, list):
        if not errors:
            errors.append(_bad(f"{name}:1", "has no list `identities`", "see docs/inventory.md"))
        return
    for place, entry in enumerate(entries):
        where = source.place(("identities", place))
        if not isinstance(entry, dict):
            errors.append(_bad(where, "is no mapping", "see docs/inventory.md"))
            continue
        for key in entry:
            if key not in COLUMNS:
                line = source.place(("identities", place, key))
                errors.append(_bad(line, f"unknown key {key!r}", f"the keys are {', '.join(COLUMNS)}"))
        yield Row(where, entry)


class _Row:
    """Reads one row, noting its errors."""

    def __init__(self, row: Row, errors: List[BadInput]) -> None:
        self.row, self.errors = row, errors

    def error(self, column: str, what: str, remedy: str) -> None:
        self.errors.append(_bad(self.row.place, f"{column}: {what}", remedy))

    def identity(self) -> Identity:
        """The row's identity; what is wrong in it is among the errors then."""
        name = self.text("id")
        if not name:
            self.error("id", "is empty", "give the identity an id")
        return Identity(
            id=name,
            kind=self.one_of("kind", KINDS, ""),
            owner=self.text("owner") or None,
            criticality=self.one_of("criticality", CRITICALITIES, "normal"),
            environment=self.one_of("environment", ENVIRONMENTS, "production"),
            protected=self.flag("protected"),
            accounts=self.accounts(),
            dependents=self.many("dependents"),
            shared=self.flag("shared"),
            break_glass=self.flag("break_glass"),
            canary=self.flag("canary"),
        )

    def canary(self, identity: Identity) -> None:
        """A canary is taken out every hour: it must be nobody whom that hurts."""
        hurts = {
            "privileged": identity.privileged, "protected": identity.protected, "break_glass": identity.break_glass,
            "shared": identity.shared, "can_restore": self.flag("can_restore"), "depended upon": bool(identity.dependents),
        }  # fmt: skip
        found = [name for name, holds in hurts.items() if holds]
        if identity.canary and identity.doubled:
            what = f"{identity.id!r} has two accounts of one kind at one place: one of them is somebody else's"
            self.error("canary", what, "name one account of each kind")
        if identity.canary and found:
            self.error("canary", f"{identity.id!r} is {' and '.join(found)} too", "mark an identity made for drills only")

    def text(self, column: str) -> str:
        value = self.row.values.get(column)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.error(column, "must be text", "quote it: YAML would turn it into something else")
            return ""
        text = value.strip()
        if _HIDDEN.search(text) or len(text) > 1024:
            self.error(column, "holds control or hidden characters, or is over-long", "correct it")
            return ""
        self.formula(column, text)
        return text

    def formula(self, column: str, text: str) -> None:
        if text.startswith(_FORMULA):
            self.error(column, f"{text[:40]!r} looks like a formula", "begin it with a letter or a digit")

    def one_of(self, column: str, allowed: Sequence[str], default: str) -> str:
        text = self.text(column) or default
        if text not in allowed:
            self.error(column, f"{text!r} is unknown", f"use one of {', '.join(allowed)}")
        return text

    def flag(self, column: str) -> bool:
        value = self.row.values.get(column)
        if isinstance(value, bool):
            return value
        text = self.text(column).lower()
        if text not in _FLAGS:
            self.error(column, f"{text!r} is neither true nor false", "use true or false")
        return _FLAGS.get(text, False)

    def many(self, column: str) -> Tuple[str, ...]:
        value = self.row.values.get(column)
        if value is None or value == "":
            return ()
        if not isinstance(value, (str, list)):
            self.error(column, "must be a list", "correct it")
            return ()
        found = []
        for item in value if isinstance(value, list) else value.split(";"):
            text = item.strip() if isinstance(item, str) else ""
            if not text or _HIDDEN.search(text) or len(text) > 1024:
                self.error(column, "holds an empty, over-long or unclean entry", "correct it")
            else:
                self.formula(column, text)
                found.append(text)
        return tuple(found)

    def aliases(self) -> Tuple[str, ...]:
        """Exact alternative keys, `vendor:tenant:name` each."""
        found = self.many("aliases")
        for alias in found:
            if not _ACCOUNT.match(alias):
                self.error("aliases", f"{alias!r} is not vendor:tenant:name", "correct it")
        return found

    def accounts(self) -> Tuple[Account, ...]:
        value = self.row.values.get("accounts")
        if value is not None and not isinstance(value, (str, list)):
            self.error("accounts", "must be a list", "give vendor:tenant:id entries")
            return ()
        items: List[Any] = value if isinstance(value, list) else [p for p in (value or "").split(";") if p.strip()]
        found = [account for item in items for account in [self.account(item)] if account is not None]
        if not items:
            self.error("accounts", "is empty", "give at least one vendor:tenant:id")
        if len(items) > MOST_ACCOUNTS:
            self.error("accounts", f"{len(items)} accounts, and all go with any of them", f"give {MOST_ACCOUNTS} at most")
        return tuple(found)

    def account(self, item: Any) -> Optional[Account]:
        if isinstance(item, dict):
            parts = [item.get(name) or "" for name in ("account", "kind", "mastered")]
            if set(item) - {"account", "kind", "mastered"} or not all(isinstance(part, str) for part in parts[1:]):
                self.error("accounts", "an entry needs account, kind and mastered only", "correct it")
                return None
        else:
            parts = [*str(item).strip().split("|"), "", ""]
            parts = parts[:3] if not any(parts[3:]) else [item]
        match = _ACCOUNT.match(str(parts[0]))
        if match is None or len(parts) < 3 or _HIDDEN.search(parts[0]) or len(parts[0]) > 1024:
            self.error("accounts", f"{str(parts[0])[:80]!r} is not vendor:tenant:id|kind|mastered", "correct it")
            return None
        if any(part != part.strip() for part in match.groups()):
            self.error("accounts", f"{parts[0][:80]!r} holds white space around a part", "ids match exactly: remove it")
            return None
        if _PATH.search(match["id"]):
            self.error("accounts", f"{parts[0][:80]!r} holds a path trick", "give the vendor's own id")
            return None
        if match["vendor"] == "entra" and match["id"] != match["id"].lower():
            self.error(
                "accounts", f"{parts[0][:80]!r} has capitals", "Graph and its logs write ids in lower case: so must you"
            )
            return None
        usual = ACCOUNT_KINDS.get(match["vendor"], ())
        kind = parts[1] or (usual[0] if usual else "user")
        if usual and kind not in usual:
            self.error("accounts", f"kind {kind[:40]!r} is unknown", f"of {match['vendor']} use one of {', '.join(usual)}")
        mastered = parts[2] or "cloud"
        if mastered not in MASTERED:
            self.error("accounts", f"mastered {mastered!r} is unknown", f"use one of {', '.join(MASTERED)}")
        return Account(match["vendor"], match["tenant"], kind, match["id"], mastered)


def accounts_rows(inventory: Inventory) -> List[Dict[str, str]]:
    """The rows of the SIEM's lookup table: one an account or alias; one that two identities claim is ambiguous."""
    rows: Dict[str, Dict[str, str]] = {}
    aliases: Dict[str, List[str]] = {}
    for alias, name in inventory.aliases.items():
        aliases.setdefault(name, []).append(alias)
    for identity in inventory.identities:
        for key in [*(account.key for account in identity.accounts), *aliases.get(identity.id, ())]:
            if key in rows:
                rows[key]["tq_ambiguous"] = "true"
                continue
            rows[key] = {
                "tq_account": key,
                "tq_identity": identity.id,
                "tq_kind": identity.kind,
                "tq_criticality": identity.criticality,
                "tq_environment": identity.environment,
                "tq_break_glass": "true" if identity.break_glass else "false",
                "tq_ambiguous": "false",
            }
    return [rows[key] for key in sorted(rows)]


def _bad(place: str, what: str, remedy: str) -> BadInventory:
    return BadInventory(what, place=place, remedy=remedy)
