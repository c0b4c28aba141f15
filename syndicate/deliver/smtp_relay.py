"""The mail server that takes our mail, as the setting names it; nothing is connected here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from syndicate.errors import SettingsError


class Tls(StrEnum):
    """How a line to the relay is made secret."""

    NONE = "smtp"
    STARTTLS = "smtp+starttls"
    IMPLICIT = "smtps"


PORTS = {Tls.NONE: 25, Tls.STARTTLS: 587, Tls.IMPLICIT: 465}  # RFC 5321; RFC 6409; RFC 8314


@dataclass(frozen=True, slots=True)
class Relay:
    """A mail server and how we make ourselves known to it."""

    host: str
    port: int
    tls: Tls = Tls.NONE
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """host:port, as messages name it."""
        return f"{self.host}:{self.port}"


def relay(url: str) -> Relay:
    """The relay of smtp://, smtp+starttls:// or smtps://[user:password@]host[:port].

    Raises SettingsError without quoting the address: a password may stand in it.
    """
    try:
        parts = urlsplit(url)
        tls = Tls(parts.scheme)
        port = parts.port or PORTS[tls]
    except ValueError:
        parts, port = urlsplit(""), 0
    if not port or not parts.hostname:
        raise SettingsError("SYNDICATE_SMTP_URL: expected smtp://, smtp+starttls:// or smtps://host[:port]")
    return Relay(parts.hostname, port, tls, unquote(parts.username or ""), unquote(parts.password or ""))
