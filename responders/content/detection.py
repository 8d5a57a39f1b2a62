"""One detection, as its file has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Tuple


@dataclass(frozen=True)
class Example:
    """Events (source and the vendor's own JSON) that fire, with the accounts expected, or stay quiet, and why.

    `real` says where a real event is from; "" for synthetic ones. `confidence` is what each row must carry, None for any.
    """

    name: str
    events: Tuple[Tuple[str, Any], ...]
    fires: Tuple[str, ...]
    why: str
    real: str
    lookups: Mapping[str, Tuple[Mapping[str, str], ...]]
    confidence: Optional[int] = None


@dataclass(frozen=True)
class Forgery:
    """Who could forge the evidence (nobody, account_holder, outsider), and why that is so."""

    by: str
    why: str


@dataclass(frozen=True)
class ElasticQuery:
    """The ES|QL of a detection, macros not yet expanded.

    `lag_seconds`: how late events of its sources may arrive, None for the source's own default. `line` is where the
    query begins in the detection's file.
    """

    query: str
    lag_seconds: Optional[int]
    line: int


@dataclass(frozen=True)
class Baseline:
    """What an account has done before: searches that give `tq_account`, `tq_value` and their times, and what `tq_value` is.

    `what` is the kind of thing remembered, such as `okta_network`: detections may share one.
    """

    what: str
    splunk: str
    elastic: str


@dataclass(frozen=True)
class Detection:
    """`slug` is folder/file; `id` a stable uuid. `splunk` is the SPL, `elastic` the ES|QL."""

    slug: str
    id: str
    name: str
    version: str
    status: str
    description: str
    how_it_works: str
    false_positives: Tuple[str, ...]
    references: Tuple[str, ...]
    source: str
    layer: str
    frameworks: Mapping[str, Tuple[str, ...]]
    identity: str
    account_kind: str
    confidence: int
    modifiers: Tuple[Tuple[int, str], ...]
    forgery: Forgery
    max_tier: str
    actions: Tuple[str, ...]
    window_seconds: int
    splunk: str
    elastic: ElasticQuery
    examples: Tuple[Example, ...]
    parts: Tuple[str, ...] = ()
    logging: Tuple[str, ...] = ()
    """What must be switched on at the vendor so that the events arrive at all."""
    not_verified: Tuple[str, ...] = ()
    """Facts about the log that no vendor document and no recorded event was found for."""
    wanted: Tuple[str, ...] = ()
    """Manual steps where the response needs an action that does not exist."""
    baseline: Optional[Baseline] = None
    lines: Mapping[str, int] = field(default_factory=dict)
    """Line of each key in the file."""

    def place(self, key: str, below: int = 0) -> str:
        """file:line of a key, for errors; `below` counts lines under it, as a search's own lines do."""
        return f"detections/{self.slug}.yaml:{self.lines.get(key, 1) + below}"

    @property
    def correlation(self) -> bool:
        return self.source == "correlation"
