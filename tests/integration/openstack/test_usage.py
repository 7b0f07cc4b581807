"""What the plugin reads of a simulated site, against what really happened there."""

from __future__ import annotations

from typing import Any, Callable, Dict

import pytest

from fedcloud_agent.clouds.contract import COMPLETED, STARTED, SUSPENDED, NoPast, Problem, Window
from fedcloud_agent.errors import ConfigurationError, RefusedError, RemoteDataError
from fedcloud_plugins.openstack.settings import VoSettings

NOW = 1_795_000_000
DAY = 86400
READER = {"username": "reader"}


def test_an_administrator_reads_all_projects_at_once(site: Any, read: Callable[..., Any]) -> None:
    ops = site.server(flavor="large", floating_ips=["198.18.0.5"])
    bio = site.server("vo-bio", "joe")
    private = site.server("private")
    seen = read(site.cloud())
    assert [listing.scope for listing in seen.listings] == ["*"]
    assert seen.listings[0].groups == {site.ops, site.bio}
    assert seen.listings[0].as_of == NOW
    assert seen.machines.keys() == {ops, bio}
    assert private not in seen.machines
    machine = seen.machines[ops]
    assert (machine.status, machine.cloud_status, machine.start, machine.end) == (STARTED, "ACTIVE", NOW - DAY, None)
    assert (machine.cpu_count, machine.memory, machine.disk, machine.public_ips) == (8, 16384, 120, 1)
    assert (machine.benchmark_type, machine.benchmark) == ("HEPscore23", 12.5)
    assert (machine.vo, machine.group, machine.global_user) == ("ops", site.ops, "/DC=org/DC=example/CN=Jane Doe")
    assert machine.image == "https://images.example.org/appliances/7:2/"
    assert (seen.machines[bio].vo, seen.machines[bio].global_user) == ("bio.example.org", "0123456789@egi.eu")
    assert seen.problems == []


def test_a_reader_reads_project_by_project(site: Any, read: Callable[..., Any]) -> None:
    ops, bio = site.server(), site.server("vo-bio")
    gone = site.server()
    site.simulator.act(gone, "delete", at=NOW - 3600)
    seen = read(site.cloud(**READER), since=NOW - DAY)
    assert {(listing.scope, listing.groups) for listing in seen.listings} == {
        (site.ops, frozenset({site.ops})),
        (site.bio, frozenset({site.bio})),
    }
    assert all(listing.as_of == NOW for listing in seen.listings)
    assert seen.machines.keys() == {ops, bio, gone}
    assert seen.machines[gone].end == NOW - 3600
    assert seen.machines[ops].global_user is None
    assert seen.machines[ops].image == "https://images.example.org/appliances/7:2/"
    assert [problem.subject for problem in seen.problems] == ["keystone users"]


def test_without_a_project_to_log_in_to_an_administrator_still_has_the_whole_view(
    site: Any, read: Callable[..., Any]
) -> None:
    site.server()
    cloud = site.cloud(auth={"project_name": "vo-ops"})
    assert [listing.scope for listing in read(cloud).listings] == ["*"]
    assert [listing.scope for listing in read(site.cloud()).listings] == ["*"]


@pytest.mark.parametrize("username", ["admin-agent", "reader"])
@pytest.mark.parametrize("page_size", [1, 2, 7, 1000])
def test_every_server_comes_whatever_the_page_size(
    site: Any, read: Callable[..., Any], username: str, page_size: int
) -> None:
    live = {site.server(created=NOW - 1000 - n) for n in range(6)}
    dead = {site.server(created=NOW - 5000 - n) for n in range(4)}
    for server in dead:
        site.simulator.act(server, "delete", at=NOW - 100)
    old = site.server(created=NOW - 9 * DAY)
    site.simulator.act(old, "delete", at=NOW - 8 * DAY)
    cloud = site.cloud(username, page_size=page_size)
    assert read(cloud, since=NOW - DAY).machines.keys() == live | dead
    assert read(cloud, since=None).machines.keys() == live | dead | {old}
    assert read(cloud, full=False, since=NOW - 200).machines.keys() == dead


