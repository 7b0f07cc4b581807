"""Parts of the simulated oned that stand alone: templates, access rules, the envelope, the truth about a life."""

from __future__ import annotations

import pytest

from tests.federation.opennebula.faults import Fault, Response, spoil, take
from tests.federation.opennebula.history import life_from, merged
from tests.federation.opennebula.people import rule_from
from tests.federation.opennebula.template import TemplateError, parse, render
from tests.federation.opennebula.wire import I4, FaultError, check_arguments, failure, read_call, success

PLAIN = """
NAME = "windows and co"   # a comment
cpu=4
DESCRIPTION = "quotes \\" and
newline ] inside"
DISK = [ IMAGE_ID = 1, SIZE = "10240" ]
DISK = [
  SIZE = 5 ,
  TYPE = fs ]
EMPTY = ""
"""


def test_templates_in_both_forms() -> None:
    expected = [
        ("NAME", "windows and co"),
        ("CPU", "4"),
        ("DESCRIPTION", 'quotes " and\nnewline ] inside'),
        ("DISK", [("IMAGE_ID", "1"), ("SIZE", "10240")]),
        ("DISK", [("SIZE", "5"), ("TYPE", "fs")]),
        ("EMPTY", ""),
    ]
    assert parse(PLAIN) == expected
    assert parse(f"<TEMPLATE>{render(expected)}</TEMPLATE>") == sorted(expected, key=lambda pair: pair[0])


@pytest.mark.parametrize("text", ["A", "A = [ B = 1", 'A = "open', "<A><B></A>", "<A>&#8;</A>", "= 3"])
def test_no_template(text: str) -> None:
    with pytest.raises(TemplateError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "user", "resource", "rights"),
    [
        (
            "#6 VM+HOST+IMAGE+USER+TEMPLATE+GROUP+DATASTORE+CLUSTER/* USE *",
            0x100000006,
            0x37B400000000,
            1,
        ),
        (
            "@1 VM+IMAGE+TEMPLATE+DOCUMENT+SECGROUP+VMGROUP+BACKUPJOB/* CREATE *",
            0x200000001,
            0x121429400000000,
            8,
        ),
        ("* ZONE/* USE *", 0x400000000, 0x800400000000, 1),
        ("@100 NET/* USE #0", 0x200000064, 0x4400000000, 1),
    ],
)
def test_access_rules_have_the_numbers_that_were_recorded(text: str, user: int, resource: int, rights: int) -> None:
    rule = rule_from(text, 1)
    assert (rule.user, rule.resource, rule.rights) == (user, resource, rights)
    assert rule.text() == text


def test_arguments() -> None:
    assert check_arguments("i[b", [I4(3)]) == [3]
    assert check_arguments("i[b", [I4(3), True, "surplus"]) == [3, True]
    for signature, values, text in (
        ("ii", [I4(1)], "Not enough parameters"),
        ("i", [True], "Parameter that is supposed to be integer is not"),
        ("b", [I4(1)], "Parameter that is supposed to be boolean is not"),
        ("a", ["x"], "Parameter that is supposed to be an array is not"),
    ):
        with pytest.raises(FaultError, match=text):
            check_arguments(signature, values)


def test_envelopes() -> None:
    with pytest.raises(FaultError) as error:
        read_call("<methodCall>\U0001f600</methodCall>".encode())
    assert error.value.code == -503
    call = read_call(
        b"<methodCall><methodName>one.vm.info</methodName><params><param><value>plain</value></param>"
        b"<param><value><i4>7</i4></value></param><param><value><boolean>1</boolean></value></param></params>"
        b"</methodCall>"
    )
    assert (call.method, call.arguments) == ("one.vm.info", ("plain", 7, True))
    assert [failure(1, "x", items).count(b"</value>") for items in (3, 4, 5)] == [4, 5, 6]
    assert b"<string>a&amp;b&lt;c&gt;&#x0d;</string>" in success("a&b<c>\r")
    with pytest.raises(FaultError) as error:
        success("\U0001f600 <VM>")
    assert error.value.code == -500 and "9-byte supposed" in error.value.text


def test_faults_pass_spoil_and_end() -> None:
    rules = [Fault("no_leader", "vmpool", count=1, after=1), Fault("html", "vm", count=None)]
    assert take(rules, "one.host.info") is None
    assert [rule.kind if rule else None for rule in (take(rules, "one.vmpool.info") for _ in range(3))] == [
        "html",
        "no_leader",
        "html",
    ]
    half = spoil(Fault("truncated"), "one.vm.info", 5, lambda: Response(200, b"0123456789"))
    assert (half.body, half.length) == (b"01234", 10)
    with pytest.raises(ValueError, match="no fault 'nonsense'"):
        Fault("nonsense")


def test_the_truth_about_a_life() -> None:
    assert merged([(10, 20), (20, 30), (40, 40), (50, None)]) == [(10, 30), (50, None)]
    life = life_from(
        {
            "id": 1,
            "created": 100,
            "ended": 500,
            "purged": False,
            "blurred": False,
            "runs": [[110, 200], [300, 500]],
            "cpus": [[100, 1], [350, 4]],
            "owners": [[100, 2], [150, 3]],
            "groups": [[100, 100]],
            "received": 1,
            "sent": 2,
        }
    )
    assert life.seconds(0, 1000) == 290
    assert life.seconds(150, 310) == 60
    assert life.cpu_seconds(0, 1000) == 90 + 50 + 4 * 150
    assert life.alive(0, 1000) == 400
    assert (life.uid, life.gid) == (3, 100)
