"""One connection's dialogue with a mail server, without the connection: replies come in, commands go out.

    greeting, EHLO (STARTTLS, EHLO) (AUTH)
    MAIL RCPT DATA → 354 → the letter → its dot, and with it the next MAIL RCPT DATA → 250 → 354 → …

The commands in one line are one write where the server has PIPELINING (RFC 2920), else each waits for its reply.
Each command that was said waits in a queue with its letter, so a reply always finds the letter that it is for.
"""

from __future__ import annotations

import socket
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from syndicate.deliver.smtp_offers import Offers, Unfit, offers
from syndicate.deliver.smtp_relay import Relay, Tls
from syndicate.deliver.smtp_replies import NotAReplyError, Replies, Reply, plain_line
from syndicate.model import Answer, Letter, Outcome

SAID = 300  # characters of an Answer's line
# At MAIL, RCPT or DATA these are about us, not about the letter: a command out of order (RFC 5321), TLS or a
# password needed first (RFC 3207 §4, RFC 4954 §6).
_ABOUT_US = (503, 530, 534, 535, 538)


class Journal(Protocol):
    """Where it is noted at once how far a letter is."""

    def handing(self, number: int, line: socket.socket | None = None, said: int = 0) -> None:
        """Its last bytes are given to the network next; `line`: by that connection, where others may hear it, too.

        `said`: bytes that were given to the connection before.
        """

    def taken(self, number: int) -> None:
        """The server has just said that it has it."""

    def refused(self, number: int) -> None:
        """The server has just said that it does not want it."""

    def doubtful(self, number: int) -> None:
        """The connection is gone, and with it the answer."""


class LineError(Exception):
    """Nothing more can be said on this connection."""

    def __init__(self, stage: str, why: str, reply: Reply | None = None) -> None:
        super().__init__(why)
        self.stage = stage
        self.reply = reply


class Step(StrEnum):
    """What a reply may be the answer to."""

    GREETING = "connect"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    RSET = "rset"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    NOTHING = "nothing"  # the dot of a letter to nobody
    QUIT = "quit"


@dataclass(slots=True)
class _Way:
    """A letter on this connection, not answered yet."""

    letter: Letter
    kept: bool  # the connection had carried others before
    received: bool = False  # the recipient was
    answered: bool = False
    dot_at: int | None = None  # bytes said on this connection before its final dot


