"""Robots are told of what is new, each thing once; each issue becomes a draft of the Official Account.

event → plan → due → claim → compose → hand … the call … settle
                │               │             │           └ refused: failed, a person mends it and pushes again
                │               │             └ crash, or no answer: doubtful, a person decides
                │               └ crash: due again
                └ waits while the robot has had its messages of this minute
"""

from __future__ import annotations

import logging
from collections.abc import Container, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from syndicate import store
from syndicate.deliver import outside, robots
from syndicate.deliver.outside import Outside
from syndicate.deliver.robots import Outcome, Verdict
from syndicate.errors import IssueError
from syndicate.jobs import drafts
from syndicate.model import (
    ACCOUNT,
    PUBLISHED_KINDS,
    Bulletin,
    Entry,
    Grouping,
    Publication,
    Push,
    PushKind,
    PushState,
    Robot,
)
from syndicate.render import robots as messages
from syndicate.services import Services
from syndicate.settings import Settings
from syndicate.store import entries, issues, pushes
from syndicate.store.pushes import Event

log = logging.getLogger(__name__)

LATE = timedelta(days=2)  # what is older is no news: after a long stop, or when an archive is taken in
LEASE = timedelta(minutes=2)  # more than a name's look-up and a request can take together
MINUTE = timedelta(minutes=1)
BACK_OFF = (MINUTE, 5 * MINUTE, 30 * MINUTE, 120 * MINUTE)
ATTEMPTS = 12  # with the last step repeated: most of a day, then it has failed
EVENTS = 1000  # looked at in one transaction


def run(services: Services) -> None:
    """Plan what events ask for, push what is due."""
    work(services, client(services.settings))


def client(settings: Settings) -> Outside:
    """Who makes the requests: to the public net, in development to this machine as well."""
    agent = f"Syndicate (+{settings.base_url})"
    if settings.development:
        return Outside(agent, allowed=outside.or_loopback, ports=None)
    return Outside(agent)


def work(services: Services, http: Outside, *, lease: timedelta = LEASE) -> None:
    """As run, with these requests."""
    papers = [p for p in services.settings.publications if p.robots or p.official_account]
    if not papers:
        return
    _recover(services, lease)
    for paper in papers:
        while _plan(services, paper):
            pass
    while not services.stopping.is_set() and _push_due(services, http):
        pass


def ask_for_test(services: Services, name: str, publication: str | None) -> int:
    """Decide on a test message to a robot, of whatever paper; the next run sends it. The push's number.

    Raises IssueError when there is no such robot, or more than one.
    """
    found = [
        (paper, robot)
        for paper in services.settings.publications
        for robot in paper.robots
        if robot.name == name and publication in (None, paper.slug)
    ]
    if len(found) != 1:
        known = ", ".join(f"{p.slug} {r.name}" for p in services.settings.publications for r in p.robots)
        which = "more than one" if found else "no"
        raise IssueError(f"{which} robot {name!r}; there are {known or 'none'}")
    paper, robot = found[0]
    now = services.now()
    with store.writing(services.db) as db:
        return pushes.test(db, paper.slug, robot.name, _today(paper, now), now)


def send_test(services: Services, name: str, publication: str | None) -> Push | None:
    """Send a test message; what became of it, or how it waits behind others."""
    number = ask_for_test(services, name, publication)
    http = client(services.settings)
    while True:
        with store.writing(services.db) as db:
            ours = pushes.claim(db, number, services.now())
        if ours is None:
            break
        _push(services, http, ours)
    with store.reading(services.db) as db:
        return pushes.find(db, number)


def decide(services: Services, number: int, state: PushState) -> None:
    """What a person says of a push: a doubtful or failed one is to go out again (DUE), a doubtful one did arrive (PUSHED).

    Raises IssueError when it is neither.
    """
    again = state is PushState.DUE
    wanted = (PushState.DOUBTFUL, PushState.FAILED) if again else (PushState.DOUBTFUL,)
    with store.writing(services.db) as db:
        found = pushes.find(db, number)
        if found is None or found.state not in wanted:
            raise IssueError(
                f"push {number}: {found.state if found else 'there is none'}, not {' or '.join(wanted)}"
            )
        if again:
            pushes.again(db, found, services.now())
        else:
            pushes.settle(db, found, state, services.now(), said="as a person said")


