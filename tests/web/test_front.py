"""Who answers: the thread that took the request, or one of the pool."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from flask import Flask
from flask import request as asked
from werkzeug.test import create_environ

from syndicate.web.front import IN_MEMORY, front
from syndicate.web.given import Given, Headers

OPTIONS: tuple[Any, ...] = ({"url_path_prefix": None}, None)  # as granian gives them to its own wrapper
READY = Given(200, [("Content-Type", "text/plain")], b"ready")


class Request:
    """A request that remembers how it was answered, and by which thread."""

    def __init__(self, path: str) -> None:
        self.environ = create_environ(path)
        self.answer: tuple[int, Headers, bytes] | None = None
        self.by = 0
        self.answered = threading.Event()

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        self.answer = self.answer or (status, headers, body)
        self.by = threading.get_ident()
        self.answered.set()

    def response_iter(self, status: int, headers: Headers, body: Any) -> None:
        said = []
        try:
            while True:
                said.append(body.__next__())
        except StopIteration:
            body.close()
        self.response_bytes(status, headers, b"".join(said))


@pytest.fixture
def app() -> Flask:
    made = Flask("tested")
    made.extensions[IN_MEMORY] = (
        lambda environ: READY if environ["PATH_INFO"] == "/first" else None,
        lambda environ: READY._replace(body=b"second") if environ["PATH_INFO"] == "/second" else None,
    )
    made.add_url_rule("/slow", view_func=lambda: "looked up")
    return made


@pytest.mark.parametrize(("path", "body"), [("/first", b"ready"), ("/second", b"second")])
def test_what_is_in_memory_is_answered_by_the_thread_that_took_the_request(
    app: Flask, path: str, body: bytes
) -> None:
    request = Request(path)

    front(app, *OPTIONS)(request, request.environ)

    assert request.answer == (200, READY.headers, body)
    assert request.by == threading.get_ident()


def test_what_must_be_looked_up_leaves_that_thread_free(app: Flask) -> None:
    request = Request("/slow")

    front(app, *OPTIONS)(request, request.environ)

    assert request.answered.wait(10)
    assert request.answer is not None
    assert request.answer[0] == 200
    assert request.answer[2] == b"looked up"
    assert request.by != threading.get_ident()


def test_a_failure_outside_the_application_is_told_and_answered(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(environ: Any, start_response: Any) -> Any:
        raise RuntimeError("no disk")

    app.wsgi_app = broken  # type: ignore[method-assign]  # as Flask advises
    request = Request("/slow")

    with caplog.at_level(logging.ERROR):
        front(app, *OPTIONS)(request, request.environ)
        assert request.answered.wait(10)

    assert request.answer == (500, [], b"")
    assert "GET /slow" in caplog.text
    assert "no disk" in caplog.text


def test_what_comes_with_a_body_is_answered_while_the_body_can_be_read(app: Flask) -> None:
    request = Request("/form")
    request.environ |= create_environ("/form", method="POST", data={"name": "value"})
    app.add_url_rule("/form", "form", lambda: asked.form["name"], methods=["POST"])

    front(app, *OPTIONS)(request, request.environ)

    assert request.answer is not None
    assert request.answer[2] == b"value"
    assert request.by == threading.get_ident()
