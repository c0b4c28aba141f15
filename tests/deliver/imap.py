"""A mail server that speaks as much IMAP as the reports need, on loopback; it can misbehave."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class ImapServer:
    """What it was told, and what it has."""

    USER, PASSWORD = "bounces@paper.example", 'p@ss/w"rd'

    def __init__(self, mails: Mapping[int, bytes], folder: Path) -> None:
        self.mails = dict(mails)
        self.seen: set[int] = set()
        self.vanished: set[int] = set()
        self.fault = ""
        self.folder = ""
        self.named = self.encrypted = False
        self.own, self.trusted = _certificate(folder)
        self.ports: dict[str, int] = {}

    def url(self, scheme: str) -> str:
        port = self.ports["imaps" if scheme == "imaps" else "imap"]
        return f"{scheme}://bounces%40paper.example:p%40ss%2Fw%22rd@127.0.0.1:{port}/Bounces%20in%20town"

    def answer(self, tag: str, command: str, rest: str, talk: _Talk) -> None:
        """Say what a server says."""
        done = f"{tag} OK done"
        if self.fault == "babble" and command == "LOGIN":
            talk.say("* * * (((", "nonsense")
        elif command == "LOGIN" and self.fault == "login":
            talk.say(f"{tag} NO no such user")
        elif command == "SELECT" and self.fault == "select":
            talk.say(f"{tag} NO no such folder")
        elif command == "CAPABILITY":
            talk.say("* CAPABILITY IMAP4REV1 STARTTLS ID", done)
        elif command == "STARTTLS":
            talk.say(done)
            talk.encrypt()
        elif command == "ID":
            self.named = '"name"' in rest
            talk.say("* ID NIL", done)
        elif command == "SELECT":
            self.folder = rest.strip('"')
            talk.say(f"* {len(self.mails)} EXISTS", f"{tag} OK [READ-WRITE] done")
        elif command == "UID":
            self._by_uid(tag, rest, talk)
        else:
            talk.say(*(["* BYE"] if command == "LOGOUT" else []), done)

    def _by_uid(self, tag: str, rest: str, talk: _Talk) -> None:
        command, _, rest = rest.partition(" ")
        if command == "SEARCH":
            talk.say(f"* SEARCH {' '.join(str(n) for n in self.mails if n not in self.seen)}")
        elif command == "FETCH" and self.fault == "fetch":
            talk.say(f"{tag} NO busy")
            return
        elif command == "FETCH" and self.fault == "drop":
            talk.close()
            return
        elif command == "FETCH":
            uid, most = re.findall(r"\d+", rest)[0], int(re.findall(r"\d+", rest)[-1])
            body = self.mails[int(uid)][:most]
            if int(uid) not in self.vanished:
                talk.say(f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(body)}}}")
                talk.raw(body + b")\r\n")
        elif command == "STORE":
            self.seen.add(int(rest.split()[0]))
        talk.say(f"{tag} OK done")


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        self.state: ImapServer = server.state
        if server.encrypted:
            self.encrypt()
        with suppress(OSError, ValueError):
            self.say("* OK ready")
            while line := self.rfile.readline().decode().strip():
                tag, command, *rest = line.split(" ", 2)
                self.state.answer(tag, command.upper(), "".join(rest), self)

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()
        self.connection.close()  # the encrypted one is not the one that was accepted

    def say(self, *lines: str) -> None:
        self.raw("".join(f"{line}\r\n" for line in lines).encode())

    def raw(self, octets: bytes) -> None:
        self.wfile.write(octets)

    def encrypt(self) -> None:
        with suppress(OSError):  # who does not trust us hangs up
            self.connection = self.state.own.wrap_socket(self.connection, server_side=True)
            self.state.encrypted = True
        self.setup_files()

    def setup_files(self) -> None:
        self.rfile = self.connection.makefile("rb")
        self.wfile = socketserver._SocketWriter(self.connection)  # type: ignore[attr-defined]  # what setup() uses

    def close(self) -> None:
        self.connection.shutdown(2)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, state: ImapServer, *, encrypted: bool) -> None:
        self.state, self.encrypted = state, encrypted
        super().__init__(("127.0.0.1", 0), _Talk)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no fault of the test."""


@contextmanager
def imap_server(mails: Mapping[int, bytes], folder: Path) -> Iterator[ImapServer]:
    """A server with these mails by UID, on two ports; its certificate lies in `folder`."""
    state = ImapServer(mails, folder)
    with _Server(state, encrypted=False) as plain, _Server(state, encrypted=True) as tls:
        for name, server in (("imap", plain), ("imaps", tls)):
            state.ports[name] = server.server_address[1]
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield state
        finally:
            plain.shutdown()
            tls.shutdown()


def _certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "paper.example")])
    now = datetime.now(UTC)  # noqa: TID251  # OpenSSL asks the real clock
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(file)
    trusted = ssl.create_default_context()
    trusted.load_verify_locations(cadata=made.public_bytes(serialization.Encoding.PEM).decode())
    return own, trusted
