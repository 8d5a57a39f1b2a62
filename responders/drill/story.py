"""The drill's scenes, in order. Each shows one promise kept, or says that it was not."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from pathlib import Path
from typing import List, Tuple

from responders.containment.responder import Timing
from responders.content.loader import load_detections
from responders.drill import scenes
from responders.drill.cast import Cast, Scene
from responders.drill.events import aws_attack
from responders.drill.openbao import OpenBao
from responders.drill.stage import Stage
from responders.drill.world import Person, World
from responders.escalation.channels import File
from responders.inventory.resolve import Inventory
from responders.model import Account, Identity
from responders.surfaces.assemble import read_catalogue

SCENES = (
    scenes.leaked_key,
    scenes.secret_sweep,
    scenes.second_hop,
    scenes.low_confidence,
    scenes.break_glass,
    scenes.vendor_down,
    scenes.put_back,
    scenes.give_back,
)


def play(folder: Path, stage: Stage) -> Tuple[List[Scene], List[str], Path]:
    """Play every scene; the scenes, what `journal verify` found, and the journal's path."""
    with contextlib.ExitStack() as stack:
        with stage.busy("starting OpenBao and the simulated vendors"):
            world = stack.enter_context(World(folder))
            if world.bao is None:
                raise RuntimeError("the drill needs OpenBao")
            cast = _cast(world, world.bao, stage)
        for scene in SCENES:
            scene(cast)
            cast.scenes[-1].ended = time.time()
        return cast.scenes, cast.responder.journal.verify(), folder / "journal.db"


def _cast(world: World, bao: OpenBao, stage: Stage) -> Cast:
    people = {name: world.add_person(name) for name in ("christophe", "alice", "dave", "maria")}
    caller = aws_attack(scenes.ADMIN_RUN, 0)[0]["userIdentity"]
    people["christophe"].accounts.append(Account("aws", caller["accountId"], "user", caller["principalId"]))
    people["alice"].accounts.append(scenes.DEPLOY_ROLE)
    robots = {name: _robot(world, bao, name) for name in ("ci-robot", "billing-api")}
    identities: List[Identity] = [
        people["christophe"].identity(owner="platform team"),
        people["alice"].identity(owner="payments team"),
        people["dave"].identity(owner="support team"),
        people["maria"].identity(break_glass=True, owner="security team"),
        robots["ci-robot"].identity(kind="service", owner="build team"),
        robots["billing-api"].identity(kind="service", owner="billing team", dependents=("checkout", "invoices")),
        *(Identity(name, "human", None, "normal", "production", False, (), ()) for name in ("ida", "ivo")),
        # The blast radius is a part of the population: a company of eight would be allowed two containments an hour.
        *(Identity(f"employee-{n}", "human", None, "normal", "production", False, (), ()) for n in range(4000)),
    ]
    aliases = {"cyberark:default:alice": "alice"}
    inventory = Inventory(identities, aliases, frozenset({"ida", "ivo"}))
    channel = File("escalations", str(world.folder / "escalations.jsonl"))
    made = world.responder(
        catalogue=read_catalogue(),
        channels=(channel,),
        timing=Timing(deadline=8.0, confirm_patience=1.5, retry_due=0.0),
        on_call=stage.call,
    )
    responder = replace(made, inventory=inventory)
    for client in responder.clients.all():
        client.warm()  # type: ignore[attr-defined]
    return Cast(world, bao, responder, inventory, {**people, **robots}, stage, load_detections())


def _robot(world: World, bao: OpenBao, name: str) -> Person:
    """A service that logs in to Vault by AppRole; its SecretID will be stolen."""
    person = Person(name)
    bao.request("POST", f"auth/approle/role/{name}", {"token_policies": "app"})
    role = bao.request("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
    secret = bao.request("POST", f"auth/approle/role/{name}/secret-id")["data"]["secret_id"]
    auth = bao.request("POST", "auth/approle/login", {"role_id": role, "secret_id": secret})["auth"]
    person.held = {"role_id": role, "secret_id": secret}
    person.accounts = [
        Account("vault", "default", "entity", auth["entity_id"]),
        Account("vault", "default", "approle", name),
    ]
    return person
