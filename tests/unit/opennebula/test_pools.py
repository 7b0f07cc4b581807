"""What the pools tell: identity, image, benchmark and site, from recorded pools."""

from __future__ import annotations

from typing import Any, Dict, Optional
from xml.etree.ElementTree import fromstring

import pytest

from fedcloud_plugins.opennebula.addresses import public_addresses
from fedcloud_plugins.opennebula.benchmark import Place, place_of
from fedcloud_plugins.opennebula.identity import global_user, subject_of
from fedcloud_plugins.opennebula.images import image_of_machine
from fedcloud_plugins.opennebula.pools import (
    Cluster,
    Host,
    Image,
    Template,
    User,
    cluster_of,
    host_of,
    image_of,
    template_of,
    user_of,
)
from fedcloud_plugins.opennebula.row import Form, Nic, row_of
from tests.unit.opennebula.elements import SETTINGS, parsed, row

OF_MACHINE, KEYS = SETTINGS.machine_user_properties, SETTINGS.image_keys
CARLA = r"/DC=org/DC=terena/DC=tcs/C=CZ/O=Masaryk University/CN=Carla Nov\xC3\xA1kov\xC3\xA1"
MPURI = "https://appdb.egi.eu/store/vo/image/0a1b2c3d-0000-4000-8000-00000000000"


@pytest.fixture(scope="module")
def users() -> Dict[str, User]:
    found = (user_of(element, SETTINGS.user_properties) for element in parsed("userpool.xml"))
    return {user.name: user for user in found}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # its own property
        ("alice", "/DC=org/DC=terena/DC=tcs/C=NL/O=Example University/CN=Alice Adams alice@example.org"),
        ("egi_4f2a9c_vo", CARLA),
        # two certificates, the first counts; spaces escaped
        ("bob", r"/C=IT/O=INFN/OU=Personal Certificate/CN=Bob M\xC3\xBCller"),
        # spaces deleted, and the tail that names a VO
        ("egi_oldform", r"/C=ES/O=ExampleGrid/CN=DiegoDelR\xC3\xADo"),
        # a password is no name
        ("plain", None),
        ("oneadmin", None),
        ("serveradmin", None),
        ("nodriver", None),
    ],
)
def test_who_an_account_is(users: Dict[str, User], name: str, expected: Optional[str]) -> None:
    assert global_user({}, OF_MACHINE, users[name]) == expected


def test_no_secret_is_kept(users: Dict[str, User]) -> None:
    assert users["plain"] == User(7, "plain", "", {})


def test_the_machine_speaks_first(users: Dict[str, User]) -> None:
    told = row_of(parsed("vm-35-occi.xml"), Form.FULL).told
    assert global_user(told, OF_MACHINE, users["alice"]) == CARLA
    assert global_user({"USER_IDENTITY": "0123abcd@egi.eu"}, OF_MACHINE, users["alice"]) == "0123abcd@egi.eu"
    # but not nonsense
    alice = global_user({}, OF_MACHINE, users["alice"])
    assert global_user({"USER_X509_DN": "me", "USER_IDENTITY": "a b@c"}, OF_MACHINE, users["alice"]) == alice
    assert global_user({}, OF_MACHINE, None) is None


def test_a_subject_in_every_spelling() -> None:
    tail = "/VO=vo.example.org/Role=NULL/Capability=NULL"
    assert subject_of(r"/C=XX/O=Some\20Org/CN=A\20B" + tail) == "/C=XX/O=Some Org/CN=A B"
    assert subject_of("/C=XX/O=SomeOrg/CN=AB" + tail) == "/C=XX/O=SomeOrg/CN=AB"
    assert subject_of("/C=XX/CN=host/www.example.org") == "/C=XX/CN=host/www.example.org"
    assert subject_of("5b69dffe2364f23c0fc98fd9b1f707c1") is None


def pool(name: str) -> Dict[int, Image]:
    return {int(e.findtext("ID") or -1): image_of(e, KEYS) for e in parsed(name)}


def test_images() -> None:
    images = pool("imagepool.xml")
    assert images[0] == Image(0, MPURI + "1:1001/", 1024)
    assert images[1].appliance == MPURI + "2:1002/"
    assert images[2] == Image(2, None, 2048)
    templates = {t.id: t for t in (template_of(e, KEYS) for e in parsed("templatepool.xml"))}
    assert templates == {0: Template(0, MPURI + "1:1001/"), 1: Template(1, None), 2: Template(2, None)}


