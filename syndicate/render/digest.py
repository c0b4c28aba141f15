"""A digest as mail: the stories of an issue or a week in the paper's order, and what had to be put right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from email.message import EmailMessage
from urllib.parse import quote
from zoneinfo import ZoneInfo

from markupsafe import Markup

from syndicate.model import Digest, Entry, Envelope, Picture, Rhythm
from syndicate.render import articles, columns, mail
from syndicate.render.budget import cut
from syndicate.render.templates import environment

# Gmail hides what follows the first 102 KB of HTML, and with it the unsubscribe link.
# https://github.com/hteumeuleu/email-bugs/issues/41
HTML_BYTES = 100_000
LINE = 120  # characters of a headline, kicker or byline: a page read as one makes no mail of megabytes
AMENDED = 20  # corrections and withdrawals that are named; the others are counted

SENDER = "syndicate"
"""The last part of Feedback-ID, 5 to 15 characters, alike in all mail (support.google.com/mail/answer/6254652)."""


def message(digest: Digest, envelope: Envelope) -> EmailMessage:
    """The digest, addressed: text and HTML, to be left with one click (RFC 8058)."""
    publication, site, values = digest.publication, digest.base_url, _values(digest)
    letter = mail.letter(publication, envelope.address, envelope.sender, envelope.message_id, envelope.date)
    letter["Subject"] = mail.header(str(values["subject"]))
    # What comes from a list gets no vacation notices (RFC 5230 §4.6). Precedence was never
    # standardised, and its use is discouraged (RFC 2076 §3.9).
    letter["List-Id"] = f"{mail.phrase(publication.title)} <{publication.slug}.{publication.host}>"
    letter["List-Archive"] = f"<{site}/{publication.slug}/issues>"
    by_mail = f", <mailto:{envelope.leave_mail}?subject=unsubscribe>" if envelope.leave_mail else ""
    letter["List-Unsubscribe"] = f"<{envelope.leave_url}>{by_mail}"  # the better way first (RFC 2369 §2)
    if site.startswith("https://"):  # one click knows no other (RFC 8058 §3.1)
        letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    letter["Feedback-ID"] = _feedback_id(digest)
    return mail.with_parts(
        letter,
        _text(digest, values, envelope.leave_url, envelope.manage_url),
        _html(digest, values, envelope.leave_url, envelope.manage_url),
    )


def html(digest: Digest, leave_url: str, manage_url: str = "") -> str:
    """The HTML part, small enough to be shown whole: the rest of a long section as links."""
    return _html(digest, _values(digest), leave_url, manage_url)


def text(digest: Digest, leave_url: str, manage_url: str = "") -> str:
    """The text part, set in the columns of a terminal, and no longer than the HTML may be."""
    return _text(digest, _values(digest), leave_url, manage_url)


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
    told: bool = True


@dataclass(frozen=True, slots=True)
class _Chapter:
    title: str
    url: str
    picture: Picture | None
    stories: tuple[_Story, ...]
    omitted: int = 0

    def cut(self, *, told: int, listed: int) -> _Chapter:
        """With only so many stories told, and so many named."""
        shown = tuple(replace(story, told=n < told) for n, story in enumerate(self.stories[:listed]))
        return replace(self, stories=shown, omitted=len(self.stories) - len(shown))


@dataclass(frozen=True, slots=True)
class _Amended:
    """An article that was put right or taken back."""

    headline: str
    url: str
    what: str
    printed: date
    day: date
    withdrawn: bool


_Chapters = tuple[_Chapter, ...]
_Values = dict[str, object]  # what templates are filled with


def _html(digest: Digest, values: _Values, leave_url: str, manage_url: str) -> str:
    return _part("digest.html", digest, values | _links(leave_url, manage_url), mail.inlined)


def _text(digest: Digest, values: _Values, leave_url: str, manage_url: str) -> str:
    return _part("digest.txt", digest, values | _links(leave_url, manage_url), str)


def _links(leave_url: str, manage_url: str) -> _Values:
    return {"leave_url": leave_url, "manage_url": manage_url}


def _part(name: str, digest: Digest, values: _Values, write: Callable[[str], str]) -> str:
    template = environment(digest.language).get_template(f"email/{name}")
    chapters = tuple(_chapters(digest))
    return _fitting(chapters, lambda shown: write(template.render(values, chapters=shown)))


def _fitting(chapters: _Chapters, page: Callable[[_Chapters], str]) -> str:
    """All is told; else the first ones of each section, and the others named; else as many as there is room for."""
    longest = max((len(chapter.stories) for chapter in chapters), default=0)
    return (
        _most(longest, lambda n: page(tuple(c.cut(told=n, listed=longest) for c in chapters)))
        or _most(longest, lambda n: page(tuple(c.cut(told=0, listed=n) for c in chapters)))
        or _most(len(chapters), lambda n: page(tuple(c.cut(told=0, listed=0) for c in chapters[:n])))
        or page(())
    )


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


def _values(digest: Digest) -> _Values:
    """What the templates say of this digest, whoever gets it."""
    publication, language, issues = digest.publication, digest.language, digest.issues
    stories = [story for chapter in _chapters(digest) for story in chapter.stories]
    amended = tuple(_amended(digest))
    home = f"{digest.base_url}/{publication.slug}/"
    values: _Values = {
        "paper": mail.paper(publication, language),
        "publisher": cut(articles.line(publication.publisher), LINE),
        "foreign": _foreign(publication.language, language),
        "rhythm": digest.rhythm.value,
        "weekly": digest.rhythm is Rhythm.WEEKLY,
        "first": digest.week[0] if digest.week else issues[0].date if issues else None,
        "last": digest.week[1] if digest.week else _last_day(digest),
        "stories": len(stories),
        "top": stories[0] if stories else None,
        "amended": amended[:AMENDED],
        "amendments": len(amended),
        "issue": issues[-1] if issues else None,
        "lunar_date": cut(articles.line(issues[-1].lunar_date), 14)
        if issues and language.startswith("zh")
        else "",
        "cover": _picture(digest.cover),
        "home": home,
        "archive": f"{home}issues",
        "corrections": f"{home}feeds/corrections.rss",
        "online": _online(digest, home),
        "columns": columns.block,
        "rule": columns.rule,
    }
    values["preheader"] = _preheader(stories, amended, weekly=digest.rhythm is Rhythm.WEEKLY)
    # Texts in their own templates, so that the HTML escapes them as values.
    said = {name: _said(name, language, values) for name in ("subject", "dateline", "greeting", "because")}
    return values | {name: " ".join(lines) for name, lines in said.items()} | {"dateline": said["dateline"]}


def _online(digest: Digest, home: str) -> str:
    """Where the same can be read on the site: the issue, the issues, or what was put right."""
    if len(digest.issues) == 1:
        return digest.base_url + digest.issues[0].path
    return f"{home}feeds/corrections.rss" if digest.rhythm is Rhythm.CORRECTIONS else f"{home}issues"


def _said(name: str, language: str, values: _Values) -> tuple[str, ...]:
    """The lines that are not empty."""
    told = environment(language).get_template(f"email/digest-{name}.txt").render(values)
    return tuple(line for line in map(articles.line, told.splitlines()) if line)


def _chapters(digest: Digest) -> Iterator[_Chapter]:
    for chosen in digest.sections:
        section = chosen.section
        if chosen.entries:
            yield _Chapter(
                title=mail.named(section.title, section.title_en, digest.language),
                url=f"{digest.base_url}/{digest.publication.slug}/sections/{quote(section.slug)}",
                picture=_picture(chosen.picture),
                stories=tuple(_story(entry, _link(digest, entry)) for entry in chosen.entries),
            )


def _picture(picture: Picture | None) -> Picture | None:
    return picture and replace(picture, alt=cut(articles.line(picture.alt), LINE))


def _story(entry: Entry, url: str) -> _Story:
    article = entry.article
    headline = cut(articles.headline(article), LINE)
    kicker = cut(articles.line(article.kicker), LINE)
    return _Story(
        headline=headline,
        kicker=kicker if kicker != headline else cut(articles.line(article.series), LINE),
        lead=articles.summary(article),
        byline=cut(" ".join(filter(None, map(articles.line, article.byline.names))), LINE),
        url=url,
        page=article.page,
        day=entry.date,
    )


def _link(digest: Digest, entry: Entry) -> str:
    if digest.go_url is None:
        return digest.base_url + quote(entry.path)
    return digest.go_url + quote(entry.path.removeprefix(f"/{entry.publication}/"))


def _amended(digest: Digest) -> Iterator[_Amended]:
    zone = ZoneInfo(digest.publication.zone)
    for withdrawn, some in ((False, digest.corrected), (True, digest.withdrawn)):
        for one in some:
            yield _Amended(
                headline=cut(articles.line(one.headline), LINE) or articles.UNTITLED,
                url=digest.base_url + quote(one.path),
                what=cut(articles.line(one.what), LINE),
                printed=one.printed,
                day=one.at.astimezone(zone).date(),
                withdrawn=withdrawn,
            )


def _last_day(digest: Digest) -> date | None:
    """The day of the newest issue; of a mail without any, that of the newest correction."""
    days = [issue.date for issue in digest.issues] or [one.day for one in _amended(digest)]
    return max(days, default=None)


def _preheader(stories: Sequence[_Story], amended: Sequence[_Amended], *, weekly: bool) -> str:
    """What an inbox shows after the subject: the headlines that the subject does not name."""
    headlines = [story.headline for story in stories] or [one.headline for one in amended]
    if len(stories) == 1:
        return stories[0].lead or headlines[0]
    return " · ".join(headlines[:3] if weekly or not stories else headlines[1:4])


def _foreign(content: str, language: str) -> Markup:
    """The attribute that tells what the paper's own words are in, where the mail is in another language."""
    return Markup("") if content == language else Markup(' lang="{}"').format(content)


def _feedback_id(digest: Digest) -> str:
    """The mailing, its kind, the paper and us: what Gmail counts complaints by, nothing of it a person's."""
    slug, kind = digest.publication.slug, digest.rhythm.value
    return f"{slug}-{kind}-{_last_day(digest) or 'none'}:{kind}-digest:paper-{slug}:{SENDER}"
