"""Cards: the picture of an article that has none, for messages, drafts and what shows links."""

from __future__ import annotations

from datetime import date

from flask import Response
from werkzeug.exceptions import Gone, NotFound

from syndicate import store
from syndicate.jobs import cards as job
from syndicate.model import PUBLISHED_KINDS, Publication
from syndicate.render import cards
from syndicate.store import entries
from syndicate.web.addresses import GET, Route
from syndicate.web.visit import Visit

KEPT = "public, max-age=86400, stale-while-revalidate=604800"
"""A day: a withdrawn headline is gone by then; who changes a headline changes the address that we give out."""


def card(visit: Visit, paper: Publication, day: date, page: int, n: int, shape: str) -> Response:
    """The card in that shape; 410 when the article was withdrawn."""
    if shape not in cards.SHAPES:
        raise NotFound
    with store.reading(visit.services.db) as db:
        entry = entries.find(db, paper.slug, day, page, n)
    if entry is None or (entry.article.kind not in PUBLISHED_KINDS and not entry.withdrawn):
        raise NotFound
    if entry.withdrawn:
        job.forget(visit.services, (entry,))  # should one be there that was drawn just when it was withdrawn
        raise Gone
    return _answer(job.picture(visit.services, paper, entry, shape))


def card_of_paper(visit: Visit, paper: Publication, shape: str) -> Response:
    """The card of the paper itself."""
    if shape not in cards.SHAPES:
        raise NotFound
    return _answer(job.picture_of_paper(visit.services, paper, shape))


def _answer(drawn: job.Picture) -> Response:
    answer = Response(drawn.body, content_type=cards.TYPE)
    answer.headers["Cache-Control"] = KEPT
    answer.set_etag(drawn.mark)
    return answer


ROUTES: tuple[Route, ...] = (
    ("/<paper:paper>/cards/<day:day>/<number:page>-<number:n>-<name:shape>.png", GET, card),
    ("/<paper:paper>/cards/paper-<name:shape>.png", GET, card_of_paper),
)
