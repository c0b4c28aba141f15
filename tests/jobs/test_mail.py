"""Who signed up is asked once; a digest goes out once."""

from __future__ import annotations

import mailbox
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest

from syndicate import store
from syndicate.errors import DeliveryError, DoubtfulDeliveryError, IssueError
from syndicate.jobs import examine, ingest, mail_confirmations, mail_digests
from syndicate.model import DeliveryState, Publication, Rhythm, Subscription
from syndicate.services import Services
from syndicate.store import deliveries, subscriptions
from tests.jobs.conftest import Clock, sample

SATURDAY = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)  # half past six on Saturday in the paper's town


class Server:
    """A mail server that does what a test asks of it."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.fault: Exception | None = None
        self.killed_after_hand = False
        self.poison = ""

    def send(self, message: EmailMessage, sender: str, recipient: str, hand: Callable[[], bool]) -> None:
        if recipient == self.poison:
            raise MemoryError
        if self.fault and not isinstance(self.fault, DoubtfulDeliveryError):
            raise self.fault
        if not hand():
            return
        if self.killed_after_hand:
            raise KeyboardInterrupt
        if self.fault:
            raise self.fault
        self.taken.append(recipient)

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def server() -> Server:
    return Server()


def paper(services: Services) -> Publication:
    found = services.settings.publication("qinglan")
    assert found is not None
    return found


def subscribe(
    services: Services, address: str, *sections: str, rhythm: Rhythm = Rhythm.ISSUE, language: str = "zh-CN"
) -> Subscription:
    with store.writing(services.db) as db:
        asked = subscriptions.ask(db, paper(services), address, sections, rhythm, language, services.now())
        confirmed = subscriptions.confirm(db, asked.id, services.now())
    assert confirmed is not None
    return confirmed


def letters(services: Services) -> list[EmailMessage]:
    box = mailbox.Maildir(services.settings.data / "outbox")
    parse = BytesParser(policy=policy.default).parsebytes
    return sorted((parse(box.get_bytes(key)) for key in box.keys()), key=lambda m: m["To"])  # noqa: SIM118  # no iterator


def states(services: Services) -> dict[DeliveryState, int]:
    with store.reading(services.db) as db:
        return {state: count for state, count in deliveries.counts(db).items() if count}


def test_a_confirmation_goes_out_once_and_its_link_names_the_subscription(services: Services) -> None:
    with store.writing(services.db) as db:
        asked = subscriptions.ask(
            db, paper(services), "a@example.com", (), Rhythm.ISSUE, "zh-CN", services.now()
        )

    mail_confirmations.run(services)
    mail_confirmations.run(services)

    (letter,) = letters(services)
    text = letter.get_body(("plain",))
    assert text is not None
    link = re.search(r"https://paper\.example/qinglan/confirm/(\S+)", text.get_content())
    assert link
    assert services.tokens.confirmed(link[1]) == asked.id


def test_a_confirmation_that_was_refused_for_now_is_tried_again(
    services: Services, server: Server, clock: Clock
) -> None:
    services = replace(services, mailer=server)
    with store.writing(services.db) as db:
        subscriptions.ask(db, paper(services), "a@example.com", (), Rhythm.ISSUE, "zh-CN", services.now())
    server.fault = DeliveryError("no server", permanent=False)
    mail_confirmations.run(services)
    server.fault = None

    clock.pass_(timedelta(minutes=2))
    mail_confirmations.run(services)

    assert server.taken == ["a@example.com"]


def test_a_new_issue_is_mailed_once_to_each_confirmed_subscriber(services: Services) -> None:
    subscribe(services, "a@example.com")
    subscribe(services, "b@example.com", "wenti", language="en")
    with store.writing(services.db) as db:
        subscriptions.ask(
            db, paper(services), "pending@example.com", (), Rhythm.ISSUE, "zh-CN", services.now()
        )

    ingest.ingest(services, sample(16))
    mail_digests.run(services)
    mail_digests.run(services)
    ingest.ingest(services, sample(16))
    mail_digests.run(services)

    whole, culture = letters(services)
    assert (whole["To"], culture["To"]) == ("a@example.com", "b@example.com")
    text = whole.get_body(("plain",))
    assert text is not None
    assert "蓝谷竹基新材料项目落户青岚" in text.get_content()
    text = culture.get_body(("plain",))
    assert text is not None
    assert "蓝谷" not in text.get_content()
    assert "石埠队挺进乡村足球联赛决赛" in text.get_content()
    assert states(services) == {DeliveryState.SENT: 2}


def test_an_older_issue_mails_nobody_unless_told_to(services: Services) -> None:
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(17))
    mail_digests.run(services)

    ingest.ingest(services, sample(16))
    mail_digests.run(services)
    assert len(letters(services)) == 1

    assert mail_digests.order(services, "qinglan", date(2026, 11, 16)).endswith("will be mailed")
    mail_digests.run(services)
    assert len(letters(services)) == 2
    assert mail_digests.order(services, "qinglan", date(2026, 11, 16)).endswith("was mailed before")


def test_who_left_gets_nothing_more(services: Services) -> None:
    leaving = subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    with store.writing(services.db) as db:
        subscriptions.end(db, leaving.id, services.now())

    mail_digests.run(services)

    assert letters(services) == []
    assert states(services) == {DeliveryState.FAILED: 1}


def test_a_subscriber_whose_sections_have_nothing_gets_no_mail(services: Services) -> None:
    subscribe(services, "a@example.com", "wenti")
    ingest.ingest(services, [sample(18)[0]])

    mail_digests.run(services)

    assert letters(services) == []


def test_a_temporary_refusal_is_tried_again_later(services: Services, server: Server, clock: Clock) -> None:
    services = replace(services, mailer=server)
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    server.fault = DeliveryError("450 later", permanent=False)
    mail_digests.run(services)
    server.fault = None
    mail_digests.run(services)
    assert server.taken == []

    clock.pass_(timedelta(minutes=1))
    mail_digests.run(services)

    assert server.taken == ["a@example.com"]


def test_a_permanent_refusal_is_final(services: Services, server: Server, clock: Clock) -> None:
    services = replace(services, mailer=server)
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    server.fault = DeliveryError("550 no such user", permanent=True)
    mail_digests.run(services)
    server.fault = None

    clock.pass_(timedelta(days=1))
    mail_digests.run(services)

    assert server.taken == []
    assert states(services) == {DeliveryState.FAILED: 1}


def test_a_doubtful_delivery_waits_for_a_person(services: Services, server: Server, clock: Clock) -> None:
    services = replace(services, mailer=server)
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    server.fault = DoubtfulDeliveryError("no answer")
    mail_digests.run(services)
    server.fault = None
    clock.pass_(timedelta(days=1))
    mail_digests.run(services)
    assert server.taken == []
    report = examine.run(services)
    (doubtful,) = report.doubtful
    assert report.ailing

    mail_digests.resend(services, doubtful.id)
    mail_digests.run(services)

    assert server.taken == ["a@example.com"]
    assert states(services) == {DeliveryState.SENT: 1}
    with pytest.raises(IssueError, match="sent, not doubtful"):
        mail_digests.resend(services, doubtful.id)


def test_a_process_killed_while_handing_over_leaves_a_doubt_not_a_repeat(
    services: Services, server: Server
) -> None:
    services = replace(services, mailer=server)
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    server.killed_after_hand = True
    with pytest.raises(KeyboardInterrupt):
        mail_digests.run(services)
    server.killed_after_hand = False

    mail_digests.run(services)

    assert server.taken == []
    assert states(services) == {DeliveryState.DOUBTFUL: 1}


def test_a_process_killed_before_handing_over_sends_at_the_next_run(
    services: Services, server: Server
) -> None:
    services = replace(services, mailer=server)
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    with store.writing(services.db) as db:
        (number,) = deliveries.due(db, services.now(), 10)
        assert deliveries.claim(db, number, services.now())

    mail_digests.run(services)

    assert server.taken == ["a@example.com"]


def test_a_delivery_that_ends_the_process_holds_up_no_other(services: Services, server: Server) -> None:
    services = replace(services, mailer=server)
    for address in ("a@example.com", "b@example.com", "c@example.com"):
        subscribe(services, address)
    ingest.ingest(services, sample(16))
    server.poison = "a@example.com"

    for _ in range(2):
        with pytest.raises(MemoryError):
            mail_digests.run(services)

    assert server.taken == ["b@example.com", "c@example.com"]


def test_a_digest_of_a_paper_that_is_no_longer_configured_says_so(services: Services) -> None:
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    without = replace(services, settings=replace(services.settings, publications=()))

    mail_digests.run(without)

    assert letters(services) == []
    with store.reading(services.db) as db:
        failed = deliveries.find(db, 1)
    assert failed is not None
    assert failed.error == "no newspaper 'qinglan' any more"


def test_a_confirmation_waits_for_its_paper_to_be_configured_again(services: Services, clock: Clock) -> None:
    with store.writing(services.db) as db:
        subscriptions.ask(db, paper(services), "a@example.com", (), Rhythm.ISSUE, "zh-CN", services.now())
    mail_confirmations.run(replace(services, settings=replace(services.settings, publications=())))

    clock.pass_(timedelta(minutes=2))
    mail_confirmations.run(services)

    assert [letter["To"] for letter in letters(services)] == ["a@example.com"]


def test_a_weekly_digest_gathers_the_week_and_goes_out_once(services: Services, clock: Clock) -> None:
    subscribe(services, "weekly@example.com", rhythm=Rhythm.WEEKLY)
    for day in (16, 17, 18):
        ingest.ingest(services, sample(day))
    mail_digests.run(services)
    assert letters(services) == []

    clock.now = SATURDAY
    mail_digests.run(services)
    mail_digests.run(services)
    clock.pass_(timedelta(days=1))
    mail_digests.run(services)

    (letter,) = letters(services)
    text = letter.get_body(("plain",))
    assert text is not None
    for headline in ("蓝谷竹基新材料项目落户青岚", "老茶厂里飘出咖啡香", "山里的包裹跑得更勤了"):
        assert headline in text.get_content()


@pytest.mark.parametrize(
    ("now", "ended"),
    [
        (datetime(2026, 11, 20, 21, 59, tzinfo=UTC), datetime(2026, 11, 13, 22, 0, tzinfo=UTC)),
        (datetime(2026, 11, 20, 22, 0, tzinfo=UTC), datetime(2026, 11, 20, 22, 0, tzinfo=UTC)),
        (datetime(2026, 11, 25, 12, 0, tzinfo=UTC), datetime(2026, 11, 20, 22, 0, tzinfo=UTC)),
    ],
)
def test_a_week_ends_at_the_paper_s_hour_on_its_day(
    services: Services, now: datetime, ended: datetime
) -> None:
    assert mail_digests.week_end(paper(services), now) == ended


def test_a_preview_is_the_mail_that_would_be_sent(services: Services) -> None:
    ingest.ingest(services, sample(16))

    letter = mail_digests.preview(services, "qinglan", None, "en")

    assert "Qinglan Daily" in str(letter["Subject"])
    assert "https://paper.example/qinglan/leave/" in letter.as_string()


@pytest.mark.parametrize(
    ("slug", "day", "told"), [("nobody", None, "no newspaper"), ("qinglan", date(2020, 1, 1), "no issue of")]
)
def test_a_preview_of_nothing_says_so(services: Services, slug: str, day: date | None, told: str) -> None:
    with pytest.raises(IssueError, match=told):
        mail_digests.preview(services, slug, day, "zh-CN")
