"""What one version of oned does otherwise than another: every difference that an accounting can meet, in one table."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Callable, Dict, Tuple

# How the record of a guest that was suspended or powered off looks like until somebody resumes it.
CLOSED = "closed"  # RETIME and ETIME are set at once
SILENT = "silent"  # nothing is set; at resume both become the moment when the next boot succeeded
OPEN = "open"  # RETIME is set at once, ETIME at resume


@dataclass(frozen=True)
class Profile:
    """A version of oned. Features follow from ``version`` unless they are fields of their own."""

    name: str
    text: str
    version: Tuple[int, int, int]
    stopped: str

    def since(self, *version: int) -> bool:
        """Tell whether this oned is of that version or newer."""
        return self.version >= version

    @property
    def failure_items(self) -> int:
        """The length of the array that says what went wrong."""
        return 5 if self.since(5, 10) else 4 if self.since(5, 4) else 3

    @property
    def descending(self) -> bool:
        """Whether pools are listed newest first unless the user wants it otherwise."""
        return self.since(5, 8)

    @property
    def short(self) -> bool:
        """Whether vmpool.info leaves out most of a machine, history times among it."""
        return self.since(5, 8)

    @property
    def offset(self) -> bool:
        """Whether an end below -1 makes the start a row offset; before, it is an id that no machine has."""
        return self.since(4, 6)

    @property
    def states(self) -> int:
        """The highest state that a pool can be filtered by."""
        return 11 if self.since(5, 0) else 7

    @property
    def digest(self) -> Callable[..., hashlib._Hash]:
        """What core passwords are kept as."""
        return hashlib.sha256 if self.since(5, 10) else hashlib.sha1

    @property
    def cipher_iv(self) -> bool:
        """Whether server_cipher takes its initialisation vector from the digest; before, it is sixteen zero bytes."""
        return self.since(6, 2)

    @property
    def owner_terminates(self) -> bool:
        """Whether the record of a termination names the owner instead of who asked for it."""
        return self.since(6, 0)

    @property
    def boot_failure_told(self) -> bool:
        """Whether a failed boot sets RETIME."""
        return self.stopped == OPEN

    @property
    def stopped_move_overwrites(self) -> bool:
        """Whether the migration of a stopped guest moves the RETIME of the record before to its own time."""
        return self.since(5, 12)

    @property
    def resize_recorded(self) -> bool:
        """Whether a resize closes a record and opens another."""
        return self.since(6, 8, 2)

    @property
    def delete_db_closes(self) -> bool:
        """Whether recover delete-db sets the times of the last record."""
        return self.since(6, 4, 5)

    @property
    def failed_state(self) -> bool:
        """Whether what fails ends in STATE 7 instead of an LCM state that can be recovered from."""
        return not self.since(4, 14)

    @property
    def uuid_deploy_id(self) -> bool:
        """Whether the KVM driver names guests by UUID."""
        return self.since(6, 0)


def _profile(name: str, text: str, stopped: str) -> Profile:
    major, minor, patch = (int(part) for part in (text + ".0").split(".")[:3])
    return Profile(name, text, (major, minor, patch), stopped)


PROFILES: Dict[str, Profile] = {
    profile.name: profile
    for profile in (
        _profile("3.2", "3.2.1", CLOSED),
        _profile("3.8", "3.8.4", CLOSED),
        _profile("4.14", "4.14.2", CLOSED),
        _profile("5.4", "5.4.15", CLOSED),
        _profile("5.8.0", "5.8.0", CLOSED),
        _profile("5.8.1", "5.8.1", CLOSED),
        _profile("5.12", "5.12.0.4", SILENT),
        _profile("6.10", "6.10.5", OPEN),
        _profile("7.4", "7.4.0", OPEN),
    )
}
