"""The compiled inventory as text: one identity a line, so that it can be written and read without holding all of it."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, Mapping, Sequence, TextIO

from responders.model import Identity

OPENING = ["{\n", '"identities": [\n']


def line_of(identity: Identity) -> str:
    """An identity as one line."""
    return json.dumps(plain(identity), sort_keys=True)


def plain(identity: Identity) -> Dict[str, Any]:
    """An identity as `to_json` has it, at a fraction of its time, for there are hundreds of thousands."""
    return {**vars(identity), "accounts": [vars(account) for account in identity.accounts]}


def write_identities(file: TextIO, lines: Iterator[str]) -> None:
    """The first part: every identity, one a line."""
    file.writelines(OPENING)
    comma = ""
    for line in lines:
        file.write(comma + line)
        comma = ",\n"
    file.write("\n],\n")


def write_end(file: TextIO, aliases: Mapping[str, str], restorers: Sequence[str]) -> None:
    """The second part."""
    file.write('"aliases": {\n')
    lines = (f"{json.dumps(alias)}: {json.dumps(name)}" for alias, name in sorted(aliases.items()))
    comma = ""
    for line in lines:
        file.write(comma + line)
        comma = ",\n"
    file.write(f'\n}},\n"restorers": {json.dumps(sorted(restorers))}\n}}\n')
