"""Mail over real SMTP on loopback, and into a Maildir."""

from __future__ import annotations

import asyncio
import mailbox
import socket
from collections.abc import Callable, Iterator
from email import policy
from email.message import EmailMessage
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from syndicate.deliver.mailer import MaildirMailer, SmtpMailer, open_mailer
from syndicate.errors import DeliveryError, DoubtfulDeliveryError, SettingsError, StoreError


class Sink:
    """A mail server's judgement: keeps what it accepts, refuses what a test asks it to."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.rcpt_answer = "250 OK"
        self.data_answer = "250 taken"
        self.drop_after_body = False

    async def handle_RCPT(
        self, _s: SMTP, _e: Session, envelope: Envelope, address: str, _o: list[str]
    ) -> str:
        if self.rcpt_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt_answer

    async def handle_DATA(self, server: SMTP, _s: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        if self.data_answer.startswith("250"):
            self.taken.append(content)
        if self.drop_after_body:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return self.data_answer


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def server(sink: Sink) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller: Any = Controller(sink, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    controller.start()
    yield f"smtp://127.0.0.1:{port}"
    controller.stop()


@pytest.fixture
def mailer(server: str) -> Iterator[SmtpMailer]:
    mailer = SmtpMailer(server)
    yield mailer
    mailer.close()


def letter(text: str = "您好") -> EmailMessage:
    message = EmailMessage(policy.SMTP)
    message["From"] = "paper@qinglan.example"
    message["To"] = "reader@example.com"
    message["Subject"] = "青岚日报"
    message["Message-ID"] = "<1.1@qinglan.example>"
    message.set_content(text)
    return message


def send(mailer: Any, hand: Callable[[], bool] = lambda: True, message: EmailMessage | None = None) -> None:
    mailer.send(message or letter(), "paper@qinglan.example", "reader@example.com", hand)


def test_a_message_arrives_byte_for_byte(mailer: SmtpMailer, sink: Sink) -> None:
    message = letter("一行\n.一点开头\n..两点\n末行")

    send(mailer, message=message)

    assert sink.taken == [message.as_bytes()]


def test_one_connection_carries_many_messages_and_survives_a_server_that_hung_up(
    mailer: SmtpMailer, sink: Sink
) -> None:
    send(mailer)
    assert mailer._smtp is not None
    assert mailer._smtp.sock is not None
    mailer._smtp.sock.shutdown(socket.SHUT_RDWR)

    send(mailer)
    send(mailer)

    assert len(sink.taken) == 3


def test_hand_comes_before_the_server_can_have_taken_the_message(mailer: SmtpMailer, sink: Sink) -> None:
    at_hand: list[int] = []

    def hand() -> bool:
        at_hand.append(len(sink.taken))
        return True

    send(mailer, hand)

    assert at_hand == [0]
    assert len(sink.taken) == 1


def test_nothing_is_sent_when_hand_says_no(mailer: SmtpMailer, sink: Sink) -> None:
    send(mailer, lambda: False)

    assert sink.taken == []
    send(mailer)
    assert len(sink.taken) == 1


def test_a_fault_in_the_ledger_leaves_no_half_message_on_the_connection(
    mailer: SmtpMailer, sink: Sink
) -> None:
    def hand() -> bool:
        raise StoreError("locked")

    with pytest.raises(StoreError):
        send(mailer, hand)

    assert mailer._smtp is None
    send(mailer)
    assert len(sink.taken) == 1


def test_a_job_that_closes_the_connection_waits_for_the_message_of_another(
    mailer: SmtpMailer, sink: Sink
) -> None:
    closing = Thread(target=mailer.close)

    def hand() -> bool:
        closing.start()
        closing.join(0.2)
        return True

    send(mailer, hand)

    closing.join(5)
    assert not closing.is_alive()
    assert len(sink.taken) == 1


@pytest.mark.parametrize(("answer", "permanent"), [("550 no such user", True), ("450 try later", False)])
def test_a_refused_recipient_says_whether_to_try_again(
    mailer: SmtpMailer, sink: Sink, answer: str, permanent: bool
) -> None:
    sink.rcpt_answer = answer

    with pytest.raises(DeliveryError, match=answer[4:]) as error:
        send(mailer, lambda: pytest.fail("nothing to hand over"))

    assert error.value.permanent is permanent


@pytest.mark.parametrize(("answer", "permanent"), [("554 spam", True), ("452 full", False)])
def test_a_refused_message_was_surely_not_taken(
    mailer: SmtpMailer, sink: Sink, answer: str, permanent: bool
) -> None:
    sink.data_answer = answer

    with pytest.raises(DeliveryError) as error:
        send(mailer)

    assert error.value.permanent is permanent
    assert not isinstance(error.value, DoubtfulDeliveryError)


def test_a_connection_lost_after_the_message_is_a_doubt(mailer: SmtpMailer, sink: Sink) -> None:
    sink.drop_after_body = True

    with pytest.raises(DoubtfulDeliveryError, match="no answer after the message"):
        send(mailer)

    assert len(sink.taken) == 1


def test_no_server_is_named_and_worth_another_try() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with pytest.raises(DeliveryError, match=rf"127.0.0.1:{port}") as error:
        send(SmtpMailer(f"smtp://127.0.0.1:{port}"))

    assert not error.value.permanent


@pytest.mark.parametrize("url", ["http://x", "smtp://", "localhost:25", "smtp://x:99999", "smtp://x:port"])
def test_a_wrong_smtp_url_is_named(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SYNDICATE_SMTP_URL"):
        open_mailer(url, tmp_path)


def test_the_maildir_takes_a_message_once(tmp_path: Path) -> None:
    mailer = MaildirMailer(tmp_path / "outbox")

    send(mailer)
    send(mailer)

    box = mailbox.Maildir(tmp_path / "outbox")
    assert len(box) == 1
    assert next(iter(box))["Message-ID"] == "<1.1@qinglan.example>"


def test_the_maildir_takes_nothing_when_hand_says_no(tmp_path: Path) -> None:
    send(MaildirMailer(tmp_path / "outbox"), lambda: False)

    assert len(mailbox.Maildir(tmp_path / "outbox")) == 0
    assert list((tmp_path / "outbox" / "tmp").iterdir()) == []


def test_an_outbox_that_was_made_by_halves_is_finished(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()

    send(MaildirMailer(tmp_path / "outbox"))

    assert len(mailbox.Maildir(tmp_path / "outbox")) == 1
