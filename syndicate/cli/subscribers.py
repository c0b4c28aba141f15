"""`syndicate subscribers`: who gets mail; lists of them in and out."""

from __future__ import annotations

import csv
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syndicate.cli.plainly import open_services, plainly
from syndicate.errors import ReadError, SettingsError

if TYPE_CHECKING:  # opening the database takes a moment that `--help` need not wait
    from syndicate.jobs.import_subscribers import Refused
    from syndicate.model import Publication, Subscription
    from syndicate.services import Services

log = logging.getLogger(__name__)

LOGGED = 10_000  # rows between two lines in a log, where there is no terminal
COLUMNS = (
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
    "hour",
    "zone",
    "language",
    "created",
    "ended",
    "why",
    "paused_until",
)

paper_option = click.option("--paper", help="The paper's slug; not needed where there is only one.")


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
@click.option("--source", default="", help="Where they agreed, for rows that do not say so.")
@click.option("--dry-run", is_flag=True, help="Only say what would be refused.")
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Write who is refused to this CSV file."
)
@plainly
def import_(file: Path, paper: str | None, source: str, dry_run: bool, report: Path | None) -> None:
    """Subscribe those in FILE (CSV: address, consent, source, sections, rhythm, language …) without writing to them.

    The date of consent is required. Each row that is refused is printed, or written to the report, with its line
    and why. Run again it takes nobody twice.
    """
    from syndicate.jobs.import_subscribers import Import
    from syndicate.readers import lists

    services = open_services()
    into = _paper(services, paper)
    try:
        rows = tuple(lists.rows(file.read_bytes()))
    except ReadError as e:
        raise ReadError(f"{file}: {e}") from e
    taken, left, why = 0, 0, Counter[str]()
    with _refusals(report) as refused, _progress(len(rows)) as progress:
        for done in Import(services, into, source or file.name, dry=dry_run).run(rows):
            progress(done.rows)
            taken += done.taken
            left += done.left
            for one in done.refused:
                refused(one)
                why[one.why.partition(", first in line")[0]] += 1
    gone = f", {left} noted as having left" if left else ""
    click.echo(f"{taken} {'would be ' * dry_run}taken{gone}, {why.total()} refused")
    for reason, number in why.most_common():
        click.echo(f"{number:>8}  {reason}")


@subscribers.command()
@paper_option
@click.option("--state", type=click.Choice(["pending", "confirmed", "ended"]), help="Only these.")
@plainly
def export(paper: str | None, state: str | None) -> None:
    """Print the subscribers as CSV, which `import` reads back; those who were erased are not among them."""
    from syndicate import store
    from syndicate.model import SubscriptionState
    from syndicate.readers.lists import safe
    from syndicate.store import subscriptions

    services = open_services()
    slug = _paper(services, paper).slug
    written = csv.writer(sys.stdout, lineterminator="\r\n")  # RFC 4180
    written.writerow(COLUMNS)
    with store.reading(services.db) as db:
        for one in subscriptions.every(db, slug, SubscriptionState(state) if state else None):
            written.writerow([safe(_cell(one, column)) for column in COLUMNS])


@subscribers.command()
@click.argument("address")
@plainly
def show(address: str) -> None:
    """Print everything that is stored about ADDRESS, paper by paper."""
    from syndicate import mailboxes, store
    from syndicate.store import erasure, suppressions

    services = open_services()
    for one in _of(services, address):
        click.echo(f"{one.publication} {one.id}")
        for column in COLUMNS:
            if told := _cell(one, column):
                click.echo(f"  {column:<12} {told}")
        with store.reading(services.db) as db:
            stored = erasure.told(db, one.id)
        for kind in ("deliveries", "bounces"):
            for row in stored[kind]:
                click.echo(
                    f"  {kind:<12} {' '.join(str(value) for value in row.values() if value is not None)}"
                )
    with store.reading(services.db) as db:
        if refused := suppressions.find(db, mailboxes.read(address)[0]):
            click.echo(
                f"gets no mail since {refused.since:%Y-%m-%d}: {refused.reason} {refused.said}".rstrip()
            )


@subscribers.command()
@click.argument("address")
@paper_option
@plainly
def remove(address: str, paper: str | None) -> None:
    """End the subscriptions of ADDRESS; what is known of them stays, and no list brings them back."""
    from syndicate import store
    from syndicate.store import subscriptions

    services = open_services()
    for one in _of(services, address, paper):
        with store.writing(services.db) as db:
            ended = subscriptions.end(db, one.id, services.now(), subscriptions.OPERATOR)
        click.echo(f"{one.publication}: {'ended' if ended else 'had ended already'}")


@subscribers.command()
@click.argument("address")
@paper_option
@click.confirmation_option(prompt="Address and choices are forgotten for ever. Go on?")
@plainly
def erase(address: str, paper: str | None) -> None:
    """Forget ADDRESS: its subscriptions end, and nothing of it is kept but a mark that no list gets past."""
    from syndicate import store
    from syndicate.store import erasure

    services = open_services()
    for one in _of(services, address, paper):
        mark = services.tokens.erased(one.address)
        with store.writing(services.db) as db:
            erasure.erase(db, one.id, mark, services.now())
        click.echo(f"{one.publication}: erased")


def _paper(services: Services, slug: str | None) -> Publication:
    papers = services.settings.publications
    found = services.settings.publication(slug) if slug else papers[0] if len(papers) == 1 else None
    if found is None:
        names = ", ".join(one.slug for one in papers)
        raise SettingsError(
            f"--paper: {f'no newspaper {slug!r} is described' if slug else 'say which'} ({names})"
        )
    return found


def _of(services: Services, address: str, paper: str | None = None) -> tuple[Subscription, ...]:
    from syndicate import mailboxes, store
    from syndicate.store import subscriptions

    wanted = _paper(services, paper).slug if paper else None
    with store.reading(services.db) as db:
        found = subscriptions.of_address(db, mailboxes.read(address)[0])
    found = tuple(one for one in found if wanted in (None, one.publication))
    if not found:
        raise SettingsError(f"{address}: nothing is known of this address")
    return found


def _cell(one: Subscription, column: str) -> str:
    """What stands there: moments in UTC, lists divided by semicolons."""
    value = one.confirmed if column == "consent" else getattr(one, column)
    if isinstance(value, tuple):
        return ";".join(value)
    return "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)


@contextmanager
def _refusals(file: Path | None) -> Iterator[Callable[[Refused], object]]:
    """Where it is told who is refused: in a CSV file, or here."""
    from syndicate.readers.lists import safe

    if file is None:
        yield lambda one: click.echo(f"line {one.line}: {one.address}: {one.why}")
        return
    try:
        with file.open("w", encoding="utf-8-sig", newline="") as report:
            written = csv.writer(report)
            written.writerow(("line", "address", "why"))
            yield lambda one: written.writerow((one.line, safe(one.address), safe(one.why)))
    except OSError as e:
        raise SettingsError(f"--report {file}: {e.strerror}") from e


@contextmanager
def _progress(rows: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, elsewhere a line in the log now and then; call it with how many rows are done."""
    from tqdm import tqdm

    with tqdm(total=rows, unit="row", disable=not sys.stderr.isatty()) as bar:
        done = 0

        def more(some: int) -> None:
            nonlocal done
            bar.update(some)
            if bar.disable and done // LOGGED != (done + some) // LOGGED:
                log.info("%d of %d rows", done + some, rows)
            done += some

        yield more