def image(template: Any = (), told: Any = (), images: Any = None, templates: Any = None) -> Optional[str]:
    given = row(3, 3, [], template=[("MEMORY", 1), *template])._replace(told=dict(told))
    return image_of_machine(given, KEYS, (images or {}).get, (templates or {}).get)


def test_where_the_image_comes_from() -> None:
    disk = ("DISK", [("DISK_ID", 0), ("IMAGE_ID", 5)])
    named = ("DISK", [("DISK_ID", 0), ("IMAGE_ID", 5), (KEYS[0], "uri:disk")])
    images, templates = {5: Image(5, "uri:image", None)}, {9: Template(9, "uri:template")}
    mixins = {"OCCI_COMPUTE_MIXINS": "http://x/os_tpl#uuid_a_1 http://x/res#mem"}
    made = ("TEMPLATE_ID", 9)
    assert image([named, made], mixins, images, templates) == "uri:disk"
    assert image([disk, made], mixins, images, templates) == "uri:image"
    assert image([disk, made], mixins, {}, templates) == "uri:template"
    assert image([disk], mixins) == "http://x/os_tpl#uuid_a_1"
    assert image([disk], {"OCCI_MIXIN": "http://y/os_tpl#z"}) == "http://y/os_tpl#z"
    assert image([disk]) == "5"
    assert image() is None
    # the disk that it boots from is that of the lowest number, wherever it stands
    assert image([("DISK", [("DISK_ID", 1), ("IMAGE_ID", 6)]), disk]) == "5"
    source = "http://marketplace.example.org/metadata/a/b/c"
    assert image([("DISK", [("DISK_ID", 0), ("SOURCE", source)])]) == source
    assert image([("DISK", [("DISK_ID", 0), ("SOURCE", "/var/lib/one/datastores/1/a")])]) is None


def test_hosts_and_clusters() -> None:
    hosts = {h.id: h for h in map(host_of, parsed("hostpool.xml"))}
    clusters = {c.id: c for c in map(cluster_of, parsed("clusterpool.xml"))}
    assert hosts[0] == Host(0, 0, "HEPscore23", 17.25)
    assert hosts[2] == Host(2, 100, None, None)
    assert clusters[100] == Cluster(100, "HEPscore23", 13.5, "EXAMPLE-EAST")

    def place(hid: int, cid: int) -> Place:
        given = row(3, 3, [{"STIME": 1, "RSTIME": 1, "HID": 1}, {"STIME": 5, "HID": hid, "CID": cid}])
        return place_of(given, hosts.get, clusters.get)

    assert place(0, 0) == Place("HEPscore23", 17.25, None)
    assert place(0, 100) == Place("HEPscore23", 17.25, "EXAMPLE-EAST")
    assert place(2, 100) == Place("HEPscore23", 13.5, "EXAMPLE-EAST")
    assert place(9, 0) == Place()
    unclustered = row(3, 3, [{"STIME": 5, "HID": 2}])
    before_clusters = unclustered._replace(history=(unclustered.history[0]._replace(cid=-1),))
    assert place_of(before_clusters, hosts.get, clusters.get) == Place("HEPscore23", 13.5, "EXAMPLE-EAST")
    assert place_of(row(1, 0), hosts.get, clusters.get) == Place()


@pytest.mark.parametrize("value", ["", "fast", "-3", "0", "nan", "inf"])
def test_a_benchmark_that_is_none(value: str) -> None:
    text = f"<HOST><ID>1</ID><TEMPLATE><BENCHMARK_TYPE>X</BENCHMARK_TYPE><BENCHMARK_VALUE>{value}</BENCHMARK_VALUE>"
    assert host_of(fromstring(text + "</TEMPLATE></HOST>")) == Host(1, None, None, None)
    assert host_of(fromstring("<HOST><ID>1</ID></HOST>")) == Host(1, None, None, None)


def test_an_entry_without_id() -> None:
    for text in ("<HOST/>", "<HOST><ID>-1</ID></HOST>"):
        with pytest.raises(ValueError, match="no ID"):
            host_of(fromstring(text))


def test_addresses() -> None:
    nics = row_of(parsed("vm-36-disks-nics.xml"), Form.FULL).nics
    assert public_addresses(nics, ()) == 2
    assert public_addresses(nics, ("private",)) == 4
    assert public_addresses(nics, ("1",)) == 4
    twice = (Nic("", "", ("147.251.3.10", "2001:718::1")), Nic("", "", ("147.251.3.10", "nonsense")))
    assert public_addresses(twice, ()) == 2