def test_states_become_those_of_the_record(site: Any, read: Callable[..., Any]) -> None:
    acts = {
        "stop": SUSPENDED,
        "pause": SUSPENDED,
        "suspend": SUSPENDED,
        "shelve": SUSPENDED,
        "soft_delete": SUSPENDED,
        "rescue": STARTED,
        "error": STARTED,
        "delete": COMPLETED,
    }
    made = {act: site.server() for act in acts}
    for act, server in made.items():
        site.simulator.act(server, act, at=NOW - 60)
    building, broken = site.server(state="building"), site.server(state="error")
    machines = read(site.cloud()).machines
    for act, server in made.items():
        machine = machines[server]
        assert (act, machine.status, machine.start) == (act, acts[act], NOW - DAY)
        assert machine.end == (NOW - 60 if act == "delete" else None)
        assert (machine.public_ips is None) == (act == "delete")
        assert machine.changed == NOW - 60
    assert machines[building].start is None
    assert machines[broken].start is None


def test_an_old_cloud_needs_the_list_of_flavors(site: Any, read: Callable[..., Any]) -> None:
    known, lost = site.server(flavor="large"), site.server(flavor="small")
    site.simulator.delete_flavor("small")
    site.simulator.highest_microversion(40)
    seen = read(site.cloud())
    assert seen.machines[known].cpu_count == 8
    assert seen.machines[known].disk == 120
    assert "flavor" in seen.unreadable[lost].reason
    assert {request["version"] for request in site.simulator.requests() if "/servers" in request["target"]} == {
        "compute 2.1"
    }


@pytest.mark.parametrize(("highest", "chosen"), [(93, "2.69"), (68, "2.66"), (50, "2.47")])
def test_the_best_version_is_chosen(site: Any, read: Callable[..., Any], highest: int, chosen: str) -> None:
    server = site.server()
    site.simulator.highest_microversion(highest)
    assert server in read(site.cloud()).machines
    assert {r["version"] for r in site.simulator.requests() if "/servers" in r["target"]} == {f"compute {chosen}"}


def test_a_server_of_a_silent_cell_is_not_gone(site: Any, read: Callable[..., Any]) -> None:
    near, far = site.server(), site.server(cell="cell2")
    site.simulator.cells_down("cell2")
    # nova leaves such servers out of every paged listing; asked for one, it says that it is there
    assert read(site.cloud()).machines.keys() == {near}
    with pytest.raises(RemoteDataError, match="without its description"):
        site.cloud().machine(far, NoPast())


def test_projects_are_never_guessed(site: Any, read: Callable[..., Any]) -> None:
    site.simulator.change_project("vo-ops", tags=["caso"])
    site.simulator.change_project("private", tags=["caso"])
    untagged = site.simulator.create_project("other", VO="other.example.org")
    site.server("private")
    seen = read(site.cloud(project_tag="caso", vos={"bio.example.org": VoSettings(projects=("vo-bio", "missing"))}))
    assert seen.listings[0].groups == {site.ops, site.bio}
    assert untagged not in seen.listings[0].groups
    assert seen.machines == {}
    assert {problem.subject for problem in seen.problems} == {"project private", "project missing"}


def test_no_project_at_all_is_a_matter_of_configuration(site: Any, read: Callable[..., Any]) -> None:
    site.simulator.change_project("vo-ops", VO=None)
    with pytest.raises(ConfigurationError, match="no project that serves a VO"):
        read(site.cloud(vos={}))


def test_a_missing_role_fails_that_project_alone(site: Any) -> None:
    server, hidden = site.server(), site.server("vo-bio")
    site.simulator.create_user("auditor", password="pw", roles={"system": ["reader"], "vo-ops": ["reader"]})
    cloud = site.cloud("auditor", auth={"system_scope": True})
    outcome: Dict[str, Any] = {}
    for listing in cloud.usage(lambda scope: Window(True, NOW - DAY), NoPast()):
        try:
            outcome[listing.scope] = {m.uuid: m.global_user for page in listing.pages for m in page.machines}
        except RefusedError as error:
            outcome[listing.scope] = error.message
    # a system reader may ask who the users are, and which projects there are
    assert outcome[site.ops] == {server: "/DC=org/DC=example/CN=Jane Doe"}
    assert "refuses the login of auditor" in outcome[site.bio]
    with pytest.raises(RefusedError):
        cloud.machine(hidden, NoPast())


