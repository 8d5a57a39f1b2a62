"""The HTTP side by itself: limits, headers, who may read metrics, and room for pages that last."""

from __future__ import annotations

import io
import json
import threading
from typing import Any, Iterator, List

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from responders.surfaces.service.app import App, Route
from responders.surfaces.service.log import Log
from responders.surfaces.service.metrics import Metrics
from responders.surfaces.service.state import routes


def app(*more: Route, log: Any = None, threads: int = 4) -> App:
    return App(more, log or Log(io.StringIO()), threads)


def test_an_error_of_ours_is_logged_and_its_text_is_told_to_nobody() -> None:
    out = io.StringIO()

    def broken(request: Request) -> Response:
        raise RuntimeError("the journal key is hunter2-hunter2")

    found = Client(app(Route("/x", broken), log=Log(out, ["hunter2-hunter2"]))).get("/x")
    assert (found.status_code, "hunter2" in found.text) == (500, False)
    [line] = [json.loads(text) for text in out.getvalue().splitlines()]
    assert (line["message"], "hunter2" in out.getvalue()) == ("internal error", False)


def test_every_answer_has_safe_headers_and_a_handler_may_set_its_own() -> None:
    def page(request: Request) -> Response:
        return Response("x", headers={"Content-Security-Policy": "default-src 'self'"})

    client = Client(app(Route("/page", page), Route("/only-post", page, ("POST",))))
    for path, status in (("/page", 200), ("/absent", 404), ("/only-post", 405)):
        found = client.get(path)
        assert found.status_code == status
        assert found.headers["X-Content-Type-Options"] == "nosniff"
        assert found.headers["Cache-Control"] == "no-store"
    assert client.get("/page").headers["Content-Security-Policy"] == "default-src 'self'"
    assert client.get("/absent").headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert client.get("/only-post").headers["Allow"] == "POST"


def test_pages_that_last_hold_half_of_the_threads_at_most_and_give_them_back() -> None:
    """The next one is told to come later, and gets in when one has gone."""
    going = threading.Event()

    def events(request: Request) -> Response:
        def parts() -> Iterator[bytes]:
            yield b"data: 1\n\n"
            going.wait(5)

        return Response(parts(), mimetype="text/event-stream", direct_passthrough=True)

    client = Client(app(Route("/events", events, lasting=True), threads=4))
    held = [client.get("/events", buffered=False) for _ in range(2)]
    assert [found.status_code for found in held] == [200, 200]
    assert client.get("/events").status_code == 503
    going.set()
    held[0].close()
    assert client.get("/events").status_code == 200


def test_a_body_longer_than_its_route_takes_is_refused_before_it_is_read() -> None:
    def take(request: Request) -> Response:
        return Response(str(len(request.get_data())))

    client = Client(app(Route("/take", take, ("POST",), most_body=10)))
    assert client.post("/take", data=b"x" * 10).text == "10"
    assert client.post("/take", data=b"x" * 11).status_code == 413


@pytest.mark.parametrize(
    ("secret", "headers", "peer", "status"),
    [
        ("", {}, "127.0.0.1", 200),
        ("", {}, "192.0.2.7", 403),
        ("", {"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", 403),
        ("s" * 32, {}, "127.0.0.1", 403),
        ("s" * 32, {"Authorization": "Bearer " + "s" * 31}, "127.0.0.1", 403),
        ("s" * 32, {"Authorization": "Bearer " + "s" * 32}, "192.0.2.7", 200),
    ],
)
def test_metrics_are_for_this_machine_or_for_who_has_the_secret(secret: str, headers: Any, peer: str, status: int) -> None:
    """They tell an attacker that he was seen."""
    found: List[Route] = routes(Unready(), Metrics(), secret)  # type: ignore[arg-type]
    client = Client(app(*found))
    answer = client.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": peer})
    assert answer.status_code == status
    assert client.get("/healthz").status_code == 200
    assert (client.get("/readyz").status_code, client.get("/readyz").text) == (503, "it is dark\n")


class Unready:
    """Never ready."""

    def unready(self) -> List[str]:
        return ["it is dark"]
