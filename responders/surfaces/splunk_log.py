"""Where we are in a Splunk, and the log of what it starts, `var/log/splunk/…`, which Splunk itself indexes in `_internal`.

No secret and no raw control character gets into it.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Dict, Optional

from responders.escalation.words import clean

ACTION = "tourniquet_contain"


def splunk_home(app_home: str) -> str:
    """This Splunk's folder; `app_home` is the app's, in etc/apps."""
    return os.environ.get("SPLUNK_HOME") or os.path.abspath(os.path.join(app_home, "..", "..", ".."))


def var_folder(app_home: str) -> str:
    """Where the app keeps its files: `$SPLUNK_HOME/var/lib/tourniquet`. No update of the app touches it."""
    return os.path.join(splunk_home(app_home), "var", "lib", "tourniquet")


def log_path(app_home: str, name: str) -> Optional[str]:
    """`var/log/splunk/NAME` of this Splunk, None outside of one."""
    folder = os.path.join(splunk_home(app_home), "var", "log", "splunk")
    return os.path.join(folder, name) if os.path.isdir(folder) else None


class Log:
    """Lines in the form of Splunk's adaptive response framework, to the file `path` and to stderr.

    Source: Splunk, "Create an adaptive response action": `sendmodaction - … action_status=…`.
    """

    def __init__(self, path: Optional[str], action: str = ACTION) -> None:
        self._path, self._action = path, action

    def write(
        self, search: str, sid: str, status: str, message: str, *, rid: str = "", orig_sid: str = "", orig_rid: str = ""
    ) -> None:
        """What became of one alert."""
        fields: Dict[str, str] = {
            "signature": message,
            "action_name": self._action,
            "search_name": search,
            "sid": sid,
            "rid": rid,
            "orig_sid": orig_sid,
            "orig_rid": orig_rid,
            "action_mode": "saved" if sid.startswith("scheduler") else "adhoc",
            "action_status": status,
        }
        self.say("INFO" if status == "success" else "ERROR", "sendmodaction", fields)

    def say(self, level: str, what: str, fields: Dict[str, str]) -> None:
        """One line of `name="value"`; empty values are left out."""
        words = " ".join(f'{name}="{clean(value).replace(chr(34), chr(39))}"' for name, value in fields.items() if value)
        stamp = time.strftime("%Y-%m-%d %H:%M:%S,000+0000", time.gmtime())
        line = f"{stamp} {level} {what} - {words}\n"
        sys.stderr.write(f"{level} {line}")
        if self._path is None:
            return
        try:
            with open(self._path, "a", encoding="utf-8") as handle:
                handle.write(line)
        except OSError as error:  # splunkd keeps stderr, and a full disk must not keep anybody from being contained
            sys.stderr.write(f"WARN {self._path} can't be written: {error}\n")
