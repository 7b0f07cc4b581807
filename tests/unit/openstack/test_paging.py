"""A list comes to its end, or it is none."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

import pytest

from fedcloud_agent.errors import RemoteDataError, UnreachableError
from fedcloud_plugins.openstack.paging import read_all

Pages = Dict[Optional[str], Tuple[List[int], Optional[str]]]


@pytest.mark.parametrize(
    ("pages", "rows"),
    [
        ({None: ([], None)}, []),
        ({None: ([1, 2], None)}, [1, 2]),
        ({None: ([1], "a"), "a": ([2], "b"), "b": ([], None)}, [1, 2]),
        # what follows an empty page is not lost
        ({None: ([1], "a"), "a": ([], "b"), "b": ([2], None)}, [1, 2]),
    ],
)
def test_every_page_is_read(pages: Pages, rows: List[int]) -> None:
    assert read_all(lambda marker: pages[marker], "cloud/list", 10) == rows


def test_a_circle_is_no_end() -> None:
    pages: Pages = {None: ([1], "a"), "a": ([2], "b"), "b": ([3], "a")}
    with pytest.raises(RemoteDataError, match="cloud/list pages in a circle: marker 'a'"):
        read_all(lambda marker: pages[marker], "cloud/list", 10)


def test_pages_without_end() -> None:
    asked: List[Optional[str]] = []

    def page(marker: Optional[str]) -> Tuple[List[int], Optional[str]]:
        asked.append(marker)
        return [1], f"{len(asked)}"

    with pytest.raises(RemoteDataError, match="cloud/list has no end"):
        read_all(page, "cloud/list", 10)
    assert len(asked) == 1001


def test_the_deadline_is_for_all_pages_together() -> None:
    with pytest.raises(UnreachableError, match="not read to its end in 0 s"):
        read_all(lambda marker: ([1], f"{marker}1"), "cloud/list", 0)
