"""From the sign-up page to the reader's mailbox and back, through a real mail server."""

from __future__ import annotations

import re
import smtplib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import dkim as dkimpy
import pytest
from flask.testing import FlaskClient

from bench.paper import DAYS, files
from syndicate import store
from syndicate.deliver import dkim
from syndicate.deliver.mailer import open_mailer
from syndicate.jobs import ingest, mail_confirmations, mail_digests, publish, record_bounces
from syndicate.model import BounceKind, DeliveryState, SubscriptionState
from syndicate.services import Services, open_services
from syndicate.settings import load
from syndicate.store import bounces, deliveries, subscriptions, suppressions
from syndicate.web import create_app
from tests.deliver.postfix import Postfix, started
from tests.deliver.test_dkim import opendkim_says, records
from tests.jobs.conftest import Clock
from tests.samples import subscribe

SITE = "https://paper.example"
READER = "reader@example.org"
STRANGER = "nobody-of-that-name@example.org"
OUR_BOUNCES = re.compile(r"<bounces\+d(\d+)-[a-z2-7]{13}@paper\.example>")

pytestmark = pytest.mark.xdist_group("postfix")


@pytest.fixture(scope="module")
def server() -> Iterator[Postfix]:
    with tempfile.TemporaryDirectory(prefix="syndicate-postfix-") as folder:
        Path(folder).chmod(0o755)  # Postfix's users go in
        with started(Path(folder)) as postfix:
            yield postfix


@pytest.fixture
def postfix(server: Postfix) -> Postfix:
    server.empty()
    return server


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 16, 1, 0, tzinfo=UTC))


@pytest.fixture
def services(postfix: Postfix, clock: Clock, tmp_path: Path) -> Iterator[Services]:
    """The service as it runs, with the door that refuses whom it does not know, and a key of each kind."""
    for kind in ("rsa", "ed25519"):
        dkim.make_key(tmp_path / "dkim", kind, kind)
    services = open_services(
        load(
            {
                "SYNDICATE_DATA": str(tmp_path),
                "SYNDICATE_BASE_URL": SITE,
                "SYNDICATE_MAIL_FROM": "syndicate@paper.example",
                "SYNDICATE_BOUNCE_ADDRESS": "bounces@paper.example",
                "SYNDICATE_BOUNCE_MAILBOX": str(postfix.mailbox("returned")),
                "SYNDICATE_SMTP_URL": postfix.strict,
                "SYNDICATE_DIGEST_PAUSE_SECONDS": "0",
                "SYNDICATE_BOOKS": "no",
            }
        )
    )
    yield replace(services, now=clock)
    services.db.dispose()


@pytest.fixture
def site(services: Services) -> FlaskClient:
    return create_app(services).test_client()


@pytest.fixture
def subscribed(postfix: Postfix, services: Services, site: FlaskClient) -> Services:
    """A reader who signed up and pressed the button."""
    site.post("/qinglan/subscribe", data={"address": READER})
    mail_confirmations.run(services)
    (raw,) = postfix.mails("reader")
    assert site.post(confirmation(raw)).status_code == 200
    postfix.empty()
    return services


def confirmation(raw: bytes) -> str:
    """The path of the link in a confirmation mail."""
    link = re.search(rf"{SITE}(/qinglan/confirm/\S+)", parsed(raw).get_body(("plain",)).get_content())  # type: ignore[union-attr]  # each has a text
    assert link
    return link[1]


def parsed(raw: bytes) -> EmailMessage:
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def print_issue(services: Services, day: int) -> None:
    """The issue of that day comes in, is published, and mailed."""
    ingest.ingest(services, files(day))
    publish.run(services)
    mail_digests.run(services)


def state(services: Services, number: int = 1) -> tuple[SubscriptionState, str | None]:
    with store.reading(services.db) as db:
        found = subscriptions.find(db, number)
    assert found
    return found.state, found.why


def sent(services: Services) -> dict[DeliveryState, int]:
    with store.reading(services.db) as db:
        return {state: count for state, count in deliveries.counts(db).items() if count}


def recorded(services: Services) -> list[tuple[BounceKind, str | None]]:
    with store.reading(services.db) as db:
        return [(one.kind, one.status) for one in bounces.history(db, 1)]


def suppressed(services: Services, address: str) -> bool:
    with store.reading(services.db) as db:
        return suppressions.suppressed(db, [address]) == {address}


