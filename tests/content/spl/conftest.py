"""How the tests of the SPL subset write events and run searches."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List

import pytest

from responders.content.spl import Context, run

NOW = 1_700_000_000.0
Runner = Callable[..., List[Dict[str, Any]]]


def _event(time: float = NOW, **fields: Any) -> Dict[str, Any]:
    meta = {"_time": time, "_indextime": time + 5, "index": "main", "sourcetype": "json", "source": "s", "host": "h"}
    return {**meta, "_raw": json.dumps(fields)}


@pytest.fixture
def event() -> Callable[..., Dict[str, Any]]:
    """Makes an event whose `_raw` is the keyword arguments as JSON."""
    return _event


@pytest.fixture
def spl() -> Runner:
    """Runs a search over events with macros and lookups given by keyword."""

    def runner(text: str, events: Any = (), *, macros: Any = None, lookups: Any = None, **more: Any) -> Any:
        return run(text, events, Context(macros or {}, {} if lookups is None else lookups, NOW, **more))

    return runner


@pytest.fixture
def evaluate(spl: Runner) -> Callable[..., Any]:
    """The value of an expression for an event of these fields; None where it is null.

    `given` are fields handed in beside `_raw`, as a caller does that extracts them itself.
    """

    def value(expression: str, given: Any = None, **fields: Any) -> Any:
        return spl(f"index=main | eval result={expression}", [{**_event(**fields), **(given or {})}])[0].get("result")

    return value
