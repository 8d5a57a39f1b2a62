"""The channels an escalation takes: JSON webhook, Slack-shaped webhook, file, stdout, and apprise where installed."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from typing import Any, List, Mapping, Sequence, Tuple

from responders.errors import BadInput, BadInputs, BadSettings, Unavailable
from responders.escalation.report import Channel, Report
from responders.escalation.words import as_json, summary, text
from responders.vendors.webhook import post_json


@dataclass(frozen=True)
class Webhook:
    """POSTs the report as JSON. Any 2xx counts as delivered."""

    name: str
    url: str
    ca: str = ""

    def send(self, report: Report, deadline: float) -> None:
        post_json(self.url, as_json(report), deadline, ca=self.ca)


@dataclass(frozen=True)
class Slack:
    """POSTs `{"text": …}`, which Slack's incoming webhooks and their imitators take.

    Source: Slack, "Sending messages using incoming webhooks".
    """

    name: str
    url: str
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
                os.write(handle, data)
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
    urls: Tuple[str, ...]

    def send(self, report: Report, deadline: float) -> None:
        import apprise

        sender = apprise.Apprise()
        for url in self.urls:
            sender.add(url)
        kind = apprise.NotifyType.FAILURE if report.loud else apprise.NotifyType.INFO
        if time.monotonic() > deadline or not sender.notify(title=report.title, body=text(report), notify_type=kind):
            raise Unavailable(self.name, "apprise could not deliver to at least one of its targets")


def open_channels(entries: Sequence[Mapping[str, Any]]) -> Tuple[Channel, ...]:
    """Channels from the settings' `escalation` list. Raises BadInputs with every wrong entry."""
    found: List[Channel] = []
    errors: List[BadInput] = []
    makers = {"webhook": Webhook, "slack": Slack, "file": File, "stdout": Stdout, "apprise": Apprise}
    for number, entry in enumerate(entries, 1):
        place = f"escalation[{number}]"
        given = dict(entry)
        kind = str(given.pop("type", ""))
        if kind not in makers:
            errors.append(BadSettings(f"unknown type {kind!r}", place=place, remedy=f"use one of {', '.join(makers)}"))
            continue
        given.setdefault("name", f"{kind}-{number}")
        if "urls" in given:
            given["urls"] = tuple(given["urls"])
        try:
            found.append(makers[kind](**given))
        except TypeError as error:
            errors.append(BadSettings(str(error), place=place, remedy="see docs/settings.md, escalation"))
    names = [channel.name for channel in found]
    if len(set(names)) != len(names):
        errors.append(BadSettings("two channels have one name", place="escalation", remedy="give each its own name"))
    if errors:
        raise BadInputs(errors)
    return tuple(found)
