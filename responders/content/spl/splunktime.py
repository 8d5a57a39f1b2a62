"""Spans, relative times and time formats. Every time zone is UTC here.

Follows Search Manual, "Specify time modifiers in your search" (snap-to), Search Reference, "Date and time format
variables" and "bin" (span lengths).
"""

from __future__ import annotations

import calendar
import re
from datetime import datetime, timedelta, timezone
from typing import Optional, Tuple

_UNITS = {
    "us": ("us", "microsecond", "microseconds"),
    "ms": ("ms", "millisecond", "milliseconds"),
    "cs": ("cs", "centisecond", "centiseconds"),
    "ds": ("ds", "decisecond", "deciseconds"),
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "week", "weeks"),
    "mon": ("mon", "month", "months"),
    "q": ("q", "qtr", "qtrs", "quarter", "quarters"),
    "y": ("y", "yr", "yrs", "year", "years"),
}
_NAMED = {name: unit for unit, names in _UNITS.items() for name in names}
SECONDS = {"us": 1e-6, "ms": 1e-3, "cs": 0.01, "ds": 0.1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_STEP = re.compile(r"([+-])(\d{0,6})([A-Za-z]+)|@([A-Za-z]+)([0-7]?)")
_SPAN = re.compile(r"(\d{0,9})([A-Za-z]+)\Z")


def span_seconds(written: str) -> Optional[float]:
    """The length of a span such as `5m` or `24h` in seconds, or None for what is no span of fixed length."""
    found = _SPAN.match(written)
    unit = _NAMED.get(found.group(2)) if found else None
    if found is None or unit not in SECONDS:
        return None
    return int(found.group(1) or 1) * SECONDS[unit]


def from_epoch(epoch: float) -> Optional[datetime]:
    """The moment in UTC, or None where the calendar ends."""
    try:
        return datetime.fromtimestamp(epoch, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None


def relative(epoch: float, modifier: str) -> Optional[float]:
    """`relative_time()`: steps such as `-1d@d`, `-24h`, `@w1+3h`, in order. None when it can't be read."""
    moment, position, written = from_epoch(epoch), 0, modifier.strip()
    if written == "now":
        return epoch
    for step in _STEP.finditer(written):
        if step.start() != position or moment is None:
            return None
        position = step.end()
        try:
            moment = _snap(moment, step.group(4), step.group(5)) if step.group(4) else _shift(moment, step)
        except (OverflowError, ValueError):
            return None
    if moment is None or position != len(written) or not written:
        return None
    return moment.timestamp()


def _shift(moment: datetime, step: re.Match[str]) -> Optional[datetime]:
    unit = _NAMED.get(step.group(3)) or _NAMED.get(step.group(3).lower())
    count = int(step.group(2) or 1) * (-1 if step.group(1) == "-" else 1)
    if unit in SECONDS:
        return moment + timedelta(seconds=count * SECONDS[unit])
    months = {"mon": 1, "q": 3, "y": 12}.get(unit or "")
    if months is None:
        return None
    year, month = divmod(moment.year * 12 + moment.month - 1 + count * months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _snap(moment: datetime, name: str, weekday: str) -> Optional[datetime]:
    unit = _NAMED.get(name)
    if unit is None or (weekday and name != "w"):
        return None
    moment = moment.replace(microsecond=0)
    if unit in ("us", "ms", "cs", "ds", "s"):
        return moment
    moment = moment.replace(second=0)
    if unit == "m":
        return moment
    moment = moment.replace(minute=0)
    if unit == "h":
        return moment
    moment = moment.replace(hour=0)
    if unit == "w":
        # @w and @w0 are Sunday, @w1 Monday; @w7 is Sunday again.
        return moment - timedelta(days=(moment.isoweekday() - int(weekday or 0)) % 7)
    if unit in ("mon", "q", "y"):
        month = {"mon": moment.month, "q": (moment.month - 1) // 3 * 3 + 1, "y": 1}[unit]
        return moment.replace(day=1, month=month)
    return moment


_PLAIN = set("YmdHMSyBbAajpIUwWZeF") - {"e", "F", "Z"}


def strftime(epoch: float, form: str) -> Optional[str]:
    """The time written in a format of "Date and time format variables"; None outside the calendar."""
    moment = from_epoch(epoch)
    if moment is None:
        return None

    def fill(found: re.Match[str]) -> str:
        digits, letter = found.group(1), found.group(2)
        if letter in "QN":
            return f"{moment.microsecond:06}000"[: min(int(digits or 3), 9)]
        special = {
            "%": "%",
            "s": str(int(epoch // 1)),
            "F": moment.strftime("%Y-%m-%d"),
            "T": moment.strftime("%H:%M:%S"),
            "Z": "UTC",
            "z": "+00:00" if found.group() == "%:z" else "+0000",
            "e": f"{moment.day:2}",
            "k": f"{moment.hour:2}",
            "f": f"{moment.microsecond:06}",
            "c": moment.strftime("%a %b %e %H:%M:%S %Y"),
            "x": moment.strftime("%m/%d/%Y"),
            "X": moment.strftime("%H:%M:%S"),
            "D": moment.strftime("%m/%d/%y"),
            "R": moment.strftime("%H:%M"),
            "V": moment.strftime("%V"),
            "u": moment.strftime("%u"),
            "G": moment.strftime("%G"),
        }
        if letter in special:
            return special[letter]
        return moment.strftime("%" + letter) if letter in _PLAIN else found.group()

    return re.sub(r"%:?(\d?)([A-Za-z%])", fill, form)


def readable(form: str) -> bool:
    """Whether every variable of a time format is known here."""
    return all(letter in "%sFTZzefkcxXDRVuGQNYmdHMSyBbAajpIUwW" for letter in re.findall(r"%:?\d?(.)", form))


def strptime(written: str, form: str) -> Optional[float]:
    """Epoch seconds of a time in that format, UTC unless the text names an offset; None when it does not fit."""
    form = re.sub(r"%(\d?)[QN]", "%f", form).replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S").replace("%:z", "%z")
    form, zone = _zone(form)
    if form == "%s":
        try:
            return float(written)
        except ValueError:
            return None
    # Python's %f takes at most 6 digits; vendors write up to 9.
    shortened = re.sub(r"(\.\d{6})\d+", r"\1", written.strip())
    if zone:
        shortened = re.sub(r"\s*(UTC|GMT)$", "", shortened)
    try:
        moment = datetime.strptime(shortened, form)
    except (ValueError, re.error):
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    except (OverflowError, ValueError):
        return None


def _zone(form: str) -> Tuple[str, bool]:
    return (re.sub(r"\s*%Z$", "", form), True) if form.endswith("%Z") else (form, False)
