"""Mail goes out: over SMTP when a server is configured, else into a Maildir.

A mailer calls `hand` right before the one byte sequence that makes the server take the message
(the final dot of RFC 5321, §4.1.1.4), or before the file appears in the Maildir. Whoever keeps the
ledger commits there: a crash before it is repeated safely, a crash after it is not repeated.
"""

from __future__ import annotations

import hashlib
import os
import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from threading import Lock
from typing import Protocol
from urllib.parse import unquote, urlsplit

from syndicate.errors import DeliveryError, DoubtfulDeliveryError, SettingsError

Hand = Callable[[], bool]
"""Commits that the message is about to be handed over; False: somebody else has it, do not."""

TIMEOUT = 60.0  # seconds per answer; RFC 5321 §4.5.3.2 asks for minutes, a worker cannot wait so long
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}  # RFC 5321; RFC 6409; RFC 8314


class Mailer(Protocol):
    """Something that takes mail."""

    def send(self, message: EmailMessage, sender: str, recipient: str, hand: Hand) -> None:
        """Hand one message over.

        Raises DeliveryError when it was surely not taken, DoubtfulDeliveryError when nobody knows.
        """

    def close(self) -> None:
        """Say good-bye to the server; a later send connects again."""


def open_mailer(smtp_url: str, outbox: Path) -> Mailer:
    """The mailer that the settings ask for."""
    return SmtpMailer(smtp_url) if smtp_url else MaildirMailer(outbox)


