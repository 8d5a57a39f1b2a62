"""The settings file: every error names file, key and remedy; secrets are never in it, nor shown."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.errors import BadInputs, BadSettings
from responders.settings import Settings, load_settings, read_settings

GOOD: Dict[str, Any] = {
    "connections": [
        {
            "vendor": "okta",
            "tenant": "default",
            "url": "https://corp.okta.example",
            "client_id": "0oa1",
            "scopes": ["okta.users.manage"],
            "private_key": {"env": "TQ_OKTA_KEY"},
            "settings": {"quarantine_group": "00g1"},
            "privileged": {"api_token": {"env": "TQ_OKTA_TOKEN"}},
        },
        {"vendor": "vault", "tenant": "default", "url": "https://vault.example:8200", "token": {"env": "TQ_VAULT"}},
    ],
    "journal": {"path": "journal.db", "key": {"env": "TQ_KEY"}},
    "inventory": "inventory.json",
    "escalation": [{"type": "slack", "url": {"env": "TQ_SLACK"}}, {"type": "stdout"}],
    "unauthenticated_ingest": ["aws/x"],
}
SECRETS = {
    "TQ_OKTA_KEY": "okta-s3cr3t", "TQ_OKTA_TOKEN": "privileged-s3cr3t", "TQ_VAULT": "vault-s3cr3t",
    "TQ_KEY": "journal-s3cr3t",
    "TQ_SLACK": "https://hooks.example/services/s3cr3t",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def changed(*path: Any, to: Any) -> Dict[str, Any]:
    """The good settings with one value replaced, or taken out by `...`."""
    doc = copy.deepcopy(GOOD)
    inner: Any = doc
    for name in path[:-1]:
        inner = inner[name]
    if to is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = to
    return doc


def errors(doc: Any) -> List[str]:
    with pytest.raises(BadInputs) as caught:
        read_settings(doc, "/etc/tq/settings.json")
    for error in caught.value.errors:
        assert isinstance(error, BadSettings)
        assert error.place.startswith("/etc/tq/settings.json") and error.remedy
        assert "s3cr3t" not in str(error)
    return [str(error) for error in caught.value.errors]


def test_good_settings_are_read_whole() -> None:
    """Everything arrives; paths are relative to the file; secrets come from the environment."""
    found = read_settings(GOOD, "/etc/tq/settings.json")
    okta, vault = found.connections
    assert okta.secrets["private_key"].reveal() == "okta-s3cr3t"
    assert okta.settings == {"quarantine_group": "00g1"}
    assert (found.journal, found.inventory) == ("/etc/tq/journal.db", "/etc/tq/inventory.json")
    assert found.journal_key.reveal() == "journal-s3cr3t"
    assert vault.privileged is None
    assert found.unauthenticated_ingest == ("aws/x",)


def test_a_privileged_connection_has_a_credential_of_its_own() -> None:
    """It takes over address and settings, never the ordinary credential."""
    own = read_settings(GOOD, "/etc/tq/settings.json").connections[0].privileged
    assert own is not None
    assert {name: secret.reveal() for name, secret in own.secrets.items()} == {"api_token": "privileged-s3cr3t"}
    assert (own.url, own.settings) == ("https://corp.okta.example", {"quarantine_group": "00g1"})
    found = errors(changed("connections", 0, "privileged", to={"client_id": "0oa2"}))
    assert any("connections[1].privileged: has no credential" in one for one in found)


def test_channels_find_their_files_and_secrets() -> None:
    """A channel's path counts from the settings file, and each URL of a list may be referred to."""
    entries = [{"type": "file", "path": "out.jsonl"}, {"type": "apprise", "urls": [{"env": "TQ_SLACK"}, "json://x"]}]
    one, other = read_settings(changed("escalation", to=entries), "/etc/tq/settings.json").escalation
    assert one["path"] == "/etc/tq/out.jsonl"
    assert other["urls"][0].reveal() == SECRETS["TQ_SLACK"] and other["urls"][1] == "json://x"


