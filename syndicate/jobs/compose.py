"""What a digest says to who chose what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from syndicate import store
from syndicate.errors import IssueError
from syndicate.jobs import plan_digests
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
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Told:
    """All that a digest tells, whoever gets it."""

    digest: StoredDigest
    issues: tuple[StoredIssue, ...]
    entries: tuple[Entry, ...]
    wrong: tuple[tuple[Entry, datetime], ...]  # put right or taken back since an earlier one, and when


def told(db: Connection, planned: StoredDigest) -> Told:
    """What is in a digest."""
    days = () if planned.rhythm is Rhythm.CORRECTIONS else _days(db, planned)
    found = [entry for issue in days for entry in entries.of_issue(db, planned.publication, issue.date)]
    return Told(planned, days, tuple(found), tuple(_corrected(db, planned, days)))


def compose(services: Services, told: Told, choice: Choice, language: str) -> Digest | None:
    """The digest for a choice, None when there is nothing in it or its paper is not described any more."""
    planned = told.digest
    paper = services.settings.publication(planned.publication)
    if paper is None:
        return None
    wrong = [(entry, at) for entry, at in told.wrong if choice.wants(entry)]
    base = services.settings.base_url
    digest = Digest(
        paper,
        planned.rhythm,
        told.issues,
        _by_section(paper, [entry for entry in told.entries if choice.wants(entry)], base),
        language,
        base,
        corrected=tuple(_correction(e, at) for e, at in wrong if not e.withdrawn),
        withdrawn=tuple(_correction(e, at) for e, at in wrong if e.withdrawn),
        go_url=f"{base}/{paper.slug}/go/{planned.id}/" if services.settings.count_clicks else None,
        week=(planned.first, planned.last) if planned.rhythm is Rhythm.WEEKLY else None,
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
        contents = compose(services, told(db, planned), Choice(), language)
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
    if planned.rhythm is not Rhythm.WEEKLY:
        return issues.between(db, planned.publication, planned.first, planned.last)
    before = digests.before(db, planned)
    found = issues.between(db, planned.publication, before.first if before else planned.first, planned.last)
    return of_week(found, planned, before)


def of_week(
    found: Sequence[StoredIssue], planned: StoredDigest, before: StoredDigest | None
) -> tuple[StoredIssue, ...]:
    """Those of the issues that a weekly digest tells of: taken in until it was planned, and not told by the one before.

    So an issue that is taken in after its week has ended stands in the next one.
    """
    return tuple(
        issue
        for issue in found
        if issue.added <= planned.planned
        and (before is None or issue.date > before.last or issue.added > before.planned)
    )


def _corrected(
    db: Connection, planned: StoredDigest, days: Sequence[StoredIssue]
) -> Sequence[tuple[Entry, datetime]]:
    """What was in an earlier digest of this rhythm and has been put right or taken back since."""
    before, paper = digests.before(db, planned), planned.publication
    if planned.rhythm is Rhythm.CORRECTIONS:
        since = plan_digests.corrections_since(before, planned.planned)
        found = entries.corrected(db, paper, since, datetime.fromisoformat(planned.part))
        mailed = digests.mailed(db, paper, {entry.date for entry, _ in found})
        return [(entry, at) for entry, at in found if entry.date in mailed]
    if before is None and planned.rhythm is not Rhythm.WEEKLY:
        return ()
    since = before.planned if before else planned.planned - WEEK
    told = {issue.date for issue in days}
    found = entries.corrected(db, paper, since, planned.planned)
    return [(entry, at) for entry, at in found if entry.date not in told and entry.date < planned.last]


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
    return Picture(cards.address(lead, paper, base, SHAPE), articles.headline(lead.article), width, height)
