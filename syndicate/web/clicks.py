"""Links of digests, where the paper counts them: how often an article was opened, never by whom.

The address is the same in every letter of a digest, sets nothing and keeps nothing of the visitor.
"""

from __future__ import annotations

from datetime import date

from flask import Response
from werkzeug.exceptions import NotFound

from syndicate import store
from syndicate.model import Publication
from syndicate.store import digests, entries
from syndicate.web import answers
from syndicate.web.addresses import GET, Route
from syndicate.web.visit import Visit


def go(visit: Visit, paper: Publication, number: int, day: date, page: int, n: int) -> Response:
    """On to the article; one more for it, if clicks are counted and the digest is known."""
    with store.reading(visit.services.db) as db:
        entry = entries.find(db, paper.slug, day, page, n)
        digest = digests.find(db, number)
    if entry is None:
        raise NotFound
    counted = digest is not None and digest.publication == paper.slug and visit.request.method == "GET"
    if counted and visit.services.settings.count_clicks:
        with store.writing(visit.services.db) as db:
            digests.count_click(db, number, entry.id)
    answer = Response(status=302, headers={"Location": visit.link(entry.path)})
    answer.headers["Cache-Control"] = answers.PRIVATE
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


ROUTES: tuple[Route, ...] = (("/<paper:paper>/go/<long:number>/<day:day>/<number:page>/<number:n>", GET, go),)
