"""The Splunk package as a file: reproducible, pure Python, licensed, locked, and nothing in it that never runs there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Dict, List

import pytest

from tests.packaging.conftest import built
from tests.packaging.splunk import NAME, ROOT, script

MEGABYTE = 1024 * 1024


def members(package: Path) -> List[tarfile.TarInfo]:
    with tarfile.open(package) as tar:
        return tar.getmembers()


def locked(name: str) -> Dict[str, List[str]]:
    """Library to the hashes that a lock gives it."""
    found: Dict[str, List[str]] = {}
    for line in (ROOT / "packaging" / "locks" / name).read_text().splitlines():
        pin = re.match(r"([A-Za-z0-9._-]+)==(\S+)", line)
        if pin:
            found[f"{canonical(pin[1])}=={pin[2]}"] = []
        elif "--hash=sha256:" in line:
            found[list(found)[-1]].append(line)
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_same_sources_give_the_same_bytes(package: Path, tmp_path: Path) -> None:
    """Built again with other file times, another umask, locale, time zone and hash seed, to the last byte."""
    target = tmp_path / "again"
    code = (
        "import os, runpy, sys; os.umask(0o077); sys.path.insert(0, 'packaging'); sys.argv[0] = 'packaging/splunk_app.py'; "
    )
    code += "runpy.run_path(sys.argv[0], run_name='__main__')"
    touched = ROOT / "splunk_app" / "README.md"
    before = touched.stat()
    os.utime(touched, (1_000_000_000, 1_000_000_000))
    try:
        environment = {**os.environ, "LC_ALL": "C", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7"}
        ran = subprocess.run(
            [sys.executable, "-c", code, "--to", str(target)], cwd=ROOT, env=environment, capture_output=True, text=True
        )
    finally:
        os.utime(touched, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert ran.returncode == 0, ran.stderr
    assert (target / package.name).read_bytes() == package.read_bytes()


def test_the_build_leaves_nothing_but_the_package(tmp_path: Path) -> None:
    """It starts from a folder that is not there yet, and what it needed on the way is gone."""
    package = built(tmp_path / "new" / "build")
    assert list(package.parent.iterdir()) == [package]


def test_it_is_small(package: Path) -> None:
    """At most 6 MB: it is uploaded by hand, and unpacked on each search head."""
    assert package.stat().st_size <= 6 * MEGABYTE


def test_modes_owners_and_times_say_nothing_of_the_machine(package: Path) -> None:
    """Root owns all, one time for all, and only what splunkd starts may be executed."""
    for member in members(package):
        assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", ""), member.name
        assert member.mtime == script("archive").EPOCH, member.name
        started = member.name.startswith(f"{NAME}/bin/")
        assert member.mode == (0o755 if member.isdir() or started else 0o644), member.name


def test_no_compiled_code_is_in_it(package: Path) -> None:
    """Pure Python, whatever a file is called: it runs on every processor that Splunk does."""
    with tarfile.open(package) as tar:
        for member in tar.getmembers():
            content = tar.extractfile(member) if member.isfile() else None
            start = content.read(4) if content else b""
            assert start != b"\x7fELF", member.name
            assert start[:2] != b"MZ", member.name
            assert Path(member.name).suffix not in (".so", ".pyd", ".dylib", ".dll", ".pyc", ".exe", ".a", ".o"), member.name


def test_only_what_runs_inside_splunk_is_in_it(package: Path) -> None:
    """No detections as source, drill, command line, inventory files, tests, caches, local settings or secrets."""
    names = [member.name for member in members(package)]
    unwanted = re.compile(
        r"/responders/(content|drill|console)(/|$)|/surfaces/command_line|/inventory/(files\.py|sync)|/yaml_source\.py"
        r"|/(tests?|__pycache__|\.git[^/]*|local)(/|$)|\.(ya?ml|lark|pem|key|db|conf\.bak)$"
    )
    public = f"{NAME}/lib/certifi/cacert.pem"  # the certificate authorities of the web
    assert [name for name in names if unwanted.search(name)] == [public]
    assert f"{NAME}/lib/responders/pipeline.py" in names


def test_every_module_in_it_can_be_imported_from_it_alone(app: Path) -> None:
    """Nothing that ships needs a module that does not: each one is imported with the package's lib/ as the only library."""
    lib = app / "lib"
    modules = [
        ".".join(path.relative_to(lib).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((lib / "responders").rglob("*.py"))
    ]
    assert len(modules) > 100
    code = (
        f"import sys; sys.path.insert(0, {str(lib)!r}); import importlib; [importlib.import_module(m) for m in {modules!r}]"
    )
    ran = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", code], capture_output=True, text=True, cwd=lib)
    assert ran.returncode == 0, ran.stderr


def test_every_library_is_locked_by_hash(app: Path) -> None:
    """What lies in lib/ is exactly what the locks name, each with its hashes."""
    both = {**locked("splunk.txt"), **locked("splunk-sdist.txt")}
    assert all(both.values()), both
    shipped = set()
    for metadata in (app / "lib").glob("*.dist-info/METADATA"):
        text = metadata.read_text()
        name, version = re.search(r"^Name: (.+)$", text, re.M), re.search(r"^Version: (.+)$", text, re.M)
        assert name and version, metadata
        shipped.add(f"{canonical(name[1])}=={version[1]}")
    assert shipped == set(both)


def test_every_library_comes_with_its_licence(app: Path) -> None:
    """THIRD-PARTY-NOTICES.txt names each library, its licence, and a file in the package that holds the text."""
    notices = (app / "THIRD-PARTY-NOTICES.txt").read_text()
    for folder in (app / "lib").glob("*.dist-info"):
        library = re.search(r"^Name: (.+)$", (folder / "METADATA").read_text(), re.M)
        assert library, folder
        line = re.search(rf"^{re.escape(library[1])} \S+: (.+) \((.+)\)$", notices, re.M)
        assert line, library[1]
        files = re.findall(r"lib/[^,]+", line[2])
        # splunk-sdk's archive installs no licence file; it is Apache-2.0 like this app, whose LICENSE has that text.
        assert files or "Apache" in line[1], library[1]
        assert not files or max((app / name).stat().st_size for name in files) > 500, files
    assert "Apache License" in (app / "LICENSE").read_text()


def test_the_manifest_is_one_that_splunk_takes(app: Path) -> None:
    """app.manifest 2.0.0: the keys of the schema, the folder's name, a semantic version, and files that are there."""
    manifest = json.loads((app / "app.manifest").read_text())
    assert set(manifest) == {
        "schemaVersion", "info", "dependencies", "tasks", "inputGroups", "incompatibleApps", "platformRequirements",
        "supportedDeployments", "targetWorkloads",
    }  # fmt: skip
    info = manifest["info"]
    assert manifest["schemaVersion"] == "2.0.0"
    assert info["id"]["name"] == app.name
    assert re.fullmatch(r"\d+\.\d+\.\d+", info["id"]["version"])
    assert info["author"][0]["name"]
    assert (app / info["license"]["text"]).is_file()
    assert (app / info["releaseNotes"]["text"]).is_file()
    assert set(manifest["supportedDeployments"]) <= {"_standalone", "_distributed", "_search_head_clustering"}
    assert set(manifest["targetWorkloads"]) <= {"*", "_search_heads", "_indexers", "_forwarders"}


def test_a_version_that_differs_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Splunk reads the version at four places: one that disagrees is named, and no package is written."""
    monkeypatch.syspath_prepend(ROOT / "packaging")
    with pytest.raises(ValueError, match=r"app\.manifest says"):
        script("splunk_app")._agree("9.9.9")
