"""The Vault client and actions against what a real OpenBao 2.7.2 answered; recorded anew with TOURNIQUET_RECORD=vault."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Iterator, Optional, Tuple

import pytest
import requests

from responders.drill.world import World
from responders.errors import NotFound, VendorError
from responders.model import Account, Status
from responders.settings import Connection, Secret
from responders.vendors.open import ClientPool
from tests.contract import scrub
from tests.contract.tape import Tape, recording
from tests.support import step_of

REPLAYED = Connection(
    "vault", "default", f"http://{scrub.HOST}", {"secret_id": Secret("any")}, {"role_id": "any"}, allow_loopback_http=True
)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Optional[World]]:
    """A world with a real OpenBao when recording, else nothing at all."""
    if not recording("vault"):
        yield None
        return
    with World(tmp_path_factory.mktemp("vault")) as world:
        yield world


class Bench:
    """One test's tape, client and way to look at Vault as the attacker does."""

    def __init__(self, name: str, live: Optional[World]) -> None:
        self.live = live
        self.tape = Tape(f"vault/{name}", live is not None)
        connections = tuple(c for c in live.connections if c.vendor == "vault") if live else (REPLAYED,)
        self.pool = ClientPool(connections)
        self.url = connections[0].url

    def root(self, method: str, path: str, body: Any = None) -> Any:
        assert self.live is not None and self.live.bao is not None
        return self.live.bao.request(method, path, body)

    def playing(self) -> contextlib.AbstractContextManager[Any]:
        """Record or replay; a recording that holds one of the live world's secrets is not kept."""
        found = []
        if self.live is not None and self.live.bao is not None:
            held = [value for person in self.live.people.values() for name, value in person.held.items() if "token" in name]
            own = [secret.reveal() for c in self.live.connections for secret in c.secrets.values()]
            found = [self.live.bao.root_token, *own, *held]
        return self.tape.playing(self.url, secrets=found)

    def client(self) -> Any:
        return self.pool.get("vault", "default")

    def reads(self, token: str) -> bool:
        """The attacker's call, recorded as well. Its token is not: replayed, the answers' order tells."""
        with requests.Session() as session:
            session.trust_env = False
            url = f"{self.url}/v1/kv/data/payments"
            return session.get(url, headers={"X-Vault-Token": token}, timeout=5).status_code == 200


@pytest.fixture
def bench(request: pytest.FixtureRequest, live: Optional[World]) -> Iterator[Bench]:
    name = request.node.name.removeprefix("test_")
    found = Bench(name, live)
    yield found
    found.pool.close()


def run(api: Any, name: str, account: Account, *evidence: Tuple[str, str]) -> Tuple[Any, Any, Any, Any]:
    action, step = step_of(name, account, *evidence)
    before = action.check(api, step)
    assert not before.contained
    action.apply(api, step, before)
    return action, step, before, action.confirm(api, step, before)


def person(bench: Bench, name: str) -> Tuple[Account, str]:
    """A person's entity, and a live token of it: a secret, so only there when recording."""
    held = {}

    def make() -> dict[str, str]:
        assert bench.live is not None
        found = bench.live.add_person(name, vendors=("vault",))
        held["token"] = found.held["vault token"]
        return {"entity": found.entity}

    facts = bench.tape.facts(make)
    return Account("vault", "default", "entity", facts["entity"]), held.get("token", "not there")


def test_disable_entity_and_enable_it_again(bench: Bench) -> None:
    """204, the entity's token is refused; enabled again, it works again."""
    account, token = person(bench, "ann")
    with bench.playing():
        api = bench.client()
        assert bench.reads(token)
        action, step, before, outcome = run(api, "vault.disable_entity", account)
        assert outcome.status is Status.CONFIRMED
        assert not bench.reads(token)
        action.undo(api, step, before)
        assert action.restored(before, action.check(api, step))
        assert bench.reads(token)


def test_revoke_token_accessor(bench: Bench) -> None:
    """Every token of the entity is found by its accessor and revoked; a second revocation is 200 with a warning."""
    account, token = person(bench, "ben")
    with bench.playing():
        api = bench.client()
        action, step, before, outcome = run(api, "vault.revoke_token_accessor", account)
        assert outcome.status is Status.CONFIRMED
        assert not bench.reads(token)
        action.apply(api, step, before)
        assert action.confirm(api, step, before).status is Status.CONFIRMED


def test_restrict_paths(bench: Bench) -> None:
    """The quarantine policy denies the very paths, is read back by capabilities, and undo takes it off."""
    account, token = person(bench, "cat")
    with bench.playing():
        api = bench.client()
        action, step, before, outcome = run(api, "vault.restrict_paths", account)
        assert outcome.status is Status.CONFIRMED, outcome.proof
        assert not bench.reads(token)
        action.undo(api, step, before)
        assert action.restored(before, action.check(api, step))
        assert bench.reads(token)


