"""The inbox."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from syndicate.errors import ReadError, SourceError
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
        path.write_bytes(os.fsencode(name))


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


GBK = os.fsdecode("青岚日报.txt".encode("gbk"))


@pytest.mark.parametrize("name", [GBK, "a\nERROR all is lost.txt", "字" * 82 + ".txt", "x" * 255])
def test_a_file_of_any_name_is_set_aside_with_its_reason_on_one_line(
    inbox: Path, tmp_path: Path, name: str
) -> None:
    for body in ("first", "second"):
        (inbox / name).write_text(body)
        (drop,) = folder.drops(inbox)
        ((told, _),) = folder.read(drop, 100)
        folder.set_aside(drop, tmp_path / "quarantine", f"{told}: not a newspaper")

    kept = folder.quarantined(tmp_path / "quarantine")

    assert len({q.name for q in kept}) == 2
    for q in kept:
        assert q.name.isprintable()
        assert q.reason == f"{told}: not a newspaper"
        assert q.reason.isprintable()


@pytest.mark.parametrize("name", [GBK, "x" * 255])
def test_a_folder_of_any_name_is_set_aside_with_its_reason(inbox: Path, tmp_path: Path, name: str) -> None:
    put(inbox, f"{name}/p1.txt")
    (drop,) = folder.drops(inbox)

    folder.set_aside(drop, tmp_path / "quarantine", "not a newspaper")

    (kept,) = folder.quarantined(tmp_path / "quarantine")
    assert kept.reason == "not a newspaper"
    assert list(inbox.iterdir()) == []


def test_a_folder_finds_a_place_beside_a_file_of_its_name(inbox: Path, tmp_path: Path) -> None:
    put(inbox, "tuesday/p1.txt")
    (drop,) = folder.drops(inbox)
    put(tmp_path / "archive", "2026/11/17/tuesday")

    folder.archive(drop, tmp_path / "archive", date(2026, 11, 17))

    assert (tmp_path / "archive/2026/11/17/tuesday.2/p1.txt").exists()


def test_the_reason_lies_there_before_the_file(inbox: Path, tmp_path: Path) -> None:
    put(inbox, "a.txt")
    (drop,) = folder.drops(inbox)
    (inbox / "a.txt").unlink()  # the process is killed right before the move

    folder.set_aside(drop, tmp_path / "quarantine", "not a newspaper")

    assert [f.name for f in (tmp_path / "quarantine").iterdir()] == ["a.txt.reason.txt"]


def test_a_reason_in_any_encoding_is_shown(tmp_path: Path) -> None:
    put(tmp_path, "a.txt")
    (tmp_path / "a.txt.reason.txt").write_bytes("编辑改过".encode("gbk"))

    assert "no reason" not in folder.quarantined(tmp_path)[0].reason


def test_a_reason_that_comes_back_with_its_file_is_passed_over(inbox: Path) -> None:
    put(inbox, "qinglan-2026-11-18-p1.txt", "qinglan-2026-11-18-p1.txt.reason.txt")

    assert names(inbox) == [("qinglan-2026-11-18", ["qinglan-2026-11-18-p1.txt"])]


def test_a_pipe_is_passed_over(inbox: Path) -> None:
    os.mkfifo(inbox / "a.txt")

    assert names(inbox) == []


def test_a_file_dated_in_the_future_is_settled_like_any_other(inbox: Path) -> None:
    put(inbox, "a.txt")
    os.utime(inbox / "a.txt", (4e9, 4e9))
    (drop,) = folder.drops(inbox)

    assert folder.settled(drop, now() + 2 * QUIET, QUIET)


def test_many_files_together_are_not_read_beyond_the_limit(inbox: Path) -> None:
    put(inbox, *(f"tuesday/{'p' * 30}{n}.txt" for n in range(10)))
    (drop,) = folder.drops(inbox)

    with pytest.raises(ReadError, match="tuesday: its files are together larger"):
        folder.read(drop, 100)


def test_a_link_that_a_person_names_is_followed(inbox: Path, tmp_path: Path) -> None:
    put(inbox, "a.txt")
    (tmp_path / "link.txt").symlink_to(inbox / "a.txt")

    (drop,) = folder.grouped([tmp_path / "link.txt"])

    assert folder.read(drop, 100) == (("link.txt", b"a.txt"),)
