"""The JSON form on its way: a document for each cloud, into a directory or to a topic of the messaging service.

A document tells all there is at one moment, so that nothing waits in a queue: what could not be delivered is
superseded by what the next round makes.
"""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Callable, List, Union

from fedcloud_agent import durable
from fedcloud_agent.errors import AgentError, ConfigurationError, RemoteDataError
from fedcloud_agent.infosys import glue21
from fedcloud_agent.infosys.model import ComputeService, SiteOffer
from fedcloud_agent.infosys.settings import DocumentDirectory, DocumentTopic


def deliver(
    name: str, place: Union[DocumentDirectory, DocumentTopic], site: SiteOffer, clock: Callable[[], int]
) -> List[AgentError]:
    """Deliver the document of every cloud to one place; ``name`` is the place's own, below ``documents``.

    Returns why some were not delivered; one does not keep another from being so.
    """
    failures: List[AgentError] = []
    for service in site.compute:
        try:
            if isinstance(place, DocumentDirectory):
                _write(place, site, service)
            else:
                _publish(name, place, site, service, clock)
        except AgentError as error:
            failures.append(error)
    return failures


def _document(site: SiteOffer, service: ComputeService) -> bytes:
    return json.dumps(glue21.document(site, service), ensure_ascii=False).encode("utf-8")


def _write(place: DocumentDirectory, site: SiteOffer, service: ComputeService) -> None:
    # the names of clouds are those that the configuration allows: letters, digits, dots and dashes
    durable.write_whole(place.path / f"{service.name}.json", _document(site, service), mode=0o644)


def _publish(
    name: str, place: DocumentTopic, site: SiteOffer, service: ComputeService, clock: Callable[[], int]
) -> None:
    from dataclasses import replace

    from fedcloud_agent.outbox.topic import Topic
    from fedcloud_agent.pki.certificate import load_credential

    if "{gocdb_id}" in place.topic and service.gocdb_id is None:
        raise ConfigurationError(
            f"infosys.documents.{name} needs the GOCDB key of the cloud {service.name}",
            hint=f"set 'infosys.clouds.{service.name}.gocdb_id', or a 'topic' without {{gocdb_id}}",
        )
    topic = place.topic.format(site=site.name, cloud=service.name, gocdb_id=service.gocdb_id)
    certificate = load_credential(place.certificate, place.key).certificate
    certificate.check_validity(clock())
    data = base64.b64encode(_document(site, service)).decode("ascii")
    request = json.dumps({"messages": [{"attributes": {}, "data": data}]}).encode("ascii")
    with contextlib.closing(Topic(replace(place, topic=topic), certificate.dn, clock)) as door:
        outcome = door.publish(topic, request)
        if not outcome.acknowledged:
            raise RemoteDataError(f"{door.peer} refused the document of {service.name} for {topic}: {outcome.reason}")
