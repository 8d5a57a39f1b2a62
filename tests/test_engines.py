"""The rule that a run in CI proves something on every real engine."""

from __future__ import annotations

from collections import Counter
from typing import Dict

from tests.conftest import REAL_ENGINES, unproven


def test_every_engine_must_have_passed_and_skipped_nothing() -> None:
    """An engine without a passed test, or with a skipped one, is named."""
    sound: Dict[str, Counter[str]] = {engine: Counter(passed=3) for engine in REAL_ENGINES}
    assert unproven(sound) == []
    assert unproven({**sound, "openbao": Counter(passed=3, skipped=1)}) == ["engine openbao: 3 passed, 1 skipped"]
    assert unproven({**sound, "chromium": Counter(failed=2)}) == ["engine chromium: 0 passed, 0 skipped"]
    del sound["appinspect"]
    assert unproven(sound) == ["engine appinspect: 0 passed, 0 skipped"]
