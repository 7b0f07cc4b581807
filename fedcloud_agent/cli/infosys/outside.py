"""The tree as a Top-BDII reads it: at the public address, anonymously, whole, and within its limits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Iterator

import click

from fedcloud_agent.errors import RemoteDataError

if TYPE_CHECKING:
    from fedcloud_agent.config.configuration import Configuration
    from fedcloud_agent.infosys.entry import Entry

SECONDS = 30
"""A Top gives up on a source after so long."""
SIZE = 25_000_000
"""And when its LDIF has more bytes than this."""
_NEAR = 0.8


def read(configuration: Configuration) -> Iterator[Entry]:
    """Yield the site's entries, and tell on standard error what was read. Raises LdapError, RemoteDataError."""
    from fedcloud_agent.cli.infosys.reading import public_url, tree
    from fedcloud_agent.infosys import ldif

    url = public_url(configuration)
    address, _, base = url.rpartition("/")
    click.echo(f"to register in GOCDB as GIIS URL: {url}", err=True)
    begin, size, count = time.monotonic(), 0, 0
    for entry in tree(address, base, deadline=SECONDS):
        size += len(ldif.record(entry).encode("utf-8", "surrogateescape"))
        count += 1
        if size > SIZE:
            raise RemoteDataError(
                f"{url} has more than {SIZE // 1_000_000} MB of LDIF: a Top-BDII reads none of it",
                hint="publish fewer images: 'infosys.images: marketplace'",
            )
        yield entry
    seconds = time.monotonic() - begin
    click.echo(f"read {count} entries, {size / 1e6:.1f} MB, in {seconds:.1f} s", err=True)
    if size > _NEAR * SIZE or seconds > _NEAR * SECONDS:
        click.echo(f"warning: a Top-BDII stops at {SIZE // 1_000_000} MB or {SECONDS} s", err=True)
