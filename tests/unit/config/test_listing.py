from __future__ import annotations

from pathlib import Path

import pytest

from fedcloud_agent.config.annotation import annotate, masked
from fedcloud_agent.config.listing import rows, secret_faults
from fedcloud_agent.config.nodes import dotted
from tests.unit.config.rooms import GOOD, faults_of, read, write


def test_each_value_has_its_origin_and_defaults_have_none(tmp_path: Path) -> None:
    configuration = read(write(tmp_path, z="\naccounting: {limit: 5}\n"))
    listed = {dotted(row.path): row for row in rows(configuration)}
    assert listed["accounting.limit"].value == 5
    assert str(listed["accounting.limit"].origin) == f"{tmp_path}/conf.d/z.yaml:2:21"
    assert (listed["accounting.schedule"].value, listed["accounting.schedule"].origin) == ("every 1h", None)
    assert (listed["site.name"].value, listed["site.name"].origin) == (
        "EXAMPLE-SITE",
        (f"{tmp_path}/agent.yaml", 1, 7),
    )
    assert listed['clouds.main.vos."vo.example.org".project'].value == "vo-example"
    assert listed["clouds.main.type"].value == "steam"
    assert listed["accounting.destinations.central.type"].value == "stomp"
    assert listed["accounting.since"].value == "2026-11-01"
    assert "accounting.second.after" not in listed


def test_what_may_be_a_secret_is_masked(tmp_path: Path) -> None:
    text = GOOD.replace("/etc/steam.secret", "hunter2")
    listed = {dotted(row.path): row.value for row in rows(read(write(tmp_path, text)))}
    assert listed["clouds.main.auth.password_file"] == "***"


def test_disabled_clouds_are_left_out(tmp_path: Path) -> None:
    text = GOOD.replace("accounting:\n", "  bad: {type: steam}\naccounting:\n", 1)
    assert not [row for row in rows(read(write(tmp_path, text))) if row.path[:2] == ("clouds", "bad")]


def test_files_of_secrets_are_looked_at(tmp_path: Path) -> None:
    secret = tmp_path / "steam.secret"
    configuration = read(write(tmp_path / "c", GOOD.replace("/etc/steam.secret", str(secret))))

    def reason() -> str:
        (fault,) = secret_faults(configuration, {})
        assert (fault.kind, fault.origin.line) == ("secret", 5)
        assert dotted(fault.path) == "clouds.main.auth.password_file"
        return fault.reason

    assert "No such file" in reason()
    secret.write_text("hunter2\n")
    secret.chmod(0o644)
    assert "can be read by others (mode 0644)" in reason() and "chmod o-rwx" in reason()
    secret.chmod(0o640)
    assert secret_faults(configuration, {}) == []
    secret.write_text("\n")
    assert "is empty" in reason()


def test_credentials_of_systemd_are_looked_at_where_systemd_handed_them_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = read(write(tmp_path, GOOD.replace("/etc/steam.secret", "steam")))
    assert secret_faults(configuration, {}) == []
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (fault,) = secret_faults(configuration, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert str(tmp_path / "steam") in fault.reason


def test_the_print_shows_the_line_with_a_caret_under_the_place(tmp_path: Path) -> None:
    directory = write(tmp_path, "site: {nam: A, name: B}\nstore:\n  busy_timeout: 5\n", z="\nx: 1\n")
    assert list(annotate(faults_of(directory))) == [
        f"{tmp_path}/agent.yaml:",
        "    1 | site: {nam: A, name: B}",
        "      |        ^ site.nam: 'nam' is no key here; did you mean 'name'?",
        "    3 |   busy_timeout: 5",
        "      |                 ^ store.busy_timeout: found 5: 5 has no unit; expected a duration from 1s to 10min, "
        "with a unit (s, min, h, d), such as 90s or 4h",
        "",
        f"{tmp_path}/conf.d/z.yaml:",
        "    2 | x: 1",
        "      | ^ x: 'x' is no key here; expected one of site, clouds, accounting, store, directories",
    ]


def test_secrets_in_a_printed_line_are_masked_and_the_caret_follows() -> None:
    line = 'auth: {auth_url: "https://u:hunter2@h", password: hunter2, usernam: x, password_file: /etc/p, token: "a b"}'
    shown, at = masked(line, line.index("usernam") + 1)
    assert "hunter2" not in shown and "a b" not in shown
    assert "/etc/p" in shown
    assert shown[at - 1 :].startswith("usernam")
    shown, at = masked("password: hunter2", 11)
    assert (shown, at) == ("password: ***", 11)
    assert masked("  plain: text", 3) == ("  plain: text", 3)


def test_a_secret_given_in_place_of_its_path_is_not_printed_wherever_it_stands(tmp_path: Path) -> None:
    for text in (
        "site: A\nstore:\n  password_file: hunter 2\n",
        "site: A\nstore:\n  password_file:\n    hunter 2\n",
        "site: A\nstore: {password_file:\n    'hunter 2', x: y}\n",
        "site: A\nstore: {url: 'postgresql://u:hunter 2@h/d', y: 1}\n",
        "site: A\nstore: {url: 'postgresql://u:hun/ter2@h/d', password: hunter2}\n",
    ):
        faults = faults_of(write(tmp_path, text))
        printed = "\n".join(annotate(faults)) + "\n".join(map(str, faults))
        assert "***" in printed
        assert "hun" not in printed and "ter" not in printed


def test_a_fault_far_to_the_right_is_still_shown(tmp_path: Path) -> None:
    directory = write(tmp_path, f"site: {{name: A, {'x' * 500}: 1, yy: 2}}\n")
    lines = list(annotate(faults_of(directory)))
    carets = [line for line in lines if "^" in line]
    assert len(carets) == 2 and all(line.index("^") < 120 for line in carets)