def test_destroy_secret_id_and_delete_role(bench: Bench) -> None:
    """A SecretID is destroyed once: applied again, the list is empty and no second destroy is sent. Then the role goes."""

    def make() -> dict[str, str]:
        bench.root("POST", "auth/approle/role/contract", {"token_policies": "app"})
        bench.root("POST", "auth/approle/role/contract/secret-id")
        return {"role": "contract"}

    account = Account("vault", "default", "approle", bench.tape.facts(make)["role"])
    with bench.playing() as cassette:
        api = bench.client()
        action, step, before, outcome = run(api, "vault.destroy_secret_id", account)
        assert outcome.status is Status.CONFIRMED
        action.apply(api, step, before)
        _, _, _, outcome = run(api, "vault.delete_role", account)
        assert outcome.status is Status.CONFIRMED
        assert sum(entry.uri.endswith("/destroy") for entry in cassette.requests) == 1


def test_a_second_destroy_answers_500(bench: Bench) -> None:
    """What a race of two responders meets: OpenBao's 500 for a SecretID that is gone is an error, not a success."""

    def make() -> dict[str, str]:
        bench.root("POST", "auth/approle/role/raced", {"token_policies": "app"})
        made = bench.root("POST", "auth/approle/role/raced/secret-id")
        return {"accessor": made["data"]["secret_id_accessor"]}

    body = {"secret_id_accessor": bench.tape.facts(make)["accessor"]}
    with bench.playing() as cassette:
        api = bench.client()
        assert api.call("POST", "/auth/approle/role/raced/secret-id-accessor/destroy", body=body).status == 204
        with pytest.raises(VendorError):
            api.call("POST", "/auth/approle/role/raced/secret-id-accessor/destroy", body=body)
        assert cassette.responses[-1]["status"]["code"] == 500


def test_reset_and_delete_userpass_user(bench: Bench) -> None:
    """The new password is known to nobody and is not recorded; then the user goes."""

    def make() -> dict[str, str]:
        bench.root("POST", "auth/userpass/users/contract", {"password": "first-one", "token_policies": "app"})
        return {"user": "contract"}

    account = Account("vault", "default", "userpass", bench.tape.facts(make)["user"])
    with bench.playing():
        api = bench.client()
        _, _, _, outcome = run(api, "vault.reset_user", account)
        assert outcome.status is Status.ACCEPTED
        _, _, _, outcome = run(api, "vault.delete_user", account)
        assert outcome.status is Status.CONFIRMED


def test_revoke_certificate_and_leases(bench: Bench) -> None:
    """A certificate by its serial, a lease by its id; both are read back."""

    def make() -> dict[str, str]:
        assert bench.live is not None
        entity = bench.live.add_person("dot", vendors=("vault",)).entity
        bench.root("POST", "sys/mounts/pki", {"type": "pki"})
        bench.root("POST", "pki/root/generate/internal", {"common_name": "ca", "ttl": "1h"})
        role = {"allow_any_name": True, "generate_lease": True, "ttl": "10m", "no_store": False}
        bench.root("POST", "pki/roles/web", role)
        first = bench.root("POST", "pki/issue/web", {"common_name": "x.example"})
        second = bench.root("POST", "pki/issue/web", {"common_name": "y.example"})
        return {"entity": entity, "serial": f"pki/{first['data']['serial_number']}", "lease": second["lease_id"]}

    facts = bench.tape.facts(make)
    account = Account("vault", "default", "entity", facts["entity"])
    with bench.playing():
        api = bench.client()
        _, _, _, outcome = run(api, "vault.revoke_certificate", account, ("vault.pki_serial", facts["serial"]))
        assert outcome.status is Status.CONFIRMED
        _, _, _, outcome = run(api, "vault.revoke_leases", account, ("vault.lease_id", facts["lease"]))
        assert outcome.status is Status.CONFIRMED


def test_what_is_not_there(bench: Bench) -> None:
    """An unknown entity is NotFound; a mount that does not exist is an error, never an empty list."""
    with bench.playing():
        api = bench.client()
        action, step = step_of("vault.disable_entity", Account("vault", "default", "entity", "no-such-entity"))
        with pytest.raises(NotFound):
            action.check(api, step)
        action, step = step_of("vault.delete_role", Account("vault", "default", "approle", "nowhere/ci"))
        with pytest.raises(VendorError):
            action.check(api, step)


def test_every_cassette_has_its_test() -> None:
    """No cassette is left over from a test that is gone."""
    names = {path.name.partition(".")[0] for path in (Path(__file__).parent / "cassettes" / "vault").iterdir()}
    assert names <= {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
