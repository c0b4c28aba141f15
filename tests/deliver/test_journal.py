"""What a killed worker leaves behind."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from syndicate.deliver import journal
from syndicate.deliver.journal import Journal, Left, Received
from syndicate.deliver.tokens import Tokens
from syndicate.errors import DeliveryError

MARK = Tokens("secret").received


def test_a_batch_that_ends_well_leaves_no_journal(tmp_path: Path) -> None:
    with Journal(tmp_path, "a") as written:
        written.handing(1)
        written.taken(1)

    assert list(tmp_path.iterdir()) == []


def test_a_batch_that_is_broken_off_leaves_what_it_did(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), Journal(tmp_path, "a") as written:
        for number in (1, 2, 3):
            written.begun(number)
        for number in (1, 2):
            written.handing(number)
        written.taken(1)
        raise KeyboardInterrupt

    assert list(journal.left(tmp_path)) == [Left("a", taken=(1,), doubtful=(), begun=(2, 3), handed=(2,))]
    journal.forget(tmp_path, "a")
    assert list(journal.left(tmp_path)) == []


def test_what_was_written_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from syndicate.deliver.journal import Journal\n"
        "written = Journal(Path(sys.argv[1]), 'a')\n"
        "for n in range(20_000): written.handing(n); written.taken(n)\n"
        "written.handing(20_000); os.kill(os.getpid(), signal.SIGKILL)"
    )

    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)

    assert done.returncode == -signal.SIGKILL
    (left,) = journal.left(tmp_path)
    assert left.taken == tuple(range(20_000))
    assert left.handed == (20_000,)


def test_a_line_without_its_end_was_never_written(tmp_path: Path) -> None:
    (tmp_path / "a.journal").write_bytes(b"h 12\nt 12\nh 13\nt 1")

    assert list(journal.left(tmp_path)) == [Left("a", taken=(12,), doubtful=(), begun=(), handed=(13,))]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DeliveryError, match=r"file/mail"):
        Journal(tmp_path / "file" / "mail", "a")


def test_a_disk_without_room_for_the_journal_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "pwrite", lambda _file, _body, _at: 10)

    with pytest.raises(DeliveryError, match=r"a\.journal: No space left"):
        Journal(tmp_path, "a")


@given(some.lists(some.emails(), unique_by=str.lower), some.lists(some.emails()))
def test_who_received_a_digest_is_known_again(having: list[str], others: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        received = Received(Path(folder), MARK)
        received.add("x.issue.2026-11-20", having)
        received.add("x.issue.2026-11-20", [])

        assert received.count("x.issue.2026-11-20") == len(having)
        assert received.holds("x.issue.2026-11-20", [*others, *having]) == [
            mailbox for mailbox in [*others, *having] if mailbox in having
        ]
        assert received.holds("x.issue.2026-11-21", having) == []


def test_who_reads_the_files_cannot_try_addresses_on_them_and_older_ones_are_still_read(
    tmp_path: Path,
) -> None:
    address, plain = "a@example.org", hashlib.sha256(b"a@example.org").digest()
    (tmp_path / "old.received").write_bytes(Tokens("secret").received_before(address)[:8])
    received = Received(tmp_path, MARK, Tokens("secret").received_before)
    received.add("new", [address])

    assert plain[:8] not in (tmp_path / "new.received").read_bytes()
    assert received.holds("old", [address, "b@example.org"]) == [address]
    assert received.holds("new", [address, "b@example.org"]) == [address]
    assert Received(tmp_path, Tokens("another").received).holds("new", [address]) == []


def test_old_digests_are_forgotten(tmp_path: Path) -> None:
    received = Received(tmp_path, MARK)
    received.add("old", ["a@example.org"])
    received.add("new", ["a@example.org"])
    os.utime(tmp_path / "old.received", (1, 1))

    received.prune(1000)

    assert (received.count("old"), received.count("new")) == (0, 1)


def test_a_broken_line_is_doubted_also_by_who_comes_after(tmp_path: Path) -> None:
    (tmp_path / "a.journal").write_bytes(b"b 12\nh 12 1\nd 12\nb 13\nh 13 1\nr 13\n")

    assert list(journal.left(tmp_path)) == [Left("a", taken=(), doubtful=(12,), begun=(13,), handed=())]


DOT = b".\r\n"


@pytest.mark.parametrize(
    ("said", "answer", "taken", "doubtful"),
    [
        (DOT, b"250 2.0.0 taken\r\n", (7,), ()),
        (DOT, b"452 full\r\n", (), ()),
        (DOT, b"421 closing\r\n", (), (7,)),
        (DOT, b"", (), (7,)),
        (DOT + b"MAIL FROM:<a@x.example>\r\n", b"", (), (7,)),
        (b".", b"", (), ()),
        (b"", b"", (), ()),
    ],
)
def test_a_witness_hears_the_answer_that_its_worker_did_not_live_to_hear(
    tmp_path: Path, said: bytes, answer: bytes, taken: tuple[int, ...], doubtful: tuple[int, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        worker, line = _killed_worker(tmp_path, server, said)
        assert worker.wait() == -signal.SIGKILL
        if said.startswith(DOT):
            assert list(journal.left(tmp_path)) == []  # the witness is still there
        with line.makefile("rb") as heard:
            assert heard.read() == b"letter" + said  # and nothing more is said
        line.sendall(answer)
        line.close()

    found = _settled(tmp_path)
    assert (found.taken, found.doubtful, found.handed) == (taken, doubtful, ())


def test_a_witness_takes_back_a_line_that_was_never_finished(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        worker, line = _killed_worker(
            tmp_path, server, DOT, last="written._map[written._at : written._at + 4] = b't 99'"
        )
        worker.wait()
        line.sendall(b"250 2.0.0 taken\r\n")
        line.close()

    assert _settled(tmp_path).taken == (7,)
    assert (tmp_path / "a.journal").read_bytes().endswith(b"\nt 7\n")


def _killed_worker(
    folder: Path, server: socket.socket, said: bytes, last: str = ""
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A worker that ends letter 7 so and is killed, and the other end of its connection."""
    program = (
        "import os, signal, socket, sys; from pathlib import Path;"
        "from syndicate.deliver.journal import Journal\n"
        "line = socket.create_connection(('127.0.0.1', int(sys.argv[2]))); line.sendall(b'letter')\n"
        "written = Journal(Path(sys.argv[1]), 'a'); written.handing(7, line, 6)\n"
        f"line.sendall(bytes.fromhex(sys.argv[3])); {last}\n"
        "os.killpg(os.getpgrp(), signal.SIGKILL)"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", program, str(folder), str(server.getsockname()[1]), said.hex()],
        start_new_session=True,
    )
    return worker, server.accept()[0]


def _settled(folder: Path) -> Left:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if found := list(journal.left(folder)):
            return found[0]
        time.sleep(0.01)
    raise AssertionError("the witness never went")
