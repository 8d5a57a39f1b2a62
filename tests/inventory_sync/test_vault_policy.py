"""What a Vault policy gives power over: as a real OpenBao decides, whatever way it is written, and never missed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from responders.drill.openbao import OpenBao
from responders.inventory.sync.gather import Gathered
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.run import How
from responders.inventory.sync.vault_policy import Unreadable, capabilities, power, rules
from responders.inventory.sync.vendors import read_all
from responders.settings import Connection, Secret


def rule(path: str, *allowed: str) -> str:
    return f"path {json.dumps(path)} {{\n  capabilities = {json.dumps(list(allowed))}\n}}\n"


@pytest.mark.parametrize(
    "path",
    ["*", "sys/*", "sys/policies/+/*", "sys/pol*", "+/policies/acl/admins", "sys/policies/acl/admins", "sys/+/ldap",
     "sys/auth/team/ldap", "identity/*", "identity/entity/id/{{identity.entity.id}}", "identity/entity/*",
     "/identity/entity",
     "identity/group/name/{{identity.entity.name}}-team", "auth/*", "auth/+/users/*", "auth/team/ldap/groups/admins",
     "auth/approle/role/billing", "auth/userpass/users/{{identity.entity.name}}", "auth/userpass/users/*", "+/+/+/+"],
)  # fmt: skip
@pytest.mark.parametrize("allowed", ["update", "create", "patch", "sudo"])
def test_who_may_write_policies_logins_or_identities_has_power(path: str, allowed: str) -> None:
    """By a glob, a wildcard, a template or the path itself, with any of the rights that write."""
    assert power(rule(path, "read", allowed)).others
    assert not power(rule(path, "read", "list")).others


@pytest.mark.parametrize(
    "path",
    ["secret/*", "identity/lookup/entity", "identity/oidc/introspect", "auth/token/lookup-self", "auth/token/create",
     "auth/approle/role/billing/secret-id", "auth/userpass/users/{{identity.entity.name}}/password", "sys/wrapping/wrap",
     "sys/leases/renew", "kv/data/+/*", "sys/policies/acl", "system/*", "identity/entity/id/*/x", "+/auth", "a+/*"],
)  # fmt: skip
def test_who_may_write_elsewhere_has_none(path: str) -> None:
    """Secrets, look-ups, one's own password and token."""
    assert not power(rule(path, "create", "update")).others


def test_power_over_tokens_needs_sudo() -> None:
    """Anybody may make a child of his own token; with sudo one of any policy."""
    assert not power(rule("auth/token/*", "update")).entities
    assert power(rule("auth/token/create", "update", "sudo")).others


def test_the_rule_that_fits_best_decides() -> None:
    """A deny that stands nearer takes the power away, one that is farther does not, and of one path deny wins."""
    assert not power(rule("identity/*", "update") + rule("identity/*", "deny")).others
    assert power(rule("identity/*", "deny") + rule("identity/entity/id/{{identity.entity.id}}", "update")).entities
    denied = "".join(rule(path, "deny") for path in ("identity/*", "sys/*", "auth/*"))
    assert not power(rule("*", "update", "sudo") + denied).others
    assert power(rule("*", "update") + denied.replace("auth/*", "auth/a*")).others
    assert power(rule("+/*", "update") + rule("identity/+/*", "deny") + rule("auth/+", "deny")).others


@pytest.mark.parametrize(
    "text",
    ['{"path": {"sys/policies/acl/*": {"capabilities": ["update"]}}}',
     '{"path": [{"secret/*": {"capabilities": ["read"]}}, {"sys/*": {"policy": "write"}}]}',
     'path "identity/*" { policy = "write" }',
     'path "identity/*" { # "capabilities = []"\n capabilities /* x */ = [ "read",\n "update", ] // no\n }',
     'path "identity/*" { allowed_parameters = { "*" = [] }\n capabilities = ["update"] }',
     'name = "x"\npath "\\u0069dentity/*" { capabilities = ["update"] }',
     'path "identity/*" { comment = <<EOT\n}\nEOT\n capabilities = ["update"] }'],
)  # fmt: skip
def test_however_it_is_written(text: str) -> None:
    """JSON, the old form, comments, parameters before the capabilities, escapes, lines of text."""
    assert power(text).others


@pytest.mark.parametrize(
    "text", ['path "a" {', "path {}", '{"path": 7}', "{" * 9999, 'path "a" { capabilities = [7, {}] }', "\0"]
)
def test_what_can_not_be_read_counts_as_power(text: str) -> None:
    """Vault took it, so it says something: rather too much than none."""
    assert power(text) == power(rule("*", "update"))


ASKED = (
    "sys/policies/acl/x", "sys/policies/acl/admins", "identity/entity/id/x", "identity/entity", "auth/x/users/id",
    "auth/x/role/x", "sys/auth/x", "identity/x", "x/x/x", "sys", "auth/acl/users/x",
)  # fmt: skip


def general(path: str, wild: List[bool], cut: int, end: str) -> str:
    """A pattern like this path: some segments any, the last letters away."""
    segments = ["+" if any_ else segment for segment, any_ in zip(path.split("/"), [*wild, *[False] * 9])]
    whole = "/".join(segments)
    return whole[: max(1, len(whole) - cut)] + end


