"""The command line: each command parses, calls one function, prints."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from syndicate import __version__
from syndicate.errors import IssueError, ReadError, SourceError, SyndicateError

if TYPE_CHECKING:  # opening the database takes a moment that `split --help` need not wait
    from syndicate.services import Services

P = ParamSpec("P")
R = TypeVar("R")

files_argument = click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True)
)


def _plainly(command: Callable[P, R]) -> Callable[P, R]:
    """Turn an error that a person can mend into one line and exit code 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except SyndicateError as e:
            raise click.ClickException(str(e)) from e

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option("-q", "--quiet", is_flag=True, help="Say only what wants a person.")
def main(quiet: bool) -> None:
    """Split a printed newspaper's issues into articles; publish feeds, pages and mail."""
    level = logging.WARNING if quiet else logging.INFO
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)


@main.command()
@files_argument
@click.option("--json", "form", flag_value="json", help="One JSON object, spans included.")
@click.option(
    "--explain", "form", flag_value="explain", help="Each printed piece: what it was taken for, and why."
)
@click.option(
    "--proof", "form", flag_value="proof", help="Text to mend and drop in again (docs/splitting.md)."
)
@_plainly
def split(files: tuple[Path, ...], form: str | None) -> None:
    """Split the FILES of one issue (or a folder) and print its articles; nothing is stored."""
    from syndicate.readers import text
    from syndicate.render import issues
    from syndicate.settings import load
    from syndicate.sources import folder
    from syndicate.split import explain, proof
    from syndicate.split import split as split_document

    settings = load()
    limit = settings.max_file_bytes
    drops = [drop for file in files for drop in folder.grouped([file])]  # in the order given
    document = text.read([one for drop in drops for one in folder.read(drop, limit)], limit=limit)
    if form == "explain":
        for piece in explain(document, settings.publications):
            why = "; ".join(piece.reasons)
            click.echo(f"{piece.page:>3}  {piece.label:<9} {piece.score:.2f}  {_glimpse(piece.text)}  {why}")
    elif form == "json":
        click.echo(
            json.dumps(issues.as_json(split_document(document, settings.publications)), ensure_ascii=False)
        )
    elif form == "proof":
        click.echo(proof.written(split_document(document, settings.publications)), nl=False)
    else:
        click.echo(issues.as_outline(split_document(document, settings.publications)))


@main.command()
@files_argument
@click.option(
    "--mail/--no-mail", default=None, help="Write to the subscribers or not (default: if it is the newest)."
)
@click.option("--anyway", is_flag=True, help="Replace a stored page even if nothing in it is the same.")
@_plainly
def ingest(files: tuple[Path, ...], mail: bool | None, anyway: bool) -> None:
    """Take in FILES (folders: one issue each; loose files: by date in their names) and publish."""
    from tqdm import tqdm

    from syndicate.jobs import ingest as job
    from syndicate.jobs import publish as publishing
    from syndicate.sources import folder

    services = _services()
    drops = folder.grouped(files)
    if not drops:
        raise ReadError(f"{', '.join(map(str, files))}: there are no files in it")
    failed = 0
    for drop in tqdm(drops, unit="issue", disable=len(drops) < 2 or not sys.stderr.isatty()):
        try:
            done = job.ingest(
                services, folder.read(drop, services.settings.max_file_bytes), mail=mail, anyway=anyway
            )
        except (ReadError, IssueError, SourceError) as e:
            failed += 1
            click.echo(f"Error: {e}", err=True)
            continue
        click.echo(str(done))
        for warning in done.warnings:
            click.echo(f"  warning: {warning}")
    publishing.run(services)
    if failed:
        sys.exit(1)


@main.command()
@_plainly
def publish() -> None:
    """Write the feeds of every paper that changed."""
    from syndicate.jobs import publish as job

    job.run(_services())


@main.command()
@_plainly
def web() -> None:
    """Serve site and feeds (the `web:` of the Procfile)."""
    from syndicate.settings import load
    from syndicate.web import server

    server.serve(load())


