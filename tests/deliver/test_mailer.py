"""Mail over real SMTP on loopback, and into a Maildir."""

from __future__ import annotations

import asyncio
import mailbox
import socket
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from syndicate.deliver.dkim import Signer
from syndicate.deliver.mailer import MaildirMailer, Mailer, SmtpMailer, open_mailer, send_one
from syndicate.errors import SettingsError
from syndicate.model import Letter, Outcome
from syndicate.render import letters
from tests.deliver.relays import Journal, handing_out


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
def mailer(server: str) -> SmtpMailer:
    return SmtpMailer(server)


def message(text: str = "您好", number: int = 1, cte: str | None = None) -> EmailMessage:
    written = EmailMessage(policy.SMTP)
    written["From"] = "paper@qinglan.example"
    written["To"] = "reader@example.com"
    written["Subject"] = "青岚日报"
    written["Message-ID"] = f"<{number}.1@qinglan.example>"
    written.set_content(text, cte=cte)
    return written


def letter(text: str = "您好", number: int = 1) -> Letter:
    pieces = Signer().signed(letters.cast(message(text, number)))
    return Letter(number, "paper@qinglan.example", "reader@example.com", pieces)


def post(mailer: Mailer, *numbers: int) -> tuple[list[Outcome], Journal]:
    journal = Journal()
    answers = mailer.post(handing_out([letter(number=n) for n in numbers]), journal)
    return [answer.outcome for answer in answers], journal


def test_a_message_arrives_byte_for_byte(mailer: SmtpMailer, sink: Sink) -> None:
    written = message("一行\n.一点开头\n..两点\n末行")
    pieces = Signer().signed(letters.cast(written))

    answer = send_one(mailer, Letter(1, "paper@qinglan.example", "reader@example.com", pieces))

    assert answer.outcome is Outcome.TAKEN
    assert sink.taken == [written.as_bytes()]


def test_many_letters_arrive_and_each_is_noted(mailer: SmtpMailer, sink: Sink) -> None:
    outcomes, journal = post(mailer, *range(10))

    assert outcomes == [Outcome.TAKEN] * 10
    assert len(sink.taken) == len(set(sink.taken)) == 10
    assert sorted(journal.lines) == sorted((word, n) for word in ("handing", "taken") for n in range(10))


@pytest.mark.parametrize(("answer", "outcome"), [("550 no such user", "refused"), ("450 try later", "later")])
def test_a_refused_recipient_says_whether_to_try_again(
    mailer: SmtpMailer, sink: Sink, answer: str, outcome: str
) -> None:
    sink.rcpt_answer = answer

    said = send_one(mailer, letter())

    assert (said.outcome, said.code, said.stage) == (outcome, int(answer[:3]), "rcpt")
    assert answer in said.said


@pytest.mark.parametrize(("answer", "outcome"), [("554 spam", "refused"), ("452 full", "later")])
def test_a_refused_message_was_surely_not_taken(
    mailer: SmtpMailer, sink: Sink, answer: str, outcome: str
) -> None:
    sink.data_answer = answer

    assert post(mailer, 1, 2)[0] == [outcome] * 2
    assert sink.taken == []


def test_a_connection_lost_after_the_message_is_a_doubt(mailer: SmtpMailer, sink: Sink) -> None:
    sink.drop_after_body = True

    said = send_one(mailer, letter())

    assert said.outcome is Outcome.DOUBTFUL
    assert "no answer after the message" in said.said
    assert len(sink.taken) == 1


@pytest.mark.parametrize("url", ["http://x", "smtp://", "localhost:25", "smtp://x:99999", "smtp://x:port"])
def test_a_wrong_smtp_url_is_named(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SYNDICATE_SMTP_URL"):
        open_mailer(url, tmp_path)


# ── the Maildir ──────────────────────────────────────────────────────────────────────────


def test_the_maildir_takes_a_message_once(tmp_path: Path) -> None:
    mailer = MaildirMailer(tmp_path / "outbox")

    assert post(mailer, 1, 1, 2)[0] == [Outcome.TAKEN] * 3

    box = mailbox.Maildir(tmp_path / "outbox")
    assert sorted(one["Message-ID"] for one in box) == ["<1.1@qinglan.example>", "<2.1@qinglan.example>"]


def test_the_maildir_keeps_the_message_as_it_is_without_doubled_dots(tmp_path: Path) -> None:
    written = message("一行\n.一点开头\n末行")
    pieces = Signer().signed(letters.cast(written))

    send_one(MaildirMailer(tmp_path), Letter(1, "a@b.example", "c@d.example", pieces))

    (file,) = (tmp_path / "new").iterdir()
    assert file.read_bytes() == written.as_bytes()


def test_the_maildir_waits_where_it_is_asked_to(tmp_path: Path) -> None:
    given_out = iter([0.01, letter(), 0.0, None])

    answers = list(MaildirMailer(tmp_path).post(lambda: next(given_out), Journal()))

    assert [answer.outcome for answer in answers] == [Outcome.TAKEN]


def test_a_fault_in_the_journal_leaves_no_message_behind(tmp_path: Path) -> None:
    class Full(Journal):
        def handing(self, number: int, line: socket.socket | None = None, said: int = 0) -> None:
            raise OSError(28, "no space left")

    answers = MaildirMailer(tmp_path / "outbox").post(handing_out([letter()]), Full())

    assert [answer.outcome for answer in answers] == [Outcome.LATER]
    assert len(mailbox.Maildir(tmp_path / "outbox")) == 0
    assert list((tmp_path / "outbox" / "tmp").iterdir()) == []


def test_an_outbox_that_was_made_by_halves_is_finished(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()

    send_one(MaildirMailer(tmp_path / "outbox"), letter())

    assert len(mailbox.Maildir(tmp_path / "outbox")) == 1


def test_an_outbox_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file")

    answer = send_one(MaildirMailer(tmp_path / "outbox"), letter())

    assert answer.outcome is Outcome.LATER
    assert str(tmp_path / "outbox") in answer.said
