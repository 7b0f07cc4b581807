"""Settings that would not go on with the history of a former tool are refused or told before the first record."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Iterator, List

import pytest

from fedcloud_agent.accounting import making
from fedcloud_agent.accounting.settings import CONTINUE, FirstRun
from fedcloud_agent.cli.accounting.history import check_history
from fedcloud_agent.cli.context import rooms
from fedcloud_agent.cli.opening import cloud_of
from fedcloud_agent.config.loading import load
from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.store.engine import Store
from fedcloud_agent.store.opening import open_store
from tests.unit.accounting.test_former import CASO, GOAT, ONEACCT, put

ONE = """
    type: opennebula
    endpoint: http://one.example.org:2633/RPC2
    auth: {username: accounting, password_file: /etc/fedcloud-agent/oned.secret}
"""
SAME = "    uuid_style: oneacct\n    uuid_zone: '+01:00'\n    uuid_endpoint: https://occi.example.org:11443\n"
RULES = "  cpu_duration: wall\n  fqan_style: voms\n"

Check = Callable[..., List[str]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def check(tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> Check:
    etc = tmp_path / "etc-agent"
    etc.mkdir()
    (tmp_path / "outgoing").mkdir()

    def check(cloud: str = ONE, rules: str = RULES, first_run: str = "continue", more: str = "") -> List[str]:
        (etc / "agent.yaml").write_text(
            f"site: EXAMPLE-SITE\nclouds:\n  main:\n{cloud}{more}accounting:\n  first_run: {first_run}\n{rules}"
            f"  destinations: {{central: {{type: directory, path: {tmp_path}/outgoing}}}}\n"
        )
        configuration = load(etc, rooms())
        with cloud_of(configuration.cloud("main")) as opened:
            check_history(configuration, configuration.cloud("main"), opened, store, tmp_path)
        return capsys.readouterr().err.splitlines()

    return check


def test_nothing_is_said_where_nothing_was(check: Check) -> None:
    assert check() == []


def test_names_that_machines_did_not_have_are_refused(check: Check, tmp_path: Path) -> None:
    put(tmp_path, {"etc/oneacct-export/conf.yml": ONEACCT})
    with pytest.raises(ConfigurationError, match="all that they ever used would count once more") as error:
        check()
    assert "  clouds.main.uuid_style: oneacct   (is agent)\n" in str(error.value.hint)
    assert "uuid_endpoint: https://occi.example.org:11443/   (is http://one.example.org:2633/RPC2)" in str(
        error.value.hint
    )
    assert check(ONE + SAME) == []


def test_what_only_begins_a_graph_anew_is_told(check: Check, tmp_path: Path) -> None:
    put(tmp_path, {"etc/oneacct-export/conf.yml": ONEACCT})
    (line,) = check(ONE + SAME, rules="  fqan_style: voms\n")
    assert "accounting.cpu_duration is allocated; to go on with the history of oneacct-export" in line
    lines = check(first_run="backfill")
    assert "accounting.first_run is backfill" in lines[0] and lines[0].endswith("it were continue")
    assert len(lines) == 3


def test_goat_cannot_be_continued(check: Check, tmp_path: Path) -> None:
    put(tmp_path, {"etc/goat-one/goat-one.yml": GOAT})
    with pytest.raises(ConfigurationError, match="goat") as error:
        check()
    assert "{baseline: DATE}" in str(error.value.hint)
    assert check(first_run="{baseline: 2026-02-01}") == []


def test_only_its_own_kind_of_cloud_before_the_first_record_and_where_it_is_clear_which(
    check: Check, tmp_path: Path, store: Store
) -> None:
    put(tmp_path, {"etc/caso/caso.conf": CASO})
    assert check() == []
    put(tmp_path, {"etc/oneacct-export/conf.yml": ONEACCT})
    assert check(more=f"  other:{ONE}") == []
    with store.write() as connection:
        making.begin_stream(connection, "main", "central", FirstRun(CONTINUE), 1)
    assert check() == []
