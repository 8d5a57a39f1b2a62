"""Cuts a search into its commands at the pipes that stand outside quotes."""

from __future__ import annotations

import re
from typing import List

from responders.content.spl.source import Segment, Source

_PIECE = re.compile(r'"(?:\\.|[^"\\])*"|\||[^"|]+|"', re.DOTALL)
# Commands whose names, at the very start and without a pipe, Splunk takes as words to look for in the events.
_MISTAKEN = ("where", "eval", "stats", "eventstats", "streamstats", "inputlookup", "lookup", "tstats", "makeresults")
_NAME = re.compile(r"\s*([A-Za-z]\w*)(?!\w)\s*")


def segments(source: Source) -> List[Segment]:
    """The commands in order. Text before the first pipe is a `search`, as "Search command primer" has it.

    Raises SplError for an open quote, an empty command, or text that begins with no command's name.
    """
    found: List[Segment] = []
    begin = 0
    for piece in _PIECE.finditer(source.text):
        if piece.group() == '"':
            raise source.place(piece.start()).error("a double quote without its pair", "Close the string")
        if piece.group() == "|":
            found += _segment(source, begin, piece.start(), first=begin == 0)
            begin = piece.end()
    found += _segment(source, begin, len(source.text), first=begin == 0)
    if not found:
        raise source.place(0).error("an empty search", "Write at least one command")
    return found


def _segment(source: Source, begin: int, end: int, *, first: bool) -> List[Segment]:
    text = source.text[begin:end]
    blank = len(text) - len(text.lstrip())
    if not text.strip():
        if first:
            return []
        raise source.place(end).error("a pipe with no command after it", "Write a command, or take the pipe away")
    named = _NAME.match(text)
    if first and not (named and named.group(1).lower() == "search" and named.end() > named.end(1)):
        if named and named.group(1) in _MISTAKEN and "=" not in text[named.end() : named.end() + 1]:
            remedy = "Put a pipe before it, or put the word between double quotes to look for it"
            raise source.place(begin + blank).error(f"{named.group(1)!r} begins the search as a word to look for", remedy)
        return [Segment(source, "search", begin + blank, text[blank:], begin + blank)]
    if named is None:
        raise source.place(begin + blank).error("no command after the pipe", "Begin with a command's name")
    return [Segment(source, named.group(1).lower(), begin + named.start(1), text[named.end() :], begin + named.end())]
