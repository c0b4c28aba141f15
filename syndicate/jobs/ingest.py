"""An issue comes in.

    drops(inbox) | settled | read | split | revise | save + plan its digest | archive
                              └── cannot be read ──────────────────────────→ quarantine

Everything that is written is written in one transaction; the files move after it. Cut short before
the commit, nothing happened; after it, the next run finds the issue stored and only moves the files.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from syndicate import store
from syndicate.errors import IssueError, ReadError, SourceError
from syndicate.jobs import cards, plan_digests
from syndicate.jobs.alone import alone
from syndicate.model import PUBLISHED_KINDS, Document, Entry, Issue, Publication, Revision, Source
from syndicate.readers import text
from syndicate.revise import date_warnings, foreign_pages, mails, number_warnings, revise
from syndicate.services import Services
from syndicate.sources import folder
from syndicate.split import split
from syndicate.store import entries, issues

log = logging.getLogger(__name__)

_LATELY = timedelta(minutes=10)  # more than an issue's changes are spread over, a second each

Files = Sequence[tuple[str, bytes]]
"""Names and bytes of the files of one issue."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an issue changed in the store."""

    publication: str
    date: date
    revision: Revision
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        r = self.revision
        return (
            f"{self.publication} {self.date}: {len(r.new)} new, {len(r.changed)} changed, "
            f"{len(r.same)} the same, {len(r.withdrawn)} withdrawn"
        )


def run(services: Services) -> None:
    """Take in every issue whose files lie still in the inbox."""
    with alone(services.settings.data / "ingest.lock") as mine:
        if not mine:
            return
        quiet = timedelta(seconds=services.settings.inbox_settle_seconds)
        for drop in folder.drops(services.settings.data / "inbox"):
            try:
                if folder.settled(drop, services.now(), quiet):
                    take(services, drop)
            except SourceError as e:  # it stays there, and does not stop the issues behind it
                log.error("inbox: %s", e)


def take(services: Services, drop: folder.Drop) -> None:
    """One drop from the inbox to the store and the archive, or to quarantine with its reason.

    Raises StoreError or SourceError when the machine, not the drop, is at fault: it stays in the inbox.
    """
    try:
        done = ingest(services, folder.read(drop, services.settings.max_file_bytes))
    except (ReadError, IssueError) as e:
        log.warning("%s: set aside: %s", drop.name, e)
        folder.set_aside(drop, services.settings.data / "quarantine", str(e))
        return
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as e:
        # A fault of ours in reading or splitting must not stop the issues behind this one.
        log.exception("%s: set aside", drop.name)
        reason = f"{drop.name}: a fault in the program ({type(e).__name__}: {e}); the log says more"
        folder.set_aside(drop, services.settings.data / "quarantine", reason)
        return
    log.info("%s", done)
    for warning in done.warnings:
        log.warning("%s %s: %s", done.publication, done.date, warning)
    folder.archive(drop, services.settings.data / "archive", done.date)


def ingest(services: Services, files: Files, *, mail: bool | None = None, anyway: bool = False) -> Ingested:
    """Split the files of one issue (or some of its pages) and store what is new or changed.

    `mail`: write to the subscribers or not; None: only when no newer issue of the paper is stored.
    `anyway`: replace a stored page even by one that has nothing in common with it.
    Raises ReadError or IssueError, each naming the file; StoreError.
    """
    document = text.read(files, limit=services.settings.max_file_bytes)
    read = split(document, services.settings.publications)
    paper, day = _paper(read, document, services.settings.publications), _day(read, document)
    came = _pages(document, read)
    now = services.now()
    with store.writing(services.db) as db:
        sources = _merged(issues.page_sources(db, paper.slug, day), came)
        issue = _named(split(Document(sources), (paper,)), paper, day)
        before = issues.before(db, paper.slug, day)
        issue = replace(
            issue,
            warnings=(
                *issue.warnings,
                *_date_warnings(read, document, day),
                *date_warnings(day, now.date()),
                *number_warnings(issue, before, paper.print_days),
            ),
        )
        known = entries.of_issue(db, paper.slug, day, withdrawn=True)
        revision = revise(paper, issue, known, now, entries.moments(db, paper.slug, now - _LATELY))
        if not anyway:
            _refuse_foreign_pages(revision, came, document)
        wanted = mails(day, issues.newest(db, paper.slug), now.date()) if mail is None else mail
        issues.save(db, paper, issue, sources, revision, now)
        if wanted and revision.new:
            _plan(db, services, paper, day, now)
    cards.forget(services, _gone(revision))
    return Ingested(paper.slug, day, revision, issue.warnings)