def test_one_machine(site: Any) -> None:
    alive, dead, foreign = site.server(), site.server(), site.server("private")
    site.simulator.act(dead, "delete", at=NOW - 5)
    for username in ("admin-agent", "reader"):
        cloud = site.cloud(username)
        found = cloud.machine(alive, NoPast())
        assert found is not None
        assert found.vo == "ops"
        assert cloud.machine(dead, NoPast()) is None
    with pytest.raises(ConfigurationError, match="serves no VO"):
        site.cloud().machine(foreign, NoPast())


def test_probe_says_who_and_what_is_seen(site: Any) -> None:
    site.simulator.set_clock(None)
    login = site.cloud(auth={"project_name": "vo-ops"}).probe()
    assert (login.identity, login.view) == ("admin-agent on vo-ops", "all projects")
    assert abs(login.clock_offset) <= 2
    assert 0 < login.seconds < 20
    login = site.cloud(**READER).probe()
    assert (login.identity, login.view) == ("reader", "2 projects, one by one")


def test_an_application_credential_sees_its_own_project(site: Any, read: Callable[..., Any]) -> None:
    server = site.server()
    made = site.simulator.create_application_credential("reader", "vo-ops")
    secret = site.directory / "credential"
    secret.write_text(made["secret"])
    secret.chmod(0o600)
    from fedcloud_agent.settings import Secret

    auth = {
        "auth_type": "application_credential",
        "application_credential_id": made["id"],
        "application_credential_secret_file": Secret(str(secret)),
    }
    cloud = site.cloud(**READER, auth=auth)
    outcome = {}
    for listing in cloud.usage(lambda scope: Window(True, None), NoPast()):
        try:
            outcome[listing.scope] = {m.uuid for page in listing.pages for m in page.machines}
        except ConfigurationError as error:
            outcome[listing.scope] = error.message
    assert outcome[site.ops] == {server}
    # what the credential cannot list must not look empty
    assert "cannot be for" in outcome[site.bio]


def test_active_wall_time_follows_the_actions(site: Any, read: Callable[..., Any]) -> None:
    simulator = site.simulator
    quiet, paused, gone, shelved = (site.server(created=NOW - 10 * DAY) for _ in range(4))
    simulator.act(paused, "pause", at=NOW - 8 * DAY)
    simulator.act(paused, "unpause", at=NOW - 7 * DAY)
    simulator.act(paused, "stop", at=NOW - DAY)
    simulator.act(gone, "suspend", at=NOW - 5 * DAY)
    simulator.act(gone, "resume", at=NOW - 4 * DAY)
    simulator.act(gone, "delete", at=NOW - 2 * DAY)
    simulator.act(shelved, "shelve", at=NOW - 6 * DAY)
    simulator.act(shelved, "unshelve", at=NOW - 3 * DAY)
    machines = read(site.cloud(wall="active")).machines
    calls = [c for c in simulator.calls() if "os-instance-actions" in c]
    assert machines[quiet].running == ((NOW - 10 * DAY, None),)
    for server in (paused, gone, shelved):
        intervals = machines[server].running
        truth = simulator.truth([server])[server]
        counted = sum((end or NOW) - start for start, end in intervals)
        assert counted == truth.seconds(0, NOW, {"active"})
    assert sum(simulator.calls()[call] for call in calls) == 3


def test_problem_names_are_plain(site: Any, read: Callable[..., Any]) -> None:
    seen = read(site.cloud(vos={"ops": VoSettings(project="missing")}))
    assert seen.problems == [
        Problem("project missing", "keystone does not show it to us; its use is not accounted"),
    ]
