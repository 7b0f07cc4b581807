"""The central receiver takes and refuses signatures as the real one does, in the five commands and in the quick way."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Callable, List, Optional

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs7

from tests.federation.authority import Authority, Credential
from tests.federation.central import Repository
from tests.federation.central.intake import take
from tests.federation.central.receiver import Receiver, ReceiverDiedError, UnverifiedError
from tests.federation.central.signature import first_certificate
from tests.federation.central.writing import message, record

BODY = message(record(RecordCreateTime=1770854400, MachineName="with a colon: and more"))
UNVERIFIED = "Failed to verify message: Unverified signer"
NO_BLANK_LINE = "Failed to verify message: No blank line between message header and body"


def openssl(text: str, *arguments: object) -> str:
    """Run openssl on a text; bytes in and out, so that line ends travel as they are."""
    command = ["openssl", *map(str, arguments)]
    ended = subprocess.run(command, input=text.encode("latin-1"), capture_output=True, check=True, timeout=60)
    return ended.stdout.decode("latin-1")


class Site:
    """A site that signs, and the centre that trusts its CA and knows its DN."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = Authority(directory / "ca")
        self.host = self.authority.host("site.example.org")
        self.elliptic = self.authority.host("curve.example.org", elliptic=True)
        self.unknown = self.authority.host("unknown.example.org", elliptic=True)
        self.expired = self.authority.host("expired.example.org", valid=(-2 * 86400, -86400), elliptic=True)
        self.foreign = Authority(directory / "other", "Foreign CA").host("site.example.org")
        self.centre = self.authority.host("central.example.org")
        self.dns = directory / "dns"
        known = (self.host, self.elliptic, self.expired)
        self.dns.write_text("# the sites\n\n" + "".join(f"  {one.dn} \n" for one in known) + "not a DN\n")

    def receiver(self, quick: bool, anchors: Optional[Path] = None) -> Receiver:
        """Return a receiver of the centre."""
        capath = anchors or self.authority.anchors
        return Receiver(capath, self.dns, self.centre.certificate, self.centre.key, quick=quick)

    def signed(
        self, *options: object, by: Optional[Credential] = None, command: str = "smime", body: str = BODY
    ) -> str:
        """Return a body signed by the openssl command."""
        host = by or self.host
        return openssl(body, command, "-sign", "-inkey", host.key, "-signer", host.certificate, *options)

    def built(self, *options: pkcs7.PKCS7Options, ca: bool = False, body: str = BODY) -> str:
        """Return a body signed in this process."""
        certificate = x509.load_pem_x509_certificate(self.host.certificate.read_bytes())
        key = load_pem_private_key(self.host.key.read_bytes(), None)
        builder = pkcs7.PKCS7SignatureBuilder().set_data(body.encode())
        builder = builder.add_signer(certificate, key, hashes.SHA256())  # type: ignore[arg-type]
        if ca:
            builder = builder.add_certificate(x509.load_pem_x509_certificate(self.authority.certificate.read_bytes()))
        return builder.sign(Encoding.SMIME, list(options)).decode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


@pytest.fixture(params=[False, True], ids=["five-commands", "quick"])
def receiver(request: pytest.FixtureRequest, site: Site) -> Receiver:
    return site.receiver(request.param)


def lf(text: str) -> str:
    return text.replace("\r\n", "\n")


def crlf(text: str) -> str:
    return lf(text).replace("\n", "\r\n")


DETACHED, TEXT = pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Text
TAKEN: List[Callable[[Site], str]] = [
    lambda site: site.signed("-text"),
    lambda site: lf(site.signed("-text")),
    lambda site: crlf(site.signed("-text")),
    lambda site: site.signed("-text", "-crlfeol"),
    lambda site: site.signed("-text", command="cms"),
    lambda site: site.signed("-text", "-md", "sha512"),
    lambda site: site.signed("-text", "-md", "sha1"),
    lambda site: site.signed("-text", body=BODY.rstrip("\n")),
    lambda site: site.signed("-text", body=crlf(BODY)),
    lambda site: site.built(DETACHED, TEXT),
    lambda site: lf(site.built(DETACHED, TEXT)),
    lambda site: crlf(site.built(DETACHED, TEXT)),
    lambda site: site.built(DETACHED, TEXT, pkcs7.PKCS7Options.NoCapabilities),
]


@pytest.mark.parametrize("form", TAKEN)
def test_detached_signature_with_text_header_is_taken(
    site: Site, receiver: Receiver, form: Callable[[Site], str]
) -> None:
    verified = receiver.verify(form(site))
    assert verified.signer == "/DC=org/DC=example/CN=site.example.org"
    assert verified.body == BODY.rstrip("\n")


def test_elliptic_key_is_taken(site: Site, receiver: Receiver) -> None:
    assert receiver.verify(site.signed("-text", by=site.elliptic)).signer == site.elliptic.dn


