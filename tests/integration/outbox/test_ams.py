"""Messages through the messaging service: each once, in order, as the receiver reads them; and each status in words."""

from __future__ import annotations

import logging
import socket
import time
from pathlib import Path
from typing import Dict, List

import pytest

from fedcloud_agent.errors import ConfigurationError, RefusedError, RemoteDataError, TryAgainError, UnreachableError
from fedcloud_agent.outbox.identity import new_id
from fedcloud_agent.outbox.transport import Message, Outcome
from tests.federation.ams import AmsSimulator
from tests.federation.authority import Authority, Credential
from tests.federation.central.receiver import Receiver
from tests.federation.controller import free_port
from tests.integration.outbox.conftest import OpenAms

DAY = 86400


def messages(count: int, size: int = 0) -> List[Message]:
    body = "APEL-cloud-message: v0.4\nVMUUID: vm-{}\nSiteName: EXAMPLE-SITE\nStatus: started\n%%\n"
    return [Message(new_id(), body.format(number).encode().ljust(size, b"\n")) for number in range(count)]


def test_messages_arrive_in_order_each_once_as_the_receiver_reads_them(
    ams: AmsSimulator, opened: OpenAms, authority: Authority, host: Credential, tmp_path: Path
) -> None:
    before = len(ams.held())
    sent = messages(20)
    departed: List[str] = []
    outcomes = list(opened().deliver(sent, departed.extend))
    assert outcomes == [Outcome(m.id, True, f"localhost:{ams.port}", "") for m in sent]
    assert departed == [m.id for m in sent]
    assert [len(ams.seen(on)) for on in ("token", "knock", "publish")] == [1, 1, 20]
    texts = ams.texts()[before:]
    assert [empaid for empaid, _ in texts] == [m.id for m in sent]
    dns = tmp_path / "dns"
    dns.write_text(f"{host.dn}\n")
    body, signer = Receiver(authority.anchors, dns).verify(texts[3][1])
    assert signer == host.dn and "VMUUID: vm-3" in body


def test_no_connection_is_made_for_nothing(opened: OpenAms) -> None:
    assert list(opened(port=free_port(), authn_port=free_port()).deliver([])) == []


def test_encrypted_for_a_receiver(ams: AmsSimulator, opened: OpenAms, authority: Authority, host: Credential) -> None:
    receiver = authority.host("repository.example.org")
    outcomes = list(opened(encrypt_for=receiver.certificate, cipher="aes256").deliver(messages(1)))
    assert outcomes[0].acknowledged
    _, text = ams.texts()[-1]
    assert b"application/x-pkcs7-mime" in text and b"VMUUID" not in text
    dns = authority.directory / "dns"
    dns.write_text(f"{host.dn}\n")
    body, _ = Receiver(authority.anchors, dns, receiver.certificate, receiver.key).verify(text)
    assert "VMUUID: vm-0" in body


def test_a_token_is_renewed_once_when_it_is_refused(ams: AmsSimulator, opened: OpenAms, host: Credential) -> None:
    delivery = iter(opened().deliver(messages(4)))
    assert next(delivery).acknowledged
    ams.admit(host.dn)
    assert [outcome.acknowledged for outcome in delivery] == [True] * 3
    assert len(ams.seen("token")) == 2
    ams.fault({"on": "publish", "act": "status", "status": 401, "after": 1})
    refused: List[Outcome] = []
    with pytest.raises(RefusedError, match="does not let us publish"):
        refused.extend(opened().deliver(messages(3)))
    assert [outcome.acknowledged for outcome in refused] == [True]
    assert len(ams.seen("token")) == 4


def test_a_token_from_a_file(ams: AmsSimulator, opened: OpenAms, host: Credential, tmp_path: Path) -> None:
    from fedcloud_agent.settings import Secret

    file = tmp_path / "token"
    file.touch(mode=0o600)
    token = ams.admit(host.dn)
    file.write_text(f"{token}\n")
    transport = opened(token_file=Secret(str(file)), authn_port=free_port())
    delivery = iter(transport.deliver(messages(2)))
    assert next(delivery).acknowledged
    file.write_text(ams.admit(host.dn))
    assert next(delivery).acknowledged, "the file is read anew"
    ams.admit(host.dn)
    with pytest.raises(RefusedError, match="401 Unauthorized") as caught:
        list(transport.deliver(messages(1)))
    assert str(file) in str(caught.value.hint)
    for bad in ("two words", f"{token}\r\nx: y", "caf\u00e9"):
        file.write_text(bad)
        with pytest.raises(ConfigurationError, match="holds no token") as broken:
            list(transport.deliver(messages(1)))
        assert bad.split()[0] not in str(broken.value.message)
    file.chmod(0o644)
    with pytest.raises(RefusedError, match="can be read by others"):
        list(transport.deliver(messages(1)))


