"""A list of addresses that get no mail becomes ours, so that a new server knows who complained elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from syndicate import mailboxes, store
from syndicate.jobs.import_subscribers import Refused, moment
from syndicate.model import Fault
from syndicate.readers.lists import Row
from syndicate.services import Services
from syndicate.store import suppressions

AT_ONCE = 500  # rows in a transaction
REASONS = (suppressions.BOUNCED, suppressions.COMPLAINED, suppressions.OPERATOR)


def run(services: Services, rows: Sequence[Row]) -> tuple[int, tuple[Refused, ...]]:
    """Add them to those that get no mail; how many are new, and what is refused and why."""
    new, refused = 0, list[Refused]()
    zone, now = ZoneInfo(services.settings.publications[0].zone), services.now()
    for start in range(0, len(rows), AT_ONCE):
        with store.writing(services.db) as db:
            for row in rows[start : start + AT_ONCE]:
                if why := _why_not(row):
                    refused.append(Refused(row.line, row.said.get("address", ""), why))
                    continue
                address, _ = mailboxes.read(row.said["address"])
                since = moment(row.said.get("since", ""), zone) or now
                new += suppressions.add(db, address, _reason(row), row.said.get("said", ""), since)
    return new, tuple(refused)


def _reason(row: Row) -> str:
    return row.said.get("reason") or suppressions.OPERATOR


def _why_not(row: Row) -> str:
    if row.fault:
        return row.fault
    if mailboxes.read(row.said.get("address", ""))[1] is Fault.MALFORMED:
        return "malformed address"
    return "" if _reason(row) in REASONS else f"{_reason(row)!r} is no reason: {', '.join(REASONS)}"
