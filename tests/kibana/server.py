"""A Kibana on loopback: spaces, API keys, licence, rules, alerts, notes, Fleet's packages. It refuses what Kibana refuses.

`with SmallKibana(elasticsearch) as kibana:`; alerts are those of Elasticsearch where its URL is given, as in Kibana. Every
exchange is held against Elastic's published description (`kibana.violations()`), once for each that is like another.

Read beside the routes named in store.py: set_alert_tags_route.ts, open_close_signals_route.ts, persist_note_route.gen.ts;
the platform's answers to a missing header, key, privilege or space are those of Kibana's HTTP service.
"""

from __future__ import annotations

import io
import json
import ssl
import threading
import time
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Tuple, Type
from urllib.parse import parse_qsl, urlsplit

import requests
from werkzeug.formparser import parse_form_data

from responders.drill.simulators.server import Logged
from tests.kibana.spec import spec
from tests.kibana.store import Refused, Rules

EVERYTHING = frozenset({"rules:read", "rules:all", "alerts:all", "notes:all", "actions:read", "fleet:read"})
LICENCES = ("basic", "standard", "gold", "platinum", "enterprise", "trial")
_MOST_BYTES = 10 * 1024 * 1024
"""xpack.securitySolution.maxRuleImportPayloadBytes, as it is by default."""
_STATUSES = ("open", "acknowledged", "closed", "in-progress")


@dataclass(frozen=True)
class Key:
    """Who an API key belongs to, what it may, and in which spaces (all where none is named)."""

    name: str
    may: FrozenSet[str] = EVERYTHING
    spaces: FrozenSet[str] = frozenset()


@dataclass(frozen=True)
class Call:
    """One request, with its space and who asks."""

    space: str
    by: Key
    query: Mapping[str, str]
    body: Any
    file: Optional[Tuple[str, str]]


Handler = Callable[[Call], Tuple[int, Any]]


