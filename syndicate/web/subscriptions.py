"""Signing up for the digest, confirming, leaving.

Nothing here sends mail: signing up makes a letter due, the clock's job sends it. Nothing tells whether an address is
known: pending, confirmed, suppressed or new, the answer is the same to the byte, and so is the work done for it.

None of the forms carries a CSRF token, and none needs one: signing up only makes that letter due (rarely to one
address, whoever asks), and all else takes a signed token that was mailed to the address and stands in that of the
page. There is no cookie or password that another site could ride on.

    POST /qinglan/subscriptions.json
    {"address": "reader@example.org", "sections": ["yaowen"], "rhythm": "weekly", "weekly_day": 5}

signs up as the form does. Beside the address all is optional: sections, bylines and series (names as in addresses or
as printed), words (searches), rhythm (issue, weekly, corrections), weekly_day (0 is Monday), hour (0 to 23), zone
(Europe/Berlin), language (zh-CN, en). The answer is 202, whoever it is; 422 with the reason for each thing that
cannot be taken, 400 for what is not a JSON object or has other names in it, 429 with Retry-After when a network asks too often.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response
from werkzeug.exceptions import NotFound, TooManyRequests

from syndicate import mailboxes, store, wishes
from syndicate.model import Fault, Publication, Rhythm, Subscription, SubscriptionState, Wish
from syndicate.render.templates import LANGUAGES, environment
from syndicate.store import feeds, subscriptions
from syndicate.web import answers, rates, zones
from syndicate.web.addresses import GET_POST, Route
from syndicate.web.visit import Visit
from syndicate.wishes import Faults, Offer, Said

SAID = ("address", *wishes.NAMES_SAID)
LONGEST_NAME, MOST_NAMES = 40, 10  # of those that are not known and are named


def subscribe(visit: Visit, paper: Publication) -> Response:
    """The form; after it, the same words for everybody: look into your mailbox."""
    if visit.request.method != "POST" and "asked" in visit.request.args:
        return private(visit, paper, "asked.html")
    offered = offer(visit, paper)
    if visit.request.method != "POST":
        wish = Wish(language=visit.language)
        return private(visit, paper, "subscribe.html", typed="", faults={}, **form(visit, offered, wish))
    rates.count(visit)
    said = visit.request.form.to_dict(flat=False)
    typed, wish, faults = _sign_up(visit, said, offered)
    if not faults:
        asked = visit.link(f"/{paper.slug}/subscribe", asked=1)
        return Response(status=303, headers={"Location": asked})
    again = form(visit, offered, wish)
    return private(visit, paper, "subscribe.html", status=422, typed=typed, faults=faults, **again)


def sign_up(visit: Visit, paper: Publication) -> Response:
    """The same for programs; see above."""
    try:
        rates.count(visit)
    except TooManyRequests as e:
        return _json(429, {"error": "too many from this network"}, ("Retry-After", str(e.retry_after)))
    said = _said(visit.request.get_json(force=True, silent=True))
    if said is None:
        return _json(400, {"error": "a JSON object is expected, of texts, numbers and lists of texts"})
    if unknown := sorted(name[:LONGEST_NAME] for name in said if name not in SAID)[:MOST_NAMES]:
        return _json(400, {"error": f"not known here: {', '.join(unknown)}", "known": SAID})
    _, _, faults = _sign_up(visit, said, offer(visit, paper))
    if faults:
        words = environment(visit.language).get_template("web/faults.html").module
        reasons = {name: str(words.sentence(name, fault)) for name, fault in faults.items()}  # type: ignore[attr-defined]  # a macro
        return _json(422, {"errors": reasons})
    return _json(202, {"status": "asked"})


def confirm(visit: Visit, paper: Publication, token: str) -> Response:
    """A button. Only pressing it confirms: programs that look for harm in mail follow links, too."""
    known = of_token(visit, paper, visit.services.tokens.confirmed(token))
    if visit.request.method == "POST":
        with store.writing(visit.services.db) as db:
            known = subscriptions.confirm(db, known.id, visit.services.now()) or known
    mine = f"/{paper.slug}/mine/{visit.services.tokens.manage(known.id)}"
    done = _is(known, SubscriptionState.CONFIRMED)
    offered = offer(visit, paper)
    return private(visit, paper, "confirm.html", subscription=known, offer=offered, mine=mine, done=done)


def leave(visit: Visit, paper: Publication, token: str) -> Response:
    """A button; any POST ends the subscription, the mail program's own one too (RFC 8058)."""
    known = of_token(visit, paper, visit.services.tokens.left(token))
    if visit.request.method == "POST":
        with store.writing(visit.services.db) as db:
            subscriptions.end(db, known.id, visit.services.now())
    with store.reading(visit.services.db) as db:
        there = subscriptions.current(db, known.id)  # older mails end what moved to another address, too
    done = there is None or _is(there, SubscriptionState.ENDED)
    return private(visit, paper, "leave.html", subscription=known, done=done)


