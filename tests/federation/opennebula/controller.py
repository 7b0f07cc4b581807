"""How tests start the simulated oned and tell it what to be; everything goes over its control port."""

from __future__ import annotations

import http.client
import sys
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

from tests.federation.controller import free_port
from tests.federation.opennebula.history import Life, life_from
from tests.federation.simulator import Simulator


class OnedSimulator(Simulator):
    """An oned in a process of its own.

    It starts with oneadmin (``admin_name``, ``admin_password``), the groups oneadmin (0) and users (1), a cluster, two
    hosts, three datastores and a network. Users and groups are named by id or name; instants are seconds since the
    epoch. What cannot be done raises ValueError with the simulator's reason. With a certificate, https with
    authentication is served beside (``proxy_url``), as StratusLab does in front of a 3.2.
    """

    name = "oned"
    admin_name = "oneadmin"
    admin_password = "opennebula"

    def __init__(
        self,
        directory: Path,
        profile: str = "6.10",
        port: Optional[int] = None,
        state: Sequence[Path] = (),
        certificate: Optional[Path] = None,
        key: Optional[Path] = None,
        client_authority: Optional[Path] = None,
    ) -> None:
        super().__init__(directory, port, state, certificate, key)
        self.profile = profile
        self.client_authority = client_authority
        self.control_port = _other_port(self.port)
        self.proxy_port = _other_port(self.port, self.control_port) if certificate else None

    def command(self) -> List[str]:
        """Return the argument list that starts the server."""
        command = [sys.executable, "-m", "tests.federation.opennebula", "--port", str(self.port)]
        command += ["--control-port", str(self.control_port), "--profile", self.profile]
        for path in self.state:
            command += ["--state", str(path)]
        if self.proxy_port is not None:
            command += ["--proxy-port", str(self.proxy_port)]
            command += ["--certificate", str(self.certificate), "--key", str(self.key)]
            if self.client_authority is not None:
                command += ["--client-authority", str(self.client_authority)]
        return command

    @property
    def url(self) -> str:
        """The endpoint, as a site's configuration has it."""
        return f"http://127.0.0.1:{self.port}/RPC2"

    @property
    def proxy_url(self) -> str:
        """The root of the authenticating proxy: /pswd/xmlrpc takes passwords, /cert/xmlrpc client certificates."""
        return f"https://127.0.0.1:{self.proxy_port}"

    @property
    def session(self) -> str:
        """The credential of oneadmin, as the first argument of each call has it."""
        return f"{self.admin_name}:{self.admin_password}"

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.control_port, timeout=120)

    # People

    def create_group(self, name: str, **fields: Any) -> int:
        """Add a group (or change the one of that id) and return its id.

        Fields: id, template, limits (of its machines, by oned's names), quotas (XML, in place of what follows from the
        limits and its machines).
        """
        return int(self.tell("create_group", {"name": name, **fields}))

    def default_limits(self, **limits: Any) -> None:
        """Set the limits of groups that have none of their own, as ``onegroup defaultquota`` does."""
        self.tell("default_limits", {"limits": limits})

    def create_user(self, name: str, **fields: Any) -> int:
        """Add a user and return its id.

        Fields: id, password (in clear for core and server_cipher; names for x509), driver (core), groups (the first is
        the primary one; default users), enabled, template, tokens ([[token, end, group], ...]), quotas
        (XML), stored (what oned keeps of the password, as it stands in USER); a user of that id is replaced.
        """
        return int(self.tell("create_user", {"name": name, **fields}))

    def change_user(self, user: Any, **fields: Any) -> None:
        """Change a user: name, enabled, groups, password, driver, template (merged)."""
        self.tell("change_user", {"user": user, **fields})

    def delete_user(self, user: Any) -> None:
        """Delete a user; its machines keep the number."""
        self.tell("delete_user", {"user": user})

    def create_rule(self, text: str, key: Optional[int] = None) -> int:
        """Add an access rule as in ``#6 VM+HOST+CLUSTER/* USE *`` and return its id."""
        return int(self.tell("create_rule", {"text": text, "id": key}))

    def delete_rule(self, rule: int) -> None:
        """Delete an access rule."""
        self.tell("delete_rule", {"id": rule})

    def expire_sessions(self) -> None:
        """End all sessions and login tokens at once; x509 and server tokens are verified anew."""
        self.tell("sessions", {"expire": True})

    # Objects

    def create(self, kind: str, name: str, **fields: Any) -> int:
        """Add a cluster, host, image, template, document, datastore or network and return its id.

        Fields are those of the classes in ``inventory``; ``template`` is text or a mapping; an ``id`` that exists is
        replaced.
        """
        return int(self.tell("create", {"kind": kind, "name": name, **fields}))

    def change(self, kind: str, key: int, **fields: Any) -> None:
        """Change fields of an object; its template is merged."""
        self.tell("change", {"kind": kind, "id": key, **fields})

    def remove(self, kind: str, key: int) -> None:
        """Delete an object."""
        self.tell("remove", {"kind": kind, "id": key})

    # Machines

    def create_vm(self, user: Any = "oneadmin", **fields: Any) -> int:
        """Add a machine and return its id; fields as for ``create_vms``."""
        return self.create_vms([{"user": user, **fields}])[0]

    def create_vms(self, entries: Iterable[Mapping[str, Any]]) -> List[int]:
        """Add machines and return their ids.

        Each entry may have: user (oneadmin), group (the user's primary), name, id (a hole is left before it), cpu (1),
        vcpu (1; None leaves it out), memory (1024 MB), disks and nics (lists of attributes), template and user_template
        (more attributes), permissions (600), created (default now; in the future: it comes when the clock gets there),
        rates (bytes per second into and out of the guest while it runs), count and spacing for many of it. It boots
        ``pending`` seconds after its creation on ``host``, taking ``prolog`` and ``boot`` seconds, unless deploy is
        False; ``fails`` and ``hangs`` as for ``act``.
        """
        return [int(key) for key in self.tell("create_vms", {"vms": list(entries)})]

    def act(self, vm: int, action: str, at: Optional[int] = None, **details: Any) -> None:
        """Let something happen to a machine: now, at an instant after its last change, or in the future.

        Actions are the keys of ``stories.ACTS``. What takes time takes none unless the seconds of its phases are given
        by name: prolog, boot, save, shutdown, move, epilog. ``fails`` and ``hangs`` name the phase that fails or never
        ends (True: the first). Further details: host (deploy, migrate, live_migrate, resume), by (who asks; default
        oneadmin), wait=True (resume, recreate: stay pending), poweroff=True or "hard" (migrate), cpu, vcpu, memory
        (resize), user, group (chown), disk, nic, disk_id, nic_id (attach and detach), state and lcm (state), name,
        user_template, template, resched, lock (XML), rates, permissions (change), seq and fields (alter: what a record
        shows, whatever is true).
        """
        entry: Dict[str, Any] = {"vm": vm, "action": action, **details}
        if at is not None:
            entry["at"] = at
        self.acts([entry])

    def acts(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Let many things happen, in this order; each entry has vm, action, and what ``act`` takes."""
        self.tell("act", {"acts": list(entries)})

    def adopt(self, xml: str) -> List[int]:
        """Take in machines from the XML of a VM or VM_POOL that a real oned answered; return their ids."""
        return [int(key) for key in self.tell("adopt", {"xml": xml})]

    def fleet(self, count: int, start: int, **fields: Any) -> int:
        """Let there be ``count`` machines that are computed from their ids; return an instant after all their acts.

        Fields: first_id (the next free), records (20), spacing (60 seconds from creation to creation), live_every (10),
        owners ([[user, group], ...], taken in turn). Whatever happens to one of them later is kept like any other.
        """
        return int(self.tell("fleet", {"count": count, "start": start, **fields}))

    def next_id(self, at_least: int = 0) -> int:
        """Return the id that the next machine gets, after moving it up to ``at_least``."""
        return int(self.tell("next_id", {"at_least": at_least}))

    def purge_done(self, vms: Optional[Sequence[int]] = None, before: Optional[int] = None) -> int:
        """Forget machines as ``onedb purge-done`` does: the named ones, or all that ended before an instant."""
        if vms is not None:
            return int(self.tell("purge", {"vms": list(vms)}))
        return int(self.tell("purge", {"before": self.now() + 1 if before is None else before}))

    def purge_history(self, vms: Optional[Sequence[int]] = None) -> None:
        """Keep the last two records of machines (None: of all), renumbered, as ``onedb purge-history`` does."""
        self.tell("purge_history", {} if vms is None else {"vms": list(vms)})

    def reinstall(self) -> None:
        """Forget all machines and begin again with id 0."""
        self.tell("reinstall")

    def truth(self, vms: Optional[Sequence[int]] = None) -> Dict[int, Life]:
        """Return what really happened, by id; purged machines are in it."""
        arguments = {} if vms is None else {"vms": list(vms)}
        return {document["id"]: life_from(document) for document in self.tell("truth", arguments)}

    def load(self, document: Mapping[str, Any]) -> List[int]:
        """Carry out a document: clock, groups, users, rules, objects, vms, acts. Returns the ids of the machines."""
        return [int(key) for key in self.tell("load", document)]

    # Trouble and counting

    def fault(self, kind: str, method: str = "", count: Optional[int] = 1, after: int = 0, **details: Any) -> None:
        """Spoil the answers to the methods that match a regular expression.

        The first ``after`` of them pass, then ``count`` (None: all) are spoilt. See ``faults.KINDS``.
        """
        self.tell("fault", {"kind": kind, "method": method, "count": count, "after": after, **details})

    def meanwhile(self, method: str, verb: str, arguments: Mapping[str, Any], after: int = 0) -> None:
        """Let a verb of the control be carried out just before a call is answered: between two pages, for example."""
        self.fault("meanwhile", method, after=after, verb=verb, arguments=dict(arguments))

    def latency(self, per_call: float = 0.005, per_vm: float = 0.00004) -> None:
        """Set how many seconds answers take; the defaults are what a real one took."""
        self.tell("latency", {"per_call": per_call, "per_vm": per_vm})

    def limits(self, **fields: Any) -> None:
        """Set limits of the server.

        ``largest``: bytes of an answer (128 MiB); ``request_seconds``: how long a request may take (15);
        ``image_polls``: how often image.info shows an image locked, or deleted, before it is ready, or gone (2).
        """
        self.tell("limits", fields)

    def calls(self, reset: bool = False) -> Dict[str, int]:
        """Return how often each method came, as in ``{"one.vm.info": 3}``."""
        return dict(self.tell("calls", {"reset": reset})["calls"])

    def sent(self) -> Dict[str, int]:
        """Return how many bytes of answers went out by method."""
        return dict(self.tell("calls")["bytes"])

    def requests(self, reset: bool = False) -> List[Dict[str, Any]]:
        """Return the first 20000 calls: method, arguments (without the credential), status, bytes, vms (rows)."""
        return list(self.tell("calls", {"reset": reset, "requests": True})["requests"])

    def reset_calls(self) -> None:
        """Start counting anew."""
        self.calls(reset=True)


def _other_port(*taken: int) -> int:
    port = free_port()
    while port in taken:
        port = free_port()
    return port
