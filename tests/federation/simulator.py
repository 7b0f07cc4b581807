"""What the simulated clouds have in common: each is a process of its own, and is told what to be over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence

from tests.federation.controller import PythonServer


class Simulator(PythonServer):
    """A simulated cloud with a clock of its own. What cannot be done raises ValueError with the simulator's reason.

    Subclasses say where its control interface is: how to connect, and ``verbs``, what comes before a verb.
    """

    verbs = "/"

    def __init__(
        self,
        directory: Path,
        port: Optional[int] = None,
        state: Sequence[Path] = (),
        certificate: Optional[Path] = None,
        key: Optional[Path] = None,
    ) -> None:
        super().__init__(directory, port)
        self.state = list(state)
        self.certificate = certificate
        self.key = key
        self._connection: Optional[http.client.HTTPConnection] = None

    def _connect(self) -> http.client.HTTPConnection:
        raise NotImplementedError

    def _end(self, sign: signal.Signals, patience: float) -> None:
        self._forget()
        super()._end(sign, patience)

    def tell(self, verb: str, arguments: Optional[Mapping[str, Any]] = None) -> Any:
        """Carry out a verb of the control interface. Raises ValueError with the simulator's reason."""
        for last in (False, True):
            if self._connection is None:
                self._connection = self._connect()
            try:
                self._connection.request("POST", self.verbs + verb, json.dumps(arguments or {}).encode())
                response = self._connection.getresponse()
                body = response.read()
                break
            except (http.client.HTTPException, ConnectionError):
                # The kept connection was idle for too long, or the server was started anew since.
                self._forget()
                if last:
                    raise
        document = json.loads(body)
        if response.status != 200:
            raise ValueError(f"{verb}: {document['error']}")
        return document["result"]

    def _forget(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
            self._connection = None

    def now(self) -> int:
        """Return the site's time."""
        return int(self.tell("clock")["now"])

    def set_clock(self, instant: Optional[int]) -> None:
        """Stop the site's clock at an instant; None gives it back to real time. Tokens always live in real time."""
        self._move({"set": instant})

    def advance(self, seconds: int) -> int:
        """Move the site's clock on, let happen what falls due, and return the new time."""
        return self._move({"advance": seconds})

    def _move(self, arguments: Dict[str, Any]) -> int:
        result = self.tell("clock", arguments)
        if result["refused"]:
            raise ValueError("could not happen: " + "; ".join(result["refused"]))
        return int(result["now"])

    def clear_faults(self) -> None:
        """Let all answers pass again."""
        self.tell("clear_faults")
