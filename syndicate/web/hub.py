"""The WebSub hub: readers subscribe to feeds of ours and are told when they change.

Nothing here asks or sends: a wish is written down, the clock's job verifies it. The answer is the
same whoever asks, and says nothing of who is subscribed.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Response
from werkzeug.exceptions import MethodNotAllowed, NotFound

from syndicate import store
from syndicate.deliver import outside
from syndicate.jobs import websub as job
from syndicate.store import websub
from syndicate.store.websub import Mode
from syndicate.web import answers
from syndicate.web.addresses import GET_POST, Route
from syndicate.web.visit import Visit

LONGEST_URL = 1024  # bytes of a callback: PostgreSQL's index takes 2700 of callback and topic together
LONGEST_SECRET = 199  # bytes: WebSub §5.1 wants less than 200
LEASE = timedelta(days=10)  # WebSub §8.2 calls it a good default
SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=30)
WAIT = 60  # seconds, of who is told to come again


class RefusedError(Exception):
    """What is wrong with a request; the subscriber's developer reads it."""


def hub(visit: Visit) -> Response:
    """202 when a wish was written down, 4xx with the reason when it cannot be granted."""
    settings = visit.services.settings
    if visit.request.method != "POST":
        raise MethodNotAllowed(["POST"])
    if settings.hub_url is None:
        raise NotFound
    if settings.websub_hub != websub.OWN:  # who subscribed while the hub was ours renews it there (§5.1.2)
        return _said("the hub is elsewhere", 307, Location=settings.hub_url)
    mode = visit.request.form.get("hub.mode", "")
    try:
        if mode == "publish":
            return _published(visit)
        return _asked(visit, mode)
    except RefusedError as refused:
        return _said(str(refused), 400)


ROUTES: tuple[Route, ...] = (("/hub", GET_POST, hub),)


def _published(visit: Visit) -> Response:
    """Our feeds announce themselves; that they have changed is believed to nobody else."""
    form = visit.request.form
    urls = [*form.getlist("hub.url"), *form.getlist("hub.topic")]
    if not urls or not all(job.topic(visit.services.settings, url) for url in urls):
        raise RefusedError("hub.url: this hub is for the feeds of this site only")
    return _said("nothing to do: the feeds of this site announce their changes themselves", 202)


def _asked(visit: Visit, mode: str) -> Response:
    if mode not in tuple(Mode):
        raise RefusedError("hub.mode: subscribe or unsubscribe is needed, in a form (x-www-form-urlencoded)")
    form, services = visit.request.form, visit.services
    topic = _topic(visit, Mode(mode))
    callback = _callback(visit)
    secret = form.get("hub.secret") or None
    if secret and (len(secret.encode("utf-8", "replace")) > LONGEST_SECRET or "\0" in secret):
        raise RefusedError(f"hub.secret: at most {LONGEST_SECRET} bytes, and no NUL")
    with store.writing(services.db) as db:
        noted = websub.ask(
            db,
            Mode(mode),
            topic,
            callback,
            outside.host(callback),
            services.now(),
            lease=_lease(form.get("hub.lease_seconds", "")),
            secret=secret,
            asked_topic=form["hub.topic"],
        )
    if not noted:
        return _said(
            "too many requests wait for their verification; come again", 429, **{"Retry-After": str(WAIT)}
        )
    return _said("accepted; the callback will be asked", 202)


def _topic(visit: Visit, mode: Mode) -> str:
    """The feed's own address. Who leaves may leave a feed that is no more."""
    asked = visit.request.form.get("hub.topic", "")
    found = job.topic(visit.services.settings, asked)
    there = found and (mode is Mode.UNSUBSCRIBE or visit.services.public.find(found.publication, found.file))
    if found is None or not there:
        raise RefusedError(
            "hub.topic: not a feed of this site; use the address that the feed gives as rel=self"
        )
    return found.url


def _callback(visit: Visit) -> str:
    callback = visit.request.form.get("hub.callback", "")
    if len(callback.encode("utf-8", "replace")) > LONGEST_URL:
        raise RefusedError(f"hub.callback: at most {LONGEST_URL} bytes")
    if visit.services.settings.development:
        why = outside.refusal(callback, allowed=outside.or_loopback, ports=None)
    else:
        why = outside.refusal(callback)
    if why:
        raise RefusedError(f"hub.callback: {why}")
    return callback


def _lease(asked: str) -> timedelta:
    """What was asked for, within our limits; 10 days otherwise, and a lease for ever is given to nobody."""
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 12):
        return LEASE
    return max(SHORTEST, min(timedelta(seconds=int(asked)), LONGEST))


def _said(words: str, status: int, **headers: str) -> Response:
    answer = Response(words + "\n", status, content_type="text/plain; charset=utf-8")
    answer.headers["Cache-Control"] = answers.PRIVATE
    answer.headers.extend(headers)
    return answer
