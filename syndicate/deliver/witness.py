"""A small process that stays when its worker is killed, and hears what the mail server still says.

    python witness.py <journal> <number of the control socket>

A worker that is killed has handed letters over whose answers are still on the way: whether they were taken nobody
would know. So each connection is held by two processes. The worker speaks; the witness does nothing, until the worker
is gone. Then it says no more (a half letter stays half), waits for the one answer that each connection owes, writes it
into the journal and goes, too. Until then it holds the journal's lock, so that nobody draws conclusions. A line that
breaks without an answer leaves a doubt, if the kernel had been given the letter's last byte, and none otherwise.

It is a program of its own that needs nothing but Python: it is there in a moment and costs little. Lines with TLS
cannot be shared, because their keys die with the worker.
"""

from __future__ import annotations

import array
import fcntl
import os
import re
import select
import socket
import struct
import sys
import termios
import time

PATIENCE = 600.0  # seconds: as long as the worker would have waited for the answer to a letter
END = len(b".\r\n")
_ACKNOWLEDGED = 120  # where tcpi_bytes_acked stands in Linux's struct tcp_info, since 4.1
_MANY = 64  # connections held, before those that are over are let go
_REPLY = re.compile(rb"(?m)^(\d{3})(?: [^\r\n]*)?\r?\n")  # the last line of a reply (RFC 5321 §4.2.1)


def main(journal: str, control: int) -> None:
    """Hold what the worker gives; when it is gone, hear it out."""
    written = os.open(journal, os.O_RDWR | os.O_APPEND)
    fcntl.flock(written, fcntl.LOCK_EX)
    worker = socket.socket(fileno=control)
    worker.send(b"here")
    lines: dict[int, socket.socket] = {}
    while given := _given(worker):
        number, line = given
        lines[number] = line
        if len(lines) > _MANY:
            for name in [name for name, held in lines.items() if _is_over(held)]:
                lines.pop(name).close()
    noted = os.pread(written, os.fstat(written).st_size, 0)
    os.ftruncate(written, noted.rfind(b"\n") + 1)  # what lies behind was never finished
    owed = _owed(noted)
    waiting: dict[socket.socket, _Owed] = {}
    for number in owed.keys() & lines.keys():
        line, (letter, begin) = lines[number], owed[number]
        if begin and given_in_all(line) < begin + END:
            os.write(written, b"r %d\n" % letter)  # its end was never sent
        else:
            waiting[line] = letter, begin
        _say_no_more(line)
    _hear_out(waiting, written)


def given_in_all(line: socket.socket) -> int:
    """How many bytes the kernel counts as given to send there; 0 where it does not count.

    What is acknowledged between two questions is in neither answer, so it is asked some times.
    """
    return max(_given_at_least(line) for _ in range(9))


def _given_at_least(line: socket.socket) -> int:
    try:
        told = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKNOWLEDGED + 8)
        waiting = fcntl.ioctl(line.fileno(), termios.TIOCOUTQ, bytes(4))
        return int.from_bytes(told[_ACKNOWLEDGED:], sys.byteorder) + int(struct.unpack("i", waiting)[0])
    except (OSError, AttributeError):  # no TCP, or not Linux's
        return 0


def _given(worker: socket.socket) -> tuple[int, socket.socket] | None:
    """A connection with its number; None when the worker is gone."""
    try:
        said, ancillary, *_ = worker.recvmsg(16, socket.CMSG_SPACE(4))
    except OSError:
        return None
    if not said:
        return None
    found = array.array("i")
    for level, kind, body in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(body[:4])
    return int(said), socket.socket(fileno=found[0])


_Owed = tuple[int, int]
"""A letter, and how many bytes had been given to send before its end; 0: nobody knows."""


def _owed(journal: bytes) -> dict[int, _Owed]:
    """For each connection, the letter whose answer had not come."""
    handed: dict[int, _Owed] = {}
    answered: set[int] = set()
    for entry in journal.split(b"\n")[:-1]:
        what, *numbers = entry.split()
        if what == b"h" and len(numbers) == 3:
            letter, line, begin = map(int, numbers)
            handed[line] = letter, begin
            answered.discard(letter)
        elif what in (b"t", b"r", b"d"):
            answered.add(int(numbers[0]))
    return {line: owed for line, owed in handed.items() if owed[0] not in answered}


def _hear_out(waiting: dict[socket.socket, _Owed], written: int) -> None:
    """Write down what each answer means, and what its lack means."""
    heard = dict.fromkeys(waiting, b"")
    until = time.monotonic() + PATIENCE
    while heard:
        left = max(0.0, until - time.monotonic())
        for line in select.select(list(heard), [], [], left)[0] or list(heard):
            try:
                chunk = line.recv(4096, socket.MSG_DONTWAIT)
            except OSError:
                chunk = b""
            heard[line] += chunk
            found = _REPLY.search(heard[line])
            if found or not chunk:
                _note(written, waiting[line], found and found[1])
                del heard[line]


def _note(written: int, owed: _Owed, code: bytes | None) -> None:
    letter, begin = owed
    if code or begin:
        os.write(written, b"%s %d\n" % (_meant(code) if code else b"d", letter))


def _meant(code: bytes) -> bytes:
    """Taken, refused, or (421, which only closes the line) nobody knows: as the worker would have read it."""
    if code[:1] == b"2":
        return b"t"
    return b"r" if code[:1] in b"45" and code != b"421" else b"d"


def _say_no_more(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_WR)
    except OSError:
        return  # it is over


def _is_over(line: socket.socket) -> bool:
    try:
        return not line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
