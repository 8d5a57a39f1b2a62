"""Enterprise Security's analytic stories: one for each source, with what its detections have in common.

Keys as Splunk's contentctl writes them (templates/analyticstories_stories.j2 and analyticstories_detections.j2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

from responders.content.coverage import names
from responders.content.detection import Detection
from responders.content.splunk_stanza import Settings, conf, json_line, stanza

_MAINTAINERS = [{"company": "Tourniquet", "email": "-", "name": "Tourniquet"}]
_UPDATED = "2026-11-26"


@dataclass(frozen=True)
class Story:
    """Title, category (a word of contentctl's), in one sentence what it is about, and the story behind it."""

    title: str
    category: str
    description: str
    narrative: str
    technologies: Tuple[str, ...]


STORIES: Dict[str, Story] = {
    "okta": Story(
        "Tourniquet: Okta identity taken over",
        "Account Compromise",
        "Sessions, factors, tokens and administrators of Okta in somebody else's hands.",
        "Whoever holds a session or an administrator of the identity provider holds every application behind it. Attackers "
        "replay stolen cookies, tire people out with push requests, talk the help desk into resetting a factor, and then "
        "make it last: an API token, an identity provider of their own, a weaker policy, a log stream switched off.",
        ("Okta",),
    ),
    "entra": Story(
        "Tourniquet: Entra ID identity taken over",
        "Account Compromise",
        "Sign-ins, consents, application credentials, roles, devices and federation of Entra ID in somebody else's hands.",
        "Device codes and adversary-in-the-middle pages give attackers tokens that outlive a password change. What follows "
        "is quiet: a credential added to a service principal, a device of their own, a role outside PIM, a Conditional "
        "Access policy with a hole, a domain that trusts a foreign certificate.",
        ("Microsoft Entra ID", "Microsoft 365"),
    ),
    "aws": Story(
        "Tourniquet: AWS identity taken over",
        "Cloud Security",
        "Access keys, roles and trust of AWS accounts used from where and for what they never were.",
        "Leaked keys are tried within minutes. An attacker lists what the key may do, makes a second key or a user, lets a "
        "role trust an account of his, reads all secrets at once, and stops the trail.",
        ("AWS CloudTrail",),
    ),
    "cyberark": Story(
        "Tourniquet: privileged access manager turned against its owner",
        "Privilege Escalation",
        "CyberArk's vault read in bulk, its safes and accounts changed, its controls switched off.",
        "The vault holds the keys to everything else. Somebody who gets in reads many passwords in a short time, gives "
        "himself a safe, or takes an account out of rotation so that what he read stays valid.",
        ("CyberArk",),
    ),
    "vault": Story(
        "Tourniquet: secrets store swept",
        "Credential Access",
        "HashiCorp Vault or OpenBao read across paths, its root used, its audit and its auth methods changed.",
        "A stolen token reads whatever its policy allows, and its policy often allows more than the workload needs. "
        "Sweeps, denied probes, long-lived orphan tokens and bursts of leases show it; a root token "
        "or a lost audit device is worse.",
        ("HashiCorp Vault", "OpenBao"),
    ),
    "sailpoint": Story(
        "Tourniquet: access granted past governance",
        "Privilege Escalation",
        "Requests approved by those who made them, and entitlements that appeared without any request.",
        "Governance says who may have what, and why. An attacker with an administrator of it approves his own request, "
        "wakes a dead account, or grants at the target and hopes that nobody reconciles.",
        ("SailPoint Identity Security Cloud", "Microsoft Entra ID"),
    ),
    "github": Story(
        "Tourniquet: code host credentials abused",
        "Cloud Security",
        "Personal access tokens and leaked secrets of GitHub in use by somebody else.",
        "Secrets leak into repositories, and tokens leak from laptops and pipelines. The next step is always to clone: "
        "code, and the secrets in its history.",
        ("GitHub",),
    ),
    "kubernetes": Story(
        "Tourniquet: workload identity used outside its cluster",
        "Cloud Security",
        "Service account tokens of Kubernetes that come from outside.",
        "A pod's token is a file. Somebody who reads it can use it from anywhere the API server is reached from.",
        ("Kubernetes",),
    ),
    "agent": Story(
        "Tourniquet: AI agent steered by somebody else",
        "Adversary Tactics",
        "Agents that read instructions in what they process, and then use their tools for whoever wrote those.",
        "An agent has an identity, tools and secrets, and does what text tells it. An injected instruction makes it collect "
        "credentials, send data out, or call what it was never meant to call.",
        ("MCP gateway", "Amazon Bedrock", "Microsoft Entra ID"),
    ),
    "identity": Story(
        "Tourniquet: non-human identity out of its place",
        "Account Compromise",
        "Service identities used by hand, from many hosts, or after they should be gone.",
        "Most identities are not people, and nobody notices when they behave oddly: a service account in a browser, one "
        "secret on many hosts, an offboarded identity that works again, a secret that leaked and is in use.",
        ("Okta", "Microsoft Entra ID", "AWS CloudTrail", "CyberArk", "HashiCorp Vault", "GitHub"),
    ),
    "correlation": Story(
        "Tourniquet: one identity across identity provider, vaults and cloud",
        "Lateral Movement",
        "Steps at several vendors that are harmless alone and an attack together.",
        "A hijacked session opens the password vault, the vault opens the secrets store, the secrets store opens the cloud. "
        "Each log sees one step. Joined on the identity, two steps are enough to act.",
        ("Okta", "Microsoft Entra ID", "AWS CloudTrail", "CyberArk", "HashiCorp Vault"),
    ),
}


def search_name(detection: Detection) -> str:
    """The saved search of a detection."""
    return f"Tourniquet - {detection.name}"


def es_annotations(detection: Detection) -> Dict[str, List[str]]:
    """ES's annotations: the story, ATT&CK techniques with those that they are parts of, and NIST CSF."""
    attack = detection.frameworks.get("attack", ())
    return {
        "analytic_story": [STORIES[detection.source].title],
        "mitre_attack": sorted({*attack, *(name.split(".")[0] for name in attack)}),
        "cis20": [],
        "nist": list(detection.frameworks.get("csf", ())),
    }


def analyticstories(detections: Sequence[Detection]) -> str:
    """Every story, then what it says of each of its searches."""
    parts = []
    for source, story in STORIES.items():
        its = [one for one in detections if one.source == source]
        techniques = sorted({name for one in its for name in one.frameworks.get("attack", ())})
        settings: Settings = [
            ("category", story.category),
            ("last_updated", _UPDATED),
            ("version", "1"),
            ("references", json_line([_attack(name) for name in techniques])),
            ("maintainers", json_line(_MAINTAINERS)),
            ("spec_version", "3"),
            ("searches", json_line([search_name(one) for one in its])),
            ("description", story.description),
            ("narrative", story.narrative),
        ]
        parts.append(stanza(f"analytic_story://{story.title}", settings))
    parts += [stanza(f"savedsearch://{search_name(one)}", _search(one)) for one in detections]
    return conf(parts)


def _attack(name: str) -> str:
    return f"https://attack.mitre.org/techniques/{name.replace('.', '/')}/"


def _search(one: Detection) -> Settings:
    mapped = {key: list(found) for key, found in one.frameworks.items() if key in names()}
    return [
        ("type", "detection"),
        ("asset_type", one.account_kind),
        ("confidence", "high" if one.confidence >= 70 else "medium"),
        ("explanation", _flat(one.description)),
        ("how_to_implement", _flat("; ".join(one.logging) or "Nothing beyond the source's ordinary log.")),
        ("annotations", json_line(mapped)),
        ("known_false_positives", _flat(" ".join(one.false_positives))),
        ("providing_technologies", json_line(list(STORIES[one.source].technologies))),
    ]


def _flat(text: str) -> str:
    return " ".join(text.split())
