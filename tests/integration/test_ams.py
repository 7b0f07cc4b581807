"""The agent's commands with the messaging service: all the way to the centre, and every refusal in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Iterator

import pytest

from tests.federation.box import Box
from tests.integration.faults import assert_truth, begin, change, failed, pass_time, recovers

SETTINGS = "first_run: backfill\nrecords_per_message: 20"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    directory = tmp_path_factory.mktemp("ams")
    with Box(directory, broker=False, ams=True, settings=SETTINGS, ams_settings="give_up_after: 5s") as running:
        begin(running)
        running.agent("accounting", "run")
        assert_truth(running)
        yield running


@pytest.fixture()
def box(whole: Box) -> Iterator[Box]:
    """The box with records that wait; afterwards the fault is lifted, and a plain run has to do."""
    pass_time(whole)
    whole.agent("accounting", "extract")
    yield whole
    assert whole.ams is not None
    whole.ams.fault()
    whole.ams.admit(whole.host.dn)
    whole.configure(settings=SETTINGS, ams_settings="give_up_after: 5s")
    recovers(whole)


def test_a_ping_is_a_signed_message_that_the_centre_takes_for_nothing(box: Box) -> None:
    assert box.ams is not None
    with box.repository() as repository:
        before = len(repository.messages())
    done = box.agent("accounting", "send", "--ping")
    assert f"ams: localhost:{box.ams.port} took a signed message without a record" in done.stdout
    box.await_centre(before + 1)
    with box.repository() as repository:
        last = repository.messages()[-1]
    assert (last.outcome, last.records, last.signer) == ("accepted", 0, box.host.dn)


def test_what_the_configuration_may_not_say(box: Box, tmp_path: Path) -> None:
    for line, said in (
        ("project: no/slash", "a name of letters"),
        ("largest_request: 10MiB2", "a size"),
        ("timeout: 20", "no unit"),
        ("tokenfile: /x", "token_file"),
        (f"token_file: {tmp_path}/none", "cannot be read"),
    ):
        box.configure(ams_settings=line)
        checked = box.agent("config", "check", check=False)
        assert checked.returncode == 78 and said in checked.stdout, checked.stdout
    box.configure()
    change(box, host="https://msg.example.org")
    assert "a host name" in box.agent("config", "check", check=False).stdout
    box.configure(ams_settings="")
    assert "is good" in box.agent("config", "check").stdout


def test_a_service_in_trouble(box: Box) -> None:
    assert box.ams is not None
    send = ("accounting", "send")
    box.ams.fault({"on": "publish", "act": "status", "status": 502})
    failed(box.agent(*send, check=False), 69, "answered 502")
    box.ams.expel(box.host.dn)
    failed(box.agent(*send, check=False), 77, f"gives no token for {box.host.dn}", "eu.egi.cloud.accounting")
    box.ams.admit(box.host.dn)
    box.ams.fault({"act": "clock", "shift": -7200})
    failed(box.agent(*send, check=False), 75, "7200 s apart, so nothing is sent", "chronyc")
    box.ams.fault()
    box.configure(ams_settings="topic: nowhere")
    failed(box.agent(*send, check=False), 77, "topic nowhere", "names of project and topic")
    (month,) = (row for row in json.loads(box.agent("accounting", "show", "--json").stdout) if row["waiting"])
    assert month["rejected"] == 0


def test_a_token_in_a_file_that_is_not_for_everyone(box: Box) -> None:
    assert box.ams is not None
    secret = box.etc / "ams.token"
    secret.touch(mode=0o600)
    secret.write_text(box.ams.admit(box.host.dn) + "\n")
    box.configure(ams_settings=f"token_file: {secret}")
    box.agent("accounting", "send")
    assert_truth(box)
    shown = box.agent("config", "show", "accounting").stdout
    assert str(secret) in shown and secret.read_text().strip() not in shown
    secret.chmod(0o644)
    failed(box.agent("accounting", "send", "--ping", check=False), 77, "can be read by others")


def test_messages_that_are_too_large_arrive_in_pieces(box: Box) -> None:
    assert box.ams is not None
    for number in range(30):
        box.create_server(name=f"many-{number}")
    pass_time(box)
    box.configure(settings="first_run: backfill\nrecords_per_message: 500")
    box.ams.fault({"on": "publish", "act": "status", "status": 413, "larger": 10_000})
    done = json.loads(box.agent("accounting", "run", "--json").stdout)["destinations"]["ams"]
    assert done["split"] >= 3 and done["refused"] == [] and done["messages"] >= 4
    assert_truth(box)
    box.configure(ams_settings="largest_request: 30kB", settings="first_run: backfill\nrecords_per_message: 500")
    box.ams.fault()
    pass_time(box)
    done = json.loads(box.agent("accounting", "run", "--json").stdout)["destinations"]["ams"]
    assert (done["split"], done["refused"]) == (0, []), "messages are made to fit"
    assert done["messages"] >= 2
    assert_truth(box)


def test_an_answer_that_is_lost_makes_no_second_face(box: Box) -> None:
    assert box.ams is not None
    box.ams.fault({"on": "publish", "act": "take and cut", "times": 2})
    box.agent("accounting", "send")
    box.ams.fault({"on": "publish", "act": "take and cut"})
    pass_time(box)
    failed(box.agent("accounting", "run", check=False), 69, "without an answer")


def test_a_service_that_restarts_goes_on_with_what_it_held(box: Box) -> None:
    assert box.ams is not None and box.central is not None
    box.central.stop()
    box.agent("accounting", "send")
    waiting = box.ams.left()
    assert waiting > 0
    box.ams.stop()
    pass_time(box)
    failed(box.agent("accounting", "run", check=False), 69, "cannot be reached")
    box.ams.start()
    assert box.ams.left() == waiting
    box.central.start()
