"""``accounting show``: the ledger by month and VO, and what was set aside."""

from __future__ import annotations

from typing import Optional

import click

from fedcloud_agent.cli.accounting import options
from fedcloud_agent.cli.context import Context


@click.command()
@options.first
@options.last
@click.option("--rejected", is_flag=True, help="Records and messages that were set aside, and why.")
@options.json
@click.pass_obj
def show(context: Context, first: Optional[str], last: Optional[str], rejected: bool, as_json: bool) -> None:
    """Show the ledger: usage by month and VO, and how far its records got."""
    from collections import Counter

    from fedcloud_agent.accounting import report
    from fedcloud_agent.accounting.packing import refused_message
    from fedcloud_agent.cli.opening import store_of
    from fedcloud_agent.cli.output import print_json, print_table
    from fedcloud_agent.outbox import queue

    begin, end = options.month(first), options.month(last)
    with store_of(context.configuration) as store, store.read() as connection:
        if rejected:
            records, messages = report.rejected(connection), queue.quarantined(connection)
            notes = report.notes(connection)
            left = Counter(refused_message(one.reason) for one in records)
            if as_json:
                print_json(
                    {
                        "records": [one._asdict() for one in records],
                        "messages": [{**one._asdict(), "set_aside": left[one.id]} for one in messages],
                        "notes": [one._asdict() for one in notes],
                    }
                )
                return
            print_table(
                ("destination", "cloud", "machine", "name", "VO", "month", "reason"),
                [(r.destination, r.cloud, r.uuid, r.name, r.vo, r.month, r.reason) for r in records],
            )
            for message in messages:
                still = f"{left[message.id]} of its {message.records} records are set aside"
                if not left[message.id]:
                    still = "none of its records is set aside any more"
                click.echo(f"message {message.id} to {message.destination} was refused: {message.reason} ({still})")
            for note in notes:
                click.echo(f"machine {note.uuid} ({note.name}) of cloud {note.cloud}: {note.note}")
            if records or messages:
                click.echo(
                    "When the reason is mended: 'fedcloud-agent accounting release' with --vm VMUUID, --message ID or "
                    "--all"
                )
            return
        months = report.months(connection, begin, end)
    if as_json:
        print_json([one._asdict() for one in months])
        return
    print_table(
        ("destination", "cloud", "month", "VO", "machines", "wall h", "cpu h", "acknowledged", "waiting", "set aside"),
        [
            (
                *(one.destination, one.cloud, one.month, one.vo, str(one.machines)),
                *(f"{one.wall / 3600:.2f}", f"{one.cpu / 3600:.2f}"),
                *(str(one.acknowledged), str(one.waiting), str(one.rejected)),
            )
            for one in months
        ],
    )
