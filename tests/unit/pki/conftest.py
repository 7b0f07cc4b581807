from __future__ import annotations

import pytest

from tests.federation.authority import Authority, Credential


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def host(authority: Authority) -> Credential:
    return authority.host("host.example.org")
