"""What Perun's services write is read; a test of an edge case bears the case's number."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict

import pytest

from fedcloud_agent.users.formats import fedcloud_export, generic_json, opennebula_egi, voms
from fedcloud_agent.users.population import ABSENT, ACTIVE, HELD, SUSPENDED, Membership, Population, best, membership
from fedcloud_agent.users.refusal import MALFORMED, PayloadError

RS = "\x1e"
SITE = "cloud.example.org"


def line(*fields: str) -> str:
    return RS.join(fields) + "\n"


ANN = line("vo.a_4711", "vo.a", "/DC=org/DC=example/CN=Ann Ex 9", "ann@example.org", "ssh-ed25519 AAAA ann")


def export(text: str) -> Population:
    return fedcloud_export.read(text.encode(), SITE, 1000)


def why(read: Callable[[bytes, str, int], Population], data: bytes) -> str:
    with pytest.raises(PayloadError) as caught:
        read(data, SITE, 1000)
    assert caught.value.exit_code == MALFORMED
    assert "Ann" not in caught.value.message and "example" not in caught.value.message
    return caught.value.message


def test_a_line() -> None:
    (ann,) = export(ANN).persons
    assert (ann.id, ann.uid, ann.facility) == ("uid:4711", "4711", SITE)
    assert ann.memberships == (Membership("vo.a", ACTIVE, "valid"),)
    assert ann.subjects == ("/DC=org/DC=example/CN=Ann Ex 9",)
    assert ann.mail == "ann@example.org"
    assert ann.keys == ("ssh-ed25519 AAAA ann",)


def test_an_empty_file_lists_nobody() -> None:
    assert export("").persons == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ANN[:-1], "line 1 has no end"),
        (ANN + ANN[:20], "line 2 has no end"),
        (ANN + line("vo.a_1", "vo.a", "/C=x/CN=Ann", "m"), "line 2 has 4 fields"),
        (ANN + line("vo.a_1", "vo.a", "/C=x/CN=Ann", "m", "k", "k"), "line 2 has 6 fields"),
        (ANN + "\n", "line 2 has 1 fields"),
        ("vo.a_1:vo.a:/C=x/CN=Ann:ann@example.org:k\n", "line 1 has 1 fields"),
        (line("vo.b_1", "vo.a", "/C=x/CN=Ann", "", ""), "another VO"),
        (line("vo.a_x1", "vo.a", "/C=x/CN=Ann", "", ""), "no number"),
        (line("../x_1", "../x", "/C=x/CN=Ann", "", ""), "another VO"),
    ],
)
def test_edge_4_a_line_of_another_form(text: str, words: str) -> None:
    assert words in why(fedcloud_export.read, text.encode())


def test_edge_4_every_cut_is_noticed_or_at_the_end_of_a_line() -> None:
    data = (ANN * 3).encode()
    for length in range(1, len(data)):
        if length % len(ANN.encode()):
            assert "no end" in why(fedcloud_export.read, data[:length])


def test_edge_5_lines_that_end_in_two_characters() -> None:
    assert export(ANN.replace("\n", "\r\n")) == export(ANN)


def test_edge_6_not_utf_8() -> None:
    assert why(fedcloud_export.read, (ANN * 2).encode() + "vo.a_1\x1evo.a\x1e/CN=Jos\xe9\n".encode("latin-1")) == (
        "line 3 is not UTF-8"
    )


def test_edge_10_two_resources_of_a_vo_are_one_membership() -> None:
    (ann,) = export(ANN + ANN).persons
    assert ann.memberships == (Membership("vo.a", ACTIVE, "valid"),)
    assert len(ann.subjects) == len(ann.keys) == 1


def test_edge_11_two_vos_of_a_person() -> None:
    (ann,) = export(ANN + ANN.replace("vo.a", "vo.b")).persons
    assert [m.vo for m in ann.memberships] == ["vo.a", "vo.b"]


def test_edge_13_no_mail() -> None:
    (ann,) = export(ANN.replace("ann@example.org", "")).persons
    assert ann.mail is None and ann.memberships[0].state == ACTIVE


def test_no_uid() -> None:
    first, second = export(
        line("vo.a_", "vo.a", "/C=x/CN=a", "", "") + line("vo.a_", "vo.a", "/C=x/CN=b", "", "")
    ).persons
    assert first.uid is second.uid is None and first.id != second.id


def test_edge_14_odd_signs_in_a_name_or_mail_stay() -> None:
    odd = 'Ann "]]> $(id)\n`x` \\ Ex'
    (ann,) = opennebula_egi.read(egi(display_name=odd, email=f"{odd}@example.org"), SITE, 1).persons
    assert (ann.name, ann.mail) == (odd, f"{odd}@example.org")
    (ann,) = export(ANN.replace("ann@", '"ann]]>"@')).persons
    assert ann.mail == '"ann]]>"@example.org'


def test_edge_31_a_bar_in_the_comment_of_a_key() -> None:
    keys = "ssh-rsa AAAA me|at home|ecdsa-sha2-nistp256 BBBB|sk-ssh-ed25519@openssh.com CCCC x"
    (ann,) = export(line("v_1", "v", "/C=x/CN=a", "", keys)).persons
    assert ann.keys == ("ssh-rsa AAAA me|at home", "ecdsa-sha2-nistp256 BBBB", "sk-ssh-ed25519@openssh.com CCCC x")


def test_edge_33_the_case_of_a_vo_and_its_underscores_stay() -> None:
    (ann,) = export(line("Vo_A_12", "Vo_A", "/C=x/CN=a", "", "")).persons
    assert (ann.uid, ann.memberships[0].vo) == ("12", "Vo_A")


@pytest.mark.parametrize(
    ("arguments", "state", "reason"),
    [
        ({}, ACTIVE, "valid"),
        ({"status": 0}, ACTIVE, "valid"),
        ({"status": "EXPIRED"}, SUSPENDED, "expired"),
        ({"status": 3}, SUSPENDED, "expired"),
        ({"status": "INVALID"}, ABSENT, "invalid"),
        ({"status": "DISABLED"}, ABSENT, "disabled"),
        ({"status": 2}, SUSPENDED, "vo-ban"),
        ({"group_status": "EXPIRED"}, SUSPENDED, "group-expired"),
        ({"vo_banned": True}, SUSPENDED, "vo-ban"),
        ({"facility_banned": True, "status": "INVALID"}, SUSPENDED, "facility-ban"),
        ({"resource_banned": True}, SUSPENDED, "resource-ban"),
        ({"status": None}, HELD, "unknown-status"),
        ({"status": True}, HELD, "unknown-status"),
        ({"status": []}, HELD, "unknown-status"),
        ({"status": "valid"}, HELD, "unknown-status"),
        ({"group_status": None}, HELD, "unknown-status"),
        ({"group_status": "PENDING"}, HELD, "unknown-status"),
    ],
)
def test_states(arguments: Dict[str, Any], state: str, reason: str) -> None:
    assert membership("vo", **arguments) == Membership("vo", state, reason)


def test_the_best_of_several_resources() -> None:
    order = [Membership("v", state, "r") for state in (ABSENT, SUSPENDED, HELD, ACTIVE)]
    for index in range(4):
        assert best(order[: index + 1])["v"].state == order[index].state


EGI: Dict[str, Any] = {
    "email": "ann@example.org",
    "display_name": "Ann Ex",
    "banned": False,
    "groups": [{"name": "vo.a", "state": "VALID", "roles": []}, {"name": "vo.b", "state": "EXPIRED", "roles": []}],
    "identifiers": {"current": "ann", "old": ["vo.a_4711"]},
    "credentials": {
        "vm": {"ssh_keys": ["ssh-ed25519 AAAA", "ssh-rsa B\nssh-rsa C"]},
        "api": {"remote": ["ann@REALM"], "x509": ["/DC=org/CN=b", "/DC=org/CN=a"]},
    },
}


def egi(**changes: Any) -> bytes:
    return json.dumps({"users": [{**EGI, **changes}]}).encode()


def test_opennebula_egi() -> None:
    (ann,) = opennebula_egi.read(egi(), SITE, 1).persons
    assert (ann.id, ann.uid, ann.name) == ("login:ann", "4711", "Ann Ex")
    assert ann.memberships == (Membership("vo.a", ACTIVE, "valid"), Membership("vo.b", SUSPENDED, "expired"))
    assert ann.subjects == ("/DC=org/CN=a", "/DC=org/CN=b")
    assert ann.keys == ("ssh-ed25519 AAAA",)
    (ann,) = opennebula_egi.read(egi(banned=True), SITE, 1).persons
    assert {m.state for m in ann.memberships} == {SUSPENDED}
    (ann,) = opennebula_egi.read(egi(identifiers={"old": ["vo.a_1", "vo.b_2"]}), SITE, 1).persons
    assert ann.uid is None and ann.id.startswith("dn:")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"users": null}',
        b'{"users": {}}',
        b'{"users": [7]}',
        b'{"users": [], "users": []}',
        egi()[:-3],
        egi(banned="no"),
        egi(groups=[{"state": "VALID"}]),
        egi(groups={}),
        egi(identifiers=[]),
        b"[" * 100_000,
        b"<html>login</html>",
    ],
)
def test_edge_4_a_document_of_another_form(data: bytes) -> None:
    assert why(opennebula_egi.read, data)
    assert why(generic_json.read, data)


U = "urn:perun:"


def generic(status: Any = "VALID", **changes: Any) -> Dict[str, Any]:
    return {
        "metadata": {"version": "3.0.1", "facility": {"facilityName": SITE, "facilityUuid": "f", "attributes": {}}},
        "vos": {"v": {"attributes": {}}},
        "resources": {"r": {"voUuid": "v", "attributes": {U + "resource:attribute-def:virt:voShortName": "vo.a"}}},
        "users": {
            "u1": {
                "attributes": {
                    U + "user_facility:attribute-def:virt:UID": 4711,
                    U + "user:attribute-def:virt:userCertDNs": {
                        "10:/DC=org/CN=new": "/CN=CA",
                        "2:/DC=org/CN=old": "/CN=CA",
                    },
                    U + "user:attribute-def:def:preferredMail": "ann@example.org",
                    U + "user:attribute-def:core:displayName": "Ann Ex",
                    U + "user:attribute-def:def:sshPublicKey": ["ssh-ed25519 AAAA"],
                    U + "user_facility:attribute-def:virt:isBanned": None,
                },
                "allowed_vos": {"v": {"attributes": {U + "member:attribute-def:core:status": status}}},
                "allowed_resources": {"r": {"attributes": {}}},
            }
        },
        **changes,
    }


def read_generic(document: Dict[str, Any]) -> Population:
    return generic_json.read(json.dumps(document).encode(), SITE, 1)


def test_generic_json() -> None:
    (ann,) = read_generic(generic()).persons
    assert (ann.id, ann.uid, ann.name, ann.mail) == ("uuid:u1", "4711", "Ann Ex", "ann@example.org")
    assert ann.memberships == (Membership("vo.a", ACTIVE, "valid"),)
    assert ann.subjects == ("/DC=org/CN=old", "/DC=org/CN=new")


def test_generic_json_with_a_status() -> None:
    for status, state in (("EXPIRED", SUSPENDED), (None, HELD), ("INVALID", ABSENT)):
        assert read_generic(generic(status)).persons[0].memberships[0].state == state
    document = generic()
    document["users"]["u1"]["attributes"][U + "user_facility:attribute-def:virt:isBanned"] = True
    assert read_generic(document).persons[0].memberships[0].reason == "facility-ban"
    document = generic()
    document["users"]["u1"]["allowed_resources"]["r"]["attributes"] = {
        U + "member_resource:attribute-def:virt:groupStatus": "EXPIRED"
    }
    assert read_generic(document).persons[0].memberships[0].reason == "group-expired"


def test_generic_json_of_less() -> None:
    document = generic(vos={"v": {"attributes": {U + "vo:attribute-def:core:shortName": "vo.b"}}})
    document["resources"]["r"]["attributes"] = {}
    del document["users"]["u1"]["allowed_vos"]["v"]["attributes"][U + "member:attribute-def:core:status"]
    assert read_generic(document).persons[0].memberships == (Membership("vo.b", ACTIVE, "valid"),)


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": {"facility": {"facilityName": "other"}}},
        {"metadata": {}},
        {"users": None},
        {"users": {"u": {}}},
        {"users": {"u": {"attributes": {}}}},
        {"resources": {}},
        {"resources": {"r": {"attributes": {}}}},
        {
            "users": {
                "u": {"attributes": {U + "user:attribute-def:virt:userCertDNs": {"x": "y"}}, "allowed_resources": {}}
            }
        },
    ],
)
def test_generic_json_of_another_form(changes: Dict[str, Any]) -> None:
    assert why(generic_json.read, json.dumps(generic(**changes)).encode())


VOMS = """<vos><vo><name>vo.a</name><users>
<user><CA>/CN=CA</CA><DN>/DC=org/CN=Ann &amp; Co</DN><email>ann@example.org</email>
<groups><group><name>/vo.a/g</name><roles><role>boss</role></roles></group></groups><roles><role>r</role></roles></user>
<user><CA>/CN=CA</CA><DN>/DC=org/CN=Bob</DN></user></users></vo><vo><name>vo.b</name><users/></vo></vos>"""


def test_voms() -> None:
    ann, bob = voms.read(VOMS.encode(), SITE, 1).persons
    assert ann.subjects == ("/DC=org/CN=Ann & Co",) and ann.mail == "ann@example.org"
    assert ann.fqans == ("/vo.a", "/vo.a/Role=r", "/vo.a/g", "/vo.a/g/Role=boss")
    assert bob.fqans == ("/vo.a",) and bob.uid is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        VOMS[:-9],
        '<!DOCTYPE vos [<!ENTITY a "b">]>' + VOMS,
        '<!DOCTYPE vos SYSTEM "file:///etc/passwd">' + VOMS,
        "<html/>",
        VOMS.replace("<name>vo.b</name>", ""),
        VOMS.replace("<DN>/DC=org/CN=Bob</DN>", ""),
        "<vos>" + "<x>" * 20 + "</x>" * 20 + "</vos>",
        VOMS.replace("&amp;", "&lol;"),
    ],
)
def test_voms_of_another_form(text: str) -> None:
    assert why(voms.read, text.encode())
