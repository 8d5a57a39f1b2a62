"""Lays out Elasticsearch 8.19.21 with ES|QL, KQL and API keys from Maven Central, once a machine, in the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Dict, Tuple

VERSION = "8.19.21"
_POM = Path(__file__).resolve().parents[2] / "packaging" / "elasticsearch" / "pom.xml"
_BASE_SHA256 = "215d5f3dbf0609a149f6218a9e47b6ae2df34ebbff3c5754e35f15a5e5393c8a"
_JAVA = Path(__file__).resolve().parent / "java" / "SecurityAnalysis.java"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
_MODULES: Dict[str, Tuple[str, ...]] = {
    "x-pack-esql-core": (f"x-pack-esql-core-{VERSION}", f"x-pack-mapper-version-{VERSION}"),
    "x-pack-kql": (f"x-pack-kql-{VERSION}", "antlr4-runtime"),
    "mapper-version": (f"x-pack-mapper-version-{VERSION}",),
    "x-pack-esql": (
        f"x-pack-esql-{VERSION}", "x-pack-esql-compute", "arrow", "elasticsearch-dissect", "elasticsearch-h3",
        "lucene-spatial3d", "flatbuffers", "jackson", "checker-qual",
    ),
}  # fmt: skip
"""Module folder to the beginnings of its jars; the first holds the module's descriptor. What the server or x-pack-core
has already (lucene-core, grok, slf4j …) must not lie here again: Elasticsearch refuses duplicate classes. A class that is
not found ends the server at the first query that needs it: without mapper-version beside esql-core, at any `IN`."""
_NOT_HERE = ("lang-painless", "x-pack-ml")
"""Plugins that a descriptor extends and that are not on Maven Central; only features that the tests don't use need them."""


_DESCRIPTOR = f"""\
name=security-analysis
description=Parts of an analyzer that the index of API keys names
classname={_JAVA.stem}
version={VERSION}
elasticsearch.version={VERSION}
java.version=17
"""


def cache() -> Path:
    """The user's cache folder; as root one that the server's own user can enter, since Elasticsearch refuses to be root."""
    if os.geteuid() == 0:
        return Path("/var/cache/tourniquet")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tourniquet"


def install() -> Path:
    """The folder of Elasticsearch, made at the first call. Two processes that call at once make it once.

    Raises RuntimeError when Maven fails or the archive is not the expected one.
    """
    root = cache()
    root.mkdir(parents=True, exist_ok=True)
    home = root / f"elasticsearch-{VERSION}-{_layout()}"
    with open(root / "elasticsearch.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            with tempfile.TemporaryDirectory(dir=root) as folder:
                made = _lay_out(Path(folder))
                made.rename(home)
    return home


def _layout() -> str:
    """Short name of how it is laid out, so that a change of this file or of the pom makes a new folder."""
    return hashlib.sha256(_POM.read_bytes() + _JAVA.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:8]


def _lay_out(work: Path) -> Path:
    jars = work / "jars"
    command = ["mvn", "-q", "-B", "-f", str(_POM), _COPY, "-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise RuntimeError(f"mvn could not fetch Elasticsearch: {(done.stdout + done.stderr)[-2000:]}")
    base = jars / f"elasticsearch-{VERSION}.zip"
    found = hashlib.sha256(base.read_bytes()).hexdigest()
    if found != _BASE_SHA256:
        raise RuntimeError(f"{base.name} has sha256 {found}, expected {_BASE_SHA256}: not used")
    with zipfile.ZipFile(base) as archive:
        for entry in archive.infolist():
            path = archive.extract(entry, work)
            if entry.external_attr >> 16 & 0o111 and not entry.is_dir():
                os.chmod(path, 0o755)  # noqa: S103 - the server runs as another user
    home = work / f"elasticsearch-{VERSION}"
    for name, wanted in _MODULES.items():
        _module(home / "modules" / name, jars, wanted)
    _security_analysis(home)
    home.chmod(0o755)
    return home


def _security_analysis(home: Path) -> None:
    """A module made here of one source file: without it no API key can be stored (its text says why)."""
    folder = home / "modules" / "security-analysis"
    with tempfile.TemporaryDirectory() as classes:
        command = ["javac", "-proc:none", "-cp", str(home / "lib" / "*"), "-d", classes, str(_JAVA)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            raise RuntimeError(f"javac could not compile {_JAVA.name}: {done.stderr[-2000:]}")
        folder.mkdir()
        with zipfile.ZipFile(folder / "security-analysis.jar", "w") as jar:
            for path in sorted(Path(classes).iterdir()):
                jar.write(path, path.name)
    (folder / "plugin-descriptor.properties").write_text(_DESCRIPTOR, encoding="ascii")


def _module(folder: Path, jars: Path, wanted: Tuple[str, ...]) -> None:
    folder.mkdir()
    for start in wanted:
        found = sorted(jars.glob(f"{start}*.jar"))
        if not found:
            raise RuntimeError(f"no jar {start}* for module {folder.name}")
        for jar in found:
            shutil.copy(jar, folder)
    with zipfile.ZipFile(jars / f"{wanted[0]}.jar") as own:
        for name in own.namelist():
            if name.startswith("META-INF/es-plugins/") and name.endswith("/plugin-descriptor.properties"):
                text = own.read(name).decode("utf-8")
                for gone in _NOT_HERE:
                    text = re.sub(rf"^(extended\.plugins=.*),{gone}", r"\1", text, flags=re.MULTILINE)
                if folder.name == "x-pack-esql":  # its KQL() needs the classes, and the antlr4, of x-pack-kql
                    text = re.sub(r"^(extended\.plugins=.*)", r"\1,x-pack-kql", text, flags=re.MULTILINE)
                (folder / "plugin-descriptor.properties").write_text(text, encoding="utf-8")
            elif name.endswith("entitlement-policy.yaml"):
                (folder / "entitlement-policy.yaml").write_bytes(own.read(name))