ELASTIC: Dict[str, Any] = {
    **{key: value for key, value in GOOD.items() if key not in ("journal", "inventory")},
    "elasticsearch": {"url": "https://es.corp.example:9200", "api_key": {"env": "TQ_SLACK"}, "space": "soc"},
    "journal": {"store": "elasticsearch", "key": {"env": "TQ_KEY"}},
    "inventory": "elasticsearch",
    "signals": "elasticsearch",
}


def test_the_stores_may_be_in_elasticsearch() -> None:
    """Journal, inventory and signals, each by itself; the journal's index has a default."""
    found = read_settings(ELASTIC, "/etc/tq/settings.json")
    assert found.elasticsearch is not None and found.elasticsearch.api_key is not None
    assert (found.elasticsearch.urls, found.elasticsearch.space) == (("https://es.corp.example:9200",), "soc")
    assert (found.journal, found.journal_index) == ("", "tourniquet-journal-1")
    assert (found.inventory, found.signals) == ("elasticsearch", "elasticsearch")
    several = {**ELASTIC, "elasticsearch": {"url": ["http://127.0.0.1:9200", "http://[::1]:9200/"]}}
    some = read_settings(several, "/etc/tq/settings.json").elasticsearch
    assert some is not None and some.urls == ("http://127.0.0.1:9200", "http://[::1]:9200")
    assert read_settings(GOOD, "/etc/tq/settings.json").elasticsearch is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"elasticsearch": None}, "elasticsearch: is missing, and inventory and signals and journal need it"),
        ({"elasticsearch": 5}, "elasticsearch: is no object"),
        ({"elasticsearch": {"url": "http://es.corp.example:9200", "api_key": {"env": "TQ_SLACK"}}}, "must be https"),
        ({"elasticsearch": {"url": "https://u:p@es.corp.example", "api_key": {"env": "TQ_SLACK"}}}, "without credentials"),
        ({"elasticsearch": {"url": []}}, "elasticsearch.url: must be https"),
        ({"elasticsearch": {"url": "https://es.corp.example"}}, "elasticsearch.api_key: is missing"),
        ({"elasticsearch": {"url": "https://es.corp.example", "api_key": "s3cr3t"}}, "api_key: must not be in this file"),
        ({"elasticsearch": {**ELASTIC["elasticsearch"], "space": "a-b"}}, "space: is no id of a space"),
        ({"elasticsearch": {**ELASTIC["elasticsearch"], "verify": False}}, "unknown key 'verify'"),
        ({"journal": {**ELASTIC["journal"], "index": "logs-x"}}, "journal.index: is no name of a journal's index"),
        ({"journal": {**ELASTIC["journal"], "path": "journal.db"}}, "journal: unknown key 'path'"),
        ({"journal": {**ELASTIC["journal"], "store": "sqlite"}}, "journal: unknown key 'store'"),
    ],
)
def test_what_is_wrong_with_elasticsearch_is_said(change: Dict[str, Any], expected: str) -> None:
    """Each with its place and a remedy; the key never goes over plain http to another machine."""
    doc = {**ELASTIC, **change}
    assert any(expected in one for one in errors({key: value for key, value in doc.items() if value is not None}))


def test_no_repr_shows_a_secret() -> None:
    """Settings can be printed."""
    found = read_settings(GOOD, "/etc/tq/settings.json")
    assert "s3cr3t" not in f"{found!r} {found} {found.connections!r} {found.journal_key!r} {found.escalation!r}"


