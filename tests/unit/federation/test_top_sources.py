"""How a Top reads its list of sources, asks them, and takes their answers."""

from __future__ import annotations

import threading
import time
from typing import List, Tuple

import pytest

from tests.federation.top.cycles import Look
from tests.federation.top.sources import GRID, Source, as_top, base_of, pull_all, sources_in


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("GLUE2DomainID=SITE,o=glue", "GLUE2DomainID=SITE,o=glue"),
        ("GLUE2GroupID=resource,o=glue", "GLUE2GroupID=resource,o=glue"),
        ("o=glue", "o=glue"),
        ("mds-vo-name=SITE,o=grid", "GLUE2DomainId=SITE,o=glue"),
        ("Mds-Vo-Name=Site-1,o=grid", "GLUE2DomainId=Site-1,o=glue"),
        ("mds-vo-name=resource,o=grid", "GLUE2GroupID=resource,o=glue"),
    ],
)
def test_a_classic_base_is_translated_and_one_of_glue_is_not(written: str, asked: str) -> None:
    assert base_of(written) == asked


def test_the_list_of_sources_is_read_line_by_line() -> None:
    text = """# sites
    B-SITE  ldap://b.example.org:2170/mds-vo-name=B-SITE,o=grid  # comment

    A.SITE_1 ldap://[2001:db8::1]:2170/GLUE2DomainID=A.SITE_1,o=glue
    NO-PORT ldap://c.example.org/o=glue
    ODD:NAME ldap://d.example.org:2170/o=glue
    """
    sources, wrong = sources_in(text)
    assert sources == [
        Source("A.SITE_1", "ldap://[2001:db8::1]:2170", "GLUE2DomainID=A.SITE_1,o=glue"),
        Source("B-SITE", "ldap://b.example.org:2170", "GLUE2DomainId=B-SITE,o=glue"),
    ]
    assert len(wrong) == 2 and "NO-PORT" in wrong[0] and "ODD:NAME" in wrong[1]


def test_the_first_suffix_of_a_dn_is_replaced_wherever_it_stands() -> None:
    answer = (
        "dn: GLUE2ServiceID=one,GLUE2DomainID=SITE,\n o=glue\nGLUE2ServiceID: one\n a\n\n"
        "dn: GLUE2ServiceID=o=glue,GLUE2DomainID=SITE, O=GLUE\nobjectClass: GLUE2Service\n\n"
        "# a comment\n\n"
        "dn: GLUE2ServiceID=x,GLUE2DomainID=GRID,o=glue\nobjectClass: GLUE2Service\n\n"
        "dn:: YmFzZTY0\nobjectClass: GLUE2Service\n"
    )
    assert as_top(answer) == (
        f"dn: GLUE2ServiceID=one,GLUE2DomainID=SITE,{GRID}\nGLUE2ServiceID: onea\n\n"
        f"dn: GLUE2ServiceID={GRID},GLUE2DomainID=SITE,O=GLUE\nobjectClass: GLUE2Service\n\n"
        "dn:: YmFzZTY0\nobjectClass: GLUE2Service\n\n"
    )


def test_ten_are_asked_at_once_and_ten_more_when_none_ends() -> None:
    gate, lock = threading.Event(), threading.Lock()
    begun: List[Tuple[str, float]] = []

    def pull(source: Source) -> Tuple[Look, str]:
        with lock:
            begun.append((source.name, time.monotonic()))
            if len(begun) == 25:
                gate.set()
        assert gate.wait(30)
        return Look(0, 0, 0.0, None), source.name

    sources = [Source(f"S{number:02}", "ldap://127.0.0.1:1", "o=glue") for number in range(25)]
    answers = pull_all(sources, pull, impatience=0.3)
    assert [text for _, text in answers.values()] == [source.name for source in sources]
    starts = sorted(instant - begun[0][1] for _, instant in begun)
    assert starts[9] < 0.3 <= starts[10] and starts[19] < 0.6 <= starts[20]
