"""A mail server that answers as a test dictates: each reply, in which pieces, and when it hangs up."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from threading import Lock, Thread

from syndicate.model import Letter

DROP = b""  # instead of a reply: hang up
EHLO = b"250-relay\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 1000000\r\n"


def letter(number: int = 1, body: bytes = b"Subject: x\r\n\r\nhello\r\n", recipient: str = "") -> Letter:
    """A letter that its recipient names."""
    return Letter(number, f"paper{number}@x.example", recipient or f"reader{number}@x.example", (body,))


@dataclass
class Script:
    """What the server says to each command of each letter; what it is not told to say, it takes."""

    replies: dict[tuple[str, int], bytes] = field(default_factory=dict)  # (mail, rcpt, data, body; letter)
    greeting: bytes = b"220 relay\r\n"
    ehlo: bytes = EHLO
    inside: bytes = b""  # its EHLO within TLS, if that is another
    other: dict[str, bytes] = field(default_factory=dict)  # by first word: STARTTLS, AUTH, RSET, QUIT
    cut: Callable[[int], int] = lambda _: 1_000_000  # the size of the n-th piece in which it speaks
    together: bool = False  # it answers what came in one go in one go


@dataclass
class Relay:
    """What the server saw."""

    port: int
    taken: list[int] = field(default_factory=list)  # letters it said 250 to
    bodies: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    faults: list[str] = field(default_factory=list)  # of ours, against the protocol


@contextmanager
def relay(
    script: Script | Callable[[int], Script], context: ssl.SSLContext | None = None, *, implicit: bool = False
) -> Iterator[Relay]:
    """A server on this machine; a script for all connections, or for the n-th."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        seen = Relay(listening.getsockname()[1])
        lock, threads = Lock(), []

        def accept() -> None:
            while True:
                try:
                    client, _ = listening.accept()
                except OSError:
                    return
                n, seen.connections = seen.connections, seen.connections + 1
                of_it = script if isinstance(script, Script) else script(n)
                threads.append(Thread(target=_serve, args=(client, of_it, seen, lock, context, implicit)))
                threads[-1].start()

        accepting = Thread(target=accept)
        accepting.start()
        try:
            yield seen
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join(10)
            for thread in threads:
                thread.join(10)


def _serve(
    client: socket.socket,
    script: Script,
    seen: Relay,
    lock: Lock,
    context: ssl.SSLContext | None,
    implicit: bool,
) -> None:
    client.settimeout(10)
    serving = _Serving(client, script, seen, lock, context)
    try:
        if implicit:
            serving.begin_tls()
        serving.serve()
    except (OSError, _HungUpError):
        pass
    finally:
        with suppress(OSError):
            serving.client.close()


class _HungUpError(Exception):
    pass


