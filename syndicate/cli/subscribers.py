"""`syndicate subscribers`: who gets mail; lists taken in and handed out."""

from __future__ import annotations

import csv
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syndicate.cli.plainly import open_services, plainly
from syndicate.errors import SettingsError

if TYPE_CHECKING:  # opening the database takes a moment that --help need not wait
    from syndicate.model import Publication, Subscription
    from syndicate.services import Services

log = logging.getLogger(__name__)

COLUMNS = (
    *(
        "address",
        "consent",
        "source",
        "state",
        "sections",
        "bylines",
        "series",
        "words",
        "rhythm",
        "weekly_day",
    ),
    *("hour", "zone", "language", "created", "ended", "why", "paused_until"),
)

paper_option = click.option("--paper", "slug", required=True, help="The newspaper's slug, such as qinglan.")


@click.group()
def subscribers() -> None:
    """The subscribers of a paper."""


@subscribers.command()
@click.argument("publication")
@plainly
def count(publication: str) -> None:
    """Count a paper's subscribers by state."""
    from syndicate import store
    from syndicate.store import subscriptions

    services = open_services()
    with store.reading(services.db) as db:
        for state, count in subscriptions.counts(db, publication).items():
            click.echo(f"{state}: {count}")


@subscribers.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@paper_option
@click.option("--source", default="import", help="Where they agreed, for lines that do not say it.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Write who is refused to this CSV file."
)
@plainly
def import_(file: Path, slug: str, source: str, dry_run: bool, report: Path | None) -> None:
    """Subscribe everybody on a list (CSV) without asking them: they agreed elsewhere, on the day it says.

    Columns: address and consent (2026-11-16) on every line; source, sections, bylines, series, words (several
    divided by ;), rhythm (issue, weekly, corrections), weekly_day, hour, zone, language. Refused, and printed with
    line number and reason: malformed and disposable addresses, no consent date or one in the future, who left
    before or is not to be written to, duplicates. Run twice it subscribes nobody twice.
    """
    from syndicate.jobs import import_subscribers as job

    services = open_services()
    with _reporting(report) as refused, _progress(file) as progress:
        done = job.run(
            services,
            _paper(services, slug),
            file,
            refused,
            source=source,
            dry_run=dry_run,
            progress=progress,
        )
    verb = "would be subscribed" if dry_run else "subscribed"
    click.echo(f"{done.lines} lines: {done.taken} {verb}, {done.known} subscribed already")
    for why, number in done.refused.most_common():
        click.echo(f"refused: {number} {why}")


@subscribers.command()
@paper_option
@click.option("--all", "everybody", is_flag=True, help="Those too that have not confirmed or have left.")
@plainly
def export(slug: str, everybody: bool) -> None:
    """Print the subscribers as CSV, with the date and source of their consent; `import` reads it."""
    from syndicate import store
    from syndicate.store import subscriber_lists

    services = open_services()
    paper = _paper(services, slug)
    out = csv.writer(sys.stdout)
    out.writerow(COLUMNS)
    with store.reading(services.db) as db:
        for one in subscriber_lists.listed(db, paper.slug, everybody=everybody):
            out.writerow(map(_cell, _row(one)))


@subscribers.command()
@click.argument("address")
@plainly
def show(address: str) -> None:
    """Print everything that is stored about ADDRESS, paper by paper."""
    from syndicate import store
    from syndicate.store import erasure

    services = open_services()
    for one in _of(services, address):
        click.echo(f"{one.publication}: {one.state}")
        with store.reading(services.db) as db:
            told = erasure.told(db, one.id)
        for name, value in told.pop("subscription").items():
            if value not in (None, ()):
                click.echo(f"  {name}: {', '.join(value) if isinstance(value, tuple) else value}")
        for name, rows in told.items():
            click.echo(f"  {name}: {len(rows)}")
            for row in rows:
                click.echo(f"    {', '.join(str(value) for value in row.values() if value is not None)}")


@subscribers.command()
@click.argument("address")
@plainly
def remove(address: str) -> None:
    """End the subscriptions of ADDRESS in all papers; it may sign up again."""
    from syndicate import store
    from syndicate.store import subscriptions

    services, ended = open_services(), 0
    for one in _of(services, address):
        with store.writing(services.db) as db:
            ended += subscriptions.end(db, one.id, services.now(), subscriptions.OPERATOR)
    click.echo(f"{address}: {ended} ended")


@subscribers.command()
@click.argument("address")
@plainly
def erase(address: str) -> None:
    """Erase ADDRESS and all that it chose, in all papers; no list brings it back."""
    from syndicate import store
    from syndicate.store import erasure

    services = open_services()
    for one in _of(services, address):
        with store.writing(services.db) as db:
            erasure.erase(db, one.id, services.tokens.erased(one.address), services.now())
        click.echo(f"{one.publication}: erased")


def _of(services: Services, address: str) -> tuple[Subscription, ...]:
    from syndicate import mailboxes, store
    from syndicate.store import subscriptions

    with store.reading(services.db) as db:
        found = subscriptions.of_address(db, mailboxes.read(address)[0])
    if not found:
        raise SettingsError(f"{address}: no paper has such a subscriber")
    return found


def _paper(services: Services, slug: str) -> Publication:
    paper = services.settings.publication(slug)
    if paper is None:
        known = ", ".join(paper.slug for paper in services.settings.publications)
        raise SettingsError(f"--paper {slug}: no such newspaper; there is {known}")
    return paper


def _row(one: Subscription) -> list[Any]:
    values = [getattr(one, "confirmed" if name == "consent" else name) for name in COLUMNS]
    return [";".join(value) if isinstance(value, tuple) else value for value in values]


def _cell(value: Any) -> str:
    """As a spreadsheet takes it for text, whatever it begins with (lists.FORMULA)."""
    from syndicate.readers.lists import FORMULA

    text = "" if value is None else str(value)
    return f"'{text}" if FORMULA.match(text) else text


@contextmanager
def _reporting(file: Path | None) -> Iterator[Callable[[int, str, str], object]]:
    """Where refused lines are told: in a CSV file, or here."""
    if file is None:
        yield lambda number, address, why: click.echo(f"line {number}: {address}: {why}")
        return
    try:
        with file.open("w", encoding="utf-8-sig", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(("line", "address", "why"))
            yield lambda number, address, why: rows.writerow((number, _cell(address), _cell(why)))
    except OSError as e:
        raise SettingsError(f"--report {file}: {e.strerror}") from e


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], object]]:
    """A bar on a terminal, else a line in the log for each tenth."""
    from tqdm import tqdm

    size = file.stat().st_size
    if sys.stderr.isatty():
        with tqdm(total=size, unit="B", unit_scale=True, desc=file.name) as bar:
            yield bar.update
        return
    read, told = 0, 0

    def note(count: int) -> None:
        nonlocal read, told
        read += count
        if (tenth := 10 * read // max(size, 1)) > told:
            told = tenth
            log.info("%s: %d %% read", file.name, 10 * tenth)

    yield note
