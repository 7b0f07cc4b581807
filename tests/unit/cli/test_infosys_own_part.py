from __future__ import annotations

from pathlib import Path

import pytest

from fedcloud_agent.cli.infosys.own_part import read
from fedcloud_agent.errors import ConfigurationError

OURS = "site: EXAMPLE-SITE\ninfosys: {port: 2171, listen: ['127.0.0.1', '::1']}\ndirectories: {state: /var/lib/x}\n"
FAULTS = "clouds: {main: {type: nonsense}}\naccounting: {nonsense: 3}\n"


def test_faults_of_others_keep_nobody_from_being_served(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text(OURS + FAULTS)
    own = read(tmp_path)
    assert own.state == Path("/var/lib/x")
    assert (own.infosys.port, own.infosys.listen) == (2171, ("127.0.0.1", "::1"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("infosys: {port: 0}", "a whole number from 1 to 65535"),
        ("infosys: {listen: []}", "a list of at least 1"),
        ("infosys: {listen: [localhost]}", "an IP address"),
        ("infosys: {listen: ['1.2.3']}", "'1.2.3' is no IP address"),
        ("infosys: {listen: ['::1::']}", "'::1::' is no IP address"),
        ("infosys: {slapd: slapd}", "an absolute path"),
        ("nonsense: {}", "'nonsense' is no key here"),
    ],
)
def test_faults_of_ours_are_said(tmp_path: Path, more: str, words: str) -> None:
    (tmp_path / "agent.yaml").write_text(f"site: EXAMPLE-SITE\n{more}\n")
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path)
    assert words in str(caught.value)
