"""Search Reference, "Text functions" and "Cryptographic functions".

lower, upper, the trims, replace and substr work on every value of a multivalue field.
"""

from __future__ import annotations

import hashlib
import re
from typing import Callable
from urllib.parse import unquote

from responders.content.spl.expressions import Env
from responders.content.spl.functions.registry import each, function
from responders.content.spl.patterns import regex
from responders.content.spl.values import Value, multivalue, number, several, text


@function("lower", 1)
def _lower(env: Env, value: Value) -> Value:
    return each(str.lower, value)


@function("upper", 1)
def _upper(env: Env, value: Value) -> Value:
    return each(str.upper, value)


@function("len", 1)
def _len(env: Env, value: Value) -> Value:
    return None if value is None or isinstance(value, list) else len(text(value))


def _trimmer(trim: Callable[[str, str], str]) -> Callable[..., Value]:
    def call(env: Env, value: Value, characters: Value = " \t") -> Value:
        return None if characters is None else each(lambda item: trim(item, text(characters)), value)

    return call


function("trim", 1, 2)(_trimmer(str.strip))
function("ltrim", 1, 2)(_trimmer(str.lstrip))
function("rtrim", 1, 2)(_trimmer(str.rstrip))


@function("replace", 3, literal=1)
def _replace(env: Env, value: Value, pattern: str, replacement: Value) -> Value:
    if replacement is None or isinstance(replacement, list):
        return None
    template = text(replacement)

    def fill(found: re.Match[str]) -> str:
        def group(reference: re.Match[str]) -> str:
            index = int(reference.group(1))
            return (found.group(index) or "") if index <= found.re.groups else ""

        return re.sub(r"\\(\d)", group, template)

    return each(lambda item: regex(pattern).sub(fill, item), value)


@function("substr", 2, 3)
def _substr(env: Env, value: Value, start: Value, length: Value = -1) -> Value:
    first, count = number(start), number(length)
    if first is None or count is None:
        return None
    begin, size = int(first), int(count)

    def cut(item: str) -> str:
        # Positions count from 1; a negative one counts from the end.
        at = max(begin - 1, 0) if begin >= 0 else max(len(item) + begin, 0)
        return item[at:] if size < 0 else item[at : at + size]

    return each(cut, value)


@function("split", 2)
def _split(env: Env, value: Value, delimiter: Value) -> Value:
    if value is None or delimiter is None or isinstance(delimiter, list):
        return None
    by = text(delimiter)
    return multivalue(part for item in several(value) for part in (text(item).split(by) if by else list(text(item))))


@function("urldecode", 1)
def _urldecode(env: Env, value: Value) -> Value:
    return each(unquote, value)


def _hasher(name: str) -> Callable[..., Value]:
    def call(env: Env, value: Value) -> Value:
        if value is None or isinstance(value, list):
            return None
        return hashlib.new(name, text(value).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()

    return call


for _name in ("md5", "sha1", "sha256", "sha512"):
    function(_name, 1)(_hasher(_name))
