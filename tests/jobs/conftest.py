"""The whole service on a folder of its own, with a clock that a test may turn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.paper import files as sample
from syndicate import store
from syndicate.deliver.mailer import MaildirMailer
from syndicate.deliver.public import PublicFolder
from syndicate.deliver.tokens import Tokens
from syndicate.services import Services
from syndicate.settings import load
from tests.jobs.mailing import Server

LONG_AGO = 1_000_000_000  # seconds since 1970: a file that has lain still


@dataclass
class Clock:
    """The time that the service believes."""

    now: datetime = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)  # nine in the morning in the paper's town

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, span: timedelta) -> None:
        """Let time go by."""
        self.now += span


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Services]:
    """Services as `syndicate run` opens them, on both databases; files count as settled at once."""
    data = tmp_path / "var"
    for name in ("inbox", "archive", "quarantine", "public"):
        (data / name).mkdir(parents=True)
    settings = replace(
        load({"SYNDICATE_DATA": str(data), "SYNDICATE_BASE_URL": "https://paper.example"}),
        database_url=database_url,
        inbox_settle_seconds=-1e9,  # the clock is turned, the files' times are not
        digest_pause_seconds=0,
        max_file_mb=1,
        books=False,  # half a second an issue; tests/jobs/test_books.py makes them
    )
    engine = store.open_engine(database_url, busy_timeout=0.2)
    yield Services(
        settings=settings,
        db=engine,
        mailer=MaildirMailer(data / "outbox"),
        public=PublicFolder(data / "public"),
        tokens=Tokens("secret"),
        desk_password="open",
        now=clock,
    )
    engine.dispose()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def inbox(services: Services) -> Path:
    return services.settings.data / "inbox"


def drop(inbox: Path, name: str, body: bytes) -> Path:
    """Put a file into the inbox, as if long ago."""
    path = inbox / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def lying_in(folder: Path) -> list[str]:
    """Names of all files below a folder."""
    return sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file())


__all__ = ["Clock", "drop", "lying_in", "sample"]
