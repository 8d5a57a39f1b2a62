"""The libraries in the Splunk app's lib/: installed from the locks, pure Python only, with their licences listed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import List, Sequence

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "packaging" / "locks"
OLDEST = "3.9"  # the older of Splunk's two Pythons: what its pip would accept
_PURE = ("--platform", "any", "--implementation", "py", "--abi", "none", "--python-version", OLDEST, "--only-binary=:all:")
_HEADERS = ("Name", "Version", "Summary", "License", "License-Expression", "Home-page", "Project-URL", "Classifier")
_COMPILED = (".so", ".pyd", ".dll", ".dylib", ".pyc", ".pyo", ".o", ".a", ".exe", ".wasm")
_NOT_NEEDED = ("bin", "certifi/tests", "urllib3/contrib/emscripten")
"""Console scripts with a path of this machine, tests, and code for browsers."""


@dataclass(frozen=True)
class Library:
    """One vendored library."""

    name: str
    version: str
    licence: str
    files: Sequence[str]


def install(lib: Path) -> List[Library]:
    """Fill `lib` from the locks. Raises CalledProcessError when pip fails and ValueError for a compiled file."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-warn-conflicts",
           "--target", str(lib), "--no-deps", "--require-hashes", "--no-compile"]  # fmt: skip
    subprocess.run([*pip, *_PURE, "-r", str(LOCKS / "splunk.txt")], check=True)  # noqa: S603
    # An sdist: pip takes no --platform for one, and its build must not fetch what no lock names.
    sdist = lib.with_name("sdist")
    into = [str(sdist) if part == str(lib) else part for part in pip]
    subprocess.run([*into, "--no-build-isolation", "-r", str(LOCKS / "splunk-sdist.txt")], check=True)  # noqa: S603
    for path in sdist.iterdir():
        shutil.move(str(path), str(lib / path.name))
    sdist.rmdir()
    for name in _NOT_NEEDED:
        shutil.rmtree(lib / name)
    shutil.rmtree(lib / "__pycache__", ignore_errors=True)
    compiled = [str(path) for path in lib.rglob("*") if path.suffix in _COMPILED]
    if compiled:
        raise ValueError(f"compiled files among the vendored libraries: {', '.join(compiled)}")
    return [_tidy(found) for found in sorted(lib.glob("*.dist-info"))]


def _tidy(folder: Path) -> Library:
    """Keep of a library's metadata what says who made it and under which licence: the rest differs by machine."""
    metadata = HeaderParser().parsestr((folder / "METADATA").read_text(encoding="utf-8"))
    kept = "".join(f"{name}: {' '.join(value.split())}\n" for name, value in metadata.items() if name in _HEADERS)
    licences = [path for path in sorted(folder.rglob("*")) if path.is_file() and _is_licence(path)]
    for path in [path for path in folder.rglob("*") if path.is_file() and path not in licences]:
        path.unlink()
    (folder / "METADATA").write_text("Metadata-Version: 2.4\n" + kept, encoding="utf-8")
    name = metadata["Name"]
    licence = metadata["License-Expression"] or _classified(metadata.get_all("Classifier", []))
    licence = licence or _short(metadata["License"])
    if not licence:
        raise ValueError(f"{name}: no licence in its metadata: don't ship it")
    return Library(name, metadata["Version"], licence, [path.relative_to(folder.parent).as_posix() for path in licences])


def _is_licence(path: Path) -> bool:
    return path.name.upper().startswith(("LICEN", "COPYING", "NOTICE", "AUTHORS"))


def _classified(classifiers: Sequence[str]) -> str:
    return ", ".join(sorted(line.split(" :: ")[-1] for line in classifiers if line.startswith("License :: ")))


def _short(given: object) -> str:
    """A licence's name; some libraries put the whole text there."""
    return given if isinstance(given, str) and len(given) < 80 and "\n" not in given else ""


def notices(libraries: Sequence[Library]) -> str:
    """What the package says of other people's work in it."""
    lines = ["Tourniquet is licensed under Apache-2.0 (LICENSE). The libraries in lib/ belong to their authors:\n"]
    for library in libraries:
        where = ", ".join(f"lib/{name}" for name in library.files) or "LICENSE has the text"
        lines.append(f"{library.name} {library.version}: {library.licence} ({where})")
    return "\n".join(lines) + "\n"
