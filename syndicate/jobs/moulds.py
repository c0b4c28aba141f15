"""What the letters of a run are cast from, each made once: a mould for all who get the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from syndicate import store
from syndicate.errors import IssueError
from syndicate.jobs import compose
from syndicate.model import Cast, Choice, Digest, Envelope, StoredDigest
from syndicate.render import digest, letters
from syndicate.services import Services
from syndicate.store import digests

Write = Callable[[Envelope], Cast]

AT_HAND = 64  # moulds
CHOICES = 4096  # of which it is known what fits them


class Moulds:
    """Digests, what they tell, and moulds, as they were when each was first wanted."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.digest = lru_cache(AT_HAND)(self._find)
        self._told = lru_cache(AT_HAND)(self._tell)
        self._contents = lru_cache(1)(self._compose)
        self._key = lru_cache(CHOICES)(self._key_of)
        self._made: dict[object, Write] = {}
        self._wanted: set[object] = set()

    def of(self, number: int, choice: Choice, language: str) -> Write | None:
        """Writes the letters of who chose that; None when there is nothing in them.

        Who gets the same articles shares a mould. It costs two letters, so the first one is written without it.
        """
        key = self._key(number, choice, language)
        if key is None or key in self._made:
            return self._made.get(key)
        contents = self._contents(number, choice, language)
        if contents is None:
            return None
        if key in self._wanted:
            return self._keep(key, _mould(contents))
        self._wanted.add(key)
        return _alone(contents)

    def _keep(self, key: object, write: Write) -> Write:
        if len(self._made) >= AT_HAND:
            self._made.pop(next(iter(self._made)))
        self._made[key] = write
        return write

    def _key_of(self, number: int, choice: Choice, language: str) -> object:
        contents = self._contents(number, choice, language)
        if contents is None:
            return None
        shown = tuple(entry.id for section in contents.sections for entry in section.entries)
        return number, language, shown, contents.corrected, contents.withdrawn

    def _compose(self, number: int, choice: Choice, language: str) -> Digest | None:
        return compose.compose(self._services, self._told(number), choice, language)

    def _tell(self, number: int) -> compose.Told:
        with store.reading(self._services.db) as db:
            return compose.told(db, self.digest(number))

    def _find(self, number: int) -> StoredDigest:
        with store.reading(self._services.db) as db:
            found = digests.find(db, number)
        if found is None:
            raise IssueError(f"digest {number} is not in the ledger")
        return found


def _alone(contents: Digest) -> Write:
    return lambda envelope: letters.cast(digest.message(contents, envelope))


def _mould(contents: Digest) -> Write:
    return letters.mould(lambda envelope: digest.message(contents, envelope)).cast