@pytest.mark.parametrize("cipher", ["-aes128", "-aes256"])
def test_message_encrypted_after_signing_is_taken(site: Site, receiver: Receiver, cipher: str) -> None:
    sealed = openssl(site.signed("-text"), "smime", "-encrypt", cipher, site.centre.certificate)
    assert receiver.verify(sealed).body == BODY.rstrip("\n")


def test_message_encrypted_for_another_is_refused(site: Site, receiver: Receiver) -> None:
    sealed = openssl(site.signed("-text"), "smime", "-encrypt", "-aes128", site.host.certificate)
    with pytest.raises(UnverifiedError, match=UNVERIFIED):
        receiver.verify(sealed)


def test_trailing_blanks_of_values_travel(site: Site, receiver: Receiver) -> None:
    body = BODY.replace("started", "started  ")
    assert "Status: started  \n" in receiver.verify(site.signed("-text", body=body)).body


def handmade(site: Site, encoding: str, content: str) -> str:
    """Return a message whose text part declares a transfer encoding of its own."""
    part = f"Content-Type: text/plain\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{content}"
    return site.signed(body=part)


def test_quoted_printable_and_8bit_are_taken(site: Site, receiver: Receiver) -> None:
    quoted = handmade(site, "quoted-printable", BODY.replace("=", "=3D").replace("vm-1", "vm=2D1"))
    assert receiver.verify(quoted).body == BODY.rstrip("\n")
    assert receiver.verify(handmade(site, "8bit", BODY)).body == BODY.rstrip("\n")


def test_base64_kills_the_receiver(site: Site, receiver: Receiver) -> None:
    with pytest.raises(ReceiverDiedError):
        receiver.verify(handmade(site, "base64", base64.encodebytes(BODY.encode()).decode()))


def test_bytes_that_are_not_ascii_kill_the_receiver(site: Site, receiver: Receiver) -> None:
    signed = site.signed("-text", body=BODY.replace("vm-1", "caf\u00e9"))
    with pytest.raises(ReceiverDiedError):
        receiver.verify(signed.encode("latin-1"))


REFUSED: List[Callable[[Site], str]] = [
    lambda site: site.signed(),
    lambda site: site.signed("-binary"),
    lambda site: site.built(DETACHED),
]


@pytest.mark.parametrize("form", REFUSED)
def test_body_without_text_header_is_refused(site: Site, receiver: Receiver, form: Callable[[Site], str]) -> None:
    with pytest.raises(UnverifiedError, match=NO_BLANK_LINE):
        receiver.verify(form(site))


NO_SIGNER: List[Callable[[Site], str]] = [
    lambda site: site.signed("-text", "-nodetach"),
    lambda site: site.signed("-text", "-nocerts"),
    lambda site: site.signed("-text", by=site.foreign),
    lambda site: site.signed("-text", by=site.expired),
    lambda site: site.signed("-text", body=BODY.replace("with a colon", "application/pkcs7-mime")),
    lambda site: site.signed("-text", body=BODY.replace("with a colon", "application/x-pkcs7-mime")),
    lambda site: BODY,
    lambda site: "\n",
]


@pytest.mark.parametrize("form", NO_SIGNER)
def test_signer_that_cannot_be_verified_is_refused(site: Site, receiver: Receiver, form: Callable[[Site], str]) -> None:
    with pytest.raises(UnverifiedError, match=UNVERIFIED) as refusal:
        receiver.verify(form(site))
    assert refusal.value.signer is None


def test_empty_message_is_refused(receiver: Receiver) -> None:
    with pytest.raises(UnverifiedError, match="Empty text"):
        receiver.verify("")


def test_tampered_message_is_refused(site: Site, receiver: Receiver) -> None:
    signed = site.signed("-text")
    broken = signed.replace("EXAMPLE-SITE", "EXAMPLE-CITE")
    assert broken != signed
    with pytest.raises(UnverifiedError, match="Possible tampering"):
        receiver.verify(broken)


CA_INCLUDED: List[Callable[[Site], str]] = [
    lambda site: site.signed("-text", "-certfile", site.authority.certificate),
    lambda site: site.built(DETACHED, TEXT, ca=True),
]


@pytest.mark.parametrize("form", CA_INCLUDED)
def test_ca_certificate_in_the_signature_passes_for_the_signer(
    site: Site, receiver: Receiver, form: Callable[[Site], str]
) -> None:
    with pytest.raises(UnverifiedError, match="Signer not in valid DNs list: .*CN=Throw-away CA") as refusal:
        receiver.verify(form(site))
    assert refusal.value.signer == site.authority.dn


def test_dn_that_is_not_listed_is_refused(site: Site, receiver: Receiver) -> None:
    with pytest.raises(UnverifiedError, match=f"Signer not in valid DNs list: {site.unknown.dn}"):
        receiver.verify(site.signed("-text", by=site.unknown))


