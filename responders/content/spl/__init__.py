"""A subset of SPL, read by a grammar and run in memory, so that detections can be tested without Splunk.

Searches are evaluated by a subset interpreter, not by Splunk: docs/spl.md says what it does and which page of Splunk's
documentation each rule follows.
"""

from __future__ import annotations

from responders.content.spl.engine import Context, Search, parse, run
from responders.content.spl.errors import SplError
from responders.content.spl.macros import Macro

__all__ = ["Context", "Macro", "Search", "SplError", "parse", "run"]
