"""The class that splunkd's persistent process makes; its base class comes from Splunk's own Python."""

from __future__ import annotations

from typing import Any, Dict

from responders.surfaces.splunk_rest.dispatch import handle


def handler_on(base: Any, app_home: str) -> Any:
    """A handler class over Splunk's `PersistentServerConnectionApplication`. `app_home` is the app's folder."""

    class TourniquetHandler(base):  # type: ignore[misc]
        """splunkd calls `handle` with the request as JSON, and takes back status, payload and headers."""

        def __init__(self, command_line: str, command_arg: str) -> None:
            super().__init__()

        def handle(self, in_string: Any) -> Dict[str, Any]:
            text = in_string.decode("utf-8", "replace") if isinstance(in_string, bytes) else str(in_string)
            return handle(text, app_home)

    return TourniquetHandler
