"""Where reports come from: a Maildir, or a mailbox asked by IMAP (RFC 9051). What they say is read elsewhere.

A report is marked only after it was recorded: killed in between, it is fetched again, and recorded once all the same.
Nothing is moved or deleted: the mailbox stays its owner's.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from syndicate import __version__
from syndicate.errors import SourceError

TIMEOUT = 30.0  # seconds for any answer
LARGEST = 1_000_000  # bytes that are fetched of one mail
SCHEMES = ("imaps", "imap+starttls", "imap")


class Mailbox(Protocol):
    """Mail that nobody has looked at."""

    def unseen(self) -> Iterator[tuple[str, bytes]]:
        """A name for each mail that is not marked, and its first million bytes, oldest first."""

    def mark(self, name: str) -> None:
        """That mail was dealt with."""


@contextmanager
def opened(place: str, context: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """The mailbox at that place: the path of a Maildir, or imaps://user:password@host/folder.

    Raises SourceError, naming the place without its password.
    """
    url = urlsplit(place)
    if url.scheme not in SCHEMES:
        yield Maildir(Path(place).expanduser())
        return
    name = f"{url.scheme}://{url.hostname}/{unquote(url.path.lstrip('/')) or 'INBOX'}"
    with ExitStack() as stack:
        try:
            line = stack.enter_context(_connected(url, context or ssl.create_default_context()))
            _log_in(line, url)
        except _LOST as e:
            raise SourceError(f"{name}: {_plain(e)}") from e
        yield Imap(line, name)


# What is raised by imaplib (error, abort), by the line, and by answers that are none.
_LOST = (imaplib.IMAP4.error, OSError, ValueError)


def _plain(error: Exception) -> str:
    said = error.args[0] if error.args and isinstance(error.args[0], bytes) else str(error).encode()
    return " ".join(said.decode("utf-8", "replace").split())[:300] or type(error).__name__


@contextmanager
def _connected(url: SplitResult, context: ssl.SSLContext) -> Iterator[imaplib.IMAP4]:
    """A connection, encrypted where the address says so; closed whatever the server does."""
    host = url.hostname or ""
    if url.scheme == "imaps":
        line: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, url.port or 993, ssl_context=context, timeout=TIMEOUT)
    else:
        line = imaplib.IMAP4(host, url.port or 143, timeout=TIMEOUT)
    try:
        if url.scheme == "imap+starttls":
            line.starttls(context)
        yield line
        with suppress(*_LOST):
            line.logout()
    finally:
        with suppress(OSError):
            line.shutdown()


def _log_in(line: imaplib.IMAP4, url: SplitResult) -> None:
    user, password, path = (
        unquote(part or "") for part in (url.username, url.password, url.path.lstrip("/"))
    )
    if not (user + password + path).isascii():
        raise line.error("user, password and folder are to be ASCII")
    line.login(user, password)
    if (
        "ID" in line.capabilities
    ):  # 163.com and 126.com open no folder to who has not said its name (RFC 2971)
        line.xatom("ID", f'("name" "syndicate" "version" "{__version__}")')
    folder = (path or "INBOX").replace("\\", "\\\\").replace('"', '\\"')
    answer, told = line.select(f'"{folder}"')
    if answer != "OK":
        raise line.error(told[0])


@dataclass
class Imap:
    """A folder on a mail server; what was dealt with is flagged as seen."""

    line: imaplib.IMAP4
    name: str  # for messages

    def unseen(self) -> Iterator[tuple[str, bytes]]:
        """By UID, which stays the same whatever else happens in the folder."""
        found = self._ask("SEARCH", "UNSEEN")
        for uid in (found[0] or b"").decode("ascii", "replace").split():
            told = self._ask("FETCH", uid, f"(BODY.PEEK[]<0.{LARGEST}>)")
            body = next((part[1] for part in told if isinstance(part, tuple) and len(part) > 1), None)
            if body is not None:  # else somebody has deleted it meanwhile
                yield uid, bytes(body)

    def mark(self, name: str) -> None:
        """Flag it as seen."""
        self._ask("STORE", name, "+FLAGS.SILENT", r"(\Seen)")

    def _ask(self, command: str, *words: str) -> list[Any]:
        try:
            answer, told = self.line.uid(command, *words)
            if answer != "OK":
                raise self.line.error(told[0])
        except _LOST as e:
            raise SourceError(f"{self.name}: {command}: {_plain(e)}") from e
        return list(told)


_SEEN = re.compile(r":2,[A-Z]*S")


@dataclass
class Maildir:
    """A folder as qmail, Postfix and Dovecot write it; what was dealt with is moved to cur, flagged S."""

    folder: Path

    def unseen(self) -> Iterator[tuple[str, bytes]]:
        """What lies in new, and in cur without the flag."""
        try:
            found = [f for below in ("new", "cur") for f in (self.folder / below).iterdir()]
        except OSError as e:
            raise SourceError(f"{self.folder}: not a Maildir that can be read: {e.strerror}") from e
        for file in sorted(found, key=lambda f: f.name):
            if (
                file.name.startswith(".")
                or _SEEN.search(file.name)
                or file.is_symlink()
                or not file.is_file()
            ):
                continue
            try:
                with file.open("rb") as mail:
                    yield f"{file.parent.name}/{file.name}", mail.read(LARGEST)
            except FileNotFoundError:  # somebody else moved it
                continue
            except OSError as e:
                raise SourceError(f"{file}: {e.strerror}") from e

    def mark(self, name: str) -> None:
        """Move it to cur, flagged as seen."""
        file = self.folder / name
        bare, _, flags = file.name.partition(":2,")
        try:
            file.rename(self.folder / "cur" / f"{bare}:2,{''.join(sorted({*flags, 'S'}))}")
        except FileNotFoundError:
            pass
        except OSError as e:
            raise SourceError(f"{file}: {e.strerror}") from e
