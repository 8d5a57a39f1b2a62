"""A regex taken apart into its alternatives, so that each can be asked for by itself."""

from __future__ import annotations

import re
from typing import List, Tuple

_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?(?:<?[=!]|:|P?<\w+>|[a-z]+\)))?|[)|]", re.DOTALL)
_CLASS = r"\[\^?\]?(?:\\.|[^\]\\])*\]"
_SYNTAX = re.compile(rf"\\[wWdDsSbBnrt]|\\|{_CLASS}|\(\?(?:<?[=!]|:|P?<\w+>|[a-z]+\)?)|\{{\d*,?\d*\}}", re.DOTALL)
Part = Tuple[str, str]


def alternatives(pattern: str) -> Tuple[Part, ...]:
    """(alternative, pattern) for each alternative of each of its choices, the pattern narrowed to that one and to those
    around it; the pattern itself where there is no choice. Of what must not follow or precede, nothing is asked."""
    plain = re.sub(r"^\(\?[a-z]+\)", "", pattern)
    return tuple(_parts(plain)) or ((plain, plain),)


def _parts(text: str) -> List[Part]:
    bars, groups = _read(text)
    edges = [-1, *bars, len(text)]
    branches = [text[first + 1 : last] for first, last in zip(edges, edges[1:])]
    if bars:
        return [part for branch in branches for part in _parts(branch) or [(branch, branch)]]
    return [(part, text[:start] + inner + text[end:]) for start, end in groups for part, inner in _parts(text[start:end])]


def _read(text: str) -> Tuple[List[int], List[Tuple[int, int]]]:
    """Where its own bars stand, and from where to where the insides of its own groups go."""
    bars: List[int] = []
    groups: List[Tuple[int, int]] = []
    opened: List[re.Match[str]] = []
    for token in _TOKEN.finditer(text):
        if token[0] == "|" and not opened:
            bars.append(token.start())
        elif token[0] == ")" and opened:
            first = opened.pop()
            if not opened and not first[0].endswith("!"):
                groups.append((first.end(), token.start()))
        elif token[0].startswith("(") and not token[0].endswith(")"):
            opened.append(token)
    return bars, groups


def has_words(pattern: str) -> bool:
    """Whether it asks for words: two letters on end. All else is a form: digits, hexadecimal, punctuation."""
    return bool(re.search(r"[A-Za-z]{2}", _SYNTAX.sub(" ", pattern)))
