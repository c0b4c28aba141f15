"""Digests go out, each once.

    journals of the killed → due → claimed → composed → cast → signed → posted → taken → settled
                              ↑                                            │
                              └──────────── refused for now ───────────────┘

One thread speaks with the mail server and never waits for the database; another one keeps the ledger. What the server
took stands in the journal at once and in the ledger within a second (docs/decisions/0002).
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

from syndicate import store
from syndicate.deliver import journal
from syndicate.deliver.journal import Journal, Received
from syndicate.errors import StoreError
from syndicate.jobs import compose, outcomes, plan_digests
from syndicate.jobs.alone import alone
from syndicate.jobs.mail_confirmations import lang
from syndicate.jobs.moulds import Moulds
from syndicate.jobs.pace import Pace
from syndicate.jobs.signing import Signing
from syndicate.model import Answer, Cast, Choice, DeliveryState, Envelope, Letter, Outcome
from syndicate.render import digest
from syndicate.services import Services
from syndicate.store import bounces, deliveries, digests, resting
from syndicate.store.deliveries import Claimed, Settled
from syndicate.store.resting import Rest

log = logging.getLogger(__name__)

BATCH = 5000  # claimed at once
AHEAD = 500  # claimed before the others have gone
CROWD = 300  # waiting for one domain: more of it is not claimed
PATIENCE = 5.0  # seconds: what may go out only later is given back; so often the ledger is asked for more
RUN = 20_000  # letters under one claim: as many lines has its journal
SETTLE = 1.0  # seconds after which answers are written down
LEASE = timedelta(hours=1)  # after which a claim of another machine counts as given up
LATE = timedelta(days=2)  # what could not be sent for so long is not news any more
REFUSALS = 5  # of our sender, and no letter taken between them: what goes out is held


def run(services: Services) -> None:
    """Plan what is due, take up what a killed worker left, send all that may be sent."""
    with alone(services.settings.data / "mail.lock") as mine:
        if not mine:
            return
        plan_digests.run(services)
        take_up(services)
        while not quiet(services.settings.mail_quiet_hours, _local(services)) and _Run(services).run():
            pass


def take_up(services: Services) -> None:
    """What a killed worker had done is written down; the rest of what it had claimed is due again."""
    now, folder = services.now(), _folder(services)
    for left in journal.left(folder):
        with store.writing(services.db) as db:
            done = [Settled(number, DeliveryState.SENT) for number in left.taken]
            why = "no answer after the message"
            done += [Settled(number, DeliveryState.DOUBTFUL, why) for number in left.doubtful]
            deliveries.settle(db, left.mark, done, now)
            deliveries.release(db, left.mark, now, but=left.begun)
        for number in left.handed:
            log.warning("delivery %d was under way when its worker was killed: it may come twice", number)
        journal.forget(folder, left.mark)
    with store.writing(services.db) as db:
        deliveries.expire(db, now, LEASE)
        deliveries.outdate(db, now, LATE)
    _received(services).prune((now - timedelta(days=60)).timestamp())


def quiet(hours: str, local: datetime) -> bool:
    """Whether no mail goes out at that local time; `hours`: 22-6, or empty."""
    if not hours:
        return False
    begin, end = map(int, hours.split("-"))
    inside = begin <= local.hour < end
    return inside if begin < end else not end <= local.hour < begin


def preview(services: Services, publication: str, day: date | None, language: str) -> EmailMessage:
    """The digest of an issue (None: the newest) as a subscriber to the whole paper would get it.

    Raises IssueError when there is no such paper or issue.
    """
    contents = compose.preview(services, publication, day, language)
    letter = f"<preview@{contents.publication.host}>"
    reader = Claimed(
        0, 0, 1, letter, "example.org", 0, "reader@example.org", services.now(), language, Choice()
    )
    return digest.message(contents, _envelope(services, publication, reader))


def order(services: Services, publication: str, day: date) -> str:
    """Plan the digest of a stored issue that was taken in without mail; says what will happen.

    Raises IssueError when there is no such paper or issue.
    """
    paper = compose.paper_of(services, publication)
    with store.writing(services.db) as db:
        issue = compose.issue_of(db, paper, day)
        planned = plan_digests.plan_issue(db, paper, day, services.now(), timedelta(0))
    return f"{publication} {issue.date}: {'will be mailed' if planned else 'was mailed before'}"


class _Run:
    """One claim's letters, from the ledger to the mail server and back."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._mark = secrets.token_hex(8)
        settings = services.settings
        self._pace = Pace[Claimed](
            settings.mail_limits,
            per_second=settings.mail_per_second,
            crowd=CROWD,
            domain=lambda one: one.domain,
        )
        self._ledger = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._claiming: Future[tuple[Claimed, ...]] | None = None
        self._settling: Future[None] | None = None
        self._exhausted: float | None = None  # when the ledger had nothing more
        self._crowding = 0  # of the pace, when more was last claimed
        self._over = False  # no more letters in this run
        self._sender_refused: list[tuple[int, str]] = []  # digests, and what was said
        self._held: dict[int, str] = {}
        self._restored: dict[int, bool] = {}
        self._under_way: dict[int, Claimed] = {}
        self._settled: list[Settled] = []
        self._refusals: list[tuple[Settled, Answer]] = []
        self._received: list[Claimed] = []
        self._settled_at = time.monotonic()
        self._renewed = services.now()
        self._claimed = 0
        self._moulds = Moulds(services)
        self._signing = Signing(services.signer)

    def run(self) -> bool:
        """Send what is due; True when more may be."""
        self._know_who_rests()
        with self._ledger, self._signing, Journal(_folder(self._services), self._mark) as self._journal:
            try:
                for answer in self._services.mailer.post(self._next, self._journal):
                    self._note(answer)
            finally:
                self._end()
        return self._claimed >= RUN and not self._over and not self._services.stopping.is_set()

    def _know_who_rests(self) -> None:
        """Domains that refused in an earlier run are left alone in this one, too."""
        now = self._services.now()
        with store.reading(self._services.db) as db:
            for domain, rest in resting.listed(db).items():
                left = (rest.until - now).total_seconds()
                self._pace.leave_alone(domain, rest.seconds, left, time.monotonic())

    def _end(self) -> None:
        """Write down all that is known, and give back what was claimed and not tried."""
        self._settle(wait=True)
        if self._claiming is not None:
            self._claiming.result()
        now = self._services.now()
        with store.writing(self._services.db) as db:
            deliveries.release(db, self._mark, now)
            if len(self._sender_refused) >= REFUSALS:
                for number, said in dict(self._sender_refused).items():
                    digests.hold(db, number, "paused", now, said)
                    log.error("digest %d is paused: the mail server refuses our sender: %s", number, said)

    # ── what is next ─────────────────────────────────────────────────────────────────────

    def _next(self) -> Letter | float | None:
        """The next letter, or seconds to wait, or None when there are no more."""
        self._settle()
        if self._over or self._services.stopping.is_set() or self._is_quiet():
            return None
        self._claim()
        while not self._signing.full:
            now = time.monotonic()
            found = self._pace.next(now)
            if isinstance(found, Claimed):
                if not self._held_back(found):
                    self._make(found)
            elif found is not None and (found > PATIENCE or (self._claimed >= RUN and not self._pace.ready)):
                self._give_back(now)
            elif self._signing.empty:
                return found if found is not None else None if self._is_exhausted() else 0.01
            else:
                self._signing.hasten()
                break
        return self._signing.next()

    def _is_exhausted(self) -> bool:
        return self._exhausted is not None and self._claiming is None

    def _claim(self) -> None:
        """Keep some letters at hand; claiming goes on beside the sending."""
        now = time.monotonic()
        if self._claiming is not None and self._claiming.done():
            came, self._claiming = self._claiming.result(), None
            self._pace.add(came, now)
            self._signing.expect(len(came))
            self._claimed += len(came)
            self._exhausted = now if len(came) < BATCH or self._claimed >= RUN else None
        again = self._exhausted is None or now - self._exhausted > PATIENCE
        again |= self._pace.crowding != self._crowding
        if self._claiming is None and again and self._claimed < RUN and self._pace.ready < AHEAD:
            self._crowding = self._pace.crowding
            self._claiming = self._ledger.submit(self._claim_some, sorted(self._pace.crowded()))

    def _is_quiet(self) -> bool:
        """Whether quiet hours have begun meanwhile."""
        hours = self._services.settings.mail_quiet_hours
        return bool(hours) and quiet(hours, _local(self._services))

    def _give_back(self, now: float) -> None:
        """What its domain wants only later is not waited for."""
        moment = self._services.now()  # the same for all of a domain: they are written down together
        for one, wait in self._pace.back(now):
            later = moment + timedelta(seconds=wait)
            self._settled.append(Settled(one.id, DeliveryState.DUE, None, later, tried=False))

    def _claim_some(self, crowded: Sequence[str]) -> tuple[Claimed, ...]:
        with store.writing(self._services.db) as db:
            claimed = deliveries.claim(db, self._mark, self._services.now(), BATCH, but=crowded)
        return self._not_received(claimed)

    def _not_received(self, claimed: Sequence[Claimed]) -> tuple[Claimed, ...]:
        """Without those that have it already: an older database, brought back, does not know."""
        received, services = _received(self._services), self._services
        having: set[int] = set()
        for number in filter(self._brought_back, {one.digest for one in claimed}):
            of_it = {one.address.lower(): one for one in claimed if one.digest == number}
            known = received.holds(plan_digests.name(self._moulds.digest(number)), of_it)
            having |= {of_it[mailbox].id for mailbox in known}
        if not having:
            return tuple(claimed)
        log.warning("%d deliveries went out before the database was brought back", len(having))
        with store.writing(services.db) as db:
            done = [Settled(number, DeliveryState.SENT) for number in having]
            deliveries.settle(db, self._mark, done, services.now())
        return tuple(one for one in claimed if one.id not in having)

    def _brought_back(self, number: int) -> bool:
        """Whether more have the digest than the database knows."""
        if number not in self._restored:
            having = _received(self._services).count(plan_digests.name(self._moulds.digest(number)))
            with store.reading(self._services.db) as db:
                self._restored[number] = having > deliveries.gone_out(db, number)
        return self._restored[number]

    def _held_back(self, one: Claimed) -> bool:
        """Whether a person holds its digest since it was claimed."""
        held = self._held.get(one.digest)
        if held is None:
            return False
        state = DeliveryState.VOID if held == "cancelled" else DeliveryState.DUE
        self._pace.done(one, time.monotonic())
        self._settled.append(Settled(one.id, state, held, self._services.now(), tried=False))
        return True

    # ── letters ──────────────────────────────────────────────────────────────────────────

    def _make(self, one: Claimed) -> None:
        """Write the letter to that reader."""
        self._journal.begun(one.id)
        try:
            cast = self._cast(one)
        except StoreError:  # no letter's fault: all are due again when the database is back
            raise
        except Exception as e:
            log.exception("digest %d, subscription %d: a fault in the program", one.digest, one.subscription)
            self._given_up(one, DeliveryState.FAILED, f"a fault in the program: {type(e).__name__}")
            return
        if cast is None:
            self._given_up(one, DeliveryState.VOID, "nothing in what was chosen")
            return
        self._under_way[one.id] = one
        sender = self._services.return_path(one.id)
        self._signing.add(one.id, sender, one.address, cast)

    def _cast(self, one: Claimed) -> Cast | None:
        """The letter to that reader; None when there is nothing in it."""
        write = self._moulds.of(one.digest, one.choice, one.language)
        publication = self._moulds.digest(one.digest).publication
        return write(_envelope(self._services, publication, one)) if write else None

    def _given_up(self, one: Claimed, state: DeliveryState, why: str) -> None:
        self._pace.done(one, time.monotonic())
        self._settled.append(Settled(one.id, state, why))

    # ── answers ──────────────────────────────────────────────────────────────────────────

    def _note(self, answer: Answer) -> None:
        one = self._under_way.pop(answer.number)
        self._pace.done(one, time.monotonic(), refused=outcomes.domain_refuses(answer))
        self._over |= outcomes.line_is_down(answer)
        settled = outcomes.settled_by(answer, one.attempts, self._services.now())
        self._settled.append(settled)
        if answer.outcome is Outcome.TAKEN:
            self._received.append(one)
            self._sender_refused.clear()
            return
        log.warning(
            "digest %d, subscription %d: %s: %s", one.digest, one.subscription, settled.state, answer.said
        )
        if outcomes.refuses_sender(answer):
            self._sender_refused.append((one.digest, answer.said))
            self._over |= len(self._sender_refused) >= REFUSALS
        elif outcomes.speaks_of_reader(answer):
            self._refusals.append((settled, answer))

    def _settle(self, *, wait: bool = False) -> None:
        """Have the answers written down, now and then beside the sending, at the end before going on."""
        if self._settling is not None and (wait or self._settling.done()):
            self._settling.result()
            self._settling = None
        late = time.monotonic() - self._settled_at >= SETTLE
        renewed = self._services.now() - self._renewed >= LEASE / 4
        if self._settling is None and (renewed or (self._settled and (wait or late))):
            told = self._settled, self._refusals, self._received, self._rests(), renewed
            self._settled, self._refusals, self._received = [], [], []
            self._settled_at = time.monotonic()
            self._renewed = self._services.now() if renewed else self._renewed
            self._settling = self._ledger.submit(self._write, *told)
            if wait:
                self._settling.result()

    def _rests(self) -> dict[str, Rest]:
        """Which domains rest since the last time, and until when by the calendar."""
        now, steady = self._services.now(), time.monotonic()
        return {
            domain: Rest(seconds, now + timedelta(seconds=until - steady))
            for domain, (seconds, until) in self._pace.rests().items()
        }

    def _write(
        self,
        settled: list[Settled],
        refusals: list[tuple[Settled, Answer]],
        received: list[Claimed],
        rests: dict[str, Rest],
        renewed: bool,  # what is claimed here stays so, however long it takes
    ) -> None:
        now = self._services.now()
        with store.writing(self._services.db) as db:
            deliveries.settle(db, self._mark, settled, now)
            resting.note(db, rests, now)
            self._held = digests.held(db)
            for one, answer in refusals:
                bounces.record_refusal(db, one.id, answer.code, answer.status, answer.said, now)
            if renewed:
                deliveries.renew(db, self._mark, now)
        log_of = _received(self._services)
        for number in {one.digest for one in received}:
            mailboxes = [one.address.lower() for one in received if one.digest == number]
            log_of.add(plan_digests.name(self._moulds.digest(number)), mailboxes)


def _envelope(services: Services, publication: str, one: Claimed) -> Envelope:
    site = f"{services.settings.base_url}/{publication}"
    return Envelope(
        address=one.address,
        sender=services.settings.mail_from,
        message_id=one.message_id,
        leave_url=f"{site}/leave/{services.tokens.leave(one.subscription)}",
        date=one.date,
        manage_url=f"{site}/mine/{services.tokens.manage(one.subscription)}{lang(one.language)}",
        leave_mail=services.leave_mail(one.subscription),
    )


def _received(services: Services) -> Received:
    return Received(_folder(services), services.tokens.received, services.tokens.received_before)


def _folder(services: Services) -> Path:
    return services.settings.data / "mail"


def _local(services: Services) -> datetime:
    """The time of day where the papers are; quiet hours are theirs."""
    return services.now().astimezone(ZoneInfo(services.settings.publications[0].zone))