def test_no_token_for_a_dn_that_nobody_registered(ams: AmsSimulator, opened: OpenAms, authority: Authority) -> None:
    stranger = authority.host("stranger.example.org")
    with pytest.raises(RefusedError, match=f"no token for {stranger.dn} .404: Binding was not found") as caught:
        list(opened(credential=stranger).deliver(messages(1)))
    assert "eu.egi.cloud.accounting" in str(caught.value.hint)
    assert ams.seen("knock") == []


def test_whom_we_trust_and_who_trusts_us(
    ams: AmsSimulator, opened: OpenAms, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "ca", "Another CA")
    with pytest.raises(RefusedError, match="no trust in its certificate") as caught:
        opened(ca_path=other.anchors).ping()
    assert "ca_path" in str(caught.value.hint)
    with pytest.raises(RefusedError, match="no trust in its certificate"):
        opened(ca_path=None).ping()
    with pytest.raises(ConfigurationError, match=r"nothing"):
        opened(ca_path=tmp_path / "nothing").ping()
    assert opened(ca_path=authority.certificate).ping()
    foreign = other.host("foreign.example.org")
    expired = authority.host("host.example.org", file="expired-ams", valid=(-2 * DAY, -DAY))
    began = time.monotonic()
    with pytest.raises(RefusedError, match="refused our certificate: unknown ca"):
        list(opened(credential=foreign).deliver(messages(1)))
    with pytest.raises(RefusedError, match="expired at"):
        list(opened(credential=expired).deliver(messages(1)))
    assert time.monotonic() - began < 15, "certificates do not heal by trying again"


def test_a_service_with_another_name(authority: Authority, opened: OpenAms, host: Credential, tmp_path: Path) -> None:
    shown = authority.host("elsewhere.example.org", dns=(), addresses=("127.0.0.1",))
    with AmsSimulator(tmp_path / "ams", authority, [host.dn], credential=shown) as other:
        ports = {"port": other.port, "authn_port": other.authn_port}
        with pytest.raises(RefusedError, match=r"doesn't match|not valid for"):
            opened(**ports).ping()
        assert opened(host="127.0.0.1", **ports).ping() == f"127.0.0.1:{other.port}"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_time_may_heal_is_tried_again_with_the_same_bytes(ams: AmsSimulator, opened: OpenAms, status: int) -> None:
    before = len(ams.held())
    ams.fault({"on": "publish", "act": "status", "status": status, "times": 2, "after": 1})
    sent = messages(3)
    assert [o.acknowledged for o in opened().deliver(sent)] == [True] * 3
    tries = [seen for seen in ams.seen() if seen.empaids == (sent[1].id,)]
    assert len(tries) == 3 and len({seen.sha256 for seen in tries}) == 1
    assert [empaid for empaid, _ in ams.texts()[before:]] == [m.id for m in sent]


def test_a_page_that_is_no_answer_acknowledges_nothing(ams: AmsSimulator, opened: OpenAms) -> None:
    ams.fault({"on": "publish", "act": "odd", "times": 2})
    assert [o.acknowledged for o in opened().deliver(messages(1))] == [True]
    assert len(ams.seen()) == 3
    for body in ('{"messageIds": []}', "{}", "[]", '{"messageIds": "18"}', "{"):
        ams.fault({"on": "publish", "act": "odd", "type": "application/json", "body": body})
        with pytest.raises(RemoteDataError):
            list(opened(give_up_after=0.2).deliver(messages(1)))


def test_patience_ends(ams: AmsSimulator, opened: OpenAms) -> None:
    ams.fault({"on": "publish", "act": "status", "status": 502, "after": 1})
    outcomes: List[Outcome] = []
    began = time.monotonic()
    with pytest.raises(UnreachableError, match="answered 502: 502 502 Proxy says no"):
        outcomes.extend(opened(give_up_after=2).deliver(messages(3)))
    assert 1.5 < time.monotonic() - began < 6
    assert [o.acknowledged for o in outcomes] == [True]


