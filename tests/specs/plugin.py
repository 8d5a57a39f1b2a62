"""Has every exchange of a simulator, in every test that runs one, checked against the vendor's API description.

A test that sends what no vendor takes, on purpose, says so: `@pytest.mark.off_spec("why")`.
"""

from __future__ import annotations

from typing import Dict, Iterator, List, Tuple

import pytest

from responders.drill.simulators.server import Logged, Simulator


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "off_spec(why): sends a simulator, on purpose, what its vendor would not take")


@pytest.fixture(autouse=True)
def _exchanges_follow_the_description(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    seen: Dict[int, Tuple[Simulator, List[Logged]]] = {}
    log = Simulator.log

    def watched(simulator: Simulator, entry: Logged) -> None:
        seen.setdefault(id(simulator), (simulator, []))[1].append(entry)
        log(simulator, entry)

    monkeypatch.setattr(Simulator, "log", watched)
    yield
    if not seen or request.node.get_closest_marker("off_spec"):
        return
    # Imported here: a test without a simulator does not pay for openapi-core.
    from tests.specs.checker import violations

    found = [str(text) for simulator, entries in seen.values() for text in violations(simulator, entries)]
    if found:
        pytest.fail("exchanges that differ from the vendor's description:\n" + "\n".join(found), pytrace=False)
