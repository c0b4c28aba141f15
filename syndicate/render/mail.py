"""A letter: its head, written so that nothing from outside adds a line to it, and its two parts."""

from __future__ import annotations

from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from css_inline import CSSInliner

from syndicate.model import Publication
from syndicate.render import articles
from syndicate.render.budget import cut

# Written as they are, on one line: folded, some DKIM signers break them (nodemailer #1654); in
# encoded words no mailbox understands them; and an address or id may itself look like such a word.
_VERBATIM = frozenset(
    {"to", "message-id", "list-unsubscribe", "list-unsubscribe-post", "list-archive", "feedback-id"}
)

# RFC 2045 §6.7: "=_" stands in no body of base64 or quoted-printable, so no part can contain it.
_BOUNDARY = "=_alternative"

NAME = 60  # characters of a paper's or a section's name in the text

# Bytes of a name: 52 characters in base64 or at most 4 more in quoted-printable, which Python then prefers;
# with =?utf-8?b?…?= around it and List-Id before it 77 of the 78 of a line.
PHRASE = 39

_FULL_WIDTH = str.maketrans('",;:()<>[]@\\', "＂，；：（）〈〉［］＠＼")


def letter(
    publication: Publication, address: str, sender: str, message_id: str, moment: datetime
) -> EmailMessage:
    """A message from the paper with the headers that every mail has (RFC 5322 §3.6)."""
    # RFC 6532 headers only where the address itself needs them: then the server must speak SMTPUTF8.
    mail = EmailMessage(policy=_POLICY if address.isascii() else _POLICY.clone(utf8=True))
    mail["From"] = Address(phrase(publication.title), addr_spec=parseaddr(sender)[1])
    mail["To"] = address
    mail["Date"] = format_datetime(moment.astimezone(ZoneInfo(publication.zone)))
    mail["Message-ID"] = message_id
    return mail


def with_parts(mail: EmailMessage, plain: str, rich: str) -> EmailMessage:
    """The letter with its text and its HTML, for each reader to choose from (RFC 2046 §5.1.4)."""
    # Base64: Han characters are three bytes in UTF-8, and quoted-printable makes nine of them.
    mail.set_content(plain, cte="base64")
    mail.add_alternative(rich, subtype="html", cte="base64")
    mail.set_boundary(_BOUNDARY)  # else random: the same value gives the same bytes
    return mail


def header(value: str) -> str:
    """One line that decodes to nothing but itself: =?utf-8?q?=0ABcc:…?= was a header (CVE-2024-6923)."""
    return articles.line(value).replace("=?", "＝?")


def phrase(name: str) -> str:
    """A name before an address: without marks, and short enough to be one encoded word on one line.

    Where it is more, Python 3.11 loses quotes and puts blanks between the words.
    """
    plain = header(name).translate(_FULL_WIDTH)
    shortened = (cut(plain, limit) for limit in range(PHRASE, 0, -1))
    return next((short for short in shortened if short and len(short.encode()) <= PHRASE), articles.UNTITLED)


def paper(publication: Publication, language: str) -> str:
    """The paper's name for readers of that language."""
    return named(publication.title, publication.title_en, language)


def named(title: str, title_en: str | None, language: str) -> str:
    """The title for readers of that language, on one line and cut to NAME."""
    return cut(articles.line(title if language.startswith("zh") or not title_en else title_en), NAME)


def inlined(page: str) -> str:
    """The page with its styles in its tags; a <style> marked to be kept stays, too, for who reads it."""
    return _inliner().inline(page)


class _AsWritten(EmailPolicy):
    """RFC 5322 lines of 78 characters, except for headers that must stay whole."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        if name.lower() not in (*_VERBATIM, "subject"):
            return super().header_store_parse(name, value)
        if len(value.splitlines()) > 1:
            raise ValueError(f"{name} is not one line: {value!r}")
        return name, value

    def fold(self, name: str, value: Any) -> str:
        if name.lower() in _VERBATIM:
            return f"{name}: {value}{self.linesep}"
        if name.lower() == "subject":
            return f"{name}: {_encoded(value, name)}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in (*_VERBATIM, "subject"):
            return self.fold(name, value).encode()
        return bytes(super().fold_binary(name, value))


def _encoded(value: str, name: str) -> str:
    """The value in encoded words, its blanks inside them: a policy loses some between two of them."""
    header = Header(value, "us-ascii" if value.isascii() else "utf-8", header_name=name)
    return header.encode(linesep="\r\n")


_POLICY = _AsWritten(linesep="\r\n", cte_type="7bit")


@cache
def _inliner() -> CSSInliner:
    return CSSInliner(load_remote_stylesheets=False)
