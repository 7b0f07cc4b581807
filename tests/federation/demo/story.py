"""What happens in the demo: four months of two VOs, with what makes usage hard to count."""

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
    """Let it happen and return the books of the repository beside the truth."""
    teller.heading("A federation in a box")
    teller.remark(
        "A throw-away CA, a real message broker (ActiveMQ), a central repository that works by the rules of the real "
        "one, a simulated OpenStack cloud, and fedcloud-agent's own daemon. Agent and cloud share a clock that we turn."
    )
    with Box(directory, stomp=STOMP) as box:
        stage = Stage(box, teller)
        try:
            return _months(stage)
        finally:
            stage.stop_daemon()


def _months(stage: Stage) -> Books:
    box = stage.box
    stage.set(at("2025-12-10 12:00"))
    ops = box.cloud.create_project(OPS_PROJECT, VO=OPS_VO)
    box.cloud.create_user(OPS_USER, roles={OPS_PROJECT: ["member"]})
    monitor = box.create_server(name="monitor", project=OPS_PROJECT, user=OPS_USER)
    stage.cloud("John Smith of VO ops starts 'monitor' (1 core); nobody counts it yet")

    _january(stage)
    worker = _resized(stage)
    _outage(stage, worker)
    _trouble_at_the_broker(stage, monitor)

    stage.teller.heading("Early in April the months until March are final")
    stage.work(at("2026-04-03 06:00"))
    show = box.agent("accounting", "show", "--to", "2026-03")
    stage.teller.quote("fedcloud-agent accounting show --to 2026-03", show.stdout, show.returncode)
    status = box.agent("status", check=False)
    stage.teller.quote("fedcloud-agent status", status.stdout, status.returncode)
    vos = {life.project_id: VO for life in box.cloud.truth().values()}
    return close_books(box, {**vos, ops: OPS_VO}, stage.now)


def _january(stage: Stage) -> None:
    stage.teller.heading("The agent comes to the site")
    stage.set(at("2026-01-19 09:00"))
    stage.start_daemon()
    stage.work()
    stage.teller.remark("  'first_run: backfill' reports machines from before it came: December, closed, and January.")
    stage.set(at("2026-01-20 12:00"))
    stage.box.create_server(name="analysis")
    stage.cloud(f"Jane Doe of VO {VO} starts 'analysis' (1 core)")
    stage.work(at("2026-01-20 12:20"))

    stage.teller.heading("Five minutes into February: January is over")
    stage.work(at("2026-02-01 00:05"))
    stage.teller.remark("  Each machine that lived got a record of January's last second: the month is exact at once.")


def _resized(stage: Stage) -> str:
    box = stage.box
    stage.teller.heading("Machines change")
    stage.set(at("2026-02-10 10:00"))
    analysis = next(key for key, life in box.cloud.truth().items() if life.created == at("2026-01-20 12:00"))
    box.cloud.act(analysis, "resize", flavor="large")
    stage.cloud("Jane Doe resizes 'analysis' to 4 cores: 4 core hours in each hour, from now on and not before")
    stage.work(at("2026-02-10 10:20"))
    stage.set(at("2026-02-10 10:40"))
    box.cloud.act(analysis, "confirm_resize")
    worker = box.create_server(name="worker", flavor="large")
    stage.cloud("she also starts 'worker' (4 cores)")
    stage.work(at("2026-02-14 15:00"))
    stage.set(at("2026-02-14 15:30"))
    box.cloud.act(analysis, "stop")
    stage.cloud("she stops 'analysis', but keeps it")
    stage.work(at("2026-02-26 17:30"))
    return worker


def _outage(stage: Stage, worker: str) -> None:
    box = stage.box
    stage.teller.heading("The agent's machine is down over the end of February")
    stage.cut_power()
    stage.set(at("2026-02-26 18:00"))
    stage.teller.say(stage.now, "trouble", "power cut: the daemon is gone, and nobody looks at the cloud any more")
    stage.set(at("2026-02-27 09:30"))
    batch = box.create_server(name="batch", flavor="large")
    stage.cloud("meanwhile Jane Doe starts 'batch' (4 cores)")
    stage.set(at("2026-02-28 06:00"))
    box.cloud.act(worker, "delete")
    stage.cloud("she deletes 'worker'")
    stage.set(at("2026-03-02 17:45"))
    box.cloud.act(batch, "delete")
    stage.cloud("and 'batch', which lived in February and March, unseen by the agent")
    stage.set(at("2026-03-03 09:00"))
    status = box.agent("status", check=False)
    stage.teller.quote("fedcloud-agent status", status.stdout, status.returncode)
    stage.start_daemon()
    stage.work()
    stage.teller.remark("  It made up for what it missed; each hour went to the month in which it was used.")


def _trouble_at_the_broker(stage: Stage, monitor: str) -> None:
    box = stage.box
    assert box.broker is not None and box.central is not None
    stage.teller.heading("The message broker is away")
    stage.set(at("2026-03-20 11:00"))
    box.broker.stop()
    box.cloud.act(monitor, "delete")
    stage.cloud("John Smith deletes 'monitor'; the broker is down for maintenance")
    stage.work(at("2026-03-20 11:30"))
    status = box.agent("status", check=False)
    stage.teller.quote("fedcloud-agent status", status.stdout, status.returncode)
    box.broker.start()
    box.central.restart()
    stage.teller.say(stage.now, "centre", "the broker is back")
    stage.work(at("2026-03-20 12:40"))
    stage.teller.heading("Five minutes into April: March is over")
    stage.work(at("2026-04-01 00:05"))
