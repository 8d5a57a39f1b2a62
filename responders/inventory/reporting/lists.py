"""Every list of the report in full, as CSV files that a spreadsheet or a lookup of a SIEM can read."""

from __future__ import annotations

import csv
import io
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Tuple

from responders.escalation.words import clean
from responders.inventory.reporting.coverage import Coverage, Finding, Secret, Who

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A cell that begins so is run by a spreadsheet, the full-width ones too. Source: OWASP, "CSV Injection"."""
Row = Dict[str, Any]


def lists(found: Coverage) -> Iterator[Tuple[str, str]]:
    """Name and text of each file."""
    yield (
        "unmapped.csv",
        _csv(
            ("account", "name", "rows", "last", "listed"),
            ({**_who(u.who, "account"), "rows": u.seen, "last": u.last, "listed": _flag(u.listed)} for u in found.unmapped),
        ),
    )
    yield (
        "without_owner.csv",
        _csv(
            ("identity", "name", "kind", "criticality"),
            ({**_who(i.who), "kind": i.kind, "criticality": i.criticality} for i in found.no_owner),
        ),
    )
    yield "secrets.csv", _secrets(found.secrets)
    yield "without_secret.csv", _secrets(found.unsecret)
    yield "shared.csv", _csv(
        ("what", "vendor", "credentials", "names", "users", "kinds", "some_users"),
        ({"what": s.what, "vendor": s.vendor, "credentials": s.count, "names": s.names, "users": s.people,
          "kinds": tuple(f"{count} {kind}" for kind, count in s.kinds), "some_users": s.users} for s in found.shared),
    )  # fmt: skip
    for name, findings in (
        ("services_used_by_people", found.people_on_services), ("people_used_by_machines", found.machines_on_people),
        ("admin_rights", found.admins), ("eligible_rights", found.eligible), ("seen_in_use", found.in_use),
    ):  # fmt: skip
        yield f"{name}.csv", _findings(findings)
    breaks = (
        {**_who(b.who), "kind": b.kind, "owner": b.owner, "direct": b.direct, "further": b.further, "people": b.people}
        for b in found.breaks
    )
    yield "what_breaks.csv", _csv(("identity", "name", "kind", "owner", "direct", "further", "people"), breaks)
    yield "vendors.csv", _csv(
        ("vendor", "accounts", "identities", "unmapped", "without_owner", "secrets", "old_secrets", "shared",
         "used_by_people", "admins"),
        ({"vendor": v.place, "accounts": v.accounts, "identities": v.identities, "unmapped": v.unmapped,
          "without_owner": v.no_owner, "secrets": v.secrets, "old_secrets": v.old_secrets, "shared": v.shared,
          "used_by_people": v.people_on_services, "admins": v.admins} for v in found.vendors),
    )  # fmt: skip


def _secrets(secrets: Sequence[Secret]) -> str:
    return _csv(
        ("identity", "name", "vendor", "what", "credential", "since", "days", "expires", "managed"),
        ({**_who(s.who), "vendor": s.vendor, "what": s.what, "credential": s.name, "since": s.since,
          "days": "" if s.days is None else s.days, "expires": s.expires,
          "managed": "" if s.managed is None else _flag(s.managed)} for s in secrets),
    )  # fmt: skip


def _findings(findings: Sequence[Finding]) -> str:
    rows = ({**_who(f.who), "kind": f.kind, "why": f.why, "vendors": f.vendors} for f in findings)
    return _csv(("identity", "name", "kind", "why", "vendors"), rows)


def _who(who: Who, column: str = "identity") -> Row:
    return {column: who.id, "name": who.name}


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _csv(columns: Sequence[str], rows: Iterable[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[name]) for name in columns] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> str:
    """Text that nothing runs: control characters are shown, and a formula is quoted. Lists are separated by `; `."""
    if isinstance(value, int):
        return str(value)
    parts: List[str] = [str(part) for part in value] if isinstance(value, tuple) else [str(value)]
    shown = "; ".join(map(clean, parts))
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
