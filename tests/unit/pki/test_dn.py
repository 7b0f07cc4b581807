from __future__ import annotations

import subprocess
from pathlib import Path
from typing import List

import pytest

from fedcloud_agent.pki.certificate import load_certificate
from tests.federation.authority import Authority


@pytest.mark.parametrize(
    "subject",
    [
        "/DC=org/DC=example/CN=host.example.org",
        "/C=DE/ST=Hessen/L=Darmstadt/O=Example/OU=Grid/CN=host.example.org/emailAddress=grid@example.org",
        "/DC=org/O=Gr\u00fcne Wiese/CN=J\u00e9r\u00f4me",
        "/C=NL/UID=4711/SN=Doe/GN=Jane/serialNumber=12/title=Dr/CN=Jane Doe, Dr.",
        "/street=Main 1/postalCode=64289/initials=JD/pseudonym=jd/dnQualifier=q/CN=x",
        "/DC=org/CN=robot/jobs.example.org",
    ],
)
def test_as_openssl_writes_it(subject: str, tmp_path: Path) -> None:
    certificate = tmp_path / "cert.pem"
    typed = subject.replace("robot/jobs", r"robot\/jobs")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(tmp_path / "key.pem"), "-utf8",
            "-subj", typed, "-out", str(certificate))  # fmt: skip
    printed = openssl("x509", "-in", str(certificate), "-noout", "-subject", "-nameopt", "compat")
    # some releases escape a slash inside a value; the federation's registries never did
    expected = printed.strip().partition("subject=")[2].replace(r"\/", "/")
    assert load_certificate(certificate).dn == expected


def test_of_a_host_certificate(authority: Authority) -> None:
    host = authority.host("host/cloud.example.org")
    assert load_certificate(host.certificate).dn == "/DC=org/DC=example/CN=host/cloud.example.org"


def openssl(*arguments: str) -> str:
    command: List[str] = ["openssl", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
