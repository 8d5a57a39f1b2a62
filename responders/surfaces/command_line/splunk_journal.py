"""Verify the journal of the app in Splunk, list its chains, or show one.

Who runs it needs the right to read storage/passwords and the app's collections: role admin or sc_admin.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from responders.errors import BadInput
from responders.journal.chain import Journal
from responders.journal.kvstore import KvStore
from responders.surfaces import splunk_settings
from responders.surfaces.command_line import journal, show
from responders.surfaces.command_line.reaching_splunk import add_place, open_splunkd


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("verify", "list", "show"))
    parser.add_argument("name", nargs="?", help="show: a chain (c-…, a-…, halt)")
    parser.add_argument("--head", action="append", default=[], metavar="CHAIN:SEQ:MAC", help="from an escalation")
    parser.add_argument(
        "--anchor", default="", metavar="FILE", help="verify: var/lib/tourniquet/journal.anchor of one search head"
    )
    add_place(parser)
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    journal.check(options)
    if options.anchor and not Path(options.anchor).is_file():
        raise BadInput("is no file", place=f"--anchor {options.anchor}", remedy="copy it from the search head")
    splunkd = open_splunkd(options.url, options.token_file, options.ca)
    try:
        key = splunk_settings.stored(splunkd)(splunk_settings.JOURNAL_KEY)
        if key is None:
            place = f"storage/passwords {splunk_settings.REALM}:{splunk_settings.JOURNAL_KEY}"
            raise BadInput("the app has no journal key", place=place, remedy="is this the search head it is set up on?")
        found = Journal(KvStore(splunkd), key.reveal().encode(), anchor=options.anchor or None)
        return journal.tell(found, options)
    finally:
        splunkd.close()
