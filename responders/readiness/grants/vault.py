"""A Vault policy in HCL: the paths that the actions name, with their capabilities, and what the responder asks of itself.

Source: Vault, "Policies" (the most specific path decides; a policy only adds); tests/readiness/test_grants.py
proves it on OpenBao: with exactly this every action works, and of the server's whole API nothing else does.
"""

from __future__ import annotations

import json
import re
from typing import Dict, List, Mapping, Sequence, Set

from responders.settings import Connection

_PERMISSION = re.compile(r"\A([a-z, ]+) on (\S+)\Z")
_ORDER = ("create", "read", "update", "delete", "list", "sudo")
OWN = ("read on auth/token/lookup-self", "update on sys/capabilities-self")
"""Who am I, and what may I: in Vault's `default` policy too, which the responder's role need not have."""
_ENTITY = "identity/entity/id/*"
_FIELDS: Mapping[str, str] = {"vault.disable_entity": "disabled", "vault.restrict_paths": "policies"}
"""What each action writes of an entity: no other parameter is allowed. Source: Vault, "Policies", allowed_parameters."""


def configuration(needs: Mapping[str, Sequence[str]], connection: Connection) -> str:
    """The policy, and the commands that make the role with it and nothing else."""
    place = str(connection.plain.get("approle_mount") or "approle")
    return "\n".join(
        [
            f"# Vault {connection.tenant}: policy of the responder. Write it with",
            "#   vault policy write tourniquet tourniquet.hcl",
            f"#   vault write auth/{place}/role/tourniquet token_policies=tourniquet token_no_default_policy=true \\",
            "#     token_ttl=1h token_max_ttl=1h",
            "# It is the whole policy, and takes the place of one that is there. Mounts are the default ones (auth/approle,",
            "# auth/userpass, database, pki): repeat a block for each other one.",
            policy(needs),
        ]
    )


def policy(needs: Mapping[str, Sequence[str]]) -> str:
    """The HCL alone."""
    paths: Dict[str, Set[str]] = {}
    users: Dict[str, List[str]] = {}
    for name, permissions in [*needs.items(), ("the responder itself", OWN)]:
        for permission in permissions:
            found = _PERMISSION.match(permission)
            if found is None:
                raise ValueError(f"{permission!r} is not `capability, … on path`")
            paths.setdefault(found[2], set()).update(word.strip() for word in found[1].split(","))
            users.setdefault(found[2], []).append(name)
    blocks: List[str] = []
    for path in sorted(paths):
        capabilities = ", ".join(f'"{word}"' for word in _ORDER if word in paths[path])
        blocks.append(f"\n# {', '.join(sorted(set(users[path])))}")
        more = ""
        if path == _ENTITY:
            fields = sorted(_FIELDS[name] for name in set(users[path]))
            more = f"\n  allowed_parameters = {{ {', '.join(f'{json.dumps(name)} = []' for name in fields)} }}"
        if path == _ENTITY and "vault.restrict_paths" in users[path]:
            blocks += [
                "# WARNING: who may write an entity's policies, and a policy of the name below, can give themselves any",
                "# right: guard this credential like root's. A policy of ours without vault.restrict_paths closes this.",
            ]
        blocks.append(f'path "{path}" {{\n  capabilities = [{capabilities}]{more}\n}}')
    return "\n".join(blocks).lstrip("\n") + "\n"
