"""A simulated oned with three groups, and the plugin's settings for it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Set

import pytest

from fedcloud_agent.clouds.contract import (
    COMPLETED,
    Listing,
    Page,
    Past,
    Problem,
    Unreadable,
    VirtualMachine,
    Window,
)
from fedcloud_agent.http import Bounds
from fedcloud_agent.settings import Secret
from fedcloud_plugins.opennebula.plugin import OpenNebula
from fedcloud_plugins.opennebula.settings import AuthSettings, OpenNebulaSettings
from tests.federation.opennebula import OnedSimulator

NOW = 1_795_000_000


class Remembered(Past):
    """A past in memory, as the ledger would hold it: what is told is kept, and None lets the old stand."""

    def __init__(self) -> None:
        self.machines: Dict[str, VirtualMachine] = {}
        self.words: Optional[str] = None

    def known(self, uuids: Sequence[str]) -> Mapping[str, VirtualMachine]:
        return {uuid: self.machines[uuid] for uuid in uuids if uuid in self.machines}

    def living(self, scope: str) -> Iterator[VirtualMachine]:
        assert scope == "*"
        return (machine for machine in list(self.machines.values()) if machine.status != COMPLETED)

    def mark(self, scope: str) -> Optional[str]:
        return self.words

    def take(self, page: Page) -> None:
        for machine in page.machines:
            old = self.machines.get(machine.uuid)
            kept = {} if old is None else {k: v for k, v in old._asdict().items() if getattr(machine, k) is None}
            self.machines[machine.uuid] = machine._replace(**kept)
        self.words = page.mark if page.mark is not None else self.words


@dataclasses.dataclass
class Seen:
    """All that one run brought."""

    listing: Listing
    pages: List[Page]
    calls: Dict[str, int]

    @property
    def machines(self) -> Dict[int, VirtualMachine]:
        """The machines that were told, by their ids."""
        told = [machine for page in self.pages for machine in page.machines]
        found = {number_of(machine.uuid): machine for machine in told}
        assert len(found) == len(told), "a machine was told twice"
        return found

    @property
    def unreadable(self) -> Dict[int, Unreadable]:
        return {number_of(entry.uuid): entry for page in self.pages for entry in page.unreadable}

    @property
    def problems(self) -> List[Problem]:
        return [problem for page in self.pages for problem in page.problems]

    @property
    def count(self) -> int:
        return sum(self.calls.values())


def number_of(uuid: str) -> int:
    return int(uuid.rpartition("/compute/")[2].split()[0])


class Site:
    """The simulator, and shortcuts to what the tests ask of it."""

    def __init__(self, oned: OnedSimulator, directory: Path) -> None:
        self.oned = oned
        self.directory = directory
        oned.set_clock(NOW)
        self.ops = oned.create_group("ops")
        self.bio = oned.create_group("bio.example.org")
        oned.create_user("jane", password="x", groups=["ops"], template={"X509_DN": "/DC=org/DC=example/CN=Jane Doe"})
        oned.create_user("joe", password="x", groups=["bio.example.org"])
        self.accounting = oned.create_user("accounting", password="pw")
        self.past = Remembered()
        self.clouds: List[OpenNebula] = []

    def settings(self, username: str = "oneadmin", password: str = "opennebula", **changes: Any) -> OpenNebulaSettings:
        auth = changes.pop("auth", None)
        if auth is None:
            auth = AuthSettings(username=username, password_file=self.secret(password))
        changes.setdefault("endpoint", self.oned.url)
        return OpenNebulaSettings(auth=auth, **changes)

    def secret(self, text: str) -> Secret:
        path = self.directory / f"secret-{abs(hash(text))}"
        path.write_text(f"{text}\n")
        path.chmod(0o600)
        return Secret(str(path))

    def cloud(self, timeout: float = 30, **changes: Any) -> OpenNebula:
        cloud = OpenNebula("main", self.settings(**changes))
        bounds = Bounds(timeout=timeout, deadline=60, size=cloud.settings.largest_answer, backoff=0.01)
        cloud._connection.client._adapter.bounds = bounds
        cloud._connection.wire._bounds = bounds
        self.clouds.append(cloud)
        return cloud

    def run(
        self,
        cloud: Optional[OpenNebula] = None,
        full: bool = False,
        since: Optional[int] = None,
        past: Optional[Past] = None,
    ) -> Seen:
        """Read the listing to its end, into the past."""
        self.oned.reset_calls()
        cloud = cloud or self.cloud()
        (listing,) = cloud.usage(lambda scope: Window(full, since), past or self.past)
        pages = []
        for page in listing.pages:
            pages.append(page)
            self.past.take(page)
        return Seen(listing, pages, self.oned.calls())

    def vm(self, user: str = "jane", **fields: Any) -> int:
        fields.setdefault("created", NOW - 86400)
        return self.oned.create_vm(user, **fields)

    def vms(self, count: int, user: str = "jane", **fields: Any) -> List[int]:
        fields.setdefault("created", NOW - 86400)
        return self.oned.create_vms([{"user": user, "count": count, **fields}])

    def numbers(self, status: Optional[str] = None) -> Set[int]:
        """Return the ids that the past holds, of one status or of all."""
        found = self.past.machines.values()
        return {number_of(machine.uuid) for machine in found if status in (None, machine.status)}


@pytest.fixture()
def profile() -> str:
    return "6.10"


@pytest.fixture()
def site(tmp_path: Path, profile: str) -> Iterator[Site]:
    with OnedSimulator(tmp_path / "oned", profile) as oned:
        oned.latency(0, 0)
        made = Site(oned, tmp_path)
        yield made
        for cloud in made.clouds:
            cloud.close()


Read = Callable[..., Seen]
