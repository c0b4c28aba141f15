"""Mail onto the wire: a digest cast, signed and posted, against postfix's smtp-source and against smtplib.

One message of about 85 kB to one sink on this machine, which has a core to itself. smtp-source says the same bytes over 16 kept connections and
signs nothing; ours casts each letter, signs it and keeps a journal; the plain way builds an EmailMessage for each
reader and hands it to smtplib over one kept connection, unsigned. Then a relay that answers after 20 ms, with 16
connections, against 16 threads of smtplib.

Needs smtp-sink and smtp-source (Debian: postfix); says so where they are missing.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path
from threading import Thread

from syndicate.deliver.dkim import Signer, new_key
from syndicate.deliver.journal import Journal
from syndicate.deliver.mailer import SmtpMailer
from syndicate.model import (
    Article,
    Byline,
    Digest,
    DigestSection,
    Entry,
    Envelope,
    Letter,
    Outcome,
    Publication,
    Rhythm,
    Section,
)
from syndicate.render import digest, letters

MESSAGES = 1000
SLOW_MESSAGES = 1200
ROUNDS = 5
CONNECTIONS = 16
STORIES = 31  # about 85 kB of mail
RELAY_SECONDS = 0.02
SENDER = "paper@bench.example"
DAY = datetime(2026, 11, 16, 6, tzinfo=UTC)
PAPER = Publication("bench", "丈量日报", host="bench.example", sections=(Section("s", "要闻"),))


def main() -> None:
    programs = {name: _program(name) for name in ("smtp-sink", "smtp-source")}
    if missing := [name for name, path in programs.items() if not path]:
        print(f"needs {' and '.join(missing)}: apt-get install postfix")
        return
    contents = _digest()
    size = len(digest.message(contents, _envelope(0)).as_bytes())
    print(f"one message: {size / 1000:.0f} kB, {CONNECTIONS} connections")
    with _sink(programs["smtp-sink"]) as port:
        _fast(programs["smtp-source"], port, contents, size)
    with _slow_relay() as port:
        _slow(port, contents)


def _fast(source: str, port: int, contents: Digest, size: int) -> None:
    ways: dict[str, Callable[[], float]] = {
        "smtp-source": lambda: _source(source, port, size),
        "ours, ed25519": lambda: _ours(port, contents, "ed25519"),
        "ours, rsa-2048": lambda: _ours(port, contents, "rsa"),
        "ours, unsigned": lambda: _ours(port, contents, ""),
        "EmailMessage + smtplib": lambda: _plain(port, contents, MESSAGES // 10),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            rates[name].append(way())
    for name, found in rates.items():
        ratios = [rate / base for rate, base in zip(found, rates["smtp-source"], strict=True)]
        print(
            f"{name:<24} {statistics.median(found):7.0f}/s, of smtp-source {statistics.median(ratios):.2f}"
            f" ({min(ratios):.2f} to {max(ratios):.2f})"
        )


def _slow(port: int, contents: Digest) -> None:
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(_threads(port, contents))
        ours.append(_ours(port, contents, "ed25519", SLOW_MESSAGES))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    print(
        f"a relay that answers after {RELAY_SECONDS * 1000:.0f} ms: ours {statistics.median(ours):.0f}/s, "
        f"{CONNECTIONS} threads of smtplib {statistics.median(theirs):.0f}/s, "
        f"ours / theirs {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
    )


# ── the ways ─────────────────────────────────────────────────────────────────────────────


def _source(program: str, port: int, size: int) -> float:
    """Messages a second of smtp-source; -d: over kept connections, its faster way."""
    words = [program, "-d", "-s", str(CONNECTIONS), "-m", str(MESSAGES), "-l", str(size)]
    start = time.perf_counter()
    subprocess.run([*words, "-f", SENDER, "-t", "r@x.example", f"127.0.0.1:{port}"], check=True)
    return MESSAGES / (time.perf_counter() - start)


def _ours(port: int, contents: Digest, kind: str, count: int = MESSAGES) -> float:
    signer = Signer({"s1": new_key(kind)} if kind else {}, "bench.example", lambda: DAY)
    mailer = SmtpMailer(f"smtp://127.0.0.1:{port}", CONNECTIONS)
    mould = letters.mould(lambda envelope: digest.message(contents, envelope))
    mould.cast(_envelope(0))
    numbers = iter(range(count))

    def following() -> Letter | None:
        number = next(numbers, None)
        if number is None:
            return None
        envelope = _envelope(number)
        return Letter(number, SENDER, envelope.address, signer.signed(mould.cast(envelope)))

    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder), "bench") as journal:
        start = time.perf_counter()
        taken = sum(answer.outcome is Outcome.TAKEN for answer in mailer.post(following, journal))
        seconds = time.perf_counter() - start
    if taken != count:
        raise SystemExit(f"{count - taken} letters were not taken")
    return count / seconds


def _plain(port: int, contents: Digest, count: int, numbers: Iterator[int] | None = None) -> float:
    """As most programs send: a message for each reader, one after the other."""
    whole = digest.message(contents, _envelope(0))
    parts = [part.get_content() for part in whole.iter_parts() if isinstance(part, EmailMessage)]
    start = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for number in numbers or iter(range(count)):
            envelope = _envelope(number)
            mail = EmailMessage()
            for name in ("From", "Date", "Subject", "List-Id"):
                mail[name] = str(whole[name])
            mail["To"], mail["Message-ID"] = envelope.address, envelope.message_id
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
            mail.set_content(parts[0], cte="base64")
            mail.add_alternative(parts[1], subtype="html", cte="base64")
            smtp.send_message(mail, SENDER, envelope.address)
    return count / (time.perf_counter() - start)


def _threads(port: int, contents: Digest) -> float:
    """So many threads of smtplib, each with its connection, with bytes that are ready."""
    ready = digest.message(contents, _envelope(0)).as_bytes()
    numbers = iter(range(SLOW_MESSAGES))

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            for number in numbers:
                smtp.sendmail(SENDER, _envelope(number).address, ready)

    threads = [Thread(target=send) for _ in range(CONNECTIONS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return SLOW_MESSAGES / (time.perf_counter() - start)


# ── what is sent ─────────────────────────────────────────────────────────────────────────


def _digest() -> Digest:
    entries = tuple(_entry(n) for n in range(1, STORIES + 1))
    return Digest(
        PAPER,
        Rhythm.ISSUE,
        (),
        (DigestSection(PAPER.sections[0], entries),),
        "zh-CN",
        "https://bench.example",
    )


def _entry(n: int) -> Entry:
    article = Article(
        f"第{n}条不短的标题写满十四个字",
        kicker="引题也有这么长",
        byline=Byline(("何晓楠",)),
        paragraphs=("导语说得很细，" * 17,),
    )
    number = f"tag:bench.example,2026-11-16:bench/1/{n}"
    return Entry(number, "bench", date(2026, 11, 16), 1, n, "s", article, str(n), DAY, DAY)


def _envelope(number: int) -> Envelope:
    token = f"{number:06d}.Zk3-_xQ7Lm0aVtY8uR2sWcD5eFg"
    return Envelope(
        f"reader{number}@mail.example",
        SENDER,
        f"<d1.{number:06d}.5f2c@bench.example>",
        f"https://bench.example/bench/leave/{token}",
        DAY,
        manage_url=f"https://bench.example/bench/mine/{token}",
        leave_mail=f"leave+{token}@bench.example",
    )


# ── the other side ───────────────────────────────────────────────────────────────────────


@contextmanager
def _sink(program: str) -> Iterator[int]:
    port = _free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with _running([program, *user, f"127.0.0.1:{port}", "200"], port):
        yield port


@contextmanager
def _slow_relay() -> Iterator[int]:
    port = _free_port()
    with _running([sys.executable, "-m", "bench.mail", str(port)], port):
        yield port


@contextmanager
def _running(words: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(words)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:  # the server has one to itself, and so has whoever sends
        os.sched_setaffinity(process.pid, cores[:1])
        os.sched_setaffinity(0, cores[1:])
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield
    finally:
        os.sched_setaffinity(0, cores)
        process.terminate()
        process.wait()


class _Relay(asyncio.Protocol):
    """A mail server far away: what it answers arrives some time after what it answers to."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._line = b""
        self._tail: bytes | None = None  # of the letter that is coming in
        self._say(b"220 relay ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        while data:
            if self._tail is None:
                line, found, data = (self._line + data).partition(b"\n")
                if not found:
                    self._line = line
                    return
                self._line = b""
                self._answer(line[:4].upper())
            else:
                seen = self._tail + data
                end = seen.find(b"\r\n.\r\n")
                if end < 0:
                    self._tail = seen[-4:]
                    return
                data, self._tail = seen[end + 5 :], None
                self._say(b"250 2.0.0 taken\r\n")

    def _answer(self, verb: bytes) -> None:
        if verb == b"DATA":
            self._tail = b"\r\n"
        known = {
            b"EHLO": b"250-relay\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0\r\n",
            b"DATA": b"354 go on\r\n",
            b"QUIT": b"221 bye\r\n",
        }
        self._say(known.get(verb, b"250 2.1.0 ok\r\n"))

    def _say(self, reply: bytes) -> None:
        asyncio.get_running_loop().call_later(RELAY_SECONDS, self._transport.write, reply)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Relay, "127.0.0.1", port)
    await server.serve_forever()


def _program(name: str) -> str:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin") or ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    if len(sys.argv) == 2:
        asyncio.run(_serve(int(sys.argv[1])))
    else:
        main()
