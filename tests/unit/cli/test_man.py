"""The man pages in docs/man say what --help and the tables say today, and man itself takes them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from fedcloud_agent.cli import man
from fedcloud_agent.config.roff import escaped

DOCS = Path(__file__).parents[3] / "docs" / "man"


@pytest.mark.parametrize("name", man.PAGES)
def test_the_committed_page_is_what_the_texts_say(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == man.page(name), "regenerate it: make generated"


@pytest.mark.parametrize("name", man.PAGES)
def test_groff_finds_nothing_to_warn_of(name: str) -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")
    shown = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww", "-z", str(DOCS / name)], capture_output=True, text=True, timeout=60
    )
    assert (shown.returncode, shown.stderr) == (0, "")


def test_every_command_and_option_is_there() -> None:
    text = man.page("fedcloud-agent.8")
    for words in ("accounting send", "accounting show", "config check", "clouds", "daemon", "status"):
        assert f'.SS "fedcloud\\-agent {words} [OPTIONS]' in text
    assert "\\fB\\-\\-accept\\-vanished\\fR" in text and "\\fB\\-\\-dry\\-run FILE\\fR" in text


def test_every_exit_code_is_told() -> None:
    assert list(man.exit_codes()) == [0, 1, 2, 65, 69, 71, 73, 74, 75, 77, 78, 130, 143]


def test_lines_that_look_like_macros_stay_text() -> None:
    assert escaped(".TH of the day\n'quoted' a\\b") == "\\&.TH of the day\n\\&'quoted' a\\eb"


def test_a_page_that_does_not_exist() -> None:
    assert man.main(["fedcloud-agent.9"]) == 2
    assert CliRunner().invoke(man.cli, ["--help"]).exit_code == 0
