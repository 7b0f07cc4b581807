"""Find a machine in the ledger by what a person knows of it."""

from __future__ import annotations

from typing import List, NamedTuple, Optional

from sqlalchemy import func, or_, select
from sqlalchemy.engine import Connection

from fedcloud_agent.accounting.departures import digest
from fedcloud_agent.accounting.tables import departed, vm


class Candidate(NamedTuple):
    """A machine that may be meant."""

    id: int
    cloud: str
    uuid: str
    name: str
    status: str
    start: Optional[int]
    end: Optional[int]


def find(connection: Connection, words: str, limit: int) -> List[Candidate]:
    """Return the machines that ``words`` may mean, at most ``limit``, those first seen last first.

    A VMUUID means one machine, whatever else bears its text. Otherwise: the beginning of a VMUUID, the cloud's own id
    where the VMUUID holds it as ``.../ID`` or ``.../ID rest``, or a name, all without case.
    """
    folded = words.strip().lower()
    uuid, name = func.lower(vm.c.uuid), func.lower(vm.c.name)
    query = select(*[vm.c[name] for name in Candidate._fields]).order_by(vm.c.id.desc()).limit(limit)
    exact = [Candidate(*row) for row in connection.execute(query.where(uuid == folded))]
    if exact or not folded:
        return exact
    like = folded.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    forms = (f"{like}%", f"%/{like}", f"%/{like} %")
    where = or_(name == folded, *(uuid.like(form, escape="\\") for form in forms))
    return [Candidate(*row) for row in connection.execute(query.where(where))]


def let_go(connection: Connection, uuid: str) -> Optional[str]:
    """Return the cloud of a machine that was let go, by its whole VMUUID; None if there is no such."""
    query = select(departed.c.cloud).where(departed.c.digest == digest(uuid.strip().lower())).limit(1)
    found: Optional[str] = connection.execute(query).scalar()
    return found
