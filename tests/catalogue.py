"""Detections as the tests know them: no more than the responder must know of one."""

from typing import Any, Mapping

CATALOGUE: Mapping[str, Any] = {
    "test/strong": {"layer": "idp", "max_tier": "revoke", "forgery": "nobody", "account_kind": "user"},
    "test/pam": {"layer": "pam", "max_tier": "revoke", "forgery": "nobody", "account_kind": "user"},
    "test/outsider": {"layer": "idp", "max_tier": "revoke", "forgery": "outsider", "account_kind": "user"},
    "test/restrict": {"layer": "cloud", "max_tier": "restrict", "forgery": "account_holder", "account_kind": "user"},
}