class SmtpMailer:
    """One kept-alive SMTP connection, opened at the first message and after any fault.

    Jobs share it: a message is sent whole before another begins or the connection is closed.
    """

    def __init__(self, url: str) -> None:
        try:
            self._url = urlsplit(url)
            port = self._url.port or PORTS[self._url.scheme]
        except (KeyError, ValueError):  # without the address itself: a password may stand in it
            port = 0
        if not port or not self._url.hostname:
            raise SettingsError(
                "SYNDICATE_SMTP_URL: expected smtp://, smtp+starttls:// or smtps://host[:port]"
            )
        self._name = f"{self._url.hostname}:{port}"
        self._smtp: smtplib.SMTP | None = None
        self._in_use = Lock()

    def send(self, message: EmailMessage, sender: str, recipient: str, hand: Hand) -> None:
        """Hand one message to the server; see Mailer."""
        with self._in_use:
            self._send(_on_the_wire(message), sender, recipient, hand)

    def close(self) -> None:
        """QUIT; what the server answers no longer matters."""
        with self._in_use:
            if self._smtp is not None:
                with suppress(OSError, smtplib.SMTPException):
                    self._smtp.quit()
            self._smtp = None

    def _send(self, body: bytes, sender: str, recipient: str, hand: Hand) -> None:
        smtp = self._ready(sender, recipient, body)
        ours = False
        try:
            ours = hand()
        finally:
            if not ours:  # half a message lies on this connection: nothing else can be said on it
                self._drop()
        if not ours:
            return
        try:
            smtp.send(b".\r\n")
            code, reply = smtp.getreply()
        except (OSError, smtplib.SMTPException) as e:
            self._drop()
            raise DoubtfulDeliveryError(f"{self._name}: no answer after the message: {e}") from e
        if code != 250:
            self._drop()
            raise self._refusal(code, reply)

    def _ready(self, sender: str, recipient: str, body: bytes) -> smtplib.SMTP:
        """A connection on which all of the message lies but its final dot."""
        kept = self._smtp is not None
        try:
            return self._prepared(sender, recipient, body)
        except _ConnectionGoneError as e:
            self._drop()
            if not kept:
                raise DeliveryError(f"{self._name}: {e}", permanent=False) from e
        try:  # a server may close an idle connection: once more on a fresh one
            return self._prepared(sender, recipient, body)
        except _ConnectionGoneError as e:
            self._drop()
            raise DeliveryError(f"{self._name}: {e}", permanent=False) from e

    def _prepared(self, sender: str, recipient: str, body: bytes) -> smtplib.SMTP:
        try:
            smtp = self._smtp = self._smtp or self._connect()
            options = _options(smtp, sender, recipient, body)
            self._expect(smtp.mail(sender, options), 250)
            self._expect(smtp.rcpt(recipient), 250, 251)
            self._expect(smtp.docmd("data"), 354)
            smtp.send(body)
        except smtplib.SMTPAuthenticationError as e:
            raise DeliveryError(f"{self._name}: {_line(e.smtp_code, e.smtp_error)}", permanent=False) from e
        except (OSError, smtplib.SMTPException) as e:
            raise _ConnectionGoneError(str(e) or type(e).__name__) from e
        return smtp

    def _expect(self, answer: tuple[int, bytes], *wanted: int) -> None:
        code, reply = answer
        if code == 421:  # the service is closing down (RFC 5321 §3.8)
            raise _ConnectionGoneError(_line(code, reply))
        if code not in wanted:
            self._drop()
            raise self._refusal(code, reply)

    def _connect(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "", self._url.port or PORTS[self._url.scheme]
        context = ssl.create_default_context()
        if self._url.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
        else:
            smtp = smtplib.SMTP(host, port, timeout=TIMEOUT)
        try:
            smtp.ehlo_or_helo_if_needed()
            if self._url.scheme == "smtp+starttls":
                smtp.starttls(context=context)
                smtp.ehlo()
            if self._url.username:
                smtp.login(unquote(self._url.username), unquote(self._url.password or ""))
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None

    def _refusal(self, code: int, reply: bytes) -> DeliveryError:
        return DeliveryError(f"{self._name}: {_line(code, reply)}", permanent=code >= 500)


class MaildirMailer:
    """Puts mail into the Maildir `folder`, each message once: its file is named after its Message-ID."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: EmailMessage, sender: str, recipient: str, hand: Hand) -> None:  # noqa: ARG002  # the headers say it
        """Write one message; see Mailer."""
        name = hashlib.sha256(str(message["Message-ID"]).encode()).hexdigest()[:32] + ".syndicate"
        try:
            # mailbox.Maildir makes these only together with the outbox: a kill in between would stay.
            for folder in (self._folder, *(self._folder / name for name in ("tmp", "new", "cur"))):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._folder / "tmp" / f"{name}.{os.getpid()}"
            with draft.open("wb") as file:
                file.write(message.as_bytes())
                file.flush()
                os.fsync(file.fileno())
            if hand():
                draft.rename(self._folder / "new" / name)
            else:
                draft.unlink()
        except OSError as e:
            raise DeliveryError(f"{self._folder}: {e.strerror}", permanent=False) from e

    def close(self) -> None:
        """Nothing to close."""


class _ConnectionGoneError(Exception):
    """The connection failed before the message was handed over."""


def _on_the_wire(message: EmailMessage) -> bytes:
    """The message with CRLF line ends and doubled leading dots (RFC 5321 §4.5.2)."""
    raw = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
    raw = re.sub(rb"\r?\n|\r", b"\r\n", raw)
    return re.sub(rb"(?m)^\.", b"..", raw if raw.endswith(b"\r\n") else raw + b"\r\n")


def _options(smtp: smtplib.SMTP, sender: str, recipient: str, body: bytes) -> list[str]:
    if (sender + recipient).isascii():
        return [f"size={len(body)}"] if smtp.has_extn("size") else []
    if not smtp.has_extn("smtputf8"):
        raise DeliveryError(f"the mail server cannot write to {recipient} (no SMTPUTF8)", permanent=True)
    smtp.command_encoding = "utf-8"
    return ["SMTPUTF8", "BODY=8BITMIME"]


def _line(code: int, reply: bytes | str) -> str:
    text = " ".join((reply if isinstance(reply, str) else reply.decode("utf-8", "replace")).split())
    return f"{code} {text}"[:300]
