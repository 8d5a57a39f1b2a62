"""Search Reference, "Comparison and Conditional functions" and "Informational functions"."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Union

from responders.content.spl.expressions import BOOLEAN, Env
from responders.content.spl.functions.registry import function
from responders.content.spl.patterns import like, regex
from responders.content.spl.values import Value, compare, number, several, text

_Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


@function("true", 0, kind=BOOLEAN)
def _true(env: Env) -> Value:
    return True


@function("false", 0, kind=BOOLEAN)
def _false(env: Env) -> Value:
    return False


@function("null", 0)
def _null(env: Env) -> Value:
    return None


@function("isnull", 1, kind=BOOLEAN)
def _isnull(env: Env, value: Value) -> Value:
    return value is None


@function("isnotnull", 1, kind=BOOLEAN)
def _isnotnull(env: Env, value: Value) -> Value:
    return value is not None


@function("isnum", 1, kind=BOOLEAN)
def _isnum(env: Env, value: Value) -> Value:
    return number(value) is not None


@function("isint", 1, kind=BOOLEAN)
def _isint(env: Env, value: Value) -> Value:
    return isinstance(number(value), int)


@function("isstr", 1, kind=BOOLEAN)
def _isstr(env: Env, value: Value) -> Value:
    return isinstance(value, str) and number(value) is None


@function("isbool", 1, kind=BOOLEAN)
def _isbool(env: Env, value: Value) -> Value:
    return isinstance(value, bool)


@function("typeof", 1)
def _typeof(env: Env, value: Value) -> Value:
    if value is None:
        return "Invalid"
    if isinstance(value, bool):
        return "Boolean"
    return "Number" if number(value) is not None else "String"


@function("nullif", 2)
def _nullif(env: Env, value: Value, other: Value) -> Value:
    return None if compare("=", value, other) else value


@function("match", 2, kind=BOOLEAN, literal=1)
def _match(env: Env, subject: Value, pattern: str) -> Value:
    return any(regex(pattern).search(text(item)) is not None for item in several(subject))


@function("like", 2, kind=BOOLEAN, literal=1, regex=False)
def _like(env: Env, subject: Value, pattern: str) -> Value:
    return any(like(pattern).match(text(item)) is not None for item in several(subject))


@function("in", 2, None, kind=BOOLEAN)
def _in(env: Env, subject: Value, *members: Value) -> Value:
    return any(compare("=", subject, member) for member in members)


@lru_cache(maxsize=4096)
def network(written: str) -> Union[_Network, None]:
    """The network of a CIDR or a lone address, or None when it is neither."""
    try:
        return ipaddress.ip_network(written.strip(), strict=False)
    except ValueError:
        return None


def inside(cidr: str, address: str) -> bool:
    """Whether the address (or network) lies in the network."""
    outer, inner = network(cidr), network(address)
    if outer is None or inner is None or outer.version != inner.version:
        return False
    return outer.network_address <= inner.network_address and inner.broadcast_address <= outer.broadcast_address  # type: ignore[operator]


@function("cidrmatch", 2, kind=BOOLEAN)
def _cidrmatch(env: Env, cidr: Value, address: Value) -> Value:
    return any(inside(text(outer), text(item)) for outer in several(cidr) for item in several(address))
