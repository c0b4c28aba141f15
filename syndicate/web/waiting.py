"""Polls that wait: each holds a thread of the server and no more; one thread looks for all whether anything happened.

Nobody tells a server of this kind that who asked has gone. So seats are counted by bot: who asks once too often takes
the seat of his own oldest poll, and when all are taken, who holds the most gives one up.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from syndicate.errors import StoreError

SEATS = (
    24  # polls of a process that wait at a time; the server has threads for them besides those that answer
)
OF_ONE = 3  # of one bot, or one network: a bot that was started anew, and its brothers
LOOK = 0.5  # seconds between two looks


class Ended(StrEnum):
    """Why waiting ended."""

    HAPPENED = "happened"
    TIME = "time"
    CROWDED = "crowded"  # there was no seat, or another was given this one


@dataclass(eq=False, slots=True)
class _Poll:
    paper: str
    bot: str
    seen: int  # the last event that it knows of
    ended: Ended = Ended.TIME
    bell: threading.Event = field(default_factory=threading.Event)

    def end(self, why: Ended) -> None:
        self.ended = why
        self.bell.set()


class Waiting:
    """The polls of this process that wait, the oldest first."""

    def __init__(self, newest: Callable[[str], int], stopping: threading.Event) -> None:
        self._newest = newest
        self._stopping = stopping
        self._lock = threading.Lock()
        self._polls: list[_Poll] = []
        self._watched = False

    def wait(self, paper: str, bot: str, seen: int, seconds: float) -> Ended:
        """Wait until something happens in the paper after the event `seen`, so many seconds at most."""
        poll = _Poll(paper, bot, seen)
        with self._lock:
            if not self._seated(poll):
                return Ended.CROWDED
            if not self._watched:
                self._watched = True
                threading.Thread(target=self._watch, name="waiting polls", daemon=True).start()
        poll.bell.wait(seconds)
        with self._lock:
            if poll in self._polls:
                self._polls.remove(poll)
        return poll.ended

    def _seated(self, poll: _Poll) -> bool:
        """Give the poll a seat, if need be another's."""
        held = Counter(other.bot for other in self._polls)
        greedy, most = max(held.items(), key=lambda one: one[1], default=("", 0))
        if held[poll.bot] >= OF_ONE:
            self._displace(poll.bot)
        elif len(self._polls) >= SEATS and most > held[poll.bot] + 1:
            self._displace(greedy)
        elif len(self._polls) >= SEATS:
            return False
        self._polls.append(poll)
        return True

    def _displace(self, bot: str) -> None:
        oldest = next(poll for poll in self._polls if poll.bot == bot)
        self._polls.remove(oldest)
        oldest.end(Ended.CROWDED)

    def _watch(self) -> None:
        """Look as long as somebody waits. Who cannot be looked for is woken, and finds out for himself."""
        while True:
            with self._lock:
                if not self._polls:
                    self._watched = False
                    return
                papers = {poll.paper for poll in self._polls}
            if self._stopping.wait(LOOK):
                self._wake(lambda _: True, Ended.TIME)
            for paper in papers:
                try:
                    newest = self._newest(paper)
                except StoreError:
                    self._wake(partial(_of, paper), Ended.HAPPENED)
                else:
                    self._wake(partial(_behind, paper, newest), Ended.HAPPENED)

    def _wake(self, wanted: Callable[[_Poll], bool], why: Ended) -> None:
        with self._lock:
            woken = [poll for poll in self._polls if wanted(poll)]
            self._polls = [poll for poll in self._polls if poll not in woken]
        for poll in woken:
            poll.end(why)


def _of(paper: str, poll: _Poll) -> bool:
    return poll.paper == paper


def _behind(paper: str, newest: int, poll: _Poll) -> bool:
    return poll.paper == paper and poll.seen < newest
