"""What a user of the command line has on disk: settings, secrets, an inventory, alerts. Synthetic, beside a world."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from responders.drill.world import Person, World
from tests.support import raw_alert
from tests.surfaces import forked

ROOT = Path(__file__).resolve().parent.parent.parent
DETECTION = "okta/session_replay"
PROGRAM = [sys.executable, "-c", "import sys; from responders.surfaces.command_line.main import main; sys.exit(main())"]
COLUMNS = "id,kind,owner,criticality,environment,protected,break_glass,shared,can_restore,dependents,accounts,aliases,canary"


@dataclass(frozen=True)
class Ran:
    """One run of the command."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> List[Mapping[str, Any]]:
        """Standard output as JSON, one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def json(self) -> Mapping[str, Any]:
        [only] = self.lines
        return only


class Office:
    """A folder with everything `tourniquet` needs, and the command itself."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.folder = world.folder / "office"
        self.folder.mkdir()
        self.settings = self.folder / "settings.json"
        self.journal = self.folder / "journal.db"
        self.escalations = self.folder / "escalations.jsonl"
        self.rows: List[str] = []
        self.secrets = [world.key.decode()]
        for name in ("ida", "ivo"):
            self.inventory_row(name, can_restore="true", accounts=f"okta:default:00u{name}")
        self.write_settings()

    # -- files --------------------------------------------------------------------------------------------

    def write_settings(self, **more: Any) -> None:
        """Settings as docs/settings.md describes them, each secret in a file of its own."""
        connections: List[Dict[str, Any]] = []
        for found in self.world.connections:
            self.secrets += [secret.reveal() for secret in found.secrets.values()]
            kept = {name: {"file": self._secret(f"{found.vendor}.{name}", s.reveal())} for name, s in found.secrets.items()}
            plain = {key: list(value) if isinstance(value, tuple) else value for key, value in found.plain.items()}
            connections.append(
                {"vendor": found.vendor, "tenant": found.tenant, "url": found.url, "settings": dict(found.settings),
                 "allow_loopback_http": True, **plain, **kept}
            )  # fmt: skip
        settings: Dict[str, Any] = {
            "connections": connections,
            "journal": {"path": "journal.db", "key": {"file": self._secret("journal.key", self.world.key.decode())}},
            "inventory": "people.csv",
            "policy": self._policy(),
            "escalation": [{"type": "file", "path": "escalations.jsonl"}],
            "timing": {"deadline": 10, "confirm_patience": 1},
        }
        self.settings.write_text(json.dumps({**settings, **more}))

    def _secret(self, name: str, value: str) -> str:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(value)
        return name

    def _policy(self) -> str:
        """The default policy with room for several people: its blast radius is tested elsewhere."""
        policy = json.loads((ROOT / "responders" / "policy" / "default_policy.json").read_text())
        policy["limits"].update(revokes=1000, never_under=1000, population_share=1.0, detection_share=1.0, guarded=1000)
        (self.folder / "policy.json").write_text(json.dumps(policy))
        return "policy.json"

    def inventory_row(self, name: str, **more: str) -> None:
        """Add a row to people.csv."""
        row = {"id": name, "kind": "human", "owner": "their manager", **more}
        self.rows.append(",".join(row.get(column, "") for column in COLUMNS.split(",")))
        (self.folder / "people.csv").write_text("\n".join([COLUMNS, *self.rows]) + "\n")

    def person(self, name: str, **more: str) -> Person:
        """Somebody with an account at each vendor, whose live access an attacker holds, and their inventory row."""
        person = self.world.add_person(name)
        accounts = ";".join(f"{account.key}|{account.kind}" for account in person.accounts)
        self.inventory_row(name, accounts=accounts, **more)
        return person

    def alert(self, person: Person, **more: Any) -> Dict[str, Any]:
        return raw_alert(person, **{"tq_detection": DETECTION, **more})

    def alerts(self, *rows: Any, name: str = "alerts.jsonl") -> str:
        """A file of alerts; text stands as it is."""
        path = self.folder / name
        path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
        return str(path)

    # -- the command --------------------------------------------------------------------------------------

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The command as a process of its own."""
        return subprocess.Popen(
            [*PROGRAM, *arguments], text=True, env=self._environment(), cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str, stdin: Optional[str] = None) -> Ran:
        """The command as a fork of one that has been imported: quicker, else the same."""
        found = Ran(*forked.run(arguments, self._environment(), self.folder, stdin or ""))
        leaked = [secret for secret in self.secrets if secret.strip() in found.out + found.err]
        assert not leaked, "a secret was printed"
        assert "Traceback" not in found.err, found.err
        return found

    def _environment(self) -> Dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {**kept, "PYTHONPATH": str(ROOT), "TOURNIQUET_SETTINGS": str(self.settings)}

    # -- what is left -------------------------------------------------------------------------------------

    def escalated(self) -> List[Mapping[str, Any]]:
        if not self.escalations.exists():
            return []
        return [json.loads(line) for line in self.escalations.read_text().splitlines()]

    def changes(self, vendors: Sequence[str] = ("okta", "graph", "cyberark")) -> List[str]:
        """Every request that could have changed something, sign-ins of the responder left out."""
        return [
            f"{name} {request.method} {request.path}"
            for name in vendors
            for request in getattr(self.world, name).requests
            if request.method not in ("GET", "HEAD") and not _sign_in(request.path)
        ]


def _sign_in(path: str) -> bool:
    return path.endswith(("/token", "/Logon", "/Logoff")) or "/Logon/" in path or "/logon" in path.lower()
