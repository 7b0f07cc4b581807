"""Signatures and envelopes, read by OpenSSL as the receiver does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.pki.certificate import load_certificate, load_credential
from fedcloud_agent.pki.smime import CIPHERS, UnfitError, encrypt, sign
from tests.federation.authority import Authority, Credential

BODY = b"APEL-cloud-message: v0.4\nVMUUID: vm-1\nMachineName: trailing blanks  \n%%\n"


@pytest.fixture(scope="module")
def receiver(authority: Authority) -> Credential:
    return authority.host("receiver.example.org")


@pytest.fixture(scope="module")
def elliptic(authority: Authority) -> Credential:
    return authority.host("elliptic.example.org", elliptic=True)


@pytest.mark.parametrize("signer", ["host", "elliptic"])
@pytest.mark.parametrize("line_end", ["as is", "LF", "CRLF"])
def test_the_receiver_verifies_what_was_signed(signer: str, line_end: str, request: pytest.FixtureRequest) -> None:
    credential = request.getfixturevalue(signer)
    text = sign(load_credential(credential.certificate, credential.key), BODY)
    plain = text.replace(b"\r\n", b"\n")
    travelled = {"as is": text, "LF": plain, "CRLF": plain.replace(b"\n", b"\r\n")}[line_end]
    result = openssl("smime", "-verify", "-noverify", text=travelled)
    assert b"Verification successful" in result.stderr
    head, _, body = result.stdout.replace(b"\r\n", b"\n").partition(b"\n\n")
    assert head == b"Content-Type: text/plain"
    assert body.rstrip(b"\n") == BODY.rstrip(b"\n")


def test_the_form_is_the_one_that_the_receiver_recognises(host: Credential) -> None:
    text = sign(load_credential(host.certificate, host.key), BODY)
    head, _, rest = text.replace(b"\r\n", b"\n").partition(b"\n\n")
    assert b'multipart/signed; protocol="application/x-pkcs7-signature"; micalg="sha-256"; boundary="' in head
    assert b"pkcs7-mime" not in text
    assert b"\nVMUUID: vm-1\n" in rest, "the text must be readable without decoding"
    opened = openssl("smime", "-pk7out", text=text)
    certificates = openssl("pkcs7", "-print_certs", text=opened.stdout).stdout
    assert certificates.count(b"BEGIN CERTIFICATE") == 1
    assert b"CN = host.example.org" in certificates


def test_a_changed_message_is_not_verified(host: Credential) -> None:
    text = sign(load_credential(host.certificate, host.key), BODY)
    result = openssl("smime", "-verify", "-noverify", text=text.replace(b"vm-1", b"vm-2"))
    assert result.returncode != 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        ("Jérôme".encode(), "not ASCII"),
        (b"a\0b", "not ASCII"),
        (b"x: application/pkcs7-mime", "'application/pkcs7-mime'"),
        (b"x: Application/X-PKCS7-MIME", "take it for encrypted"),
    ],
)
def test_what_the_receiver_could_not_read_is_not_signed(host: Credential, body: bytes, words: str) -> None:
    with pytest.raises(UnfitError, match=words):
        sign(load_credential(host.certificate, host.key), body)


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("size", [1, 15, 16, 70_000])
def test_only_the_receiver_reads_what_was_encrypted(
    receiver: Credential, host: Credential, cipher: str, size: int
) -> None:
    text = encrypt(b"x" * size, load_certificate(receiver.certificate), cipher)
    assert b"application/x-pkcs7-mime" in text
    decrypt = ("smime", "-decrypt", "-recip")
    opened = openssl(*decrypt, str(receiver.certificate), "-inkey", str(receiver.key), text=text)
    assert opened.stdout == b"x" * size
    assert openssl(*decrypt, str(host.certificate), "-inkey", str(host.key), text=text).stdout != b"x" * size
    structure = openssl("smime", "-pk7out", text=text).stdout
    assert f"aes-{cipher[3:]}-cbc".encode() in openssl("asn1parse", text=structure).stdout


def test_a_signed_message_comes_out_of_its_envelope_whole(receiver: Credential, host: Credential) -> None:
    signed = sign(load_credential(host.certificate, host.key), BODY)
    text = encrypt(signed, load_certificate(receiver.certificate))
    opened = openssl("smime", "-decrypt", "-recip", str(receiver.certificate), "-inkey", str(receiver.key), text=text)
    assert b"Verification successful" in openssl("smime", "-verify", "-noverify", text=opened.stdout).stderr


def test_no_envelope_for_an_elliptic_key(elliptic: Credential) -> None:
    with pytest.raises(ConfigurationError, match="no RSA key"):
        encrypt(b"x", load_certificate(elliptic.certificate))


def openssl(*arguments: str, text: bytes) -> subprocess.CompletedProcess[bytes]:
    command = ["openssl", *arguments]
    return subprocess.run(command, input=text, capture_output=True, timeout=30, check=False, cwd=Path("/"))