class _Serving:
    def __init__(
        self,
        client: socket.socket,
        script: Script,
        seen: Relay,
        lock: Lock,
        context: ssl.SSLContext | None,
    ) -> None:
        self.client, self.script, self.seen, self.lock, self.context = client, script, seen, lock, context
        self.came = b""
        self.held = b""
        self.pieces = 0
        self.mail: int | None = None
        self.rcpt: int | None = None
        self.last = 0

    def serve(self) -> None:
        self.say(self.script.greeting)
        while (line := self.line()) is not None:
            self.answer(line.decode())

    def begin_tls(self) -> None:
        assert self.context is not None
        # Not by a handshake of its own: where that fails, the socket would be nobody's.
        self.client = self.context.wrap_socket(self.client, server_side=True, do_handshake_on_connect=False)
        assert isinstance(self.client, ssl.SSLSocket)
        self.client.do_handshake()
        self.script = replace(self.script, ehlo=self.script.inside or self.script.ehlo)

    def answer(self, command: str) -> None:
        with self.lock:
            self.seen.commands.append(command)
        verb = command.split(" ")[0].upper()
        if verb in ("EHLO", "HELO"):
            self.say(self.script.other.get(verb, self.script.ehlo))
        elif verb == "MAIL":
            self.answer_mail(command)
        elif verb == "RCPT":
            self.answer_rcpt(int(re.findall(r"[0-9]+", command)[0]))
        elif verb == "DATA":
            self.answer_data()
        else:
            if verb == "RSET":
                self.mail = self.rcpt = None
            self.say(self.script.other.get(verb, b"221 bye\r\n" if verb == "QUIT" else b"250 ok\r\n"))
            if verb == "STARTTLS" and self.context is not None:
                self.begin_tls()
            if verb == "QUIT":
                raise _HungUpError

    def answer_mail(self, command: str) -> None:
        if self.mail is not None:
            self.seen.faults.append("MAIL within a transaction")
        number = int(re.findall(r"[0-9]+", command)[0])
        reply = self.reply("mail", number)
        self.mail = number if reply[:1] == b"2" else None
        self.rcpt, self.last = None, number
        self.say(reply)

    def answer_rcpt(self, number: int) -> None:
        if self.mail is None:
            self.say(b"503 MAIL first\r\n")
            return
        reply = self.reply("rcpt", number)
        self.rcpt = number if reply[:1] == b"2" else None
        self.last = number
        self.say(reply)

    def answer_data(self) -> None:
        default = b"354 go on\r\n" if self.rcpt is not None else b"503 RCPT first\r\n"
        reply = self.script.replies.get(("data", self.last), default)
        self.say(reply)
        if reply[:3] != b"354":
            return
        body = self.body()
        number, self.mail = self.rcpt, None
        if number is None:
            if body:
                self.seen.faults.append("a body to nobody")
            self.say(b"554 no valid recipients\r\n")
            return
        self.rcpt = None
        reply = self.reply("body", number)
        if reply[:1] == b"2":
            with self.lock:
                self.seen.taken.append(number)
                self.seen.bodies.append(body)
        self.say(reply)

    def reply(self, step: str, number: int) -> bytes:
        return self.script.replies.get((step, number), b"250 2.0.0 %s %d\r\n" % (step.encode(), number))

    def body(self) -> bytes:
        lines: list[bytes] = []
        while (line := self.line()) is not None:
            if line == b".":
                return b"".join(lines)
            lines.append(line.removeprefix(b".") + b"\r\n")
        raise _HungUpError

    def line(self) -> bytes | None:
        while b"\r\n" not in self.came:
            self.flush()
            chunk = self.client.recv(65536)
            if not chunk:
                return None
            self.came += chunk
        line, _, self.came = self.came.partition(b"\r\n")
        return line

    def say(self, reply: bytes) -> None:
        if reply == DROP:
            self.flush()
            raise _HungUpError
        self.held += reply
        if not self.script.together:
            self.flush()
        if reply[:3] == b"421":
            self.flush()
            raise _HungUpError

    def flush(self) -> None:
        while self.held:
            size = max(1, self.script.cut(self.pieces))
            self.pieces += 1
            piece, self.held = self.held[:size], self.held[size:]
            self.client.sendall(piece)
            if self.held:
                time.sleep(0.001)  # so that it arrives in this piece


@dataclass
class Journal:
    """What was noted, in its order."""

    lines: list[tuple[str, int]] = field(default_factory=list)

    def handing(self, number: int, line: socket.socket | None = None, said: int = 0) -> None:
        self.lines.append(("handing", number))

    def refused(self, number: int) -> None:
        self.lines.append(("refused", number))

    def doubtful(self, number: int) -> None:
        self.lines.append(("doubtful", number))

    def taken(self, number: int) -> None:
        self.lines.append(("taken", number))


def handing_out(letters: Sequence[Letter]) -> Callable[[], Letter | float | None]:
    """One after the other."""
    left = iter(letters)
    return lambda: next(left, None)
