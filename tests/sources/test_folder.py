"""The inbox."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from syndicate.errors import SourceError
from syndicate.sources import folder

QUIET = timedelta(seconds=5)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    return inbox


def put(inbox: Path, *names: str) -> None:
    for name in names:
        path = inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")


def names(inbox: Path) -> list[tuple[str, list[str]]]:
    return [(drop.name, [f.name for f in drop.files]) for drop in folder.drops(inbox)]


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # files carry the machine's time


def test_names_that_share_publication_and_date_are_one_issue(inbox: Path) -> None:
    put(
        inbox, "qinglan-2026-11-18-p2.txt", "qinglan-2026-11-18-p1.txt", "qinglan_20261119_1.txt", "notes.txt"
    )

    assert names(inbox) == [
        ("notes.txt", ["notes.txt"]),
        ("qinglan-2026-11-18", ["qinglan-2026-11-18-p1.txt", "qinglan-2026-11-18-p2.txt"]),
        ("qinglan_20261119", ["qinglan_20261119_1.txt"]),
    ]


def test_a_folder_is_one_issue(inbox: Path) -> None:
    put(inbox, "tuesday/p2.txt", "tuesday/p1.txt")

    assert names(inbox) == [("tuesday", ["p1.txt", "p2.txt"])]


def test_hidden_unfinished_and_linked_files_are_passed_over(inbox: Path) -> None:
    put(inbox, ".hidden", "a.txt.part", "b.txt~", "c.tmp")
    (inbox / "link.txt").symlink_to("/etc/passwd")

    assert names(inbox) == []


def test_a_file_is_settled_only_after_a_quiet_time(inbox: Path) -> None:
    put(inbox, "a.txt")
    (drop,) = folder.drops(inbox)

    assert not folder.settled(drop, now(), QUIET)
    assert folder.settled(drop, now() + 2 * QUIET, QUIET)


def test_an_old_file_copied_with_its_time_is_not_settled_at_once(inbox: Path) -> None:
    put(inbox, "a.txt")
    os.utime(inbox / "a.txt", (0, 0))
    (drop,) = folder.drops(inbox)

    assert not folder.settled(drop, now(), QUIET)


def test_a_file_that_somebody_still_writes_is_never_settled(inbox: Path) -> None:
    with (inbox / "a.txt").open("w") as slow_upload:
        slow_upload.write("the first half")
        slow_upload.flush()
        (drop,) = folder.drops(inbox)

        assert not folder.settled(drop, now() + timedelta(hours=1), QUIET)

    assert folder.settled(drop, now() + timedelta(hours=1), QUIET)


def test_a_drop_taken_by_another_process_is_not_settled(inbox: Path) -> None:
    put(inbox, "a.txt")
    (drop,) = folder.drops(inbox)
    (inbox / "a.txt").unlink()

    assert not folder.settled(drop, now() + 2 * QUIET, QUIET)


def test_an_archived_drop_lies_under_its_day_and_the_inbox_is_empty(inbox: Path, tmp_path: Path) -> None:
    put(inbox, "tuesday/p1.txt", "tuesday/deeper/p2.txt")
    (drop,) = folder.drops(inbox)

    folder.archive(drop, tmp_path / "archive", date(2026, 11, 17))

    assert (tmp_path / "archive/2026/11/17/tuesday/p1.txt").exists()
    assert (tmp_path / "archive/2026/11/17/tuesday/deeper/p2.txt").exists()
    assert list(inbox.iterdir()) == []


def test_a_second_file_of_the_same_name_is_kept_beside_the_first(inbox: Path, tmp_path: Path) -> None:
    for text in ("first scan", "better scan"):
        (inbox / "a.txt").write_text(text)
        (drop,) = folder.drops(inbox)
        folder.archive(drop, tmp_path / "archive", date(2026, 11, 17))

    kept = tmp_path / "archive/2026/11/17"
    assert (kept / "a.txt").read_text() == "first scan"
    assert (kept / "a.2.txt").read_text() == "better scan"


def test_what_is_set_aside_keeps_its_reason(inbox: Path, tmp_path: Path) -> None:
    put(inbox, "a.txt", "tuesday/p1.txt")
    for drop in folder.drops(inbox):
        folder.set_aside(drop, tmp_path / "quarantine", f"{drop.name}: not a newspaper")

    kept = folder.quarantined(tmp_path / "quarantine")

    assert {(q.name, q.reason) for q in kept} == {
        ("a.txt", "a.txt: not a newspaper"),
        ("tuesday", "tuesday: not a newspaper"),
    }
    assert (tmp_path / "quarantine/a.txt").read_text() == "a.txt"


def test_of_a_file_that_is_too_large_only_the_limit_and_a_byte_are_read(inbox: Path) -> None:
    (inbox / "a.txt").write_bytes(b"x" * 1000)
    (drop,) = folder.drops(inbox)

    assert folder.read(drop, 100) == (("a.txt", b"x" * 101),)


def test_a_missing_inbox_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere"):
        folder.drops(tmp_path / "nowhere")
