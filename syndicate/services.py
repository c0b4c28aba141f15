"""The only place where the parts are put together, and the only clock."""

from __future__ import annotations

import gc
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parseaddr
from functools import cache
from pathlib import Path
from threading import Event

from sqlalchemy import Engine

from syndicate import store
from syndicate.deliver.codings import Packed
from syndicate.deliver.dkim import Signer, open_signer
from syndicate.deliver.mailer import Mailer, open_mailer
from syndicate.deliver.public import PublicFolder
from syndicate.deliver.shelf import Shelf
from syndicate.deliver.tokens import Tokens
from syndicate.errors import SettingsError
from syndicate.settings import Settings
from syndicate.store.renderings import Measure

BUNDLES = 32 * 1024 * 1024
"""Bytes of packed items that are kept: the live feeds of a paper with eighty articles a day and forty reporters take 16 MB."""

MEASURES = 100_000
"""How many measures of items are remembered, 20 MB."""


YOUNG = 50_000
"""New objects after which Python looks for circles of dead ones. By itself it does so after 700, and a claim of 5 000
letters or a feed's listing makes as many in a moment that all live: a fifth of the ledger's time went there (measured)."""


@dataclass(frozen=True, slots=True)
class Services:
    """What a job or a page may ask for."""

    settings: Settings
    db: Engine
    mailer: Mailer
    public: PublicFolder
    tokens: Tokens
    desk_password: str
    now: Callable[[], datetime]
    stopping: Event = field(default_factory=Event)
    """Set when the process is asked to end: a long job stops at the next good place."""
    signer: Signer = field(default_factory=Signer)
    shelf: Shelf[tuple[bytes, ...]] = field(default_factory=Shelf)
    """Items of feeds that were put into one lately, in each format."""
    bundles: Shelf[Packed] = field(default_factory=lambda: Shelf(BUNDLES))
    """Several such items in one format, packed."""
    measures: Shelf[Measure] = field(default_factory=lambda: Shelf(MEASURES))
    """How large such items are."""

    def return_path(self, delivery: int) -> str:
        """The envelope sender of a delivery: what comes back names it, where something may come back."""
        address = self.settings.bounce_address
        return self.tokens.return_path(address, delivery) if address else _bare(self.settings.mail_from)

    def confirmation_path(self, subscription: int) -> str:
        """The envelope sender of a confirmation mail."""
        address = self.settings.bounce_address
        if not address:
            return _bare(self.settings.mail_from)
        return self.tokens.confirmation_path(address, subscription)

    def leave_mail(self, subscription: int) -> str:
        """The address that unsubscribes who writes to it; empty where no mail comes back."""
        address = self.settings.bounce_address
        return self.tokens.leave_mail(address, subscription) if address else ""


def open_services(settings: Settings) -> Services:
    """Open the database (bringing it to the newest form) and all else that the settings name.

    Raises SettingsError or StoreError, each naming what to mend.
    """
    gc.set_threshold(YOUNG)
    _make_folders(settings.data)
    db = store.open_engine(settings.database_url)
    store.migrate(db)
    return Services(
        settings=settings,
        db=db,
        mailer=open_mailer(settings.smtp_url, settings.data / "outbox", settings.smtp_connections),
        public=PublicFolder(settings.data / "public"),
        tokens=Tokens(settings.secret or _kept(settings.data / "secret")),
        desk_password=settings.desk_password or _kept(settings.data / "desk-password", length=9),
        now=_now,
        signer=open_signer(settings.dkim_keys, settings.data / "dkim", settings.signing_domain, _now),
    )


@cache
def _bare(address: str) -> str:
    """An address without the name before it."""
    return parseaddr(address)[1]


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # the one clock


def _make_folders(data: Path) -> None:
    try:
        for name in ("inbox", "archive", "quarantine", "public"):
            (data / name).mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise SettingsError(f"SYNDICATE_DATA: cannot make {data}: {e.strerror}") from e


def _kept(file: Path, length: int = 32) -> str:
    """The secret in `file`; two processes that start at once agree on one."""
    try:
        fresh = file.with_name(f".{file.name}.{os.getpid()}")
        if not file.exists():
            fresh.touch(mode=0o600)
            with fresh.open("w", encoding="utf-8") as written:
                written.write(secrets.token_urlsafe(length))
                written.flush()
                os.fsync(written.fileno())
            try:
                os.link(fresh, file)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        kept = file.read_text(encoding="utf-8").strip()
    except OSError as e:
        raise SettingsError(f"{file}: {e.strerror}") from e
    if not kept:  # signed with nothing, anybody's link would be genuine
        raise SettingsError(f"{file}: it is empty; remove it, and a new one is made")
    return kept
