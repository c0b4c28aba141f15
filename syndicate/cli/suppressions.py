"""`syndicate suppressions`: addresses that get no mail of any paper."""

from __future__ import annotations

import click

from syndicate.cli.plainly import open_services, plainly


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
@click.argument("address")
@click.option("--because", default="", help="Why, for who reads the list later.")
@plainly
def add(address: str, because: str) -> None:
    """Write to ADDRESS no more, whoever signs it up; its subscriptions stay as they are."""
    from syndicate import store
    from syndicate.store import suppressions as listing

    if address.count("@") != 1 or any(not c.isprintable() or c == " " for c in address):
        raise click.BadParameter(f"{address!r} is no e-mail address")
    services = open_services()
    with store.writing(services.db) as db:
        new = listing.add(db, address, listing.OPERATOR, " ".join(because.split()), services.now())
    click.echo(f"{address.lower()} {'gets no mail any more' if new else 'is on the list already'}")


@suppressions.command()
@click.argument("address")
@plainly
def remove(address: str) -> None:
    """Take ADDRESS off the list; subscriptions that ended stay ended until it signs up again."""
    from syndicate import store
    from syndicate.store import suppressions as listing

    services = open_services()
    with store.writing(services.db) as db:
        gone = listing.remove(db, address)
    click.echo(f"{address.lower()} {'may get mail again' if gone else 'is not on the list'}")
