"""`syndicate subscribers`: who gets mail."""

from __future__ import annotations

import click

from syndicate.cli.plainly import open_services, plainly


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
