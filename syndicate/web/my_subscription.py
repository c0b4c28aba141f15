"""A subscriber's own page: to change, pause, move, export or delete what is stored, without an account.

Whoever holds its address was mailed it; see subscriptions.py for why no form here carries a CSRF token. A GET changes
nothing, each POST one thing, and then leads back to the page.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response
from werkzeug.exceptions import BadRequest, NotFound

from syndicate import mailboxes, store, wishes
from syndicate.model import Fault, Publication, Subscription
from syndicate.store import erasure, subscriptions, suppressions
from syndicate.web import answers, rates
from syndicate.web.addresses import GET, GET_POST, Route
from syndicate.web.subscriptions import form, of_token, offer, private, same
from syndicate.web.visit import Visit
from syndicate.wishes import Faults

WEEKS = (1, 2, 4)  # for which one may pause at once
LONGEST_PAUSE = timedelta(days=366)


def mine(visit: Visit, paper: Publication, token: str) -> Response:
    """What is chosen, with a button for each thing that can be done."""
    known = _owned(visit, paper, token)
    faults: Faults = {}
    if visit.request.method == "POST":
        step = visit.request.form.get("do", "")
        if step not in _STEPS:
            raise BadRequest
        faults = _STEPS[step](visit, paper, known)
        if not faults:
            done = visit.link(f"/{paper.slug}/mine/{token}", done=step)
            return Response(status=303, headers={"Location": done, "Referrer-Policy": "no-referrer"})
    return _shown(visit, paper, known, token, faults)


def export(visit: Visit, paper: Publication, token: str) -> Response:
    """Everything that is stored about the address in this paper, as JSON."""
    known = _owned(visit, paper, token)
    with store.reading(visit.services.db) as db:
        told = erasure.told(db, known.id)
    said = {"newspaper": paper.title, "exported": visit.services.now(), **told}
    body = json.dumps(said, ensure_ascii=False, indent=1, default=str).encode("utf-8", "replace")
    answer = Response(body, content_type="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{paper.slug}-subscription.json"'
    answer.headers["Cache-Control"] = answers.PRIVATE
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def delete(visit: Visit, paper: Publication, token: str) -> Response:
    """A button that erases all of it."""
    known = _owned(visit, paper, token, erased=True)
    if visit.request.method == "POST" and known.why != subscriptions.DELETED:
        with store.writing(visit.services.db) as db:
            mark = visit.services.tokens.erased(known.address)
            erasure.erase(db, known.id, mark, visit.services.now())
            known = subscriptions.find(db, known.id) or known
    with store.reading(visit.services.db) as db:
        listed = suppressions.find(db, known.address)
    stays = listed is not None and listed.reason != suppressions.BOUNCED
    done = known.why == subscriptions.DELETED
    return private(visit, paper, "delete.html", subscription=known, done=done, stays=stays, token=token)


def move(visit: Visit, paper: Publication, token: str) -> Response:
    """A button, mailed to another address; only pressing it has the mail sent there."""
    known = of_token(visit, paper, visit.services.tokens.moved(token))
    if not known.moving or not same(token, visit.services.tokens.move(known.id, known.moving)):
        return private(visit, paper, "move.html", status=410, state="over", mine="", mailbox="")
    there: Subscription | None = None
    if known.why == subscriptions.MOVED:
        with store.reading(visit.services.db) as db:
            there = subscriptions.current(db, known.id)
    elif visit.request.method == "POST":
        with store.writing(visit.services.db) as db:
            there = subscriptions.move(db, known.id, visit.services.now())
    arrived = there is not None and there.address.lower() == known.moving.lower()
    page = f"/{paper.slug}/mine/{visit.services.tokens.manage(there.id)}" if there and arrived else ""
    state, mailbox = "done" if there else "asked", mailboxes.shown(known.moving)
    return private(visit, paper, "move.html", state=state, mine=page, mailbox=mailbox)


ROUTES: tuple[Route, ...] = (
    ("/<paper:paper>/mine/<token:token>", GET_POST, mine),
    ("/<paper:paper>/mine/<token:token>/export.json", GET, export),
    ("/<paper:paper>/mine/<token:token>/delete", GET_POST, delete),
    ("/<paper:paper>/move/<token:token>", GET_POST, move),
)


def _owned(visit: Visit, paper: Publication, token: str, *, erased: bool = False) -> Subscription:
    known = of_token(visit, paper, visit.services.tokens.managed(token))
    if known.why == subscriptions.DELETED and not erased:
        raise NotFound
    return known


def _shown(visit: Visit, paper: Publication, known: Subscription, token: str, faults: Faults) -> Response:
    said = visit.request.form if visit.request.method == "POST" else {}
    offered, wish = offer(visit, paper), known.wish
    if said.get("do") == "change":
        wish, _ = wishes.read(visit.request.form.to_dict(flat=False), offered, known.language)
    now = visit.services.now()
    values: dict[str, Any] = {
        "subscription": known,
        "mailbox": mailboxes.shown(known.address),
        "moving": mailboxes.shown(known.moving or ""),
        "typed": said.get("address", ""),
        "day": said.get("until", ""),
        "paused": _paused(paper, known, now),
        "tomorrow": (now.astimezone(_zone(paper, known)) + timedelta(days=1)).date(),
        "weeks": WEEKS,
        "here": f"/{paper.slug}/mine/{token}",
        "leaving": f"/{paper.slug}/leave/{visit.services.tokens.leave(known.id)}",
        "done": visit.request.args.get("done", "") if not faults else "",
        "faults": faults,
    }
    status = 422 if faults else 200
    return private(visit, paper, "mine.html", status=status, **values, **form(visit, offered, wish))


# ── what may be done there ───────────────────────────────────────────────────────────────


def _change(visit: Visit, paper: Publication, known: Subscription) -> Faults:
    offered = offer(visit, paper)
    wish, faults = wishes.read(visit.request.form.to_dict(flat=False), offered, known.language)
    if not faults:
        with store.writing(visit.services.db) as db:
            subscriptions.change(db, known.id, wish, visit.services.now())
    return faults


def _pause(visit: Visit, paper: Publication, known: Subscription) -> Faults:
    now = visit.services.now()
    until = _until(visit.request.form, now, _zone(paper, known))
    if until is None or not now < until <= now + LONGEST_PAUSE:
        return {"until": Fault.NOT_AHEAD}
    with store.writing(visit.services.db) as db:
        subscriptions.pause(db, known.id, until, now)
    return {}


def _resume(visit: Visit, paper: Publication, known: Subscription) -> Faults:  # noqa: ARG001  # as every step
    with store.writing(visit.services.db) as db:
        subscriptions.pause(db, known.id, None, visit.services.now())
    return {}


def _ask_move(visit: Visit, paper: Publication, known: Subscription) -> Faults:  # noqa: ARG001  # as every step
    rates.count(visit)
    address, fault = mailboxes.read(visit.request.form.get("address", ""))
    if fault is None and address.lower() == known.address.lower():
        fault = Fault.SAME
    if fault:
        return {"address": fault}
    with store.writing(visit.services.db) as db:
        subscriptions.ask_move(db, known.id, address, visit.services.now())
    return {}


def _stay(visit: Visit, paper: Publication, known: Subscription) -> Faults:  # noqa: ARG001  # as every step
    with store.writing(visit.services.db) as db:
        subscriptions.ask_move(db, known.id, None, visit.services.now())
    return {}


_STEPS: dict[str, Callable[[Visit, Publication, Subscription], Faults]] = {
    "change": _change,
    "pause": _pause,
    "resume": _resume,
    "move": _ask_move,
    "stay": _stay,
}


def _until(said: Any, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment that was chosen: so many weeks from now, or the beginning of a day."""
    weeks = said.get("weeks", "")
    if weeks in map(str, WEEKS):
        return now + timedelta(weeks=int(weeks))
    try:
        return datetime.combine(date.fromisoformat(said.get("until", "").strip()), time(), zone)
    except (ValueError, OverflowError):
        return None


def _paused(paper: Publication, known: Subscription, now: datetime) -> date | None:
    """The day on which mail comes again, None while it comes."""
    if known.paused_until is None or known.paused_until <= now:
        return None
    return known.paused_until.astimezone(_zone(paper, known)).date()


def _zone(paper: Publication, known: Subscription) -> ZoneInfo:
    return ZoneInfo(known.zone or paper.zone)
