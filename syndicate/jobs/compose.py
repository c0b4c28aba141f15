"""What a digest says to who chose what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection

from syndicate import store
from syndicate.errors import IssueError
from syndicate.model import (
    PUBLISHED_KINDS,
    Choice,
    Correction,
    Digest,
    DigestSection,
    Entry,
    Picture,
    Publication,
    Rhythm,
    StoredDigest,
    StoredIssue,
)
from syndicate.render import articles, cards
from syndicate.services import Services
from syndicate.store import digests, entries, issues

SHAPE = "wide"


def compose(
    db: Connection, services: Services, planned: StoredDigest, choice: Choice, language: str
) -> Digest | None:
    """The digest for a choice, None when there is nothing in it or its paper is not described any more."""
    paper = services.settings.publication(planned.publication)
    if paper is None:
        return None
    days = () if planned.rhythm is Rhythm.CORRECTIONS else _days(db, planned)
    found = [entry for issue in days for entry in entries.of_issue(db, paper.slug, issue.date)]
    wrong = [(e, at) for e, at in _corrected(db, planned) if choice.wants(e)]
    base = services.settings.base_url
    digest = Digest(
        paper,
        planned.rhythm,
        days,
        _by_section(paper, [entry for entry in found if choice.wants(entry)], base),
        language,
        base,
        corrected=tuple(_correction(e, at) for e, at in wrong if not e.withdrawn),
        withdrawn=tuple(_correction(e, at) for e, at in wrong if e.withdrawn),
        go_url=f"{base}/{paper.slug}/go/{planned.id}/" if services.settings.count_clicks else None,
    )
    return None if digest.empty else digest


def preview(services: Services, publication: str, day: date | None, language: str) -> Digest:
    """The digest of an issue (None: the newest) for who wants the whole paper.

    Raises IssueError when there is no such paper or issue, or nothing in it would be mailed.
    """
    with store.reading(services.db) as db:
        issue = issue_of(db, paper_of(services, publication), day)
        planned = digests.of_issue(db, publication, issue.date) or StoredDigest(
            0, publication, Rhythm.ISSUE, issue.date, issue.date, issue.updated
        )
        contents = compose(db, services, planned, Choice(), language)
    if contents is None:
        raise IssueError(f"{publication} {issue.date}: nothing in it would be mailed")
    return contents


def paper_of(services: Services, publication: str) -> Publication:
    """The newspaper of that slug. Raises IssueError when it is not described."""
    paper = services.settings.publication(publication)
    if paper is None:
        known = ", ".join(p.slug for p in services.settings.publications)
        raise IssueError(f"no newspaper {publication!r}; there are {known}")
    return paper


def issue_of(db: Connection, paper: Publication, day: date | None) -> StoredIssue:
    """The issue of that day, the newest for None. Raises IssueError when there is none."""
    found = issues.find(db, paper.slug, day) if day else issues.newest(db, paper.slug)
    if found is None:
        raise IssueError(f"{paper.slug}: no issue {f'of {day}' if day else 'yet'}")
    return found


def _days(db: Connection, planned: StoredDigest) -> tuple[StoredIssue, ...]:
    return issues.between(db, planned.publication, planned.first, planned.last)


def _corrected(db: Connection, planned: StoredDigest) -> Sequence[tuple[Entry, datetime]]:
    """What was in an earlier digest of this rhythm and has been put right or taken back since."""
    last = digests.before(db, planned)
    if last is None and planned.rhythm is not Rhythm.CORRECTIONS:
        return ()
    since = last.planned if last else planned.planned.replace(hour=0, minute=0)
    found = entries.corrected(db, planned.publication, since, planned.planned)
    if planned.rhythm is Rhythm.CORRECTIONS:
        return found
    return [(entry, at) for entry, at in found if entry.date < planned.first]


def _correction(entry: Entry, at: datetime) -> Correction:
    return Correction(articles.headline(entry.article), entry.path, entry.date, at)


def _by_section(paper: Publication, found: Sequence[Entry], base: str) -> tuple[DigestSection, ...]:
    told: list[DigestSection] = []
    for section in paper.sections:
        of_it = tuple(e for e in found if e.section == section.slug and e.article.kind in PUBLISHED_KINDS)
        if of_it:
            told.append(DigestSection(section, of_it, None if told else _picture(of_it[0], paper, base)))
    return tuple(told)


def _picture(lead: Entry, paper: Publication, base: str) -> Picture:
    """The card of the first story of all."""
    width, height = cards.SHAPES[SHAPE]
    return Picture(cards.address(lead, paper, base, SHAPE), "", width, height)  # beside its headline
