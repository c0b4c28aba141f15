"""A digest, and the question whether somebody wants it, as mail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from css_inline import CSSInliner

from syndicate.model import Digest, Entry, Envelope, Publication, Rhythm, Subscription
from syndicate.render import articles
from syndicate.render.budget import cut
from syndicate.render.templates import environment

# Gmail hides what follows the first 102 KB of HTML, and with it the unsubscribe link.
# https://github.com/hteumeuleu/email-bugs/issues/41
HTML_BYTES = 100_000
LINE = 120  # characters of a headline, kicker or byline: a page read as one makes no mail of megabytes

# Written as they are, on one line: folded, some DKIM signers break them (nodemailer #1654); in
# encoded words no mailbox understands them; and an address or id may itself look like such a word.
_VERBATIM = frozenset({"to", "message-id", "list-unsubscribe", "list-unsubscribe-post", "list-archive"})

_FULL_WIDTH = str.maketrans('",;:()<>[]@\\', "＂，；：（）〈〉［］＠＼")


def message(digest: Digest, envelope: Envelope) -> EmailMessage:
    """The digest, addressed: text and HTML, to be left with one click (RFC 8058)."""
    publication = digest.publication
    mail = _letter(publication, envelope.address, envelope.sender, envelope.message_id, envelope.date)
    mail["Subject"] = _header(_render("digest-subject.txt", digest, envelope.leave_url))
    mail["List-Id"] = f"{_phrase(publication.title)} <{publication.slug}.{publication.host}>"
    mail["List-Archive"] = f"<{digest.base_url}/{publication.slug}/issues>"
    mail["List-Unsubscribe"] = f"<{envelope.leave_url}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return _with_parts(mail, text(digest, envelope.leave_url), html(digest, envelope.leave_url))


def html(digest: Digest, leave_url: str) -> str:
    """The HTML part, small enough to be shown whole: the rest of a long section as links."""
    longest = max((len(section.entries) for section in digest.sections), default=0)
    return (
        _most(longest, lambda n: _page(digest, leave_url, told=n, listed=longest))
        or _most(longest, lambda n: _page(digest, leave_url, told=0, listed=n))
        or _page(digest, leave_url, told=0, listed=0)
    )


def text(digest: Digest, leave_url: str) -> str:
    """The text part."""
    return _render("digest.txt", digest, leave_url)


def confirmation(
    publication: Publication,
    subscription: Subscription,
    confirm_url: str,
    sender: str,
    base_url: str,
    message_id: str,
    date: datetime,
) -> EmailMessage:
    """The question whether the owner of an address wants the digest; its link is the only one."""
    mail = _letter(publication, subscription.address, sender, message_id, date)
    # RFC 3834: no out-of-office answer to a machine.
    mail["Auto-Submitted"] = "auto-generated"
    jinja = environment(subscription.language)
    values: dict[str, object] = {
        "paper": _paper(publication, subscription.language),
        "sections": [
            _named(section.title, section.title_en, subscription.language)
            for section in publication.sections
            if section.slug in subscription.sections
        ],
        "weekly": subscription.rhythm is Rhythm.WEEKLY,
        "confirm_url": confirm_url,
        "site": urlsplit(base_url).netloc,
    }
    values["choice"] = jinja.get_template("email/choice.txt").render(values).strip()
    mail["Subject"] = _header(jinja.get_template("email/confirm-subject.txt").render(values))
    return _with_parts(
        mail,
        jinja.get_template("email/confirm.txt").render(values),
        _inliner().inline(jinja.get_template("email/confirm.html").render(values)),
    )


@dataclass(frozen=True, slots=True)
class _Story:
    """An entry as a digest shows it; without `told`, only its headline."""

    headline: str
    kicker: str
    lead: str
    byline: str
    url: str
    page: int
    day: date
    told: bool


@dataclass(frozen=True, slots=True)
class _Chapter:
    title: str
    url: str
    stories: tuple[_Story, ...]
    omitted: int


class _AsWritten(EmailPolicy):
    """RFC 5322 lines of 78 characters, except for headers that must stay whole."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        if name.lower() not in _VERBATIM:
            return super().header_store_parse(name, value)
        if len(value.splitlines()) != 1:
            raise ValueError(f"{name} is not one line: {value!r}")
        return name, value

    def fold(self, name: str, value: Any) -> str:
        if name.lower() in _VERBATIM:
            return f"{name}: {value}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in _VERBATIM:
            return self.fold(name, value).encode()
        return bytes(super().fold_binary(name, value))


_POLICY = _AsWritten(linesep="\r\n", cte_type="7bit")


