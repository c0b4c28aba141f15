"""An answer that is ready: what the files of the public folder and polls with nothing new are answered with."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

Headers = list[tuple[str, str]]


class Given(NamedTuple):
    """An answer: status, headers, body."""

    status: int
    headers: Headers
    body: bytes = b""

    @property
    def line(self) -> str:
        """The status as WSGI has it (PEP 3333)."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"
