"""A digest from the plan to the server's last 250, against postfix's smtp-source into the same sink.

smtp-source sends ready bytes and keeps no books; ours plans, composes, personalises, signs, keeps the ledger. The
message is about as large as smtp-source's. Needs postfix (Debian's package), says so where it is missing.

    python -m bench.digests                 the ratio with ed25519 and rsa-2048, and what the ledger costs
    python -m bench.digests 10000 200000    messages a second with so many subscribers
    python -m bench.digests mixed 10000 …   the same, of a thousand domains and forty choices
    python -m bench.digests 1000000 60      plan so many, send for so many seconds, peak memory
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import text

from bench import invented
from bench.invented import PAPER
from syndicate import store
from syndicate.deliver.dkim import make_key
from syndicate.deliver.mailer import Mailer
from syndicate.deliver.smtp import NextLetter
from syndicate.deliver.smtp_talk import Journal
from syndicate.jobs import mail_digests, plan_digests
from syndicate.model import Answer, DeliveryState, Letter
from syndicate.services import Services, open_services
from syndicate.settings import load
from syndicate.store import deliveries

BYTES = 85_000
SESSIONS = 16
LETTERS = 30_000
KINDS = ("ed25519", "rsa")  # of the key that signs; rsa has 2048 bits
ARTICLES = 33  # of an issue whose mail is as large
DAY = date(2026, 10, 28)
DOMAINS = 1000
WORDS = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年"  # each is a choice


def main(count: int = LETTERS) -> None:
    if not (sink := shutil.which("smtp-sink", path=f"{os.defpath}:/usr/sbin")):
        print("needs smtp-sink: apt-get install postfix")
        return
    with _sink(sink) as port:
        for kind in KINDS * 2:
            theirs = _smtp_source(port, count)
            mine, ledger, size = _ours(port, count, kind=kind)
            print(
                f"smtp-source {theirs:6.0f}/s   ours, {size} bytes, {kind:<7} {mine:6.0f}/s   "
                f"ours / smtp-source {mine / theirs:.2f}   ledger {ledger:.1%} of the time"
            )


def grow(*counts: int, mixed: bool = False) -> None:
    """Messages a second with so many subscribers; `mixed`: of many domains, who chose differently."""
    if not (sink := shutil.which("smtp-sink", path=f"{os.defpath}:/usr/sbin")):
        print("needs smtp-sink: apt-get install postfix")
        return
    with _sink(sink) as port:
        for count in counts:
            mine, _, _ = _ours(port, count, mixed=mixed)
            print(f"{count:8} subscribers {mine:6.0f} messages/s")


def long(count: int, seconds: float) -> None:
    """Plan so many, send for so many seconds."""
    sink = shutil.which("smtp-sink", path=f"{os.defpath}:/usr/sbin") or sys.exit("needs smtp-sink")
    with _sink(sink) as port, tempfile.TemporaryDirectory() as folder:
        services = _services(folder, port)
        start = time.perf_counter()
        _subscribe(services, count)
        filled = time.perf_counter()
        _plan(services)
        print(
            f"{count} subscribers in {filled - start:.1f} s, planned in {time.perf_counter() - filled:.1f} s"
        )
        threading.Timer(seconds, services.stopping.set).start()
        start = time.perf_counter()
        mail_digests.run(services)
        took = time.perf_counter() - start
        with store.reading(services.db) as db:
            sent = deliveries.counts(db)[DeliveryState.SENT]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{sent} sent in {took:.0f} s, {sent / took:.0f}/s, peak memory {peak:.0f} MB")


def _ours(port: int, count: int, *, kind: str = KINDS[0], mixed: bool = False) -> tuple[float, float, int]:
    """Messages a second from the plan on, the share of it that the ledger's thread took, bytes of one."""
    with tempfile.TemporaryDirectory() as folder:
        services = _services(folder, port, kind)
        _subscribe(services, count, mixed=mixed)
        books = _Books()
        services = replace(services, mailer=_Counted(services.mailer, books))
        with books.kept():
            start = time.perf_counter()
            _plan(services)
            mail_digests.run(services)
            took = time.perf_counter() - start
        with store.reading(services.db) as db:
            states = deliveries.counts(db)
        if states[DeliveryState.SENT] + states[DeliveryState.VOID] != count:
            raise SystemExit(f"not all were sent: {states}")
        return count / took, books.seconds / took, books.size


