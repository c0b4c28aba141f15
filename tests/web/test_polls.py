"""What is answered from memory: the same as the application says, to whom it belongs, and never without bound."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient

from syndicate.services import Services
from syndicate.web import polls
from syndicate.web.polls import NOTHING_SINCE, Polls
from tests.samples import ingest, issue

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FEED = "/qinglan/relay/all.json"


class Silent:
    """A paper in which nothing ever happens; it counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.asked += 1
        environ[NOTHING_SINCE] = 7
        start_response("200 OK", [("ETag", '"tag"'), ("Content-Length", "100")])
        return [b"x" * 100]


def ask(app: Polls, query: str = "", authorization: str = "", method: str = "GET", **more: str) -> str:
    environ = {"PATH_INFO": FEED, "QUERY_STRING": query, "REQUEST_METHOD": method, **more}
    if authorization:
        environ["HTTP_AUTHORIZATION"] = authorization
    said: list[str] = []
    app(environ, lambda status, *_: said.append(status))  # type: ignore[arg-type]  # nobody writes
    return said[0]


def test_what_was_answered_is_answered_without_the_application() -> None:
    paper = Silent()
    app = Polls(paper, lambda _: 7)

    for _ in range(5):
        ask(app, "after=abc&limit=5&wait=0")

    assert paper.asked == 1


def test_nobody_fills_the_memory_by_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polls, "KEPT", 50_000)
    app = Polls(Silent(), lambda _: 7)

    for n in range(300):
        ask(app, f"after={n}")
        ask(app, f"after=abc&nonsense={n}")
        ask(app, "after=abc", f"Bearer {n}{'x' * 1000}")
        ask(app, f"after={n}{'x' * 1000}")

    assert 40_000 < app.kept <= 50_000
    assert all(sum(map(len, key)) <= polls.LONGEST_KEY for key in app._kept)
    assert not any("nonsense" in query for _, query, _ in app._kept)


@pytest.mark.parametrize("tag", ['"tag"', 'W/"tag"', '"other", "tag"', 'W/"other",W/"tag"', "*"])
def test_a_tag_is_known_in_whatever_way_it_is_written(tag: str) -> None:
    app = Polls(Silent(), lambda _: 7)

    codes = [
        ask(app, "after=abc", method=method, HTTP_IF_NONE_MATCH=tag)
        for method in ("HEAD", "GET", "GET", "HEAD")
    ]

    assert codes == ["304 Not Modified"] * 4
    assert ask(app, "after=abc", HTTP_IF_NONE_MATCH='"other"') == "200 OK"


def test_head_says_what_get_says_without_the_body(client: FlaskClient, services: Services) -> None:
    ingest(services.db, issue())
    cursor = json.loads(client.get(FEED).data)["cursor"]
    path = f"{FEED}?after={cursor}"

    before, got, after = client.head(path), client.get(path), client.head(path)

    assert {one.headers["ETag"] for one in (before, got, after)} == {got.headers["ETag"]}
    assert {one.headers["Content-Length"] for one in (before, after)} == {str(len(got.data))}
    assert (before.data, after.data) == (b"", b"")