ROUTES: tuple[Route, ...] = (
    ("/<paper:paper>/subscribe", GET_POST, subscribe),
    ("/<paper:paper>/subscriptions.json", ("POST",), sign_up),
    ("/<paper:paper>/confirm/<token:token>", GET_POST, confirm),
    ("/<paper:paper>/leave/<token:token>", GET_POST, leave),
)


# ── shared with the subscriber's own page ────────────────────────────────────────────────


def of_token(visit: Visit, paper: Publication, number: int | None) -> Subscription:
    """The subscription that a token names; one of another paper is as good as none."""
    if number is None:
        raise NotFound
    with store.reading(visit.services.db) as db:
        found = subscriptions.find(db, number)
    if found is None or found.publication != paper.slug:
        raise NotFound
    return found


def offer(visit: Visit, paper: Publication) -> Offer:
    """What may be chosen of the paper: the authors and series that have a feed. To count articles takes long."""
    named: dict[str, dict[str, str]] = {"byline": {}, "series": {}}
    with store.reading(visit.services.db) as db:
        listed = feeds.of_paper(db, paper.slug)
    for feed in listed:
        kind, _, part = feed.name.partition("-")
        if kind in named:
            named[kind][part] = feed.title
    return Offer(paper, LANGUAGES, named["byline"], named["series"])


def form(visit: Visit, offered: Offer, wish: Wish) -> dict[str, Any]:
    """What the fields of a wish are filled with."""
    here = wish.zone or offered.paper.zone
    listed = zones.listed(visit.language, visit.services.now(), here, offered.paper.zone)
    return {"wish": wish, "offer": offered, "zones": listed}


def same(token: str, genuine: str) -> bool:
    """Whether a token is that one, in constant time."""
    return hmac.compare_digest(token.encode(), genuine.encode())


def private(
    visit: Visit, paper: Publication, template: str, *, status: int = 200, **values: object
) -> Response:
    """A page whose address is a key: it goes to nobody."""
    answer = answers.page(
        visit, template, status=status, paper=paper, cache_control=answers.PRIVATE, changed=(), **values
    )
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _sign_up(visit: Visit, said: Said, offered: Offer) -> tuple[str, Wish, Faults]:
    """What was typed for an address, the wish, and what cannot be taken; else it is noted."""
    typed = next(iter(said.get("address", ())), "")
    address, fault = mailboxes.read(typed)
    wish, faults = wishes.read(said, offered, visit.language)
    if wish.rhythm is Rhythm.NONE:
        faults["rhythm"] = Fault.UNKNOWN
    if fault:
        faults = {"address": fault, **faults}
    if not faults:
        with store.writing(visit.services.db) as db:
            subscriptions.sign_up(db, offered.paper, address, wish, visit.services.now())
    return typed.strip(), wish, faults


def _said(body: object) -> Said | None:
    """A JSON object as a form would say it; None for what is none."""
    if not isinstance(body, Mapping):
        return None
    said: dict[str, Sequence[str]] = {}
    for name, value in body.items():
        some = value if isinstance(value, list) else [] if value is None else [value]
        if any(isinstance(one, bool) or not isinstance(one, str | int) for one in some):
            return None
        said[name] = [str(one) for one in some]
    return said


def _json(status: int, said: dict[str, Any], *headers: tuple[str, str]) -> Response:
    body = json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")
    answer = Response(body, status, content_type="application/json")  # RFC 8259: UTF-8, without a parameter
    answer.headers["Cache-Control"] = answers.PRIVATE
    answer.headers.extend(headers)
    return answer


def _is(subscription: Subscription, state: SubscriptionState) -> bool:
    return subscription.state is state
