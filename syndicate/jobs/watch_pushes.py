"""How pushing goes, for `syndicate robots list`, `syndicate doctor` and the desk. It changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from syndicate import store
from syndicate.jobs.push_relays import LATE
from syndicate.model import ACCOUNT, Push, PushState
from syndicate.services import Services
from syndicate.store import pushes


@dataclass(frozen=True, slots=True)
class Channel:
    """A robot or the Official Account, as a person may see it."""

    publication: str
    name: str
    kind: str
    address: str  # masked
    waiting: int
    last: Push | None


@dataclass(frozen=True, slots=True)
class Report:
    """How pushing goes."""

    channels: tuple[Channel, ...]
    doubtful: tuple[Push, ...]
    failed: tuple[Push, ...] = ()  # as long as they are news

    @property
    def ailing(self) -> bool:
        """True when a robot refused its last message, or nobody knows of one whether it arrived."""
        refused = any(c.last and c.last.state is PushState.FAILED for c in self.channels)
        return refused or bool(self.doubtful)

    @property
    def lines(self) -> tuple[str, ...]:
        """The report in words, one finding a line."""
        return (*map(_in_words, self.channels), *map(_doubt, self.doubtful), *map(_failure, self.failed))


def _in_words(channel: Channel) -> str:
    last = channel.last
    said = f"{last.touched:%Y-%m-%d %H:%M} UTC {last.state}: {last.said}" if last else "nothing yet"
    name = f"{channel.publication} {channel.name} ({channel.address})"
    return f"robot {name}: {channel.waiting} waiting; {said}"


def _doubt(push: Push) -> str:
    return (
        f"push {push.id} to {push.publication} {push.robot} may or may not have arrived ({push.said});"
        f" `syndicate robots again {push.id}` pushes it again, `syndicate robots arrived {push.id}` leaves it"
    )


def _failure(push: Push) -> str:
    return (
        f"push {push.id} to {push.publication} {push.robot}, issue {push.date}, failed ({push.said});"
        f" `syndicate robots again {push.id}` pushes it again, once that is mended"
    )


def run(services: Services) -> Report:
    """Every robot and account with what waits and what was said last; it changes nothing."""
    shown = [
        (paper.slug, name, kind, address)
        for paper in services.settings.publications
        for name, kind, address in (
            *((robot.name, robot.kind.value, robot.masked) for robot in paper.robots),
            *([(ACCOUNT, ACCOUNT, paper.official_account.appid)] if paper.official_account else []),
        )
    ]
    with store.reading(services.db) as db:
        return Report(
            tuple(
                Channel(*one, pushes.waiting(db, one[0], one[1]), pushes.last(db, one[0], one[1]))
                for one in shown
            ),
            pushes.doubtful(db),
            pushes.failed(db, services.now() - LATE),
        )
