"""Whom the app trusts to be its own splunkd.

An alert action is told `server_uri`, which is an address of this machine, that of the splunkd that started it: while that
one runs, nobody else has the port. Its certificate is by default one that Splunk made, in a name that is not the address, so
that nothing can be checked against it, and Splunk's own clients check nothing either (server.conf.spec, [sslConfig]
sslVerifyServerCert, default false). So on this machine a certificate is checked when the administrator asks for it with that
same setting in etc/system/local/server.conf: then it must come from a CA in `sslRootCAPath`. Anywhere else it is always
checked, with its name.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from urllib.parse import urlsplit

from responders.splunk.local_conf import stanza
from responders.splunk.splunkd import SplunkError

_YES = ("1", "true", "t", "yes", "y")


def context_for(uri: str, splunk_home: str) -> ssl.SSLContext:
    """How to speak TLS to the splunkd at `uri`. Raises SplunkError for http elsewhere than loopback."""
    parts = urlsplit(uri)
    local = _own(parts.hostname or "")
    if parts.scheme != "https" and not local:
        raise SplunkError(f"{uri[:200]} is neither https nor loopback: the session key would go out in the clear")
    asked = stanza(splunk_home, "server", "sslConfig")
    verify = asked.get("sslVerifyServerCert", "").lower() in _YES
    path = asked.get("sslRootCAPath", "").replace("$SPLUNK_HOME", splunk_home)
    if local and not verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        context = ssl.create_default_context(cafile=path or None)
    except OSError as error:
        raise SplunkError(f"server.conf [sslConfig] sslRootCAPath = {path}: {error.strerror or error}. Correct it") from None
    context.check_hostname = not local
    return context


def _own(host: str) -> bool:
    """True for an address of this machine: loopback, or one to which a socket can be bound (web.conf mgmtHostPort)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    if address.is_loopback or address.is_unspecified:
        return address.is_loopback
    try:
        with socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET) as own:
            own.bind((host, 0))
            return True
    except OSError:
        return False
