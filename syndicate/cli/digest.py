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
    _decide(delivery, arrived=False)


@digest.command()
@click.argument("delivery", type=int)
@plainly
def arrived(delivery: int) -> None:
    """Note that a doubtful DELIVERY did arrive: the reader says so, or the mail server's log."""
    _decide(delivery, arrived=True)


@digest.command()
@click.argument("publication")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@plainly
def send(publication: str, day: datetime) -> None:
    """Mail an issue that was taken in without mail; who has it already does not get it again."""
    from syndicate.jobs import mail_digests

    click.echo(mail_digests.order(open_services(), publication, day.date()))


@digest.command()
@plainly
def status() -> None:
    """How far the digests planned last came."""
    from syndicate.jobs import watch_digests

    for one in watch_digests.run(open_services()):
        done = ", ".join(f"{state} {count}" for state, count in one.counts.items() if count)
        held = f", {one.digest.held}" if one.digest.held else ""
        held += f": {one.digest.said}" if one.digest.said else ""
        left = f", about {-(-one.left.total_seconds() // 60):.0f} min left" if one.left else ""
        click.echo(
            f"{one.digest.id}: {one.digest.publication} {one.digest.rhythm} {one.digest.last}: {done}{held}{left}"
        )


@digest.command()
@click.argument("number", type=int)
@plainly
def statistics(number: int) -> None:
    """What became of the digest of that NUMBER; counts, no addresses."""
    from syndicate.jobs import watch_digests

    found = watch_digests.statistics(open_services(), number)
    for state, count in found.progress.counts.items():
        click.echo(f"{state}: {count}")
    click.echo(f"unsubscribed within a week: {found.left}")
    for entry, count in found.clicked:
        click.echo(f"opened {count} times: {entry.path}")


@digest.command()
@click.argument("number", type=int)
@plainly
def pause(number: int) -> None:
    """Hold the digest of that NUMBER (`syndicate digest status` lists them)."""
    _hold(number, "paused")


@digest.command()
@click.argument("number", type=int)
@plainly
def resume(number: int) -> None:
    """Let the paused digest of that NUMBER go on."""
    _hold(number, None)


@digest.command()
@click.argument("number", type=int)
@plainly
def cancel(number: int) -> None:
    """Send no more letters of the digest of that NUMBER, for good."""
    _hold(number, "cancelled")


@digest.command()
@click.argument("number", type=int)
@plainly
def retry(number: int) -> None:
    """Try the letters of the digest of that NUMBER again that were refused for good (`statistics` counts them)."""
    from syndicate.jobs import watch_digests

    click.echo(watch_digests.retry(open_services(), number))


def _decide(delivery: int, *, arrived: bool) -> None:
    from syndicate.jobs import watch_digests

    click.echo(watch_digests.decide(open_services(), delivery, arrived=arrived))


def _hold(number: int, held: str | None) -> None:
    from syndicate.jobs import watch_digests

    click.echo(watch_digests.hold(open_services(), number, held))
