from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from tests.inventory_sync.company import Company


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with Company(tmp_path) as found:
        yield found
