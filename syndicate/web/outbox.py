"""Mail that was not sent, shown in development, and only to who sits at this machine."""

from __future__ import annotations

import email.policy
import email.utils
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from flask import Response
from werkzeug.exceptions import NotFound

from syndicate.web import answers
from syndicate.web.addresses import GET, Route
from syndicate.web.visit import Visit

NEWEST = 200  # mails shown

# Whoever set one of these stands between the visitor and us: the address we see is not the visitor's.
FORWARDING = ("Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto")

PAGE_POLICY = f"{answers.POLICY}; frame-src 'self'"
MAIL_POLICY = (
    "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail of the Maildir."""

    name: str
    sender: str
    recipient: str
    subject: str
    date: datetime | None
    message: EmailMessage


def outbox(visit: Visit) -> Response:
    """The mails, newest first."""
    _only_here(visit)
    mails = [_mail(path) for path in _files(visit)[:NEWEST]]
    return answers.page(visit, "outbox.html", cache_control=answers.PRIVATE, mails=mails)


def mail(visit: Visit, name: str) -> Response:
    """One mail: its headers, its text, its HTML in a frame that can do nothing."""
    _only_here(visit)
    found = _mail(_file(visit, name))
    answer = answers.page(
        visit,
        "mail.html",
        cache_control=answers.PRIVATE,
        mail=found,
        headers=[(key, str(value)) for key, value in found.message.items()],
        text=_part(found.message, "plain"),
        has_html=_part(found.message, "html") is not None,
    )
    answer.headers["Content-Security-Policy"] = PAGE_POLICY
    return answer


def mail_html(visit: Visit, name: str) -> Response:
    """The HTML part as a mail program would show it."""
    _only_here(visit)
    text = _part(_mail(_file(visit, name)).message, "html")
    if text is None:
        raise NotFound
    answer = answers.html(text, cache_control=answers.PRIVATE)
    answer.headers["Content-Security-Policy"] = MAIL_POLICY
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


ROUTES: tuple[Route, ...] = (
    ("/outbox", GET, outbox),
    ("/outbox/<file:name>", GET, mail),
    ("/outbox/<file:name>/html", GET, mail_html),
)


def _only_here(visit: Visit) -> None:
    """404 for everybody but a visitor of this machine, in development."""
    request = visit.request
    if not (
        visit.services.settings.development
        and _is_loopback(request.remote_addr or "")
        # A foreign name that resolves to this machine (DNS rebinding) lets a foreign page read ours.
        and _is_loopback(urlsplit(request.host_url).hostname or "")
        and not any(name in request.headers for name in FORWARDING)
    ):
        raise NotFound


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _files(visit: Visit) -> list[Path]:
    folder = visit.services.settings.data / "outbox"
    found = [p for sub in ("new", "cur") if (folder / sub).is_dir() for p in (folder / sub).iterdir()]
    return sorted((p for p in found if not p.name.startswith(".")), key=_changed, reverse=True)


def _changed(path: Path) -> tuple[float, str]:
    try:
        return path.stat().st_mtime, path.name
    except FileNotFoundError:  # a mail program took it in between
        return 0.0, path.name


def _file(visit: Visit, name: str) -> Path:
    found = next((p for p in _files(visit) if p.name.partition(":")[0] == name), None)
    if found is None:
        raise NotFound
    return found


def _mail(path: Path) -> Mail:
    try:
        raw = path.read_bytes()
    except FileNotFoundError as e:
        raise NotFound from e
    message = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(raw)
    return Mail(
        name=path.name.partition(":")[0],
        sender=str(message["From"] or ""),
        recipient=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        date=_date(message),
        message=message,
    )


def _date(message: EmailMessage) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(str(message["Date"]))
    except (TypeError, ValueError):
        return None


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return None if part is None else str(part.get_content())
