"""Put the inventory into Elasticsearch: for the rules' lookup tourniquet-accounts, and for the responders.

The new content is whole before the aliases move to it, both in one request; what was there before is deleted then.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from responders.content.elastic.server import Server
from responders.elastic.access import ELASTIC_KEY, api_key, ca_bundle, sound_url
from responders.elastic.push import push
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import inventory_of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inventory", help="compiled JSON, CSV or YAML")
    parser.add_argument("--url", required=True, help="the Elasticsearch")
    parser.add_argument(
        "--api-key-file", default="", metavar="FILE", help=f"holds an encoded API key, mode 0600; else ${ELASTIC_KEY}"
    )
    parser.add_argument("--ca", default="", metavar="FILE", help="PEM certificates of a private CA")
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    inventory = inventory_of(Path(options.inventory))
    key = api_key(ELASTIC_KEY, options.api_key_file)
    server = Server(sound_url(options.url, "--url"), key=key, ca=ca_bundle(options.ca))
    with server, show.working("filling new indices", json_wanted=options.json):
        accounts, identities = push(server, inventory)
    show.say(
        f"{inventory.population} identities are in place: {accounts}, {identities}",
        json_wanted=options.json, identities=inventory.population, indices=[accounts, identities],
    )  # fmt: skip
    return 0
