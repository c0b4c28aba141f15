"""`syndicate dkim`: the keys that sign mail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from syndicate.cli.plainly import plainly

if TYPE_CHECKING:
    from syndicate.settings import Settings


@click.group()
def dkim() -> None:
    """The keys that sign mail (DKIM), and what the DNS must say of them."""


@dkim.command()
@click.argument("selector")
@click.option(
    "--kind", type=click.Choice(["rsa", "ed25519"]), default="rsa", help="One of each may be there."
)
@plainly
def new(selector: str, kind: str) -> None:
    """Make a key of that SELECTOR and print its DNS record: mail is signed with it after the next start."""
    from syndicate.deliver import dkim as signing
    from syndicate.settings import load

    settings = load()
    key = signing.make_key(_folder(settings), selector, kind)
    click.echo(signing.dns_record(selector, settings.signing_domain, key))


@dkim.command()
@plainly
def show() -> None:
    """Print the DNS records of all keys."""
    from syndicate.deliver import dkim as signing
    from syndicate.settings import load

    settings = load()
    folder = _folder(settings)
    for selector, key in signing.keys(folder).items() if folder.is_dir() else ():
        click.echo(signing.dns_record(selector, settings.signing_domain, key))


def _folder(settings: Settings) -> Path:
    return Path(settings.dkim_keys) if settings.dkim_keys else settings.data / "dkim"
