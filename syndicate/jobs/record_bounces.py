"""What came back is recorded: fetch, read, find whom it is about, write; then mark it as dealt with."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection

from syndicate import store
from syndicate.deliver import reports as sources
from syndicate.errors import SourceError
from syndicate.jobs.alone import alone
from syndicate.model import Report
from syndicate.readers import reports
from syndicate.services import Services
from syndicate.store import bounces, subscriptions
from syndicate.store.bounces import Subject

log = logging.getLogger(__name__)

PAUSE = timedelta(minutes=1)  # between two looks into the mailbox
BATCH = 500  # reports in one look


def run(services: Services) -> None:
    """Record what has come into the bounce mailbox since the last look.

    Raises SourceError when it cannot be read.
    """
    place = services.settings.bounce_mailbox
    looked = services.settings.data / "bounces.lock"
    if not place or not _due(services, looked):
        return
    with alone(looked) as mine:
        if not mine:
            return
        now = services.now().timestamp()
        os.utime(looked, (now, now))
        with sources.opened(place) as mailbox:
            for count, (name, raw) in enumerate(mailbox.unseen(), 1):
                record(services, raw)
                mailbox.mark(name)
                if count >= BATCH or services.stopping.is_set():
                    break


def record(services: Services, raw: bytes, recipient: str = "") -> str:
    """Record one report; what it was, in a word or two. `recipient`: the address it was sent to, where known.

    One that is about a letter of ours and cannot be understood, or is about a letter that is not known, is
    kept in the quarantine. Raises SourceError when there is no room for it.
    """
    report = reports.read(raw)
    sent_to = (recipient, *report.sent_to)
    with store.writing(services.db) as db:
        if subscription := _leaving(services, sent_to):
            subscriptions.end(db, subscription, services.now())
            return "left"
        subject = _subject(db, services, report, sent_to)
        if report.kind and subject:
            done = bounces.record(db, subject, report.kind, report, services.now())
            if done.new:
                log.info(
                    "subscription %d: %s bounce, %s%s",
                    done.subscription,
                    done.kind,
                    report.status,
                    " – ended" * done.ended,
                )
            return done.kind.value if done.new else "known"
    if report.kind or (subject and not report.understood):
        why = (
            f"{report.kind}: of no letter that is known" if report.kind else f"not understood: {report.said}"
        )
        _keep(services.settings.data / "quarantine", report.key, raw, why)
        return "kept"
    return "nothing"


def _due(services: Services, looked: Path) -> bool:
    with suppress(OSError):
        return abs(services.now().timestamp() - looked.stat().st_mtime) >= PAUSE.total_seconds()
    return True


def _leaving(services: Services, sent_to: tuple[str, ...]) -> int | None:
    """Who wrote to an address that ends a subscription. Quoted ones do not count: each digest shows one."""
    return next(filter(None, map(services.tokens.left_by_mail, sent_to)), None)


def _subject(db: Connection, services: Services, report: Report, sent_to: tuple[str, ...]) -> Subject | None:
    """Whom it is about: a signed address, or a Message-ID that nobody else knows. Never what it merely claims."""
    tokens = services.tokens
    for address in (*sent_to, *report.quoted):
        if (delivery := tokens.returned(address)) and (found := bounces.of_delivery(db, delivery)):
            return found
        if (asked := tokens.confirmation_returned(address)) and (found := bounces.of_confirmation(db, asked)):
            return found
    return bounces.of_letters(db, report.letters)


def _keep(quarantine: Path, key: str, raw: bytes, why: str) -> None:
    """Keep a report for a person, with the reason beside it."""
    folder = quarantine / "reports"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{key[:16]}.eml.reason.txt").write_text(" ".join(why.split()) + "\n", encoding="utf-8")
        (quarantine / "reports.reason.txt").write_text(
            "mail that came back and is not clear; why stands beside each\n", encoding="utf-8"
        )
        (folder / f"{key[:16]}.eml").write_bytes(raw)
    except OSError as e:
        raise SourceError(f"{folder}: cannot keep a report: {e.strerror}") from e
    log.warning("a report that came back is kept in %s: %s", folder, why)
