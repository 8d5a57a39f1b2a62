"""ATT&CK techniques as Kibana's `threat` has them: by tactic, sub-techniques below their technique."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterable, List

_SITE = "https://attack.mitre.org"
_HERE = Path(__file__).resolve().parent


@lru_cache(maxsize=1)
def _known() -> Dict[str, Any]:
    found: Dict[str, Any] = json.loads((_HERE / "attack_tactics.json").read_text(encoding="utf-8"))
    found["names"] = json.loads((_HERE.parent / "frameworks.json").read_text(encoding="utf-8"))["attack"]
    return found


def threat(techniques: Iterable[str]) -> List[Dict[str, Any]]:
    """Entries for technique ids, by tactic. Raises KeyError for an id that frameworks.json does not have."""
    known = _known()
    found: Dict[str, Dict[str, Dict[str, Any]]] = {}
    for one in techniques:
        parent = one.partition(".")[0]
        for tactic in known["techniques"].get(one, known["techniques"].get(parent, ())):
            held = found.setdefault(tactic, {}).setdefault(parent, _technique(one))
            if one != parent:
                held["subtechnique"].append(_sub(one))
    return [
        {"framework": "MITRE ATT&CK", "tactic": _tactic(tactic), "technique": list(held.values())}
        for tactic, held in sorted(found.items(), key=lambda item: str(known["tactics"][item[0]][0]))
    ]


def _tactic(name: str) -> Dict[str, str]:
    number, title = _known()["tactics"][name]
    return {"id": number, "name": title, "reference": f"{_SITE}/tactics/{number}/"}


def _technique(one: str) -> Dict[str, Any]:
    """The technique of an id; a sub-technique's name is "technique: sub-technique"."""
    parent, name = one.partition(".")[0], str(_known()["names"][one]).partition(": ")[0]
    return {"id": parent, "name": name, "reference": f"{_SITE}/techniques/{parent}/", "subtechnique": []}


def _sub(one: str) -> Dict[str, str]:
    name = str(_known()["names"][one]).rpartition(": ")[2]
    return {"id": one, "name": name, "reference": f"{_SITE}/techniques/{one.replace('.', '/')}/"}
