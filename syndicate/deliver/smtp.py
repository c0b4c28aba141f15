"""Letters go to a mail server over some connections at once, in one thread that waits for none of them.

Where no witness hears (TLS), it listens before the end of each letter: one that was taken is noted as taken before
another one may be.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from functools import cache
from selectors import DefaultSelector
from time import monotonic

from syndicate.deliver.smtp_line import Address, Line, addresses
from syndicate.deliver.smtp_relay import Relay
from syndicate.deliver.smtp_replies import plain_line
from syndicate.deliver.smtp_talk import SAID, Journal, LineError, Step, Talk
from syndicate.model import Answer, Letter, Outcome

log = logging.getLogger(__name__)

NextLetter = Callable[[], Letter | float | None]
"""The next letter; or the seconds after which to ask again; or None: there are no more."""

LOOK = 1.0  # seconds between looks at who has been silent for too long
FULL = 60.0  # seconds without another connection beside those that stand, after one was refused
BARREN = 5  # connections in a row on which no letter was answered: something is wrong with the relay
GOOD_BYE = 2.0  # seconds for the answers to QUIT


def post(
    relay: Relay, connections: int, next_letter: NextLetter, journal: Journal, context: ssl.SSLContext | None
) -> Iterator[Answer]:
    """Send letters until there are no more; what became of each, as soon as it is known.

    Ends early when the relay cannot be reached: those it was asked to send are LATER, the others were not asked for.
    """
    sending = _Post(relay, connections, next_letter, journal, context)
    try:
        yield from sending.run()
        sending.say_good_bye()
    finally:
        sending.close()


class _Post:
    """The connections, and the letters that are not on one of them."""

    def __init__(
        self,
        relay: Relay,
        connections: int,
        next_letter: NextLetter,
        journal: Journal,
        context: ssl.SSLContext | None,
    ) -> None:
        self._relay = relay
        self._most = connections
        self._next_letter = next_letter
        self._journal = journal
        self._context = context
        self._selector = DefaultSelector()
        self._found: tuple[Address, ...] = ()
        self._lines: list[Line] = []
        self._turn: deque[Line] = deque()  # may say something now
        self._idle: deque[Line] = deque()  # had no letter when it was their turn
        self._waiting: deque[Letter] = deque()  # not begun
        self._returned: deque[Letter] = deque()  # begun on a connection that broke
        self._tried_again: set[int] = set()
        self._answers: deque[Answer] = deque()
        self._ended = False  # there are no more
        self._down = False  # the relay is: nothing is begun any more
        self._leaving = False
        self._ask_at = self._open_at = self._look_at = 0.0
        self._barren = 0

    def run(self) -> Iterator[Answer]:
        """Every letter's answer."""
        while not self._done():
            if not self._say() and not self._done():
                self._listen(self._patience())
            elif self._listens_first():
                self._listen(0.0)
            while self._answers:
                yield self._answers.popleft()
                self._ask_at = 0.0  # it may have made room for another letter

    def say_good_bye(self) -> None:
        """QUIT on each connection; what the server answers does not matter."""
        self._leaving = True
        for line in [line for line in self._lines if line.talk.idle]:
            line.talk.quit()
            self._write(line)
        end = monotonic() + GOOD_BYE
        while any(line.talk.waits_for is Step.QUIT for line in self._lines) and monotonic() < end:
            self._listen(0.1)

    def close(self) -> None:
        """All connections, at once."""
        for line in self._lines:
            line.close()
        self._selector.close()

    def _done(self) -> bool:
        if not self._ended or self._waiting or self._returned or self._answers:
            return False
        return not any(line.talk.busy for line in self._lines)

    def _patience(self) -> float:
        """Seconds to listen while there is nothing to say."""
        until_asking = self._ask_at - monotonic()
        return min(LOOK, until_asking) if until_asking > 0 and not self._ended else LOOK

    def _listens_first(self) -> bool:
        """Whether all wait for answers, or a letter ends next where nobody else would hear what was said before."""
        if not self._turn:
            return True
        talk = self._turn[0].talk
        return talk.wants_dot and talk.shared is None

    # ── listening ────────────────────────────────────────────────────────────────────────

    def _listen(self, seconds: float) -> None:
        """Hear what was said on all connections; after that go on writing where there was no room."""
        heard = []
        for key, events in self._selector.select(seconds):
            line: Line = key.data
            try:
                line.ready(events)
            except LineError as e:
                self._lose(line, e)
            else:
                heard.append(line)
        for line in heard:
            self._write(line)
        if monotonic() >= self._look_at:
            self._look_at = monotonic() + LOOK
            self._look()

    def _look(self) -> None:
        """Leave those that have been silent for too long."""
        for line in list(self._lines):
            try:
                line.check(monotonic())
            except LineError as e:
                self._lose(line, e)

    def _write(self, line: Line) -> None:
        """Send what is to be said; when all has gone it may be this line's turn."""
        try:
            if line.talk.out and not line.write():
                return
        except LineError as e:
            self._lose(line, e)
            return
        if not line.queued and (line.talk.wants_body or line.talk.wants_dot or line.talk.idle):
            line.queued = True
            self._turn.append(line)

    # ── saying ───────────────────────────────────────────────────────────────────────────

    def _say(self) -> bool:
        """Say one thing, or get a letter ready for it; False when there is nothing to say."""
        if not self._turn:
            return self._wake()
        line = self._turn[0]
        if line.talk.wants_body:
            line.talk.say_body()
        elif not self._waiting and not self._returned and self._ask():
            return True  # making it took a while: listen first
        elif line.talk.wants_dot:
            line.talk.hand(self._following(line))
        elif (letter := self._letter_for(line)) is not None:
            line.talk.offer(letter)
        else:
            self._idle.append(self._turn.popleft())
            return True
        self._turn.popleft()
        line.queued = False
        self._write(line)
        return True

    def _wake(self) -> bool:
        """A connection that has none, or a new one, for the next letter; False when there is neither."""
        opening = self._opening()
        stranded = self._returned and not opening and not self._may_open()
        if self._idle and (self._waiting or stranded or self._ask()):
            self._turn.append(self._idle.popleft())
            return True
        if self._may_open() and (len(self._waiting) + len(self._returned) > opening or self._ask()):
            self._open()
            return True
        # While all wait for the server: what goes out when it has answered.
        return len(self._waiting) < len(self._lines) and self._ask()

    def _ask(self) -> bool:
        """One more letter; False when there is none now."""
        if self._ended or monotonic() < self._ask_at:
            return False
        letter = self._next_letter()
        if isinstance(letter, Letter):
            self._waiting.append(letter)
            return True
        if letter is None:
            self._ended = True
        else:
            self._ask_at = monotonic() + letter
        return False

    def _following(self, line: Line) -> Letter | None:
        """The letter that is begun together with the end of this one."""
        starved = self._returned and not self._opening()  # for them a connection must fall idle
        if not self._waiting or starved or not line.talk.pipelining:
            return None
        return self._waiting.popleft()

    def _letter_for(self, line: Line) -> Letter | None:
        """What an idle connection sends next: a fresh one, what broke off on another."""
        fresh = line.talk.served == 0
        if self._returned and (fresh or not (self._opening() or self._may_open())):
            return self._returned.popleft()
        return self._waiting.popleft() if self._waiting else None

    # ── connections ──────────────────────────────────────────────────────────────────────

    def _opening(self) -> int:
        return sum(not line.talk.open for line in self._lines)

    def _may_open(self) -> bool:
        if self._down or len(self._lines) >= self._most:
            return False
        return not self._lines or monotonic() >= self._open_at

    def _open(self) -> None:
        talk = Talk(self._relay, own_name(), self._journal, self._settle, self._give_back)
        try:
            self._found = self._found or addresses(self._relay)
            self._lines.append(Line(self._relay, self._found, talk, self._context, self._selector))
        except LineError as e:
            self._refused(e)

    def _lose(self, line: Line, error: LineError) -> None:
        """A connection is gone; its letters are answered, or go another way."""
        line.close()
        self._lines.remove(line)
        if line.queued:
            (self._turn if line in self._turn else self._idle).remove(line)
        was_open, was_busy = line.talk.open, line.talk.busy
        line.talk.lost(error)
        if self._leaving:
            return
        if not was_open:
            self._refused(error)
        elif was_busy and line.talk.served == 0:
            self._barren += 1
            if self._barren >= BARREN:
                self._give_up(error)
        if self._returned and self._may_open():
            self._open()

    def _refused(self, error: LineError) -> None:
        """A connection could not be had."""
        log.warning("%s: %s", self._relay.name, error)
        self._open_at = monotonic() + FULL
        if not self._lines:
            self._give_up(error)

    def _give_up(self, error: LineError) -> None:
        """Nothing can be sent now: who waits is answered, who was not asked for is left in peace."""
        self._ended = self._down = True
        code, status = (error.reply.code, error.reply.status) if error.reply else (None, None)
        said = plain_line(f"{self._relay.name}: {error}")[:SAID]
        for letters in (self._returned, self._waiting):
            while letters:
                number = letters.popleft().number
                self._settle(Answer(number, Outcome.LATER, said, code, status, str(error.stage)))

    # ── letters ──────────────────────────────────────────────────────────────────────────

    def _settle(self, answer: Answer) -> None:
        self._answers.append(answer)
        if answer.outcome in (Outcome.TAKEN, Outcome.REFUSED):
            self._barren = 0

    def _give_back(self, letter: Letter, later: Answer) -> None:
        """It was begun on a connection that had carried others, and that broke: once more, on a fresh one."""
        if self._down or letter.number in self._tried_again:
            self._settle(later)
        else:
            self._tried_again.add(letter.number)
            self._returned.append(letter)


@cache
def own_name() -> str:
    """What we call ourselves in EHLO: the machine's full name, else an address (RFC 5321 §4.1.4)."""
    name = socket.getfqdn()
    return name if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", name) else "[127.0.0.1]"
