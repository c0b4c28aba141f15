"""Polls of relay bots with nothing new, answered from memory before the application is asked.

An answer without messages stays right until something happens in the paper; so it is kept, and given again as long as
the number of the paper's last event is the same. That number is asked of the database four times a second, whoever and
however many poll. Such answers cost next to nothing and count for no limit.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NOTHING_SINCE = (
    "syndicate.nothing_since"  # in the request's environment: the last event, where there is no message
)
LOOK_AGAIN = 0.25  # seconds
_MOST = 5000  # answers kept
_SHORT = (
    "ETag",
    "Cache-Control",
    "Vary",
    "Access-Control-Allow-Origin",
)  # RFC 9110 §15.4.5, and for browsers
_PATH = re.compile(r"/([a-z0-9][a-z0-9-]*)/relay/[^/]+\.json")


@dataclass(frozen=True, slots=True)
class Nothing:
    """An answer without messages, and the last event when it was given."""

    newest: int
    etag: str
    headers: list[tuple[str, str]]
    short: list[tuple[str, str]]  # those of a 304
    body: tuple[bytes, ...]


class Polls:
    """A WSGI application that answers what it has answered before, and hands all else on to `app`."""

    def __init__(self, app: WSGIApplication, newest: Callable[[str], int]) -> None:
        self._app = app
        self._newest = newest
        self._looked: dict[str, tuple[float, int]] = {}
        self._kept: dict[tuple[str, str, str], Nothing] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or hand on."""
        key = (environ["PATH_INFO"], environ.get("QUERY_STRING", ""), environ.get("HTTP_AUTHORIZATION", ""))
        known = self._kept.get(key)
        if known is not None and environ["REQUEST_METHOD"] == "GET":
            if self._last(key[0].split("/", 2)[1]) == known.newest:
                if environ.get("HTTP_IF_NONE_MATCH") == known.etag:
                    start_response("304 Not Modified", known.short)
                    return ()
                start_response("200 OK", known.headers)
                return known.body
            self._kept.pop(key, None)
        if environ["REQUEST_METHOD"] == "GET" and _PATH.fullmatch(key[0]) and "wait=" not in key[1]:
            return self._asked(key, environ, start_response)
        return self._app(environ, start_response)

    def _asked(
        self, key: tuple[str, str, str], environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """The application's answer; kept, if it says that there is nothing."""
        asked = {name: value for name, value in environ.items() if name != "HTTP_IF_NONE_MATCH"}
        given: list[Any] = []
        answer = self._app(asked, lambda *said: given.append(said))  # type: ignore[arg-type]  # nobody writes
        try:
            body = tuple(answer)
        finally:
            if close := getattr(answer, "close", None):  # PEP 3333
                close()
        status, headers, *_ = given[0]
        etag = dict(headers).get("ETag", "")
        newest = asked.get(NOTHING_SINCE)
        if isinstance(newest, int):
            short = [(name, value) for name, value in headers if name in _SHORT]
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[key] = Nothing(newest, etag, headers, short, body)
        if status.startswith("200") and etag and environ.get("HTTP_IF_NONE_MATCH") == etag:
            start_response("304 Not Modified", [(name, value) for name, value in headers if name in _SHORT])
            return ()
        start_response(status, headers)
        return body

    def _last(self, slug: str) -> int:
        """The paper's last event, as it was a quarter of a second ago at most."""
        now = time.monotonic()
        looked = self._looked.get(slug)
        if looked is None or now > looked[0]:
            looked = self._looked[slug] = (now + LOOK_AGAIN, self._newest(slug))
        return looked[1]
