"""One visit: who asks is never known, only which page and in which language."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from flask import Request

from syndicate.render.templates import LANGUAGES
from syndicate.services import Services

DEFAULT_LANGUAGE = LANGUAGES[0]


@dataclass(frozen=True, slots=True)
class Visit:
    """What a view and its template need to know of the request."""

    services: Services
    request: Request
    language: str
    path: str  # as in an address: percent-encoded

    @classmethod
    def of(cls, services: Services, request: Request) -> Visit:
        """The visit that this request makes."""
        wanted = request.args.get("lang", "")
        language = wanted if wanted in LANGUAGES else DEFAULT_LANGUAGE
        return cls(services, request, language, quote(request.path, errors="replace"))

    def link(self, path: str, **query: object) -> str:
        """The address of another page of this site, in the visitor's language."""
        return localized(path, self.language, **query)

    def absolute(self, path: str) -> str:
        """The whole address, as people pass it on."""
        return self.services.settings.base_url + path

    def start(self) -> int:
        """Where in a long list to begin: ?from=50."""
        text = self.request.args.get("from", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0


def localized(path: str, language: str, **query: object) -> str:
    """The address with ?lang= where the language is not the site's own."""
    asked = {name: value for name, value in query.items() if value}
    if language != DEFAULT_LANGUAGE:
        asked["lang"] = language
    return f"{path}?{urlencode(asked)}" if asked else path
