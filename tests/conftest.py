"""Engines, worlds and the rule that in CI a missing engine is a failure."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from hypothesis import HealthCheck, settings

from responders.drill.openbao import OpenBao, program
from responders.drill.world import World

pytest_plugins = ("tests.engines.fixtures", "tests.specs.plugin")

settings.register_profile("default", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", parent=settings.get_profile("default"), max_examples=3000)
settings.load_profile("default")

REAL_ENGINES = ("appinspect", "chromium", "elasticsearch", "openbao", "python3.13", "python3.9")
"""Each must have run at least one test, and skipped none, in a whole run with CI=true."""


@lru_cache(maxsize=8)
def interpreter(version: str) -> str:
    """Path of a Python of this version, "" when there is none that runs."""
    roots = sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python"))
    for found in [*map(str, roots), shutil.which(f"python{version}") or ""]:
        if found and subprocess.run([found, "-c", "pass"], capture_output=True, check=False).returncode == 0:
            return found
    return ""


def missing(engine: str) -> str:
    """Why an engine can't be used here, "" when it can."""
    if engine == "openbao":
        return "" if program() else "no `bao` program"
    if engine.startswith("python"):
        return "" if interpreter(engine[6:]) else f"no {engine}"
    if engine == "chromium":
        return "" if shutil.which("chromium") else "no chromium"
    if engine == "elasticsearch":
        return "" if shutil.which("javac") and shutil.which("mvn") else "no JDK or maven"
    if engine == "appinspect":
        from tests.packaging.splunk import script

        return str(script("appinspect").missing())
    return f"unknown engine {engine}"


FIRST = (
    "tests/containment/test_kill.py",
    "tests/actions/test_every_action.py",
    "tests/content/test_elastic.py",
    "tests/packaging/test_appinspect.py",
    "tests/drill/test_drill.py",
    "tests/content/test_run_engines.py",
    "tests/surfaces/test_command_line.py",
    "tests/surfaces/test_bad_input.py",
    "tests/packaging/test_alert_process.py",
    "tests/surfaces/test_two_at_once.py",
)
"""Modules that take longest, first: else one worker is still at one of them when the other has nothing left. Elasticsearch
gets ready meanwhile."""


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # by number of tests: the longest modules have few


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: rank.get(item.nodeid.partition("::")[0], len(FIRST)))
    for item in items:
        for mark in item.iter_markers("engine"):
            why = missing(mark.args[0])
            if why and os.environ.get("CI") != "true":
                item.add_marker(pytest.mark.skip(reason=f"engine {mark.args[0]}: {why}"))


@pytest.fixture(autouse=True)
def _engines_are_there(request: pytest.FixtureRequest) -> None:
    for mark in request.node.iter_markers("engine"):
        why = missing(mark.args[0])
        if why:
            pytest.fail(f"engine {mark.args[0]}: {why}; in CI a missing engine is a failure")


def _engine_counts(reporter: Any) -> Dict[str, Counter[str]]:
    """Engine to how many of its tests passed, failed, were skipped."""
    counts: Dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in reporter.stats.get(outcome, []):
            for key in getattr(report, "keywords", {}):
                if key.startswith("engine_"):
                    counts.setdefault(key[7:], Counter())[outcome] += 1
    return counts


def unproven(counts: Dict[str, Counter[str]]) -> List[str]:
    """Real engines on which no test passed or some were skipped, in words."""
    none = Counter[str]()
    return [
        f"engine {engine}: {counts.get(engine, none)['passed']} passed, {counts.get(engine, none)['skipped']} skipped"
        for engine in REAL_ENGINES
        if not counts.get(engine, none)["passed"] or counts[engine]["skipped"]
    ]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line that says how many tests ran on each real engine."""
    for engine, found in sorted(_engine_counts(terminalreporter).items()):
        terminalreporter.write_line(f"engine {engine}: " + ", ".join(f"{n} {what}" for what, n in sorted(found.items())))


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """In CI, a whole run in which an engine proved nothing is a failed run."""
    yield
    config = session.config
    whole = (
        list(config.args) == list(config.getini("testpaths")) and not config.option.keyword and not config.option.markexpr
    )
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") != "true" or not whole or hasattr(config, "workerinput") or reporter is None:
        return
    for line in unproven(_engine_counts(reporter)):
        reporter.write_line(f"FAILED {line}: in CI each real engine must prove something", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_itemcollected(item: pytest.Item) -> None:
    for mark in item.iter_markers("engine"):
        item.extra_keyword_matches.add(f"engine_{mark.args[0]}")
        item.keywords[f"engine_{mark.args[0]}"] = True


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Simulated Okta, Entra and CyberArk, no OpenBao: quick."""
    with World(tmp_path, vault=False) as found:
        yield found


@pytest.fixture
def full_world(tmp_path: Path) -> Iterator[World]:
    """The same with a real OpenBao."""
    with World(tmp_path) as found:
        yield found


@pytest.fixture
def openbao() -> Iterator[OpenBao]:
    with OpenBao() as server:
        yield server
