"""`syndicate robots`: the groups and the account that are told, and what became of it."""

from __future__ import annotations

import sys

import click

from syndicate.cli.plainly import open_services, plainly


@click.group()
def robots() -> None:
    """Group robots (企业微信, 飞书, 钉钉) and the Official Account's drafts."""


@robots.command("list")
@plainly
def list_() -> None:
    """List them, with what waits, what was last said, what failed, and what may or may not have arrived."""
    from syndicate.jobs import watch_pushes

    report = watch_pushes.run(open_services())
    for line in report.lines:
        click.echo(line)
    if not report.channels:
        click.echo("there are none; add [[robot]] to config/publications/<slug>.toml (docs/settings.md)")


@robots.command()
@click.argument("name")
@click.option("--paper", help="Whose robot, where several papers have one of that name.")
@plainly
def test(name: str, paper: str | None) -> None:
    """Send a test message to the robot NAME; exit code 1 when it does not arrive."""
    from syndicate.jobs import push_relays
    from syndicate.model import PushState

    push = push_relays.send_test(open_services(), name, paper)
    if push:
        click.echo(f"{push.publication} {push.robot}: {push.state}" + (f": {push.said}" if push.said else ""))
    if push is None or push.state is not PushState.PUSHED:
        sys.exit(1)


@robots.command()
@click.argument("push", type=int)
@plainly
def again(push: int) -> None:
    """Push a doubtful or failed PUSH again (`syndicate robots list` names them)."""
    from syndicate.jobs import push_relays
    from syndicate.model import PushState

    push_relays.decide(open_services(), push, PushState.DUE)
    click.echo(f"push {push} is due again")


@robots.command()
@click.argument("push", type=int)
@plainly
def arrived(push: int) -> None:
    """Leave a doubtful PUSH as it is: it was seen in the group, or in the draft box."""
    from syndicate.jobs import push_relays
    from syndicate.model import PushState

    push_relays.decide(open_services(), push, PushState.PUSHED)
    click.echo(f"push {push} counts as pushed")
