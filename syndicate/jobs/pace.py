"""How fast mail may go to each domain, and which letter is next; pure, `now` in seconds of any steady clock.

Large receivers limit what comes from one sender and refuse the rest; they publish no figures, so the presets in
config/domains.toml are the experience of others (docs/settings.md names them) and are meant to be changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
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
    next_at: float = 0.0
    rest: float = 0.0


class Pace(Generic[T]):
    """Letters waiting for their turn, domain by domain, each domain within its limit, all within `per_second`."""

    def __init__(
        self, limits: Mapping[str, Limit], *, per_second: float = 0.0, domain: Callable[[T], str]
    ) -> None:
        self._limits = limits
        self._gap = 1 / per_second if per_second else 0.0
        self._domain = domain
        self._domains: dict[str, _Domain[T]] = {}
        self._turn: deque[str] = deque()
        self._next_at = 0.0
        self.waiting = 0

    def add(self, letters: Iterable[T]) -> None:
        """These wait, behind those of their domains."""
        for letter in letters:
            name = self._domain(letter)
            known = self._domains.get(name)
            if known is None:
                known = self._domains[name] = _Domain(self._limits.get(name, _NONE))
            if not known.waiting:
                self._turn.append(name)
            known.waiting.append(letter)
            self.waiting += 1

    def next(self, now: float) -> T | float | None:
        """The next letter; or the seconds until there may be one; None when none waits.

        A letter given out is under way until `done`.
        """
        if not self.waiting:
            return None
        if now < self._next_at:
            return self._next_at - now
        soonest = LONGEST_REST
        for _ in range(len(self._turn)):
            name = self._turn.popleft()
            found = self._domains[name]
            wait = self._wait(found, now)
            if wait <= 0:
                return self._give(name, found, now)
            self._turn.append(name)
            soonest = min(soonest, wait)
        return soonest

    def done(self, letter: T, now: float, *, refused: bool = False) -> None:
        """What became of it is known; `refused`: its server wants less, or nothing for now."""
        found = self._domains[self._domain(letter)]
        found.under_way -= 1
        if refused:
            found.rest = min(max(REST, found.rest * 2), LONGEST_REST)
            found.next_at = max(found.next_at, now + found.rest)
        else:
            found.rest = 0.0

    def ready(self, now: float) -> int:
        """How many could go out within the next second."""
        return sum(self._soon(one, now) for one in self._domains.values())

    def crowded(self, most: int, now: float) -> frozenset[str]:
        """Domains of which no more are wanted: so many wait, or it is left alone."""
        return frozenset(
            name
            for name, one in self._domains.items()
            if len(one.waiting) >= most or one.next_at > now + _LONG
        )

    def back(self, now: float) -> list[tuple[T, float]]:
        """Takes out all that wait, each with the seconds for which its domain wants to be left alone."""
        found = [
            (letter, max(0.0, one.next_at - now)) for one in self._domains.values() for letter in one.waiting
        ]
        for one in self._domains.values():
            one.waiting.clear()
        self._turn.clear()
        self.waiting = 0
        return found

    def resting(self, now: float) -> dict[str, float]:
        """Domains that are left alone, and for how many seconds more."""
        return {
            name: one.next_at - now for name, one in self._domains.items() if one.rest and one.next_at > now
        }

    def _soon(self, domain: _Domain[T], now: float) -> int:
        if domain.next_at > now + 1:
            return 0
        most = int(domain.limit.per_second) + 1 if domain.limit.per_second else len(domain.waiting)
        return min(most, len(domain.waiting))

    def _wait(self, domain: _Domain[T], now: float) -> float:
        if domain.limit.connections and domain.under_way >= domain.limit.connections:
            return _SOON
        return domain.next_at - now

    def _give(self, name: str, domain: _Domain[T], now: float) -> T:
        letter = domain.waiting.popleft()
        if domain.waiting:
            self._turn.append(name)
        self.waiting -= 1
        domain.under_way += 1
        if domain.limit.per_second:
            domain.next_at = max(domain.next_at, now) + 1 / domain.limit.per_second
        self._next_at = max(self._next_at, now) + self._gap
        return letter


_NONE = Limit()
_LONG = 5.0  # seconds: it rests, or is very slow
_SOON = 0.25  # seconds: an answer may come at any time
