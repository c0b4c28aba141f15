"""An issue comes in, or is kept with its reason."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from syndicate import store
from syndicate.errors import IssueError, StoreError
from syndicate.jobs import examine, ingest
from syndicate.readers import text
from syndicate.services import Services
from syndicate.sources import folder
from syndicate.split import split
from syndicate.split.proof import written
from syndicate.store import entries, issues
from tests.jobs.conftest import Clock, drop, lying_in, sample

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 11, day) for day in (16, 17, 18))


def all_entries(services: Services, day: date) -> tuple[tuple[str, str | None, str], ...]:
    with store.reading(services.db) as db:
        return tuple((e.id, e.article.headline, e.path) for e in entries.of_issue(db, "qinglan", day))


def reasons(services: Services) -> dict[str, str]:
    return {q.name: q.reason for q in folder.quarantined(services.settings.data / "quarantine")}


def test_a_file_in_the_inbox_becomes_an_issue_and_is_archived(services: Services, inbox: Path) -> None:
    ((name, body),) = sample(16)
    drop(inbox, name, body)

    ingest.run(services)

    assert len(all_entries(services, MONDAY)) >= 19
    assert lying_in(inbox) == []
    assert lying_in(services.settings.data / "archive") == [f"2026/11/16/{name}"]
    assert reasons(services) == {}


def test_a_folder_and_files_that_share_a_date_are_one_issue_each(services: Services, inbox: Path) -> None:
    for name, body in sample(17):
        drop(inbox, f"tuesday/{name}", body)
    for name, body in sample(18):
        drop(inbox, name, body)

    ingest.run(services)

    with store.reading(services.db) as db:
        found = issues.latest(db, "qinglan", 10)
    assert [(i.date, i.number, [page for page, _ in i.pages]) for i in found] == [
        (WEDNESDAY, 4129, [1, 2, 3, 4]),
        (TUESDAY, 4128, [1, 2, 3, 4]),
    ]


def test_the_same_issue_twice_writes_nothing(services: Services, clock: Clock) -> None:
    ingest.ingest(services, sample(16))
    with store.reading(services.db) as db:
        before = issues.due_for_publishing(db)

    clock.pass_(timedelta(hours=1))
    again = ingest.ingest(services, sample(16))

    assert again.revision.empty
    with store.reading(services.db) as db:
        assert issues.due_for_publishing(db) == before


def test_pages_that_come_one_by_one_make_the_same_issue_as_all_at_once(services: Services) -> None:
    for file in sample(18):
        ingest.ingest(services, [file])
    one_by_one = {(headline, path) for _, headline, path in all_entries(services, WEDNESDAY)}

    whole = ingest.ingest(services, sample(18))

    assert whole.revision.empty
    assert {path for _, path in one_by_one} == {path for _, _, path in all_entries(services, WEDNESDAY)}


def test_a_corrected_page_changes_only_what_was_corrected(services: Services, clock: Clock) -> None:
    ((name, body),) = sample(16)
    ingest.ingest(services, [(name, body)])
    before = all_entries(services, MONDAY)

    clock.pass_(timedelta(hours=1))
    corrected = body.decode().replace("总投资 6.8 亿元", "总投资 6.9 亿元").encode()
    done = ingest.ingest(services, [(name, corrected)])

    assert [c.after.article.headline for c in done.revision.changed] == ["蓝谷竹基新材料项目落户青岚"]
    assert not done.revision.new
    assert not done.revision.withdrawn
    assert all_entries(services, MONDAY) == before


def test_weekday_lunar_date_and_number_are_cross_checked(services: Services) -> None:
    ingest.ingest(services, sample(16))
    page = sample(17)[0][1].decode()
    wrong = page.replace("星期二", "星期五").replace("十月初九", "十月初十").replace("4128", "4188")
    assert wrong != page

    done = ingest.ingest(services, [("p1.txt", wrong.encode())])

    told = " | ".join(done.warnings)
    assert "星期五" in told
    assert "十月初十" in told
    assert "4188 does not follow 4127" in told
    assert any("4188" in line for line in examine.run(services).lines)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig"])
def test_every_encoding_gives_the_same_articles(services: Services, encoding: str) -> None:
    ((name, body),) = sample(16)
    ingest.ingest(services, [(name, body)])

    again = ingest.ingest(services, [(name, body.decode().encode(encoding))])

    assert again.revision.empty or not (
        again.revision.new or again.revision.withdrawn or again.revision.changed
    )


def test_nul_and_form_feed_reach_nobody(services: Services) -> None:
    ((name, body),) = sample(16)
    ingest.ingest(services, [(name, body.decode().replace("顾承平", "顾\0承平\f", 1).encode())])

    with store.reading(services.db) as db:
        texts = [str(e.article) for e in entries.of_issue(db, "qinglan", MONDAY)]

    assert not re.search(r"\\x00|\\x0c|[\0\f]", "".join(texts))


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("empty.txt", b"", "empty.txt"),
        ("blank.txt", b" \n\n \n", "blank.txt"),
        ("large.txt", "字".encode() * 400_000, "large.txt"),
        ("picture.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "picture.txt"),
        ("noise.txt", bytes(range(256)) * 40, "noise.txt"),
    ],
)
def test_what_is_no_text_is_kept_with_its_reason(
    services: Services, inbox: Path, name: str, body: bytes, reason: str
) -> None:
    drop(inbox, name, body)

    ingest.run(services)

    assert list(reasons(services)) == [name]
    told = reasons(services)[name]
    assert reason in told
    assert "\n" not in told
    assert (services.settings.data / "quarantine" / name).read_bytes() == body
    assert lying_in(inbox) == []
    with store.reading(services.db) as db:
        assert issues.newest(db, "qinglan") is None


def test_a_file_of_fifty_megabytes_is_not_read_whole(services: Services, inbox: Path) -> None:
    drop(inbox, "huge.txt", b"")
    with (inbox / "huge.txt").open("r+b") as file:
        file.truncate(50_000_000)

    ingest.run(services)

    assert "huge.txt" in reasons(services)["huge.txt"]
    assert (services.settings.data / "quarantine/huge.txt").stat().st_size == 50_000_000


def test_a_masthead_without_a_date_is_named(services: Services, inbox: Path) -> None:
    ((_, body),) = sample(16)
    undated = re.sub(r"\d{4}年\d{1,2}月\d{1,2}日 星期.( 农历\S+)?", "", body.decode())
    drop(inbox, "undated.txt", undated.encode())

    ingest.run(services)

    assert "no date in the masthead" in reasons(services)["undated.txt"]


def test_a_date_in_the_file_s_name_stands_in_for_a_lost_one(services: Services) -> None:
    ((_, body),) = sample(16)
    undated = re.sub(r"\d{4}年\d{1,2}月\d{1,2}日 星期.( 农历\S+)?", "", body.decode())

    done = ingest.ingest(services, [("qinglan-2026-11-16.txt", undated.encode())])

    assert done.date == MONDAY
    assert any("name" in w for w in done.warnings)


def test_an_issue_of_an_unknown_newspaper_is_named(services: Services, inbox: Path) -> None:
    ((_, body),) = sample(16)
    other = body.decode().replace("青岚日报", "白水日报").replace("QING LAN RI BAO", "BAI SHUI RI BAO")
    drop(inbox, "other-2026-11-16.txt", other.encode())

    ingest.run(services)

    told = reasons(services)["other-2026-11-16.txt"]
    assert "no known newspaper" in told
    assert "青岚日报" in told


def test_two_files_for_one_page_at_once_are_refused(services: Services, inbox: Path) -> None:
    first, second = sample(18)[:2]
    drop(inbox, "wednesday/p1.txt", first[1])
    drop(inbox, "wednesday/scan-2-p1.txt", first[1].replace("骆文清".encode(), "罗文清".encode()))
    drop(inbox, "wednesday/p2.txt", second[1])

    ingest.run(services)

    assert "scan-2-p1.txt: page 1 is also in p1.txt" in reasons(services)["wednesday"]
    with store.reading(services.db) as db:
        assert issues.newest(db, "qinglan") is None


def test_another_page_s_text_does_not_replace_a_stored_page_unless_told(
    services: Services, inbox: Path
) -> None:
    pages = dict(sample(18))
    ingest.ingest(services, sample(18))
    before = all_entries(services, WEDNESDAY)
    mistaken = pages["qinglan-2026-11-18-p4.txt"].decode().replace("第04版", "第03版").encode()
    drop(inbox, "qinglan-2026-11-18-p3.txt", mistaken)

    ingest.run(services)

    assert "page 3 is already stored" in reasons(services)["qinglan-2026-11-18-p3.txt"]
    assert all_entries(services, WEDNESDAY) == before
    ingest.ingest(services, [("qinglan-2026-11-18-p3.txt", mistaken)], anyway=True)
    assert all_entries(services, WEDNESDAY) != before


def test_a_locked_database_leaves_the_file_in_the_inbox(
    services: Services, inbox: Path, database_url: str
) -> None:
    if not database_url.startswith("sqlite"):
        return  # PostgreSQL's lock is tested in tests/store
    ((name, body),) = sample(16)
    drop(inbox, name, body)
    with sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreError, match="locked"):
            ingest.run(services)

        other.execute("ROLLBACK")
    other.close()
    assert lying_in(inbox) == [name]
    ingest.run(services)
    assert lying_in(inbox) == []
    assert len(all_entries(services, MONDAY)) >= 19


def test_one_bad_file_does_not_stop_the_next(services: Services, inbox: Path) -> None:
    ((name, body),) = sample(16)
    drop(inbox, "a-broken.txt", b"")
    drop(inbox, name, body)

    ingest.run(services)

    assert list(reasons(services)) == ["a-broken.txt"]
    assert len(all_entries(services, MONDAY)) >= 19


def test_one_file_that_cannot_be_moved_does_not_stop_the_next(services: Services, inbox: Path) -> None:
    for day in (16, 17):
        for name, body in sample(day):
            drop(inbox, f"{day}/{name}", body)
    (services.settings.data / "archive/2026/11").mkdir(parents=True)
    (services.settings.data / "archive/2026/11/16").touch()

    ingest.run(services)

    assert {name.split("/")[0] for name in lying_in(inbox)} == {"16"}
    assert all_entries(services, MONDAY)
    assert all_entries(services, TUESDAY)


@pytest.mark.parametrize("slugs", [("qing", "qing-nan"), ("qing-nan", "qing"), ("qingnan", "qing")])
def test_a_page_without_a_masthead_is_of_the_paper_its_name_begins_with(
    services: Services, slugs: tuple[str, str]
) -> None:
    model = services.settings.publications[-1]
    papers = tuple(replace(model, slug=slug, title=f"{slug}日报", names=()) for slug in slugs)
    services = replace(services, settings=replace(services.settings, publications=papers))
    page = dict(sample(18))["qinglan-2026-11-18-p2.txt"].decode().replace("青岚日报", "本报")

    for slug in slugs:
        done = ingest.ingest(services, [(f"{slug}-2026-11-18-p2.txt", page.encode())])

        assert done.publication == slug


def test_the_doctor_names_what_lies_in_quarantine(services: Services, inbox: Path) -> None:
    drop(inbox, "empty.txt", b"")
    assert not examine.run(services).ailing

    ingest.run(services)

    report = examine.run(services)
    assert report.ailing
    assert any(line.startswith("quarantine: empty.txt:") for line in report.lines)


def test_nothing_is_written_when_an_issue_is_refused(services: Services) -> None:
    with pytest.raises(IssueError):
        ingest.ingest(services, [("x.txt", "只有一段没有报头的文字。".encode())])

    with store.reading(services.db) as db:
        assert issues.due_for_publishing(db) == ()


def test_a_mended_proof_replaces_the_issue_and_moves_no_id(services: Services) -> None:
    ingest.ingest(services, sample(16))
    before = all_entries(services, MONDAY)
    proof = written(split(text.read(sample(16)), services.settings.publications))
    wrong = before[0][1] or ""

    untouched = ingest.ingest(services, [("qinglan-2026-11-16.txt", proof.encode())])
    mended = ingest.ingest(
        services, [("qinglan-2026-11-16.txt", proof.replace(f"# {wrong}", "# 由编辑改过的标题").encode())]
    )

    assert untouched.revision.empty
    assert [change.after.article.headline for change in mended.revision.changed] == ["由编辑改过的标题"]
    assert [id_ for id_, _, _ in all_entries(services, MONDAY)] == [id_ for id_, _, _ in before]
