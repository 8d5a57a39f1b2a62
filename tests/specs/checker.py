"""Checks what a simulator was asked and what it answered against the vendor's API description, with openapi-core.

How far each description is to be trusted stands in its `x-extract`. Operations that it lacks are in beyond.yaml, each with
its reason and source; an operation in neither is a violation.
"""

from __future__ import annotations

import copy
import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Pattern, Tuple
from urllib.parse import urlencode, urlsplit

import yaml
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.validation.request.exceptions import SecurityValidationError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from responders.drill.simulators.cyberark import CyberArkSimulator
from responders.drill.simulators.graph import GraphSimulator
from responders.drill.simulators.okta import OktaSimulator
from responders.drill.simulators.server import Logged, Simulator

FOLDER = Path(__file__).parent
_HOST = "https://vendor.example"
_UNCHECKED = Config(spec_validator_cls=None)  # type: ignore[arg-type]  # None: openapi-core's way to say "not again"
"""The descriptions are validated whole by a test of their own, not once more for each operation."""


@dataclass(frozen=True)
class Vendor:
    """A description, what of a simulator's path stands before its paths, and whether case matters in paths."""

    name: str
    file: str
    prefix: str
    flags: re.RegexFlag


VENDORS: Mapping[type, Vendor] = {
    OktaSimulator: Vendor("okta", "okta-containment.openapi.json", "", re.RegexFlag(0)),
    GraphSimulator: Vendor("graph", "graph-containment.openapi.json", "/v1.0", re.RegexFlag(0)),
    CyberArkSimulator: Vendor("cyberark", "cyberark-pvwa-containment.openapi.json", "/PasswordVault", re.IGNORECASE),
}


@dataclass(frozen=True)
class Violation:
    """Where an exchange and the description differ. `side` is request, answer or operation."""

    vendor: str
    side: str
    method: str
    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.vendor}: {self.side} of {self.method} {self.path}: {self.text}"


class _Request:
    """An exchange's request as openapi-core wants it."""

    def __init__(self, entry: Logged, path: str) -> None:
        self.host_url, self.path, self.full_url_pattern = _HOST, path, _HOST + path
        self.method = entry.method.lower()
        query = ImmutableMultiDict(entry.query)
        headers = Headers(dict(entry.headers))
        self.parameters = RequestParameters(query=query, header=headers, cookie=ImmutableMultiDict())
        kind = entry.headers.get("content-type", "").partition(";")[0].lower()
        self.content_type = kind or "application/json"
        self.body: Optional[bytes] = None
        if entry.body is not None:
            form = kind == "application/x-www-form-urlencoded"
            self.body = (urlencode(entry.body) if form else json.dumps(entry.body)).encode()


class _Answer:
    """An exchange's answer as openapi-core wants it."""

    def __init__(self, entry: Logged) -> None:
        self.status_code = entry.status
        self.headers = Headers(dict(entry.answer_headers))
        self.content_type = "application/json"
        self.data: Optional[bytes] = None if entry.answer is None else json.dumps(entry.answer).encode()


@dataclass(frozen=True)
class _Operation:
    """One method of one path: a description of its own, so that openapi-core need not look through all paths."""

    api: OpenAPI
    queries: frozenset[str]
    names: Optional[frozenset[str]]
    """Names a request's body may hold at its top, None when it is left open."""


