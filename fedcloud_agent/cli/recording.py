"""``fedcloud-agent clouds record``: a recording of a cloud's answers, looked into and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List, Optional, Set

import click

from fedcloud_agent.cli.context import Context

if TYPE_CHECKING:
    from pathlib import Path

    from fedcloud_agent.clouds.harmless import Harmless
    from fedcloud_agent.recording.making import Recorded

_DEFAULT_SINCE = "32d"


@click.command()
@click.argument("name", required=False)
@click.option("--to", "target", type=click.Path(), metavar="FILE", help="The new file, such as report.tar.gz.")
@click.option("--full", is_flag=True, help="Also every machine that ever ended, as far as the cloud remembers.")
@click.option(
    "--since", metavar="DURATION", help=f"Also the machines that ended in this time. Default: {_DEFAULT_SINCE}."
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Stop after the page that brings machine N.")
@click.option("--shift-time", is_flag=True, help="Move all times by some weeks into the past; months are then others.")
@click.option("--show", type=click.Path(), metavar="FILE", help="List what is in a recording.")
@click.option("--check", type=click.Path(), metavar="FILE", help="Search a recording for what should not be in it.")
@click.pass_obj
def record(
    context: Context,
    name: Optional[str],
    target: Optional[str],
    full: bool,
    since: Optional[str],
    limit: Optional[int],
    shift_time: bool,
    show: Optional[str],
    check: Optional[str],
) -> None:
    """Record what a cloud answers, anonymised, for a report of a bug that developers can replay.

    The cloud NAME is read as for accounting, but nothing is written into the ledger. Names, ids, addresses, secrets and
    all else that the plugin does not declare harmless are replaced by pseudonyms of the same shape. Look into the file
    with --show and search it with --check before you send it to anyone. With NAME, --check also searches for the words
    of that cloud's configuration; without, for those of all clouds.
    """
    from pathlib import Path

    from fedcloud_agent.errors import UsageError

    asked = [one for one in (target, show, check) if one is not None]
    if len(asked) != 1:
        raise UsageError("give one of --to, --show and --check", hint="fedcloud-agent clouds record NAME --to FILE")
    if target is None and (full or since or limit or shift_time):
        raise UsageError("--full, --since, --limit and --shift-time are for a new recording: they need --to")
    if full and since:
        raise UsageError("--full or --since: one of them says which machines that ended are read")
    if show is not None:
        _show(Path(show))
    elif check is not None:
        _check(context, name, Path(check))
    else:
        if name is None:
            raise UsageError("which cloud? Give its NAME", hint="'fedcloud-agent clouds' lists those configured")
        _record(context, name, Path(str(target)), None if full else _instant(since), limit, shift_time)


def _instant(since: Optional[str]) -> int:
    from fedcloud_agent.clock import now
    from fedcloud_agent.errors import UsageError
    from fedcloud_agent.settings import Duration

    kind = Duration(minimum=1)
    try:
        return now() - kind.parse(since or _DEFAULT_SINCE)
    except ValueError:
        raise UsageError(f"--since {since}: expected {kind.expects}") from None


def _record(
    context: Context, name: str, target: Path, since: Optional[int], limit: Optional[int], shift_time: bool
) -> None:
    from fedcloud_agent.cli.opening import cloud_of
    from fedcloud_agent.cli.progress import progress
    from fedcloud_agent.clock import now
    from fedcloud_agent.clouds.contract import UsageFacet
    from fedcloud_agent.recording.making import Wish, record

    entry = context.configuration.cloud(name)
    with cloud_of(entry, UsageFacet) as cloud, progress(f"machines of {name}") as bar:
        wish = Wish(since, limit, shift_time)
        done = record(cloud, entry.type, _table(entry.type), target, wish, now(), bar)
    _tell(done, target)


def _tell(done: Recorded, target: Path) -> None:
    reading = done.reading
    click.echo(f"{done.exchanges} exchanges and {reading.machines} machines recorded in {target}")
    if reading.stopped:
        click.echo("it ends at the limit")
    for error in reading.errors:
        click.echo(f"what went wrong is recorded too: {type(error).__name__}: {error}")
    click.echo(
        "\nBefore you send it to anyone:\n"
        f"  fedcloud-agent clouds record --check {target}\n"
        f"  fedcloud-agent clouds record --show {target}\n"
        f"and read some of it: tar -xOf {target} 000001.json. Times, sizes, states and counts are as they are at your "
        "site."
    )


def _table(type_: str) -> Any:
    from fedcloud_agent.clouds.loading import settings_tables

    return settings_tables()[0].get(type_)


def _show(path: Path) -> None:
    from fedcloud_agent.cli.output import print_json, print_table
    from fedcloud_agent.recording.archive import exchanges, manifest_of

    manifest = manifest_of(path)
    print_json({key: value for key, value in manifest.items() if key != "kept"})
    rows: List[List[str]] = []
    for exchange, body in exchanges(path):
        size = sum(len(piece) for piece in iter(lambda: body.read(65536), b""))  # noqa: B023 -- read before the next
        outcome = str(exchange.status or "") + (f" {exchange.failure}" if exchange.failure else "")
        rows.append([f"{exchange.number:06d}", exchange.method, exchange.url, outcome.strip(), str(size)])
    print_table(["number", "method", "URL", "answer", "bytes"], rows)


def _check(context: Context, name: Optional[str], path: Path) -> None:
    from pathlib import Path

    from fedcloud_agent.errors import ConfigurationError, RemoteDataError
    from fedcloud_agent.recording.archive import manifest_of
    from fedcloud_agent.recording.checking import check
    from fedcloud_agent.recording.configured import SECRET, restored

    manifest = manifest_of(path)
    table = _table(str(manifest.get("type")))
    if table is None:
        raise ConfigurationError(f"{path} is of a cloud of type {manifest.get('type')}, for which no plugin is here")
    try:
        settings = restored(table, manifest["settings"], {}, Path(SECRET))
    except (KeyError, TypeError, ValueError) as error:
        raise RemoteDataError(f"{path}: its settings cannot be read: {error}") from error
    findings = check(path, manifest, _harmless(manifest["type"], settings), table, _own_words(context, name))
    for finding in findings:
        click.echo(f"{finding.file}: {finding.text!r}: {finding.reason}")
    if findings:
        raise RemoteDataError(
            f"{path} has {len(findings)} texts that are not anonymised",
            hint="do not send it; tell the developers in which file and under which key such a text stands",
        )
    click.echo(f"{path}: nothing found that is not a pseudonym or harmless by itself")


def _harmless(type_: str, settings: Any) -> Harmless:
    from fedcloud_agent.clouds.loading import open_cloud
    from fedcloud_agent.recording.making import harmless_of

    cloud = open_cloud(type_, "recording", settings)
    try:
        return harmless_of(cloud)
    finally:
        cloud.close()


def _own_words(context: Context, name: Optional[str]) -> Set[str]:
    """Return what the configuration of this site says; without one, only the shape of texts can be judged."""
    import socket

    from fedcloud_agent.errors import AgentError
    from fedcloud_agent.recording.configured import own_words, secrets_of
    from fedcloud_agent.site.settings import SiteSettings

    words = {socket.gethostname(), socket.getfqdn()}
    try:
        configuration = context.configuration
        entries = [configuration.cloud(name)] if name else list(configuration.clouds.values())
    except AgentError as error:
        if name:
            raise
        click.echo(f"no configuration to compare with: {error.message}", err=True)
        return words
    words.add(configuration.room(SiteSettings).name)
    for entry in entries:
        words |= own_words(type(entry.settings), entry.settings, _harmless(entry.type, entry.settings))
        try:
            words.update(secrets_of(type(entry.settings), entry.settings))
        except AgentError as error:
            click.echo(f"a secret of {entry.name} is not searched for: {error.message}", err=True)
    return words
