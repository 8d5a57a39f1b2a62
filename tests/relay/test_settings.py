"""The relay's settings: the example of the docs is one, and each mistake is said with its place and remedy, all at once."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict

import pytest

from responders.errors import BadInputs
from responders.settings import read_settings
from responders.surfaces.relay.config import load_config
from tests.relay.premises import KEY

ROOT = Path(__file__).resolve().parent.parent.parent
UNIT = ROOT / "packaging" / "systemd" / "tourniquet-relay.service"
EXAMPLE = json.loads(re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "relay.md").read_text(), re.DOTALL)[0])


def written(folder: Path, given: Dict[str, Any]) -> str:
    """The file, and every secret that it names."""
    secrets = {"relay.key": KEY, "slack.url": "https://hooks.slack.example/x"}
    for name in ("cyberark.secret", "vault.secret", "splunk.token", "relay.key", "slack.url", "short.key"):
        (folder / name).write_text(secrets.get(name, "short"))
        (folder / name).chmod(0o600)
    shutil.copy(ROOT / "LICENSE", folder / "corp-ca.pem")
    path = folder / "settings.json"
    path.write_text(json.dumps(given))
    return str(path)


def with_relay(**more: Any) -> Dict[str, Any]:
    return {**EXAMPLE, "relay": {**EXAMPLE["relay"], **more}}


def test_the_example_of_the_docs_is_one(tmp_path: Path) -> None:
    """As it stands there, with the secrets beside it."""
    config = load_config(written(tmp_path, EXAMPLE))
    assert (config.name, config.instance, config.never) == ("dc1", "relay-a", ("Administrator", "Master"))
    assert [(c.vendor, c.tenant) for c in config.connections] == [("cyberark", "pam"), ("vault", "prod")]
    assert KEY not in repr(config)


WRONG: Dict[str, Any] = {
    "relay.name": {"name": "DC 1"},
    "relay.splunk": {"splunk": "http://corp.splunkcloud.com:8089"},
    "relay.token": {"token": "eyJ-in-the-clear"},
    "relay.key": {"key": {"file": "short.key"}},
    "relay.never": {"never": "Administrator"},
    "relay.changes_an_hour": {"changes_an_hour": 0},
    "relay.clock_skew": {"clock_skew": 3600},
    "relay": {"allow_everything": True},
}


@pytest.mark.parametrize(("place", "more"), WRONG.items(), ids=WRONG)
def test_a_mistake(place: str, more: Dict[str, Any], tmp_path: Path) -> None:
    """Named by its place; no secret is shown."""
    with pytest.raises(BadInputs) as caught:
        load_config(written(tmp_path, with_relay(**more)))
    assert [error.place.rpartition(": ")[2] for error in caught.value.errors] == [place]
    assert "eyJ" not in str(caught.value)


def test_all_at_once(tmp_path: Path) -> None:
    """A vendor that a relay does not speak for, an unknown key, a missing section."""
    okta = {"vendor": "okta", "tenant": "x", "url": "https://x.okta.com", "api_token": {"file": "vault.secret"}}
    with pytest.raises(BadInputs) as caught:
        load_config(written(tmp_path, {"connections": [okta], "journal": {}}))
    assert {error.place.rpartition(": ")[2] for error in caught.value.errors} >= {"relay"}
    assert "'journal'" in str(caught.value)
    with pytest.raises(BadInputs, match="does not speak for okta"):
        load_config(written(tmp_path, {**EXAMPLE, "connections": [okta]}))


def test_outside_splunk_no_connection_goes_through_a_relay(tmp_path: Path) -> None:
    """A responder in the network calls the vendor itself."""
    given = {"connections": [{"vendor": "vault", "tenant": "prod", "relay": "dc1", "relay_key": {"file": "relay.key"}}]}
    with pytest.raises(BadInputs, match="only works inside Splunk"):
        read_settings(given, str(tmp_path / "settings.json"))


def test_the_unit() -> None:
    """No right that it does not need, its own user, and more time for a stop than a call at a vendor takes."""
    text = UNIT.read_text("utf-8")
    assert int(re.findall(r"TimeoutStopSec=(\d+)", text)[0]) >= 30
    for needed in ("NoNewPrivileges=yes", "CapabilityBoundingSet=\n", "ProtectSystem=strict", "User=tourniquet-relay"):
        assert needed in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    """Read by systemd itself."""
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"/opt/tourniquet/bin/tourniquet", "/bin/true", UNIT.read_text("utf-8")))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False, timeout=60)
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []
