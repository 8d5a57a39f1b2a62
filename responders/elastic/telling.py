"""Tells Elastic what the responder does: signals, watched identities, how containments stand, and every journal entry.

Data streams `logs-tourniquet.signals-SPACE` and `logs-tourniquet.journal-SPACE`, fields as in Elastic Common Schema with
our own below `tourniquet.`; the watch list is the lookup behind the alias `tourniquet-watch`, one row an identity.
Each document has an id of its own making, so that one which is told twice is there once.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence, Tuple

from elasticsearch import Elasticsearch

from responders.elastic.cluster import Cluster, create
from responders.elastic.ids import document_id
from responders.errors import ElasticFailed, MirrorError
from responders.journal.chain import Entry
from responders.journal.mirror import event_id
from responders.model import Alert, Identity, Standing, Tier

WATCH = "tourniquet-watch"
_ECS = "8.17"
_MOST_BYTES = 4 * 1024 * 1024
"""Of one bulk request; Elastic, "Bulk API", advises a few megabytes."""


class ElasticSignals:
    """The responder's `Signals` in Elasticsearch. Every call raises ElasticFailed."""

    def __init__(self, cluster: Cluster, clock: Callable[[], datetime], space: str = "default", watch: str = WATCH) -> None:
        self._cluster, self._clock, self._space, self._watch = cluster, clock, space, watch

    def signal(self, alert: Alert, identity: Identity) -> None:
        """One signal, as the correlations read it."""
        fields = {
            "tq_detection": alert.detection,
            "tq_identity": identity.id,
            "tq_account": [account.key for account in alert.accounts],
            "tq_layer": alert.layer,
            "tq_confidence": alert.confidence,
            "tq_events": sorted(alert.events),
            "tq_causes": sorted(alert.causes),
            "tq_finding": alert.finding,
            "tq_correlation": alert.correlation,
        }
        self._tell("signals", document_id(alert.id, alert.finding), alert.completed_at, "signal", fields)

    def standing(self, standing: Standing) -> None:
        """One account of a containment, as detection correlation/activity_after_containment reads it."""
        until = standing.residual_until.isoformat() if standing.residual_until else ""
        fields: Dict[str, Any] = {
            "kind": standing.kind,
            "containment": standing.containment,
            "tq_identity": standing.identity,
            "tq_account": standing.account,
        }
        name = document_id(*map(str, fields.values()), standing.since.isoformat(), until)
        more = {"residual_until": until} if until else {}
        self._tell("journal", name, standing.since, standing.kind, {**fields, **more})

    def watch(self, identity: Identity, until: datetime, why: str) -> None:
        """Put an identity on the watch list until a time: its row is replaced, for a second one would double findings."""
        row = {"tq_watched": _sound(identity.id), "tq_watched_until": until.isoformat(), "tq_watched_why": why}
        self._cluster.call(
            lambda client: client.index(index=self._watch, id=document_id(identity.id), document=row, require_alias=True)
        )

    def _tell(self, dataset: str, name: str, at: datetime, action: str, fields: Mapping[str, Any]) -> None:
        index = stream(dataset, self._space)
        document = _document(dataset, self._space, name, at, action, self._clock(), fields)

        self._cluster.call(lambda client: create(client, index, name, document))