def _gone(revision: Revision) -> tuple[Entry, ...]:
    """What was published, and is not any more."""
    changed = (change.after for change in revision.changed)
    return (*revision.withdrawn, *(entry for entry in changed if entry.article.kind not in PUBLISHED_KINDS))


def _plan(db: Connection, services: Services, paper: Publication, day: date, now: datetime) -> None:
    """The issue's digest, once; a little later, so that pages that come one by one make one mail."""
    pause = timedelta(seconds=services.settings.digest_pause_seconds)
    plan_digests.plan_issue(db, paper, day, now, pause)


def _paper(issue: Issue, document: Document, papers: Sequence[Publication]) -> Publication:
    """The newspaper that the masthead names; pages without one may be named after their paper."""
    for paper in papers:
        if issue.masthead.publication == paper.title:
            return paper
    if issue.masthead.publication is None:
        named = [p for p in papers if any(_begins_with(s.name, p.slug) for s in document.sources)]
        if named:
            return max(named, key=lambda p: len(p.slug))  # qing-nan-2026-11-16.txt is not of qing
    found = (
        f"the masthead says {issue.masthead.publication!r}"
        if issue.masthead.publication
        else "no masthead was found"
    )
    known = ", ".join(p.title for p in papers)
    raise IssueError(
        f"{_names(document)}: an issue of no known newspaper: {found}; config/publications/ has {known}"
    )


def _begins_with(name: str, slug: str) -> bool:
    return re.match(rf"{slug}(?![a-z0-9])", name.rsplit("/")[-1]) is not None


def _day(issue: Issue, document: Document) -> date:
    """The date in the masthead or a page line, else the one in the files' names."""
    if issue.masthead.date:
        return issue.masthead.date
    for source in document.sources:
        if day := text.date_in_name(source.name):
            return day
    raise IssueError(f"{_names(document)}: no date in the masthead, nor in the file's name (YYYY-MM-DD)")


def _date_warnings(read: Issue, document: Document, day: date) -> tuple[str, ...]:
    """Where the names of the files and the print disagree on the day, or the print does not tell it."""
    if read.masthead.date is None:
        return (f"the print shows no date: {day} was taken from the file's name",)
    named = {d for s in document.sources if (d := text.date_in_name(s.name))}
    return tuple(f"the print says {day}, the file's name {other}" for other in sorted(named - {day}))


def _pages(document: Document, issue: Issue) -> tuple[Source, ...]:
    """The document cut into its printed pages, one source each.

    Raises IssueError when two files hold the same page: one of them is wrong, or a better scan.
    """
    cut = []
    for page in issue.pages:
        names = list(dict.fromkeys(document.sources[s.file].name for s in page.spans))
        if len(names) > 1:
            raise IssueError(f"{names[1]}: page {page.number} is also in {names[0]}; keep one of the two")
        body = "".join(document.sources[s.file].text[s.start : s.end] for s in page.spans)
        cut.append(Source(f"p{page.number}", body, page.number))
    return tuple(cut)


def _merged(stored: Sequence[Source], came: Sequence[Source]) -> tuple[Source, ...]:
    """The stored pages with those that came in their place, in page order."""
    by_page = {s.page: s for s in (*stored, *came)}
    return tuple(by_page[page] for page in sorted(by_page, key=lambda p: p or 0))


def _named(issue: Issue, paper: Publication, day: date) -> Issue:
    return replace(issue, masthead=replace(issue.masthead, publication=paper.title, date=day))


def _refuse_foreign_pages(revision: Revision, came: Sequence[Source], document: Document) -> None:
    """A second file for a stored page is a correction; one with nothing in common is a mistake."""
    for page in foreign_pages(revision, [s.page for s in came if s.page]):
        raise IssueError(
            f"{_names(document)}: page {page} is already stored and has no article in common with this one; "
            "if it is right, `syndicate ingest --anyway` replaces it"
        )


def _names(document: Document) -> str:
    return ", ".join(s.name for s in document.sources[:3]) + (" …" if len(document.sources) > 3 else "")
