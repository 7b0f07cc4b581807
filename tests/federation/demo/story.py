"""What happens in the demo: four months of two VOs in two clouds, with what makes usage hard to count."""

from __future__ import annotations

import calendar
import time
from pathlib import Path

from tests.federation.box import VO, Box
from tests.federation.demo.books import Books, close_books
from tests.federation.demo.stage import Stage
from tests.federation.demo.telling import Teller

OPS_PROJECT = "egi-ops"
OPS_VO = "ops"
OPS_USER = "/DC=org/DC=example/CN=John Smith"
STOMP = "give_up_after: 2s\nconnect_timeout: 1s"


def at(text: str) -> int:
    """Return the instant written as ``2026-01-31 23:59``."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M"))


def play(directory: Path, teller: Teller) -> Books:
    """Let it happen and return the books of the repositories beside the truth."""
    teller.heading("A federation in a box")
    teller.remark(
        "One site with two simulated clouds: an OpenStack, which the agent calls 'main', and an OpenNebula, 'one'.\n"
        "fedcloud-agent's own daemon reads both, and reports who used how much to two accounting repositories:\n"
        "'central', behind a real message broker (ActiveMQ), and 'ams', behind a simulated messaging service. Both\n"
        "keep to the rules of the real one. Clouds and agent share a clock that we turn: four months pass.\n"
        "Each line: when it happens, who acts or speaks, and what. The agent's lines are what its daemon logs."
    )
    with Box(directory, stomp=STOMP, opennebula="6.10", ams=True) as box:
        stage = Stage(box, teller)
        try:
            return _months(stage)
        finally:
            stage.stop_daemon()


def _months(stage: Stage) -> Books:
    box = stage.box
    stage.teller.heading("Two clouds are in use; nobody counts it yet")
    stage.set(at("2025-12-10 12:00"))
    ops = box.cloud.create_project(OPS_PROJECT, VO=OPS_VO)
    box.cloud.create_user(OPS_USER, roles={OPS_PROJECT: ["member"]})
    monitor = box.create_server(name="monitor", project=OPS_PROJECT, user=OPS_USER)
    stage.openstack("John Smith of VO ops starts 'monitor' (1 core)")
    stage.set(at("2025-12-28 08:00"))
    database = box.create_vm(name="database", vcpu=2)
    stage.opennebula(f"Jane Doe of VO {VO} starts 'database' (2 cores)")

    _january(stage, database)
    worker = _changed(stage, database)
    _outage(stage, worker, database)
    _trouble_at_the_broker(stage, monitor, database)

    stage.teller.heading("Early in April the months until March are final")
    stage.work(at("2026-04-03 06:00"))
    stage.ask("accounting", "show", "--to", "2026-03")
    stage.ask("status", check=False)
    vos = {life.project_id: VO for life in box.cloud.truth().values()}
    groups = {str(life.gid): VO for life in box.oned.truth().values()}
    return close_books(box, {**vos, **groups, ops: OPS_VO}, stage.now)


def _january(stage: Stage, database: int) -> None:
    box = stage.box
    stage.teller.heading("The agent comes to the site")
    stage.set(at("2026-01-19 09:00"))
    stage.start_daemon()
    stage.work()
    stage.teller.remark(
        "  'first_run: backfill' reports machines from before it came: December, closed, and January, for each of the\n"
        "  two destinations."
    )
    stage.set(at("2026-01-20 12:00"))
    box.create_server(name="analysis")
    stage.openstack("Jane Doe, who uses both clouds, starts 'analysis' (1 core)")
    stage.set(at("2026-01-20 12:10"))
    box.oned.act(database, "live_migrate", host=1)
    stage.opennebula(
        "'database' moves to another host while it runs: oned closes a record of its history, and opens one"
    )
    stage.work(at("2026-01-20 12:20"))

    stage.teller.heading("Five minutes into February: January is over")
    stage.work(at("2026-02-01 00:05"))
    stage.teller.remark("  Each machine that lived got a record of January's last second: the month is exact at once.")


def _changed(stage: Stage, database: int) -> str:
    box = stage.box
    stage.teller.heading("Machines change")
    stage.set(at("2026-02-10 10:00"))
    analysis = next(key for key, life in box.cloud.truth().items() if life.created == at("2026-01-20 12:00"))
    box.cloud.act(analysis, "resize", flavor="large")
    stage.openstack("Jane Doe resizes 'analysis' to 4 cores: 4 core hours in each hour, from now on and not before")
    stage.work(at("2026-02-10 10:20"))
    stage.set(at("2026-02-10 10:40"))
    box.cloud.act(analysis, "confirm_resize")
    worker = box.create_server(name="worker", flavor="large")
    stage.openstack("she also starts 'worker' (4 cores)")
    stage.set(at("2026-02-14 15:30"))
    box.cloud.act(analysis, "stop")
    stage.openstack("she stops 'analysis', but keeps it: as sites have always counted OpenStack, that is usage")
    box.oned.act(database, "suspend")
    stage.opennebula("she suspends 'database': by oned's history it does not run, so that is none")
    stage.work(at("2026-02-26 17:30"))
    return worker


def _outage(stage: Stage, worker: str, database: int) -> None:
    box = stage.box
    stage.teller.heading("The agent's machine is down over the end of February")
    stage.cut_power()
    stage.set(at("2026-02-26 18:00"))
    stage.teller.say(stage.now, "trouble", "power cut: the daemon is gone, and nobody looks at the clouds any more")
    stage.set(at("2026-02-27 09:30"))
    batch = box.create_server(name="batch", flavor="large")
    stage.openstack("meanwhile Jane Doe starts 'batch' (4 cores)")
    stage.set(at("2026-02-27 20:00"))
    box.oned.act(database, "resume")
    stage.opennebula("she resumes 'database'")
    stage.set(at("2026-02-28 06:00"))
    box.cloud.act(worker, "delete")
    stage.openstack("she deletes 'worker'")
    stage.set(at("2026-03-01 03:00"))
    box.oned.act(database, "poweroff")
    stage.opennebula("'database' is switched off for an hour")
    stage.set(at("2026-03-01 04:00"))
    box.oned.act(database, "resume")
    stage.set(at("2026-03-02 17:45"))
    box.cloud.act(batch, "delete")
    stage.openstack("she deletes 'batch', which lived in February and March, unseen by the agent")
    stage.set(at("2026-03-03 09:00"))
    stage.ask("status", check=False)
    stage.start_daemon()
    stage.work()
    stage.teller.remark("  It made up for what it missed; each hour went to the month in which it was used.")


def _trouble_at_the_broker(stage: Stage, monitor: str, database: int) -> None:
    box = stage.box
    assert box.broker is not None and box.central is not None
    stage.teller.heading("The message broker is away")
    stage.set(at("2026-03-20 11:00"))
    box.broker.stop()
    stage.teller.say(
        stage.now, "trouble", "the broker, through which 'central' gets its records, is down for maintenance"
    )
    box.cloud.act(monitor, "delete")
    stage.openstack("John Smith deletes 'monitor'")
    stage.work(at("2026-03-20 11:30"))
    stage.teller.remark("  What is for 'central' waits in the agent; 'ams' got its part.")
    stage.ask("status", check=False)
    box.broker.start()
    box.central.restart()
    stage.teller.say(stage.now, "central", "the broker is back")
    stage.work(at("2026-03-20 12:40"))
    stage.set(at("2026-03-25 22:00"))
    box.oned.act(database, "terminate")
    stage.opennebula("Jane Doe terminates 'database'")
    stage.teller.heading("Five minutes into April: March is over")
    stage.work(at("2026-04-01 00:05"))
