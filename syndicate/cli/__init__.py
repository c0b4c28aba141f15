"""The command line: each command parses, calls one function, prints."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syndicate import __version__
from syndicate.cli.digest import digest
from syndicate.cli.dkim import dkim
from syndicate.cli.plainly import open_services, plainly
from syndicate.cli.relay import relay
from syndicate.cli.robots import robots
from syndicate.cli.subscribers import subscribers
from syndicate.cli.suppressions import suppressions
from syndicate.errors import IssueError, ReadError, SourceError

if TYPE_CHECKING:  # opening the database takes a moment that `split --help` need not wait
    from syndicate.services import Services

files_argument = click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True)
)


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


for group in (digest, subscribers, suppressions, relay, robots, dkim):
    main.add_command(group)


@main.command()
@files_argument
@click.option("--json", "form", flag_value="json", help="One JSON object, spans included.")
@click.option(
    "--explain", "form", flag_value="explain", help="Each printed piece: what it was taken for, and why."
)
@click.option(
    "--proof", "form", flag_value="proof", help="Text to mend and drop in again (docs/splitting.md)."
)
@plainly
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
@plainly
def ingest(files: tuple[Path, ...], mail: bool | None, anyway: bool) -> None:
    """Take in FILES (folders: one issue each; loose files: by date in their names) and publish."""
    from tqdm import tqdm

    from syndicate.jobs import ingest as job
    from syndicate.jobs import publish as publishing
    from syndicate.sources import folder

    services = open_services()
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
@plainly
def publish() -> None:
    """Write the feeds of every paper that changed."""
    from syndicate.jobs import publish as job

    job.run(open_services())


@main.command()
@plainly
def web() -> None:
    """Serve site and feeds (the `web:` of the Procfile)."""
    from syndicate.settings import load
    from syndicate.web import server

    server.serve(load())


@main.command()
@click.option("--once", is_flag=True, help="Run every job once and end.")
@plainly
def schedule(once: bool) -> None:
    """Run the jobs: inbox, feeds, mail (the `clock:` of the Procfile)."""
    from syndicate import schedule as clock

    services = open_services()
    if once:
        clock.tick(services)
    else:
        clock.run(services)


@main.command()
@plainly
def run() -> None:
    """Start all that one machine needs: web server and clock. SIGTERM stops both."""
    from syndicate import processes

    services = open_services()  # migrations and folders before either starts
    _print_addresses(services)
    services.db.dispose()
    sys.exit(processes.run())


@main.command()
@plainly
def doctor() -> None:
    """Say how the service is; exit code 1 when something wants a person."""
    from syndicate.deliver import site
    from syndicate.jobs import examine

    services = open_services()
    report = examine.run(services)
    click.echo(f"site {services.settings.base_url}: {site.fault(services.settings.base_url) or 'answers'}")
    for line in report.lines:
        click.echo(line)
    if report.ailing:
        sys.exit(1)


def _glimpse(text: str, most: int = 30) -> str:
    """The head of a printed piece, and its tail where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 10]} … {line[-7:]}"


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
