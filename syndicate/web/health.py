"""Whether the service is well, for machines that ask."""

from __future__ import annotations

import json

from flask import Response

from syndicate import store
from syndicate.errors import StoreError
from syndicate.store import issues
from syndicate.web import answers
from syndicate.web.addresses import GET, Route
from syndicate.web.visit import Visit


def health(visit: Visit) -> Response:
    """200 and the newest issue of each paper, 503 when the database does not answer."""
    papers = visit.services.settings.publications
    try:
        with store.reading(visit.services.db) as db:
            found = {paper.slug: issues.newest(db, paper.slug) for paper in papers}
    except StoreError:  # its text names hosts and folders: for the log and the desk, not for everybody
        return _json({"status": "ailing", "database": "unreachable"}, 503)
    newest = {slug: issue.date.isoformat() if issue else None for slug, issue in found.items()}
    return _json({"status": "ok", "database": "ok", "newest_issue": newest}, 200)


ROUTES: tuple[Route, ...] = (("/health", GET, health),)


def _json(said: dict[str, object], status: int) -> Response:
    answer = Response(json.dumps(said) + "\n", status, content_type="application/json")
    answer.headers["Cache-Control"] = answers.PRIVATE
    return answer
