"""An answer that is ready: what the files of the public folder and polls with nothing new are answered with."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

Headers = list[tuple[str, str]]

SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that only ask (RFC 9110 §9.2.1); what comes with them has no body."""

_REPEATED = ("ETag", "Cache-Control", "Vary", "Link", "Access-Control-Allow-Origin")


class Given(NamedTuple):
    """An answer: status, headers, body."""

    status: int
    headers: Headers
    body: bytes = b""

    @property
    def line(self) -> str:
        """The status as WSGI has it (PEP 3333)."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"


def unchanged(headers: Headers) -> Given:
    """The 304 to who has that answer: RFC 9110 §15.4.5; and a reader in a browser must be allowed to see it."""
    return Given(304, [(name, value) for name, value in headers if name in _REPEATED])
