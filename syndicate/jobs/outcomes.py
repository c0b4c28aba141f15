"""What a mail server's answer means for a delivery, and for the others; values in, values out."""

from __future__ import annotations

from datetime import datetime, timedelta

from syndicate.model import Answer, DeliveryState, Outcome
from syndicate.store.deliveries import Settled

BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
ATTEMPTS = 12  # with the last step repeated: about a day, then the delivery has failed
SENDER_STAGE = "mail"  # where it speaks of ours
READER_STAGES = ("rcpt", "body")  # where a refusal speaks of the reader's address
LINE_STAGES = ("connect", "ehlo", "starttls", "auth")  # where a fault is the mail server's own


def settled_by(answer: Answer, attempts: int, now: datetime) -> Settled:
    """What an answer means for a delivery that was tried so often."""
    if answer.outcome is Outcome.TAKEN:
        return Settled(answer.number, DeliveryState.SENT)
    if answer.outcome is Outcome.DOUBTFUL:
        return Settled(answer.number, DeliveryState.DOUBTFUL, answer.said)
    for_good = answer.outcome is Outcome.REFUSED and not refuses_sender(answer)
    if for_good or attempts >= ATTEMPTS:
        return Settled(answer.number, DeliveryState.FAILED, answer.said)
    wait = BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
    return Settled(answer.number, DeliveryState.DUE, answer.said, now + wait)


def refuses_sender(answer: Answer) -> bool:
    """Whether a server does not want what comes from us: no fault of the address, and the same for all.

    Without a code it is we who know that the server cannot take this letter.
    """
    return answer.outcome is Outcome.REFUSED and answer.stage == SENDER_STAGE and answer.code is not None


def speaks_of_reader(answer: Answer) -> bool:
    """Whether a server refuses an address for good, or the letter to it."""
    return answer.outcome is Outcome.REFUSED and answer.stage in READER_STAGES


def line_is_down(answer: Answer) -> bool:
    """Whether the mail server itself cannot be had: the same for every letter."""
    return answer.outcome is Outcome.LATER and answer.stage in LINE_STAGES


def domain_refuses(answer: Answer) -> bool:
    """Whether the receiving domain wants less, or nothing for now."""
    return answer.outcome is Outcome.LATER and answer.stage not in LINE_STAGES
