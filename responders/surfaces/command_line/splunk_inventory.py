"""Put the inventory into Splunk: for the searches' lookup tourniquet_accounts, and for the responder.

The new one is whole before it takes the place of the old one. Who runs it needs the right to write the app's collections:
role admin or sc_admin.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from responders.inventory.files import accounts_rows
from responders.splunk.inventory import push
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reaching_splunk import add_place, open_splunkd
from responders.surfaces.command_line.reading import inventory_of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inventory", help="compiled JSON, CSV or YAML")
    add_place(parser)
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    inventory = inventory_of(Path(options.inventory))
    splunkd = open_splunkd(options.url, options.token_file, options.ca)
    try:
        with show.working("filling the collections", json_wanted=options.json):
            push(splunkd, inventory, accounts_rows(inventory))
    finally:
        splunkd.close()
    show.say(f"{inventory.population} identities are in place", json_wanted=options.json, identities=inventory.population)
    return 0
