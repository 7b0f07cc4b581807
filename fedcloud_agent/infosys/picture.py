"""What a tree was made from, on disk: the last good offer of every cloud, and how the looks since then went."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Optional, Tuple

from fedcloud_agent import durable, plain
from fedcloud_agent.errors import StorageError
from fedcloud_agent.infosys.gathering import Seen
from fedcloud_agent.infosys.model import AgentState

_MARK = "fedcloud-agent picture"
FORMAT = 1


@dataclass(frozen=True)
class Picture:
    """All that a tree is made from, beside the configuration."""

    id: str
    """Ties it to the tree that was made from it."""
    basis: str
    """Of the configuration and the release, as :func:`basis_of` makes it."""
    now: int
    clouds: Tuple[Seen, ...]
    agent: AgentState

    @property
    def by_name(self) -> Mapping[str, Seen]:
        """The clouds by their names."""
        return {one.name: one for one in self.clouds}


def basis_of(*parts: object) -> str:
    """Return what differs when a tree would be made otherwise from the same offers."""
    return hashlib.blake2b("\0".join(map(repr, parts)).encode("utf-8"), digest_size=16).hexdigest()


def write(path: Path, picture: Picture) -> None:
    """Write a picture, whole or not at all. Raises StorageError, CannotCreateError."""
    durable.make_directory(path.parent)
    document = {"what": _MARK, "format": FORMAT, "picture": plain.plain(picture)}
    durable.write_whole(path, json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))


def read(path: Path) -> Optional[Picture]:
    """Return the picture that a file holds, or None when there is none or its form is that of another release.

    Raises StorageError when it is damaged: what was last known of the clouds is what keeps a bad answer from being
    believed, so that going on without it is for a person to decide.
    """
    try:
        document = json.loads(path.read_bytes())
        if document["what"] != _MARK:
            raise ValueError("it is something else")
        if document["format"] != FORMAT:
            return None
        picture: Picture = plain.made(Picture, document["picture"], "picture")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"{path}, what the clouds last offered, is damaged: {error}",
            hint="look at what 'fedcloud-agent infosys render' shows; if it is right, remove the file",
        ) from error
    return picture
