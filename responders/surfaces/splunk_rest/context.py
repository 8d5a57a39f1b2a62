"""What a handler of the REST interface works with: the caller, splunkd as the app, and a responder when it is asked for."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any, Dict, Optional

from responders.containment.compose import Note, without_containment
from responders.containment.notify import escalate
from responders.containment.responder import Responder
from responders.errors import TourniquetError
from responders.journal.chain import Journal, Side
from responders.splunk.splunkd import Splunkd
from responders.surfaces import splunk_assemble, splunk_settings
from responders.surfaces.splunk_rest import stores
from responders.surfaces.splunk_rest.caller import Caller, person
from responders.surfaces.splunk_rest.wire import Request

TENANT = "default"
"""The middle part of `splunk:TENANT:USER` where the settings name no other."""
PATIENCE = 3.0
"""Seconds of waiting for a KV store that is starting: somebody looks at the page meanwhile."""


@dataclass
class Context:
    """`splunkd` has the app's rights, not the caller's: what the caller may do is checked before it is used."""

    caller: Caller
    request: Request
    splunkd: Splunkd
    app_home: str
    _responder: Optional[Responder] = None
    _journal: Optional[Journal] = None

    @property
    def responder(self) -> Responder:
        """Opened when it is first asked for. Raises TourniquetError: settings, secrets or journal can't be used."""
        if self._responder is None:
            self._responder = splunk_assemble.open_splunk_responder(
                self.request.server_uri, self.request.system, self.app_home, patience=PATIENCE, splunkd=self.splunkd
            )
        return self._responder

    @property
    def var(self) -> str:
        """The folder of the app's files."""
        return splunk_assemble.var_folder(self.app_home)

    def person(self) -> str:
        """The identity id of the caller. Raises Status 403 for somebody the inventory does not know."""
        return person(self.caller, self.responder, self.tenant())

    def tenant(self) -> str:
        """The tenant of Splunk users in the inventory."""
        general = stores.stanzas(self.splunkd, splunk_settings.SETTINGS).get("general", {})
        return general.get("splunk_tenant") or TENANT

    def journal(self) -> Optional[Journal]:
        """The journal, also while the settings are broken; None before it has a key."""
        if self._journal is None and self._responder is not None:
            self._journal = self._responder.journal
        if self._journal is None and splunk_settings.stored(self.splunkd)(splunk_settings.JOURNAL_KEY) is not None:
            found = splunk_settings.read({}, {}, splunk_settings.stored(self.splunkd), self.var)
            self._journal = splunk_assemble.open_splunk_journal(self.splunkd, found, self.var, patience=PATIENCE)
        return self._journal

    def audit(self, what: str, *side: Side, **about: Any) -> None:
        """Write who did what into the journal, before it is done; `side` goes with it. Raises JournalError."""
        journal = self.journal()
        if journal is not None:
            body: Dict[str, Any] = {"who": f"splunk user {self.caller.name}", "what": what, **about}
            journal.append(audit_chain(journal), "audit", body, side)

    def tell(self, title: str, chain: str = "") -> None:
        """Tell people, by the channels of escalations: of what an attacker with somebody's session would like nobody to see.

        What can't be sent stays due. While the settings are broken nobody can be told; the journal and the log have it.
        `chain` is that of the audit when it is not given.
        """
        with contextlib.suppress(TourniquetError):
            journal = self.responder.journal
            chain = chain or audit_chain(journal)
            note = Note(f"{title} (Splunk user {self.caller.name})", True)
            escalate(self.responder, without_containment(journal, chain, None, None, note), chain)


def audit_chain(journal: Journal) -> str:
    """The chain that says who changed what about Tourniquet itself: one a day, for a request reads it to write into it."""
    return f"audit-{journal.clock():%Y%m%d}"


def closed(context: Context) -> None:
    """Give back what a request opened: entries are told to the index first, sessions at vendors end with the request."""
    responder = context._responder
    for journal in {id(j): j for j in (context._journal, responder.journal if responder else None) if j}.values():
        flush = getattr(journal.listener, "flush", None)
        if flush is not None:
            flush()
    close = getattr(responder.clients, "close", None) if responder is not None else None
    if close is not None:
        with contextlib.suppress(TourniquetError):
            close()
    context.splunkd.close()
