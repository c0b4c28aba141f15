"""What the letters of a run are cast from, each made once: a mould for all who get the same."""

from __future__ import annotations

from functools import lru_cache

from syndicate import store
from syndicate.errors import IssueError
from syndicate.jobs import compose
from syndicate.model import Choice, Digest, StoredDigest
from syndicate.render import digest, letters
from syndicate.render.letters import Mould
from syndicate.services import Services
from syndicate.store import digests

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
        self._made: dict[object, Mould] = {}

    def of(self, number: int, choice: Choice, language: str) -> Mould | None:
        """The mould for who chose that; None when there is nothing in it. Who gets the same articles shares it."""
        key = self._key(number, choice, language)
        if key is not None and key not in self._made and (told := self._contents(number, choice, language)):
            self._keep(key, told)
        return self._made.get(key)

    def _keep(self, key: object, contents: Digest) -> None:
        if len(self._made) >= AT_HAND:
            self._made.pop(next(iter(self._made)))
        self._made[key] = letters.mould(lambda envelope: digest.message(contents, envelope))

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
