"""Letters that ask before any digest comes: is it you, you have it already, shall it come here from now on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from enum import StrEnum
from urllib.parse import urlsplit

from syndicate.model import Publication, Subscription, SubscriptionState
from syndicate.render import mail
from syndicate.render.templates import environment


class Asking(StrEnum):
    """What such a letter is about."""

    CONFIRM = "confirm"  # somebody signed the address up
    MOVE = "move"  # a subscriber wants to have the mail there
    KNOWN = "known"  # somebody signed up an address that is subscribed


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on such a letter beside its text."""

    url: str  # of the page that it asks its reader to open: its only link
    sender: str  # the From address
    base_url: str
    message_id: str  # with angle brackets
    date: datetime


def asking(subscription: Subscription) -> Asking:
    """What a letter to that subscriber would be about now."""
    if subscription.state is SubscriptionState.PENDING:
        return Asking.CONFIRM
    return Asking.MOVE if subscription.moving else Asking.KNOWN


def confirmation(publication: Publication, subscription: Subscription, sheet: Sheet) -> EmailMessage:
    """The letter to the owner of an address. To whom it goes that moves, it does not tell whence."""
    about = asking(subscription)
    address = subscription.moving if about is Asking.MOVE and subscription.moving else subscription.address
    letter = mail.letter(publication, address, sheet.sender, sheet.message_id, sheet.date)
    # RFC 3834: no out-of-office answer to a machine.
    letter["Auto-Submitted"] = "auto-generated"
    jinja = environment(subscription.language)
    values: dict[str, object] = {
        "paper": mail.paper(publication, subscription.language),
        "rhythm": subscription.rhythm.value,
        "chosen": _chosen(publication, subscription),
        "url": sheet.url,
        "site": urlsplit(sheet.base_url).netloc,
    }
    values["choice"] = jinja.get_template("email/choice.txt").render(values).strip()
    letter["Subject"] = mail.header(jinja.get_template(f"email/{about}-subject.txt").render(values))
    return mail.with_parts(
        letter,
        jinja.get_template(f"email/{about}.txt").render(values),
        mail.inlined(jinja.get_template(f"email/{about}.html").render(values)),
    )


def _chosen(publication: Publication, subscription: Subscription) -> list[str]:
    """The names of what they chose; none for the whole paper."""
    sections = [
        mail.named(section.title, section.title_en, subscription.language)
        for section in publication.sections
        if section.slug in subscription.sections
    ]
    others = (*subscription.series, *subscription.bylines, *subscription.words)
    return sections + [mail.named(name, None, subscription.language) for name in others]