class SmallKibana:
    """Served on 127.0.0.1; `url` is its address, with the base path if it has one."""

    def __init__(
        self,
        elasticsearch: str = "",
        *,
        base_path: str = "",
        licence: str = "basic",
        version: str = "8.19.0",
        tls: Optional[ssl.SSLContext] = None,
    ) -> None:
        assert licence in LICENCES
        self.elasticsearch, self.base_path, self.licence, self.version = elasticsearch, base_path, licence, version
        self.keys: Dict[str, Key] = {"key-of-everything": Key("everything")}
        self.spaces: Dict[str, Rules] = {"default": Rules()}
        self.packages: Dict[str, str] = {}
        self.alerts: Dict[str, Dict[str, Dict[str, Any]]] = {}
        """By space and id, where there is no Elasticsearch."""
        self.notes: List[Dict[str, Any]] = []
        self.requests: List[Logged] = []
        self.answer_instead: List[Tuple[str, int, Any]] = []
        """(Part of a path, status, body) given once each instead of acting."""
        self.level = "available"
        self.url = ""
        self._tls = tls
        self._lock = threading.RLock()
        self._server: Optional[ThreadingHTTPServer] = None
        rules = "/api/detection_engine/rules"
        signals = "/api/detection_engine/signals"
        self._routes: Dict[Tuple[str, str], Tuple[str, Handler]] = {
            ("GET", "/api/status"): ("", self._status),
            ("GET", f"{rules}/_find"): ("rules:read", lambda call: (200, self._of(call).find(call.query))),
            ("POST", f"{rules}/_import"): ("rules:all", self._import),
            ("DELETE", rules): ("rules:all", self._delete),
            ("POST", f"{signals}/tags"): ("alerts:all", self._tags),
            ("POST", f"{signals}/status"): ("alerts:all", self._alert_status),
            ("POST", f"{signals}/search"): ("rules:read", self._search),
            ("PATCH", "/api/note"): ("notes:all", self._note),
            ("GET", "/api/fleet/epm/packages/installed"): ("fleet:read", self._installed),
        }

    @property
    def rules(self) -> Rules:
        """Those of the default space."""
        return self.spaces["default"]

    def violations(self) -> List[str]:
        """Where exchanges differ from the description; requests that were refused on purpose count too."""
        with self._lock:
            return list(dict.fromkeys(str(found) for entry in self.requests for found in spec().check(entry)))

    def __enter__(self) -> SmallKibana:
        kibana = self

        class Bound(_Handler):
            owner = kibana

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self._server.daemon_threads = True
        if self._tls is not None:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        scheme = "http" if self._tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}{self.base_path}"
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def serve(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], raw: bytes
    ) -> Tuple[int, Any]:
        """Answer one request, and keep it."""
        started, body, file = time.monotonic(), None, None
        inner = path[len(self.base_path) :] if path.startswith(self.base_path + "/") else ""
        space = "default"
        if inner.startswith("/s/"):
            space, _, rest = inner[3:].partition("/")
            inner = "/" + rest
        kind = headers.get("content-type", "")
        try:
            if kind.startswith("multipart/form-data"):
                file = _file(kind, raw)
            elif raw:
                body = json.loads(raw)
            with self._lock:
                status, answer = self._answer(method, inner, space, headers, query, body, file, len(raw))
        except Refused as refused:
            status, answer = _siem(refused.status, str(refused))
        except ValueError:
            status, answer = _platform(400, "Invalid JSON")
        shown = {key: "ApiKey ***" if key == "authorization" else value for key, value in headers.items()}
        key = self._key(headers)
        entry = Logged(
            started, 0, method, inner or path, query, shown, body, status, answer, key.name if key else ""
        )  # fmt: skip
        with self._lock:
            self.requests.append(entry)
        return status, answer

    def _answer(
        self, method: str, path: str, space: str, headers: Mapping[str, str], query: Mapping[str, str], body: Any,
        file: Optional[Tuple[str, str]], size: int,
    ) -> Tuple[int, Any]:  # fmt: skip
        for number, (part, status, instead) in enumerate(self.answer_instead):
            if part in path:
                del self.answer_instead[number]
                return status, instead
        found = self._routes.get((method, path))
        if found is None or space not in self.spaces:
            return _platform(404, "Not Found")
        if method != "GET" and "kbn-xsrf" not in headers:
            return _platform(400, "Request must contain a kbn-xsrf header.")
        by = self._key(headers)
        if by is None:
            return _platform(401, "Unauthorized")
        needs, handler = found
        if (needs and needs not in by.may) or (by.spaces and space not in by.spaces):
            text = (
                f"API [{method} {path}] is unauthorized for user, this action is granted by the Kibana privileges [{needs}]"
            )
            return _platform(403, text)
        if size > _MOST_BYTES:
            return _platform(413, f"Payload content length greater than maximum allowed: {_MOST_BYTES}")
        return handler(Call(space, by, query, body, file))

    def _key(self, headers: Mapping[str, str]) -> Optional[Key]:
        scheme, _, encoded = headers.get("authorization", "").partition(" ")
        return self.keys.get(encoded) if scheme.lower() == "apikey" else None

    def _of(self, call: Call) -> Rules:
        return self.spaces[call.space]

    def _status(self, call: Call) -> Tuple[int, Any]:
        return 200, {"version": {"number": self.version}, "status": {"overall": {"level": self.level}}}

    def _import(self, call: Call) -> Tuple[int, Any]:
        if call.file is None:
            return _platform(415, "Unsupported Media Type")
        return 200, self._of(call).load(call.file[1], call.file[0], call.query, call.by.name)

    def _delete(self, call: Call) -> Tuple[int, Any]:
        rule = self._of(call).rules.pop(call.query.get("rule_id", ""), None)
        return (200, rule) if rule else _siem(404, f'rule_id: "{call.query.get("rule_id")}" not found')

    def _installed(self, call: Call) -> Tuple[int, Any]:
        items = [
            {"name": name, "version": version, "status": "installed", "dataStreams": []}
            for name, version in sorted(self.packages.items())
        ]
        return 200, {"items": items[: int(call.query.get("perPage", "15"))], "total": len(items)}

    def _tags(self, call: Call) -> Tuple[int, Any]:
        body = call.body if isinstance(call.body, dict) else {}
        ids, tags = body.get("ids"), body.get("tags")
        if (
            not _texts(ids)
            or not isinstance(tags, dict)
            or not all(_texts(tags.get(k)) for k in ("tags_to_add", "tags_to_remove"))
        ):
            return _platform(400, "[request body]: ids, tags.tags_to_add, tags.tags_to_remove: Required")
        more, gone = list(dict.fromkeys(tags["tags_to_add"])), list(dict.fromkeys(tags["tags_to_remove"]))
        if set(more) & set(gone):
            twice = sorted(set(more) & set(gone))
            return _siem(
                400, f"Duplicate tags {json.dumps(twice)} were found in the tags_to_add and tags_to_remove parameters."
            )
        if not ids:
            return _siem(400, "No alert ids were provided")

        def change(alert: Dict[str, Any]) -> None:
            held = [tag for tag in alert.get("kibana.alert.workflow_tags") or () if tag not in gone]
            alert["kibana.alert.workflow_tags"] = held + [tag for tag in more if tag not in held]

        return self._update(call.space, ids, change)

    def _alert_status(self, call: Call) -> Tuple[int, Any]:
        body = call.body if isinstance(call.body, dict) else {}
        ids, status = body.get("signal_ids"), body.get("status")
        if status not in _STATUSES or not (_texts(ids) or isinstance(body.get("query"), dict)):
            return _platform(400, "[request body]: status: Invalid enum value, or signal_ids: Required")
        if ids is None:
            return _platform(400, "[request body]: this small Kibana takes signal_ids only")
        return self._update(call.space, ids, lambda alert: alert.update({"kibana.alert.workflow_status": status}))

    def _update(self, space: str, ids: List[str], change: Callable[[Dict[str, Any]], None]) -> Tuple[int, Any]:
        """Change alerts by id, as Kibana does by `_update_by_query`; the test engine comes without that module."""
        if self.elasticsearch:
            path = f"/.alerts-security.alerts-{space}/_search"
            hits = self._elastic(path, {"size": 1000, "query": {"terms": {"_id": ids}}}).json()["hits"]["hits"]
            for hit in hits:
                change(hit["_source"])
                kept = {key: hit["_source"][key] for key in hit["_source"] if key.startswith("kibana.alert.workflow")}
                self._elastic(f"/{hit['_index']}/_update/{hit['_id']}?refresh=true", {"doc": kept}).raise_for_status()
        else:
            hits = [self.alerts[space][one] for one in ids if one in self.alerts.get(space, {})]
            for alert in hits:
                change(alert)
        return 200, {"took": 1, "timed_out": False, "total": len(hits), "updated": len(hits), "failures": []}

    def _search(self, call: Call) -> Tuple[int, Any]:
        if not self.elasticsearch:
            return _platform(400, "this small Kibana searches alerts only with an Elasticsearch behind it")
        answer = self._elastic(f"/.alerts-security.alerts-{call.space}/_search", call.body or {})
        return answer.status_code, answer.json()

    def _elastic(self, path: str, body: Any) -> requests.Response:
        return requests.post(self.elasticsearch + path, json=body, timeout=30)

    def _note(self, call: Call) -> Tuple[int, Any]:
        note = call.body.get("note") if isinstance(call.body, dict) else None
        if not isinstance(note, dict) or "timelineId" not in note or not isinstance(note.get("note", ""), (str, type(None))):
            return _platform(400, "[request body]: note: Required")
        made = {**note, "noteId": str(uuid.uuid4()), "version": "WzEsMV0=", "createdBy": call.by.name, "space": call.space}
        self.notes.append(made)
        return 200, {"note": {key: value for key, value in made.items() if key != "space"}}


class _Handler(BaseHTTPRequestHandler):
    owner: SmallKibana
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are kept in `requests`."""

    def _any(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        headers = {key.lower(): value for key, value in self.headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        status, answer = self.owner.serve(self.command, parts.path, headers, query, raw)
        text = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "/login")
        self.send_header("Content-Type", "text/html" if isinstance(answer, str) else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815 - http.server's names


def _file(kind: str, raw: bytes) -> Optional[Tuple[str, str]]:
    environ = {
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(raw)),
        "wsgi.input": io.BytesIO(raw),
        "REQUEST_METHOD": "POST",
    }
    _, _, files = parse_form_data(environ)
    held = files.get("file")
    if held is None:
        return None
    with held.stream:
        return str(held.filename), held.read().decode()


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _platform(status: int, message: str) -> Tuple[int, Any]:
    names = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 413: "Request Entity Too Large"}
    return status, {"statusCode": status, "error": names.get(status, "Error"), "message": message}


def _siem(status: int, message: str) -> Tuple[int, Any]:
    return status, {"status_code": status, "message": message}
