"""What a policy of Vault or OpenBao gives power over, pure: the text as they read it, and which rule decides of a path.

Sources: HashiCorp, "Policies" (path globs, priority matching, templated policies); vault/policy.go and vault/acl.go of
hashicorp/vault and openbao/openbao, which agree. Compared with a real OpenBao in the tests. Paths that lead into another
namespace are not followed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, Iterator, List, Mapping, NoReturn, Optional, Sequence, Tuple

_WRITES = frozenset({"create", "update", "patch", "sudo"})
_OLD = {
    "deny": ("deny",), "read": ("read", "list"), "write": ("create", "read", "update", "delete", "list"),
    "sudo": ("create", "read", "update", "delete", "list", "sudo"),
}  # fmt: skip
"""What `policy = "write"` stands for, the form before capabilities."""
_MOUNTS = ("+", "+/+", "+/+/+")
"""Paths at which an auth method may be mounted."""
_ENTITIES = ("identity/entity", "identity/entity/id/+", "identity/entity/name/+")
_IDENTITIES = (
    *_ENTITIES, "identity/entity/merge", "identity/entity-alias", "identity/entity-alias/id/+", "identity/group",
    "identity/group/id/+", "identity/group/name/+", "identity/group-alias", "identity/group-alias/id/+", "identity/alias",
    "identity/alias/id/+", "identity/persona", "identity/persona/id/+", "identity/mfa/*", "identity/oidc/config",
    "identity/oidc/key/+", "identity/oidc/role/+", "identity/oidc/client/+", "identity/oidc/assignment/+",
    "identity/oidc/scope/+", "identity/oidc/provider/+",
)  # fmt: skip
_LOGINS = (
    "role/+", "role/+/policies", "role/+/token-policies", "roles/+", "users/+", "users/+/policies", "users/~/password",
    "groups/+", "certs/+", "map/*", "config", "config/*",
)  # fmt: skip
_POWER = (
    "sys/policy/+", "sys/policies/acl/+", "sys/policies/rgp/+", "sys/policies/egp/+", "sys/auth/*", "sys/remount",
    "sys/raw/*", *_IDENTITIES, "auth/token/roles/+", *(f"auth/{mount}/{login}" for mount in _MOUNTS for login in _LOGINS),
)  # fmt: skip
"""Who may write there decides what others may do, or signs in as them: policies, auth methods, identities, their logins.

`+` is any segment, `~` any but one that a template makes the caller's own, `*` at the end one or more segments.
"""
_MOST = 2000
"""Rules of a policy: each may have to be weighed against all others."""
_TOKENS = ("auth/token/create", "auth/token/create-orphan")
"""With sudo a token of any policy can be made there."""


class Unreadable(Exception):
    """The text is no policy as this module reads it."""


@dataclass(frozen=True)
class Power:
    """`others`: over others' access. `entities`: it may write entities, be it the caller's own, and their metadata."""

    others: bool
    entities: bool


def power(text: str) -> Power:
    """What this policy gives. One that can't be read is taken to give everything: Vault may have read it otherwise."""
    try:
        found = rules(text)
    except (Unreadable, RecursionError):
        return Power(True, True)
    entities = _reaches(found, _ENTITIES, _WRITES)
    return Power(entities or _reaches(found, _POWER, _WRITES) or _reaches(found, _TOKENS, frozenset({"sudo"})), entities)


Rules = Mapping[str, FrozenSet[str]]


def capabilities(found: Rules, path: str) -> FrozenSet[str]:
    """What these rules allow at a path, of which the one that fits best decides alone; empty where it is deny."""
    if path in found and not path.endswith("*") and not _segmented(path):
        best: Optional[str] = path
    else:
        fitting = [pattern for pattern in found if _fits(pattern, path)]
        best = max(fitting, key=_priority) if fitting else None
    allowed = found[best] if best is not None else frozenset[str]()
    return frozenset() if "deny" in allowed else allowed


def _segmented(pattern: str) -> bool:
    return pattern == "+" or "/+" in pattern or pattern.startswith("+/")


def _split(pattern: str) -> Tuple[List[str], bool]:
    """Its segments, and whether what begins with the last one fits too."""
    glob = pattern.endswith("*")
    return (pattern[:-1] if glob else pattern).split("/"), glob


def _fits(pattern: str, path: str) -> bool:
    if not _segmented(pattern):
        return pattern.endswith("*") and path.startswith(pattern[:-1])
    segments, glob = _split(pattern)
    parts = path.split("/")
    if len(parts) < len(segments) or (len(parts) > len(segments) and not glob):
        return False
    *first, last = zip(segments, parts)
    ends = last[0] in ("+", last[1]) or (glob and last[1].startswith(last[0]))
    return ends and all(segment in ("+", part) for segment, part in first)


def _priority(pattern: str) -> Tuple[Any, ...]:
    segments, glob = _split(pattern)
    whole = "/".join(segments)
    first = pattern.index("+") if _segmented(pattern) else len(whole)
    return first, not glob, -(segments.count("+") if _segmented(pattern) else 0), len(whole), whole


def _reaches(found: Rules, places: Sequence[str], wanted: FrozenSet[str]) -> bool:
    """True when a path of these places is allowed.

    Of each rule and place the path is tried that has nothing in common with other rules but what these two demand. A rule
    that decides of this path fits every path of both, so that no other one needs to be tried.
    """
    letters = set().union(*found)
    fresh = next(letter for letter in map(chr, range(0xE000, 0x110000)) if letter not in letters)
    for pattern, allowed in found.items():
        if allowed & wanted:
            for place in places:
                path = _common(pattern, place, fresh)
                if path is not None and capabilities(found, path) & wanted:
                    return True
    return False


