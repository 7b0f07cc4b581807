"""What a machine adds to the closings of its months, and how shares add up."""

from __future__ import annotations

from typing import Optional

from fedcloud_agent.accounting import closings
from fedcloud_agent.accounting.closings import Closing, Row
from fedcloud_agent.store.engine import Store

CONTENT = "StartTime: 1000\nNetworkInbound: {}\nNetworkOutbound: 3\nMemory: 2048\nDisk: 20\n"


def row(month: int, wall: int, cpus: str, network: int, published: Optional[str] = None) -> Row:
    keys = f"SITE\tservice\tuser\t/vo.old/Role=NULL\tstarted\timage\t{cpus}\t\t"
    return Row("central", month, wall, 2 * wall, CONTENT.format(network), keys, published)


def test_a_share_is_what_grew_since_the_month_before() -> None:
    first, second = closings.shares("central", "main", "vo.new", [row(10, 100, "2", 5), row(11, 150, "1.5", 7)])
    assert first == Closing(
        "central", "main", "SITE", "vo.new", "/vo.old/Role=NULL", 10,
        machines=1, wall=100, processors=200_000, cpu=200, cpu_count=2000, network_in=5, network_out=3,
        memory=2048, disk=20, earliest_start=1000, latest_start=1000,
    )  # fmt: skip
    assert second == first._replace(
        month=11, wall=50, processors=75_000, cpu=100, cpu_count=1500, network_in=2, network_out=0
    )


def test_what_was_published_counts_and_not_what_came_after() -> None:
    (share,) = closings.shares("c", "m", "vo", [row(10, 100, "8", 0, published="PUBLISHED\t\t\tvo\tstarted\t\t2\t\t")])
    assert (share.site, share.fqan, share.processors) == ("PUBLISHED", "vo", 200_000)


def test_shares_add_up_in_one_transaction_and_over_several(store: Store) -> None:
    shares = list(closings.shares("central", "main", "vo", [row(10, 100, "2", 5), row(11, 150, "2", 7)]))
    with store.write() as connection:
        closings.add(connection, [*shares, shares[0]])
    with store.write() as connection:
        closings.add(connection, [share._replace(earliest_start=500, latest_start=500) for share in shares])
        found = list(closings.between(connection))
        assert list(closings.between(connection, 11)) == list(closings.between(connection, 11, 11)) == found[1:]
    assert [(one.month, one.machines, one.wall, one.processors, one.cpu_count) for one in found] == [
        (10, 3, 300, 600_000, 6000),
        (11, 2, 100, 200_000, 4000),
    ]
    assert {(one.earliest_start, one.latest_start) for one in found} == {(500, 1000)}
