"""How the service is, for `syndicate doctor` and the operator's start page. It changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from syndicate import store
from syndicate.jobs import watch_pushes
from syndicate.model import (
    Delivery,
    DeliveryState,
    Quarantined,
    StoredDigest,
    StoredIssue,
    SubscriptionState,
)
from syndicate.services import Services
from syndicate.sources import folder
from syndicate.store import deliveries, digests, issues, subscriptions

RECENT = 10  # issues shown for each paper


@dataclass(frozen=True, slots=True)
class Paper:
    """One newspaper's state."""

    slug: str
    title: str
    issues: tuple[StoredIssue, ...]  # newest first
    subscribers: Mapping[SubscriptionState, int]


@dataclass(frozen=True, slots=True)
class Report:
    """What a person should know of the service now."""

    waiting: tuple[str, ...]  # names in the inbox
    quarantine: tuple[Quarantined, ...]
    papers: tuple[Paper, ...]
    deliveries: Mapping[DeliveryState, int]
    doubtful: tuple[Delivery, ...]
    refused: tuple[StoredDigest, ...]  # paused because the mail server does not take our mail
    unpublished: tuple[str, ...]  # papers whose feeds are behind
    pushing: watch_pushes.Report

    @property
    def ailing(self) -> bool:
        """True when something wants a person."""
        return bool(self.quarantine or self.doubtful or self.refused or self.pushing.ailing)

    @property
    def lines(self) -> tuple[str, ...]:
        """The report in words, one finding a line."""
        return (
            *(f"inbox: {name} waits" for name in self.waiting),
            *(f"quarantine: {q.name}: {q.reason}" for q in self.quarantine),
            *(line for paper in self.papers for line in _paper_lines(paper)),
            *(f"feeds of {slug} are not yet published" for slug in self.unpublished),
            *(f"deliveries {state}: {count}" for state, count in self.deliveries.items()),
            *(_doubt(d) for d in self.doubtful),
            *(_refusal(d) for d in self.refused),
            *self.pushing.lines,
            "something wants you: see above" if self.ailing else "all is well",
        )


def run(services: Services) -> Report:
    """Look at inbox, quarantine, issues and mail."""
    data = services.settings.data
    pushing = watch_pushes.run(services)
    with store.reading(services.db) as db:
        return Report(
            waiting=tuple(drop.name for drop in folder.drops(data / "inbox")),
            quarantine=folder.quarantined(data / "quarantine"),
            papers=tuple(
                Paper(p.slug, p.title, issues.latest(db, p.slug, RECENT), subscriptions.counts(db, p.slug))
                for p in services.settings.publications
            ),
            deliveries=deliveries.counts(db),
            doubtful=deliveries.doubtful(db),
            refused=digests.refused(db),
            unpublished=tuple(
                slug for slug, _ in issues.due_for_publishing(db) if services.settings.publication(slug)
            ),
            pushing=pushing,
        )


def _paper_lines(paper: Paper) -> tuple[str, ...]:
    if not paper.issues:
        return (f"{paper.slug}: no issue yet",)
    newest = paper.issues[0]
    return (
        f"{paper.slug}: newest issue {newest.date}, {len(newest.pages)} pages",
        *(f"{paper.slug} {i.date}: warning: {w}" for i in paper.issues for w in i.warnings),
    )


def _doubt(delivery: Delivery) -> str:
    return (
        f"delivery {delivery.id} to {delivery.address} may or may not have arrived"
        f" ({delivery.error or 'no answer'});"
        f" `syndicate digest arrived {delivery.id}` notes that it did,"
        f" `syndicate digest resend {delivery.id}` sends it again"
    )


def _refusal(digest: StoredDigest) -> str:
    return (
        f"digest {digest.id} is paused, the mail server takes no mail from us: {digest.said};"
        f" mend it, then `syndicate digest resume {digest.id}`"
    )
