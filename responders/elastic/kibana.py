"""The few calls to Kibana that importing rules and looking after them need.

Paths, parameters and bodies follow Elastic's "Security detections API" and "Elastic Package Manager" references;
`kbn-xsrf` and `Elastic-Api-Version` are what its "Kibana API" reference asks of every caller.
"""

from __future__ import annotations

import json
import re
from types import TracebackType
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Type

import requests

from responders.elastic.access import KIBANA_KEY, sound_url
from responders.errors import BadInput
from responders.settings import Secret

_SPACE = re.compile(r"[a-z0-9_-]{1,200}\Z")
"""What Kibana takes as the id of a space (its "Spaces" API: lower case letters, digits, - and _)."""
_SECONDS = (10, 180)
_IDS_AT_ONCE = 50
"""Ids in one filter: it stands in the URL, and Elasticsearch takes 1024 clauses."""
_PAGE = 100


class KibanaError(BadInput):
    """Kibana refused a call, or could not be reached (`status` 0)."""

    def __init__(self, message: str, *, place: str, remedy: str, status: int = 0) -> None:
        super().__init__(message, place=place, remedy=remedy)
        self.status = status


class Kibana:
    """One space of one Kibana. Raises KibanaError naming the URL for whatever goes wrong, BadInput for a wrong URL or space.

    `ca` is a file of PEM certificates, "" for the system's own. Redirects are not followed: they lead to a sign-in page.
    """

    def __init__(self, url: str, *, space: str = "default", key: Secret, ca: str = "") -> None:
        if not _SPACE.match(space):
            remedy = "give the space's id, as in /s/ID/ of its address: a-z, 0-9, - and _"
            raise BadInput(f"{space[:80]!r} is no space", place="--space", remedy=remedy)
        self.url = sound_url(url, "--url")
        self.space = space
        self.place = self.url + ("" if space == "default" else f"/s/{space}")
        self._session = requests.Session()
        self._session.trust_env = False  # a .netrc would replace the key
        self._session.verify = ca or True
        self._session.headers.update({"kbn-xsrf": "tourniquet", "Elastic-Api-Version": "2023-10-31"})
        if key.reveal():
            self._session.headers["Authorization"] = f"ApiKey {key.reveal()}"

    def __enter__(self) -> Kibana:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._session.close()

    def status(self) -> Mapping[str, Any]:
        """Version and health (`/api/status`)."""
        return self._object(self.call("GET", "/api/status"))

    def rules(self, rule_ids: Sequence[str]) -> Dict[str, Dict[str, Any]]:
        """Those of these rules that the space has, by rule_id, as `_find` gives them.

        The filter on `params.ruleId` is the one that Kibana's own import uses (find_installed_rules_by_rule_ids.ts).
        """
        found: Dict[str, Dict[str, Any]] = {}
        for start in range(0, len(rule_ids), _IDS_AT_ONCE):
            some = rule_ids[start : start + _IDS_AT_ONCE]
            words = " OR ".join('"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in some)
            query = {"filter": f"alert.attributes.params.ruleId: ({words})", "per_page": str(_PAGE), "page": "1"}
            answer = self._object(self.call("GET", "/api/detection_engine/rules/_find", query=query))
            for rule in answer.get("data") or []:
                found[str(rule.get("rule_id"))] = rule
        return {one: found[one] for one in rule_ids if one in found}

    def import_rules(self, rules: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Create these rules or replace those of the same rule_id; exception lists and connectors are left alone."""
        lines = "".join(json.dumps(rule, sort_keys=True) + "\n" for rule in rules)
        query = {"overwrite": "true", "overwrite_exceptions": "false", "overwrite_action_connectors": "false"}
        files = {"file": ("rules.ndjson", lines.encode(), "application/x-ndjson")}
        return self._object(self.call("POST", "/api/detection_engine/rules/_import", query=query, files=files))

    def packages(self) -> Iterator[Tuple[str, str]]:
        """Name and version of each installed integration (Fleet, `epm/packages/installed`)."""
        query = {"perPage": "1000"}
        while True:
            answer = self._object(self.call("GET", "/api/fleet/epm/packages/installed", query=query))
            items: List[Mapping[str, Any]] = answer.get("items") or []
            for item in items:
                yield str(item.get("name", "")), str(item.get("version", ""))
            after = answer.get("searchAfter")
            if len(items) < int(query["perPage"]) or not after:
                return
            query = {"perPage": "1000", "searchAfter": json.dumps(after)}

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Optional[Mapping[str, str]] = None,
        files: Optional[Mapping[str, Tuple[str, bytes, str]]] = None,
    ) -> Any:
        """The answer's JSON."""
        try:
            answer = self._session.request(
                method, self.place + path, params=query, json=body, files=files, timeout=_SECONDS, allow_redirects=False
            )
        except requests.exceptions.SSLError:
            remedy = "give the CA of its certificate with --ca, and the name that it is for"
            raise KibanaError("the certificate is not trusted", place=self.place, remedy=remedy) from None
        except (requests.RequestException, OSError) as error:
            why = f"can't be reached: {type(error).__name__}"
            raise KibanaError(why, place=self.place, remedy="check the URL and the network") from None
        if answer.status_code >= 300:
            raise self._refused(answer, path)
        try:
            return answer.json()
        except ValueError:
            remedy = "is this Kibana? Give its address with the base path (server.basePath), if it has one"
            raise KibanaError("gave no JSON", place=self.place, remedy=remedy, status=answer.status_code) from None

    def _object(self, answer: Any) -> Mapping[str, Any]:
        if not isinstance(answer, dict):
            raise KibanaError("gave JSON of another shape", place=self.place, remedy="is this Kibana?")
        return answer

    def _refused(self, answer: requests.Response, path: str) -> KibanaError:
        try:
            found = answer.json()
            reason = str(found.get("message") or found.get("error") or answer.reason)[:600]
        except (ValueError, AttributeError):
            reason = str(answer.reason)
        status = answer.status_code
        if status < 400:
            what = f"redirects {path} elsewhere"
            return KibanaError(what, place=self.place, remedy=_REMEDIES[404].format(space=self.space), status=status)
        usual = "try again later; Kibana's log says more" if status >= 500 else "see the reason"
        licence = "licen" in reason.lower()
        remedy = "this needs a higher licence; leave the step out" if licence else _REMEDIES.get(status, usual)
        what = f"{status} for {path}: {reason}"
        return KibanaError(what, place=self.place, remedy=remedy.format(space=self.space), status=status)


_REMEDIES: Mapping[int, str] = {
    401: f"give an encoded API key that is valid, in {KIBANA_KEY} or --api-key-file",
    403: "give the key Security: All (rules) and, to keep rule actions, Actions and Connectors: Read, in space {space}; "
    "integrations need Integrations: Read",
    404: "check the address: the base path (server.basePath), and that space {space} exists and shows Security",
    413: "raise xpack.securitySolution.maxRuleImportPayloadBytes, or the limit of the proxy before Kibana",
    429: "try again later",
}
