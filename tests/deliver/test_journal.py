"""What a killed worker leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from syndicate.deliver import journal
from syndicate.deliver.journal import Journal, Left, Received
from syndicate.errors import DeliveryError


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

    assert list(journal.left(tmp_path)) == [Left("a", taken=(1,), begun=(2, 3), handed=(2,))]
    journal.forget(tmp_path, "a")
    assert list(journal.left(tmp_path)) == []


def test_what_was_written_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from syndicate.deliver.journal import Journal\n"
        "written = Journal(Path(sys.argv[1]), 'a')\n"
        "for n in range(5000): written.handing(n); written.taken(n)\n"
        "written.handing(5000); os.kill(os.getpid(), signal.SIGKILL)"
    )

    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)

    assert done.returncode == -signal.SIGKILL
    (left,) = journal.left(tmp_path)
    assert left.taken == tuple(range(5000))
    assert left.handed == (5000,)


def test_a_line_without_its_end_was_never_written(tmp_path: Path) -> None:
    (tmp_path / "a.journal").write_bytes(b"h 12\nt 12\nh 13\nt 1")

    assert list(journal.left(tmp_path)) == [Left("a", taken=(12,), begun=(), handed=(13,))]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DeliveryError, match=r"file/mail"):
        Journal(tmp_path / "file" / "mail", "a")


@given(some.lists(some.emails(), unique_by=str.lower), some.lists(some.emails()))
def test_who_received_a_digest_is_known_again(having: list[str], others: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        received = Received(Path(folder))
        received.add("x.issue.2026-11-20", having)
        received.add("x.issue.2026-11-20", [])

        assert received.count("x.issue.2026-11-20") == len(having)
        assert received.holds("x.issue.2026-11-20", [*others, *having]) == [
            mailbox for mailbox in [*others, *having] if mailbox in having
        ]
        assert received.holds("x.issue.2026-11-21", having) == []


def test_old_digests_are_forgotten(tmp_path: Path) -> None:
    received = Received(tmp_path)
    received.add("old", ["a@example.org"])
    received.add("new", ["a@example.org"])
    os.utime(tmp_path / "old.received", (1, 1))

    received.prune(1000)

    assert (received.count("old"), received.count("new")) == (0, 1)