class Links(HTMLParser):
    """Where a page leads to, and the pictures that it shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attrs if name in ("href", "src") and value}


def test_the_link_of_a_delivered_confirmation_shows_a_button_and_only_that_confirms(
    postfix: Postfix, services: Services, site: FlaskClient
) -> None:
    site.post("/qinglan/subscribe", data={"address": READER})

    mail_confirmations.run(services)

    (raw,) = postfix.mails("reader")
    mail, link = parsed(raw), confirmation(raw)
    assert (mail["To"], mail["Auto-Submitted"]) == (READER, "auto-generated")
    assert re.fullmatch(r"<bounces\+c1-[a-z2-7]{13}@paper\.example>", mail["Return-Path"])
    assert '<form method="post"><button' in site.get(link).text
    assert state(services)[0] is SubscriptionState.PENDING
    assert site.post(link).status_code == 200
    assert state(services)[0] is SubscriptionState.CONFIRMED


def test_a_delivered_digest_bears_what_mailboxes_ask_for(postfix: Postfix, subscribed: Services) -> None:
    print_issue(subscribed, DAYS[0])

    (raw,) = postfix.mails("reader")
    mail = parsed(raw)
    assert (mail["To"], mail["Delivered-To"]) == (READER, READER)
    assert "paper.example" in mail["From"]
    assert re.fullmatch(r"(.* )?<\S+\.\S+>", mail["List-Id"])
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.search(rb"(?m)^List-Unsubscribe: <https://\S+>, <mailto:\S+>\r?$", raw)
    assert re.fullmatch(r"<\S+@\S+>", mail["Message-ID"])
    assert mail["Date"].datetime == subscribed.now()
    assert mail["Feedback-ID"]
    (number,) = OUR_BOUNCES.findall(mail["Return-Path"])
    assert mail["Return-Path"] == f"<{subscribed.return_path(int(number))}>"
    assert sent(subscribed) == {DeliveryState.SENT: 1}


def test_both_signatures_of_a_delivered_digest_hold(
    postfix: Postfix, subscribed: Services, tmp_path_factory: pytest.TempPathFactory
) -> None:
    print_issue(subscribed, DAYS[0])

    (raw,) = postfix.mails("reader")
    dns = records(dkim.keys(subscribed.settings.data / "dkim"), "paper.example")
    signatures = [re.sub(r"\s", "", one) for one in parsed(raw).get_all("DKIM-Signature", [])]
    assert all("list-unsubscribe:list-unsubscribe-post" in one.lower() for one in signatures)
    said = opendkim_says(raw, dns, tmp_path_factory.mktemp("opendkim"))
    assert re.search(r"dkim=pass .*header.a=ed25519-sha256 header.s=ed25519", said)
    assert re.search(r"dkim=pass .*header.a=rsa-sha256 header.s=rsa", said)
    by_rsa = next(number for number, one in enumerate(signatures) if ";s=rsa;" in one)
    assert dkimpy.DKIM(raw).verify(by_rsa, dnsfunc=lambda name, timeout=5: dns[name.decode()[:-1]].encode())


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_link_in_a_delivered_digest_leads_somewhere(
    postfix: Postfix, services: Services, site: FlaskClient, language: str
) -> None:
    site.post("/qinglan/subscribe", data={"address": READER, "language": language})
    mail_confirmations.run(services)
    site.post(confirmation(postfix.mails("reader")[0]))
    postfix.empty()

    print_issue(services, DAYS[1])

    mail = parsed(postfix.mails("reader")[0])
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text
    assert html
    shown = Links(html.get_content()).found
    written = set(re.findall(r"https?://[^\s<>）)]+", text.get_content()))
    left = re.findall(r"<(https://[^>]+)>", mail["List-Unsubscribe"])
    here = [link for link in {*shown, *written, *left} if link.startswith(SITE)]
    assert len([link for link in here if link in shown and link in written]) >= 5
    for link in sorted(here):
        assert site.get(link.removeprefix(SITE)).status_code == 200, link
    assert {urlsplit(link).scheme for link in shown if not link.startswith(SITE)} <= {"mailto"}
    assert state(services)[0] is SubscriptionState.CONFIRMED


def test_who_leaves_with_one_click_gets_no_other_digest(
    postfix: Postfix, subscribed: Services, site: FlaskClient
) -> None:
    print_issue(subscribed, DAYS[0])
    (raw,) = postfix.mails("reader")
    (link,) = re.findall(rf"<{SITE}([^>]+)>", parsed(raw)["List-Unsubscribe"])

    answer = site.post(link, data={"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert state(subscribed)[0] is SubscriptionState.ENDED
    print_issue(subscribed, DAYS[1])
    assert sent(subscribed) == {DeliveryState.SENT: 1}
    assert postfix.mails("reader") == [raw]


def test_who_writes_to_the_leave_address_gets_no_other_digest(
    postfix: Postfix, subscribed: Services, clock: Clock
) -> None:
    print_issue(subscribed, DAYS[0])
    (raw,) = postfix.mails("reader")
    (address,) = re.findall(r"<mailto:([^>?]+)", parsed(raw)["List-Unsubscribe"])

    write(postfix, address)
    record_bounces.run(subscribed)

    assert state(subscribed)[0] is SubscriptionState.ENDED
    print_issue(subscribed, DAYS[1])
    assert sent(subscribed) == {DeliveryState.SENT: 1}


def write(postfix: Postfix, address: str) -> None:
    """A reader writes to that address, and it arrives."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = READER, address, "unsubscribe"
    port = urlsplit(postfix.strict).port
    with smtplib.SMTP("127.0.0.1", port or 0, timeout=20) as line:
        line.send_message(mail)
    postfix.mails("returned")


def test_an_address_refused_at_the_door_is_not_written_to_again(services: Services) -> None:
    subscribe(services.db, STRANGER, now=services.now())

    print_issue(services, DAYS[0])

    assert sent(services) == {DeliveryState.FAILED: 1}
    assert state(services) == (SubscriptionState.ENDED, "bounced")
    assert recorded(services) == [(BounceKind.HARD, "5.1.1")]
    assert suppressed(services, STRANGER)
    print_issue(services, DAYS[1])
    assert sent(services) == {DeliveryState.FAILED: 1}


def test_an_address_whose_mail_comes_back_is_not_written_to_again(
    postfix: Postfix, services: Services
) -> None:
    subscribe(services.db, STRANGER, now=services.now())
    later = replace(services, mailer=open_mailer(postfix.late, services.settings.data / "outbox"))
    print_issue(later, DAYS[0])
    assert sent(later) == {DeliveryState.SENT: 1}
    (raw,) = postfix.mails("returned")
    assert parsed(raw).get_content_type() == "multipart/report"

    record_bounces.run(later)

    assert sent(later) == {DeliveryState.BOUNCED: 1}
    assert state(later) == (SubscriptionState.ENDED, "bounced")
    assert recorded(later) == [(BounceKind.HARD, "5.1.1")]
    assert suppressed(later, STRANGER)
    print_issue(later, DAYS[1])
    assert sent(later) == {DeliveryState.BOUNCED: 1}
