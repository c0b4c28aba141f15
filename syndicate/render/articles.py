"""An article as HTML and as plain text: the only place where text is cleaned and escaped."""

from __future__ import annotations

import html as markup
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from syndicate.model import PUBLISHED_KINDS, Article, Enclosure, Entry, Item, Part, Publication, StoredIssue
from syndicate.render.budget import cut
from syndicate.render.templates import written_day

UNTITLED = "无题"

# What XML 1.0 forbids (§2.2) or advises against, and the marks that turn the direction of all that
# follows (bidi embeddings, overrides, isolates): a headline must not reach out of its own line.
_ILLEGAL = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\u202a-\u202e\u2066-\u2069"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "]"
)
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_ENTITY = re.compile(r"&(\w+);?")
_NUMBERED = re.compile(r"&(?:#|\w*[\d_])")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")

_HTML = {
    "kicker": '<p class="kicker">{}</p>',
    "subhead": '<p class="subhead"><strong>{}</strong></p>',
    "note": '<blockquote class="editor-note"><p>{}</p></blockquote>',
    "byline": '<p class="byline">{}</p>',
    "paragraph": "<p>{}</p>",
    "heading": "<h2>{}</h2>",
    "inner heading": "<h3>{}</h3>",
    "label": '<p class="label"><strong>{}</strong></p>',
    "profile": '<p class="profile">{}</p>',
    "caption": '<p class="caption"><small>{}</small></p>',
    "jump": '<p class="jump"><em>{}</em></p>',
}
_HEAD = ("kicker", "subhead", "byline")  # what a page prints around its own headline
_AS_SET = ("byline", "note", "paragraph", "profile")  # blanks and line ends in these are meant


def clean(text: str) -> str:
    """The text without what no feed, page or mail may carry; every line ends alike."""
    # No other line end is printable, nor anything that is taken out.
    if text.replace("\n", "").replace("\u3000", "").isprintable():
        return text
    return _ILLEGAL.sub("", _LINE_END.sub("\n", text))


def line(text: str | None) -> str:
    """Cleaned and on one line; empty for None."""
    return " ".join(clean(text or "").split())


def escape(text: str) -> str:
    """Cleaned, and safe between the tags of HTML and XML."""
    return markup.escape(clean(text), quote=False)


def html(article: Article) -> str:
    """The whole article as an HTML fragment, without its headline."""
    return _html(_blocks(article))


def body(article: Article) -> str:
    """As html(), without kicker, subheads and byline: for a page that prints these around its headline."""
    return _html((role, text) for role, text in _blocks(article) if role not in _HEAD)


def text(article: Article) -> str:
    """The whole article as plain text, without its headline."""
    return "\n\n".join(f"〔{text}〕" if role == "caption" else text for role, text in _blocks(article))


def headline(article: Article) -> str:
    """What the article is called; never empty."""
    printed = (article.headline, *(part.headline for part in article.parts), article.kicker)
    if named := next((name for name in map(line, printed) if name), None):
        return named
    return cut(_lead(article), 30) or line(article.series) or UNTITLED


def byline(article: Article) -> str:
    """Place, day and names as one line: 本报青岚11月15日电 记者 苏锦 汪海涛 通讯员 吴丽君."""
    by = article.byline
    named = [
        f"{role} {names}"
        for role, names in (
            ("记者", _names(by.reporters)),
            ("通讯员", _names(by.correspondents)),
            ("摄影", _names(by.photographers)),
        )
        if names
    ]
    if named and not _HAN.search("".join(by.names)):
        named = [", ".join(filter(None, map(line, by.names)))]
    if not named:
        named = [line(by.raw)]
    return "\u3000".join(filter(None, (line(article.dateline.raw), *named)))


def summary(article: Article, limit: int = 120) -> str:
    """The first sentences of the lead, at most `limit` characters."""
    return cut(_lead(article), limit)


