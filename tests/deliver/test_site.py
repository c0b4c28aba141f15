"""Does the site answer?"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from syndicate.deliver import site


class Health(BaseHTTPRequestHandler):
    """A site that is well at /health, and has nothing else."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_site_that_answers_has_no_fault(address: str) -> None:
    assert site.fault(address) is None


def test_a_site_that_is_ill_is_told_by_its_answer(address: str) -> None:
    assert site.fault(f"{address}/elsewhere") == "answers 503"


def test_a_site_that_is_down_does_not_answer() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    assert site.fault(f"http://127.0.0.1:{port}") == "does not answer (ConnectionError)"
