"""The operator's start page: what waits, what was set aside, what went out; and the buttons on it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Response
from werkzeug.exceptions import BadRequest, NotFound

from syndicate import store
from syndicate.errors import IssueError
from syndicate.jobs import examine, push_relays, watch_digests
from syndicate.model import Entry, Publication, PushState
from syndicate.store import entries
from syndicate.web import admission, answers
from syndicate.web.addresses import GET, Route
from syndicate.web.visit import Visit

HELD = {"pause": "paused", "resume": None, "cancel": "cancelled"}
DECIDED = {"again": PushState.DUE, "arrived": PushState.PUSHED}
SURE = 0.5  # articles split with less confidence are shown

Deed = Callable[[], object]
Deeds = dict[str, Deed]
"""What the buttons of a form do, by their wish."""


def desk(visit: Visit) -> Response:
    """How the service is, for who has the password."""
    if refused := admission.refusal(visit):
        return refused
    report = examine.run(visit.services)
    return answers.page(
        visit,
        "desk.html",
        cache_control=answers.PRIVATE,
        report=report,
        digests=watch_digests.run(visit.services),
        pushing=report.pushing,
        questionable=_questionable(visit, report),
    )


def digest(visit: Visit, number: int) -> Response:
    """What became of a digest, in numbers."""
    if refused := admission.refusal(visit):
        return refused
    try:
        found = watch_digests.statistics(visit.services, number)
    except IssueError as e:
        raise NotFound from e
    return answers.page(visit, "desk-digest.html", cache_control=answers.PRIVATE, found=found)


def change_digest(visit: Visit, number: int) -> Response:
    """A button: pause, go on, cancel a digest, or try again what failed of it."""
    services = visit.services
    deeds: Deeds = {wish: partial(watch_digests.hold, services, number, held) for wish, held in HELD.items()}
    deeds["retry"] = partial(watch_digests.retry, services, number)
    return _pressed(visit, deeds.get, "mail")


def decide_delivery(visit: Visit, number: int) -> Response:
    """A button: what a person knows of a letter that may or may not have arrived."""
    decide = partial(watch_digests.decide, visit.services, number)
    deeds: Deeds = {"arrived": partial(decide, arrived=True), "again": partial(decide, arrived=False)}
    return _pressed(visit, deeds.get, "mail")


def test_robot(visit: Visit, paper: Publication, name: str) -> Response:
    """A button: a test message becomes due; the clock's job sends it."""
    test = partial(push_relays.ask_for_test, visit.services, name, paper.slug)
    return _pressed(visit, lambda _: test, "robots")


def decide_push(visit: Visit, number: int) -> Response:
    """A button: what a person saw of a message that may or may not have arrived."""
    decide = partial(push_relays.decide, visit.services, number)
    deeds: Deeds = {wish: partial(decide, state) for wish, state in DECIDED.items()}
    return _pressed(visit, deeds.get, "robots")


ROUTES: tuple[Route, ...] = (
    ("/desk", GET, desk),
    ("/desk/robots/<paper:paper>/<name:name>", ("POST",), test_robot),
    ("/desk/pushes/<long:number>", ("POST",), decide_push),
    ("/desk/digests/<long:number>", GET, digest),
    ("/desk/digests/<long:number>", ("POST",), change_digest),
    ("/desk/deliveries/<long:number>", ("POST",), decide_delivery),
)


def _pressed(visit: Visit, choose: Callable[[str], Deed | None], section: str) -> Response:
    """Do what the wish of a button chooses, if anything, and lead back to that section of the desk."""
    if refused := admission.refusal(visit):
        return refused
    do = choose(visit.request.form.get("wish", ""))
    if do is None:
        raise BadRequest
    try:
        do()
    except IssueError as e:
        raise NotFound from e
    return Response(status=303, headers={"Location": visit.link("/desk") + f"#{section}"})


def _questionable(visit: Visit, report: examine.Report) -> dict[str, list[Entry]]:
    """The articles of each paper's newest issue at which a person should look."""
    with store.reading(visit.services.db) as db:
        return {
            paper.slug: [
                entry
                for entry in entries.of_issue(db, paper.slug, paper.issues[0].date)
                if entry.article.warnings or entry.article.confidence < SURE
            ]
            for paper in report.papers
            if paper.issues
        }