WRONG = [
    (("connections",), 5, "connections: must be a list"),
    (("connections",), {"a": 1}, "connections: must be a list"),
    (("connections", 0), 5, "connections[1]: is no object"),
    (("connections", 0, "vendor"), "oktta", "connections[1].vendor: unknown vendor 'oktta'. use one of okta"),
    (("connections", 0, "colour"), "red", "connections[1]: unknown key 'colour'"),
    (("connections", 0, "role_id"), "x", "connections[1]: unknown key 'role_id'"),
    (("connections", 0, "tenant"), ..., "connections[1].tenant: is missing"),
    (("connections", 0, "tenant"), 5, "connections[1].tenant: is missing"),
    (("connections", 0, "url"), "http://corp.okta.example", "connections[1].url: must be https"),
    (("connections", 0, "url"), "https://u:p@corp.okta.example", "connections[1].url: must be https"),
    (("connections", 0, "url"), "https://[x", "connections[1].url: must be https"),
    (("connections", 0, "private_key"), "-----BEGIN s3cr3t", "connections[1].private_key: must not be in this file"),
    (("connections", 0, "private_key"), {"env": "TQ_UNSET"}, "connections[1].private_key: the environment has no TQ_UNSET"),
    (("connections", 0, "private_key"), {"file": "nowhere.pem"}, "connections[1].private_key: /etc/tq/nowhere.pem"),
    (("connections", 0, "private_key"), {"env": "A", "file": "b"}, "connections[1].private_key: must not be in this file"),
    (("connections", 0, "private_key"), {"env": ["A"]}, "connections[1].private_key: must not be in this file"),
    (("connections", 0, "private_key"), ..., "connections[1]: has no credential. give one of api_token, private_key"),
    (("connections", 0, "api_token"), {"env": "TQ_VAULT"}, "connections[1]: has several credentials"),
    (("connections", 0, "client_id"), ..., "connections[1].client_id: is missing"),
    (("connections", 0, "client_id"), 5, "connections[1].client_id: must be text"),
    (("connections", 0, "scopes"), ..., "connections[1].scopes: is missing"),
    (("connections", 0, "scopes"), {"a": 1}, "connections[1].scopes: must be text"),
    (("connections", 0, "settings"), [], "connections[1].settings: must be an object of texts"),
    (("connections", 0, "settings"), {"a": {}}, "connections[1].settings: must be an object of texts"),
    (("connections", 0, "ca"), "none.pem", "connections[1].ca: /etc/tq/none.pem"),
    (("connections", 0, "ca"), 5, "connections[1].ca: "),
    (("connections", 0, "proxy"), 5, "connections[1].proxy: must be a URL"),
    (("connections", 0, "allow_loopback_http"), "yes", "connections[1].allow_loopback_http: must be true or false"),
    (("connections", 0, "privileged"), "yes", "connections[1].privileged: is no object"),
    (("connections", 1, "vendor"), "entra", "unknown key 'token'"),
    (("journal",), ..., "journal: is missing"),
    (("journal", "key"), "s3cr3t", "journal.key: must not be in this file"),
    (("journal", "path"), ..., "journal.path: is missing"),
    (("journal", "colour"), 1, "journal: unknown key 'colour'"),
    (("inventory",), ..., "inventory: is missing"),
    (("inventory",), 5, "inventory: is missing"),
    (("policy",), 5, "policy: is missing"),
    (("signals",), 5, "signals: is missing"),
    (("colour",), 1, "unknown key 'colour'"),
    (("escalation",), {"type": "stdout"}, "escalation: must be a list"),
    (("escalation",), ["stdout"], "escalation[1]: is no object"),
    (("escalation", 0, "url"), {"env": "TQ_UNSET"}, "escalation[1].url: the environment has no TQ_UNSET"),
    (("timing",), [], "timing: must be an object"),
    (("timing",), {"dedline": 5}, "timing: unknown key 'dedline'. the keys are deadline"),
    (("timing",), {"deadline": "5"}, "timing.deadline: is no number of seconds"),
    (("timing",), {"deadline": float("nan")}, "timing.deadline: is no number of seconds"),
    (("timing",), {"claim": -1}, "timing.claim: is no number of seconds"),
    (("timing",), {"rechecks": 10}, "timing.rechecks: is no list of seconds"),
    (("timing",), {"rechecks": [10, True]}, "timing.rechecks: is no list of seconds"),
    (("unauthenticated_ingest",), "aws/x", "unauthenticated_ingest: must be a list"),
    (("unauthenticated_ingest",), [5], "unauthenticated_ingest[1]: must be text"),
]


@pytest.mark.parametrize(("path", "value", "said"), WRONG, ids=[said for _, _, said in WRONG])
def test_a_wrong_value_names_file_key_and_remedy(path: tuple[Any, ...], value: Any, said: str) -> None:
    """Each wrong value is told with its place, and no secret is."""
    assert any(said in one for one in errors(changed(*path, to=value)))


def test_all_errors_come_at_once() -> None:
    """One run shows them all."""
    doc = changed("connections", 0, "tenant", to=...)
    doc["connections"][1]["url"] = "vault"
    del doc["journal"], doc["inventory"]
    doc["colour"] = "red"
    assert len(errors(doc)) == 6


