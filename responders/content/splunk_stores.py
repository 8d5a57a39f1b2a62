"""KV store collections and lookups of the app.

Keys: Splunk, collections.conf.spec and transforms.conf.spec (9.0.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Tuple

from responders.content.splunk_stanza import Settings, conf, stanza


@dataclass(frozen=True)
class Store:
    """A collection. `fields` are those of its lookup, none where no search may read it.

    `replicate` copies it to the indexers, so that a lookup before the first aggregating command works there.
    """

    fields: Tuple[str, ...] = ()
    replicate: bool = False
    more: Tuple[Tuple[str, str], ...] = ()


_TEXT = "string"
STORES: Dict[str, Store] = {
    # Written by the responder, read by it alone: what a search could read, a search could also copy out or overwrite.
    "tourniquet_journal": Store(more=(("field.doc", _TEXT),)),
    "tourniquet_policy": Store(more=(("field.doc", _TEXT),)),
    "tourniquet_identities": Store(more=(("field.doc", _TEXT),)),
    "tourniquet_relay": Store(more=(("field.doc", _TEXT),)),
    # Read by searches. Ids are exact: a name in other letters is another name.
    "tourniquet_accounts": Store(
        (
            "tq_account", "tq_identity", "tq_kind", "tq_criticality", "tq_environment", "tq_break_glass", "tq_ambiguous",
        ),
        replicate=True,
        more=(("accelerated_fields.account", '{"tq_account": 1}'),),
    ),
    "tourniquet_watch": Store(("tq_identity", "tq_account", "until", "why"), replicate=True),
    # Large, and looked up after all events are together.
    "tourniquet_seen": Store(
        ("tq_seen", "tq_first_seen", "tq_last_seen"), more=(("accelerated_fields.seen", '{"tq_seen": 1}'),)
    ),
    "tourniquet_sources": Store(
        (
            "tq_source", "checked", "events", "per_minute", "last_event", "last_indexed", "lag_p50", "lag_p95", "lag_max",
            "longest_gap", "fill", "never", "told",
        )
    ),
}  # fmt: skip
FILES: Dict[str, str] = {
    "tourniquet_source_list": "tourniquet_source_list.csv",
    "tourniquet_detection_list": "tourniquet_detection_list.csv",
    "tourniquet_baseline_list": "tourniquet_baseline_list.csv",
}
"""Lookups over files that ship with the app: what should be there, so that a missing row is shown as missing."""


def transforms() -> str:
    """The lookups."""
    parts = []
    for name, store in STORES.items():
        if store.fields:
            about: Settings = [("external_type", "kvstore"), ("collection", name)]
            listed = ("fields_list", ", ".join(("_key", *store.fields)))
            parts.append(stanza(name, [*about, listed, ("case_sensitive_match", "true")]))
    parts += [stanza(name, [("filename", file), ("case_sensitive_match", "true")]) for name, file in FILES.items()]
    return conf(parts)


def collections() -> str:
    """The collections."""
    return conf(stanza(name, [("replicate", str(store.replicate).lower()), *store.more]) for name, store in STORES.items())
