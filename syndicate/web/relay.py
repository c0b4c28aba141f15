"""The relay: bots ask what is new and get messages that are ready to forward, each once.

    GET /qinglan/relay/all.json?after=<cursor>&limit=20&wait=30

`after` is the cursor of the last answer; without it a bot gets the newest issue from its first article on, and with
`after=now` only a cursor. An answer with nothing new costs next to nothing (see polls.py), and is not counted.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable
from typing import Any

from flask import Flask, Response, current_app
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import HTTPException, NotFound

from syndicate import store
from syndicate.model import Publication
from syndicate.render import wechat
from syndicate.render.wechat import Told
from syndicate.services import Services
from syndicate.store import issues, relays
from syndicate.store.relays import Cursor, Happened
from syndicate.web import answers, cursors, rates
from syndicate.web.addresses import GET, Route
from syndicate.web.polls import NOTHING_SINCE
from syndicate.web.visit import Visit
from syndicate.web.waiting import Ended, Waiting

MOST = 100  # messages in an answer
USUAL = 20
LONGEST = 30  # seconds that a poll may wait
NO_ROOM = 10  # seconds after which who found no room to wait may ask again
A_MINUTE = 60  # answers with messages for one bot: one each second is more than any group reads
VERSION = 1  # of the answers
A_HOST, A_LINE = (
    32,
    64,
)  # bits: bots at addresses of one /24 are strangers; IPv6 gives a line a /64 (RFC 4291)

_RATE = RateLimitItemPerMinute(A_MINUTE)
_FEED = re.compile(r"all|page-[1-9][0-9]{0,3}|(?:section|byline|series)-[\w-]{1,120}")
_ADDRESS = re.compile(r"/[a-z0-9][a-z0-9-]*/relay/[^/]*")


def set_up(app: Flask, services: Services) -> None:
    """Give the application what outlives a request: who waits, and how often each has been answered."""
    app.extensions["syndicate.waiting"] = Waiting(lambda slug: newest(services, slug), services.stopping)
    app.extensions["syndicate.relay"] = MovingWindowRateLimiter(MemoryStorage())


def relay(visit: Visit, paper: Publication, feed: str) -> Response:
    """What is new since a cursor, as messages; 400, 401, 404 or 429 in one line of JSON."""
    bot = _bot(visit, paper)
    if bot is None:
        return _refused(401, "a token is wanted: Authorization: Bearer …", ("WWW-Authenticate", "Bearer"))
    if not _known(visit, paper, feed):
        return _renamed(visit, paper, feed)
    asked = visit.request.args
    limit, wait = _number(asked.get("limit"), USUAL, MOST), _number(asked.get("wait"), 0, LONGEST)
    after = asked.get("after", "")
    cursor = Cursor(0) if after in ("", "now") else cursors.read(after, paper.slug)
    if cursor is None or limit is None or wait is None or limit == 0:
        return _refused(
            400, f"after: a cursor that was given out here; limit: 1 to {MOST}; wait: 0 to {LONGEST}"
        )
    if not _limiter().test(_RATE, paper.slug, bot):
        return _too_many(paper, bot)
    if after in ("", "now"):
        cursor, wait = _begin(visit, paper, now=bool(after)), 0
    return _told(visit, paper, feed, cursor, limit, wait, bot)


def newest(services: Services, slug: str) -> int:
    """The number of the paper's last event."""
    with store.reading(services.db) as db:
        return relays.newest(db, slug)


def answers_at(path: str) -> bool:
    """Whether the address is one where programs ask: what goes wrong there is said in JSON."""
    return _ADDRESS.fullmatch(path) is not None


def failed(error: HTTPException) -> Response:
    """The error in one line of JSON."""
    return _refused(error.code or 500, "there is no such paper or feed" if error.code == 404 else error.name)


def description(visit: Visit) -> Response:
    """The API in OpenAPI's words (openapis.org, 3.1)."""
    text = (answers.TEMPLATES / "relay.openapi.json").read_text(encoding="utf-8")
    said = json.loads(text) | {"servers": [{"url": visit.services.settings.base_url}]}
    answer = _json(said)
    answers.mark(answer, ())
    return answer


ROUTES: tuple[Route, ...] = (
    ("/<paper:paper>/relay/<feed:feed>.json", GET, relay),
    ("/relay/openapi.json", GET, description),
)


