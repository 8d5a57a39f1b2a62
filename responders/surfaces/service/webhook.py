"""The webhook: takes an alert's id, its rule and its space, and believes nothing else.

202: the alert stands in the journal (or waits for its tag). 4xx: it was refused, and sending it again is no use. 5xx: it was
not stored, and may be sent again; the poller finds it in any case.
"""

from __future__ import annotations

import json
import re
from typing import Any, Mapping, Optional, Tuple

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from responders.errors import JournalError, VendorError
from responders.surfaces.service.config import Config
from responders.surfaces.service.index import RULE, AlertIndex, TooLarge
from responders.surfaces.service.log import Log
from responders.surfaces.service.metrics import Metrics
from responders.surfaces.service.taking import Taking
from responders.surfaces.service.webhook_auth import Door, Refusal, seconds

MOST = 16 * 1024
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
"""Kibana makes ids of alerts as hashes and UUIDs, and ours of rules are UUIDs."""
_KEYS = ("alert_id", "rule_id", "space", "at")


class Webhook:
    """Handles one request after another, from any thread."""

    def __init__(self, config: Config, index: AlertIndex, taking: Taking, log: Log, metrics: Metrics) -> None:
        self._config, self._index, self._taking = config, index, taking
        self._log, self._metrics = log, metrics
        self._door = Door(config.secrets, config.window)

    def __call__(self, request: Request) -> Response:
        try:
            status, said = self._take(request)
        except Refusal as refusal:
            self._log.warn("a webhook is refused", status=refusal.status, why=refusal.why, sender=request.remote_addr)
            status, said = refusal.status, "refused"
        except (VendorError, JournalError) as error:
            self._metrics.errors.labels("webhook").inc()
            self._log.error("an alert could not be stored: it may be sent again, and the poller finds it", why=error)
            status, said = 503, "not stored"
        self._metrics.webhooks.labels(str(status)).inc()
        response = Response(json.dumps({"result": said}) + "\n", status=status, mimetype="application/json")
        if status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="tourniquet"'
        return response

    def _take(self, request: Request) -> Tuple[int, str]:
        body = self._body(request)
        at = self._door.authenticate(request.headers, body)
        given = _read(body)
        self._door.fresh(at if at is not None else seconds(given["at"]))
        self._door.once(body)
        space = given["space"]
        if space not in self._config.spaces:
            raise Refusal(404, f"space {space[:80]!r} is none of serve.spaces")
        try:
            alert = self._index.one(space, given["alert_id"])
        except TooLarge as error:
            said = self._taking.take_unreadable(space, given["alert_id"], error.message, "webhook")
            self._door.taken(body)
            return 202, said
        if alert is None:
            raise Refusal(
                404, f"there is no alert {given['alert_id'][:80]!r} in space {space}: forged, gone, or not visible yet"
            )
        if alert.text(RULE) != given["rule_id"]:
            raise Refusal(409, f"alert {alert.id} is of another rule than the webhook says")
        said = self._taking.take(alert, "webhook")
        self._door.taken(body)
        if said == "foreign":
            raise Refusal(422, f"alert {alert.id} is of no rule of ours")
        return 202, said

    def _body(self, request: Request) -> bytes:
        try:
            body = request.get_data(cache=False)
        except HTTPException as error:
            raise Refusal(error.code or 400, f"its body can't be read: {error.name}") from None
        if len(body) > MOST:
            raise Refusal(413, f"its body is longer than {MOST} bytes")
        return body


def _read(body: bytes) -> Mapping[str, str]:
    """The four texts of a body. Raises Refusal."""
    try:
        given: Any = json.loads(body.decode("utf-8"), parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        raise Refusal(400, "its body is no JSON") from None
    if not isinstance(given, dict):
        raise Refusal(400, "its body is no object")
    found = {name: _text(given.get(name), name) for name in _KEYS}
    if not _ID.match(found["alert_id"]) or not _ID.match(found["rule_id"]):
        raise Refusal(400, "alert_id or rule_id is no id")
    return found


def _text(value: Optional[Any], name: str) -> str:
    if name == "at" and value is None:  # a signature has its own
        return ""
    if not isinstance(value, str):
        raise Refusal(400, f"{name} is missing, or no text")
    return value