def test_two_connections_to_one_tenant_are_refused() -> None:
    """Which of the two credentials would be used is nothing to guess."""
    doc = copy.deepcopy(GOOD)
    doc["connections"].append(doc["connections"][1])
    assert any("vault:default is connected twice" in one for one in errors(doc))


@pytest.mark.parametrize(
    ("mode", "sound"), [(0o600, True), (0o400, True), (0o640, False), (0o604, False), (0o644, False), (0o620, False)]
)
def test_a_secret_file_must_be_ours_alone(tmp_path: Path, mode: int, sound: bool) -> None:
    """Mode 0600 is demanded, and the remedy says so."""
    path = tmp_path / "vault-token"
    path.write_text("vault-s3cr3t\n")
    path.chmod(mode)
    doc = changed("connections", 1, "token", to={"file": str(path)})
    if sound:
        assert read_settings(doc, "/etc/tq/settings.json").connections[1].secrets["token"].reveal() == "vault-s3cr3t"
        return
    [said] = errors(doc)
    assert f"{path} can be read by others. chmod 600 {path}" in said


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe", b"x" * 70_000])
def test_an_unusable_secret_file_is_named(tmp_path: Path, content: bytes) -> None:
    """Empty, binary, or far too long to be a secret: an error, never half a secret."""
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(0o600)
    [said] = errors(changed("connections", 1, "token", to={"file": str(path)}))
    assert "connections[2].token" in said and str(path) in said


def test_a_folder_is_no_secret(tmp_path: Path) -> None:
    """A path to something else is named."""
    assert str(tmp_path) in errors(changed("connections", 1, "token", to={"file": str(tmp_path)}))[0]


def test_a_secret_file_stands_beside_the_settings(tmp_path: Path) -> None:
    """Relative paths count from the settings file, wherever the responder is started."""
    (tmp_path / "token").write_text("vault-s3cr3t")
    (tmp_path / "token").chmod(0o600)
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(changed("connections", 1, "token", to={"file": "token"})))
    assert load_settings(str(path)).connections[1].secrets["token"].reveal() == "vault-s3cr3t"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file"),
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "not an object"),
        ("{\n\n x", "settings.json:3: not JSON: Expecting property name enclosed in double quotes in column 2"),
        ("\ufeff{}", "journal: is missing"),
        ("[" * 100_000, "not JSON"),
        ('{"journal": {}, "journal": {}}', "'journal' stands twice"),
    ],
)
def test_a_file_that_is_no_json_object_is_named(tmp_path: Path, text: Any, said: str) -> None:
    """A missing or broken file is an error with its path."""
    path = tmp_path / "settings.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInputs) as caught:
        load_settings(str(path))
    assert said in str(caught.value) and str(path) in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
KEYS = [*GOOD, "policy", "signals", "timing"]
INNER = [*GOOD["connections"][0], "ca", "proxy", "allow_loopback_http"]


def _read(doc: Any) -> None:
    try:
        assert isinstance(read_settings(doc, "/etc/tq/settings.json"), Settings)
    except BadInputs as error:
        assert error.errors and all("/etc/tq/settings.json" in one.place for one in error.errors)


@given(JSON)
def test_any_json_is_settings_or_refused(doc: Any) -> None:
    """Nothing but BadInputs comes out of something else."""
    _read(doc)


@given(st.sampled_from(KEYS), JSON)
def test_any_top_value_is_read_or_refused(name: str, value: Any) -> None:
    """One odd value among good ones too."""
    _read(changed(name, to=value))


@given(st.sampled_from(INNER), JSON)
def test_any_value_of_a_connection_is_read_or_refused(name: str, value: Any) -> None:
    """And inside a connection."""
    change: Callable[[], Any] = lambda: changed("connections", 0, name, to=value)  # noqa: E731
    _read(change())


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the responder's home."""
    monkeypatch.setenv("HOME", "/home/tq")
    assert read_settings(changed("inventory", to="~/i.json"), "/etc/tq/settings.json").inventory == os.path.join(
        "/home/tq", "i.json"
    )
