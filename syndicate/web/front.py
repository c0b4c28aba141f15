"""What the web server calls: who asks for what is in memory is answered at once, all else by threads of a pool.

Python runs one thread at a time. Where many take requests, each answer wakes another of them that then waits for its
turn, which costs more than the answer. So granian has few threads, and what takes time leaves them: what is looked up,
rendered, and above all polls that wait. Only what is sent with a body stays, until it is answered.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from flask import Flask
from granian.wsgi import _callback_wrapper

from syndicate.web import waiting
from syndicate.web.given import SAFE, Given, Headers

IN_MEMORY = (
    "syndicate.in_memory"  # the app's extension: what is asked, in this order, for an answer it remembers
)
ANSWERING = 2 * (os.cpu_count() or 1) + 1  # threads of a worker; more gain nothing
THREADS = ANSWERING + waiting.SEATS  # a poll that waits sleeps in one; they are started when they are needed

log = logging.getLogger(__name__)


class Request(Protocol):
    """granian's side of a request: it is answered by this call, from whichever thread."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer."""


def front(app: Flask, *granian: Any) -> Callable[[Request, dict[str, Any]], None]:
    """What granian calls for each request to `app`, in place of its own wrapper, which is given `granian`."""
    remembering: tuple[Callable[[Mapping[str, Any]], Given | None], ...] = app.extensions[IN_MEMORY]
    through = _callback_wrapper(app, *granian)
    pool = ThreadPoolExecutor(THREADS, "answering")

    def slowly(request: Request, environ: dict[str, Any]) -> None:
        try:
            through(request, environ)
        except Exception:
            log.exception("%s %s", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            request.response_bytes(500, [], b"")

    def answer(request: Request, environ: dict[str, Any]) -> None:
        for remembered in remembering:
            if given := remembered(environ):
                request.response_bytes(*given)
                return
        if environ["REQUEST_METHOD"] in SAFE:
            pool.submit(slowly, request, environ)
        else:  # granian gives the body only until this call is over
            through(request, environ)

    return answer
