"""``users`` as it is typed, and as Perun's key runs it, with a third party's cloud."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, List, Optional

import pytest

from fedcloud_agent import locks, outcome
from tests.federation.users.push import Row, push
from tests.federation.users.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


CROWD: List[Row] = [(n, "vo.a") for n in range(1, 10)]


def test_a_push_makes_accounts_and_the_same_push_does_nothing(site: Site) -> None:
    answer = site.receive(CROWD)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "Info: fedcloud_export for SITE, run 77: 9 persons; 9 x create" in answer.stdout.splitlines()[0]
    assert len(site.accounts()) == 9 and site.writes() == 9
    answer = site.receive(CROWD)
    assert (answer.returncode, answer.stderr, site.writes()) == (0, "", 9)
    assert "no change" in answer.stdout
    assert [one["facility"] for one in site.document("show", "--lists")] == ["SITE", "SITE"]
    shown = site.document("show")
    assert len(shown) == 9 and {row["state"] for row in shown} == {"owned"}
    assert "vo.a_1 " in site.run("show").stdout
    personal = ["CN=", "@example.org", "Person 1"]
    assert not [word for word in personal if word in answer.stdout + json.dumps(shown)]


def test_edge_1_a_push_that_lists_nobody(site: Site) -> None:
    site.receive(CROWD)
    answer = site.receive([])
    assert answer.returncode == 60 and "too many people are missing" in answer.stderr
    assert all(site.accounts().values())
    planned = site.document("plan")["main"]
    assert planned["guards"][0]["losers"] == 9 and {s["guarded"] for s in planned["steps"]} == {True}
    assert "suspend (guard)" in site.run("plan").stdout
    assert f"--confirm {planned['id']}" in answer.stderr
    assert site.run("apply").returncode == 77
    assert site.run("apply", "--confirm", planned["id"]).returncode == 2
    assert site.run("apply", "--cloud", "main", "--confirm", "0" * 16).returncode == 77
    assert all(site.accounts().values())
    done = site.run("apply", "--cloud", "main", "--confirm", planned["id"])
    assert done.returncode == 0 and not any(site.accounts().values())
    assert site.receive([]).returncode == 0


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (208, {"fedcloud_export": None}),
        (203, {"SERVICE": b"nfs"}),
        (201, {"VERSION": None}),
        (200, {"VERSION": b"4.0.0"}),
        (9, {"HOSTNAME": b"x", "FACILITY": b"y"}),
        (64, {"FACILITY": b"y"}),
        (61, {"fedcloud_export": b"vo.a_1"}),
        (100, {"CLOUD_PLATFORM": b"abacus"}),
    ],
)
def test_a_push_that_is_refused_changes_nothing(site: Site, code: int, changes: Dict[str, Optional[bytes]]) -> None:
    answer = site.receive(CROWD, **changes)
    assert answer.returncode == code, answer.stderr
    assert " Error: " in answer.stderr and "Traceback" not in answer.stderr
    assert site.accounts() == {}
    assert not list(site.state.rglob("*.tar"))


def test_edge_3_what_is_no_archive(site: Site) -> None:
    for data in (b"", b"hello", push(CROWD)[:5000]):
        assert site.run("receive", archive=data).returncode == 2


def test_another_command_than_perun_asks_for(site: Site) -> None:
    assert site.run("receive", archive=push(CROWD), asked="sh -c id").returncode == 9
    assert site.run("receive", archive=push(CROWD)).returncode == 0


def test_edge_8_a_service_that_is_disabled(site: Site) -> None:
    site.configure("{facilities: {SITE: {}}, denied_services: [fedcloud_export]}")
    answer = site.receive(CROWD)
    assert (answer.returncode, answer.stderr) == (0, "") and "disabled" in answer.stdout
    assert site.accounts() == {}


def test_oddities_are_warnings(site: Site) -> None:
    answer = site.receive([*CROWD, (20, "vo.none")])
    assert answer.returncode == 0
    assert answer.stderr == (
        "Warning: vo-has-no-group: the VO vo.none has no group here: nothing is done for its members\n"
    )


def test_one_account_that_fails(site: Site) -> None:
    answer = site.receive([(666, "vo.a"), (1, "vo.a")])
    assert answer.returncode == 63 and "does not like" in answer.stderr
    assert site.accounts() == {"vo.a_1": True}
    assert site.run("apply").returncode == 77


def test_a_cloud_that_does_not_answer_and_a_later_apply(site: Site) -> None:
    content = site.cloud.read_bytes()
    site.cloud.unlink()
    assert site.receive(CROWD).returncode == 62
    site.cloud.write_bytes(content)
    done = site.run("apply")
    assert done.returncode == 0 and len(site.accounts()) == 9
    assert json.loads((site.state / "outcomes" / "users.main.json").read_bytes())["exit_code"] == 0


def test_a_run_that_is_under_way(site: Site) -> None:
    with locks.held(outcome.lock_of(site.state, "users", "main"), "x"):
        assert site.receive(CROWD).returncode == 6
    # what came is kept
    assert site.run("apply").returncode == 0 and len(site.accounts()) == 9


def test_edge_30_no_room_for_the_payload(site: Site) -> None:
    (site.state / "users").mkdir(parents=True)
    (site.state / "users" / "payloads").write_text("in the way")
    assert site.receive(CROWD).returncode == 5
    assert site.accounts() == {}


def test_explain(site: Site) -> None:
    site.receive([*CROWD, (1, "vo.b"), (50, "vo.none")])
    for who in ("CN=person 1, DC=example, DC=org", "uid:1"):
        told = site.document("explain", who)
        assert [one["person"] for one in told] == ["uid:1"], who
        assert sorted(step["name"] for step in told[0]["steps"]) == ["vo.a_1", "vo.b_1"]
    text = site.run("explain", "vo.a_1").stdout
    assert "listed at SITE for vo.a: active (valid)" in text and "account vo.a_1: keep: valid" in text
    assert "account vo.none_50: skip: vo-has-no-group" in site.run("explain", "50").stdout
    unknown = site.run("explain", "nobody")
    assert unknown.returncode == 65 and "nobody is known" in unknown.stderr


def test_without_lists_there_is_nothing_to_do(site: Site) -> None:
    site.configure("{}")
    for command in ("plan", "apply"):
        answer = site.run(command)
        assert answer.returncode == 78 and "no facility is configured" in answer.stderr


def test_logs_name_nobody(site: Site) -> None:
    texts = []
    for rows in (CROWD, CROWD[:5], [], [(1, "vo.none"), (666, "vo.a"), *CROWD]):
        answer = site.receive(rows)
        texts.append(answer.stdout + answer.stderr)
    texts += [site.run("apply").stderr]
    files = [path for path in site.state.rglob("*") if path.is_file() and path.stat().st_mode & 0o007]
    texts += [path.read_text(errors="replace") for path in files]
    together = "\n".join(texts)
    assert "CN=" not in together and "@example.org" not in together and "Person " not in together


def test_a_cloud_to_which_no_facility_leads(site: Site) -> None:
    site.configure("{facilities: {SITE: {cloud: other}}}")
    assert site.run("apply", "--cloud", "main").returncode == 0
    told = json.loads((site.state / "outcomes" / "users.main.json").read_bytes())
    assert told["sentence"] == "no facility leads to this cloud"