class Talk:
    """What has been said and is to be said; the letters under way on it."""

    def __init__(
        self,
        relay: Relay,
        name: str,
        journal: Journal,
        settle: Callable[[Answer], None],
        give_back: Callable[[Letter, Answer], None],
    ) -> None:
        self.out = bytearray()  # to be sent
        self.open = False  # greeted, secured, known: letters may come
        self.over = False  # good-byes were said
        self.wants_tls = False
        self.served = 0  # letters that the server has answered here
        self.wants_body = False  # the letter may go out now
        self.wants_dot = False  # all of it was said, but its dot
        self.shared: socket.socket | None = None  # the connection, while it speaks plainly
        self._relay = relay
        self._name = name
        self._journal = journal
        self._settle = settle
        self._give_back = give_back
        self._replies = Replies()
        self._expected: deque[tuple[Step, _Way | None]] = deque([(Step.GREETING, None)])
        self._ways: deque[_Way] = deque()
        self._secure = relay.tls is Tls.IMPLICIT
        self._passwords_pass = self._secure
        self._words: list[bytes] = []  # of AUTH LOGIN, still to be said
        self._offers = Offers()
        self._dirty = False  # a transaction is open that no letter is in
        self._helo = False
        self._sent = 0

    # ── the caller's side ────────────────────────────────────────────────────────────────

    @property
    def idle(self) -> bool:
        """A letter may be begun."""
        return self.open and not self._ways and not self._expected

    @property
    def busy(self) -> bool:
        """Letters are under way here."""
        return bool(self._ways)

    @property
    def pipelining(self) -> bool:
        """Commands may be said together (RFC 2920)."""
        return "PIPELINING" in self._offers

    @property
    def waits_for(self) -> Step | None:
        """What the next reply will be the answer to; None: it is our turn."""
        return self._expected[0][0] if self._expected else None

    def on_this_machine(self) -> None:
        """The other end is here: nobody listens on the way."""
        self._passwords_pass = True

    def gone(self, count: int) -> None:
        """So many bytes of `out` were given to the network."""
        del self.out[:count]
        self._sent += count

    def secured(self) -> None:
        """TLS has begun; what was offered before it does not count, and is asked for anew (RFC 3207 §4.2)."""
        self.wants_tls = False
        self._secure = self._passwords_pass = True
        self._ask(Step.EHLO, f"EHLO {self._name}")

    def offer(self, letter: Letter, *, behind: bool = False) -> None:
        """Begin a letter; `behind` the dot of another."""
        parameters = self._offers.parameters(letter)
        if isinstance(parameters, Unfit):
            said = self._told(parameters.why)
            self._settle(
                Answer(letter.number, Outcome.REFUSED, said, None, parameters.status, parameters.stage)
            )
            return
        way = _Way(letter, kept=behind or self.served > 0)
        self._ways.append(way)
        if self._dirty:
            self._dirty = False
            self._ask(Step.RSET, "RSET")
        self._ask(Step.MAIL, f"MAIL FROM:<{letter.sender}>{parameters}", way)
        if self.pipelining:
            self._ask(Step.RCPT, f"RCPT TO:<{letter.recipient}>", way)
            self._ask(Step.DATA, "DATA", way)

    def say_body(self) -> None:
        """All of the letter that the server waits for, but its dot."""
        self.wants_body, self.wants_dot = False, True
        body = bytearray().join(self._ways[0].letter.pieces)
        self.out = self.out + body if self.out else body  # not copied once more: it is large

    def hand(self, following: Letter | None = None) -> None:
        """The dot, and with it what comes before the next letter."""
        way = self._ways[0]
        self.wants_dot = False
        way.dot_at = self._sent + len(self.out)
        self._journal.handing(way.letter.number, self.shared, way.dot_at)
        self.out += b".\r\n"
        self._expected.append((Step.BODY, way))
        if following is not None:
            self.offer(following, behind=True)

    def quit(self) -> None:
        """Say good-bye."""
        self.open = False
        self._ask(Step.QUIT, "QUIT")

    def received(self, chunk: bytes) -> None:
        """The server has said this.

        Raises LineError when nothing more can be said here; then `lost` says what that is for the letters.
        """
        self._replies.feed(chunk)
        try:
            while (reply := self._replies.next()) is not None:
                self._hear(reply)
        except NotAReplyError as e:
            raise LineError(self._stage(), str(e)) from e

    def lost(self, error: LineError) -> None:
        """The connection is gone: each letter on it is answered, or given back to go another way."""
        ways, self._ways = self._ways, deque()
        self.open, self.over = False, True
        for way in ways:
            # Of what TLS was given, some may have gone out although it says that it could not.
            if way.dot_at is not None and (self._sent > way.dot_at or self._secure):
                self._journal.doubtful(way.letter.number)
                why = f"no answer after the message: {error}"
                self._settle(self._answer(way.letter, Outcome.DOUBTFUL, Step.BODY, why, error.reply))
                continue
            stage = next((step for step, its in self._expected if its is way), Step.DATA)
            later = self._answer(way.letter, Outcome.LATER, stage, str(error), error.reply)
            if way.kept:
                self._give_back(way.letter, later)
            else:
                self._settle(later)
        self._expected.clear()

    # ── replies ──────────────────────────────────────────────────────────────────────────

    def _hear(self, reply: Reply) -> None:
        if not self._expected:
            self._hear_early(reply)
            raise LineError(self._stage(), f"unasked for: {reply}", reply)
        step, way = self._expected[0]
        if way is not None and step is Step.BODY:  # noted before all else
            if reply.good:
                self._journal.taken(way.letter.number)
            elif reply.code >= 400 and reply.code != 421:  # that one leaves it open whether it was taken
                self._journal.refused(way.letter.number)
        if reply.code == 421 and step is not Step.QUIT:  # it closes the line (RFC 5321 §3.8)
            raise LineError(self._stage(), str(reply), reply)
        self._expected.popleft()
        if way is None:
            self._hear_of_the_line(step, reply)
        else:
            self._hear_of(step, way, reply)

    def _hear_early(self, reply: Reply) -> None:
        """Before all of the letter was said it may be refused for good; the rest of it is not said."""
        if (self.wants_body or self.wants_dot) and reply.code >= 500:
            way = self._ways[0]
            self._journal.refused(way.letter.number)
            self._close(way, Outcome.REFUSED, Step.BODY, reply)

    def _hear_of_the_line(self, step: Step, reply: Reply) -> None:
        if step is Step.GREETING and reply.good:
            self._ask(Step.EHLO, f"EHLO {self._name}")
        elif step is Step.EHLO and (reply.good or self._is_old(reply)):
            self._hear_ehlo(reply)
        elif step is Step.STARTTLS and reply.good:
            if not self._replies.empty:  # slipped in on the way, to be taken for said inside (CVE-2011-0411)
                raise LineError(step, "more was said before TLS began")
            self.wants_tls = True
        elif step is Step.AUTH and reply.code == 334 and self._words:
            self._ask(Step.AUTH, self._words.pop(0).decode())
        elif step is Step.AUTH and reply.good:
            self.open = True
        elif step is Step.QUIT:
            self.over = True
        elif step is Step.NOTHING:
            self._dirty = True
        elif step is not Step.RSET or not reply.good:
            raise LineError(step, self._without_secrets(str(reply)), reply)

    def _hear_of(self, step: Step, way: _Way, reply: Reply) -> None:
        if step is Step.BODY and reply.good:
            self._close(way, Outcome.TAKEN, step, reply)
        elif step is Step.DATA and reply.code == 354:
            self._begin_body(way)
        elif step is not Step.DATA and reply.good:
            self._go_on(step, way)
        elif way.answered:
            pass  # refused before; it says so once more
        elif reply.code < 400 or (step is not Step.BODY and reply.code in _ABOUT_US):
            self._expected.appendleft((step, way))
            raise LineError(step, str(reply), reply)
        else:
            self._dirty = step is not Step.BODY
            self._close(way, Outcome.LATER if reply.code < 500 else Outcome.REFUSED, step, reply)

    def _go_on(self, step: Step, way: _Way) -> None:
        """Sender or recipient is welcome."""
        way.received = step is Step.RCPT
        if not self.pipelining and step is Step.MAIL:
            self._ask(Step.RCPT, f"RCPT TO:<{way.letter.recipient}>", way)
        elif not self.pipelining:
            self._ask(Step.DATA, "DATA", way)

    def _begin_body(self, way: _Way) -> None:
        """The server waits for the letter."""
        if not way.answered:
            self.wants_body = True
        elif way.received:  # sender refused, recipient not: a dot would deliver an empty letter
            raise LineError(Step.DATA, "354 to a message whose sender was refused")
        else:  # nobody is to have it, and it goes on all the same (RFC 2920 §3.1)
            self.out += b".\r\n"
            self._expected.append((Step.NOTHING, None))

    def _close(self, way: _Way, outcome: Outcome, step: Step, reply: Reply) -> None:
        way.answered = True
        self._ways.remove(way)
        self.served += 1
        self._settle(self._answer(way.letter, outcome, step, str(reply), reply))

    # ── commands ─────────────────────────────────────────────────────────────────────────

    def _ask(self, step: Step, command: str, way: _Way | None = None) -> None:
        self.out += command.encode() + b"\r\n"
        self._expected.append((step, way))

    def _hear_ehlo(self, reply: Reply) -> None:
        if not reply.good:
            self._helo = True
            self._ask(Step.EHLO, f"HELO {self._name}")
            return
        self._offers = offers(() if self._helo else reply.lines[1:])
        if self._relay.tls is Tls.STARTTLS and not self._secure:
            if "STARTTLS" not in self._offers:
                raise LineError(Step.STARTTLS, "it does not offer STARTTLS")
            self._ask(Step.STARTTLS, "STARTTLS")
        elif self._relay.user:
            self._ask_for_entry()
        else:
            self.open = True

    def _is_old(self, reply: Reply) -> bool:
        """It knows no EHLO: HELO will do, where neither TLS nor a password is wanted."""
        needed = self._relay.tls is Tls.STARTTLS or bool(self._relay.user)
        return reply.code >= 500 and not self._helo and not needed

    def _ask_for_entry(self) -> None:
        """AUTH PLAIN (RFC 4616), else LOGIN, where nobody can listen."""
        if not self._passwords_pass:
            raise LineError(Step.AUTH, "no password without TLS: use smtp+starttls:// or smtps://")
        offered = self._offers.passwords
        user, password = self._relay.user.encode(), self._relay.password.encode()
        if "PLAIN" in offered:
            self._ask(Step.AUTH, f"AUTH PLAIN {b64encode(_plain(user, password)).decode()}")
        elif "LOGIN" in offered:
            self._words = [b64encode(user), b64encode(password)]
            self._ask(Step.AUTH, "AUTH LOGIN")
        else:
            raise LineError(Step.AUTH, f"it offers neither AUTH PLAIN nor LOGIN: {' '.join(offered)[:80]}")

    def _without_secrets(self, said: str) -> str:
        """A server may repeat what it did not like."""
        user, password = self._relay.user.encode(), self._relay.password.encode()
        for secret in (b64encode(_plain(user, password)), b64encode(password), password):
            said = said.replace(secret.decode(), "…") if secret else said
        return said

    # ── letters ──────────────────────────────────────────────────────────────────────────

    def _answer(self, letter: Letter, outcome: Outcome, stage: Step, why: str, reply: Reply | None) -> Answer:
        code, status = (reply.code, reply.status) if reply else (None, None)
        return Answer(letter.number, outcome, self._told(why), code, status, stage.value)

    def _told(self, why: str) -> str:
        return plain_line(f"{self._relay.name}: {why}")[:SAID]

    def _stage(self) -> Step:
        return self._expected[0][0] if self._expected else Step.DATA


def _plain(user: bytes, password: bytes) -> bytes:
    return b"\0" + user + b"\0" + password
