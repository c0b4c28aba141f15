"""Style sheets, the icon and the one script, read once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Response
from werkzeug.exceptions import NotFound

from syndicate.web.addresses import GET, Route
from syndicate.web.visit import Visit

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}

_FOLDER = Path(__file__).resolve().parents[2] / "templates" / "web" / "static"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that comes with the program."""

    body: bytes
    mark: str  # changes with the bytes
    type: str


def asset(visit: Visit, name: str) -> Response:
    """The file; for ever, when it is asked for by its mark."""
    found = _assets().get(name)
    if found is None:
        raise NotFound
    answer = Response(found.body, content_type=found.type)
    answer.set_etag(found.mark)
    if visit.request.args.get("v") == found.mark:
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer


def robots(visit: Visit) -> Response:
    """What crawlers need not visit."""
    return asset(visit, "robots.txt")


def icon(visit: Visit) -> Response:
    """The icon, for browsers and readers that look in the old place."""
    return asset(visit, "icon.svg")


def address(name: str) -> str:
    """Where the file is served, with its mark: /static/paper.css?v=1f2e3d4c."""
    return f"/static/{name}?v={_assets()[name].mark}"


ROUTES: tuple[Route, ...] = (
    ("/static/<file:name>", GET, asset),
    ("/favicon.ico", GET, icon),
    ("/robots.txt", GET, robots),
)


@cache
def _assets() -> dict[str, Asset]:
    return {
        path.name: Asset(body := path.read_bytes(), hashlib.sha256(body).hexdigest()[:12], TYPES[path.suffix])
        for path in sorted(_FOLDER.iterdir())
        if path.suffix in TYPES
    }