def _recover(services: Services, lease: timedelta) -> None:
    with store.reading(services.db) as db:
        if not pushes.abandoned(db, services.now(), lease):
            return
    with store.writing(services.db) as db:
        _, doubtful = pushes.recover(db, services.now(), lease)
    if doubtful:
        log.warning("%d pushes may or may not have arrived; see `syndicate robots list`", doubtful)


def _plan(services: Services, paper: Publication) -> bool:
    """Look at the next events of the paper; False when there are no more."""
    names = [robot.name for robot in paper.robots] + ([ACCOUNT] if paper.official_account else [])
    with store.reading(services.db) as db:
        if not pushes.behind(db, paper.slug, names):
            return False
    now = services.now()
    more = False
    with store.writing(services.db) as db:
        for name in names:
            seq = pushes.follow(db, paper.slug, name)
            found = pushes.events(db, paper.slug, seq, EVENTS)
            if not found:
                continue
            fresh = [event for event in found if event.at > now - LATE]
            robot = next((r for r in paper.robots if r.name == name), None)
            if robot:
                _plan_messages(db, services, paper, robot, fresh, now)
            else:
                _plan_drafts(db, services, paper, fresh, now)
            pushes.followed(db, paper.slug, name, found[-1].seq)
            more = more or len(found) == EVENTS
    return more


def _plan_messages(
    db: Connection,
    services: Services,
    paper: Publication,
    robot: Robot,
    events: Sequence[Event],
    now: datetime,
) -> None:
    pause = now + timedelta(seconds=services.settings.digest_pause_seconds)
    alone = robot.each is Grouping.ARTICLE
    ids = {event.entry for event in events}
    told = pushes.told(db, paper.slug, robot.name, ids)
    planned = set(pushes.planned(db, paper.slug, robot.name, ids))
    for event in events:
        kind = _kind(event, robot, oldest(paper, now), told, planned)
        if kind is PushKind.NEW:
            planned.add(event.entry)
        if kind:
            wait = pause if kind is PushKind.NEW else now
            pushes.add(
                db, paper.slug, robot.name, kind, event.date, [event.entry], event.seq, now, wait, alone=alone
            )


def _kind(
    event: Event, robot: Robot, oldest: date, told: Container[str], planned: Container[str]
) -> PushKind | None:
    """What of an event the robot is told: corrections only of what it was told before.

    What moves into its section is new to it, unless it was told, or is to be told, of it already.
    """
    moved_in = event.kind == "moved" and robot.section is not None and event.entry not in planned
    if event.kind == PushKind.NEW or moved_in:
        wanted = robot.section in (None, event.section) and event.date >= oldest
        return PushKind.NEW if wanted else None
    if event.kind in (PushKind.CORRECTED, PushKind.WITHDRAWN) and robot.corrections and event.entry in told:
        return PushKind(event.kind)
    return None


def _plan_drafts(
    db: Connection, services: Services, paper: Publication, events: Sequence[Event], now: datetime
) -> None:
    """One draft for an issue; what comes after it was made is for the person who publishes it."""
    pause = now + timedelta(seconds=services.settings.digest_pause_seconds)
    for event in events:
        if event.kind != PushKind.NEW or event.date < oldest(paper, now):
            continue
        if not pushes.any_of(db, paper.slug, ACCOUNT, PushKind.DRAFT, event.date):
            pushes.add(
                db, paper.slug, ACCOUNT, PushKind.DRAFT, event.date, [event.entry], event.seq, now, pause
            )


def oldest(paper: Publication, now: datetime) -> date:
    """The day of the oldest issue that is still news."""
    return _today(paper, now) - LATE