class ElasticMirror:
    """The journal's `Mirror` in Elasticsearch."""

    def __init__(self, cluster: Cluster, clock: Callable[[], datetime], space: str = "default") -> None:
        self._cluster, self._clock, self._space = cluster, clock, space

    def tell(self, entries: Sequence[Entry]) -> None:
        """Store these entries; those that are there are left. Raises MirrorError.

        One that Elasticsearch refuses for what is in it is stored without its body, so that it keeps no other back.
        """
        refused = self._send([(event_id(entry), self._entry(entry)) for entry in entries])
        unfit = [entry for entry in entries if refused.get(event_id(entry), "").startswith("400 ")]
        left = {name: why for name, why in refused.items() if not why.startswith("400 ")}
        left.update(self._send([(event_id(entry), self._entry(entry, bare=True)) for entry in unfit]))
        if left:
            raise MirrorError(
                f"Elasticsearch {self._cluster.url}: {stream('journal', self._space)} refused {len(left)} of {len(entries)} "
                f"entries: {next(iter(left.values()))}. Make the indices with `tourniquet elastic import`; see its health"
            )

    def _send(self, documents: Sequence[Tuple[str, Mapping[str, Any]]]) -> Dict[str, str]:
        """Ids that were refused, and why."""
        refused: Dict[str, str] = {}
        for lines in _batches(stream("journal", self._space), documents):
            try:
                answer = self._cluster.call(partial(_bulk, lines))
            except ElasticFailed as error:
                raise MirrorError(str(error)) from error
            for item in (item["create"] for item in answer["items"]):
                if item["status"] not in (201, 409):
                    why = item.get("error") or {}
                    refused[item["_id"]] = f"{item['status']} {why.get('type')}: {str(why.get('reason'))[:300]}"
        return refused

    def _entry(self, entry: Entry, *, bare: bool = False) -> Mapping[str, Any]:
        body = "" if bare else json.dumps(entry.body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        told = {"chain": entry.chain, "seq": entry.seq, "kind": entry.kind, "mac": entry.mac, "body": body}
        fields = {**({} if bare else _particulars(entry)), "entry": told}
        if entry.chain.startswith("c-"):
            fields["containment"] = entry.chain
        return _document("journal", self._space, event_id(entry), entry.at, entry.kind, self._clock(), fields)


def stream(dataset: str, space: str) -> str:
    """The data stream of `signals` or `journal`."""
    return f"logs-tourniquet.{dataset}-{space}"


def _document(
    dataset: str, space: str, name: str, at: datetime, action: str, now: datetime, fields: Mapping[str, Any]
) -> Mapping[str, Any]:
    """`event.ingested` is what a rule's look-back counts from, and there is no pipeline that would set it."""
    return {
        "@timestamp": at.astimezone(timezone.utc).isoformat(),
        "data_stream": {"type": "logs", "dataset": f"tourniquet.{dataset}", "namespace": space},
        "ecs": {"version": _ECS},
        "event": {
            "action": action,
            "dataset": f"tourniquet.{dataset}",
            "id": name,
            "ingested": now.astimezone(timezone.utc).isoformat(),
            "kind": "event",
            "module": "tourniquet",
        },
        "tourniquet": _sound(fields),
    }


def _sound(value: Any) -> Any:
    """Half a surrogate pair is sound JSON and no sound UTF-8: Elasticsearch would reject the whole request."""
    if isinstance(value, Mapping):
        return {str(key): _sound(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_sound(item) for item in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _particulars(entry: Entry) -> Dict[str, Any]:
    """What a dashboard counts and filters by, of the entries that say it."""
    body = entry.body
    if entry.kind == "plan":
        decision, alert = body["plan"]["decision"], body["alert"]
        return {
            "tq_identity": decision["identity"]["id"],
            "tq_confidence": decision["confidence"],
            "tq_detection": alert["detection"],
            "tier": Tier(decision["tier"]).name.lower(),
        }
    if entry.kind == "outcome":
        return {"outcome": sorted({f"{item['step']['action']} {item['status']}" for item in body["outcomes"]})}
    if entry.kind == "validation":
        words = {True: "sound", False: "failed", None: "not checked"}
        outcome = sorted(f"{item['check']} {words[item['ok']]}" for item in body["checks"])
        return {"title": str(body["title"]), "outcome": outcome}
    if entry.kind == "check":
        return {"title": f"{body['check']}: {body['result']}", "outcome": [str(body["result"]).lower()]}
    if entry.kind == "drilled":
        lanes = sorted(f"{lane['vendor']} {'broken' if lane['problem'] else 'works'}" for lane in body["lanes"])
        title = "canary drill: every path works" if body["works"] else "canary drill: a path is BROKEN"
        return {"tq_identity": str(body["identity"]), "outcome": lanes, "title": title}
    if entry.kind == "escalated":
        return {"title": str(body["report"].get("title", ""))}
    return {}


def _bulk(lines: List[Any], client: Elasticsearch) -> Any:
    return client.bulk(operations=lines)


def _batches(index: str, documents: Sequence[Tuple[str, Mapping[str, Any]]]) -> Iterator[List[Any]]:
    """Lines of bulk requests, none much longer than what one may be."""
    lines: List[Any] = []
    size = 0
    for name, document in documents:
        lines += [{"create": {"_index": index, "_id": name}}, document]
        size += len(json.dumps(document))
        if size > _MOST_BYTES:
            yield lines
            lines, size = [], 0
    if lines:
        yield lines
