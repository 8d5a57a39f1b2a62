"""Runs Splunk AppInspect on a package and judges it: `python packaging/appinspect.py build/tourniquet-VERSION.spl`.

AppInspect exits with 0 even when checks fail, so its JSON is read: no failure, error or future failure may be in it,
and no warning that packaging/appinspect_allowed.yaml does not name with a reason. It runs in a virtual environment of
its own in the user's cache, from packaging/locks/appinspect.txt; `--install` makes that and does nothing else.

Exit codes: 0 sound, 1 not sound, 2 AppInspect could not run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, List, Mapping, Sequence

import yaml

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "packaging" / "locks" / "appinspect.txt"
ALLOWED = ROOT / "packaging" / "appinspect_allowed.yaml"
TAGS = ("cloud", "private_victoria", "aarch64_compatibility")
_FATAL = ("failure", "error", "future_failure")
_NOT_RUN = ("not_applicable", "skipped")


class NotRun(Exception):
    """AppInspect could not be installed or gave no report."""


@dataclass(frozen=True)
class Finding:
    """One message of a check that is neither a success nor not applicable. `result` is AppInspect's word."""

    result: str
    check: str
    message: str


@dataclass(frozen=True)
class Allowance:
    """A warning that is no mistake, and why."""

    check: str
    message: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        return finding.result == "warning" and finding.check == self.check and bool(re.search(self.message, finding.message))


@dataclass(frozen=True)
class Inspection:
    """What one run said: AppInspect's own summary, and its findings."""

    summary: Mapping[str, int]
    findings: Sequence[Finding]


def _home() -> Path:
    """The environment of this lock and this Python."""
    given = f"{LOCK.read_text()} {sys.version_info[:2]}".encode()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tourniquet"
    return cache / f"appinspect-{hashlib.sha256(given).hexdigest()[:12]}"


def missing() -> str:
    """Why AppInspect can't be used, "" when it is installed."""
    if (_home() / ".installed").exists() and os.access(_home() / "bin" / "splunk-appinspect", os.X_OK):
        return ""
    return "AppInspect is not installed: python packaging/appinspect.py --install"


def install() -> None:
    """Install AppInspect if it is missing. Raises NotRun."""
    if not missing():
        return
    home = _home()
    shutil.rmtree(home, ignore_errors=True)
    try:
        venv.create(home, with_pip=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True, capture_output=True, text=True)  # noqa: S603
    except subprocess.CalledProcessError as error:
        raise NotRun(f"AppInspect can't be installed: {_last_line(error.stderr or error.stdout)}") from None
    except OSError as error:
        raise NotRun(f"AppInspect can't be installed: {error}") from None
    (home / ".installed").touch()


def inspect(package: Path) -> Inspection:
    """Inspect with the checks of all TAGS at once. Raises NotRun."""
    if missing():
        raise NotRun(missing())
    tags = [word for tag in TAGS for word in ("--included-tags", tag)]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(_home() / "bin" / "splunk-appinspect"), "inspect", str(package), "--mode", "precert", *tags,
                   "--skip-trusted-libraries-update", "--output-file", str(report)]  # fmt: skip
        ran = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
        if not report.exists():
            raise NotRun(f"AppInspect gave no report: {_last_line(ran.stderr or ran.stdout)}")
        return read_report(json.loads(report.read_text(encoding="utf-8")))


def read_report(given: Mapping[str, Any]) -> Inspection:
    """An inspection from AppInspect's JSON. Raises NotRun for a tag of which no check ran: that would not be sound."""
    ran = {tag for check in _checks(given) if check["result"] not in _NOT_RUN for tag in check["tags"]}
    unused = [tag for tag in TAGS if tag not in ran]
    if unused:
        raise NotRun(f"AppInspect ran no check of the tag {', '.join(unused)}")
    return Inspection(given["summary"], tuple(_findings(given)))


def _checks(given: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for report in given["reports"]:
        for group in report["groups"]:
            yield from group["checks"]


def _findings(given: Mapping[str, Any]) -> Iterator[Finding]:
    for check in _checks(given):
        told = [m for m in check["messages"] if m["result"] in (*_FATAL, "warning")]
        yield from (Finding(m["result"], check["name"], " ".join(m["message"].split())) for m in told)
        if not told and check["result"] in (*_FATAL, "warning"):
            yield Finding(check["result"], check["name"], "no message")


def read_allowed(path: Path = ALLOWED) -> List[Allowance]:
    """The allow-list. Raises ValueError for an entry without its three keys."""
    found = []
    for number, entry in enumerate(yaml.safe_load(path.read_text(encoding="utf-8")), 1):
        if set(entry) != {"check", "message", "reason"} or not all(isinstance(v, str) and v for v in entry.values()):
            raise ValueError(f"{path}: entry {number}: give check, message and reason")
        found.append(Allowance(**entry))
    return found


def judge(inspection: Inspection, allowed: Sequence[Allowance]) -> List[str]:
    """What is wrong, one line each; nothing when the package is sound."""
    findings = inspection.findings
    told = Counter(finding.result for finding in findings)
    wrong = [
        f"{finding.result}: {finding.check}: {finding.message}"
        for finding in findings
        if not any(allowance.covers(finding) for allowance in allowed)
    ]
    wrong.extend(
        f"the summary counts {inspection.summary[result]} of {result}, and no message says which"
        for result in _FATAL
        if inspection.summary.get(result) and not told[result]
    )
    wrong.extend(
        f"{ALLOWED.name}: {allowance.check} with {allowance.message!r} matches nothing any more: remove it"
        for allowance in allowed
        if not any(allowance.covers(finding) for finding in findings)
    )
    return list(dict.fromkeys(wrong))


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def main(arguments: List[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("package", type=Path, nargs="?", help="the .spl file, or the folder of the app")
    what.add_argument("--install", action="store_true", help="install AppInspect if it is missing, and inspect nothing")
    options = parser.parse_args(arguments)
    try:
        install()
        if options.install:
            return 0
        inspection = inspect(options.package)
    except NotRun as error:
        sys.stderr.write(f"{error}\n")
        return 2
    counts = ", ".join(f"{number} {what}" for what, number in sorted(inspection.summary.items()))
    sys.stdout.write(f"AppInspect, tags {', '.join(TAGS)}: {counts}\n")
    wrong = judge(inspection, read_allowed())
    for line in wrong:
        sys.stdout.write(f"  {line}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