def _today(paper: Publication, now: datetime) -> date:
    return now.astimezone(ZoneInfo(paper.zone)).date()


def _push_due(services: Services, http: Outside) -> bool:
    """Push the oldest message of each robot; False when nothing could be claimed."""
    with store.reading(services.db) as db:
        due = pushes.due(db, services.now())
    pushed = False
    for number in due:
        with store.writing(services.db) as db:
            push = pushes.claim(db, number, services.now())
        if push:
            pushed = True
            _push(services, http, push)
    return pushed


def _push(services: Services, http: Outside, push: Push) -> None:
    paper = services.settings.publication(push.publication)
    if _tries(push) > ATTEMPTS:
        return _settle(services, push, PushState.FAILED, "the process ended each time it was tried")
    bulletin = compose(services, paper, push) if paper else None
    if paper is None or bulletin is None:
        return _settle(services, push, PushState.DROPPED, "nothing is left to say")
    if push.robot == ACCOUNT and paper.official_account:
        return _settled(services, push, drafts.draft(services, paper.official_account, bulletin, push, http))
    robot = next((r for r in paper.robots if r.name == push.robot), None)
    if robot is None:
        return _settle(services, push, PushState.DROPPED, "there is no such robot any more")
    message = messages.message(bulletin, robot.kind, robot.form)
    with store.writing(services.db) as db:
        limit = robots.A_MINUTE[robot.kind]
        if not pushes.hand(db, push, services.now(), limit=limit, within=MINUTE):
            return None
    return _settled(services, push, robots.push(robot, message, http, services.now()))


def _tries(push: Push) -> int:
    """How often it was tried since it was decided on, or a person last said that it is to go out again."""
    return push.attempts % pushes.ROUND


def compose(services: Services, paper: Publication, push: Push) -> Bulletin | None:
    """What is told, as things stand now; None when nothing is left of it, or it is no news any more."""
    base = services.settings.base_url
    if push.kind is PushKind.TEST:
        return Bulletin(paper, push.kind, None, (), base)
    with store.reading(services.db) as db:
        issue = issues.find(db, paper.slug, push.date)
        # A draft is of the whole issue: between a refusal and the person who mends it more pages may have come.
        whole = push.kind is PushKind.DRAFT
        found = entries.of_issue(db, paper.slug, push.date) if whole else entries.with_ids(db, push.entries)
    gone = push.kind is PushKind.WITHDRAWN
    shown = [e for e in found if _gone(e) is gone]
    news = push.kind in (PushKind.NEW, PushKind.DRAFT)
    if issue is None or not shown or (news and push.date < oldest(paper, services.now())):
        return None
    return Bulletin(paper, push.kind, issue, _in_order(shown), base)


def _gone(entry: Entry) -> bool:
    return entry.withdrawn is not None or entry.article.kind not in PUBLISHED_KINDS


def _in_order(found: Sequence[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(found, key=lambda e: (e.article.page, e.page, e.n)))


def _settled(services: Services, push: Push, outcome: Outcome | None) -> None:
    """Write down the outcome; None: it was not sent."""
    if outcome is None:
        return None
    state = {
        Verdict.TAKEN: PushState.PUSHED,
        Verdict.REFUSED: PushState.FAILED,
        Verdict.DOUBTFUL: PushState.DOUBTFUL,
        Verdict.LATER: PushState.DUE if _tries(push) < ATTEMPTS else PushState.FAILED,
    }[outcome.verdict]
    wait = max(outcome.wait, BACK_OFF[min(_tries(push), len(BACK_OFF)) - 1])
    return _settle(services, push, state, outcome.said, services.now() + wait)


def _settle(
    services: Services, push: Push, state: PushState, said: str, not_before: datetime | None = None
) -> None:
    if state in (PushState.FAILED, PushState.DOUBTFUL, PushState.DUE):
        log.warning("push %d to %s %s: %s: %s", push.id, push.publication, push.robot, state, said)
    with store.writing(services.db) as db:
        pushes.settle(db, push, state, services.now(), said=said, not_before=not_before)
