"""One day's use of one thing by one account, as logs show it, made of what the questions of content/usage.py answer.

Names in logs are whatever an attacker wrote: they are cut, bounded and counted. They join no accounts and protect nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Iterable, Iterator, Mapping, Optional, Tuple

DAY = 86400
ACCOUNTS = ("app", "resource", "role")
"""Sorts of use whose object is the key of an account: whoever uses it stops when that account is taken out."""
THINGS = ("path", "object", "secret", "key", "scopes", "session")
"""Sorts whose object is a vendor's own name of a thing; `vendor:tenant:sort:object` is the key of it."""
VENDORS = ("okta", "entra", "cyberark", "vault", "aws")
_UNNAMED = ("okta", "cyberark", "vault")
"""Logs of these do not say of which tenant they are: the SIEM's own setting says it, or the one connection there is."""
_LONGEST = 300


@dataclass(frozen=True)
class Usage:
    """`account` used `object` so often on one day. `day` counts days of UTC since 1970; `first`, `last`: epoch seconds."""

    account: str
    what: str
    object: str
    day: int
    count: int
    first: float
    last: float


def usage_of(row: Mapping[str, Any]) -> Optional[Usage]:
    """A row of an answer, None when it is none: nothing in it is believed to have the form that it should have."""
    account, what = _text(row.get("tq_account")), str(row.get("tq_what", ""))
    name = _text(row.get("tq_object"))
    vendor, _, rest = account.partition(":")
    if vendor not in VENDORS or not all(rest.partition(":")[::2]) or what not in (*ACCOUNTS, *THINGS) or not name:
        return None
    if what in ACCOUNTS and name.count(":") < 2:
        return None
    if what == "scopes":
        name = " ".join(sorted(set(name.split())))
    try:
        first, last, count = float(row["tq_first"]), float(row["tq_last"]), int(float(row["tq_count"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if not 0 <= first <= last < 1e11 or not 1 <= count < 1e12 or int(first // DAY) != int(last // DAY):
        return None
    return Usage(account, what, name, int(last // DAY), count, first, last)


def added(uses: Iterable[Usage]) -> Iterator[Usage]:
    """Parts of one reading, each event in one of them, as one: a file that was read piece by piece."""
    found: dict[Tuple[str, str, str, int], Usage] = {}
    for use in uses:
        key = (use.account, use.what, use.object, use.day)
        known = found.get(key)
        if known is not None:
            use = replace(
                use, count=known.count + use.count, first=min(known.first, use.first), last=max(known.last, use.last)
            )
        found[key] = use
    yield from found.values()


def recent(uses: Iterable[Usage], now: float, keep_days: int) -> Iterator[Usage]:
    """Those of the days that are kept: a day to come would be kept for ever."""
    today = int(now // DAY)
    return (use for use in uses if today - keep_days < use.day <= today)


def of_tenants(uses: Iterable[Usage], tenants: Mapping[str, str]) -> Iterator[Usage]:
    """With the tenant of the settings: `tenants` gives a vendor's only one. What names no other one stays as it is."""
    for use in uses:
        name = _moved(use.object, tenants) if use.what in ACCOUNTS else use.object
        yield replace(use, account=_moved(use.account, tenants), object=name)


def _moved(key: str, tenants: Mapping[str, str]) -> str:
    vendor, _, rest = key.partition(":")
    if vendor not in _UNNAMED or vendor not in tenants:
        return key
    return f"{vendor}:{tenants[vendor]}:{rest.partition(':')[2]}"


def _text(value: Any) -> str:
    """Printable, without the marks that turn the direction of writing, and short."""
    found = value if isinstance(value, str) else ""
    return "".join(letter for letter in found if letter.isprintable())[:_LONGEST].strip()
