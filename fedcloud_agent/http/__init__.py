"""The one door to HTTP: what is bounded, retried and refused here holds for every call that leaves this machine.

:mod:`~fedcloud_agent.http.exchange` makes one exchange safe whoever asks for it (libraries that log in for us get it
through :attr:`Client.session`): no answer without limits of time and size, patience with a peer that is out of service.
:mod:`~fedcloud_agent.http.client` adds what our own calls want: redirects that stay on the host, one new login after a
401, status codes and bodies turned into data or an :class:`~fedcloud_agent.errors.AgentError`.
:mod:`~fedcloud_agent.http.witness` lets one observer look on at every exchange.

Import this where a call is made: it loads requests.
"""

from __future__ import annotations

from fedcloud_agent.http.answer import Answer
from fedcloud_agent.http.client import Client, Credential, Stream
from fedcloud_agent.http.exchange import Bounds, CutOffError, FailedError, HungUpError, LargeError, SlowError

__all__ = [
    "Answer",
    "Bounds",
    "Client",
    "Credential",
    "CutOffError",
    "FailedError",
    "HungUpError",
    "LargeError",
    "SlowError",
    "Stream",
]
