"""Digests go out, each once.

plan (week's end) → due → claim → compose → send … hand … 250 → settle
                                    │          └ crash after it: doubtful, a person decides
                                    └ crash before it: due again
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from syndicate import store
from syndicate.errors import DeliveryError, DoubtfulDeliveryError, IssueError
from syndicate.jobs.alone import alone
from syndicate.model import (
    PUBLISHED_KINDS,
    Delivery,
    DeliveryState,
    Digest,
    DigestSection,
    Entry,
    Envelope,
    Publication,
    Rhythm,
    StoredDigest,
    StoredIssue,
)
from syndicate.render import digest
from syndicate.services import Services
from syndicate.store import deliveries, entries, issues

log = logging.getLogger(__name__)

BATCH = 100
WEEK_LATE = timedelta(days=2)  # a weekly digest missed for longer (a new installation, say) is not sent
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
ATTEMPTS = 12  # with the last step repeated: about a day, then the delivery has failed


def run(services: Services) -> None:
    """Plan weekly digests, take up what a crash left, send what is due."""
    with alone(services.settings.data / "mail.lock") as mine:
        if not mine:
            return
        now = services.now()
        with store.writing(services.db) as db:
            for paper in services.settings.publications:
                plan_week(db, paper, now)
            # The lock is ours: whoever claimed these is gone.
            _, doubtful = deliveries.recover(db, now, timedelta(0))
        if doubtful:
            log.warning("%d digests may or may not have been taken; see `syndicate doctor`", doubtful)
        while _send_batch(services):
            pass
        services.mailer.close()


def plan_week(db: Connection, paper: Publication, now: datetime) -> StoredDigest | None:
    """The digest of the week that ended last, if it is due and was not planned before."""
    ended = week_end(paper, now)
    if now - ended > WEEK_LATE:
        return None
    last = ended.astimezone(ZoneInfo(paper.zone)).date()
    return deliveries.plan(db, paper.slug, Rhythm.WEEKLY, last - timedelta(days=6), last, paper.host, now)


def week_end(paper: Publication, now: datetime) -> datetime:
    """The last moment, not after `now`, at which the paper's weekly digest was due."""
    local = now.astimezone(ZoneInfo(paper.zone))
    day = local.date() - timedelta(days=(local.weekday() - paper.weekly_day) % 7)
    moment = datetime.combine(day, paper.print_time, ZoneInfo(paper.zone))
    return moment if moment <= now else moment - timedelta(days=7)


def compose(
    db: Connection, services: Services, planned: StoredDigest, sections: tuple[str, ...], language: str
) -> Digest | None:
    """The digest for a choice of sections (none chosen: all), None when there is nothing in it."""
    paper = services.settings.publication(planned.publication)
    if paper is None:
        return None
    days = issues.between(db, paper.slug, planned.first, planned.last)
    found = [e for issue in days for e in entries.of_issue(db, paper.slug, issue.date)]
    chosen = _by_section(paper, found, sections)
    if not chosen:
        return None
    return Digest(paper, planned.rhythm, days, chosen, language, services.settings.base_url)


def preview(services: Services, publication: str, day: date | None, language: str) -> EmailMessage:
    """The digest of an issue (None: the newest) as a subscriber to the whole paper would get it.

    Raises IssueError when there is no such paper or issue.
    """
    with store.reading(services.db) as db:
        issue = _issue(db, _paper(services, publication), day)
        planned = StoredDigest(0, publication, Rhythm.ISSUE, issue.date, issue.date, services.now())
        contents = compose(db, services, planned, (), language)
    if contents is None:
        raise IssueError(f"{publication} {issue.date}: nothing in it would be mailed")
    letter = f"<preview@{contents.publication.host}>"
    return digest.message(contents, _envelope(services, planned, "reader@example.org", letter, 0))


def order(services: Services, publication: str, day: date) -> str:
    """Plan the digest of a stored issue that was taken in without mail; says what will happen.

    Raises IssueError when there is no such paper or issue.
    """
    paper = _paper(services, publication)
    with store.writing(services.db) as db:
        issue = _issue(db, paper, day)
        planned = deliveries.plan(db, paper.slug, Rhythm.ISSUE, day, day, paper.host, services.now())
    return f"{publication} {issue.date}: {'will be mailed' if planned else 'was mailed before'}"