@main.command()
@click.option("--once", is_flag=True, help="Run every job once and end.")
@_plainly
def schedule(once: bool) -> None:
    """Run the jobs: inbox, feeds, mail (the `clock:` of the Procfile)."""
    from syndicate import schedule as clock

    services = _services()
    if once:
        clock.tick(services)
    else:
        clock.run(services)


@main.command()
@_plainly
def run() -> None:
    """Start all that one machine needs: web server and clock. SIGTERM stops both."""
    from syndicate import processes

    services = _services()  # migrations and folders before either starts
    _print_addresses(services)
    services.db.dispose()
    sys.exit(processes.run())


@main.command()
@_plainly
def doctor() -> None:
    """Say how the service is; exit code 1 when something wants a person."""
    from syndicate.deliver import site
    from syndicate.jobs import examine

    services = _services()
    report = examine.run(services)
    click.echo(f"site {services.settings.base_url}: {site.fault(services.settings.base_url) or 'answers'}")
    for line in report.lines:
        click.echo(line)
    if report.ailing:
        sys.exit(1)


@main.group()
def digest() -> None:
    """The e-mail digest."""


@digest.command()
@click.argument("publication")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]), required=False)
@click.option("--language", type=click.Choice(["zh-CN", "en"]), default="zh-CN")
@click.option("--html", is_flag=True, help="The HTML part instead of the whole mail.")
@_plainly
def preview(publication: str, day: datetime | None, language: str, html: bool) -> None:
    """Print the digest of an issue (default: the newest) as it would be sent."""
    from syndicate.jobs import mail_digests

    mail = mail_digests.preview(_services(), publication, day.date() if day else None, language)
    if html:
        part = mail.get_body(("html",))
        click.echo(part.get_content() if part else "")
    else:
        click.echo(mail.as_bytes())


@digest.command()
@click.argument("delivery", type=int)
@_plainly
def resend(delivery: int) -> None:
    """Send a doubtful DELIVERY again (`syndicate doctor` lists them)."""
    from syndicate.jobs import mail_digests

    mail_digests.resend(_services(), delivery)
    click.echo(f"delivery {delivery} is due again")


@digest.command()
@click.argument("publication")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@_plainly
def send(publication: str, day: datetime) -> None:
    """Mail an issue that was taken in without mail; who has it already does not get it again."""
    from syndicate.jobs import mail_digests

    click.echo(mail_digests.order(_services(), publication, day.date()))


@main.command()
@click.argument("publication")
@_plainly
def subscribers(publication: str) -> None:
    """Count a paper's subscribers by state."""
    from syndicate import store
    from syndicate.store import subscriptions

    services = _services()
    with store.reading(services.db) as db:
        for state, count in subscriptions.counts(db, publication).items():
            click.echo(f"{state}: {count}")


def _glimpse(text: str, most: int = 30) -> str:
    """The head of a printed piece, and its tail where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 10]} … {line[-7:]}"


def _services() -> Services:
    from syndicate.services import open_services
    from syndicate.settings import load

    return open_services(load())


def _password(services: Services) -> str:
    """Where the desk's password stands; itself only in development: what is printed is kept in logs."""
    if services.settings.desk_password:
        return "the password that was set"
    if services.settings.development:
        return f"password {services.desk_password}"
    return f"password in {services.settings.data / 'desk-password'}"


def _print_addresses(services: Services) -> None:
    from syndicate import store
    from syndicate.store import issues

    base = services.settings.base_url
    with store.reading(services.db) as db:
        newest = {p: issues.newest(db, p.slug) for p in services.settings.publications}
    click.echo(f"site            {base}/")
    for paper, issue in newest.items():
        if issue:
            click.echo(
                f"{paper.title}\n  front page    {base}/{paper.slug}/\n  feeds         {base}/{paper.slug}/feeds/"
            )
            click.echo(f"  digest        {base}/{paper.slug}/digest/{issue.date}")
    click.echo(f"desk            {base}/desk   (user desk, {_password(services)})")
    click.echo(f"inbox           {services.settings.data / 'inbox'}")
    if services.settings.development and not services.settings.smtp_url:
        click.echo(f"unsent mail     {base}/outbox")
    sys.stdout.flush()
