"""Puts a responder together inside Splunk: settings, secrets, journal, inventory and policy are all in Splunk itself.

The only files are below `$SPLUNK_HOME/var/lib/tourniquet`: the anchor of the journal (what this search head wrote), private
CAs, and alerts that could not be stored.
"""

from __future__ import annotations

import os
import secrets
from typing import Any, Callable, Optional

from responders.containment.responder import Responder
from responders.errors import BadSettings, JournalError
from responders.journal.chain import Journal, utc_now
from responders.journal.kvstore import KvStore
from responders.journal.mirror import Outbox
from responders.policy.policy import Policy, from_compiled
from responders.splunk import policies
from responders.splunk.events import SplunkMirror, SplunkSignals
from responders.splunk.inventory import KvInventory
from responders.splunk.relay_queue import KvRelayQueue
from responders.splunk.splunkd import Splunkd, SplunkError
from responders.splunk.tls import context_for
from responders.surfaces import splunk_settings
from responders.surfaces.assemble import put_together, read_policy
from responders.surfaces.splunk_log import splunk_home
from responders.surfaces.splunk_log import var_folder as var_folder

PATIENCE = 8.0
"""Seconds of waiting for a KV store that is starting, before the alert is put aside for the next run."""


def connect(server_uri: str, session_key: str, app_home: str) -> Splunkd:
    """The splunkd that started us. Raises SplunkError."""
    return Splunkd(server_uri, session_key, tls=context_for(server_uri, splunk_home(app_home)))


def open_splunk_responder(
    server_uri: str,
    session_key: str,
    app_home: str,
    *,
    clock: Optional[Callable[[], Any]] = None,
    patience: float = PATIENCE,
    splunkd: Optional[Splunkd] = None,
) -> Responder:
    """A responder of this search head. Raises BadInput, BadInputs, JournalError, SplunkError.

    The session must have the capabilities list_storage_passwords, edit_tcp, and the right to write the app's collections:
    docs/splunk_journal.md.
    """
    splunkd = splunkd or connect(server_uri, session_key, app_home)
    var = var_folder(app_home)
    found = splunk_settings.load(splunkd, var)
    policy = policy_in_use(splunkd, found.policy, patience)
    journal = open_splunk_journal(splunkd, found, var, clock=clock, patience=patience)
    return put_together(
        found.settings,
        f"{splunk_settings.SETTINGS}.conf",
        inventory=KvInventory(splunkd, patience=patience),
        policy=policy,
        journal=journal,
        signals=SplunkSignals(splunkd, found.index, journal.clock),
        clock=clock,
        queue=KvRelayQueue(splunkd),
    )


def open_splunk_journal(
    splunkd: Splunkd,
    settings: splunk_settings.SplunkSettings,
    var: str,
    *,
    clock: Optional[Callable[[], Any]] = None,
    patience: float = PATIENCE,
) -> Journal:
    """The journal, with its anchor on this search head, and its copy in the index. Raises JournalError."""
    try:
        os.makedirs(var, mode=0o700, exist_ok=True)
    except OSError as error:
        raise JournalError(f"{var}: {error.strerror}. Give Splunk's user the right to make it") from error
    key = settings.settings.journal_key.reveal().encode()
    store = KvStore(splunkd, patience=patience)
    journal = Journal(store, key, anchor=settings.settings.anchor, clock=clock or utc_now)
    if settings.journal_events:
        journal.listener = Outbox(journal, SplunkMirror(splunkd, settings.index))
    return journal


def ensure_journal_key(splunkd: Splunkd) -> bool:
    """Make the journal's key if there is none; True when it was made now. It is never replaced.

    For the setup page, which one person saves on one search head: two keys would make two journals. Raises SplunkError, and
    JournalError where there is a journal whose key is gone.
    """
    if splunk_settings.stored(splunkd)(splunk_settings.JOURNAL_KEY) is not None:
        return False
    if next(KvStore(splunkd, patience=PATIENCE).scan(""), None) is not None:
        raise JournalError(
            "the journal's key is gone from storage/passwords, and the journal is not empty: with another key all of it "
            f"would look forged. Put {splunk_settings.REALM}:{splunk_settings.JOURNAL_KEY} back from a backup"
        )
    form = {"name": splunk_settings.JOURNAL_KEY, "realm": splunk_settings.REALM, "password": secrets.token_hex(32)}
    try:
        splunkd.post("storage", "passwords", form=form)
    except SplunkError as error:
        if error.status == 409:  # somebody saved the page at the same moment
            return False
        raise
    return True


def policy_in_use(splunkd: Splunkd, version: str, patience: float = PATIENCE) -> Policy:
    """The version that the settings name, "" for the one that ships. Raises BadSettings, SplunkError."""
    if not version:
        return read_policy("")
    found = policies.find(splunkd, version, patience=patience)
    if found is None:
        what = f"policy {version!r} is not in collection {policies.COLLECTION}, or can't be read"
        place = f"{splunk_settings.SETTINGS}.conf [general] policy"
        raise BadSettings(what, place=place, remedy="choose another version on the setup page")
    return from_compiled(found.policy)
