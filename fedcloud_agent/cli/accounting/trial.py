"""A dry run: the whole way on a copy of the ledger."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Iterator, Sequence

import click

from fedcloud_agent.accounting.destinations import FileTransport
from fedcloud_agent.cli.accounting.extracting import extract_from
from fedcloud_agent.cli.accounting.report import Report, count
from fedcloud_agent.cli.accounting.sending import send_to
from fedcloud_agent.cli.accounting.words import note
from fedcloud_agent.cli.opening import state_of, store_of
from fedcloud_agent.config.configuration import CloudEntry, Configuration
from fedcloud_agent.durable import make_directory
from fedcloud_agent.errors import AgentError, UsageError
from fedcloud_agent.locks import held
from fedcloud_agent.store.engine import Store


def dry_run(
    configuration: Configuration, entries: Sequence[CloudEntry], accept_vanished: bool, file: Path, report: Report
) -> None:
    """Go the whole way on a copy of the ledger; what would leave ends in a file."""
    with store_of(configuration) as store, trial_of(store, state_of(configuration)) as trial:
        for entry in entries:
            try:
                done = extract_from(configuration, entry, trial, accept_vanished)
            except AgentError as error:
                report.errors.append(error)
                continue
            note(entry.name, done, report)
            report.errors.extend(done.failures)
        report.errors.extend(send_to(configuration, trial, (), FileTransport(file), report))
    messages = sum(one["messages"] for one in report.destinations.values())
    records = sum(one["records"] for one in report.destinations.values())
    click.echo(f"dry run: {count(messages, 'message')} with {count(records, 'record')} in {file}, none sent", err=True)


@contextlib.contextmanager
def trial_of(store: Store, state: Path) -> Iterator[Store]:
    """Open a copy of the store, which is gone afterwards; what a killed dry run left goes with the next one."""
    from fedcloud_agent.store.copies import copy
    from fedcloud_agent.store.opening import open_store

    if store.path is None:
        raise UsageError("--dry-run works on a copy of the embedded database, and store.url names another one")
    scratch = state / "dry-run"
    with held(state / "locks" / "dry-run.lock", "a dry run"):
        shutil.rmtree(scratch, ignore_errors=True)
        make_directory(scratch)
        try:
            copy(store.path, scratch / store.path.name)
            with contextlib.closing(open_store(scratch)) as trial:
                yield trial
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
