"""What a cloud can be asked. A plugin subclasses :class:`Cloud` and those facets that it can serve.

Whatever a facet's method raises is an :class:`fedcloud_agent.errors.AgentError`: ``UnreachableError`` for no answer in
time or a 5xx, ``RefusedError`` for a credential or right that is missing, ``RemoteDataError`` for an answer that cannot
be used, ``ConfigurationError`` for a setting that this cloud cannot serve. An empty answer is data only where the cloud
said so in full: a facet never turns an error into "nothing there".

All instants are integers, seconds since the epoch, UTC, on the cloud's own clock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    ClassVar,
    FrozenSet,
    Iterator,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Type,
)

if TYPE_CHECKING:
    from fedcloud_agent.clouds.accounts import Account, Accounts, Wanted
    from fedcloud_agent.clouds.harmless import Harmless
    from fedcloud_agent.clouds.offer import CloudOffer

STARTED = "started"
SUSPENDED = "suspended"
COMPLETED = "completed"


class VirtualMachine(NamedTuple):
    """What the cloud says of one virtual machine at one moment. A tuple: there are a hundred thousand of them."""

    uuid: str
    """VMUUID: unique in the federation, stable for ever, lower case (the repository compares without case)."""
    name: str
    status: str
    """STARTED, SUSPENDED or COMPLETED."""
    cloud_status: str
    """The cloud's own word, for people."""
    user: str
    group: str
    """The cloud's ids of the owner and of the project or group."""
    global_user: Optional[str]
    """DN in slash form or Check-in identifier; None where the cloud cannot tell."""
    vo: str
    start: Optional[int]
    """None: never started, so there is nothing to account (yet)."""
    end: Optional[int]
    """Set when, and only when, the status is COMPLETED and the machine was ever started."""
    changed: Optional[int]
    """When the cloud last changed this description; dates a resize that is seen only now."""
    cpu_count: int
    memory: int
    """MB."""
    disk: int
    """GB."""
    image: Optional[str]
    public_ips: Optional[int]
    """None: not told (a deleted machine has no addresses any more), the last known count stands."""
    running: Optional[Tuple[Tuple[int, Optional[int]], ...]] = None
    """Intervals in which it ran, in order, disjoint; the last may be open. None: all its life counts."""
    cpu_seconds: Optional[int] = None
    """CPU time used since the start, where the cloud measures it."""
    network_in: Optional[int] = None
    network_out: Optional[int] = None
    """Bytes since the start, as the machine sees them."""
    benchmark_type: Optional[str] = None
    benchmark: Optional[float] = None
    site: Optional[str] = None
    """SiteName of this machine, where the cloud itself names another one than the agent's configuration."""
    trace: Optional[str] = None
    """The plugin's own words, ASCII, at most 64 kB: what it wants to be told at its next look at this machine (see
    :class:`Past`). None: what it said before stands."""


class Unreadable(NamedTuple):
    """A machine of which the cloud says that it is there, but not how it is: the ledger keeps what it knows."""

    uuid: str
    reason: str


class Problem(NamedTuple):
    """Something that a person should hear of, although the run goes on: a project without VO, a user without name."""

    subject: str
    reason: str


@dataclass(frozen=True)
class Window:
    """What a listing has to cover.

    ``full``: every live machine, and those that ended at or after ``since`` (None: all that the cloud remembers).
    Otherwise: every machine, alive or ended, that changed at or after ``since``.
    """

    full: bool
    since: Optional[int]


@dataclass(frozen=True)
class Page:
    """What one answer of the cloud brought; it goes into the ledger in one transaction."""

    machines: Sequence[VirtualMachine]
    unreadable: Sequence[Unreadable] = ()
    problems: Sequence[Problem] = ()
    mark: Optional[str] = None
    """The plugin's own words on how far this scope is read. The last one of a listing is kept once the listing came to
    its end, and told at the next (:meth:`Past.mark`)."""


class Past(ABC):
    """What the ledger holds of one cloud: for a plugin whose cloud would else have to be asked everything again.

    Read only, and by pages: nothing here grows with the site in memory.
    """

    @abstractmethod
    def known(self, uuids: Sequence[str]) -> Mapping[str, VirtualMachine]:
        """Return those of these machines that were ever seen, each as it is known by now."""

    @abstractmethod
    def living(self, scope: str) -> Iterator[VirtualMachine]:
        """Yield the machines of a scope that are not completed; the caller may take its time."""

    @abstractmethod
    def mark(self, scope: str) -> Optional[str]:
        """Return the mark that the last complete listing of a scope left."""


class NoPast(Past):
    """A cloud of which nothing is known: everything has to be read."""

    def known(self, uuids: Sequence[str]) -> Mapping[str, VirtualMachine]:
        """Return nothing."""
        return {}

    def living(self, scope: str) -> Iterator[VirtualMachine]:
        """Yield nothing."""
        return iter(())

    def mark(self, scope: str) -> Optional[str]:
        """Return None."""
        return None


