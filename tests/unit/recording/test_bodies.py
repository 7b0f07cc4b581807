"""Bodies under the veil: everything odd about them stays, all that is not allowed by name is replaced."""

from __future__ import annotations

import json
import re
import tracemalloc
from typing import Any, Dict, Iterator, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.clouds.harmless import Harmless
from fedcloud_agent.recording.bodies import veiled
from fedcloud_agent.recording.checking import Judge
from fedcloud_agent.recording.pseudonyms import Pseudonyms
from fedcloud_agent.recording.veil import Veil
from fedcloud_agent.recording.vocabulary import COMMON
from fedcloud_plugins.opennebula import harmless as opennebula
from fedcloud_plugins.openstack import harmless as openstack
from fedcloud_plugins.openstack.settings import AuthSettings, OpenStackSettings

SETTINGS = OpenStackSettings(auth=AuthSettings(auth_url="https://cloud.example.org:5000/v3"))
OPENSTACK = openstack.harmless(SETTINGS)
ONE = opennebula.harmless()


def through(
    body: bytes, rules: Harmless = OPENSTACK, *, step: int = 1 << 20, shift: int = 0, request: bool = False
) -> bytes:
    veil = Veil(Pseudonyms(), rules, shift)
    return b"".join(veiled((body[at : at + step] for at in range(0, len(body), step)), veil, request=request))


def findings(body: bytes, rules: Harmless = OPENSTACK) -> List[str]:
    judge = Judge()
    for _ in veiled([body], Veil(judge, rules)):
        pass
    return [finding.text for finding in judge.findings]


SECRET = st.text("abcdefghijklmnopqrstuvwxyzABC-. @/", min_size=8).filter(
    lambda t: re.search("[a-z]{6}", t) is not None
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | SECRET,
    lambda below: st.lists(below, max_size=4)
    | st.dictionaries(st.sampled_from(sorted(OPENSTACK.words)) | st.text(), below, max_size=4),
    max_leaves=25,
)


def form(value: Any) -> Any:
    """Return the structure of a document: what kinds of values stand where."""
    if isinstance(value, dict):
        return [form(one) for one in value.values()]
    if isinstance(value, list):
        return [form(one) for one in value]
    return type(value).__name__


