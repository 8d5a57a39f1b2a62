"""Requests and answers of a splunkd: Atom or JSON entries, and its error shape in both.

Source: Splunk, "Using the REST API reference" and "Basic concepts" (Atom feeds, output_mode, messages); the JSON of
entries as splunk-sdk-python's own tests record it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Sequence, Tuple
from xml.etree import ElementTree as ET

from tests.splunkd.deployment import User

_ATOM = "http://www.w3.org/2005/Atom"
_REST = "http://dev.splunk.com/ns/rest"
_SEARCH = "http://a9.com/-/spec/opensearch/1.1/"


@dataclass(frozen=True)
class Request:
    """`owner` and `app` are the namespace, "-" where the path has none; `path` what follows it, decoded by segments."""

    method: str
    owner: str
    app: str
    path: Tuple[str, ...]
    query: Mapping[str, List[str]]
    form: Mapping[str, List[str]]
    body: bytes
    json_body: bool
    user: User
    lag: float = 0.0

    def one(self, name: str, default: str = "") -> str:
        """An argument of query or form."""
        return (self.form.get(name) or self.query.get(name) or [default])[-1]

    @property
    def arguments(self) -> Dict[str, str]:
        """All arguments but those of the framework."""
        both = {**self.query, **self.form}
        return {name: values[-1] for name, values in both.items() if name not in FRAMEWORK}


FRAMEWORK = ("output_mode", "count", "offset", "search", "sort_key", "sort_dir", "sort_mode", "f", "summarize")
"""What every entity endpoint takes (Splunk, "Pagination and filtering parameters")."""


@dataclass(frozen=True)
class Entry:
    """One object of an answer."""

    name: str
    content: Mapping[str, Any]
    path: str
    app: str = "tourniquet"
    owner: str = "nobody"


@dataclass(frozen=True)
class Answer:
    """`entries` None means that `body` is the answer, as JSON (the KV store's data, receivers) or bytes."""

    status: int = 200
    entries: Any = None
    body: Any = None
    title: str = ""


class Refuse(Exception):
    """An error in Splunk's shape: messages with type and text."""

    def __init__(self, status: int, text: str, kind: str = "ERROR") -> None:
        super().__init__(f"{status} {text}")
        self.status, self.text, self.kind = status, text, kind


def not_found(name: str) -> Refuse:
    """404 of an entity."""
    return Refuse(404, f"Could not find object id={name}")


def no_argument(name: str) -> Refuse:
    """400 of an argument that the handler does not know."""
    return Refuse(400, f'Argument "{name}" is not supported by this handler.')


def need(user: User, *capabilities: str) -> None:
    """403 unless the user has one of the capabilities."""
    if not user.may(*capabilities):
        needed = " OR ".join(dict.fromkeys((*capabilities, "admin_all_objects")))
        text = f"You (user={user.name}) do not have permission to perform this operation (requires capability: {needed})."
        raise Refuse(403, text)


def error(status: int, text: str, kind: str, as_json: bool) -> Tuple[str, bytes]:
    """Content type and body of an error."""
    if as_json:
        return "application/json; charset=UTF-8", json.dumps({"messages": [{"type": kind, "text": text}]}).encode()
    response = ET.Element("response")
    messages = ET.SubElement(response, "messages")
    ET.SubElement(messages, "msg", type=kind).text = text
    return "text/xml; charset=UTF-8", ET.tostring(response, encoding="utf-8", xml_declaration=True)


def feed(entries: Sequence[Entry], title: str, request: Request) -> Tuple[str, bytes]:
    """Content type and body of entries, cut to count and offset (30 by default, 0 or -1 for all)."""
    count, offset = int(request.one("count", "30")), int(request.one("offset", "0"))
    shown = list(entries)[offset:] if count <= 0 else list(entries)[offset : offset + count]
    if request.one("output_mode") == "json":
        doc = {
            "links": {}, "origin": f"https://127.0.0.1/services/{title}", "generator": {"build": "0", "version": "9"},
            "entry": [
                {"name": e.name, "id": e.path, "links": {"alternate": e.path, "edit": e.path}, "author": e.owner,
                 "acl": _acl(e), "content": {**e.content, "eai:acl": None}}
                for e in shown
            ],
            "paging": {"total": len(entries), "perPage": count, "offset": offset}, "messages": [],
        }  # fmt: skip
        return "application/json; charset=UTF-8", json.dumps(doc).encode()
    return "text/xml; charset=UTF-8", _atom(shown, len(entries), title, count, offset)


def _acl(entry: Entry) -> Dict[str, Any]:
    return {"app": entry.app, "owner": entry.owner, "sharing": "app", "modifiable": True, "removable": True,
            "can_list": True, "can_write": True, "perms": {"read": ["*"], "write": ["admin"]}}  # fmt: skip


def _atom(shown: Sequence[Entry], total: int, title: str, count: int, offset: int) -> bytes:
    root = ET.Element(f"{{{_ATOM}}}feed")
    ET.SubElement(root, f"{{{_ATOM}}}title").text = title
    for name, value in (("totalResults", total), ("itemsPerPage", count), ("startIndex", offset)):
        ET.SubElement(root, f"{{{_SEARCH}}}{name}").text = str(value)
    for entry in shown:
        node = ET.SubElement(root, f"{{{_ATOM}}}entry")
        ET.SubElement(node, f"{{{_ATOM}}}title").text = entry.name
        ET.SubElement(node, f"{{{_ATOM}}}id").text = f"https://127.0.0.1{entry.path}"
        for rel in ("alternate", "list", "edit", "remove"):
            ET.SubElement(node, f"{{{_ATOM}}}link", href=entry.path, rel=rel)
        author = ET.SubElement(node, f"{{{_ATOM}}}author")
        ET.SubElement(author, f"{{{_ATOM}}}name").text = entry.owner
        content = ET.SubElement(node, f"{{{_ATOM}}}content", type="text/xml")
        _value(content, {**entry.content, "eai:acl": _acl(entry)})
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _value(parent: ET.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        node = ET.SubElement(parent, f"{{{_REST}}}dict")
        for key, item in value.items():
            _value(ET.SubElement(node, f"{{{_REST}}}key", name=str(key)), item)
    elif isinstance(value, (list, tuple)):
        node = ET.SubElement(parent, f"{{{_REST}}}list")
        for item in value:
            _value(ET.SubElement(node, f"{{{_REST}}}item"), item)
    elif value is not None:
        parent.text = {True: "1", False: "0"}[value] if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Logged:
    """One request as it came in; `arguments` without secrets."""

    method: str
    path: str
    user: str
    status: int
    arguments: Mapping[str, str] = field(default_factory=dict)
