"""Words that say nothing of a site, whatever cloud it runs."""

from __future__ import annotations

from typing import Dict

COMMON = frozenset(
    (
        "a aborting about account action active admin all allowed already also an and any api are argument as "
        "at attempt authenticated authentication authorization authorize authorized available back be because "
        "been before behind being below better between both but by call called can cannot cell class client "
        "code column conflict connect connected connection contact could couldn create created database date "
        "deadlock default deleted denied detail details did didn disabled do document does doesn doesn't "
        "domain don't down due element empty enough entity error errors exceeded exception exist existing "
        "exists expected expired failed failure file find flavor for forbidden found from gateway get given "
        "group has have header host html http id identity if image in incorrect index info instance internal "
        "invalid is isn't it its key lacks later leader length limit limited list listing lock locked log "
        "login long lost maintenance malformed manage marker match may message method methods missing more "
        "must name need needed network neither no none nor not nothing null number object of offset old on one "
        "only open operation or order other out over page parameter parse parser part password path perform "
        "performed perhaps permission please policy pool port possible project property provide provided proxy "
        "query quota range read refused reply request requested require required requires resource respond "
        "response retry right role running scope server servers service session set should size so some "
        "something started state status stop string supported syntax system temporarily tenant than that the "
        "their there this time timeout timed to token too traceback try type unable unauthorized unavailable "
        "unexpected unhandled unit unknown unsupported up update url use used user users using valid value "
        "values verify version virtual machine was were when which while will with within without wrong xml "
        "you your could couldn't user's"
    ).split()
)
"""English words as error messages have them, in lower case."""

HEADERS: Dict[str, str] = {
    **dict.fromkeys(
        (
            "accept", "accept-encoding", "accept-ranges", "age", "allow", "cache-control", "connection",
            "content-encoding", "content-language", "content-length", "content-type", "keep-alive",
            "openstack-api-version", "pragma", "retry-after", "transfer-encoding", "user-agent", "vary",
            "x-openstack-nova-api-version",
        ),
        "keep",
    ),
    **dict.fromkeys(
        (
            "authorization", "cookie", "proxy-authorization", "set-cookie", "x-auth-token", "x-service-token",
            "x-subject-token",
        ),
        "secret",
    ),
    **dict.fromkeys(("date", "expires", "last-modified"), "instant"),
    **dict.fromkeys(("location", "content-location", "link", "host"), "place"),
    **dict.fromkeys(
        (
            "server", "www-authenticate", "x-compute-request-id", "x-openstack-request-id", "x-request-id", "via",
            "etag", "content-disposition", "openstack-system-scope",
        ),
        "text",
    ),
}  # fmt: skip
"""The headers whose names stay, and what their values are: ``keep``, ``secret``, ``instant``, ``place`` or ``text``."""