@given(VALUES, st.booleans(), st.integers(1, 40))
def test_a_document_keeps_its_form_and_says_nothing(document: Any, ascii_only: bool, step: int) -> None:
    body = json.dumps([document], ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    made = through(body, step=step)
    assert findings(made) == []
    after = json.loads(made.decode("utf-8", "surrogateescape"))
    if all(len(keys) == len(set(keys)) for keys in keys_of(after)):
        assert form(after) == form([document])


def keys_of(value: Any) -> Iterator[List[str]]:
    if isinstance(value, dict):
        yield list(value)
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys_of(one)


@given(st.binary(max_size=300), st.sampled_from([b"{", b"[", b"<", b""]), st.integers(1, 20))
def test_no_bytes_whatsoever_make_it_stumble(body: bytes, start: bytes, step: int) -> None:
    for rules in (OPENSTACK, ONE):
        assert through(start + body, rules, step=step) is not None


ROW: Dict[str, Any] = {
    "id": "11111111-2222-4333-8444-555555555555",
    "name": "jane's laboratory",
    "status": "ACTIVE",
    "created": "2026-11-01T10:00:00Z",
    "OS-SRV-USG:launched_at": "2026-11-01T10:00:07.000000",
    "tenant_id": "36be1a8ecaf4473685675ea01fe2f64f",
    "flavor": {"vcpus": 4, "ram": 8192, "disk": 40, "original_name": "jane.large", "extra_specs": {"owner": "jane"}},
    "metadata": {"status": "ACTIVELY-JANE", "created": "2026-11-01T10:00:00Z", "phone": 555123456, "ram": 77123},
    "addresses": {"jane-net": [{"version": 4, "addr": "131.154.96.7", "OS-EXT-IPS:type": "floating"}]},
    "links": [
        {"rel": "self", "href": "https://cloud.example.org:8774/v2.1/servers/11111111-2222-4333-8444-555555555555"}
    ],
    "OS-EXT-SRV-ATTR:user_data": "amFuZQ==",
}


def row(**options: Any) -> Any:
    return json.loads(through(json.dumps({"servers": [ROW]}).encode(), **options))["servers"][0]


def test_only_what_is_harmless_stays() -> None:
    made = row()
    for key in ("status", "created", "OS-SRV-USG:launched_at"):
        assert made[key] == ROW[key]
    assert {key: made["flavor"][key] for key in ("vcpus", "ram", "disk")} == {"vcpus": 4, "ram": 8192, "disk": 40}
    assert made["id"] != ROW["id"] and made["links"][0]["href"].endswith(f":8774/v2.1/servers/{made['id']}")
    (network,) = made["addresses"].values()
    assert network[0]["addr"].startswith("192.88.99.") and network[0]["OS-EXT-IPS:type"] == "floating"
    assert "jane" not in json.dumps(made).lower() and "131.154" not in json.dumps(made)


def test_below_what_users_write_nothing_stays() -> None:
    made = list(row()["metadata"].values())
    assert len(made) == 4
    assert made[0] != "ACTIVELY-JANE" and made[1] != "2026-11-01T10:00:00Z"
    assert made[2] != 555123456 and made[3] != 77123


def test_times_move_together_and_keep_their_spelling() -> None:
    made = row(shift=-7 * 86400)
    assert (made["created"], made["OS-SRV-USG:launched_at"]) == ("2026-10-25T10:00:00Z", "2026-10-25T10:00:07.000000")
    moved = through(b"<HISTORY><STIME>1795360544</STIME><ETIME>0</ETIME></HISTORY>", ONE, shift=-100)
    assert moved == b"<HISTORY><STIME>1795360444</STIME><ETIME>0</ETIME></HISTORY>"


@pytest.mark.parametrize(
    "body",
    [
        b'{"servers": [{"id": "jane", "id": "jane", "name": "a\\u00e9\\ud83d\\ude80"',
        b'{"name": "control \x01 and \t raw"}',
        b'{"name": "lone \\ud83d surrogate"}',
        b'{"name": "latin-1 \xe9\xe8"}',
        b'\xef\xbb\xbf{"id" :1 ,\r\n"x":\t-0.5e+10}',
        b'{"na',
        b"{'not': json}",
        b"",
        b"  ",
    ],
)
def test_what_is_broken_stays_broken(body: bytes) -> None:
    made = through(body)
    assert re.sub(rb"[A-Za-z0-9]", b".", made) == re.sub(rb"[A-Za-z0-9]", b".", body)
    assert b"jane" not in made
    for step in (1, 3, 7):
        assert len(through(body, step=step)) == len(body)


def test_a_page_of_an_angry_proxy_keeps_its_words() -> None:
    page = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Jane's gateway failed</h1></body></html>"
    made = through(page).decode()
    assert "<title>" in made and "Gateway</title>" in made and "failed</h1>" in made and "Jane" not in made


def test_a_message_keeps_common_words() -> None:
    body = (
        b'{"badRequest": {"code": 400, "message": "marker [11111111-2222-4333-8444-555555555555] not found by Jane"}}'
    )
    made = json.loads(through(body))["badRequest"]
    assert (
        re.fullmatch(r"marker \[[0-9bcdf-]{36}\] not found by [A-Z][a-z]{3}", made["message"]) and made["code"] == 400
    )
    assert "Jane" not in made["message"]


ANSWER = (
    "<?xml version='1.0' encoding='UTF-8'?>\r\n<methodResponse><params><param><value><array><data>"
    "<value><boolean>1</boolean></value>\r\n<value><string>&lt;VM&gt;&lt;ID&gt;42&lt;/ID&gt;&lt;UNAME&gt;jane&lt;/UNAME&gt;"
    "&lt;NAME&gt;jane &amp;amp; &#x1F680; \x01 caf\u00e9&lt;/NAME&gt;&lt;USER_TEMPLATE&gt;&lt;JANES&gt;&lt;![CDATA["
    "&lt;b&gt;jane]]&gt;&lt;/JANES&gt;&lt;VCPU&gt;77&lt;/VCPU&gt;&lt;/USER_TEMPLATE&gt;&lt;TEMPLATE&gt;&lt;VCPU&gt;"
    "&lt;![CDATA[2]]&gt;&lt;/VCPU&gt;&lt;/TEMPLATE&gt;&lt;STIME&gt;1795360544&lt;/STIME&gt;&lt;/VM&gt;</string></value></data></array></value>"
)


def test_a_document_within_an_xml_rpc_answer_is_followed_into() -> None:
    made = through(ANSWER.encode(), ONE).decode()
    assert "&lt;ID&gt;42&lt;/ID&gt;" in made and "<boolean>1</boolean>" in made and "1795360544" in made
    assert "CDATA[2]" in made and "VCPU&gt;77" not in made
    assert "\x01" in made and "jane" not in made.lower() and "\u00e9" not in made
    assert made.count("USER_TEMPLATE") == 2 and findings(made.encode(), ONE) == []


@given(st.integers(1, 50))
def test_it_is_all_the_same_in_which_pieces_an_answer_comes(step: int) -> None:
    veil = Veil(Pseudonyms(), ONE)
    data = ANSWER.encode()
    whole = b"".join(veiled([data], veil))
    assert b"".join(veiled((data[at : at + step] for at in range(0, len(data), step)), veil)) == whole


def test_a_session_is_no_more_and_ids_in_a_call_stay() -> None:
    call = (
        b"<methodCall><methodName>one.vmpool.info</methodName><params><param><value><string>jane:s3cret</string></value>"
        b"</param><param><value><int>-2</int></value></param><param><value><string>12,42</string></value></param></params>"
    )
    made = through(call, ONE, request=True).decode()
    assert re.search(r"<string>[bcdfghj-np-tv-xz]{4}:[bcdfghj-np-tv-xz]{32}</string>", made), made
    assert "one.vmpool.info" in made and "<int>-2</int>" in made and "<string>12,42</string>" in made


def test_memory_is_that_of_one_piece() -> None:
    machine = b"&lt;VM&gt;&lt;ID&gt;42&lt;/ID&gt;&lt;NAME&gt;web server&lt;/NAME&gt;&lt;/VM&gt;" * 20

    def pieces() -> Iterator[bytes]:
        yield b"<methodResponse><string>&lt;VM_POOL&gt;"
        for _ in range(120):
            yield machine

    veil = Veil(Pseudonyms(), ONE)
    tracemalloc.start()
    size = sum(len(piece) for piece in veiled(pieces(), veil))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 150_000 and peak < 100_000


WORDS = st.from_regex(r"\A[a-z]{4,8}[aeiou][a-z]{2,4}\Z").filter(
    lambda word: word not in COMMON | OPENSTACK.words | ONE.words
)
PUT = st.sampled_from(
    ["%s", "%s.example.org", "x-%s_7", "/DC=org/CN=%s", "%s@%s.org", "https://%s/%s?id=%s", "say %s!", "\u00e9%s"]
)
KEYS = ("name", "status", "created", "message", "href", "id", "vcpus", "tags", "unheard_of", "OS-EXT-STS:vm_state")


@given(st.lists(st.tuples(WORDS, PUT, st.sampled_from(KEYS)), min_size=1, max_size=8))
def test_no_word_of_a_site_survives_anywhere(told: list[tuple[str, str, str]]) -> None:
    filled = [(word, put.replace("%s", word), key) for word, put, key in told]
    document = [{key: [text], text: {"metadata": {key: text}}} for _, text, key in filled]
    made = through(json.dumps({"servers": document}).encode()).decode()
    inner = "".join(
        f"<NAME>{text}</NAME><USER_TEMPLATE><{word}>{text}</{word}></USER_TEMPLATE>" for word, text, _ in filled
    )
    inner = inner.replace("&", "&amp;").replace("<", "&lt;")
    one = through(f"<value><string>{inner}</string><string>{filled[0][1]}</string></value>".encode(), ONE).decode()
    url = Veil(Pseudonyms(), OPENSTACK).place("https://" + "/".join(f"{word}?{word}={word}" for word, _, _ in filled))
    # a bare word that stands where a state stands is taken for one
    states = [text for word, text, key in filled if key in ("status", "OS-EXT-STS:vm_state") and text == word]
    for word, _, _ in filled:
        assert word not in made or any(word in state for state in states)
        assert word not in one and word not in url
