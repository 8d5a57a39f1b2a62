"""Certificates are made once."""

from __future__ import annotations

import pytest

from tests.vendors.servers import Certificates, certificates


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"))
