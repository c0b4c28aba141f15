"""Deliveries whose workers are killed (-9) at random while the mail server fails at random: what is lost, what repeated.

    python -m bench.kills [deliveries] [kills]      5 000 and 100, as docs/decisions/0002 tells

The workers' clock runs fast, or what was refused for now would be tried again in minutes only. The server refuses,
closes the line before a letter, takes the letter and
closes without an answer, or with one.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import text
from tqdm import tqdm

from bench import invented
from bench.invented import PAPER
from syndicate import store
from syndicate.jobs import mail_digests, plan_digests
from syndicate.model import DeliveryState
from syndicate.services import Services, open_services
from syndicate.settings import load
from syndicate.store import deliveries

DAY = datetime(2026, 10, 28, 2, tzinfo=UTC)
FASTER = 600  # the workers' minute is a tenth of a second
PER_DOMAIN = 5
SHARE = 0.5  # of all letters are sent before the last kill, on average: each one is to meet a worker at work
FAULTS = {  # how often, of a hundred letters
    "mail": 2,
    "rcpt": 2,
    "data": 2,
    "drop": 2,  # the line breaks where the letter should begin
    "end": 2,  # 452 to the last byte
    "silent": 1,  # taken, and the line breaks without an answer
    "gone": 2,  # 250, and the line breaks
}


@dataclass
class Server:
    """Remembers which letters it took, and how often."""

    chance: random.Random
    taken: Counter[str] = field(default_factory=Counter)
    silent: set[str] = field(default_factory=set)
    killed_at: list[float] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            if self.chance.random() < 0.02:
                writer.write(b"421 busy\r\n")
                return
            writer.write(b"220 bench\r\n")
            while line := await reader.readline():
                if not await self._said(line, reader, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.close()

    async def _said(self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        verb = line[:4].upper()
        if verb in (b"EHLO", b"HELO"):
            writer.write(b"250-bench\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 1000000\r\n")
        elif verb == b"MAIL":
            self._refused = self._fault("mail")
            writer.write(b"451 later\r\n" if self._refused else b"250 ok\r\n")
        elif verb == b"RCPT":
            refused = self._refused or self._fault("rcpt")
            self._refused = refused
            writer.write(b"450 later\r\n" if refused else b"250 ok\r\n")
        elif verb == b"DATA":
            if self._refused or self._fault("data"):
                writer.write(b"451 later\r\n")
            elif self._fault("drop"):
                return False
            else:
                writer.write(b"354 go on\r\n")
                return await self._letter(reader, writer)
        else:
            writer.write(b"250 ok\r\n")
            return verb != b"QUIT"
        return True

    async def _letter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        letter = await reader.readuntil(b"\r\n.\r\n")
        if self._fault("end"):
            writer.write(b"452 later\r\n")
            return True
        found = re.search(rb"(?im)^message-id: (\S+)", letter)
        name = found[1].decode() if found else "?"
        self.taken[name] += 1
        if self._fault("silent"):
            self.silent.add(name)
            return False
        writer.write(b"250 taken\r\n")
        await writer.drain()
        return not self._fault("gone")

    def _fault(self, name: str) -> bool:
        return self.chance.random() * 100 < FAULTS[name]

    _refused = False


def main(count: int = 5000, kills: int = 100) -> None:
    """Print what was lost and what came twice."""
    with tempfile.TemporaryDirectory() as folder:
        lost, repeated, doubtful, killed = run(Path(folder), count, kills)
    print(
        f"{count} deliveries, {killed} kills: {lost} lost, {repeated} repeated"
        f" ({repeated / max(1, killed):.2f} a kill), {doubtful} doubtful, all of which the server has"
    )


def run(folder: Path, count: int, kills: int, seed: int = 2026) -> tuple[int, int, int, int]:
    """Lost, repeated, doubtful, and how often a worker was killed while it was sending."""
    chance = random.Random(seed)
    server, port = _serve(chance)
    services = _services(folder, port)
    _subscribe(services, count)
    with store.writing(services.db) as db:
        plan_digests.plan_issue(db, PAPER, DAY.date(), services.now(), timedelta(0))
    plan_digests.run(services)
    begun, killed = time.time(), 0
    progress = tqdm(total=count, unit="letter", disable=not sys.stderr.isatty())
    while not _done(services):
        with (folder / "log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "bench.kills", "worker", str(folder), str(port), str(begun)],
                stderr=log,
            )
        if killed < kills:
            killed += _killed(worker, server, chance, SHARE * count / kills)
        else:
            worker.wait()
        progress.update(len(server.taken) - progress.n)
    with store.reading(services.db) as db:
        states = deliveries.counts(db)
        doubtful = {one.message_id for one in deliveries.doubtful(db)}
    services.db.dispose()
    assert states[DeliveryState.FAILED] == 0, states
    assert doubtful <= server.silent
    return count - len(server.taken), sum(server.taken.values()) - len(server.taken), len(doubtful), killed


def _killed(worker: subprocess.Popen[bytes], server: Server, chance: random.Random, share: float) -> bool:
    """Kill a worker once it has sent about its share; whether it was still at it."""
    wanted = sum(server.taken.values()) + chance.uniform(0, 2 * share)
    while worker.poll() is None and sum(server.taken.values()) < wanted:
        time.sleep(0.0005)
    time.sleep(chance.uniform(0, 0.01))
    if worker.poll() is not None:
        return False
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    return True


def _serve(chance: random.Random) -> tuple[Server, int]:
    server, ready = Server(chance), threading.Event()
    ports: list[int] = []

    async def serve() -> None:
        listening = await asyncio.start_server(server, "127.0.0.1", 0, limit=1_000_000)
        ports.append(listening.sockets[0].getsockname()[1])
        ready.set()
        await asyncio.Event().wait()

    threading.Thread(target=asyncio.run, args=(serve(),), daemon=True).start()
    ready.wait(10)
    return server, ports[0]


def _services(folder: Path, port: int, begun: float | None = None) -> Services:
    services = open_services(
        load(
            {
                "SYNDICATE_DATA": str(folder),
                "SYNDICATE_BASE_URL": "https://bench.example",
                "SYNDICATE_MAIL_FROM": "paper@bench.example",
                "SYNDICATE_SMTP_URL": f"smtp://127.0.0.1:{port}",
            }
        )
    )
    start = time.time() if begun is None else begun
    settings = replace(services.settings, publications=(PAPER,), books=False, mail_limits={})
    services = replace(
        services, settings=settings, now=lambda: DAY + FASTER * timedelta(seconds=time.time() - start)
    )
    if begun is None:
        invented.take_in(services, DAY.date(), articles=3)
    return services


def _subscribe(services: Services, count: int) -> None:
    with store.writing(services.db) as db:
        db.execute(
            text(
                "INSERT INTO subscriptions (publication, address, mailbox, sections, rhythm, language, state,"
                " created, confirmed, asks) VALUES ('bench', :a, :a, '[]', 'issue', 'zh-CN', 'confirmed',"
                " '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', 0)"
            ),
            [{"a": f"reader{n}@domain{n // PER_DOMAIN}.example"} for n in range(count)],
        )


def _done(services: Services) -> bool:
    with store.reading(services.db) as db:
        states = deliveries.counts(db)
    return not states[DeliveryState.DUE] + states[DeliveryState.CLAIMED]


def _work(folder: Path, port: int, begun: float) -> None:
    """A worker: runs until nothing is due."""
    services = _services(folder, port, begun)
    with patch.object(mail_digests, "LATE", timedelta(days=10_000)):
        while not _done(services):
            mail_digests.run(services)
            time.sleep(0.05)


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        _work(Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
    else:
        main(*map(int, sys.argv[1:]))
