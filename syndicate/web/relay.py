"""The relay: bots ask what is new and get messages that are ready to forward, each once.

    GET /qinglan/relay/all.json?after=<cursor>&limit=20&wait=30

`after` is the cursor of the last answer; without it a bot gets the newest issue from its first article on, and with
`after=now` only a cursor. An answer with nothing new costs next to nothing (see polls.py), and is not counted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from threading import BoundedSemaphore
from typing import Any

from flask import Response
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import NotFound

from syndicate import store
from syndicate.model import Publication
from syndicate.render import wechat
from syndicate.render.wechat import Told
from syndicate.store import issues, relays
from syndicate.store.relays import Cursor, Happened
from syndicate.web import answers
from syndicate.web.addresses import GET, Route
from syndicate.web.polls import NOTHING_SINCE
from syndicate.web.visit import Visit

MOST = 100  # messages in an answer
USUAL = 20
LONGEST = 30  # seconds that a poll may wait
LOOK = 0.5  # seconds between two looks while it does
NO_ROOM = 10  # seconds after which who found no room to wait may ask again
A_MINUTE = 60  # answers for one bot: one each second is more than any group reads
VERSION = 1
LONGEST_CURSOR = 2000  # characters, before it is packed

_FEED = re.compile(r"all|page-[1-9][0-9]{0,3}|(?:section|byline|series)-[\w-]{1,120}")
_limiter = MovingWindowRateLimiter(MemoryStorage())
_rate = RateLimitItemPerMinute(A_MINUTE)


def relay(visit: Visit, paper: Publication, feed: str) -> Response:
    """What is new since a cursor, as messages; 400, 401 or 429 in one line of JSON."""
    bot = _bot(visit, paper)
    if bot is None:
        return _refused(401, "a token is wanted: Authorization: Bearer …", ("WWW-Authenticate", "Bearer"))
    section = feed.removeprefix("section-") if feed.startswith("section-") else None
    if not _FEED.fullmatch(feed) or (section and paper.section(section) is None):
        return _renamed(visit, paper, section or "")
    asked = visit.request.args
    limit, wait = _number(asked.get("limit"), USUAL, MOST), _number(asked.get("wait"), 0, LONGEST)
    after = asked.get("after", "")
    cursor = Cursor(0) if after in ("", "now") else read(after)
    if cursor is None or limit is None or wait is None or limit == 0:
        return _refused(
            400, f"after: a cursor that was given out here; limit: 1 to {MOST}; wait: 0 to {LONGEST}"
        )
    if not _limiter.hit(_rate, paper.slug, bot):
        again = max(1, int(_limiter.get_window_stats(_rate, paper.slug, bot).reset_time - time.time()) + 1)
        return _refused(429, f"more than {A_MINUTE} in a minute", ("Retry-After", str(again)))
    if after in ("", "now"):
        cursor = _begin(visit, paper, now=bool(after))
    return _told(visit, paper, feed, cursor, limit, wait if after not in ("", "now") else 0)


def written(cursor: Cursor) -> str:
    """The cursor as bots keep it."""
    numbers = (VERSION, cursor.seen, *(number for stretch in cursor.stretches for number in stretch))
    return base64.urlsafe_b64encode(".".join(map(str, numbers)).encode()).decode().rstrip("=")


def read(text: str) -> Cursor | None:
    """The cursor that was written so; None for anything else."""
    try:
        body = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode("ascii")
    except ValueError:  # not ASCII, or not base 64
        return None
    if len(body) > LONGEST_CURSOR or not re.fullmatch(
        rf"{VERSION}\.\d{{1,18}}(\.\d{{1,18}}\.\d{{1,18}})*", body
    ):
        return None
    _, seen, *numbers = map(int, body.split("."))
    cursor = Cursor(seen, tuple(zip(numbers[::2], numbers[1::2], strict=True)))
    ends = [seen, *(end for end, _ in cursor.stretches)]
    sound = ends == sorted(ends) and all(then >= end for end, then in cursor.stretches)
    return cursor if sound and written(cursor) == text else None


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

_waiting = BoundedSemaphore(2)  # of this process's threads: the others must answer readers


def _told(visit: Visit, paper: Publication, feed: str, cursor: Cursor, limit: int, wait: float) -> Response:
    """The messages after the cursor; with `wait`, as soon as there are any or the time is over."""
    found, after, last = _look(visit, paper, feed, cursor, limit)
    if cursor.at > last:
        return _refused(400, "after: a cursor of another database; begin anew, without it or with after=now")
    room = not (wait and not found) or _waiting.acquire(blocking=False)
    if not found and wait and room:
        try:
            until = time.monotonic() + wait
            while not found and time.monotonic() < until and not visit.services.stopping.is_set():
                time.sleep(LOOK)
                if _newest(visit, paper) > last:
                    found, after, last = _look(visit, paper, feed, after, limit)
        finally:
            _waiting.release()
    base = visit.services.settings.base_url
    answer = _json(
        {
            "version": VERSION,
            "feed": feed,
            "messages": [wechat.message(one, paper, base) for one in _with_issues(visit, paper, found)],
            "cursor": written(after),
            "more": after.at < last,
        }
    )
    answers.mark(answer, ())
    if not room:
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


def _newest(visit: Visit, paper: Publication) -> int:
    with store.reading(visit.services.db) as db:
        return relays.newest(db, paper.slug)


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
    """Who asks, as the limit counts them; None when the paper wants a token and this is none of its."""
    if not paper.relay_tokens:
        return _network(visit.request.remote_addr or "", visit.request.headers.get("X-Forwarded-For", ""))
    scheme, _, token = visit.request.headers.get("Authorization", "").partition(" ")
    given = hashlib.sha256(token.strip().encode("utf-8", "replace")).hexdigest()
    known = [name for name, mark in paper.relay_tokens if hmac.compare_digest(given, mark)]
    return known[0] if known and scheme.lower() == "bearer" else None


def _network(peer: str, forwarded: str) -> str:
    """Where a request comes from: an IPv4 address, or an IPv6 network of one line (/64).

    A web server on this machine says for whom it asks, last in X-Forwarded-For (docs/nginx.conf).
    """
    try:
        address = ip_address(peer)
        if address.is_loopback and forwarded:
            address = ip_address(forwarded.rpartition(",")[2].strip())
    except ValueError:
        return peer
    return str(address) if address.version == 4 else str(ip_network(f"{address}/64", strict=False))


def _renamed(visit: Visit, paper: Publication, slug: str) -> Response:
    """Where the relay of a section that had this slug is now. Raises NotFound."""
    for section in paper.sections:
        if slug in section.formerly:
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


def _json(said: dict[str, Any]) -> Response:
    body = json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")
    answer = Response(body, content_type="application/json")  # RFC 8259: UTF-8, without a parameter
    answer.headers["Cache-Control"] = answers.REVALIDATE
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer
