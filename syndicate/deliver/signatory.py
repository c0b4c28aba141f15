"""A process that signs letters, so that who speaks with the mail server is not held up by hashing and signing.

It is told the private keys once, then lots of letters: of each what is hashed of its head, and its body. A piece of a
body that all letters of a digest share is told once, too. It answers each lot with the signatures, in the same order,
and ends when its socket does. The socket is a pair that nobody else has; what comes through it is trusted.
"""

from __future__ import annotations

import pickle
import signal
import socket
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

from syndicate.deliver.dkim import Key, Signatures, Signer, Unsigned
from syndicate.model import Cast

SHARED = 1000  # bytes from which on a piece of a body may be another letter's, too
KNOWN = 1000  # such pieces, after which it is told all of them anew: memory stays bounded

_ROOT = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.insert(0, {root!r}); from syndicate.deliver import signatory; signatory.main({number})"
_LENGTH = struct.Struct("!I")

_Told = tuple[
    bytes, tuple[bytes, ...], tuple[bytes | int, ...], bool
]  # head, fields, body by pieces, whether plain


class SignatoryError(Exception):
    """It is gone; what it was asked is not answered."""


class Signatory:
    """The process, seen from the one that asks it. None of its methods waits for it."""

    def __init__(self, signer: Signer) -> None:
        """Start it. Raises SignatoryError where no process can be started."""
        ours, its = socket.socketpair()
        with its:
            program = _START.format(root=str(_ROOT), number=its.fileno())
            try:
                self._child = subprocess.Popen(  # noqa: S603  # our own program
                    [sys.executable, "-I", "-c", program], pass_fds=(its.fileno(),), stdin=subprocess.DEVNULL
                )
            except OSError as e:
                ours.close()
                raise SignatoryError(str(e)) from e
        self._line = ours
        self._unsaid = bytearray()
        self._heard = bytearray()
        self._answers: deque[list[Signatures]] = deque()
        self._known: dict[
            int, tuple[int, bytes]
        ] = {}  # by id: number, and the piece itself, which keeps the id
        self._there = False
        self._say([_private(key) for key in signer.keys])

    @property
    def there(self) -> bool:
        """Whether it has started, and may be asked."""
        if not self._there:
            self._listen()
        return self._there

    def ask(self, lot: Sequence[Unsigned]) -> None:
        """Have these signed. Raises SignatoryError."""
        anew = len(self._known) > KNOWN
        if anew:
            self._known.clear()
        fresh: list[bytes] = []
        self._say((anew, fresh, [self._told(letter, fresh) for letter in lot]))

    def answer(self) -> list[Signatures] | None:
        """The signatures of the oldest lot that was not answered yet; None: not now. Raises SignatoryError."""
        if not self._answers:
            self._listen()
        return self._answers.popleft() if self._answers else None

    def close(self) -> None:
        """Let it end."""
        self._line.close()
        self._child.wait()

    def _told(self, letter: Unsigned, fresh: list[bytes]) -> _Told:
        body = tuple(
            [piece if len(piece) < SHARED else self._number(piece, fresh) for piece in letter.cast.body]
        )
        return letter.head, tuple([field for _, field in letter.fields]), body, letter.cast.plain

    def _number(self, piece: bytes, fresh: list[bytes]) -> int:
        known = self._known.get(id(piece))
        if known is None:
            fresh.append(piece)
            known = self._known[id(piece)] = len(self._known), piece
        return known[0]

    def _say(self, what: object) -> None:
        self._unsaid += _framed(what)
        self._go_on()

    def _go_on(self) -> None:
        """Say as much as it has room for."""
        try:
            while self._unsaid:
                del self._unsaid[: self._line.send(self._unsaid, socket.MSG_DONTWAIT)]
        except BlockingIOError:
            return
        except OSError as e:
            raise SignatoryError(str(e)) from e

    def _listen(self) -> None:
        """Take in what it has said."""
        self._go_on()
        try:
            chunk = self._line.recv(1 << 18, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError as e:
            raise SignatoryError(str(e)) from e
        if not chunk:
            raise SignatoryError("the process that signs has ended")
        self._heard += chunk
        while len(self._heard) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._heard)[0]
            if len(self._heard) < end:
                return
            said = pickle.loads(self._heard[_LENGTH.size : end])  # noqa: S301  # of our own process
            del self._heard[:end]
            if self._there:
                self._answers.append([Signatures(*one) for one in said])
            self._there = True


def main(number: int) -> None:
    """Sign what is asked through the socket of that number, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks ends first
    line = socket.socket(fileno=number)
    try:
        keys = [_key(der) for der in _received(line)]
        line.sendall(_framed("here"))
        shared: list[bytes] = []
        while True:
            anew, fresh, lot = _received(line)
            if anew:
                shared.clear()
            shared += fresh
            line.sendall(_framed([tuple(_signed(told, keys, shared)) for told in lot]))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _signed(told: _Told, keys: Sequence[Key], shared: Sequence[bytes]) -> Signatures:
    head, fields, body, plain = told
    pieces = tuple([shared[piece] if isinstance(piece, int) else piece for piece in body])
    return Unsigned(Cast((), pieces, plain), head, tuple(zip(keys, fields, strict=True))).signatures()


def _private(key: Key) -> bytes:
    form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*form)


def _key(der: bytes) -> Key:
    return serialization.load_der_private_key(der, None)  # type: ignore[return-value]  # one of ours


def _framed(what: object) -> bytes:
    body = pickle.dumps(what)
    return _LENGTH.pack(len(body)) + body


def _received(line: socket.socket) -> Any:
    (length,) = _LENGTH.unpack(_exactly(line, _LENGTH.size))
    return pickle.loads(_exactly(line, length))  # noqa: S301  # of who started us


def _exactly(line: socket.socket, count: int) -> bytes:
    taken = bytearray()
    while len(taken) < count:
        if not (chunk := line.recv(count - len(taken))):
            raise EOFError
        taken += chunk
    return bytes(taken)
