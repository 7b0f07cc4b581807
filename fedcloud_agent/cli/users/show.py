"""``users show``: the accounts that are ours, and the lists that came."""

from __future__ import annotations

from typing import Tuple

import click

from fedcloud_agent.cli.context import Context
from fedcloud_agent.cli.users import options


@click.command()
@options.clouds
@options.json
@click.option("--lists", is_flag=True, help="Show the lists that Perun pushed instead.")
@click.pass_obj
def show(context: Context, clouds: Tuple[str, ...], as_json: bool, lists: bool) -> None:
    """Show the accounts that are or were ours, as our own books have them; no cloud is asked."""
    import dataclasses

    from fedcloud_agent.cli.opening import store_of
    from fedcloud_agent.cli.output import print_json, print_table
    from fedcloud_agent.cli.users.working import payloads_of
    from fedcloud_agent.clock import now, utc
    from fedcloud_agent.users.books import StoredBooks

    configuration = context.configuration
    names = clouds or tuple(configuration.clouds)
    with store_of(configuration) as store:
        if lists:
            payloads = payloads_of(configuration, store).all()
            if as_json:
                print_json([payload._asdict() for payload in payloads])
            else:
                columns = ("received", "facility", "service", "version", "run")
                print_table(
                    columns, [(utc(p.received), p.facility, p.service, p.version, p.run or "") for p in payloads]
                )
            return
        books = StoredBooks(store, "", now)
        rows = [row for name in names for row in books.rows(name)]
    if as_json:
        print_json([{**dataclasses.asdict(row), "mark": row.mark._asdict()} for row in rows])
        return
    print_table(
        ("cloud", "account", "id", "vo", "person", "uid", "facility", "state", "missing since"),
        [
            (
                *(row.cloud, row.name, row.account or "", row.vo, row.person, row.uid or "", row.facility, row.state),
                utc(row.missing_since) if row.missing_since is not None else "",
            )
            for row in sorted(rows, key=lambda row: (row.cloud, row.name))
        ],
    )
