"""`tourniquet splunk inventory FILE`: a file with a mistake changes nothing, a sound one is in place for both readers."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from responders.inventory.resolve import resolve
from responders.model import Account
from responders.splunk.inventory import ACCOUNTS, KvInventory
from responders.splunk.splunkd import Splunkd as Client
from responders.surfaces.command_line.main import main
from tests.splunkd import Deployment, Splunkd

APP = Path(__file__).resolve().parent.parent.parent / "splunk_app"
PEOPLE = """id,kind,owner,criticality,accounts,aliases
alice,human,ida,high,okta:corp:00u1;entra:t:1,okta:corp:alice@corp.example
bob,human,ida,normal,okta:corp:00u2,
"""


@pytest.fixture
def splunkd() -> Iterator[Splunkd]:
    deployment = Deployment()
    deployment.install(APP)
    deployment.user("analyst", "search")
    with Splunkd(deployment) as found:
        yield found


def push(splunkd: Splunkd, folder: Path, people: str, user: str = "admin") -> int:
    token, file = folder / "token", folder / "people.csv"
    token.touch(mode=0o600)
    token.write_text(splunkd.deployment.token(user))
    file.write_text(people)
    return main(["splunk", "inventory", str(file), "--url", splunkd.uri, "--token-file", str(token)])


def test_it_is_in_place_for_searches_and_responder(
    splunkd: Splunkd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lookup has a row for each account and alias; who is gone is gone from it with the next one."""
    assert push(splunkd, tmp_path, PEOPLE) == 0
    assert "2 identities are in place" in capsys.readouterr().out
    rows = {row["tq_account"]: row["tq_identity"] for row in splunkd.deployment.rows(ACCOUNTS)}
    assert rows == {"okta:corp:00u1": "alice", "entra:t:1": "alice", "okta:corp:alice@corp.example": "alice",
                    "okta:corp:00u2": "bob"}  # fmt: skip
    client = Client(splunkd.uri, splunkd.session("admin"))
    found = resolve(KvInventory(client), [Account("okta", "corp", "user", "00u1")]).identity
    assert found is not None
    assert (found.id, found.criticality) == ("alice", "high")
    assert push(splunkd, tmp_path, "\n".join(PEOPLE.splitlines()[:2]) + "\n") == 0
    assert {row["tq_identity"] for row in splunkd.deployment.rows(ACCOUNTS)} == {"alice"}
    assert KvInventory(client).identity("bob") is None
    client.close()


def test_a_mistake_or_a_missing_right_changes_nothing(
    splunkd: Splunkd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """File and line of the mistake; splunkd's refusal; a token that others can read; http elsewhere."""
    assert push(splunkd, tmp_path, PEOPLE) == 0
    before = splunkd.deployment.rows(ACCOUNTS), splunkd.deployment.rows("tourniquet_identities")
    assert push(splunkd, tmp_path, PEOPLE + "eve,humen,,,okta:corp:00u3,\n") == 2
    assert "people.csv:4" in capsys.readouterr().err
    assert push(splunkd, tmp_path, PEOPLE, "analyst") == 4
    assert "You do not have permission" in capsys.readouterr().err
    file, token = tmp_path / "people.csv", tmp_path / "token"
    assert main(["splunk", "inventory", str(file), "--url", "http://sh.example:8089", "--token-file", str(token)]) == 2
    assert "give https://SEARCH-HEAD:8089" in capsys.readouterr().err
    token.chmod(0o644)
    assert main(["splunk", "inventory", str(file), "--url", splunkd.uri, "--token-file", str(token)]) == 2
    assert "can be read by others" in capsys.readouterr().err
    assert main(["splunk", "inventory", str(file), "--url", splunkd.uri]) == 2
    assert "$TOURNIQUET_SPLUNK_TOKEN" in capsys.readouterr().err
    assert (splunkd.deployment.rows(ACCOUNTS), splunkd.deployment.rows("tourniquet_identities")) == before
