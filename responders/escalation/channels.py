"""The channels an escalation takes: JSON webhook, Slack-shaped webhook, file, stdout, and apprise where installed."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from dataclasses import dataclass, field
from typing import Any, List, Mapping, Sequence, Tuple

from responders.errors import BadInput, BadInputs, BadSettings, Unavailable
from responders.escalation.report import Channel, Report
from responders.escalation.words import as_json, summary, text
from responders.settings import Secret
from responders.vendors.webhook import may_post_to, post_json


@dataclass(frozen=True)
class Webhook:
    """POSTs the report as JSON. Any 2xx counts as delivered."""

    name: str
    url: str = field(repr=False)  # whoever knows it may post
    ca: str = ""

    def send(self, report: Report, deadline: float) -> None:
        post_json(self.url, as_json(report), deadline, ca=self.ca)


@dataclass(frozen=True)
class Slack:
    """POSTs `{"text": …}`, which Slack's incoming webhooks and their imitators take.

    Source: Slack, "Sending messages using incoming webhooks".
    """

    name: str
    url: str = field(repr=False)  # whoever knows it may post
    ca: str = ""

    def send(self, report: Report, deadline: float) -> None:
        escaped = summary(report).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        post_json(self.url, {"text": escaped}, deadline, ca=self.ca)


@dataclass(frozen=True)
class File:
    """Appends the report to a file with mode 0600, one JSON object a line."""

    name: str
    path: str

    def send(self, report: Report, deadline: float) -> None:
        data = (json.dumps(as_json(report), sort_keys=True) + "\n").encode()
        try:
            handle = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            try:
                while data:  # a write may take a part only
                    data = data[os.write(handle, data) :]
            finally:
                os.close(handle)
        except OSError as error:
            raise Unavailable(self.name, f"{self.path}: {error.strerror}. Check the folder and its rights") from error


@dataclass(frozen=True)
class Stdout:
    """Prints the report."""

    name: str = "stdout"

    def send(self, report: Report, deadline: float) -> None:
        sys.stdout.write(text(report))
        sys.stdout.flush()


@dataclass(frozen=True)
class Apprise:
    """Hands the report to apprise (e-mail, chat, paging), where that library is installed."""

    name: str
    urls: Tuple[str, ...] = field(repr=False)

    def send(self, report: Report, deadline: float) -> None:
        try:
            import apprise
        except ImportError:
            raise Unavailable(self.name, "apprise is not installed. Install it beside Tourniquet (extra: notify)") from None
        sender = apprise.Apprise()
        unknown = [str(number) for number, url in enumerate(self.urls, 1) if not sender.add(url)]
        kind = apprise.NotifyType.FAILURE if report.loud else apprise.NotifyType.INFO
        if time.monotonic() > deadline or not sender.notify(title=report.title, body=text(report), notify_type=kind):
            raise Unavailable(self.name, "apprise could not deliver to at least one of its targets")
        if unknown:
            raise Unavailable(
                self.name, f"apprise does not know its targets number {', '.join(unknown)}. Correct their URLs"
            )


def open_channels(entries: Sequence[Mapping[str, Any]]) -> Tuple[Channel, ...]:
    """Channels from the settings' `escalation` list; URLs are text or a `Secret`. Raises BadInputs with every error."""
    errors: List[BadInput] = []
    found = [channel for number, entry in enumerate(entries, 1) for channel in _open(number, entry, errors)]
    names = [channel.name for channel in found]
    if len(set(names)) != len(names):
        errors.append(BadSettings("two channels have one name", place="escalation", remedy="give each its own name"))
    if errors:
        raise BadInputs(errors)
    return tuple(found)


_MAKERS: Mapping[str, Any] = {"webhook": Webhook, "slack": Slack, "file": File, "stdout": Stdout, "apprise": Apprise}


def _open(number: int, entry: object, errors: List[BadInput]) -> List[Channel]:
    """The channel of one entry, none when something is wrong with it."""
    place, before = f"escalation[{number}]", len(errors)

    def wrong(key: str, what: str, remedy: str) -> None:
        errors.append(BadSettings(what, place=f"{place}{key}", remedy=remedy))

    if not isinstance(entry, Mapping):
        wrong("", "is no object", 'give {"type": …}')
        return []
    given = {key: _reveal(value) for key, value in entry.items()}
    kind = given.pop("type", "")
    if not isinstance(kind, str) or kind not in _MAKERS:
        wrong("", f"unknown type {str(kind)[:40]!r}", f"use one of {', '.join(_MAKERS)}")
        return []
    given.setdefault("name", f"{kind}-{number}")
    keys = [field.name for field in dataclasses.fields(_MAKERS[kind])]
    for key in sorted(set(given) - set(keys)):
        wrong("", f"unknown key {key!r}", f"the keys are type, {', '.join(keys)}")
    for key in keys:
        value = given.get(key, "")
        if not value and key in ("url", "urls", "path"):
            wrong(f".{key}", "is missing", "give it")
        elif key == "urls" and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            wrong(".urls", "must be a list of texts", "put it in square brackets")
        elif key != "urls" and not isinstance(value, str):
            wrong(f".{key}", "must be text", "correct it")
        elif key == "url" and not may_post_to(value):
            wrong(".url", "must be https", "use the webhook's https address")
        elif key == "ca" and value and not os.path.isfile(value):
            wrong(".ca", f"{value} is no file", "name a file of PEM certificates")
    if len(errors) > before:
        return []
    return [_MAKERS[kind](**{key: tuple(value) if key == "urls" else value for key, value in given.items()})]


def _reveal(value: Any) -> Any:
    if isinstance(value, list):
        return [_reveal(item) for item in value]
    return value.reveal() if isinstance(value, Secret) else value
