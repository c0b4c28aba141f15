"""What an issue holds when it is read as a book, and what the book is called: for EPUB and PDF alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from syndicate.model import PUBLISHED_KINDS, Entry, Publication, StoredIssue
from syndicate.render import articles
from syndicate.render.templates import written_day


@dataclass(frozen=True, slots=True)
class Chapter:
    """One article as a book prints it: what stands around its headline, and the entry itself."""

    name: str  # unique in the issue, and as lasting as the article's address: 1-3
    headline: str
    kicker: str  # this and all below: empty where the article has none
    series: str
    subheads: tuple[str, ...]
    byline: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of the paper: what it is called, and the articles published of it."""

    title: str
    chapters: tuple[Chapter, ...]


def title(issue: StoredIssue, publication: Publication) -> str:
    """What the book is called, so that a shelf sorts by day: 青岚日报 2026-11-16 第4127期."""
    named = (articles.line(publication.title), issue.date.isoformat(), number(issue, publication))
    return " ".join(filter(None, named))


def number(issue: StoredIssue, publication: Publication) -> str:
    """第4127期, No. 4127, or nothing."""
    if issue.number is None:
        return ""
    return f"第{issue.number}期" if publication.language.startswith("zh") else f"No. {issue.number}"


def folio(issue: StoredIssue, publication: Publication) -> tuple[str, ...]:
    """The line under a name plate: the day, its lunar date in a Chinese paper, the issue's number."""
    lunar = articles.line(issue.lunar_date) if publication.language.startswith("zh") else ""
    said = (written_day(issue.date, publication.language), lunar, number(issue, publication))
    return tuple(filter(None, said))


def sheets(issue: StoredIssue, entries: Sequence[Entry], publication: Publication) -> tuple[Sheet, ...]:
    """The issue page by page, articles in the order given; without notices, advertisements, the withdrawn."""
    listed = [e for e in entries if e.withdrawn is None and e.article.kind in PUBLISHED_KINDS]
    titles = dict(issue.pages)
    return tuple(
        Sheet(
            articles.page_name(page, titles.get(page), publication.language),
            tuple(_chapter(e) for e in listed if e.article.page == page),
        )
        for page in sorted({e.article.page for e in listed})
    )


def blocks(fragment: str) -> tuple[tuple[str, str], ...]:
    """What an article's HTML consists of: (class, or else the tag's name; text with its line ends)."""
    root = etree.fromstring(f"<div>{fragment}</div>", etree.XMLParser(huge_tree=True))
    for br in root.iter("br"):
        br.tail = "\n" + (br.tail or "")
    return tuple((block.get("class") or str(block.tag), "".join(block.itertext())) for block in root)


def _chapter(entry: Entry) -> Chapter:
    article = entry.article
    headline, kicker = articles.headline(article), articles.line(article.kicker)
    return Chapter(
        name=f"{entry.page}-{entry.n}",
        headline=headline,
        kicker="" if kicker == headline else kicker,
        series=articles.line(article.series),
        subheads=tuple(filter(None, map(articles.line, article.subheads))),
        byline=articles.byline(article),
        entry=entry,
    )
