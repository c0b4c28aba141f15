"""`syndicate suppressions`: addresses that get no mail of any paper."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click

from syndicate.cli.plainly import open_services, plainly
from syndicate.errors import ReadError


@click.group()
def suppressions() -> None:
    """Addresses that get no mail: they bounced, complained, or a person said so."""


@suppressions.command("list")
@plainly
def list_() -> None:
    """Print them all: address, since when, why."""
    from syndicate import store
    from syndicate.store import suppressions as listing

    services, after = open_services(), ""
    with store.reading(services.db) as db:
        while found := listing.listed(db, after=after):
            for one in found:
                click.echo(f"{one.mailbox}  {one.since:%Y-%m-%d}  {one.reason}  {one.said}".rstrip())
            after = found[-1].mailbox


@suppressions.command()
@plainly
def export() -> None:
    """Print them as CSV, which `import` reads on another server."""
    from syndicate import store
    from syndicate.readers.lists import safe
    from syndicate.store import suppressions as listing

    services, after = open_services(), ""
    written = csv.writer(sys.stdout, lineterminator="\r\n")  # RFC 4180
    written.writerow(("address", "reason", "since", "said"))
    with store.reading(services.db) as db:
        while found := listing.listed(db, after=after):
            for one in found:
                written.writerow((safe(one.mailbox), one.reason, one.since.isoformat(), safe(one.said)))
            after = found[-1].mailbox


@suppressions.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@plainly
def import_(file: Path) -> None:
    """Add those in FILE (CSV: address, reason, since, said; of these only the address must be there)."""
    from syndicate.jobs import import_suppressions
    from syndicate.readers import lists

    try:
        rows = tuple(lists.rows(file.read_bytes(), ("address",)))
    except ReadError as e:
        raise ReadError(f"{file}: {e}") from e
    new, refused = import_suppressions.run(open_services(), rows)
    for one in refused:
        click.echo(f"line {one.line}: {one.address}: {one.why}")
    click.echo(f"{new} new, {len(rows) - new - len(refused)} known, {len(refused)} refused")


@suppressions.command()
@click.argument("address")
@click.option("--because", default="", help="Why, for who reads the list later.")
@plainly
def add(address: str, because: str) -> None:
    """Write to ADDRESS no more, whoever signs it up; its subscriptions stay as they are."""
    from syndicate import store
    from syndicate.store import suppressions as listing

    mailbox, services = _mailbox(address), open_services()
    with store.writing(services.db) as db:
        new = listing.add(db, mailbox, listing.OPERATOR, " ".join(because.split()), services.now())
    click.echo(f"{mailbox} {'gets no mail any more' if new else 'is on the list already'}")


@suppressions.command()
@click.argument("address")
@plainly
def remove(address: str) -> None:
    """Take ADDRESS off the list; subscriptions that ended stay ended until it signs up again."""
    from syndicate import store
    from syndicate.store import suppressions as listing

    mailbox, services = _mailbox(address), open_services()
    with store.writing(services.db) as db:
        gone = listing.remove(db, mailbox)
    click.echo(f"{mailbox} {'may get mail again' if gone else 'is not on the list'}")


def _mailbox(address: str) -> str:
    """The address as subscriptions have it: in lower case, its domain in ASCII."""
    from syndicate import mailboxes
    from syndicate.model import Fault

    kept, fault = mailboxes.read(address)
    if fault is Fault.MALFORMED:
        raise click.BadParameter(f"{address!r} is no e-mail address")
    return kept.lower()