def test_nobody_there_and_nobody_who_speaks(opened: OpenAms) -> None:
    with pytest.raises(UnreachableError, match="cannot be reached"):
        list(opened(port=free_port(), authn_port=free_port(), give_up_after=1).deliver(messages(1)))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(UnreachableError, match="did not answer within"):
            list(opened(authn_port=silent.getsockname()[1], timeout=1, give_up_after=1).deliver(messages(1)))
        assert time.monotonic() - began < 6


@pytest.mark.parametrize("act", ["take and cut", "cut", "deaf"])
def test_a_connection_that_is_cut_loses_nothing(ams: AmsSimulator, opened: OpenAms, act: str) -> None:
    before = len(ams.held())
    ams.fault({"on": "publish", "act": act, "times": 2, "after": 1})
    sent = messages(3, size=100_000)
    assert [o.acknowledged for o in opened().deliver(sent)] == [True] * 3
    arrived: Dict[str, List[bytes]] = {}
    for empaid, text in ams.texts()[before:]:
        arrived.setdefault(empaid, []).append(text)
    assert list(arrived) == [m.id for m in sent]
    assert all(len(set(copies)) == 1 for copies in arrived.values())
    assert len(arrived[sent[1].id]) == (3 if act == "take and cut" else 1)


def test_a_slow_answer_is_waited_for_and_one_too_slow_is_asked_for_again(ams: AmsSimulator, opened: OpenAms) -> None:
    ams.fault({"on": "publish", "act": "slow", "seconds": 1, "times": 1})
    assert [o.acknowledged for o in opened(timeout=3).deliver(messages(1))] == [True]
    assert len(ams.seen()) == 1
    ams.fault({"on": "publish", "act": "slow", "seconds": 3, "times": 1})
    assert [o.acknowledged for o in opened(timeout=1).deliver(messages(1))] == [True]
    assert len(ams.seen()) == 3


@pytest.mark.parametrize(
    ("fault", "words", "hint"),
    [
        ({"status": 403}, "403 403 403 Proxy says no", "may publish there"),
        ({"status": 404}, "404", "names of project and topic"),
    ],
)
def test_what_speaks_against_us_ends_the_run(
    ams: AmsSimulator, opened: OpenAms, fault: Dict[str, object], words: str, hint: str
) -> None:
    ams.fault({"on": "publish", "act": "status", "after": 1, **fault})
    outcomes: List[Outcome] = []
    with pytest.raises(RefusedError, match=words) as caught:
        outcomes.extend(opened().deliver(messages(3)))
    assert [o.acknowledged for o in outcomes] == [True]
    assert hint in str(caught.value.hint)


def test_a_topic_that_is_not_there_and_a_right_that_is_missing(
    ams: AmsSimulator, opened: OpenAms, authority: Authority
) -> None:
    departed: List[str] = []
    with pytest.raises(RefusedError, match="topic nowhere.: 404 Topic doesn't exist"):
        list(opened(topic="nowhere").deliver(messages(1), departed.extend))
    reader = authority.host("reader.example.org")
    ams.admit_consumer(reader.dn)
    with pytest.raises(RefusedError, match="403 Access to this resource is forbidden"):
        list(opened(credential=reader).deliver(messages(1), departed.extend))
    assert departed == [], "what was never tried may still be made anew"


def test_a_message_that_is_refused_for_itself(ams: AmsSimulator, opened: OpenAms) -> None:
    ams.fault({"on": "publish", "act": "status", "status": 400, "times": 1, "after": 1})
    assert [o.acknowledged for o in opened().deliver(messages(3))] == [True, False, True]
    ams.fault({"on": "publish", "act": "status", "status": 400})
    refused: List[Outcome] = []
    with pytest.raises(RefusedError, match="5 messages in a row"):
        refused.extend(opened().deliver(messages(9)))
    assert [(o.acknowledged, o.too_large) for o in refused] == [(False, False)] * 5


def test_too_large_for_the_service_for_us_and_for_a_proxy(ams: AmsSimulator, opened: OpenAms) -> None:
    large = messages(1, size=900_000)
    for _ in range(7):
        (outcome,) = opened(largest_request=5_000_000).deliver(large)
        assert (outcome.acknowledged, outcome.too_large) == (False, True)
        assert "Message size is too large" in outcome.reason
    ams.forget_seen()
    (outcome,) = opened().deliver(large)
    assert outcome.too_large and outcome.peer == "" and "largest_request" in outcome.reason
    assert ams.seen() == []
    ams.fault({"on": "publish", "act": "status", "status": 413, "early": True, "larger": 50_000})
    outcomes = list(opened().deliver([*messages(1), *messages(1, size=300_000), *messages(1)]))
    assert [(o.acknowledged, o.too_large) for o in outcomes] == [(True, False), (False, True), (True, False)]


