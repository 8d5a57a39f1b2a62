"""Turns Splunk's pattern languages (PCRE, LIKE, search wildcards) into Python patterns.

A search's regexes run in Python's `re`; what PCRE has and `re` has not is an error, never a guess.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Pattern

_UNSUPPORTED = (
    ("\\K", "\\K"),
    ("[[:", "POSIX classes"),
    ("(?|", "branch reset"),
    ("(?R)", "recursion"),
    ("\\Q", "\\Q quoting"),
    ("\\G", "\\G"),
)


@lru_cache(maxsize=4096)
def regex(pattern: str) -> Pattern[str]:
    """A PCRE pattern ("About Splunk regular expressions") for Python. Raises re.error for what Python can't do."""
    for written, name in _UNSUPPORTED:
        if written in pattern:
            raise re.error(f"{name} is not supported")
    translated = re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", pattern)
    translated = re.sub(r"\\h", r"[ \\t]", translated)
    try:
        return re.compile(translated, re.ASCII)
    except (OverflowError, RecursionError) as error:
        raise re.error(str(error)) from None


@lru_cache(maxsize=4096)
def like(pattern: str) -> Pattern[str]:
    """LIKE: `%` any text, `_` one character, case-sensitive."""
    parts = ("[\\s\\S]*" if run[0] == "%" else "." if run == "_" else re.escape(run) for run in _like_runs(pattern))
    return re.compile("".join(parts) + r"\Z", re.DOTALL)


def _like_runs(pattern: str) -> list[str]:
    return re.findall(r"%+|_|[^%_]+", pattern)


@lru_cache(maxsize=4096)
def wildcard(pattern: str, *, ignore_case: bool) -> Pattern[str]:
    """`*` any text; the whole value must fit. For search values and for lists of field names."""
    parts = (".*" if run[0] == "*" else re.escape(run) for run in re.findall(r"\*+|[^*]+", pattern))
    return re.compile("".join(parts) + r"\Z", re.DOTALL | (re.IGNORECASE if ignore_case else 0))


# segmenters.conf.spec, [full]: major and minor breakers.
_BREAKERS = r"\[\]<>(){}|!;,'\"*\s&?+/:=@.\-$#%\\_"


@lru_cache(maxsize=4096)
def token(term: str) -> Pattern[str]:
    """A term of the search command in `_raw`: bounded by breakers on both sides, without regard to case."""
    parts = (r"[^\s]*" if run[0] == "*" else re.escape(run) for run in re.findall(r"\*+|[^*]+", term))
    before = "" if term.startswith("*") else rf"(?:^|(?<=[{_BREAKERS}]))"
    after = "" if term.endswith("*") else rf"(?:$|(?=[{_BREAKERS}]))"
    return re.compile(before + "".join(parts) + after, re.IGNORECASE)
