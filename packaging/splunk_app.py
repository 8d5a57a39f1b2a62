"""Builds the Splunk app: `python packaging/splunk_app.py [--to FOLDER]` writes build/tourniquet-VERSION.spl.

The same sources and locks give the same bytes. lib/ holds the vendored libraries and the part of `responders` that
the alert process needs; detections, drill, command line and YAML reading stay outside.
"""

from __future__ import annotations

import argparse
import configparser
import hashlib
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import List

from archive import write_archive
from vendored import install, notices

ROOT = Path(__file__).resolve().parent.parent
NAME = "tourniquet"
_LEFT_OUT = (
    "backtest", "content", "console", "drill", "elastic", "report_page.py", "inventory/elasticsearch.py",
    "inventory/files.py", "inventory/reporting", "inventory/sync",
    "inventory/compiled.py", "inventory/describing.py", "inventory/evidence.py", "inventory/joining.py",
    "inventory/observation.py", "inventory/rules.py", "inventory/units.py",
    "journal/elasticsearch.py", "journal/sqlite.py", "surfaces/command_line", "surfaces/relay", "surfaces/service",
    "policy/from_yaml.py", "yaml_source.py", "sqlite_file.py",
)  # fmt: skip
"""Of `responders`: what builds, shows or reads YAML, and never runs inside Splunk."""
_KINDS = (".py", ".json")


def build(to: Path) -> Path:
    """Build the package below `to`, and return its path. Raises ValueError when parts of it disagree."""
    version = _version()
    _agree(version)
    to.mkdir(parents=True, exist_ok=True)
    target = to / f"{NAME}-{version}.spl"
    with tempfile.TemporaryDirectory(dir=to) as scratch:
        app = Path(scratch) / NAME
        lay_out(app)
        write_archive(app, target, NAME, lambda name: name.startswith(f"{NAME}/bin/"))
    return target


def lay_out(app: Path) -> None:
    """The app's folder as Splunk unpacks it."""
    shutil.copytree(ROOT / "splunk_app", app, ignore=shutil.ignore_patterns("lib", "local", "__pycache__", "*.pyc"))
    lib = app / "lib"
    libraries = install(lib)
    for path in shipped():
        target = lib / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    for name in ("LICENSE", "CHANGELOG.md"):
        shutil.copyfile(ROOT / name, app / name)
    (app / "THIRD-PARTY-NOTICES.txt").write_text(notices(libraries), encoding="utf-8")


def shipped() -> List[Path]:
    """The files of `responders` that go into the package, in order of their names."""
    package = ROOT / "responders"
    left_out = tuple(package / name for name in _LEFT_OUT)
    return [
        path
        for path in sorted(package.rglob("*"))
        if path.suffix in _KINDS and not any(path == out or out in path.parents for out in left_out)
    ]


def _version() -> str:
    found = re.search(r'^__version__ = "([^"]+)"$', (ROOT / "responders" / "__init__.py").read_text(), re.MULTILINE)
    if found is None:
        raise ValueError("responders/__init__.py states no __version__")
    return found.group(1)


def _agree(version: str) -> None:
    """Splunk reads the version at four places: they must be the one of the package."""
    conf = configparser.RawConfigParser()
    conf.read(ROOT / "splunk_app" / "default" / "app.conf")
    actions = configparser.RawConfigParser()
    actions.read(ROOT / "splunk_app" / "default" / "alert_actions.conf")
    cam = json.loads(actions["tourniquet_contain"]["param._cam"])
    manifest = json.loads((ROOT / "splunk_app" / "app.manifest").read_text())
    stated = {
        "default/app.conf [launcher]": conf["launcher"]["version"],
        "default/app.conf [id]": conf["id"]["version"],
        "app.manifest": manifest["info"]["id"]["version"],
        "default/alert_actions.conf param._cam": ", ".join(cam["technology"][0]["version"]),
    }
    wrong = [f"{place} says {found}" for place, found in stated.items() if found != version]
    if wrong:
        raise ValueError(f"responders is {version}, but in splunk_app/ {'; '.join(wrong)}")


def main(arguments: List[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--to", type=Path, default=ROOT / "build", help="folder to write to")
    target = build(parser.parse_args(arguments).to)
    data = target.read_bytes()
    sys.stdout.write(f"{target} {len(data)} bytes sha256 {hashlib.sha256(data).hexdigest()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
