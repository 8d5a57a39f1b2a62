"""The little that must be known before splunkd can be asked: read from etc/system/local, where an administrator sets it."""

from __future__ import annotations

import os
from typing import Dict

from responders.splunk.splunkd import SplunkError


def stanza(splunk_home: str, conf: str, name: str) -> Dict[str, str]:
    """A stanza of etc/system/local/CONF.conf, empty without one. Raises SplunkError for a file that can't be read."""
    found: Dict[str, str] = {}
    here = ""
    path = os.path.join(splunk_home, "etc", "system", "local", f"{conf}.conf")
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            for line in handle:
                text = line.strip()
                if text.startswith("["):
                    here = text.strip("[]")
                elif here == name and "=" in text and not text.startswith("#"):
                    key, _, value = text.partition("=")
                    found[key.strip()] = value.strip()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SplunkError(f"{path}: {error.strerror}. Give Splunk's user the right to read it") from None
    return found


def management_uri(splunk_home: str) -> str:
    """Where splunkd's management port is: a scripted input is not told.

    Source: web.conf.spec, [settings] mgmtHostPort (default 127.0.0.1:8089); server.conf.spec, [sslConfig] enableSplunkdSSL.
    """
    place = stanza(splunk_home, "web", "settings").get("mgmtHostPort") or "127.0.0.1:8089"
    plain = stanza(splunk_home, "server", "sslConfig").get("enableSplunkdSSL", "").lower() in ("0", "false")
    host, _, port = place.rpartition(":")
    return f"{'http' if plain else 'https'}://{'127.0.0.1' if host in ('', '0.0.0.0') else host}:{port}"  # noqa: S104
