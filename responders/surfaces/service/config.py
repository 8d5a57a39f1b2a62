"""The section `serve` of the settings: read against its schema, everything that is wrong said at once."""

from __future__ import annotations

import json
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Collection, List, Mapping, Optional, Tuple, Union

import jsonschema

from responders.console.settings import ConsoleSettings, console_settings
from responders.errors import BadInput, BadInputs, BadSettings
from responders.settings import ElasticSettings, Secret, read_secret, sound_url

SCHEMA: Mapping[str, Any] = json.loads((Path(__file__).parent / "config.schema.json").read_text("utf-8"))
LONGEST_STOP = 30.0
"""Seconds that a stop waits for containments under way: a little more than one's deadline."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SHORTEST_SECRET = 32


@dataclass(frozen=True)
class KibanaSettings:
    """Where Kibana is: https (http to loopback only), an encoded API key, a private CA's file."""

    url: str
    api_key: Secret
    ca: str = ""


@dataclass(frozen=True)
class Baseline:
    """Who may write what is usual, and how often (seconds)."""

    api_key: Secret
    every: float


@dataclass(frozen=True)
class Config:
    """What the service is started with. Times in seconds; `wait_for_tag` is None for all detections."""

    host: str
    port: int
    certificate: str
    key: str
    threads: int
    elasticsearch: ElasticSettings
    kibana: Optional[KibanaSettings]
    spaces: Tuple[str, ...]
    secrets: Tuple[Secret, ...]
    window: float
    every: float
    overlap: float
    look_back: float
    wait_for_tag: Optional[Tuple[str, ...]]
    workers: int
    metrics_secret: Optional[Secret] = None
    baseline: Optional[Baseline] = None
    console: Optional[ConsoleSettings] = None

    def waits(self, detection: str) -> bool:
        """True when alerts of this detection wait for the tag."""
        return self.wait_for_tag is None or detection in self.wait_for_tag


def read_config(given: Any, place: str, detections: Collection[str], elasticsearch: Optional[ElasticSettings]) -> Config:
    """The service's settings; `place` is the settings file, paths are relative to it. Raises BadInputs with all errors."""
    where = f"{place}: serve"
    if given is None:
        raise BadInputs([_bad(where, "is missing", "docs/elastic_service.md has an example; {} is enough to begin with")])
    validator = jsonschema.Draft202012Validator(SCHEMA)
    found = sorted(validator.iter_errors(given), key=lambda error: [str(part) for part in error.absolute_path])
    if found:
        raise BadInputs([_bad(where + _path(error), *_said(error)) for error in found])
    return _Reader(where, os.path.dirname(os.path.abspath(place))).config(given, detections, elasticsearch)


