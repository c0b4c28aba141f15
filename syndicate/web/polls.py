"""Polls of relay bots with nothing new, answered from memory before the application is asked.

An answer without messages stays right until something happens in the paper; so it is kept, and given again as long as
the number of the paper's last event is the same. That number is asked of the database four times a second, whoever and
however many poll. Such answers cost next to nothing and count for no limit. What is kept is bounded in bytes, and only
what is asked as the relay's description says it is kept: nobody fills the memory by asking.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from werkzeug.http import parse_etags, unquote_etag

from syndicate.web.given import Given, unchanged

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NOTHING_SINCE = (
    "syndicate.nothing_since"  # in the request's environment: the last event, where there is no message
)
LOOK_AGAIN = 0.25  # seconds
KEPT = 4_000_000  # bytes of answers
LONGEST_KEY = 1000  # characters of what an answer is kept by: a cursor of usual length has fifty
_OVERHEAD = 2000  # bytes that Python takes for an answer, beside its words
_PATH = re.compile(r"/([a-z0-9][a-z0-9-]*)/relay/[^/]+\.json")
_QUERY = re.compile(
    r"(?:(?:after=[\w-]*|limit=[0-9]{1,3}|wait=0)(?:&|$))*", re.ASCII
)  # who waits is not answered here
_METHODS = ("GET", "HEAD")

_Key = tuple[str, str, str]  # path, query, authorization


@dataclass(frozen=True, slots=True)
class Nothing:
    """An answer without messages, and the last event when it was given."""

    newest: int
    etag: str
    headers: list[tuple[str, str]]
    unchanged: Given  # to who has it
    body: bytes

    @property
    def size(self) -> int:
        """How many bytes it takes, about."""
        words = sum(len(name) + len(value) for name, value in self.headers)
        return _OVERHEAD + words + len(self.body)


class Polls:
    """A WSGI application that answers what it has answered before, and hands all else on to `app`."""

    def __init__(self, app: WSGIApplication, newest: Callable[[str], int]) -> None:
        self._app = app
        self._newest = newest
        self._looked: dict[str, tuple[float, int]] = {}
        self._kept: dict[_Key, Nothing] = {}
        self._bytes = 0
        self._lock = Lock()  # of what is kept, for who changes it

    @property
    def kept(self) -> int:
        """How many bytes the answers kept take, about."""
        return self._bytes

    def remembered(self, environ: Mapping[str, Any]) -> Given | None:
        """The answer to a request, if it is kept and the database was asked just now."""
        key = _key(environ)
        known = self._kept.get(key)
        if known is None or environ["REQUEST_METHOD"] not in _METHODS:
            return None
        looked = self._looked.get(_paper(key))
        if looked is None or time.monotonic() > looked[0] or looked[1] != known.newest:
            return None
        return _given(environ, known)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or hand on."""
        key = _key(environ)
        method = environ["REQUEST_METHOD"]
        known = self._kept.get(key)
        if known is not None and method in _METHODS:
            if self._last(_paper(key)) == known.newest:
                given = _given(environ, known)
                start_response(given.line, given.headers)
                return [given.body]
            self._drop(key)
        if method in _METHODS and _PATH.fullmatch(key[0]) and _QUERY.fullmatch(key[1]):
            return self._asked(key, environ, start_response)
        return self._app(environ, start_response)

    def _asked(self, key: _Key, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The application's answer; kept, if it says that there is nothing."""
        asked = {name: value for name, value in environ.items() if name != "HTTP_IF_NONE_MATCH"}
        given: list[Any] = []
        answer = self._app(asked, lambda *said: given.append(said))  # type: ignore[arg-type]  # nobody writes
        try:
            body = b"".join(answer)
        finally:
            if close := getattr(answer, "close", None):  # PEP 3333
                close()
        status, headers, *_ = given[0]
        etag = dict(headers).get("ETag", "")
        newest = asked.get(NOTHING_SINCE)
        same = unchanged(headers)
        if isinstance(newest, int) and environ["REQUEST_METHOD"] == "GET":
            self._keep(key, Nothing(newest, etag, headers, same, body))
        if status.startswith("200") and etag and _has(environ, etag):
            start_response(same.line, same.headers)
            return []
        start_response(status, headers)
        return [body]

    def _keep(self, key: _Key, said: Nothing) -> None:
        """Keep an answer, and let go of the oldest for which there is no room any more."""
        if sum(map(len, key)) > LONGEST_KEY:
            return
        self._drop(key)
        with self._lock:
            self._kept[key] = said
            self._bytes += said.size
            while self._bytes > KEPT:
                self._bytes -= self._kept.pop(next(iter(self._kept))).size

    def _drop(self, key: _Key) -> None:
        with self._lock:
            if gone := self._kept.pop(key, None):
                self._bytes -= gone.size

    def _last(self, slug: str) -> int:
        """The paper's last event, as it was a quarter of a second ago at most."""
        now = time.monotonic()
        looked = self._looked.get(slug)
        if looked is None or now > looked[0]:
            looked = self._looked[slug] = (now + LOOK_AGAIN, self._newest(slug))
        return looked[1]


def _key(environ: Mapping[str, Any]) -> _Key:
    return environ["PATH_INFO"], environ.get("QUERY_STRING", ""), environ.get("HTTP_AUTHORIZATION", "")


def _paper(key: _Key) -> str:
    return key[0].split("/", 2)[1]


def _given(environ: Mapping[str, Any], known: Nothing) -> Given:
    if _has(environ, known.etag):
        return known.unchanged
    return Given(200, known.headers, known.body if environ["REQUEST_METHOD"] == "GET" else b"")


def _has(environ: Mapping[str, Any], etag: str) -> bool:
    """Whether who asks has this answer already: weakly compared, in a list, or by `*` (RFC 9110 §13.1.2)."""
    said = environ.get("HTTP_IF_NONE_MATCH")
    if said is None or said == etag:
        return said is not None
    tag, _ = unquote_etag(etag)
    return tag is not None and parse_etags(said).contains_weak(tag)