def _common(pattern: str, place: str, fresh: str) -> Optional[str]:
    """A path that fits both, None when there is none."""
    segments, glob = _split(pattern)
    wild = _segmented(pattern)
    parts = place.split("/")
    if parts[-1] == "*":
        parts[-1:] = ["+"] * max(1, len(segments) - len(parts) + 1)
    if len(parts) < len(segments) or (len(parts) > len(segments) and not glob):
        return None
    path: List[str] = []
    for number, part in enumerate(parts):
        free = part in ("+", "~")
        segment = segments[number] if number < len(segments) else "+"
        if number >= len(segments) or (wild and segment == "+"):
            path.append(fresh if free else part)
        elif glob and number == len(segments) - 1:
            if not free and not part.startswith(segment):
                return None
            path.append(segment + fresh if free else part)
        elif segment != part and not (free and segment and not (part == "~" and "{{" in segment)):
            return None
        else:
            path.append(segment)
    return "/".join(path)


# -- the text ---------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"(?P<space>\s+|\#[^\n]*|//[^\n]*|/\*.*?\*/)"
    r"|<<-?(?P<tag>\w+)\n(?:.*?\n)??[ \t]*(?P=tag)(?=\n|\Z)"
    r'|"(?P<text>(?:[^"\\\n]|\\.)*)"'
    r"|(?P<word>[\w.+-]+)"
    r"|(?P<mark>[{}\[\]=,:])",
    re.DOTALL,
)
_END = ("end", "")
Token = Tuple[str, str]


def rules(text: str) -> Rules:
    """Paths, as they are written but for a slash before them, to capabilities. HCL or JSON. Raises Unreadable."""
    found: Dict[str, FrozenSet[str]] = {}
    for path, body in _json(text) if text.lstrip()[:1] == "{" else _blocks(_Tokens(text)):
        key = path[1:] if path.startswith("/") else path
        found[key] = found.get(key, frozenset()) | _capabilities(body)
        if len(found) > _MOST:
            raise Unreadable(f"more than {_MOST} rules")
    return found


def _capabilities(body: Sequence[Tuple[str, Any]]) -> FrozenSet[str]:
    given: List[str] = []
    for name, value in body:
        if name == "capabilities":
            given += value if isinstance(value, list) else [value]
        elif name == "policy":
            given += _OLD.get(value, (value,)) if isinstance(value, str) else [value]
    if not all(isinstance(one, str) for one in given):
        raise Unreadable("a capability is no text")
    said = [name for name, _ in body if name in ("capabilities", "policy")]
    if "deny" in given and len(said) > 1:
        raise Unreadable("deny, and something else")
    return frozenset(given)


def _json(text: str) -> Iterator[Tuple[str, Sequence[Tuple[str, Any]]]]:
    try:
        whole = json.loads(text, object_pairs_hook=_Pairs)
    except ValueError as error:
        raise Unreadable(str(error)) from None
    for name, value in whole:
        if name != "path":
            continue
        for paths in value if type(value) is list else [value]:
            if not isinstance(paths, _Pairs):
                raise Unreadable("path is no object")
            for path, bodies in paths:
                for body in bodies if type(bodies) is list else [bodies]:
                    if not isinstance(body, _Pairs):
                        raise Unreadable("a path has no object")
                    yield path, body


class _Pairs(List[Tuple[str, Any]]):
    """A JSON object, keys that stand there twice and all."""


class _Tokens:
    """The tokens of a text of HCL 1, one looked ahead."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self.next = self._read()

    def take(self) -> Token:
        found, self.next = self.next, self._read()
        return found

    def is_mark(self, *marks: str) -> bool:
        return self.next[0] == "mark" and self.next[1] in marks

    def expect(self, mark: str) -> None:
        if self.take() != ("mark", mark):
            self.fail()

    def fail(self) -> NoReturn:
        raise Unreadable(f"no policy near letter {self._at}")

    def _read(self) -> Token:
        while self._at < len(self._text):
            found = _TOKEN.match(self._text, self._at)
            if found is None:
                self.fail()
            self._at = found.end()
            kind = found.lastgroup or ""
            if kind == "text":
                try:
                    return "text", str(json.loads(f'"{found["text"]}"', strict=False))
                except ValueError:
                    self.fail()
            if kind != "space":
                return ("text", "") if kind == "tag" else (kind, found[0])
        return _END


def _blocks(tokens: _Tokens) -> Iterator[Tuple[str, Sequence[Tuple[str, Any]]]]:
    while tokens.next != _END:
        keys, value = _item(tokens)
        if keys[0] == "path":
            if len(keys) != 2 or not isinstance(value, _Pairs):
                tokens.fail()
            yield keys[1], value


def _item(tokens: _Tokens) -> Tuple[List[str], Any]:
    """Keys, and what they stand before."""
    keys: List[str] = []
    while tokens.next[0] in ("word", "text"):
        keys.append(tokens.take()[1])
    if not keys:
        tokens.fail()
    if tokens.is_mark("=", ":"):
        tokens.take()
    elif not tokens.is_mark("{"):
        tokens.fail()
    return keys, _value(tokens)


def _value(tokens: _Tokens) -> Any:
    kind, said = tokens.take()
    if kind in ("word", "text"):
        return said
    if (kind, said) == ("mark", "["):
        items: List[Any] = []
        while not tokens.is_mark("]"):
            items.append(_value(tokens))
            if not tokens.is_mark("]"):
                tokens.expect(",")
        tokens.take()
        return items
    if (kind, said) != ("mark", "{"):
        tokens.fail()
    pairs = _Pairs()
    while not tokens.is_mark("}"):
        keys, value = _item(tokens)
        pairs.append((keys[0], value))
        if tokens.is_mark(","):
            tokens.take()
    tokens.take()
    return pairs