def test_a_service_that_finds_everything_too_large_is_not_believed(ams: AmsSimulator, opened: OpenAms) -> None:
    ams.fault({"on": "publish", "act": "status", "status": 413})
    refused: List[Outcome] = []
    with pytest.raises(RefusedError, match="5 messages in a row"):
        refused.extend(opened().deliver(messages(9)))
    assert len(refused) == 5
    assert len(list(opened().deliver(messages(9, size=20_000)))) == 9


def test_a_service_that_hangs_up_on_what_is_large_only(ams: AmsSimulator, opened: OpenAms) -> None:
    ams.fault({"on": "publish", "act": "deaf", "larger": 50_000})
    outcomes = list(opened().deliver([*messages(1), *messages(1, size=300_000), *messages(1)]))
    assert [(o.acknowledged, o.too_large) for o in outcomes] == [(True, False), (False, True), (True, False)]
    assert "hangs up whenever" in outcomes[1].reason


def test_a_service_that_hangs_up_on_everything_makes_no_message_guilty(ams: AmsSimulator, opened: OpenAms) -> None:
    ams.fault({"on": "publish", "act": "cut"}, {"on": "knock", "act": "cut", "after": 1})
    with pytest.raises(UnreachableError, match="ended the connection"):
        list(opened(give_up_after=3).deliver(messages(1, size=100_000)))
    ams.fault({"on": "publish", "act": "cut"})
    with pytest.raises(UnreachableError, match="ended the connection"):
        list(opened(give_up_after=3).deliver(messages(1)))


def test_clocks_that_are_apart_stop_the_sending(ams: AmsSimulator, opened: OpenAms) -> None:
    for shift in (-75, 75):
        ams.fault({"act": "clock", "shift": shift})
        with pytest.raises(TryAgainError, match="7[3-7] s apart, so nothing is sent"):
            list(opened().deliver(messages(1)))
        with pytest.raises(TryAgainError):
            opened().ping()
    assert ams.seen() == []
    ams.fault({"act": "clock", "shift": 50})
    delivery = iter(opened().deliver(messages(2)))
    assert next(delivery).acknowledged
    ams.fault({"act": "clock", "shift": 3600})
    assert next(delivery).acknowledged, "what was taken is taken"
    with pytest.raises(TryAgainError):
        next(delivery)
    ams.fault({"act": "clock", "shift": 50})
    assert opened(clock_tolerance=70).ping()


def test_ping_publishes_nothing(ams: AmsSimulator, opened: OpenAms) -> None:
    before = len(ams.held())
    assert opened().ping() == f"localhost:{ams.port}"
    assert len(ams.held()) == before
    assert [len(ams.seen(on)) for on in ("token", "knock", "publish")] == [1, 1, 0]


def test_what_the_receiver_could_not_read_never_leaves(ams: AmsSimulator, opened: OpenAms) -> None:
    bad = [Message(new_id(), "VMUUID: caf\u00e9\n".encode()), Message("../../etc/passwd", b"VMUUID: vm\n")]
    (good,) = messages(1)
    outcomes = {o.id: o for o in opened().deliver([*bad, good])}
    assert outcomes[good.id].acknowledged
    assert all(not outcomes[m.id].acknowledged and outcomes[m.id].peer == "" for m in bad)


def test_a_token_is_never_told(
    ams: AmsSimulator,
    opened: OpenAms,
    host: Credential,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    token = ams.admit(host.dn)
    told = ""
    with caplog.at_level(logging.DEBUG):
        list(opened().deliver(messages(2)))
        for fault in (
            {"on": "publish", "act": "status", "status": 401},
            {"on": "publish", "act": "cut"},
            {"on": "publish", "act": "odd"},
            {"on": "token", "act": "odd", "type": "application/json", "body": f'{{"token": "{token}\\r\\n"}}'},
            {"on": "token", "act": "odd", "type": "application/json", "body": f'{{"tokens": "{token}"}}'},
        ):
            ams.fault(fault)
            with pytest.raises((RefusedError, UnreachableError, RemoteDataError)) as caught:
                list(opened(give_up_after=1).deliver(messages(1)))
            told += f"{caught.value} {caught.value.hint}"
    told += "\n".join(record.getMessage() for record in caplog.records) + "".join(capfd.readouterr())
    assert "publish" in told and token not in told