def resend(services: Services, delivery: int) -> None:
    """Make a doubtful delivery due again, with the same Message-ID.

    Raises IssueError when it is not doubtful.
    """
    with store.writing(services.db) as db:
        found = deliveries.find(db, delivery)
        if found is None or found.state is not DeliveryState.DOUBTFUL:
            raise IssueError(
                f"delivery {delivery}: {found.state if found else 'there is none'}, not doubtful"
            )
        deliveries.settle(db, delivery, DeliveryState.DUE, services.now())


def _paper(services: Services, publication: str) -> Publication:
    paper = services.settings.publication(publication)
    if paper is None:
        known = ", ".join(p.slug for p in services.settings.publications)
        raise IssueError(f"no newspaper {publication!r}; there are {known}")
    return paper


def _issue(db: Connection, paper: Publication, day: date | None) -> StoredIssue:
    found = issues.find(db, paper.slug, day) if day else issues.newest(db, paper.slug)
    if found is None:
        raise IssueError(f"{paper.slug}: no issue {f'of {day}' if day else 'yet'}")
    return found


def _by_section(
    paper: Publication, found: list[Entry], sections: tuple[str, ...]
) -> tuple[DigestSection, ...]:
    by_section = {
        section: tuple(e for e in found if e.section == section.slug and e.article.kind in PUBLISHED_KINDS)
        for section in paper.sections
        if not sections or section.slug in sections
    }
    return tuple(DigestSection(section, of_it) for section, of_it in by_section.items() if of_it)


Composed = dict[tuple[int, tuple[str, ...], str], Digest | None]
"""Digests of one batch by what makes them differ: digest, sections, language."""


def _send_batch(services: Services) -> bool:
    with store.reading(services.db) as db:
        due = deliveries.due(db, services.now(), BATCH)
    composed: Composed = {}
    for number in due:
        with store.writing(services.db) as db:
            delivery = deliveries.claim(db, number, services.now())
        if delivery:
            _send(services, delivery, composed)
    return bool(due)


def _send(services: Services, delivery: Delivery, composed: Composed) -> None:
    subscription = delivery.subscription
    with store.reading(services.db) as db:
        planned = deliveries.digest(db, delivery.digest)
        key = (planned.id, subscription.sections, subscription.language)
        if key not in composed:
            composed[key] = compose(db, services, planned, subscription.sections, subscription.language)
    contents = composed[key]
    if contents is None:
        known = services.settings.publication(planned.publication) is not None
        reason = (
            "nothing in the chosen sections" if known else f"no newspaper {planned.publication!r} any more"
        )
        return _settle(services, delivery, DeliveryState.FAILED, reason)
    letter = digest.message(
        contents, _envelope(services, planned, subscription.address, delivery.message_id, subscription.id)
    )
    try:
        services.mailer.send(
            letter, services.settings.mail_from, subscription.address, lambda: _hand(services, delivery)
        )
    except DoubtfulDeliveryError as e:
        return _settle(services, delivery, DeliveryState.DOUBTFUL, str(e))
    except DeliveryError as e:
        return _refused(services, delivery, e)
    # Where `hand` said no the claim was not ours any more, and this changes nothing either.
    return _settle(services, delivery, DeliveryState.SENT)


def _envelope(
    services: Services, planned: StoredDigest, address: str, message_id: str, subscription: int
) -> Envelope:
    token = services.tokens.leave(subscription)
    return Envelope(
        address=address,
        sender=services.settings.mail_from,
        message_id=message_id,
        leave_url=f"{services.settings.base_url}/{planned.publication}/leave/{token}",
        date=planned.planned,
    )


def _hand(services: Services, delivery: Delivery) -> bool:
    with store.writing(services.db) as db:
        return deliveries.hand(db, delivery.id, services.now(), attempt=delivery.attempts)


def _refused(services: Services, delivery: Delivery, error: DeliveryError) -> None:
    if error.permanent or delivery.attempts >= ATTEMPTS:
        return _settle(services, delivery, DeliveryState.FAILED, str(error))
    wait = BACK_OFF[min(delivery.attempts, len(BACK_OFF)) - 1]
    return _settle(services, delivery, DeliveryState.DUE, str(error), services.now() + wait)


def _settle(
    services: Services,
    delivery: Delivery,
    state: DeliveryState,
    error: str | None = None,
    not_before: datetime | None = None,
) -> None:
    if error:
        log.warning(
            "digest %d, subscription %d: %s: %s", delivery.digest, delivery.subscription.id, state, error
        )
    with store.writing(services.db) as db:
        deliveries.settle(
            db,
            delivery.id,
            state,
            services.now(),
            error=error,
            not_before=not_before,
            attempt=delivery.attempts,
        )
