"""How fast mail may go to each domain, and which letter is next; pure, `now` in seconds of any steady clock.

Large receivers limit what comes from one sender and refuse the rest; they publish no figures, so the presets in
config/domains.toml are the experience of others (docs/settings.md names them) and are meant to be changed.

A domain has its turn, or it waits for a moment, or for an answer, or there is nothing for it. So what a letter costs
does not depend on how many domains there are.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Generic, TypeVar

from syndicate.model import Limit

T = TypeVar("T")

REST = 30.0  # seconds a domain is left alone after it refused for now; doubled each time, up to
LONGEST_REST = 3600.0


@dataclass(slots=True)
class _Domain(Generic[T]):
    limit: Limit
    waiting: deque[T] = field(default_factory=deque)
    under_way: int = 0
    next_at: float = 0.0  # within its limit
    rest: float = 0.0  # the last one, until a letter is taken
    until: float = 0.0  # it is left alone
    again: float = 0.0  # when it is looked at next
    ready: int = 0  # as it is counted

    @property
    def busy(self) -> bool:
        """Whether it waits for an answer: it has all it takes at a time; after a rest, one letter asks for all."""
        most = 1 if self.rest else self.limit.connections
        return 0 < most <= self.under_way

    @property
    def soon(self) -> int:
        """How many of those that wait could go out within a second."""
        most = int(self.limit.per_second) + 1 if self.limit.per_second else len(self.waiting)
        return min(most, len(self.waiting))


class Pace(Generic[T]):
    """Letters waiting for their turn, domain by domain, each domain within its limit, all within `per_second`.

    A domain is crowded when `crowd` letters wait for it, or when it is left alone for a while.
    """

    def __init__(
        self,
        limits: Mapping[str, Limit],
        *,
        domain: Callable[[T], str],
        per_second: float = 0.0,
        crowd: int = 300,
    ) -> None:
        self._limits = limits
        self._gap = 1 / per_second if per_second else 0.0
        self._domain = domain
        self._crowd = crowd
        self._domains: dict[str, _Domain[T]] = {}
        self._turn: OrderedDict[str, None] = OrderedDict()
        self._later: list[tuple[float, str]] = []  # a heap: when each is looked at again
        self._aside: set[str] = set()  # until an answer comes
        self._full: set[str] = set()
        self._away: set[str] = set()
        self._rests: dict[str, tuple[float, float]] = {}
        self._next_at = 0.0
        self.waiting = 0
        self.ready = 0  # of these could go out within a second
        self.crowding = 0  # counts how often a domain became crowded, or is so no more

    def add(self, letters: Iterable[T], now: float) -> None:
        """These wait, behind those of their domains."""
        for letter in letters:
            name = self._domain(letter)
            found = self._known(name)
            found.waiting.append(letter)
            self.waiting += 1
            self._place(name, found, now)

    def next(self, now: float) -> T | float | None:
        """The next letter; or the seconds until there may be one; None when none waits.

        A letter given out is under way until `done`.
        """
        self._wake(now)
        if not self.waiting:
            return None
        if now < self._next_at:
            return self._next_at - now
        if self._turn:
            name, _ = self._turn.popitem(last=False)
            return self._give(name, self._domains[name], now)
        soonest = self._later[0][0] - now if self._later else LONGEST_REST
        return min(soonest, _SOON) if self._aside else soonest

    def done(self, letter: T, now: float, *, refused: bool = False) -> None:
        """What became of it is known; `refused`: its server wants less, or nothing for now."""
        name = self._domain(letter)
        found = self._domains[name]
        found.under_way -= 1
        if refused and found.until <= now:  # what was under way beside it says nothing new
            found.rest = min(max(REST, found.rest * 2), LONGEST_REST)
            found.until = now + found.rest
            self._rests[name] = (found.rest, found.until)
        elif not refused and found.rest:
            found.rest = 0.0
            self._rests[name] = (0.0, found.until)
        self._place(name, found, now)

    def leave_alone(self, name: str, rest: float, left: float, now: float) -> None:
        """A domain refused before: it rests for so many seconds more, of so many."""
        found = self._known(name)
        found.rest, found.until = rest, now + left
        self._place(name, found, now)

    def rests(self) -> dict[str, tuple[float, float]]:
        """What has changed since this was last asked: how long each domain rests, 0: no more, and until when."""
        told, self._rests = self._rests, {}
        return told

    def crowded(self) -> frozenset[str]:
        """Domains of which no more are wanted."""
        return frozenset(self._full | self._away)

    def back(self, now: float) -> list[tuple[T, float]]:
        """Takes out all that wait, each with the seconds for which its domain wants to be left alone."""
        taken: list[tuple[T, float]] = []
        for name, found in list(self._domains.items()):
            wait = max(0.0, found.next_at - now, found.until - now)
            taken += [(letter, wait) for letter in found.waiting]
            found.waiting.clear()
            self._place(name, found, now)
        self.waiting = 0
        return taken

    def _known(self, name: str) -> _Domain[T]:
        found = self._domains.get(name)
        if found is None:
            found = self._domains[name] = _Domain(self._limits.get(name, _NONE))
        return found

    def _wake(self, now: float) -> None:
        """The moment has come for some."""
        while self._later and self._later[0][0] <= now:
            _, name = heappop(self._later)
            if name in self._domains:
                self._place(name, self._domains[name], now)

    def _give(self, name: str, found: _Domain[T], now: float) -> T:
        letter = found.waiting.popleft()
        self.waiting -= 1
        found.under_way += 1
        if found.limit.per_second:
            found.next_at = max(found.next_at, now) + 1 / found.limit.per_second
        self._next_at = max(self._next_at, now) + self._gap
        self._place(name, found, now)
        return letter

    def _place(self, name: str, found: _Domain[T], now: float) -> None:
        """The domain stands where it belongs from now on, and is counted there."""
        at = max(found.next_at, found.until)
        waits, aside = at > now, bool(found.waiting) and found.busy
        if waits and found.again != at:
            found.again = at
            heappush(self._later, (at, name))
        if found.waiting and not waits and not aside:
            self._turn.setdefault(name)
        else:
            self._turn.pop(name, None)
        (self._aside.add if aside and not waits else self._aside.discard)(name)
        ready = found.soon if at <= now + 1 and not aside else 0
        self.ready += ready - found.ready
        found.ready = ready
        self._mark(self._full, name, so=len(found.waiting) >= self._crowd)
        self._mark(self._away, name, so=at > now + _LONG)
        if not (found.waiting or found.under_way or found.rest or waits):
            del self._domains[name]

    def _mark(self, names: set[str], name: str, *, so: bool) -> None:
        if so != (name in names):
            (names.add if so else names.discard)(name)
            self.crowding += 1


_NONE = Limit()
_LONG = 5.0  # seconds: it rests, or is very slow
_SOON = 0.25  # seconds: an answer may come at any time
