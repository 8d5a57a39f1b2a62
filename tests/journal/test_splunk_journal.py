"""`tourniquet splunk journal`: an administrator verifies and reads the journal that is in Splunk, from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from responders.journal.chain import Journal
from responders.journal.kvstore import COLLECTION, KvStore
from responders.splunk.splunkd import Splunkd as Client
from responders.surfaces.command_line.main import main
from tests.splunkd import Deployment, Splunkd


@pytest.fixture
def splunkd(tmp_path: Path) -> Iterator[Splunkd]:
    """With a journal of two chains, and the anchor of the search head that wrote them."""
    deployment = Deployment()
    deployment.collections[deployment.app, COLLECTION] = {}
    deployment.user("analyst", "search")
    with Splunkd(deployment) as found:
        client = Client(found.uri, found.session("splunk-system-user"))
        journal = Journal(KvStore(client), b"k" * 32, anchor=str(tmp_path / "anchor"))
        for number in range(3):
            journal.append("c-1", "thing", {"n": number})
        journal.append("halt", "halt", {"who": "ida", "why": "a trial"})
        client.close()
        deployment.store_password("journal_key", "k" * 32)
        yield found


def run(splunkd: Splunkd, folder: Path, *arguments: str, user: str = "admin") -> int:
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(splunkd.deployment.token(user))
    return main(["splunk", "journal", *arguments, "--url", splunkd.uri, "--token-file", str(token)])


def test_it_is_read_and_verified(splunkd: Splunkd, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole, listed, shown; with the anchor also the end of a chain that was cut off is missed."""
    assert run(splunkd, tmp_path, "verify", "--anchor", str(tmp_path / "anchor")) == 0
    assert "the journal is whole" in capsys.readouterr().out
    assert run(splunkd, tmp_path, "list", "--json") == 0
    assert '"entries": 3' in capsys.readouterr().out
    assert run(splunkd, tmp_path, "show", "halt") == 0
    assert "a trial" in capsys.readouterr().out
    splunkd.deployment.remove(COLLECTION, "e/c-1/00000002")
    assert run(splunkd, tmp_path, "verify") == 0
    assert run(splunkd, tmp_path, "verify", "--anchor", str(tmp_path / "anchor")) == 1
    assert "chain c-1 lacks entry 2, which it once had" in capsys.readouterr().out.replace("\n", " ")


def test_what_is_wrong_is_said(splunkd: Splunkd, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No chain named, no anchor there, a user without the right to the key, no key."""
    assert run(splunkd, tmp_path, "show") == 2
    assert run(splunkd, tmp_path, "verify", "--anchor", str(tmp_path / "gone")) == 2
    assert "copy it from the search head" in capsys.readouterr().err
    assert run(splunkd, tmp_path, "verify", user="analyst") == 4
    assert "list_storage_passwords" in capsys.readouterr().err
    splunkd.deployment.passwords.clear()
    assert run(splunkd, tmp_path, "verify") == 2
    assert "the app has no journal key" in capsys.readouterr().err
