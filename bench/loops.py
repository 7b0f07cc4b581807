"""Plain loops over one TLS socket: what a sender can do, and what the one before us does.

``python -m bench.loops KIND PORT QUEUE MESSAGES CERTIFICATE KEY CA DATABASE`` prints the seconds that it took to sign,
send and see acknowledged that many messages out of an agent's queue, which are in memory before it starts.
"""

from __future__ import annotations

import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from typing import Callable, Dict, List, Tuple

POLL = 0.01
"""Seconds between two looks of ssmsend whether the receipt has come."""
WINDOW = 64


def connect(port: int, certificate: str, key: str, ca: str, nodelay: bool) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(certificate, key)
    plain = socket.create_connection(("127.0.0.1", port), 30)
    if nodelay:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link = context.wrap_socket(plain, server_hostname="localhost")
    link.sendall(b"CONNECT\naccept-version:1.1\nhost:localhost\n\n\0")
    answer = link.recv(65536)
    assert answer.startswith(b"CONNECTED"), answer
    return link


def frame(queue: str, id: str, wire: bytes) -> bytes:
    head = f"SEND\ndestination:{queue}\nreceipt:{id}\nempa-id:{id}\npersistent:true\ncontent-length:{len(wire)}\n\n"
    return head.encode() + wire + b"\0"


def as_ssmsend(link: ssl.SSLSocket, queue: str, messages: List[Tuple[str, bytes]], certificate: str, key: str) -> None:
    """Sign by the openssl command, send, and look every POLL seconds whether another thread saw the receipt."""
    come = threading.Event()

    def listen() -> None:
        while True:
            try:
                data = link.recv(65536)
            except OSError:
                return
            if not data:
                return
            if b"\0" in data:
                come.set()

    threading.Thread(target=listen, daemon=True).start()
    command = ["openssl", "smime", "-sign", "-text", "-inkey", key, "-signer", certificate]
    for id, body in messages:
        wire = subprocess.run(command, input=body, stdout=subprocess.PIPE, check=True).stdout
        come.clear()
        link.sendall(frame(queue, id, wire))
        while not come.is_set():
            time.sleep(POLL)


def bare(link: ssl.SSLSocket, queue: str, messages: List[Tuple[str, bytes]], certificate: str, key: str) -> None:
    """Sign with a key that stays in memory, and keep up to WINDOW receipts open."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
    from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
    from cryptography.x509 import load_pem_x509_certificate

    with open(certificate, "rb") as file:
        signer = load_pem_x509_certificate(file.read())
    with open(key, "rb") as file:
        secret = load_pem_private_key(file.read(), None)
    options = [PKCS7Options.DetachedSignature, PKCS7Options.Text]
    waiting = 0

    def receive(block: bool) -> int:
        link.settimeout(60 if block else 0)
        try:
            data = link.recv(65536)
        except ssl.SSLWantReadError:
            return 0
        finally:
            link.settimeout(60)
        assert data, "the broker closed the connection"
        return data.count(b"\0")  # each receipt ends with one

    for id, body in messages:
        builder = PKCS7SignatureBuilder().set_data(body).add_signer(signer, secret, SHA256())  # type: ignore[arg-type]
        wire = builder.sign(Encoding.SMIME, options)
        link.sendall(frame(queue, id, wire))
        waiting += 1
        waiting -= receive(block=False)
        while waiting >= WINDOW:
            waiting -= receive(block=True)
    while waiting:
        waiting -= receive(block=True)


KINDS: Dict[str, Tuple[Callable[[ssl.SSLSocket, str, List[Tuple[str, bytes]], str, str], None], bool]] = {
    "ssmsend": (as_ssmsend, False),
    "bare": (bare, True),
}
"""Each loop, and whether its socket has TCP_NODELAY."""


def main(kind: str, port: str, queue: str, count: str, certificate: str, key: str, ca: str, database: str) -> None:
    stored = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    messages = stored.execute("SELECT id, body FROM message ORDER BY id LIMIT ?", (int(count),)).fetchall()
    assert len(messages) == int(count), len(messages)
    loop, nodelay = KINDS[kind]
    began = time.perf_counter()
    link = connect(int(port), certificate, key, ca, nodelay)
    loop(link, queue, messages, certificate, key)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(*sys.argv[1:9])
