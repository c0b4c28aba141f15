"""`syndicate relay`: tokens for bots that poll."""

from __future__ import annotations

import hashlib
import secrets

import click


@click.group()
def relay() -> None:
    """The relay: bots that poll for messages."""


@relay.command()
@click.argument("name")
def token(name: str) -> None:
    """Make a token for the bot NAME; it is shown once, and the line for the paper's file beside it."""
    made = secrets.token_urlsafe(24)
    click.echo(f"the bot sends   Authorization: Bearer {made}")
    click.echo("the paper's file in config/publications gets, under [relay_tokens]:")
    click.echo(f'{name} = "{hashlib.sha256(made.encode()).hexdigest()}"')
