"""The few calls to Elasticsearch that setting up and running detections needs."""

from __future__ import annotations

import json
import os
from types import TracebackType
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Type

import requests

from responders.errors import BadInput
from responders.settings import Secret

API_KEY = "TOURNIQUET_ELASTIC_API_KEY"
"""Environment variable with the encoded API key, where the server asks for one."""
_SECONDS = 60
_BULK = 2000


class ElasticError(BadInput):
    """Elasticsearch refused a call. `type` is its own name for why (`verification_exception` …), "" where it gave none."""

    def __init__(self, message: str, *, place: str, remedy: str, type: str = "", status: int = 0) -> None:
        super().__init__(message, place=place, remedy=remedy)
        self.type = type
        self.status = status


class _Key(requests.auth.AuthBase):
    """Signs in by API key. As a header alone, a line of ~/.netrc for the host would replace it."""

    def __init__(self, encoded: str) -> None:
        self._encoded = encoded

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"ApiKey {self._encoded}"
        return request


class Server:
    """One Elasticsearch, by URL. Raises ElasticError naming the URL for whatever goes wrong.

    `key` is an encoded API key, by default that of the environment; `ca` a file of PEM certificates, "" for the system's.
    """

    def __init__(self, url: str, *, key: Optional[Secret] = None, ca: str = "") -> None:
        if not url.startswith(("http://", "https://")):
            raise BadInput(f"{url!r} is no http(s) URL", place="--url", remedy="give https://host:9200")
        self.url = url.rstrip("/")
        self._session = requests.Session()
        if ca:
            self._session.trust_env = False  # REQUESTS_CA_BUNDLE would win over it
            self._session.verify = ca
        encoded = os.environ.get(API_KEY, "") if key is None else key.reveal()
        if encoded:
            self._session.auth = _Key(encoded)

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._session.close()

    def call(self, method: str, path: str, body: Any = None, *, query: Optional[Mapping[str, str]] = None) -> Any:
        """The answer's JSON. `body` is JSON, or text that is sent as it is (bulk)."""
        data = body if isinstance(body, (str, type(None))) else json.dumps(body)
        kind = "application/x-ndjson" if isinstance(body, str) else "application/json"
        try:
            answer = self._session.request(
                method,
                self.url + path,
                data=None if data is None else data.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode(),
                params=query,
                headers={"Content-Type": kind} if body is not None else {},
                timeout=_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise ElasticError(
                f"can't be reached: {type(error).__name__}", place=self.url, remedy="check the URL and the network"
            ) from None
        if answer.status_code >= 400:
            raise self._refused(answer)
        try:
            return answer.json()
        except ValueError:
            raise ElasticError("gave no JSON", place=self.url, remedy="is this Elasticsearch?") from None

    def _refused(self, answer: requests.Response) -> ElasticError:
        try:
            found = answer.json().get("error")
        except (ValueError, AttributeError):
            found = None
        reason, kind = str(found or answer.reason), ""
        if isinstance(found, dict):
            kind, reason = str(found.get("type", "")), str(found.get("reason", ""))
        remedy = "give an API key that may, in " + API_KEY if answer.status_code in (401, 403) else "see the reason"
        if kind in ("index_not_found_exception", "verification_exception") and "[tourniquet-" in reason:
            remedy = "let `tourniquet elastic import` make our indices first"
        return ElasticError(reason[:600], place=self.url, remedy=remedy, type=kind, status=answer.status_code)

    def create(self, index: str, mapping: Mapping[str, Any], *, lookup: bool = False, alias: str = "") -> bool:
        """Create an index; False when it is there already."""
        # A copy on a second node where there is one: every rule reads the schema and the lookups, and fails without.
        settings: Dict[str, Any] = {"auto_expand_replicas": "0-1"}
        if lookup:
            settings["index.mode"] = "lookup"
        else:
            settings.update({"number_of_shards": 1, "mapping.total_fields.limit": 5000})
        body = {"settings": settings, "mappings": mapping, "aliases": {alias: {}} if alias else {}}
        try:
            self.call("PUT", f"/{index}", body)
        except ElasticError as error:
            if error.type != "resource_already_exists_exception":
                raise
            return False
        return True

    def delete(self, indices: Sequence[str]) -> None:
        """Delete indices by their exact names; absent ones are no error."""
        if indices:
            self.call("DELETE", "/" + ",".join(indices), query={"ignore_unavailable": "true"})

    def bulk(self, documents: Iterable[Tuple[str, str, Mapping[str, Any]]]) -> None:
        """Index (index, id, document)s and make them searchable. Raises ElasticError with the first one refused."""
        lines: List[str] = []
        filled: Dict[str, None] = {}
        many = False
        for index, name, document in documents:
            if len(lines) >= _BULK:
                self._send(lines, refresh="false")
                lines, many = [], True
            filled[index] = None
            lines.append(json.dumps({"index": {"_index": index, "_id": name}}))
            lines.append(json.dumps(document))
        if lines:
            self._send(lines, refresh="false" if many else "true")
        if many:  # once, for each one writes a segment
            self.call("POST", f"/{','.join(filled)}/_refresh")

    def _send(self, lines: List[str], *, refresh: str) -> None:
        answer = self.call("POST", "/_bulk", "\n".join(lines) + "\n", query={"refresh": refresh})
        if answer.get("errors"):
            bad = next(item["index"] for item in answer["items"] if item["index"].get("error"))
            reason = f"refused document {bad['_id']} of {bad['_index']}: {json.dumps(bad['error'])[:500]}"
            raise ElasticError(reason, place=self.url, remedy="compare the event with the fields in ecs/fields.json")

    def esql(self, query: str, filter: Mapping[str, Any], params: Sequence[Mapping[str, Any]] = ()) -> List[Dict[str, Any]]:
        """Rows of an ES|QL query under a request filter, by column; null columns are left out. `params` are its ?names."""
        body = {"query": query, "filter": filter, "params": list(params)}
        answer = self.call("POST", "/_query", body if params else {"query": query, "filter": filter})
        if answer.get("is_partial"):
            raise ElasticError("gave a partial result", place=self.url, remedy="look at the server's log")
        names = [column["name"] for column in answer["columns"]]
        return [{name: value for name, value in zip(names, row) if value is not None} for row in answer["values"]]
