"""Subscribers, and a mail server that does what a test asks of it."""

from __future__ import annotations

import mailbox
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from syndicate import store
from syndicate.deliver.smtp_talk import Journal
from syndicate.model import (
    Answer,
    Choice,
    DeliveryState,
    Letter,
    Outcome,
    Publication,
    Rhythm,
    Subscription,
    Wish,
)
from syndicate.services import Services
from syndicate.store import deliveries, subscriptions


class Server:
    """A mail server that does what a test asks of it."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.senders: list[str] = []
        self.fault: Answer | None = None
        self.killed: str = ""  # before the last byte, or after the server's 250
        self.between: Callable[[], object] = lambda: None  # happens after each letter

    def post(self, next_letter: Callable[[], Letter | float | None], journal: Journal) -> Iterator[Answer]:
        while (letter := next_letter()) is not None:
            if isinstance(letter, float):
                time.sleep(min(letter, 0.01))
                continue
            if self.killed == "before":
                raise KeyboardInterrupt
            journal.handing(letter.number)
            answer = replace(self.fault, number=letter.number) if self.fault else None
            if answer is None:
                self.taken.append(letter.recipient)
                self.senders.append(letter.sender)
                if self.killed == "between":
                    raise KeyboardInterrupt
                journal.taken(letter.number)
                if self.killed == "after":
                    raise KeyboardInterrupt
            self.between()
            yield answer or Answer(letter.number, Outcome.TAKEN, "250 taken", 250, None, "body")


LATER = Answer(0, Outcome.LATER, "mail.example:25: 450 4.2.0 later", 450, "4.2.0", "rcpt")
REFUSED = Answer(0, Outcome.REFUSED, "mail.example:25: 550 5.1.1 no such user", 550, "5.1.1", "rcpt")
NO_ANSWER = Answer(0, Outcome.DOUBTFUL, "mail.example:25: no answer after the message", None, None, "body")
NO_SERVER = Answer(0, Outcome.LATER, "mail.example:25: connection refused", None, None, "connect")


def paper(services: Services) -> Publication:
    found = services.settings.publication("qinglan")
    assert found is not None
    return found


def subscribe(
    services: Services, address: str, *sections: str, rhythm: Rhythm = Rhythm.ISSUE, language: str = "zh-CN"
) -> Subscription:
    with store.writing(services.db) as db:
        wish = Wish(Choice(sections), rhythm, language)
        asked = subscriptions.sign_up(db, paper(services), address, wish, services.now())
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
