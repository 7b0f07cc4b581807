"""One round of the information system: the clouds are asked, and what they offer is brought to the readers."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Union

import click

from fedcloud_agent import __version__, clock, outcome
from fedcloud_agent.cli.infosys.asking import offer_of, site_of
from fedcloud_agent.cli.opening import chosen_clouds
from fedcloud_agent.cli.output import print_json, print_table
from fedcloud_agent.clouds.offer_file import NamedOffer
from fedcloud_agent.clouds.offer_file import read as read_offers
from fedcloud_agent.config.configuration import Configuration
from fedcloud_agent.errors import AgentError, ConfigurationError
from fedcloud_agent.infosys import documents, figures, picture
from fedcloud_agent.infosys.collection import Look, look, missed
from fedcloud_agent.infosys.differences import Step
from fedcloud_agent.infosys.downtimes import downtimes_of
from fedcloud_agent.infosys.gathering import Seen
from fedcloud_agent.infosys.in_place import Offered
from fedcloud_agent.infosys.kept import Kept
from fedcloud_agent.infosys.model import AgentState
from fedcloud_agent.infosys.picture import Picture, basis_of
from fedcloud_agent.infosys.publication import Files, Published, decide, publish
from fedcloud_agent.infosys.settings import InfosysSettings
from fedcloud_agent.infosys.sifting import without
from fedcloud_agent.outcome import Outcome


class Round:
    """Collected, then shown or published."""

    def __init__(
        self, configuration: Configuration, state: Path, accept: Sequence[str], offers: Optional[str] = None
    ) -> None:
        """``offers`` is a file that is read instead of asking the clouds."""
        self._configuration, self._state, self._accept = configuration, state, accept
        self._offers = offers
        self._settings = configuration.room(InfosysSettings)
        self.files = Files.below(state)
        self._before = picture.read(self.files.picture)
        self._looks: List[Look] = []
        self._undelivered: List[AgentError] = []
        self._picture: Picture
        self._now: Offered
        self._collected = 0.0
        self.done = Published()

    @property
    def failure(self) -> Optional[AgentError]:
        """The first failure of a cloud, or of a place for documents, if there was one."""
        of_clouds = (one.failure for one in self._looks if one.failure is not None)
        return next(chain(of_clouds, self._undelivered), None)

    @property
    def exit_code(self) -> int:
        """That of the first failure."""
        return 0 if self.failure is None else self.failure.exit_code

    def collect(self) -> None:
        """Ask every cloud. Raises the failure of the first when nothing good was ever seen of any."""
        begin, now = time.monotonic(), clock.now()
        configuration = self._configuration
        for name, ask in self._to_ask().items():
            try:
                told = ask()
            except AgentError as error:
                self._looks.append(missed(name, self._last(name), error))
                continue
            downtimes = downtimes_of(self._settings, name)
            offered = Seen(name, told.host, told.cloud_type, told.offer, downtimes=downtimes)
            accept = name in self._accept
            self._looks.append(look(offered, self._last(name), self._settings.largest_loss, accept=accept))
        for name, faults in configuration.disabled.items():
            fault = ConfigurationError(f"the cloud {name} is disabled: {faults[0]}")
            self._looks.append(missed(name, self._last(name), fault))
        for one in self._looks:
            if one.failure is not None:
                click.echo(f"fedcloud-agent: cloud {one.name}: {one.failure.message}", err=True)
        clouds = tuple(one.seen for one in self._looks if one.seen is not None)
        if not clouds and self.failure is not None:
            raise self.failure
        agent = _agent_state(self._state)
        site = site_of(configuration, clouds, now, agent)
        basis = basis_of(__version__, site.name, site.host, self._settings)
        self._picture = Picture(uuid.uuid4().hex, basis, now, clouds, agent)
        self._now = Offered(site, now)
        self._collected = time.monotonic() - begin

    def _last(self, name: str) -> Optional[Seen]:
        """Return what was last seen of a cloud, with the downtimes that are announced now."""
        seen = None if self._before is None else self._before.by_name.get(name)
        return None if seen is None else replace(seen, downtimes=downtimes_of(self._settings, name))

    def _to_ask(self) -> Dict[str, Callable[[], NamedOffer]]:
        if self._offers is None:
            if not self._configuration.disabled:
                chosen_clouds(self._configuration, [])  # that there is one
            return {name: partial(offer_of, entry) for name, entry in self._configuration.clouds.items()}
        return {one.name: partial(_itself, one) for one in read_offers(Path(self._offers))}

    def publish(self, *, verify: bool) -> None:
        """Bring the tree up to date, then keep what it was made from. Raises what publishing raises."""
        Kept(self.files.tree).put_aside_if_damaged()
        self.done = publish(self.files, self._stood(), self._now, self._picture.id, verify=verify)
        picture.write(self.files.picture, self._picture)
        figures.note(self.files, self.done, self._collected)
        for line in self.done.lines:
            click.echo(f"fedcloud-agent: {line}", err=True)
        site = without(self._now.site, self.done.aside)
        for name, place in self._settings.documents.items():
            for failure in documents.deliver(name, place, site, clock.now):
                click.echo(f"fedcloud-agent: documents {name}: {failure.message}", err=True)
                self._undelivered.append(failure)

    def _stood(self) -> Optional[Offered]:
        """Return what the tree that stands was made from, if that is known for certain."""
        before = self._before
        if before is None or before.basis != self._picture.basis:
            return None
        if Kept(self.files.tree).said().get("picture") != before.id:
            return None
        return Offered(site_of(self._configuration, before.clouds, before.now, before.agent), before.now)

    def preview(self, as_json: bool) -> None:
        """Show what would change."""
        step = decide(Kept(self.files.tree), self._stood(), self._now, self.done)
        if as_json:
            print_json({**self._document(), "changes": _changes(step)})
            return
        for line in self.done.lines:
            click.echo(f"fedcloud-agent: {line}", err=True)
        print_table(("what", "entry"), [(one["what"], one["dn"]) for one in _changes(step)])
        click.echo(f"would be: {self.sentence()}")

    def show(self, as_json: bool) -> None:
        """Tell what was done, if a person or program asked."""
        if as_json:
            print_json(self._document())

    def _document(self) -> Dict[str, object]:
        return {
            **self.counts(),
            "seconds": {name: round(value, 3) for name, value in self.done.seconds.items()},
            "aside": dict(self.done.aside),
            "clouds": {one.name: None if one.failure is None else one.failure.message for one in self._looks},
        }

    def sentence(self) -> str:
        """Say what was done."""
        done = self.done
        words = f"{done.entries} entries: {done.added} added, {done.modified} modified, {done.deleted} deleted"
        words += f", {done.renewed} renewed" if done.renewed else ""
        words += f", {done.repaired} repaired" if done.repaired else ""
        words += f", {len(done.aside)} set aside" if done.aside else ""
        words += ", the server was loaded anew" if done.loaded else ""
        stale = [one.name for one in self._looks if one.failure is not None]
        return words + (f"; the last good offer of {', '.join(stale)} stays" if stale else "")

    def counts(self) -> Dict[str, Union[int, float]]:
        """Return the counts by name."""
        done = self.done
        now = self._now.now
        return {
            "entries": done.entries,
            "added": done.added,
            "modified": done.modified,
            "deleted": done.deleted,
            "renewed": done.renewed,
            "repaired": done.repaired,
            "aside": len(done.aside),
            "age": max((now - one.seen.offer.as_of for one in self._looks if one.seen is not None), default=0),
        }


def _itself(one: NamedOffer) -> NamedOffer:
    return one


def _agent_state(state: Path) -> AgentState:
    """Return what the other loops left to tell of themselves."""
    sent, images = (_outcome_of(state, loop) for loop in ("accounting-send", "images"))
    waiting = None if sent is None else sent.figures.get("waiting_since")
    return AgentState(
        __version__,
        last_acknowledged=None if sent is None else sent.succeeded,
        oldest_waiting=None if waiting is None else int(waiting),
        last_image_sync=None if images is None else images.succeeded,
    )


def _outcome_of(state: Path, loop: str) -> Optional[Outcome]:
    try:
        return outcome.read(outcome.path_of(state, loop, None))
    except AgentError:
        return None  # 'status' reports a damaged one


def _changes(step: Step) -> List[Dict[str, str]]:
    words = {"Add": "add", "Modify": "modify", "Delete": "delete"}
    return [{"what": words[type(one).__name__], "dn": one.dn} for phase in step.phases for one in phase]
