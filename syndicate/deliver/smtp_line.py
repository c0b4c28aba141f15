"""A connection to a mail server that never waits, with TLS where that is spoken; what is said on it is a Talk's."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import suppress
from enum import Enum, auto
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector
from time import monotonic

from syndicate.deliver.smtp_relay import Relay, Tls
from syndicate.deliver.smtp_talk import LineError, Step, Talk

AT_ONCE = 65_536  # bytes read in one go

# Seconds without any progress. RFC 5321 §4.5.3.2 asks for 5 minutes for the greeting, MAIL and RCPT, 2 for DATA
# and 3 for each block of a letter: here shortened, since other connections take over. Not shortened is the time
# for the answer to a letter: who leaves too early gets it twice.
CONNECT = 30.0
REPLY = 60.0
BLOCK = 60.0
ANSWER = 600.0

Address = tuple[int, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


class _Phase(Enum):
    CONNECTING = auto()
    SHAKING = auto()  # hands, for TLS
    TALKING = auto()


def addresses(relay: Relay) -> tuple[Address, ...]:
    """Where the relay is. Raises LineError when nobody knows."""
    try:
        found = socket.getaddrinfo(relay.host, relay.port, type=socket.SOCK_STREAM)
    except OSError as e:
        raise LineError(Step.GREETING, f"no such host: {e.strerror}") from e
    return tuple((family, address) for family, _, _, _, address in found)


class Line:
    """One connection and the dialogue on it. Whatever breaks it is a LineError."""

    def __init__(
        self,
        relay: Relay,
        found: Iterable[Address],
        talk: Talk,
        context: ssl.SSLContext | None,
        selector: BaseSelector,
    ) -> None:
        self.talk = talk
        self.queued = False  # its owner has it in a queue
        self._relay = relay
        self._context = context
        self._selector = selector
        self._left = iter(found)
        self._watched = 0
        self._phase = _Phase.CONNECTING
        self._deadline = 0.0
        self._socket = self._call("no address")

    def ready(self, events: int) -> None:
        """Go on after these events with all that comes before writing."""
        if self._phase is _Phase.CONNECTING:
            self._answered()
        elif self._phase is _Phase.SHAKING:
            self._shake()
        elif events & EVENT_READ:
            self.listen()

    def listen(self, *, to_the_end: bool = False) -> None:
        """Read what has come."""
        for chunk in self._chunks():
            shared = self.talk.shared is not None
            self.talk.received(chunk)
            if shared:  # only looked at so far: were we killed before it was noted, the witness would hear it
                self._socket.recv(len(chunk))
            self._wait_anew()
            if self.talk.wants_tls:
                self._begin_tls()
                return
            if len(chunk) < AT_ONCE and not to_the_end and not isinstance(self._socket, ssl.SSLSocket):
                return

    def write(self) -> bool:
        """Send what is to be said; True when all of it has gone."""
        if self._phase is not _Phase.TALKING:
            return False
        out = self.talk.out
        try:
            while out:
                self.talk.gone(self._socket.send(out))
                self._wait_anew()
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            self._watch(EVENT_READ | EVENT_WRITE)
            return False
        except OSError as e:
            self.listen(to_the_end=True)  # what it said last: a letter may have been taken
            raise LineError(self._step(), f"connection lost: {_why(e)}") from e
        self._watch(EVENT_READ)
        return True

    def check(self, now: float) -> None:
        """Raises LineError when it has been silent for too long."""
        quiet = self._phase is _Phase.TALKING and self.talk.waits_for is None and not self.talk.out
        if now > self._deadline and not quiet:
            raise LineError(self._step(), "no answer in time")

    def close(self) -> None:
        """Nothing more is said."""
        self._watch(0)
        with suppress(OSError):  # a witness may hold it, too
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _step(self) -> Step:
        return self.talk.waits_for or Step.DATA

    def _watch(self, events: int) -> None:
        if events == self._watched:
            return
        fd = self._socket.fileno()
        if not self._watched:
            self._selector.register(fd, events, self)
        elif events:
            self._selector.modify(fd, events, self)
        else:
            self._selector.unregister(fd)
        self._watched = events

    def _call(self, why: str) -> socket.socket:
        """Begin to connect to the next of its addresses."""
        for family, address in self._left:
            called = socket.socket(family, socket.SOCK_STREAM)
            called.setblocking(False)
            called.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            error = called.connect_ex(address)
            if error in (0, errno.EINPROGRESS):
                self._socket = called
                self._deadline = monotonic() + CONNECT
                self._watch(EVENT_WRITE)
                return called
            called.close()
            why = os.strerror(error)
        raise LineError(Step.GREETING, f"no connection: {why}")

    def _answered(self) -> None:
        if error := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.close()
            self._call(os.strerror(error))
            return
        self._wait_anew()
        self._watch(EVENT_READ)
        if self._is_near():
            self.talk.on_this_machine()
        if self._relay.tls is Tls.IMPLICIT:
            self._begin_tls()
        else:
            self.talk.shared = self._socket
            self._phase = _Phase.TALKING

    def _is_near(self) -> bool:
        try:
            return ipaddress.ip_address(self._socket.getpeername()[0].partition("%")[0]).is_loopback
        except OSError:  # gone already: the next thing read says so
            return False

    def _begin_tls(self) -> None:
        self.talk.shared = None
        context = self._context or ssl.create_default_context()
        self._socket = context.wrap_socket(
            self._socket, server_hostname=self._relay.host, do_handshake_on_connect=False
        )
        self._phase = _Phase.SHAKING
        self._shake()

    def _shake(self) -> None:
        try:
            self._socket.do_handshake()  # type: ignore[attr-defined]  # an SSLSocket since _begin_tls
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as e:
            raise LineError(self.talk.waits_for or Step.STARTTLS, f"no TLS: {_why(e)}") from e
        self._phase = _Phase.TALKING
        self._wait_anew()
        if self.talk.wants_tls:
            self.talk.secured()
        self.listen()  # TLS may have read the greeting along with its own

    def _chunks(self) -> Iterator[bytes]:
        """What has come; raises LineError at its end."""
        while True:
            try:
                chunk = self._socket.recv(AT_ONCE, socket.MSG_PEEK if self.talk.shared else 0)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as e:
                raise LineError(self._step(), f"connection lost: {_why(e)}") from e
            if not chunk:
                raise LineError(self._step(), "connection closed")
            yield chunk

    def _wait_anew(self) -> None:
        """Something went on: count from now."""
        step = self.talk.waits_for
        seconds = BLOCK if self.talk.out else ANSWER if step is Step.BODY else REPLY
        self._deadline = monotonic() + seconds


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    return os.strerror(error.errno) if error.errno else type(error).__name__
