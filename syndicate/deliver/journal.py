"""What a worker did since it last wrote to the database, so that killing it loses next to nothing of it.

    b 4711     the letter is written
    h 4711     the last bytes of the letter go out now
    t 4711     the server has said 250

One small file for each batch, written without waiting for the disk: what a process has written stays when the
process is killed, and only a machine that loses its power forgets it. The window in which a letter may be sent a
second time is the time between the server's 250 and the line `t`: the way of the answer, and one system call.

Beside them, for each digest, the mailboxes that have it: what an older database, brought back, does not know.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from syndicate.errors import DeliveryError

_WIDTH = 8  # bytes of a mailbox's hash: of a million, no two are likely to be equal


class Journal:
    """The lines of one batch; closed and removed once the database knows all of them."""

    def __init__(self, folder: Path, mark: str) -> None:
        self.mark = mark
        self._file = folder / f"{mark}.journal"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as e:
            raise DeliveryError(f"{self._file}: {e.strerror}", permanent=False) from e

    def begun(self, number: int) -> None:
        """That letter is written next."""
        os.write(self._open, b"b %d\n" % number)

    def handing(self, number: int) -> None:
        """The last bytes of that letter go out next."""
        os.write(self._open, b"h %d\n" % number)

    def taken(self, number: int) -> None:
        """The server has that letter."""
        os.write(self._open, b"t %d\n" % number)

    def remove(self) -> None:
        """The database knows all of it."""
        os.close(self._open)
        self._file.unlink(missing_ok=True)

    def __enter__(self) -> Journal:
        """The journal, open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Removed, unless the batch was broken off: then it is left for the next run."""
        if kind is None:
            self.remove()
        else:
            os.close(self._open)


@dataclass(frozen=True, slots=True)
class Left:
    """What a worker that was killed had done."""

    mark: str
    taken: tuple[int, ...]
    begun: tuple[int, ...]  # and not known to be taken
    handed: tuple[int, ...]  # likewise: these may come twice


def left(folder: Path) -> Iterator[Left]:
    """The journals that lie there, of workers that are gone; the caller holds their lock."""
    for file in sorted(folder.glob("*.journal")):
        said: dict[bytes, set[int]] = {b"b": set(), b"h": set(), b"t": set()}
        for line in file.read_bytes().split(b"\n")[:-1]:  # a last line without its end was never finished
            what, _, number = line.partition(b" ")
            said[what].add(int(number))
        taken, begun, handed = (said[what] for what in (b"t", b"b", b"h"))
        yield Left(file.stem, *(tuple(sorted(found)) for found in (taken, begun - taken, handed - taken)))


def forget(folder: Path, mark: str) -> None:
    """The database knows what that journal said."""
    (folder / f"{mark}.journal").unlink(missing_ok=True)


class Received:
    """For each digest, who has it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, digest: str, mailboxes: Iterable[str]) -> None:
        """These have it now."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / f"{digest}.received").open("ab") as file:
            file.write(b"".join(map(_mark, mailboxes)))

    def count(self, digest: str) -> int:
        """How many have it."""
        file = self._folder / f"{digest}.received"
        return file.stat().st_size // _WIDTH if file.exists() else 0

    def holds(self, digest: str, mailboxes: Iterable[str]) -> list[str]:
        """Those of them that have it."""
        file = self._folder / f"{digest}.received"
        if not file.exists():
            return []
        body = file.read_bytes()
        known = {body[at : at + _WIDTH] for at in range(0, len(body), _WIDTH)}
        return [mailbox for mailbox in mailboxes if _mark(mailbox) in known]

    def prune(self, before: float) -> None:
        """Forget digests to which nobody was added since (seconds of the epoch)."""
        for file in self._folder.glob("*.received"):
            if file.stat().st_mtime < before:
                file.unlink(missing_ok=True)


def _mark(mailbox: str) -> bytes:
    return hashlib.sha256(mailbox.encode()).digest()[:_WIDTH]
