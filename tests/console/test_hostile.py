"""Whatever is sent to a form or an address: answered, escaped, and nobody is contained for it."""

from __future__ import annotations

from typing import Mapping
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from responders.console.settings import ROLES
from responders.errors import BadInputs
from responders.settings import ElasticSettings
from responders.surfaces.service.config import read_config
from tests.console.house import CONSOLE, House

MARK = "<xmp>"
"""No page of ours holds it: where it shows, something was not escaped."""
text = st.text(max_size=60).map(lambda value: value + MARK) | st.sampled_from(
    [
        "",
        "policy",
        "restrict",
        "revoke",
        "preview",
        "contain",
        "halt",
        "c-0000000000000000",
        "okta:default:x",
        "default",
        "\x00",
    ]
)
fields = st.dictionaries(
    st.sampled_from(
        ["who", "space", "alert", "tier", "reason", "do", "action", "request", "draft", "next", "user", "credential"]
    ),
    text,
    max_size=8,
)
paths = st.sampled_from(
    ["contain", "halt", "policy", "containment/c-0000000000000000/restore", "sign-in", "journal"]
) | text.map(lambda value: "containment/" + quote(value, safe="") + "/restore")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(path=paths, form=fields)
def test_any_form(house: House, path: str, form: Mapping[str, str]) -> None:
    """No internal error, nothing unescaped, nothing done at a vendor."""
    before = house.office.changes()
    house.site.posts.forget("nora")
    guest = house.signed_in(*ROLES)
    if form.get("do") in ("halt", "contain") or path == "journal":  # a real click, which other tests are about
        guest.csrf = "not of this session"
    answer = guest.post(f"/console/{path}", form)
    known = (200, 303, 308, 400, 403, 404, 405) if path != "sign-in" else (403, 503)  # there is no Elasticsearch here
    assert answer.status_code in known, answer.status_code
    assert MARK not in answer.text
    assert house.office.changes() == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(path=text, query=st.dictionaries(st.sampled_from(["find", "who", "space", "alert", "next"]), text, max_size=3))
def test_any_address(house: House, path: str, query: Mapping[str, str]) -> None:
    """Pages and strangers' pages alike."""
    address = f"/console/{quote(path, safe='')}?" + "&".join(f"{name}={quote(value)}" for name, value in query.items())
    for guest in (house.signed_in(*ROLES), house.guest()):
        for start in (
            address,
            address.replace(quote(path, safe=""), "contain", 1),
            f"/console/sign-in?{address.partition('?')[2]}",
        ):
            answer = guest.get(start, **{"Sec-Fetch-Site": "cross-site"})
            assert answer.status_code in (200, 303, 403, 404, 308), (start, answer.status_code)
            assert MARK not in answer.text


def test_no_form_ended_in_an_internal_error(house: House) -> None:
    """What the log says of all that."""
    assert [line for line in house.said() if line["message"] == "internal error"] == []


@pytest.mark.parametrize(
    ("given_console", "place"),
    [
        ({"roles": {}}, "serve.console.roles"),
        ({"roles": {"admin": ["x"]}}, "serve.console.roles"),
        ({**CONSOLE, "origin": "http://tq.corp.example"}, "serve.console.origin"),
        ({**CONSOLE, "tenant": "a:b"}, "serve.console.tenant"),
        ({**CONSOLE, "idle": 1}, "serve.console.idle"),
        ({**CONSOLE, "origins": []}, "serve.console"),
        ({}, "serve.console"),
    ],
)
def test_wrong_settings_are_told_with_their_place(given_console: Mapping[str, object], place: str) -> None:
    """Before the service starts."""
    with pytest.raises(BadInputs) as error:
        read_config({"console": given_console}, "settings.json", (), ElasticSettings(("http://127.0.0.1:9200",)))
    assert f"settings.json: {place}" in str(error.value)
