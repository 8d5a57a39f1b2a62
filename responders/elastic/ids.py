"""Ids of documents that stand for one thing each, however long its own name is."""

from __future__ import annotations

import hashlib


def document_id(*parts: str) -> str:
    """One document for what these texts name together: a second would double every finding, or every alert."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