class Spec:
    """One vendor's description with the operations of beyond.yaml added."""

    def __init__(self, vendor: Vendor, whole: Mapping[str, Any], beyond: Iterable[Mapping[str, Any]]) -> None:
        self.vendor = vendor
        self._whole = {**whole, "components": {**whole["components"], "securitySchemes": _schemes(whole)}}
        self._items: Dict[str, Dict[str, Any]] = copy.deepcopy(whole["paths"])
        for more in beyond:
            item, method = self._items.setdefault(more["path"], {}), more["method"].lower()
            if method in item:
                item[method]["responses"].update(_answers(more["answers"]))
            else:
                item[method] = _described(more)
                if more.get("security"):
                    item[method]["security"] = self._security()
        self._patterns = [(_pattern(path, vendor.flags), path) for path in sorted(self._items, key=_literal_first)]
        self._operations: Dict[Tuple[str, str], _Operation] = {}
        self._seen: Dict[str, Tuple[Violation, ...]] = {}

    def check(self, entry: Logged) -> Tuple[Violation, ...]:
        """What is wrong with one exchange. Exchanges that differ in no more than ids, tokens and times are judged once."""
        path = urlsplit(entry.path).path
        if not path.startswith(self.vendor.prefix):
            # The login endpoint of Entra stands beside Graph, not below it.
            path = "/login.microsoftonline.com" + path
        else:
            path = path[len(self.vendor.prefix) :]
        kind = entry.headers.get("content-type", "")
        injected = entry.injected == "status"
        given = [entry.method, path, entry.query, kind, entry.body, entry.answer]
        key = f"{entry.status} {injected} " + _MADE.sub(_length, json.dumps(given))
        if key not in self._seen:
            self._seen[key] = tuple(self._violations(entry, path, injected))
        return self._seen[key]

    def document(self) -> Dict[str, Any]:
        """The whole description with what beyond.yaml adds."""
        return {**self._whole, "paths": self._items}

    def template(self, method: str, path: str) -> Optional[str]:
        """The path template that serves this method and path."""
        for pattern, template in self._patterns:
            if pattern.match(path) and method.lower() in self._items[template]:
                return template
        return None

    def _violations(self, entry: Logged, path: str, injected: bool) -> List[Violation]:
        template = self.template(entry.method, path)
        if template is None:
            text = "neither in the description nor in beyond.yaml"
            return [Violation(self.vendor.name, "operation", entry.method, path, text)]
        operation = self._operation(template, entry.method.lower())
        found: List[Tuple[str, str]] = []
        # In the description's own case: openapi-core minds it where the vendor does not.
        request = _Request(entry, self._in_case(template, path))
        # A call without a credential, or with one of another kind, that was refused for it, went as it should.
        refused = entry.status == 401
        errors = [
            error
            for error in operation.api.iter_request_errors(request)
            if not (refused and isinstance(error, SecurityValidationError))
        ]
        found.extend(("request", _told(error)) for error in errors)
        found.extend(("request", f"unknown query parameter {name}") for name in sorted(set(entry.query) - operation.queries))
        if operation.names is not None and isinstance(entry.body, dict):
            unknown = sorted(set(entry.body) - operation.names)
            found.extend(("request", f"unknown property {name}") for name in unknown)
        if not injected:
            found.extend(("answer", _told(error)) for error in operation.api.iter_response_errors(request, _Answer(entry)))
        return [Violation(self.vendor.name, side, entry.method, template, f"{entry.status}: {text}") for side, text in found]

    @staticmethod
    def _in_case(template: str, path: str) -> str:
        parts = zip(template.split("/"), path.split("/"))
        return "/".join(given if "{" in wanted else wanted for wanted, given in parts)

    def _operation(self, template: str, method: str) -> _Operation:
        if (template, method) not in self._operations:
            item = self._items[template]
            everywhere = [more for more in beyond("everywhere") if more["vendor"] == self.vendor.name]
            for more in everywhere:
                for status, answer in _answers(more.get("answers", {})).items():
                    item[method]["responses"].setdefault(status, answer)
            shared = item.get("parameters", [])
            kept = {**{k: v for k, v in item.items() if k in ("parameters", method)}}
            small = {
                "openapi": self._whole["openapi"], "info": {"title": "x", "version": "1"}, "servers": [{"url": _HOST}],
                "paths": {template: kept}, "components": self._whole["components"],
                "security": self._whole.get("security", []),
            }  # fmt: skip
            given = [self._resolved(p) for p in (*shared, *item[method].get("parameters", []))]
            queries = {p["name"] for p in given if p["in"] == "query"}.union(*(more.get("query", ()) for more in everywhere))
            self._operations[template, method] = _Operation(
                OpenAPI.from_dict(small, config=_UNCHECKED), frozenset(queries), self._names(item[method].get("requestBody"))
            )
        return self._operations[template, method]

    def _security(self) -> List[Dict[str, List[str]]]:
        """Any one of the vendor's ways to authenticate."""
        return [{name: []} for name in self._whole["components"]["securitySchemes"]]

    def _resolved(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in value:
            found: Any = self._whole
            for part in value["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            value = found
        return value

    def _names(self, body: Optional[Mapping[str, Any]]) -> Optional[frozenset[str]]:
        if body is None:
            return None
        content = self._resolved(body).get("content", {})
        schemas = [self._resolved(kind.get("schema", {})) for kind in content.values()]
        names: set[str] = set()
        for schema in schemas:
            parts = [self._resolved(part) for part in schema.get("allOf", [schema])]
            if schema.get("additionalProperties") or not any("properties" in part for part in parts):
                return None
            if "oneOf" in schema or "anyOf" in schema:
                return None
            names.update(name for part in parts for name in part.get("properties", {}))
        return frozenset(names)


_MADE = re.compile(r"(?=[A-Za-z_:.+~=-]*[0-9][A-Za-z_:.+~=-]*[0-9])[A-Za-z0-9][A-Za-z0-9_:.+~=-]{7,}")
"""An id, a token, a time or an address of this run: eight characters and more, two digits among them. A word that a
description lists (`RS256`, `oauth2PermissionGrants`) is shorter, or holds no two digits."""


def _length(made: re.Match[str]) -> str:
    return f"#{len(made[0])}"


def _schemes(whole: Mapping[str, Any]) -> Dict[str, Any]:
    """The ways to authenticate. openapi-core knows no oauth2: it is a bearer token in the header, and checked as that."""
    bearer = {"type": "http", "scheme": "bearer"}
    given = whole["components"]["securitySchemes"]
    return {name: bearer if scheme["type"] == "oauth2" else scheme for name, scheme in given.items()}


def _described(more: Mapping[str, Any]) -> Dict[str, Any]:
    """An entry of beyond.yaml as an OpenAPI operation."""
    parameters: List[Dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{([^}]+)}", more["path"])
    ]
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in more.get("query", [])]
    operation: Dict[str, Any] = {"parameters": parameters, "responses": _answers(more["answers"]), "security": []}
    if "body" in more:
        kind = more.get("content", "application/json")
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": more["body"]}}}
    return operation


