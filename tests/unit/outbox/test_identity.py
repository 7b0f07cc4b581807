from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fedcloud_agent.outbox.identity import is_id, new_id


def test_form_and_time() -> None:
    before = int(time.time())
    directory, name = new_id().split("/")
    second = int(name[:8], 16)
    assert before <= second <= int(time.time())
    assert int(directory, 16) == second - second % 60
    assert int(name[8:13], 16) < 1_000_000
    assert is_id(f"{directory}/{name}")


def test_each_is_greater_than_the_one_before() -> None:
    ids = [new_id() for _ in range(20_000)]
    assert ids == sorted(ids)
    assert len({id[:-1] for id in ids}) == len(ids)


def test_threads_get_different_ones() -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: new_id(), range(20_000)))
    assert len(set(ids)) == len(ids)


def test_processes_differ_in_their_free_digits() -> None:
    code = "from fedcloud_agent.outbox.identity import new_id; print([new_id()[-1] for _ in range(40)])"
    first, second = (subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30) for _ in "12")
    assert first.stdout != second.stdout


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5ba24c88",
        "5ba24c88/5ba24c8f0f129",
        "../../etc/passwd",
        "5BA24C88/5BA24C8F0F129D",
        "5ba24c88/5ba24c8f0f129d\n",
    ],
)
def test_other_texts_are_no_identities(text: str) -> None:
    assert not is_id(text)
    assert is_id("5ba24c88/5ba24c8f0f129d")
