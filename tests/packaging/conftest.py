"""The package, built and unpacked once."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.packaging.splunk import NAME, ROOT


def built(folder: Path) -> Path:
    """Build the package as `make splunk-app` does, into a folder."""
    command = [sys.executable, str(ROOT / "packaging" / "splunk_app.py"), "--to", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return next(folder.glob("*.spl"))


def unpacked(package: Path, folder: Path) -> Path:
    with tarfile.open(package) as tar:
        tar.extractall(folder, filter="data")
    return folder / NAME


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="session")
def app(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the app as Splunk unpacks it."""
    return unpacked(package, tmp_path_factory.mktemp("app"))