def _letter(
    publication: Publication, address: str, sender: str, message_id: str, moment: datetime
) -> EmailMessage:
    """A message with the headers that every mail has."""
    # RFC 6532 headers only where the address itself needs them: then the server must speak SMTPUTF8.
    mail = EmailMessage(policy=_POLICY if address.isascii() else _POLICY.clone(utf8=True))
    mail["From"] = Address(_phrase(publication.title), addr_spec=parseaddr(sender)[1])
    mail["To"] = address
    mail["Date"] = format_datetime(moment.astimezone(ZoneInfo(publication.zone)))
    mail["Message-ID"] = message_id
    return mail


def _with_parts(mail: EmailMessage, plain: str, rich: str) -> EmailMessage:
    # Base64: Han characters are three bytes in UTF-8, and quoted-printable makes nine of them.
    mail.set_content(plain, cte="base64")
    mail.add_alternative(rich, subtype="html", cte="base64")
    mark = hashlib.sha256(str(mail["Message-ID"]).encode()).hexdigest()[:24]
    mail.set_boundary(f"=_{mark}")  # else random: the same value gives the same bytes
    return mail


def _phrase(name: str) -> str:
    """A name before an address: short and without marks, for when it folds Python loses their quotes."""
    return cut(_header(name).translate(_FULL_WIDTH), 40) or articles.UNTITLED


def _header(value: str) -> str:
    """One line that decodes to nothing but itself: =?utf-8?q?=0ABcc:…?= was a header (CVE-2024-6923)."""
    return articles.line(value).replace("=?", "＝?")


def _most(most: int, page: Callable[[int], str]) -> str | None:
    """The page with the largest number, 0 to `most`, that is small enough; None when none is."""
    fits, low, high = None, 0, most
    number = most  # nearly always everything fits
    while low <= high:
        made = page(number)
        if len(made.encode()) <= HTML_BYTES:
            fits, low = made, number + 1
        else:
            high = number - 1
        number = (low + high) // 2
    return fits


def _page(digest: Digest, leave_url: str, *, told: int, listed: int) -> str:
    """HTML with so many stories told, and so many named, in each section."""
    return _inliner().inline(_render("digest.html", digest, leave_url, told=told, listed=listed))


def _render(
    name: str, digest: Digest, leave_url: str, *, told: int | None = None, listed: int | None = None
) -> str:
    publication, language = digest.publication, digest.language
    jinja = environment(language)
    chapters = tuple(_chapters(digest, told, listed))
    issues = digest.issues
    values: dict[str, object] = {
        "paper": _paper(publication, language),
        "publication": publication,
        "weekly": digest.rhythm is Rhythm.WEEKLY,
        "publisher": articles.line(publication.publisher),
        "issue": issues[-1] if issues else None,
        "lunar_date": articles.line(issues[-1].lunar_date) if issues and language.startswith("zh") else "",
        "first": issues[0].date if issues else None,
        "last": issues[-1].date if issues else None,
        "chapters": chapters,
        "stories": sum(len(section.entries) for section in digest.sections),
        "top": next((story for chapter in chapters for story in chapter.stories), None),
        "home": f"{digest.base_url}/{publication.slug}/",
        "archive": f"{digest.base_url}/{publication.slug}/issues",
        "online": digest.base_url + (issues[0].path if len(issues) == 1 else f"/{publication.slug}/issues"),
        "leave_url": leave_url,
    }
    # Text in its own template, so that the HTML escapes it as a value.
    values["greeting"] = jinja.get_template("email/greeting.txt").render(values).strip()
    return jinja.get_template(f"email/{name}").render(values)


def _chapters(digest: Digest, told: int | None, listed: int | None) -> Iterator[_Chapter]:
    for section in digest.sections:
        shown = section.entries[:listed]
        if section.entries:
            yield _Chapter(
                title=_named(section.section.title, section.section.title_en, digest.language),
                url=f"{digest.base_url}/{digest.publication.slug}/sections/{quote(section.section.slug)}",
                stories=tuple(
                    _story(entry, digest.base_url, told=told is None or n < told)
                    for n, entry in enumerate(shown)
                ),
                omitted=len(section.entries) - len(shown),
            )


def _story(entry: Entry, base_url: str, *, told: bool) -> _Story:
    article = entry.article
    headline = cut(articles.headline(article), LINE)
    kicker = cut(articles.line(article.kicker), LINE)
    return _Story(
        headline=headline,
        kicker=kicker if kicker != headline else cut(articles.line(article.series), LINE),
        lead=articles.summary(article),
        byline=cut(" ".join(filter(None, map(articles.line, article.byline.names))), LINE),
        url=base_url + quote(entry.path),
        page=article.page,
        day=entry.date,
        told=told,
    )


def _paper(publication: Publication, language: str) -> str:
    """The paper's name for readers of that language."""
    return _named(publication.title, publication.title_en, language)


def _named(title: str, title_en: str | None, language: str) -> str:
    return articles.line(title if language.startswith("zh") or not title_en else title_en)


@cache
def _inliner() -> CSSInliner:
    # Nothing is fetched, and what stands in @media stays for dark mode and small screens.
    return CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