@pytest.mark.parametrize("quick", [False, True])
def test_intermediate_must_be_among_the_trust_anchors(site: Site, tmp_path: Path, quick: bool) -> None:
    host = tmp_path / "host.pem", tmp_path / "host.key"
    middle = tmp_path / "middle.pem", tmp_path / "middle.key"
    root = tmp_path / "root.pem", tmp_path / "root.key"
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30")
    ca = ("-addext", "keyUsage=critical,keyCertSign")
    openssl("", *new, *ca, "-subj", "/DC=org/CN=Root", "-out", root[0], "-keyout", root[1])
    by_root = ("-CA", root[0], "-CAkey", root[1])
    openssl("", *new, *ca, *by_root, "-subj", "/DC=org/CN=Middle", "-out", middle[0], "-keyout", middle[1])
    plain = ("-addext", "basicConstraints=critical,CA:FALSE")
    by_middle = ("-CA", middle[0], "-CAkey", middle[1])
    subject = ("-subj", "/DC=org/DC=example/CN=site.example.org")
    openssl("", *new, *plain, *by_middle, *subject, "-out", host[0], "-keyout", host[1])
    signed = site.signed("-text", by=Credential(host[0], host[1], site.host.dn))
    anchors = tmp_path / "certificates"
    anchors.mkdir()
    (anchors / "root.pem").write_bytes(root[0].read_bytes())
    openssl("", "rehash", anchors)
    with pytest.raises(UnverifiedError, match=UNVERIFIED):
        site.receiver(quick, anchors).verify(signed)
    (anchors / "middle.pem").write_bytes(middle[0].read_bytes())
    openssl("", "rehash", anchors)
    assert site.receiver(quick, anchors).verify(signed).signer == site.host.dn


def test_quick_way_reads_the_usual_signatures_itself(site: Site) -> None:
    expected = site.host.certificate.read_text().strip()
    for form in TAKEN:
        assert (first_certificate(form(site)) or "").strip() == expected


@pytest.mark.parametrize("text", ["", "Content-Type: application/x-pkcs7-signature\n\n!", "a\n\nb"])
def test_quick_way_leaves_to_the_commands_what_it_cannot_read(text: str) -> None:
    assert first_certificate(text) is None


# ---- from delivery to rows


def test_delivery_is_verified_loaded_and_noted(site: Site, receiver: Receiver) -> None:
    with Repository() as repository:
        noted = take(repository, receiver, "id-1", site.signed("-text"), 12.5)
        assert (noted.outcome, noted.records, noted.signer, noted.received) == ("accepted", 1, site.host.dn, 12.5)
        assert noted.body_sha256 is not None
        assert repository.messages() == [noted]
        (row,) = repository.records()
        assert (row.machine, row.publisher) == ("with a colon: and more", site.host.dn)


def test_ping_is_ignored_whatever_it_holds(receiver: Receiver) -> None:
    with Repository() as repository:
        assert take(repository, receiver, "ping", "not signed", 1.0).outcome == "ping"
        assert take(repository, receiver, "ping", "", 2.0).outcome == "ping"
        assert repository.records() == []
        assert repository.two_faced() == []


def test_message_without_records_is_accepted_and_changes_nothing(site: Site, receiver: Receiver) -> None:
    with Repository() as repository:
        noted = take(repository, receiver, "id-1", site.signed("-text", body="APEL-cloud-message: v0.4\n"), 1.0)
        assert (noted.outcome, noted.records) == ("accepted", 0)
        assert repository.records() == []


def test_refusals_are_noted_with_their_reason(site: Site, receiver: Receiver) -> None:
    with Repository() as repository:
        take(repository, receiver, "a", site.signed("-text", by=site.unknown), 1.0)
        take(repository, receiver, "b", site.signed("-text", body=BODY.replace("Status", "Colour")), 2.0)
        first, second = repository.rejects()
        assert (first.signer, first.body_sha256) == (site.unknown.dn, None)
        assert (second.reason, second.records) == ("Unknown field: Colour", 0)
        assert second.body_sha256 is not None


def test_message_that_kills_the_receiver_is_noted_as_lost(site: Site, receiver: Receiver) -> None:
    with Repository() as repository:
        with pytest.raises(ReceiverDiedError):
            take(repository, receiver, "a", handmade(site, "base64", "QQ=="), 1.0)
        assert [noted.empa_id for noted in repository.messages("lost")] == ["a"]


def test_identity_with_two_contents_is_found(site: Site, receiver: Receiver) -> None:
    with Repository() as repository:
        take(repository, receiver, "a", site.signed("-text"), 1.0)
        take(repository, receiver, "a", site.built(DETACHED, TEXT), 2.0)
        assert repository.two_faced() == []
        take(repository, receiver, "a", site.signed("-text", body=BODY.replace("vm-1", "vm-2")), 3.0)
        assert repository.two_faced() == ["a"]
