"""Values become answers: a page from a template, a file, an error; each with the headers it needs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from flask import Response
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from syndicate.model import Publication, address_part
from syndicate.render import articles
from syndicate.render.templates import LANGUAGES, environment
from syndicate.web import previews, static
from syndicate.web.visit import Visit, localized

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

REVALIDATE = "no-cache"  # kept, but asked about each time: a withdrawn article is gone at once
PRIVATE = "no-store"

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "web"


def page(
    visit: Visit,
    template: str,
    *,
    status: int = 200,
    changed: Iterable[datetime | None] = (),
    cache_control: str = REVALIDATE,
    paper: Publication | None = None,
    **values: object,
) -> Response:
    """A page of the site. `changed`: when the things on it did, for Last-Modified."""
    if paper:
        values["card"] = values.get("card") or previews.of_paper(paper, visit.services.settings.base_url)
    text = (
        environment(visit.language)
        .get_template(f"web/{template}")
        .render(
            visit=visit,
            paper=paper,
            languages=LANGUAGES,
            localized=localized,
            asset=static.address,
            address_part=address_part,
            headline=articles.headline,
            line=articles.line,
            summary=articles.summary,
            body=lambda article: Markup(articles.body(article)),  # noqa: S704  # escaped there
            **values,
        )
    )
    answer = html(text, status=status, cache_control=cache_control)
    if cache_control != PRIVATE and status == 200:
        mark(answer, changed)
    return answer


def html(text: str, *, status: int = 200, cache_control: str = REVALIDATE) -> Response:
    """HTML as it is."""
    # Text from outside may hold halves of surrogate pairs, which UTF-8 has no bytes for.
    answer = Response(text.encode("utf-8", "replace"), status, content_type="text/html; charset=utf-8")
    answer.headers["Cache-Control"] = cache_control
    return answer


def mark(answer: Response, changed: Iterable[datetime | None]) -> None:
    """Give the answer what a second visit can ask with: an entity tag from its bytes, and a time."""
    answer.set_etag(hashlib.sha256(answer.get_data()).hexdigest()[:32])
    moments = [moment for moment in changed if moment is not None]
    if moments:
        # A new template is a new page too, though nothing in the store has changed.
        answer.last_modified = max(*moments, _templates_changed())


def for_good(address: str) -> Response:
    """Where something has gone for good (RFC 9110 §15.4.2)."""
    answer = Response(status=301)
    answer.headers["Location"] = address
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer


def error_page(visit: Visit, error: HTTPException) -> Response:
    """The error for people: what it is, and where to go from here."""
    slug = visit.request.path.split("/")[1]
    paper = visit.services.settings.publication(slug)
    code = error.code or 500
    kept = PRIVATE if code >= 500 else REVALIDATE
    return page(visit, "error.html", status=code, cache_control=kept, paper=paper, code=code)


@cache
def _templates_changed() -> datetime:
    newest = max(file.stat().st_mtime for file in TEMPLATES.rglob("*"))
    return datetime.fromtimestamp(newest, UTC)