def item(entry: Entry, publication: Publication, base_url: str) -> Item:
    """The entry as a feed shows it; a withdrawn one shows a notice in place of its text."""
    if entry.withdrawn is not None:
        return _notice(entry, publication, base_url)
    article = entry.article
    section = publication.section(entry.section)
    return Item(
        id=entry.id,
        url=base_url + quote(entry.path),
        title=unmistakable(headline(article)),
        summary=unmistakable(summary(article)),
        html=html(article) or f"<p>{escape(headline(article))}</p>",
        authors=tuple(unmistakable(line(name)) for name in article.byline.names if line(name)),
        categories=tuple(
            unmistakable(line(name))
            for name in (section.title if section else entry.section, article.series_name)
            if line(name)
        ),
        published=entry.published,
        updated=entry.updated,
        printed=_printed(article),
    )


def _notice(entry: Entry, publication: Publication, base_url: str) -> Item:
    """What is left of a withdrawn article: the place it had, and that it is gone."""
    chinese = publication.language.startswith("zh")
    said = (
        "本报已撤回这篇文章，或已将其并入另一篇。"
        if chinese
        else "The paper has withdrawn this article, or joined it to another."
    )
    return Item(
        id=entry.id,
        url=base_url + quote(entry.path),
        title="（已撤回）" if chinese else "(Withdrawn)",
        summary=said,
        html=f"<p>{said}</p>",
        authors=(),
        categories=(),
        published=entry.published,
        updated=max(entry.updated, entry.withdrawn or entry.updated),
        withdrawn=entry.withdrawn,
        printed={"page": entry.page, "withdrawn": entry.withdrawn.isoformat()} if entry.withdrawn else {},
    )


def _printed(article: Article) -> dict[str, object]:
    """How it stood in print, for programs: what the standards have no names for."""
    by = article.byline
    roles = {
        "reporters": by.reporters,
        "correspondents": by.correspondents,
        "photographers": by.photographers,
    }
    jump = {"to_page": article.jump.to_page, "from_page": article.jump.from_page}
    printed: dict[str, object] = {
        "kicker": line(article.kicker) or None,
        "subheads": _lines(article.subheads),
        "series": line(article.series) or None,
        "page": article.page,
        "page_title": line(article.page_title) or None,
        "byline": {role: said for role, names in roles.items() if (said := _lines(names))},
        "jump": {way: page for way, page in jump.items() if page},
        "kind": article.kind.value,
    }
    return {key: value for key, value in printed.items() if value}


def issue_item(
    issue: StoredIssue,
    entries: Sequence[Entry],
    publication: Publication,
    base_url: str,
    enclosures: Sequence[Enclosure] = (),
) -> Item:
    """A whole issue as one item: its contents, page by page, and the files it can be had as."""
    listed = [e for e in entries if e.withdrawn is None and e.article.kind in PUBLISHED_KINDS]
    titles = dict(issue.pages)
    at = sorted({e.article.page for e in listed})
    pages = {number: [e for e in listed if e.article.page == number] for number in at}
    printed = datetime.combine(issue.date, publication.print_time, ZoneInfo(publication.zone)).astimezone(UTC)
    published = min(printed, issue.added)  # as revise dates the issue's entries: it never moves
    return Item(
        id=issue_id(issue, publication),
        url=base_url + quote(issue.path),
        title=unmistakable(issue_title(issue, publication)),
        summary=unmistakable(cut("；".join(headline(e.article) for e in listed), 120)),
        html="".join(
            f"<h2>{escape(page_name(number, titles.get(number), publication.language))}</h2>"
            f"<ul>{''.join(_listed(e, base_url) for e in found)}</ul>"
            for number, found in pages.items()
        ),
        authors=(),
        categories=(),
        published=published,
        updated=published if issue.updated == issue.added else max(published, issue.updated),
        enclosures=tuple(enclosures),
        printed={
            "issue": {"date": issue.date.isoformat(), "number": issue.number, "pages": len(issue.pages)}
        },
    )


def issue_title(issue: StoredIssue, publication: Publication) -> str:
    """What an issue is called: 青岚日报 2026年11月16日 星期一 第4127期."""
    chinese = publication.language.startswith("zh")
    number = "" if issue.number is None else f"第{issue.number}期" if chinese else f"No. {issue.number}"
    return " ".join(
        filter(None, (line(publication.title), written_day(issue.date, publication.language), number))
    )


