"""Keeps alerts while inventory or policy is broken: in the journal, escalated, and due until the file is right again."""

from __future__ import annotations

import argparse
from typing import Sequence

from responders.containment import due
from responders.containment.compose import Note, without_containment
from responders.containment.intake import chain_of, journal_raw
from responders.containment.notify import escalate
from responders.containment.responder import Responder
from responders.containment.signals import FileSignals
from responders.errors import TourniquetError
from responders.escalation.channels import open_channels
from responders.inventory.resolve import Inventory
from responders.settings import load_settings
from responders.surfaces.assemble import open_journal, read_policy, settings_path
from responders.surfaces.command_line.reading import Raw
from responders.vendors.open import ClientPool


def keep(alerts: Sequence[Raw], options: argparse.Namespace, why: TourniquetError) -> int:
    """How many alerts are kept. Raises BadInputs when the settings themselves can't be read: then there is no journal."""
    settings = load_settings(options.settings or settings_path())
    journal = open_journal(settings)
    blind = Responder(
        Inventory([]),
        read_policy(""),
        {},
        ClientPool(()),
        journal,
        open_channels(settings.escalation),
        FileSignals(settings.signals, journal.clock),
    )
    for raw in alerts:
        chain = chain_of(raw.row)
        if journal.head(chain) is not None:
            continue
        intake = journal_raw(raw.row, blind)
        open_items = (*str(why).splitlines(), "correct it: `tourniquet due` then takes the alert up")
        note = Note("an alert waits, nobody was contained: inventory, policy or settings are broken", True, open_items)
        escalate(blind, without_containment(journal, chain, None, None, note), chain)
        due.release(journal, intake.claim)
    return len(alerts)