@dataclass(frozen=True)
class Listing:
    """One scope's listing, read page by page.

    ``scope`` names what one listing covers and keeps its own mark: ``*`` for the whole cloud, or a project's id.
    ``groups`` are the ids of the projects that this listing speaks of: a machine of theirs that a full listing does
    not show is missing. ``as_of`` is the cloud's time *before* the first page was asked for, so that whatever a page
    shows alive was alive then. Iterating ``pages`` raises when any page failed: then nothing follows from absence.
    """

    scope: str
    groups: FrozenSet[str]
    window: Window
    as_of: int
    clock_offset: int
    """The cloud's clock minus ours, in seconds, when it told ``as_of``."""
    pages: Iterator[Page]
    expected: Optional[int] = None
    """How many machines the cloud announced, if it did; for a progress bar."""


@dataclass(frozen=True)
class Login:
    """A successful probe: as whom, with which view, and how long it took."""

    identity: str
    view: str
    seconds: float
    clock_offset: int
    """The cloud's clock minus ours, in seconds."""


class Cloud(ABC):
    """One configured cloud. ``settings`` is the plugin's own table; the constructor does not talk to the cloud."""

    cloud_type: ClassVar[str]
    """As CloudType names it in a usage record: ``OpenStack``, ``OpenNebula`` …"""

    def __init__(self, name: str, settings: Any) -> None:
        self.name = name
        self.settings = settings

    @property
    @abstractmethod
    def host(self) -> str:
        """The host name of the cloud's endpoint: CloudComputeService in its records where the site sets no other."""

    @abstractmethod
    def close(self) -> None:
        """Give back connections and tokens; called once, also after an error."""


class ProbeFacet(ABC):
    """Can the agent log in?"""

    @abstractmethod
    def probe(self) -> Login:
        """Log in and make one cheap call."""


class UsageFacet(ABC):
    """Which virtual machines were used?"""

    @abstractmethod
    def usage(self, window: Callable[[str], Window], past: Past) -> Iterator[Listing]:
        """Yield a listing for each scope, asking ``window(scope)`` what it has to cover.

        With an empty ``past`` (:class:`NoPast`) everything that the cloud remembers is read.
        Logging in and finding the scopes may raise at once. A scope that fails raises from its ``pages``; the caller
        may go on to the next listing. Memory is that of one page.
        """

    @abstractmethod
    def machine(self, uuid: str, past: Past) -> Optional[VirtualMachine]:
        """Return one machine, or None if the cloud answers that it does not exist. Anything unclear raises."""


class DescribeFacet(ABC):
    """What does the cloud offer to the federation?"""

    @abstractmethod
    def describe(self) -> CloudOffer:
        """Return all that the cloud offers now: see :mod:`fedcloud_agent.clouds.offer`.

        Only projects that serve a VO are shares, each with the VO. A list that could not be read to its end raises:
        half of the images is worse than none. What fails for one project alone leaves that project out, as a
        ``Problem``.
        """


class UsersFacet(ABC):
    """Which accounts are there, and make them so.

    See :mod:`fedcloud_agent.clouds.accounts`. Each call but ``accounts`` concerns one account and may be repeated: what
    is done already is done. A change that a crash cut off anywhere is completed by the same call.
    """

    @abstractmethod
    def accounts(self) -> Accounts:
        """Return every account and group. Half of a list raises."""

    @abstractmethod
    def account(self, id: str) -> Optional[Account]:
        """Return one account as it is now, or None if the cloud answers that there is none."""

    @abstractmethod
    def create(self, wanted: Wanted) -> Account:
        """Make an active account with its mark, and return it. Raises RefusedError when the name is taken."""

    @abstractmethod
    def update(self, account: Account, wanted: Wanted) -> None:
        """Make an account active, with the content and mark that are wanted; leave all else of it as it is."""

    @abstractmethod
    def suspend(self, account: Account, wanted: Wanted) -> None:
        """Keep everybody from logging in to an account, and bring its content up to date; what it runs, runs on."""

    @abstractmethod
    def delete(self, account: Account) -> None:
        """Remove an account. Raises RefusedError while it owns anything, and says what."""


class RecordingFacet(ABC):
    """What of the cloud's answers may be in a recording that is handed to others?"""

    @abstractmethod
    def harmless(self) -> Harmless:
        """Return what may stay as it is; does not talk to the cloud."""


FACETS: Tuple[Tuple[str, Type[Any]], ...] = (
    ("probe", ProbeFacet),
    ("usage", UsageFacet),
    ("describe", DescribeFacet),
    ("users", UsersFacet),
    ("recording", RecordingFacet),
)


def facets_of(plugin: Type[Cloud]) -> Tuple[str, ...]:
    """Return the names of the facets that a plugin serves, in the order of the contract."""
    return tuple(name for name, facet in FACETS if issubclass(plugin, facet))