def _told(
    visit: Visit, paper: Publication, feed: str, cursor: Cursor, limit: int, wait: int, bot: str
) -> Response:
    """The messages after the cursor; with `wait`, as soon as there are any or the time is over."""
    found, after, last = _look(visit, paper, feed, cursor, limit)
    if cursor.at > last:
        return _refused(400, "after: a cursor of another database; begin anew, without it or with after=now")
    end, ended = time.monotonic() + wait, Ended.HAPPENED
    while not found and ended is Ended.HAPPENED and (left := end - time.monotonic()) > 0:
        ended = _waiting().wait(paper.slug, bot, last, left)
        if ended is Ended.HAPPENED:
            found, after, last = _look(visit, paper, feed, after, limit)
    if found and not _limiter().hit(_RATE, paper.slug, bot):
        return _too_many(paper, bot)
    base = visit.services.settings.base_url
    answer = _json(
        {
            "version": VERSION,
            "feed": feed,
            "messages": [wechat.message(one, paper, base) for one in _with_issues(visit, paper, found)],
            "cursor": cursors.written(after, paper.slug),
            "more": after.at < last,
        }
    )
    answers.mark(answer, ())
    if ended is Ended.CROWDED:
        answer.headers["Retry-After"] = str(NO_ROOM)
    if not found:
        visit.request.environ[NOTHING_SINCE] = last
    return answer


def _look(
    visit: Visit, paper: Publication, feed: str, cursor: Cursor, limit: int
) -> tuple[tuple[Happened, ...], Cursor, int]:
    with store.reading(visit.services.db) as db:
        found, after = relays.happened(db, paper.slug, feed, cursor, limit)
        return found, after, relays.newest(db, paper.slug)


def _begin(visit: Visit, paper: Publication, *, now: bool) -> Cursor:
    with store.reading(visit.services.db) as db:
        newest = None if now else issues.newest(db, paper.slug)
        if newest is not None:
            return relays.beginning(db, paper.slug, newest.date)
        last = relays.newest(db, paper.slug)
    return Cursor(last)


def _with_issues(visit: Visit, paper: Publication, found: Iterable[Happened]) -> list[Told]:
    told = list(found)
    with store.reading(visit.services.db) as db:
        printed = {day: issues.find(db, paper.slug, day) for day in {one.entry.date for one in told}}
    return [
        Told(one.kind, one.entry, issue, one.seq if one.again else 0)
        for one in told
        if (issue := printed[one.entry.date]) is not None
    ]


def _bot(visit: Visit, paper: Publication) -> str | None:
    """Who asks, as limits count them; None when the paper wants a token and this is none of its."""
    if not paper.relay_tokens:
        return rates.network(visit.request.remote_addr or "", ipv4=A_HOST, ipv6=A_LINE)
    scheme, _, token = visit.request.headers.get("Authorization", "").partition(" ")
    given = hashlib.sha256(token.strip().encode("utf-8", "replace")).hexdigest()
    known = [name for name, mark in paper.relay_tokens if hmac.compare_digest(given, mark)]
    return known[0] if known and scheme.lower() == "bearer" else None


def _known(visit: Visit, paper: Publication, feed: str) -> bool:
    """Whether the paper has, or once had, such a feed."""
    kind, _, part = feed.partition("-")
    if not _FEED.fullmatch(feed) or (kind == "section" and paper.section(part) is None):
        return False
    if kind not in ("byline", "series"):
        return True
    with store.reading(visit.services.db) as db:
        return relays.knows(db, paper.slug, feed)


def _limiter() -> MovingWindowRateLimiter:
    limiter: MovingWindowRateLimiter = current_app.extensions["syndicate.relay"]
    return limiter


def _waiting() -> Waiting:
    waiting: Waiting = current_app.extensions["syndicate.waiting"]
    return waiting


def _renamed(visit: Visit, paper: Publication, feed: str) -> Response:
    """Where the relay of a section that had this slug is now. Raises NotFound."""
    for section in paper.sections:
        if feed in {f"section-{slug}" for slug in section.formerly}:
            query = visit.request.query_string.decode("ascii", "replace")
            there = f"/{paper.slug}/relay/section-{section.slug}.json" + (f"?{query}" if query else "")
            return Response(status=301, headers={"Location": there})
    raise NotFound


def _number(text: str | None, usual: int, most: int) -> int | None:
    if text is None:
        return usual
    return int(text) if re.fullmatch(r"\d{1,4}", text, re.ASCII) and int(text) <= most else None


def _refused(code: int, why: str, *headers: tuple[str, str]) -> Response:
    answer = _json({"error": why})
    answer.status_code = code
    answer.headers["Cache-Control"] = answers.PRIVATE
    answer.headers.extend(headers)
    return answer


def _too_many(paper: Publication, bot: str) -> Response:
    free = _limiter().get_window_stats(_RATE, paper.slug, bot).reset_time
    again = max(1, int(free - time.time()) + 1)
    return _refused(429, f"more than {A_MINUTE} in a minute", ("Retry-After", str(again)))


def _json(said: dict[str, Any]) -> Response:
    body = json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")
    answer = Response(body, content_type="application/json")  # RFC 8259: UTF-8, without a parameter
    answer.headers["Cache-Control"] = answers.REVALIDATE
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer
