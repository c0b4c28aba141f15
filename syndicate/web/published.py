"""The public folder's files, answered from memory before the application is asked.

A poll with nothing new costs a look into a dictionary: no routing, no request object, no database. The answers are
those that nginx would give for the same folder, with what a static server cannot know: until when to keep them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from syndicate.deliver import websub
from syndicate.deliver.codings import ENDINGS
from syndicate.deliver.public import KEPT, NEWEST, PublicFolder, PublishedFile
from syndicate.model import Publication
from syndicate.settings import Settings
from syndicate.web import freshness
from syndicate.web.answers import POLICY
from syndicate.web.given import SAFE, Given, unchanged

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SEALED = "public, max-age=86400, immutable"
"""For archive pages. Sealed, but what is withdrawn or corrected is written anew there, too, and seen within a day."""

BOOK = "public, max-age=3600"

XML = "application/xml; charset=utf-8"
"""What a browser is told that a feed is: under its own type browsers show the bare text, without its style."""

_LOOK_AGAIN = 0.25  # seconds for which an answer is given without looking at the folder
_ROOM = (
    64 * 1024 * 1024
)  # bytes of answers in memory: what is asked for within that time, and no ten years of books
_FEED = (".atom", ".rss", ".json")
_STYLED = (".atom", ".rss")


@dataclass(frozen=True, slots=True)
class Answer:
    """A file as it is answered in one coding."""

    until: float
    etag: str
    modified: datetime
    whole: Given
    head: Given
    known: Given


class Published:
    """A WSGI application that answers what is published and hands all else on to `app`."""

    def __init__(
        self, app: WSGIApplication, public: PublicFolder, settings: Settings, now: Callable[[], datetime]
    ) -> None:
        self._app = app
        self._public = public
        self._settings = settings
        self._papers = {paper.slug: paper for paper in settings.publications}
        self._now = now
        self._answers: dict[tuple[str, str, bool], Answer] = {}
        self._taken = 0

    def remembered(self, environ: Mapping[str, Any]) -> Given | None:
        """The answer to a request, if it is in memory and was looked after just now."""
        answer = self._answers.get(_key(environ))
        if answer is None or time.monotonic() > answer.until:
            return None
        return _given(environ, answer)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or hand on."""
        given = self.remembered(environ)
        if given is None and environ["REQUEST_METHOD"] in SAFE and (answer := self._look(*_key(environ))):
            given = _given(environ, answer)
        if given is None:
            return self._app(environ, start_response)
        start_response(given.line, given.headers)
        return [given.body]

    def _look(self, path: str, accepted: str, browsing: bool) -> Answer | None:
        named = _name(path)
        paper = self._papers.get(named[0]) if named else None
        if not named or paper is None:
            return None
        file = self._public.find(paper.slug, named[1], _accepted(accepted))
        if file is None:
            return None
        headers = self._headers(paper, named[1], file)
        if browsing and named[1].endswith(_STYLED):
            headers[0] = ("Content-Type", XML)
        known = unchanged(headers)
        headers.append(("Content-Length", str(len(file.body))))
        answer = Answer(
            until=time.monotonic() + _LOOK_AGAIN,
            etag=dict(headers)["ETag"],
            modified=file.modified,
            whole=Given(200, headers, file.body),
            head=Given(200, headers),
            known=known,
        )
        if not named[1].startswith(KEPT):
            self._remember((path, accepted, browsing), answer)
        return answer

    def _remember(self, key: tuple[str, str, bool], answer: Answer) -> None:
        self._taken += len(answer.whole.body) + len(key[0]) + len(key[1])
        if self._taken > _ROOM:
            self._answers.clear()
            self._taken = len(answer.whole.body)
        self._answers[key] = answer

    def _headers(self, paper: Publication, name: str, file: PublishedFile) -> list[tuple[str, str]]:
        return [
            ("Content-Type", file.type),
            ("ETag", f'{file.etag[:-1]}-{file.coding}"' if file.coding else file.etag),
            ("Last-Modified", format_datetime(file.modified, usegmt=True)),
            ("Cache-Control", self._freshness(paper, name)),
            ("Vary", "Accept-Encoding, Accept" if name.endswith(_STYLED) else "Accept-Encoding"),
            ("Access-Control-Allow-Origin", "*"),  # readers that live in a browser
            ("Access-Control-Expose-Headers", "ETag, Last-Modified, Link"),
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Security-Policy", POLICY),
            ("Referrer-Policy", "strict-origin-when-cross-origin"),
            *((("Content-Encoding", file.coding),) if file.coding else ()),
            *self._links(paper, name),
        ]

    def _links(self, paper: Publication, name: str) -> Sequence[tuple[str, str]]:
        if not name.endswith(_FEED):
            return ()
        topic = f"{self._settings.base_url}/{paper.slug}/{quote(name)}"
        hub = None if name.startswith(KEPT) else self._settings.hub_url
        return (("Link", websub.links(hub, topic)),)

    def _freshness(self, paper: Publication, name: str) -> str:
        if name.startswith(KEPT):
            return SEALED if name.endswith(_FEED) else BOOK
        told = self._public.find(paper.slug, NEWEST)
        newest = date.fromisoformat(told.body.decode()) if told else None
        return freshness.cache_control(paper, newest, self._now())


_PREFLIGHT = Given(
    204,
    [  # Fetch standard, §3.2.3: a reader in a browser asks before it sends what it knows
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", "GET, HEAD"),
        ("Access-Control-Allow-Headers", "If-None-Match, If-Modified-Since"),
        ("Access-Control-Max-Age", "86400"),
    ],
)
_PATH = re.compile(r"/([a-z0-9][a-z0-9-]*)/((?:feeds/|books/)[^\0]{1,300}|feeds\.opml)")


def _name(path: str) -> tuple[str, str] | None:
    """Paper and file that a path names; WSGI gives it as Latin-1 (PEP 3333)."""
    found = _PATH.fullmatch(path)
    if not found or found[2].endswith(tuple(ENDINGS.values())):
        return None
    try:
        return found[1], found[2].encode("latin-1").decode()
    except UnicodeError:
        return None


@lru_cache(maxsize=256)
def _accepted(header: str) -> tuple[str, ...]:
    """The codings that a client takes, those it likes best first, then the smallest (RFC 9110 §12.5.3)."""
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        name, _, said = part.partition(";")
        weight = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", said or "q=1")
        name = name.strip().removeprefix("x-")  # x-gzip is gzip (§8.4.1.3)
        weights[name] = float(weight[1]) if weight else 0.0
    liked = {coding: weights.get(coding, weights.get("*", 0.0)) for coding in ENDINGS}
    least = max(weights.get("identity", 0.0), 0.001)
    return tuple(sorted((c for c in ENDINGS if liked[c] >= least), key=lambda coding: -liked[coding]))


def _key(environ: Mapping[str, Any]) -> tuple[str, str, bool]:
    browsing = "text/html" in environ.get("HTTP_ACCEPT", "")
    return environ["PATH_INFO"], environ.get("HTTP_ACCEPT_ENCODING", ""), browsing


def _given(environ: Mapping[str, Any], answer: Answer) -> Given | None:
    """What is answered to this request for a file; None if that is not for a file to answer."""
    method = environ["REQUEST_METHOD"]
    if method == "OPTIONS":
        return _PREFLIGHT
    if method not in SAFE:
        return None
    if _is_known(environ, answer):
        return answer.known
    return answer.whole if method == "GET" else answer.head


def _is_known(environ: Mapping[str, Any], answer: Answer) -> bool:
    """Whether the client has this already (RFC 9110 §13.2.2)."""
    tags = environ.get("HTTP_IF_NONE_MATCH")
    if tags is not None:
        return tags == answer.etag or tags.strip() == "*" or _bare(answer.etag) in map(_bare, tags.split(","))
    since = environ.get("HTTP_IF_MODIFIED_SINCE")
    if not since:
        return False
    try:
        return parsedate_to_datetime(since) >= answer.modified
    except (TypeError, ValueError, OverflowError):
        return False


def _bare(tag: str) -> str:
    """The tag of the bytes, whatever coding they came in: the same text needs no second sending."""
    tag = tag.strip().removeprefix("W/").strip('"')
    return next((tag.removesuffix(f"-{c}") for c in ENDINGS if tag.endswith(f"-{c}")), tag)
