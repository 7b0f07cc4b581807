"""A site whose tree is served and published by the commands that people type; the clouds are files, the time ours."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

import pytest

from fedcloud_agent import clock
from fedcloud_agent.cli.main import main
from fedcloud_agent.clouds.offer import CloudOffer
from fedcloud_agent.clouds.offer_file import NamedOffer, encode
from fedcloud_agent.infosys.entry import Entry
from tests.integration.infosys.serve.agent import Serve
from tests.unit.infosys.world import NOW, OFFER

CONTACT = "support@example.org"


class Done(NamedTuple):
    """What a command gave."""

    code: int
    out: str
    err: str


class Published:
    """``serve`` runs; ``publish`` and the others run in this process, at :attr:`now`."""

    def __init__(self, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
        self.serve, self.now = serve, NOW
        monkeypatch.setattr(clock, "now", lambda: self.now)
        self._file = serve.directory / "offer.json"

    def type(self, *words: str) -> Done:
        """Run a command of infosys."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["--config", str(self.serve.directory / "etc"), "infosys", *words])
        return Done(code, out.getvalue(), err.getvalue())

    def publish(self, *words: str, offer: Optional[CloudOffer] = None, **changes: Any) -> Dict[str, Any]:
        """Publish an offer, which must succeed, and return what was told of it."""
        done = self.try_publishing(*words, offer=offer, **changes)
        assert done.code == 0, done
        told: Dict[str, Any] = json.loads(done.out)
        return told

    def try_publishing(self, *words: str, offer: Optional[CloudOffer] = None, **changes: Any) -> Done:
        """Publish the offer of the world, with these changes, as it would be told now."""
        told = dataclasses.replace(offer or OFFER, **{"as_of": self.now - 1, **changes})
        self._file.write_text(json.dumps(encode([NamedOffer("main", "ks.example.org", "OpenStack", told)])))
        return self.type("publish", "--json", "--offer", str(self._file), *words)

    def entries(self, kind: str) -> List[Entry]:
        """Return what readers get of one class."""
        return [one for one in self.serve.tree() if kind in one.classes]

    def endpoint(self, interface: str = "OpenStack") -> Entry:
        """Return one endpoint as readers get it."""
        name = "GLUE2EndpointInterfaceName"
        (found,) = (one for one in self.entries("GLUE2Endpoint") if one.first(name) == interface)
        return found


@contextlib.contextmanager
def published(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Iterator[Published]:
    """Serve a site that has been published once."""
    serve = Serve(contact=CONTACT, listen=["127.0.0.1"], **settings)
    try:
        serve.start()
        one = Published(serve, monkeypatch)
        one.publish()
        yield one
    finally:
        serve.close()
