"""The operator's start page: what waits, what was set aside, what went out. It changes nothing."""

from __future__ import annotations

import hmac

from flask import Response
from werkzeug.exceptions import Unauthorized

from syndicate import store
from syndicate.jobs import examine
from syndicate.model import Entry
from syndicate.store import entries
from syndicate.web import answers
from syndicate.web.addresses import GET, Route
from syndicate.web.visit import Visit

USER = "desk"
SURE = 0.5  # articles split with less confidence are shown


def desk(visit: Visit) -> Response:
    """How the service is, for who has the password."""
    if not _admitted(visit):
        answer = answers.error_page(visit, Unauthorized())
        answer.headers["WWW-Authenticate"] = 'Basic realm="Syndicate desk", charset="UTF-8"'
        answer.headers["Cache-Control"] = answers.PRIVATE
        return answer
    report = examine.run(visit.services)
    return answers.page(
        visit,
        "desk.html",
        cache_control=answers.PRIVATE,
        report=report,
        questionable=_questionable(visit, report),
    )


ROUTES: tuple[Route, ...] = (("/desk", GET, desk),)


def _admitted(visit: Visit) -> bool:
    try:
        given = visit.request.authorization
    except ValueError:  # not ASCII, which werkzeug 3.1 lets fall through
        return False
    if given is None or given.type != "basic":
        return False
    # Both are compared, each in constant time: how long it takes tells nothing of either.
    user = hmac.compare_digest((given.username or "").encode("utf-8", "replace"), USER.encode())
    password = hmac.compare_digest(
        (given.password or "").encode("utf-8", "replace"), visit.services.desk_password.encode()
    )
    return user and password and bool(visit.services.desk_password)


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
