"""A vendor, or a proxy before it, in the attacker's hands: it gets no credential, no endless work, no green outcome."""

from __future__ import annotations

import contextlib
import time
from typing import Any, Callable, Iterator, Tuple

import pytest

from responders.drill.simulators.server import Answer, Request, Simulator
from responders.drill.world import World
from responders.errors import BadAnswer, TourniquetError, VendorError
from responders.vendors.base import MAX_PAGES
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits
from tests.actions.cases import CASES, action_of
from tests.actions.test_every_action import Made
from tests.support import step_of

pytestmark = pytest.mark.off_spec("answers that no vendor gives, on purpose")
LIMITS = Limits(total=3.0, attempt=2.0, retries=0)
Twist = Callable[[Request, Answer], Answer]


@pytest.fixture
def made(request: pytest.FixtureRequest, world: World) -> Iterator[Made]:
    case = CASES[request.param](world)
    action, step = step_of(action_of(request.param), case.account, *case.evidence)
    simulator = {"okta": world.okta, "entra": world.graph, "cyberark": world.cyberark}[action.vendor]
    pool = ClientPool(world.connections, limits=LIMITS)
    api: Any = pool.get(case.account.vendor, case.account.tenant)
    api.warm()
    yield Made(action, step, case, api, simulator, world)
    pool.close()


@pytest.fixture
def elsewhere() -> Iterator[Simulator]:
    """Another host, which must hear of nothing."""
    with Simulator() as found:
        yield found


every = pytest.mark.parametrize("made", sorted(CASES), indirect=True)


def twist(simulator: Simulator, change: Twist) -> None:
    """From now on every answer to a read is changed like this."""
    honest = simulator.serve

    def serve(request: Request) -> Answer:
        answer = honest(request)
        return change(request, answer) if request.method == "GET" else answer

    simulator.serve = serve  # type: ignore[method-assign]


def leads_to(url: str) -> Twist:
    """The answer with a next page at `url`, in each vendor's own form."""

    def change(request: Request, answer: Answer) -> Answer:
        body = answer.body
        if isinstance(body, dict) and any(isinstance(value, list) for value in body.values()):
            body = {**body, "@odata.nextLink": url, "nextLink": url, "_links": {"next": {"href": url}}}
        return Answer(answer.status, body, {**answer.headers, "Link": f'<{url}>; rel="next"'})

    return change


def read(made: Made) -> None:
    """A check, which may fail in any way that the engine knows."""
    with contextlib.suppress(TourniquetError):
        made.action.check(made.api, made.step)


@every
def test_a_next_page_elsewhere_gets_no_credential(made: Made, elsewhere: Simulator) -> None:
    """A next link to another host, in a header or a body, is not followed."""
    twist(made.simulator, leads_to(elsewhere.url + "/v1.0/users?$skiptoken=1"))
    read(made)
    assert elsewhere.requests == []


@every
def test_a_redirect_gets_no_credential(made: Made, elsewhere: Simulator) -> None:
    """A redirect is an error, and nothing is sent after it."""
    twist(made.simulator, lambda request, answer: Answer(302, None, {"Location": elsewhere.url + "/x"}))
    with pytest.raises(VendorError):
        made.action.check(made.api, made.step)
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "made", ["okta.revoke_grants", "entra.quarantine_group", "cyberark.remove_safe_member"], indirect=True
)
def test_pages_without_end_come_to_an_end(made: Made) -> None:
    """A list whose every page leads to itself is given up, and is no proof of anything."""

    def change(request: Request, answer: Answer) -> Answer:
        separator = "&" if "?" in request.path else "?"
        return leads_to(f"{made.simulator.url[: -len(made.simulator.prefix) or None]}{request.path}{separator}x=1")(
            request, answer
        )

    twist(made.simulator, change)
    start = time.monotonic()
    with pytest.raises(BadAnswer, match=f"more than {MAX_PAGES} pages"):
        made.action.check(made.api, made.step)
    assert time.monotonic() - start < 20


SHAPES: Tuple[Any, ...] = (None, 7, "x", [7], {}, {"value": 7}, {"value": [7]}, {"id": []})


@every
def test_an_answer_of_another_shape_is_never_contained(made: Made) -> None:
    """Whatever stands there in place of an object or a list: an error that says so, and never "contained"."""
    for body in SHAPES:
        twist(made.simulator, lambda request, answer, body=body: Answer(200, body))  # type: ignore[misc]
        try:
            state = made.action.check(made.api, made.step)
        except (TourniquetError, KeyError, TypeError, ValueError, AttributeError):
            continue  # the lane tells the latter as "an answer of another shape"
        assert not state.contained, body