class _Books:
    """Seconds of processor that the ledger's thread takes, and the size of a letter."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.size = 0

    @contextmanager
    def kept(self) -> Iterator[None]:
        claim, write = mail_digests._Run._claim_some, mail_digests._Run._write
        run = mail_digests._Run
        with (
            patch.object(run, "_claim_some", self._timed(claim)),
            patch.object(run, "_write", self._timed(write)),
        ):
            yield

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: object) -> Any:
            start = time.thread_time()
            try:
                return function(*given)
            finally:
                self.seconds += time.thread_time() - start

        return run


class _Counted:
    """The mailer, that measures a letter."""

    def __init__(self, mailer: Mailer, books: _Books) -> None:
        self._mailer, self._books = mailer, books

    def post(self, next_letter: NextLetter, journal: Journal) -> Iterator[Answer]:
        def measured() -> Letter | float | None:
            letter = next_letter()
            if not self._books.size and isinstance(letter, Letter):
                self._books.size = sum(map(len, letter.pieces))
            return letter

        return self._mailer.post(measured, journal)


def _services(folder: str, port: int, kind: str = KINDS[0]) -> Services:
    make_key(Path(folder, "dkim"), "bench", kind)
    services = open_services(
        load(
            {
                "SYNDICATE_DATA": folder,
                "SYNDICATE_BASE_URL": "https://bench.example",
                "SYNDICATE_MAIL_FROM": "paper@bench.example",
                "SYNDICATE_SMTP_URL": f"smtp://127.0.0.1:{port}",
                "SYNDICATE_SMTP_CONNECTIONS": str(SESSIONS),
            }
        )
    )
    settings = replace(services.settings, publications=(PAPER,), books=False)
    services = replace(services, settings=settings, now=lambda: datetime(2026, 10, 28, 2, tzinfo=UTC))
    invented.take_in(services, DAY, articles=ARTICLES)
    return services


def _subscribe(services: Services, count: int, *, mixed: bool = False) -> None:
    domain, words = "'readers.example'", "'[]'"
    if mixed:
        domain = f"'d' || (n * 7919 % {DOMAINS}) || '.example'"
        words = f"""CASE WHEN n % 3 THEN '[]' ELSE '["' || substr('{WORDS}', n % {len(WORDS)} + 1, 1) || '"]' END"""
    with store.writing(services.db) as db:
        db.execute(
            text(
                "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)"
                " INSERT INTO subscriptions (publication, address, mailbox, sections, words, rhythm, language,"
                " state, created, confirmed, asks)"
                f" SELECT 'bench', 'reader' || n || '@' || {domain}, 'reader' || n || '@' || {domain}, '[]',"
                f" {words}, 'issue', 'zh-CN', 'confirmed',"
                " '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', 0 FROM numbers"
            ),
            {"count": count},
        )


def _plan(services: Services) -> None:
    with store.writing(services.db) as db:
        plan_digests.plan_issue(db, PAPER, DAY, services.now(), timedelta(0))
    plan_digests.run(services)


@contextmanager
def _sink(program: str) -> Iterator[int]:
    """A sink that takes all and keeps nothing."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sink = subprocess.Popen([program, "-u", "nobody", f"127.0.0.1:{port}", "1000"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 0.1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        sink.terminate()
        sink.wait()


def _smtp_source(port: int, count: int) -> float:
    program = shutil.which("smtp-source", path=f"{os.defpath}:/usr/sbin") or "smtp-source"
    start = time.perf_counter()
    subprocess.run(
        [
            program,
            *("-d", "-s", str(SESSIONS), "-m", str(count), "-l", str(BYTES)),
            *("-f", "paper@bench.example", "-t", "reader@readers.example", f"127.0.0.1:{port}"),
        ],
        check=True,
        capture_output=True,
    )
    return count / (time.perf_counter() - start)


if __name__ == "__main__":
    mixed, words = "mixed" in sys.argv, [word for word in sys.argv[1:] if word != "mixed"]
    match [float(word) for word in words]:
        case []:
            main()
        case [count, seconds] if seconds < 1000:
            long(int(count), seconds)
        case counts:
            grow(*map(int, counts), mixed=mixed)
