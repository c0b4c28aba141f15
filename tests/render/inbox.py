"""A mail as it arrives, taken apart."""

from __future__ import annotations

import email
import re
from email import policy
from email.message import EmailMessage
from html.parser import HTMLParser

from lxml import html as tree


def received(message: EmailMessage) -> EmailMessage:
    """The message as it comes out of its bytes."""
    parsed = email.message_from_bytes(message.as_bytes(), policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not parsed.defects
    return parsed


def part(message: EmailMessage, kind: str) -> str:
    """Its text (plain) or its HTML (html)."""
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def header_lines(message: EmailMessage) -> list[bytes]:
    """The lines of the head as they go over the wire."""
    return message.as_bytes().split(b"\r\n\r\n", 1)[0].split(b"\r\n")


def links(page: str) -> list[str]:
    """Where its links lead, in their order."""
    return [a.get("href", "") for a in tree.fromstring(page).iter("a")]


def shown(page: str) -> str:
    """The page without what only inboxes show."""
    return re.sub(r"<title>.*?</title>|<div class=.hidden.*?</div>", "", page, flags=re.S)


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