ENDS = ["", "*", "/*"]
PATTERNS = st.builds(
    general, st.sampled_from(ASKED), st.lists(st.booleans(), max_size=4), st.integers(0, 12), st.sampled_from(ENDS)
).filter(lambda pattern: "+*" not in pattern and pattern.strip("/") != "")  # fmt: skip
ALLOWED = st.lists(st.sampled_from(["create", "read", "update", "deny", "sudo"]), min_size=1, max_size=2)
POLICIES = st.lists(st.tuples(PATTERNS, ALLOWED), min_size=1, max_size=8)
NAMES = st.lists(st.sampled_from(["acl", "id", "users", "x", "admins"]), min_size=1, max_size=4)


@given(POLICIES, NAMES.map("/".join))
@example([("+/policies/acl/*", ["update"]), ("sys/policies/*", ["deny"])], "x")
def test_no_power_is_missed(policy: Any, more: str) -> None:
    """Whatever a policy allows at one path of the kind, the policy as a whole is told to have."""
    text = "".join(rule(path, *allowed) for path, allowed in policy)
    found = rules(text)
    write = {"create", "update", "sudo"}
    name = more.partition("/")[0]
    for path in (f"sys/policies/acl/{name}", f"identity/entity/id/{name}", f"auth/x/users/{name}", f"sys/auth/{more}"):
        if capabilities(found, path) & write:
            assert power(text).others
            assert power(text).entities or not path.startswith("identity/")


@given(st.text(alphabet='path"{}[]=,:/*#\\\n <+-EOTcabilt$', max_size=60))
@example('path "a" { capabilities = ["read"] }')
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else is raised."""
    try:
        found = rules(text)
    except Unreadable:
        assert power(text).others
    else:
        assert isinstance(found, dict)


@pytest.mark.engine("openbao")
def test_a_real_openbao_decides_the_same(openbao: OpenBao) -> None:
    """Which rule decides of a path: our reading of a hundred policies against its own."""

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
    @given(POLICIES)
    @example([("sys/+/x", ["read"]), ("sys/*", ["update"])])
    @example([("x/+/+", ["read"]), ("x/+/x", ["update"])])
    @example([("x/+/x*", ["read"]), ("x/+/*", ["update"])])
    @example([("x/+/x", ["read"]), ("+/x/x", ["update"]), ("x/x/x", ["create"]), ("x/x/*", ["deny"])])
    @example([("sys/", ["read"]), ("/sys", ["update"]), ("+", ["create"]), ("sys*", ["deny"])])
    def compare(policy: List[Any]) -> None:
        text = "".join(rule(path, *allowed) for path, allowed in policy)
        openbao.request("PUT", "sys/policies/acl/tried", {"policy": text})
        made: Dict[str, Any] = openbao.request(
            "POST", "auth/token/create", {"policies": ["tried"], "no_default_policy": True, "ttl": "1m"}
        )
        asked = {"token": made["auth"]["client_token"], "paths": list(ASKED)}
        told = openbao.request("POST", "sys/capabilities", asked)
        found = rules(text)
        for path in ASKED:
            assert sorted(capabilities(found, path)) == sorted(set(told[path]) - {"deny"}), (path, text)

    compare()


@pytest.mark.engine("openbao")
def test_an_entity_that_may_write_itself_proves_nothing_by_its_metadata(openbao: OpenBao, tmp_path: Path) -> None:
    """It could take the employee number of anybody, and any policy: it is privileged, and its number is its own word. What
    its group may do counts as well. Of others the metadata is an administrator's."""
    bao = openbao
    bao.request("POST", "sys/auth/userpass", {"type": "userpass"})
    accessor = bao.request("GET", "sys/auth")["data"]["userpass/"]["accessor"]
    me = rule("identity/entity/id/{{identity.entity.id}}", "update")
    bao.request("PUT", "sys/policies/acl/me", {"policy": me})
    bao.request("PUT", "sys/policies/acl/admin", {"policy": rule("sys/policies/+/*", "update")})
    ids = {}
    for name, policies in (("mallory", ["me"]), ("alice", []), ("carol", [])):
        bao.request("POST", f"auth/userpass/users/{name}", {"password": "x"})
        made = {
            "name": f"e-{name}",
            "policies": policies,
            "metadata": {"employee_number": "7", "environment": "non-production"},
        }
        ids[name] = bao.request("POST", "identity/entity", made)["data"]["id"]
        alias = {"name": name, "canonical_id": ids[name], "mount_accessor": accessor}
        bao.request("POST", "identity/entity-alias", alias)
    bao.request("POST", "identity/group", {"name": "admins", "policies": ["admin"], "member_entity_ids": [ids["carol"]]})
    token = bao.request("POST", "auth/userpass/login/mallory", {"password": "x"})["auth"]["client_token"]
    bao.request("POST", f"identity/entity/id/{ids['mallory']}", {"policies": ["me", "admin"]}, token)  # so it is
    connection = Connection("vault", "prod", bao.url, {"token": Secret(bao.root_token)}, allow_loopback_http=True)
    (read,) = read_all([connection], tmp_path / "observed.db", How())
    assert not read.failed and not read.refused
    with RawStore(tmp_path / "observed.db") as store, Gathered(store, {}) as gathered:
        found = {name: gathered.observed(f"vault:prod:{key}") for name, key in ids.items()}
    told = {
        name: (
            [key.name for key in one.seen.keys if key.evidence and key.name != "account"],
            [tag for tag, _ in one.seen.tags],
            any(reach.admin for reach in one.reaches),
        )
        for name, one in found.items() if one is not None
    }  # fmt: skip
    assert told == {
        "mallory": ([], [], True),
        "alice": (["employee_number"], ["environment"], False),
        "carol": (["employee_number"], ["environment"], True),
    }