def page_name(number: int, title: str | None, language: str) -> str:
    """What a page is called: 第1版 要闻."""
    name = f"第{number}版" if language.startswith("zh") else f"Page {number}"
    return f"{name} {line(title)}".rstrip()


def _blocks(article: Article) -> Iterator[tuple[str, str]]:
    """Role and text of everything that is printed under the headline, in reading order."""
    name = headline(article)
    chinese = bool(_HAN.search(name))
    jump = article.jump
    pieces: list[tuple[str, str | None]] = [
        ("kicker", article.kicker if line(article.kicker) != name else None),
        *(("subhead", subhead) for subhead in article.subheads),
        ("note", article.editor_note),
        ("byline", byline(article)),
    ]
    if jump.from_page and not jump.joined:
        pieces.append(
            ("jump", f"（上接第{jump.from_page}版）" if chinese else f"(from page {jump.from_page})")
        )
    pieces += _running(article.paragraphs)
    for part in article.parts:
        pieces += _part(part)
    pieces += (("caption", caption) for caption in article.captions)
    if jump.to_page and not jump.joined:
        pieces.append(("jump", f"（下转第{jump.to_page}版）" if chinese else f"(to page {jump.to_page})"))
    for role, piece in pieces:
        shown = clean(piece or "").strip() if role in _AS_SET else line(piece)
        if shown:
            yield role, shown


def _part(part: Part) -> Iterator[tuple[str, str | None]]:
    yield "heading", part.headline
    yield "label", part.label
    yield "profile", part.profile
    yield from _running(part.paragraphs, "inner heading")


def _running(paragraphs: Sequence[str], heading_role: str = "heading") -> Iterator[tuple[str, str]]:
    """Paragraphs; a short line without a full stop before a long one is a heading."""
    for here, following in zip(paragraphs, (*paragraphs[1:], ""), strict=False):
        heading = (
            0 < len(here) <= 24 and len(following) >= 48 and not re.search(r"[。！，；：…,;:.）)]\s*$", here)
        )
        yield (heading_role if heading and here is not paragraphs[0] else "paragraph"), here


def _lead(article: Article) -> str:
    """The first paragraph that says something: not a salutation, not a heading."""
    first = ""
    for shown in map(line, _prose(article)):
        if len(shown) > 12:
            return shown
        first = first or shown
    return first


def _prose(article: Article) -> Iterator[str]:
    """Where a lead may be found, best first."""
    yield from article.paragraphs
    for part in article.parts:
        yield from part.paragraphs
    yield from (part.profile for part in article.parts if part.profile)
    yield from article.captions
    yield from article.subheads
    yield article.editor_note or ""


def _html(blocks: Iterable[tuple[str, str]]) -> str:
    return "\n".join(_HTML[role].format(escape(text).replace("\n", "<br />")) for role, text in blocks)


def _listed(entry: Entry, base_url: str) -> str:
    kicker, name = line(entry.article.kicker), headline(entry.article)
    above = f"<small>{escape(kicker)}</small><br />" if kicker and kicker != name else ""
    return f'<li>{above}<a href="{markup.escape(base_url + quote(entry.path))}">{escape(name)}</a></li>'


def _names(names: Iterable[str]) -> str:
    return " ".join(_lines(names))


def _lines(texts: Iterable[str]) -> list[str]:
    return [said for said in map(line, texts) if said]


def issue_id(issue: StoredIssue, publication: Publication) -> str:
    """The issue's own tag: URI (RFC 4151)."""
    # By its day: a number may come later than the first pages, or be corrected.
    return f"tag:{publication.host},{issue.date.isoformat()}:{publication.slug}/{issue.date:%Y%m%d}"


def unmistakable(plain: str) -> str:
    """Plain text that looks like HTML nowhere: readers guess whether it is, and then drop or run it."""
    plain = re.sub(r"<(?=[A-Za-z/!?])", "＜", plain)
    ended = _ENTITY.sub(r"&\1;", plain)  # some readers do not wait for the semicolon
    like = markup.unescape(ended) != ended or _NUMBERED.search(plain)
    return plain.replace("&", "＆") if like else plain
