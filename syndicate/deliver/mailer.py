"""Mail goes out: over SMTP when a server is configured, else into a Maildir.

A mailer tells the journal right before the one byte sequence that makes the server take a letter (the final dot of
RFC 5321, §4.1.1.4), or before its file appears in the Maildir; and again as soon as the letter has been taken.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from syndicate.deliver import smtp
from syndicate.deliver.smtp import NextLetter
from syndicate.deliver.smtp_relay import Tls, relay
from syndicate.deliver.smtp_talk import Journal
from syndicate.model import Answer, Letter, Outcome

CONNECTIONS = 4  # at once, unless the settings say otherwise


class Mailer(Protocol):
    """Something that takes mail."""

    def post(self, next_letter: NextLetter, journal: Journal) -> Iterator[Answer]:
        """Send letters until there are no more; what became of each, as soon as it is known."""


def open_mailer(smtp_url: str, outbox: Path, connections: int = CONNECTIONS) -> Mailer:
    """The mailer that the settings ask for."""
    return SmtpMailer(smtp_url, connections) if smtp_url else MaildirMailer(outbox)


def send_one(mailer: Mailer, letter: Letter) -> Answer:
    """Send one letter, of which nobody keeps a journal."""
    letters = iter((letter,))
    return next(iter(mailer.post(lambda: next(letters, None), _NoJournal())))


class SmtpMailer:
    """Up to so many connections to a mail server, opened when there is something to send."""

    def __init__(
        self, url: str, connections: int = CONNECTIONS, context: ssl.SSLContext | None = None
    ) -> None:
        self._relay = relay(url)
        self._connections = connections
        self._context = context

    def post(self, next_letter: NextLetter, journal: Journal) -> Iterator[Answer]:
        """Send letters; see Mailer."""
        if (
            self._context is None and self._relay.tls is not Tls.NONE
        ):  # reading all certificates takes a while
            self._context = ssl.create_default_context()
        return smtp.post(self._relay, self._connections, next_letter, journal, self._context)


class MaildirMailer:
    """Puts mail into the Maildir `folder`, each message once: its file is named after its Message-ID."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def post(self, next_letter: NextLetter, journal: Journal) -> Iterator[Answer]:
        """Write letters; see Mailer."""
        while (letter := next_letter()) is not None:
            if isinstance(letter, Letter):
                yield self._answer(letter, journal)
            else:
                time.sleep(letter)

    def _answer(self, letter: Letter, journal: Journal) -> Answer:
        try:
            self._write(letter, journal)
        except OSError as e:
            return Answer(letter.number, Outcome.LATER, f"{self._folder}: {e.strerror}", stage="body")
        return Answer(letter.number, Outcome.TAKEN, str(self._folder), stage="body")

    def _write(self, letter: Letter, journal: Journal) -> None:
        message = re.sub(rb"(?m)^\.\.", b".", b"".join(letter.pieces))
        name = _file_name(message)
        # mailbox.Maildir makes these only together with the outbox: a kill in between would stay.
        for folder in (self._folder, *(self._folder / name for name in ("tmp", "new", "cur"))):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._folder / "tmp" / f"{name}.{os.getpid()}"
        with draft.open("wb") as file:
            file.write(message)
            file.flush()
            os.fsync(file.fileno())
        try:
            journal.handing(letter.number)
        except BaseException:
            draft.unlink()
            raise
        draft.rename(self._folder / "new" / name)
        journal.taken(letter.number)


def _file_name(message: bytes) -> str:
    head = message.partition(b"\r\n\r\n")[0]
    found = re.search(rb"(?im)^message-id:\s*(\S+)", head)
    return hashlib.sha256(found[1] if found else message).hexdigest()[:32] + ".syndicate"


class _NoJournal:
    def handing(self, number: int, line: socket.socket | None = None, said: int = 0) -> None:
        """Nobody wants to know."""

    def refused(self, number: int) -> None:
        """Nobody wants to know."""

    def doubtful(self, number: int) -> None:
        """Nobody wants to know."""

    def taken(self, number: int) -> None:
        """Nobody wants to know."""