class _Reader:
    """What a schema can't say: secrets, files, and what must go together."""

    def __init__(self, place: str, folder: str) -> None:
        self.place, self.folder = place, folder
        self.errors: List[BadInput] = []

    def config(
        self, given: Mapping[str, Any], detections: Collection[str], elasticsearch: Optional[ElasticSettings]
    ) -> Config:
        host, _, port = str(_get(given, "listen")).rpartition(":")
        host = host.strip("[]")
        tls = given.get("tls", {})
        if not tls and host not in _LOOPBACK:
            self.error("listen", "is not loopback, and there is no `tls`", "give tls, or listen on 127.0.0.1 behind a proxy")
        if int(port) > 65535:
            self.error("listen", "has no such port", "use one from 1 to 65535")
        certificate, key = self.file(tls, "certificate", "tls"), self.file(tls, "key", "tls")
        if certificate and key:
            self.pair(certificate, key)
        webhook, poll = given.get("webhook", {}), given.get("poll", {})
        secrets = tuple(self.webhook_secret(item, number) for number, item in enumerate(webhook.get("secrets", ()), 1))
        config = Config(
            host=host,
            port=int(port),
            certificate=certificate,
            key=key,
            threads=_get(given, "threads"),
            elasticsearch=elasticsearch or ElasticSettings(()),
            kibana=self.kibana(given["kibana"]) if "kibana" in given else None,
            spaces=tuple(_get(given, "spaces")),
            secrets=tuple(found for found in secrets if found is not None),
            window=_get(webhook, "window", "webhook"),
            every=_get(poll, "every", "poll"),
            overlap=_get(poll, "overlap", "poll"),
            look_back=_get(poll, "look_back", "poll"),
            wait_for_tag=self.waiting(_get(given, "wait_for_tag"), detections),
            workers=_get(given, "workers"),
            metrics_secret=self.secret(given["metrics"]["secret"], "metrics.secret") if "metrics" in given else None,
            baseline=self.baseline(given["baseline"]) if "baseline" in given else None,
            console=self.console(given["console"], bool(tls)) if "console" in given else None,
        )
        if elasticsearch is None:
            where = self.place.rpartition(":")[0]
            self.errors.append(_bad(f"{where}: elasticsearch", "is missing: there the alerts are", "docs/settings.md"))
        if self.errors:
            raise BadInputs(self.errors)
        return config

    def error(self, name: str, what: str, remedy: str) -> None:
        self.errors.append(_bad(f"{self.place}.{name}", what, remedy))

    def kibana(self, given: Mapping[str, Any]) -> KibanaSettings:
        if not sound_url(given["url"], True):
            self.error("kibana.url", f"{given['url']} is not https", "use https: the key goes over it")
        key = self.secret(given["api_key"], "kibana.api_key") or Secret("")
        return KibanaSettings(given["url"].rstrip("/"), key, self.file(given, "ca", "kibana"))

    def baseline(self, given: Mapping[str, Any]) -> Baseline:
        key = self.secret(given["api_key"], "baseline.api_key") or Secret("")
        return Baseline(key, _get(given, "every", "baseline"))

    def console(self, given: Mapping[str, Any], https: bool) -> Optional[ConsoleSettings]:
        try:
            return console_settings(given, SCHEMA["properties"]["console"]["properties"], https)
        except ValueError as error:
            self.error("console.origin", str(error), "give https://host[:port], as browsers show it")
            return None

    def secret(self, given: Any, name: str) -> Optional[Secret]:
        try:
            return read_secret(given, f"{self.place}.{name}", self.folder)
        except BadInputs as error:
            self.errors.extend(error.errors)
            return None

    def webhook_secret(self, given: Any, number: int) -> Optional[Secret]:
        name = f"webhook.secrets[{number}]"
        found = self.secret(given, name)
        if found is not None and len(found.reveal()) < _SHORTEST_SECRET:
            self.error(name, f"is shorter than {_SHORTEST_SECRET} characters", "make one: openssl rand -hex 32")
            return None
        return found

    def file(self, given: Mapping[str, Any], name: str, part: str) -> str:
        if name not in given:
            return ""
        path = os.path.join(self.folder, os.path.expanduser(given[name]))
        if not os.path.isfile(path):
            self.error(f"{part}.{name}", f"{path} is no file", "name a file of PEM text")
            return ""
        return path

    def pair(self, certificate: str, key: str) -> None:
        if os.stat(key).st_mode & 0o077:
            self.error("tls.key", f"{key} can be read by others", f"chmod 600 {key}")
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
        except (OSError, ValueError) as error:  # SSLError is an OSError
            self.error(
                "tls",
                f"can't be used: {getattr(error, 'reason', '') or error}",
                "give a certificate and its key, no password",
            )

    def waiting(self, given: Union[str, List[str]], detections: Collection[str]) -> Optional[Tuple[str, ...]]:
        if given == "all":
            return None
        for name in sorted(set(given) - set(detections)):  # a slip of the pen would act where nobody expects it
            self.error("wait_for_tag", f"there is no detection {name!r}", "docs/detections.md lists them")
        return tuple(given)


def _get(given: Mapping[str, Any], name: str, part: str = "") -> Any:
    known: Mapping[str, Any] = SCHEMA["properties"]
    if part:
        known = known[part]["properties"]
    return given.get(name, known[name]["default"])


def _path(error: Any) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)


def _said(error: Any) -> Tuple[str, str]:
    """What is wrong, without the value (somebody may have put a secret there), and what to do."""
    about = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    remedy = f"It is: {about}" if about else "docs/elastic_service.md has an example"
    if error.validator == "additionalProperties":
        strange = sorted(set(error.instance) - set(error.schema.get("properties", {})))
        return f"unknown key {', '.join(map(repr, strange))}", f"the keys are {', '.join(error.schema['properties'])}"
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"{', '.join(missing)} is missing", "docs/elastic_service.md has an example"
    return f"does not fit ({error.validator} {json.dumps(error.validator_value)[:120]})", remedy


def _bad(place: str, what: str, remedy: str) -> BadSettings:
    return BadSettings(what, place=place, remedy=remedy)
