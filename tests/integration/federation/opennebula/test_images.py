"""Images and templates: refused in oned's own words, ready after a while, deleted after a while."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.integration.federation.opennebula.conftest import Client, Start
from tests.integration.federation.opennebula.recorded import DATA, people


def test_refusals_are_as_recorded(start: Start) -> None:
    client = start("6.10", furnished=False)
    oned = client.oned
    people(client)
    oned.create("image", "alma9")
    oned.create("image", "published-1", id=6)
    oned.create("datastore", "images", id=100, free=20480)
    oned.create("datastore", "system-a", id=101, type=1)
    oned.create_vm("alice")
    directory = DATA / "6.10" / "images"
    for path in sorted(directory.glob("*.request.xml")):
        oned.change("image", 6, lock="<LOCKED>4</LOCKED>" if "locked" in path.name else "")
        answer = client.post(path.read_bytes())
        recorded = path.with_name(path.name.replace("request", "response")).read_bytes()
        assert answer.body == recorded, path.name


def state(client: Client, image: int) -> Any:
    answer = client.call("image.info", image)
    return int(answer.xml.findtext("STATE") or -1) if answer.items[0] else answer.items[2]


def test_the_life_of_an_image(start: Start, tmp_path: Path) -> None:
    client = start("6.10")
    oned = client.oned
    path = tmp_path / "image.raw"
    path.write_bytes(b"x" * 3000000)
    wanted = f'NAME="first"\nTYPE=OS\nPATH="{path}"\nPERSISTENT=NO\nDEV_PREFIX=vd\nTAG="a"'
    # Not below SAFE_DIRS: taken at first, broken later.
    image = client.call("image.allocate", wanted, 1, False).items[1]
    assert [state(client, image) for _ in range(3)] == [4, 4, 5]
    assert "check RESTRICTED_DIRS" in client.call("image.info", image).xml.findtext("TEMPLATE/ERROR", "")
    assert client.call("image.allocate", wanted, 1).items[2] == 0x4000
    oned.change("datastore", 1, template={"SAFE_DIRS": str(tmp_path)})
    assert client.call("image.delete", image).items[0] is True
    assert client.call("image.allocate", wanted, 1).items[2] == 0x4000
    assert [state(client, image) for _ in range(3)] == [7, 7, 0x400]
    image = client.call("image.allocate", wanted, 1).items[1]
    assert [state(client, image) for _ in range(3)] == [4, 4, 1]
    client.call("image.chmod", image, -1, -1, -1, 1, 0, 0, -1, -1, -1)
    client.call("image.chown", image, -1, 100)
    client.call("image.update", image, "<TEMPLATE><OWN>yes</OWN></TEMPLATE>", 1)
    shown = client.call("image.info", image).xml
    assert (shown.findtext("SIZE"), shown.findtext("GID"), shown.findtext("PERMISSIONS/GROUP_U")) == ("3", "100", "1")
    assert (shown.findtext("TEMPLATE/TAG"), shown.findtext("TEMPLATE/OWN")) == ("a", "yes")
    assert client.ids("imagepool.info", -2, -1, -1, session="alice:secret") == [image]
    vm = oned.create_vm("alice", disks=[{"IMAGE_ID": image}])
    assert state(client, image) == 2
    assert client.call("image.delete", image).items[2] == 0x800
    oned.act(vm, "terminate")
    assert client.call("image.delete", image).items[0] is True


def test_templates(start: Start) -> None:
    client = start("6.10")
    key = client.call("template.allocate", 'NAME="one"\nCPU=1\nDISK=[IMAGE_ID=3]').items[1]
    assert client.call("template.allocate", 'NAME="one"').items[2] == 0x2000
    client.call("template.update", key, "<TEMPLATE><VCPU>2</VCPU></TEMPLATE>", 1)
    client.call("template.chmod", key, -1, -1, -1, -1, -1, -1, 1, -1, -1)
    shown = client.call("template.info", key, session="alice:secret").xml
    assert [child.tag for child in shown.findall("TEMPLATE/*")] == ["CPU", "DISK", "VCPU"]
    client.call("template.update", key, "CPU=4", 0)
    assert [child.tag for child in client.call("template.info", key).xml.findall("TEMPLATE/*")] == ["CPU"]
    assert client.call("template.delete", key).items[:2] == [True, key]
    assert client.call("template.info", key).items[2] == 0x400
