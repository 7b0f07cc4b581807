"""Who may log in how, and what each may see. Tokens are made by openssl, so that nobody agrees with himself."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
import subprocess
import time
import xmlrpc.client
from pathlib import Path

from tests.federation.authority import Authority
from tests.federation.opennebula import OnedSimulator
from tests.integration.federation.opennebula.conftest import NOVEMBER, Client, Start


def me(client: Client, session: str) -> str:
    """Return the name of who is logged in; empty when nobody is."""
    answer = client.call("user.info", -1, session=session)
    if answer.items[0] is False:
        assert answer.items[2] == 0x100
        return ""
    return answer.xml.findtext("NAME") or ""


def openssl(data: bytes, *arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True, timeout=30).stdout


def ciphered(password: str, text: str, vector: bool = True, digest: str = "sha256") -> str:
    kept = hashlib.new(digest, password.encode()).hexdigest()
    start = kept[:16].encode() if vector else bytes(16)
    key = ("-K", kept[:32].encode().hex(), "-iv", start.hex())
    return base64.b64encode(openssl(text.encode(), "enc", "-aes-256-cbc", *key)).decode()


def test_core_public_disabled_and_tokens(start: Start) -> None:
    client = start("6.10")
    oned = client.oned
    assert me(client, "oneadmin:opennebula") == "oneadmin"
    assert me(client, "alice:secret") == "alice"
    for wrong in ("alice:nonsense", "nobody:secret", "alice", "alice:", ":secret"):
        assert me(client, wrong) == ""
    oned.create_user("colon", password="a:b")
    assert me(client, "colon:a:b") == "colon"
    oned.change_user("alice", enabled=False)
    assert me(client, "alice:secret") == ""
    oned.change_user("alice", enabled=True, driver="public", password="x")
    assert me(client, "alice:x") == ""
    token = client.call("user.login", "colon", "", 600, session="colon:a:b").items[1]
    assert me(client, f"colon:{token}") == "colon"
    oned.expire_sessions()
    assert me(client, f"colon:{token}") == ""


def test_server_cipher_speaks_for_others(start: Start) -> None:
    later = int(time.time()) + 600
    new, old = start("6.10"), start("5.12")
    token = ciphered("serveradmin", f"serveradmin:alice:{later}")
    assert me(new, f"serveradmin:alice:{token}") == "alice"
    assert me(new, f"serveradmin:oneadmin:{token}") == ""
    assert me(new, f"serveradmin:alice:{ciphered('serveradmin', 'serveradmin:alice:1000')}") == ""
    assert me(new, f"serveradmin:alice:{ciphered('wrong', f'serveradmin:alice:{later}')}") == ""
    assert me(new, "serveradmin:alice:garbage") == "" == me(new, "serveradmin:serveradmin")
    new.oned.change_user("alice", enabled=False, driver="public", password="x")
    assert me(new, f"serveradmin:alice:{token}") == "alice"
    assert me(old, f"serveradmin:alice:{token}") == ""
    token = ciphered("serveradmin", f"serveradmin:alice:{later}", vector=False)
    assert me(old, f"serveradmin:alice:{token}") == "alice"


def test_a_good_session_is_kept_for_its_time(start: Start) -> None:
    client = start("6.10")
    token = ciphered("serveradmin", f"serveradmin:alice:{int(time.time()) + 2}")
    session = f"serveradmin:alice:{token}"
    assert me(client, session) == "alice"
    time.sleep(2.1)
    assert me(client, session) == "alice"
    client.oned.expire_sessions()
    assert me(client, session) == ""


def test_x509(start: Start, tmp_path: Path) -> None:
    client = start("6.10")
    credential = Authority(tmp_path / "ca").host("Some One", elliptic=False)
    expired = Authority(tmp_path / "old").host("Some One", valid=(-172800, -86400))
    escaped = credential.dn.replace(" ", "\\20")
    client.oned.create_user("someone", driver="x509", password=f"/CN=other|{escaped}")
    client.oned.create_user("deleted", driver="x509", password=credential.dn.replace(" ", ""))

    def session(name: str, expiry: int, which: object = credential) -> str:
        sealed = openssl(f"{name}:{expiry}".encode(), "pkeyutl", "-sign", "-inkey", str(which.key))  # type: ignore
        inner = base64.b64encode(sealed) + b":" + which.certificate.read_bytes()  # type: ignore
        return f"{name}:{base64.b64encode(inner).decode()}"

    later = int(time.time()) + 600
    assert me(client, session("someone", later)) == "someone"
    assert me(client, session("someone", 1000)) == ""
    assert me(client, session("deleted", later)) == ""
    assert me(client, session("someone", later, expired)) == ""
    forged = session("deleted", later).replace("deleted:", "someone:", 1)
    assert me(client, forged) == ""


def test_others_see_a_subset_and_an_access_rule_opens_all(start: Start) -> None:
    client = start("6.10")
    oned = client.oned
    oned.create_user("bob", groups=["vo.example.org"])
    accounting = oned.create_user("accounting")
    mine, _, shared = (
        oned.create_vm("alice"),
        oned.create_vm("bob"),
        oned.create_vm("bob", permissions="640"),
    )
    alice, reader = "alice:secret", "accounting:secret"
    assert client.ids("vmpool.info", -2, -1, -1, -2, session=alice) == [shared, mine]
    assert client.ids("vmpool.info", -3, -1, -1, -2, session=alice) == [mine]
    assert client.ids("vmpool.info", -2, -1, -1, -2, session=reader) == []
    for pool in ("hostpool.info", "clusterpool.info", "datastorepool.info"):
        assert client.ids(pool, session=reader) == []
    assert client.ids("userpool.info", session=reader) == [accounting]
    assert client.ids("grouppool.info", session=reader) == [1]
    assert client.call("vm.info", mine, session=reader).items[2] == 0x200
    rule = oned.create_rule(f"#{accounting} VM+HOST+CLUSTER+IMAGE+TEMPLATE+USER+GROUP+DATASTORE/* USE *")
    assert client.ids("vmpool.info", -2, -1, -1, -2, session=reader) == [2, 1, 0]
    assert client.ids("hostpool.info", session=reader) == [1, 0]
    assert client.ids("grouppool.info", session=reader) == [100, 1, 0]
    assert client.call("vm.info", mine, session=reader).items[0] is True
    assert client.call("acl.info", session=reader).xml.findtext(f"ACL[ID='{rule}']/STRING", "").startswith("#4 VM+HOST")
    oned.delete_rule(rule)
    oned.change_user("accounting", groups=["users", "oneadmin"])
    assert len(client.ids("userpool.info", session=reader)) == 5


def test_a_stratuslab_is_a_3_2_behind_a_proxy(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    host, person = authority.host("one.example.org"), authority.host("Some One", file="person")
    with OnedSimulator(
        tmp_path / "oned", "3.2", certificate=host.certificate, key=host.key, client_authority=authority.certificate
    ) as oned:
        oned.set_clock(NOVEMBER)
        oned.create_user("someone", driver="x509", password=person.dn.replace(" ", ""))
        image = "http://marketplace.egi.eu/metadata/Abc/someone@example.org/2012-03-01T10:00:00Z"
        vm = oned.create_vm("someone", disks=[{"SOURCE": image}])

        def call(path: str, session: str, headers: dict, identity: bool = False) -> tuple:
            context = ssl.create_default_context(cafile=str(authority.certificate))
            if identity:
                context.load_cert_chain(person.certificate, person.key)
            port = oned.proxy_port
            assert port is not None
            connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
            connection.request("POST", path, xmlrpc.client.dumps((session, vm), "one.vm.info"), headers)
            response = connection.getresponse()
            body = response.read()
            connection.close()
            return response.status, body

        basic = {"Authorization": "Basic " + base64.b64encode(b"oneadmin:opennebula").decode()}
        status, body = call("/pswd/xmlrpc", "whatever", basic)
        assert status == 200 and b"marketplace.egi.eu" in body and b"IMAGE_ID" not in body
        assert call("/pswd/xmlrpc", oned.session, {})[0] == 401
        wrong = {"Authorization": "Basic " + base64.b64encode(b"oneadmin:wrong").decode()}
        assert call("/pswd/xmlrpc", "whatever", wrong)[0] == 401
        status, body = call("/cert/xmlrpc", "whatever", {}, identity=True)
        assert status == 200 and b"someone" in body
        assert call("/cert/xmlrpc", "whatever", {})[0] == 401
        assert json.dumps(oned.calls()) == '{"one.vm.info": 2}'
