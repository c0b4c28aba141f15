"""What a worker did since it last wrote to the database, so that killing it loses next to nothing of it.

    b 4711           the letter is written
    h 4711 2 85000   the last bytes of the letter go out now, on the second connection, of which the kernel has had 85 000
    t 4711           the server has said 250
    r 4711           the server has said something else, or the last bytes never went out
    d 4711           the connection broke before it said anything

One small file for each batch, in memory that the kernel writes to the disk: what a process has put there stays when
the process is killed, and only a machine that loses its power forgets it. What was under way when the worker was killed
is heard out by a witness (witness.py). An answer is only looked at until its line stands here,
so no moment is left in which a letter may be sent a second time; but with TLS, where no witness can listen: there it is
the way of the answer until its line stands here.

Beside them, for each digest, the mailboxes that have it: what an older database, brought back, does not know.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from syndicate.deliver import witness
from syndicate.errors import DeliveryError

_ARRIVES = 10.0  # seconds in which a witness is there, on a machine that does much else
_STEP = 1 << 18  # bytes by which the file grows: of five thousand letters
_END = ord("\n")
_WIDTH = 8  # bytes of a mailbox's hash: of a million, no two are likely to be equal


class Journal:
    """The lines of one batch; closed and removed once the database knows all of them."""

    def __init__(self, folder: Path, mark: str) -> None:
        self.mark = mark
        self._file = folder / f"{mark}.journal"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            self._map = _longer(self._open, 0)
        except OSError as e:
            raise DeliveryError(f"{self._file}: {e.strerror}", permanent=False) from e
        self._at = 0  # bytes written
        self._lines: dict[socket.socket, _Shared] = {}
        self._witness: socket.socket | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def begun(self, number: int) -> None:
        """That letter is written next."""
        self._note(b"b %d" % number)

    def handing(self, number: int, line: socket.socket | None = None, said: int = 0) -> None:
        """The last bytes of that letter go out next, on that connection (None: on one that cannot be shared).

        `said`: bytes that the connection was given before them.
        """
        shared = self._shared(line, said) if line else _ALONE
        self._note(b"h %d %d %d" % (number, shared.number, shared.counted(said)))

    def taken(self, number: int) -> None:
        """The server has that letter."""
        self._note(b"t %d" % number)

    def refused(self, number: int) -> None:
        """The server does not want that letter."""
        self._note(b"r %d" % number)

    def doubtful(self, number: int) -> None:
        """Nobody will know whether the server has that letter."""
        self._note(b"d %d" % number)

    def remove(self) -> None:
        """The database knows all of it."""
        self._close()
        if self._child is not None:
            self._child.wait()
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
            self._close()

    def _note(self, line: bytes) -> None:
        """Its end last: who is killed before has not written it."""
        end = self._at + len(line)
        if end >= len(self._map):
            self._map.close()
            self._map = _longer(self._open, end)
        self._map[self._at : end] = line
        self._map[end] = _END
        self._at = end + 1

    def _shared(self, line: socket.socket, said: int) -> _Shared:
        """That connection, which the witness has from now on; where there is none, nobody has."""
        found = self._lines.get(line)
        if found is None:
            if self._witness is None and not self._lines:
                self._witness, self._child = _called(self._file)
            given = witness.given_in_all(line)
            found = self._lines[line] = _Shared(len(self._lines) + 1, given - said if given else None)
            try:
                if self._witness is not None:
                    socket.send_fds(self._witness, [b"%d" % found.number], [line.fileno()])
            except OSError:  # killed, perhaps: then nobody listens
                self._witness = None
        return found if self._witness is not None else _ALONE

    def _close(self) -> None:
        self._map.close()
        os.close(self._open)
        if self._witness is not None:
            self._witness.close()


@dataclass(frozen=True, slots=True)
class _Shared:
    """A connection that the witness has, too."""

    number: int
    ahead: int | None  # by how much the kernel counts more there than was given to it; it may not count

    def counted(self, said: int) -> int:
        """What the kernel counts there when so many bytes were given to it; 0: nobody knows."""
        return 0 if self.ahead is None else self.ahead + said


_ALONE = _Shared(0, None)


def _longer(file: int, least: int) -> mmap.mmap:
    """The file in memory, with room for so many bytes and more; raises OSError when the disk is full."""
    size = os.fstat(file).st_size
    more = least - size + _STEP
    if os.pwrite(file, bytes(more), size) < more:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return mmap.mmap(file, size + more)


def _called(journal: Path) -> tuple[socket.socket | None, subprocess.Popen[bytes] | None]:
    """A witness that is there and holds the journal's lock; none where no process can be started."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        try:
            child = subprocess.Popen(  # noqa: S603  # our own program, a file's name and a number
                [sys.executable, "-I", "-S", witness.__file__, str(journal), str(its.fileno())],
                pass_fds=(its.fileno(),),
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # who kills the worker's group does not kill it
            )
        except OSError:
            ours.close()
            return None, None
    ours.settimeout(_ARRIVES)
    try:
        there = ours.recv(16)
    except OSError:
        there = b""
    ours.settimeout(None)
    return (ours if there else None), child


@dataclass(frozen=True, slots=True)
class Left:
    """What a worker that was killed had done."""

    mark: str
    taken: tuple[int, ...]
    doubtful: tuple[int, ...]
    begun: tuple[int, ...]  # and not known to be taken
    handed: tuple[int, ...]  # likewise: these may come twice


def left(folder: Path) -> Iterator[Left]:
    """The journals that lie there, of workers that are gone; the caller holds their lock."""
    for file in sorted(folder.glob("*.journal")):
        if not _is_free(file):  # a witness still listens: later
            continue
        said: dict[bytes, set[int]] = {what: set() for what in (b"b", b"h", b"t", b"r", b"d")}
        for line in file.read_bytes().split(b"\n")[:-1]:  # a last line without its end was never finished
            what, number, *_ = line.split()
            said[what].add(int(number))
        taken, begun, handed, doubtful = (said[what] for what in (b"t", b"b", b"h", b"d"))
        sure = taken | doubtful
        found = (taken, doubtful - taken, begun - sure, handed - sure - said[b"r"])
        yield Left(file.stem, *(tuple(sorted(numbers)) for numbers in found))


def _is_free(file: Path) -> bool:
    with file.open("rb") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def forget(folder: Path, mark: str) -> None:
    """The database knows what that journal said."""
    (folder / f"{mark}.journal").unlink(missing_ok=True)


class Received:
    """For each digest, who has it; of each mailbox the beginning of what the first of `marks` makes of it.

    The others made what older files hold.
    """

    def __init__(self, folder: Path, *marks: Callable[[str], bytes]) -> None:
        self._folder = folder
        self._marks = marks

    def add(self, digest: str, mailboxes: Iterable[str]) -> None:
        """These have it now."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark = self._marks[0]
        with (self._folder / f"{digest}.received").open("ab") as file:
            file.write(b"".join([mark(mailbox)[:_WIDTH] for mailbox in mailboxes]))

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
        return [one for one in mailboxes if any(mark(one)[:_WIDTH] in known for mark in self._marks)]

    def prune(self, before: float) -> None:
        """Forget digests to which nobody was added since (seconds of the epoch)."""
        for file in self._folder.glob("*.received"):
            if file.stat().st_mtime < before:
                file.unlink(missing_ok=True)
