"""Signing up for the digest, confirming, leaving.

Nothing here sends mail: signing up makes a confirmation due, the clock's job sends it. None of the
forms carries a CSRF token, and none needs one: signing up only makes that confirmation due (at most
one in ten minutes an address, whoever asks), and confirming or leaving takes a signed token that
was mailed to the address. There is no cookie that another site could ride on.
"""

from __future__ import annotations

from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email
from flask import Response
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from syndicate import store
from syndicate.model import Publication, Rhythm, Subscription, SubscriptionState
from syndicate.render.templates import LANGUAGES
from syndicate.store import subscriptions
from syndicate.web import answers
from syndicate.web.addresses import GET_POST, Route
from syndicate.web.visit import Visit


@dataclass(frozen=True, slots=True)
class Wish:
    """What was filled in, as far as it makes sense."""

    address: str
    sections: tuple[str, ...]
    rhythm: Rhythm
    language: str


def subscribe(visit: Visit, paper: Publication) -> Response:
    """The form; after it, the same words for everybody: look into your mailbox."""
    if visit.request.method != "POST":
        if "asked" in visit.request.args:
            return _page(visit, paper, "asked.html")
        return _page(visit, paper, "subscribe.html", wish=_nothing(visit), refused=False)
    wish = _wish(visit.request.form, paper, visit.language)
    try:
        given = validate_email(wish.address, check_deliverability=False)
    except EmailNotValidError:
        return _page(visit, paper, "subscribe.html", status=422, wish=wish, refused=True)
    # A name of the net in other letters has an ASCII form that every mail server takes (RFC 5891).
    address = given.ascii_email or given.normalized
    with store.writing(visit.services.db) as db:
        subscriptions.ask(db, paper, address, wish.sections, wish.rhythm, wish.language, visit.services.now())
    return Response(status=303, headers={"Location": visit.link(f"/{paper.slug}/subscribe", asked=1)})


def confirm(visit: Visit, paper: Publication, token: str) -> Response:
    """A button. Only pressing it confirms: programs that look for harm in mail follow links, too."""
    known = _known(visit, paper, visit.services.tokens.confirmed(token))
    if visit.request.method == "POST":
        with store.writing(visit.services.db) as db:
            known = subscriptions.confirm(db, known.id, visit.services.now()) or known
    return _page(
        visit, paper, "confirm.html", subscription=known, done=_is(known, SubscriptionState.CONFIRMED)
    )


def leave(visit: Visit, paper: Publication, token: str) -> Response:
    """A button; any POST ends the subscription, the mail program's own one too (RFC 8058)."""
    known = _known(visit, paper, visit.services.tokens.left(token))
    if visit.request.method == "POST":
        with store.writing(visit.services.db) as db:
            subscriptions.end(db, known.id, visit.services.now())
        return _page(visit, paper, "leave.html", subscription=known, done=True)
    return _page(visit, paper, "leave.html", subscription=known, done=_is(known, SubscriptionState.ENDED))


ROUTES: tuple[Route, ...] = (
    ("/<paper:paper>/subscribe", GET_POST, subscribe),
    ("/<paper:paper>/confirm/<token:token>", GET_POST, confirm),
    ("/<paper:paper>/leave/<token:token>", GET_POST, leave),
)


def _known(visit: Visit, paper: Publication, number: int | None) -> Subscription:
    """The subscription that a token names; one of another paper is as good as none."""
    if number is None:
        raise NotFound
    with store.reading(visit.services.db) as db:
        found = subscriptions.find(db, number)
    if found is None or found.publication != paper.slug:
        raise NotFound
    return found


def _wish(form: MultiDict[str, str], paper: Publication, language: str) -> Wish:
    chosen = form.getlist("section")
    sections = tuple(s.slug for s in paper.sections if s.slug in chosen)
    weekly = form.get("rhythm") == Rhythm.WEEKLY
    wanted = form.get("language", "")
    return Wish(
        address=form.get("address", "").strip(),
        # All of them is the whole paper, also when it gets another section.
        sections=() if len(sections) == len(paper.sections) else sections,
        rhythm=Rhythm.WEEKLY if weekly else Rhythm.ISSUE,
        language=wanted if wanted in LANGUAGES else language,
    )


def _nothing(visit: Visit) -> Wish:
    return Wish("", (), Rhythm.ISSUE, visit.language)


def _is(subscription: Subscription, state: SubscriptionState) -> bool:
    return subscription.state is state


def _page(
    visit: Visit, paper: Publication, template: str, *, status: int = 200, **values: object
) -> Response:
    answer = answers.page(
        visit, template, status=status, paper=paper, cache_control=answers.PRIVATE, changed=(), **values
    )
    # The address of this page is a key: it goes to nobody.
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
