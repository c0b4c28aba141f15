"""Somebody else's server on this machine: a subscriber that behaves, or does not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from syndicate.deliver.outside import Outside, or_loopback

Respond = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Post:
    """What was sent to it."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Subscriber:
    """Remembers what it was asked and sent; what it answers is said by the test."""

    url: str
    asked: list[dict[str, str]] = field(default_factory=list)
    got: list[Post] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  # of the next answers to POST; then 204
    echo: Callable[[str], tuple[int, str]] = lambda challenge: (200, challenge)
    instead: Respond | None = None  # answers everything
    done: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Note the request, then say what the test wants said."""
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        if request.command == "POST":
            self.got.append(Post(request.path, dict(request.headers), body))
        else:
            self.asked.append({k: v[-1] for k, v in parse_qs(urlsplit(request.path).query).items()})
        if self.instead:
            self.instead(request)
        elif request.command == "POST":
            said(request, self.statuses.pop(0) if self.statuses else 204)
        else:
            said(request, *self.echo(self.asked[-1].get("hub.challenge", "")))


def said(request: BaseHTTPRequestHandler, status: int, text: str = "", **headers: str) -> None:
    """A whole answer."""
    body = text.encode()
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    if status != 204:
        request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def written(request: BaseHTTPRequestHandler, raw: bytes) -> None:
    """These bytes and nothing else."""
    request.wfile.write(raw)


def client(*, deadline: float = 10.0) -> Outside:
    """The service's own client, allowed to ask this machine."""
    return Outside("Syndicate (+https://paper.example)", allowed=or_loopback, ports=None, deadline=deadline)


@contextmanager
def subscriber(host: str = "127.0.0.1", port: int = 0) -> Iterator[Subscriber]:
    """A subscriber that listens until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):  # the client has heard enough
                heard.answer(self)

        do_POST = do_GET  # noqa: N815  # http.server's name

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((host, port), Handler) as server:
        heard = Subscriber(f"http://{host}:{server.server_port}/callback?k=7f3a")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield heard
        finally:
            heard.done.set()
            server.shutdown()
            thread.join()
