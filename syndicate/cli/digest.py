"""`syndicate digest`: look at digests, send them, hold them."""

from __future__ import annotations

from datetime import datetime

import click

from syndicate.cli.plainly import open_services, plainly


@click.group()
def digest() -> None:
    """The e-mail digest."""


@digest.command()
@click.argument("publication")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]), required=False)
@click.option("--language", type=click.Choice(["zh-CN", "en"]), default="zh-CN")
@click.option("--html", is_flag=True, help="The HTML part instead of the whole mail.")
@plainly
def preview(publication: str, day: datetime | None, language: str, html: bool) -> None:
    """Print the digest of an issue (default: the newest) as it would be sent."""
    from syndicate.jobs import mail_digests

    mail = mail_digests.preview(open_services(), publication, day.date() if day else None, language)
    if html:
        part = mail.get_body(("html",))
        click.echo(part.get_content() if part else "")
    else:
        click.echo(mail.as_bytes())


@digest.command()
@click.argument("delivery", type=int)
@plainly
def resend(delivery: int) -> None:
    """Send a doubtful DELIVERY again (`syndicate doctor` lists them)."""
    from syndicate.jobs import mail_digests

    mail_digests.resend(open_services(), delivery)
    click.echo(f"delivery {delivery} is due again")


@digest.command()
@click.argument("publication")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@plainly
def send(publication: str, day: datetime) -> None:
    """Mail an issue that was taken in without mail; who has it already does not get it again."""
    from syndicate.jobs import mail_digests

    click.echo(mail_digests.order(open_services(), publication, day.date()))