def _answers(schemas: Mapping[str, Any]) -> Dict[str, Any]:
    """Answers of beyond.yaml, by status, as OpenAPI writes them. A schema of None is an empty answer."""
    made: Dict[str, Any] = {}
    for status, schema in schemas.items():
        made[status] = {"description": "see beyond.yaml"}
        if schema:
            made[status]["content"] = {"application/json": {"schema": schema}}
    return made


def _pattern(template: str, flags: re.RegexFlag) -> Pattern[str]:
    return re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template)) + r"\Z", flags)


def _literal_first(template: str) -> Tuple[int, str]:
    return template.count("{"), template


def _told(error: Exception) -> str:
    """openapi-core's error with the schema errors beneath it."""
    cause: Any = error
    texts = [str(error) or type(error).__name__]
    while cause.__cause__ is not None:
        cause = cause.__cause__
        listed = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}"[:300] for e in getattr(cause, "schema_errors", ())]
        texts.extend(listed or [str(cause)[:300]])
    return " <- ".join(texts)


@functools.cache
def beyond(part: str = "operations") -> Tuple[Mapping[str, Any], ...]:
    """Entries of beyond.yaml: its operations, or what holds `everywhere`."""
    return tuple(yaml.safe_load((FOLDER / "beyond.yaml").read_text())[part])


def spec_of(kind: type) -> Optional[Spec]:
    """The description for a simulator's class, None for a simulator of no vendor."""
    return next((_loaded(vendor) for base, vendor in VENDORS.items() if issubclass(kind, base)), None)


@functools.cache
def _loaded(vendor: Vendor) -> Spec:
    whole = json.loads((FOLDER / vendor.file).read_text())
    return Spec(vendor, whole, [more for more in beyond() if more["vendor"] == vendor.name])


def violations(simulator: Simulator, entries: Iterable[Logged]) -> List[Violation]:
    """Everything wrong with these exchanges of a simulator, each once."""
    spec = spec_of(type(simulator))
    if spec is None:
        return []
    return list(dict.fromkeys(found for entry in entries for found in spec.check(entry)))
