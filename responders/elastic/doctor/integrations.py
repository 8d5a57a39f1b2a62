"""The integrations that enabled rules read from: installed, in a version whose fields were read."""

from __future__ import annotations

import re
from typing import Dict, Iterator, Set, Tuple

from responders.elastic.doctor.finding import ERROR, OK, WARNING, Finding, Scene, rules_counted
from responders.elastic.doctor.versions import parsed
from responders.elastic.kibana import KibanaError

_RANGE = re.compile(r"(>=|\^)\s*(\d+(?:\.\d+)*)\Z")


def check(scene: Scene) -> Iterator[Finding]:
    wanted: Dict[Tuple[str, str], Set[str]] = {}
    for rule in scene.enabled:
        for one in rule.get("related_integrations") or ():
            wanted.setdefault((str(one.get("package")), str(one.get("version"))), set()).add(str(rule.get("name")))
    if not wanted:
        return
    try:
        installed = dict(scene.kibana.packages())
    except KibanaError as error:
        what = f"installed integrations can't be read: {error.message}"
        yield Finding(WARNING, "integration", "Fleet", what, error.remedy)
        return
    for (package, version), rules in sorted(wanted.items()):
        has = installed.get(package)
        if has is None:
            what = f"is not installed; read by {rules_counted(len(rules))}"
            remedy = (
                f"install {package} {version}, or disable what reads only from it; ignore this if events come another way"
            )
            yield Finding(WARNING, "integration", package, what, remedy)
        elif not satisfies(has, version):
            what = f"is {has}, rules need {version}: fields may have other names, unseen by {rules_counted(len(rules))}"
            yield Finding(ERROR, "integration", package, what, f"upgrade {package} in Kibana, Integrations")
        else:
            yield Finding(OK, "integration", package, f"is {has}, good for {rules_counted(len(rules))}")


def satisfies(version: str, wanted: str) -> bool:
    """True for a version in a range `>=1.2.3` or `^1.2.3`, or that very version; a pre-release counts as its release."""
    match = _RANGE.match(wanted.strip())
    if match is None:
        return version == wanted
    has, least = parsed(version), parsed(match[2])
    return has >= least and (match[1] == ">=" or has[0] == least[0])
