"""Issues in the store: written once, found again, counted when they change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from syndicate import store
from syndicate.errors import IssueError
from syndicate.model import Source
from syndicate.revise import revise
from syndicate.store import entries, issues
from tests.samples import DAY, MINUTE, NOW, PAPER, article, ingest, issue, sources

SLUG = PAPER.slug


def rows_written(engine: Engine) -> object:
    """A number that moves with every row written: SQLite's own count, PostgreSQL's transaction ids."""
    with store.reading(engine) as db:
        if engine.dialect.name == "sqlite":
            return db.connection.dbapi_connection.total_changes  # type: ignore[union-attr]
        tables = ("issues", "pages", "entries", "names", "publications")
        return [
            db.execute(text(f"SELECT xmin::text, ctid::text FROM {table} ORDER BY 1, 2")).all()
            for table in tables
        ]


def test_an_issue_is_found_as_it_was_stored(engine: Engine) -> None:
    paper = issue(warnings=("the weekday does not fit",))

    ingest(engine, paper)

    with store.reading(engine) as db:
        found = issues.find(db, SLUG, DAY)
    assert found is not None
    assert (found.date, found.number, found.weekday) == (DAY, 4711, "星期一")
    assert found.pages == ((1, "要闻"), (2, "综合"))
    assert found.warnings == ("the weekday does not fit",)
    assert found.added == found.updated == NOW


def test_a_second_ingest_writes_nothing(engine: Engine) -> None:
    ingest(engine, issue())
    before = rows_written(engine)

    revision = ingest(engine, issue(), now=NOW + MINUTE)

    assert revision.empty
    assert rows_written(engine) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_second_ingest_leaves_every_byte_of_the_file(engine: Engine) -> None:
    ingest(engine, issue())
    file = engine.url.database
    assert file is not None

    def content() -> tuple[bytes, bytes]:
        with open(file, "rb") as main, open(f"{file}-wal", "rb") as log:  # noqa: PTH123
            return main.read(), log.read()

    before = content()
    ingest(engine, issue(), now=NOW + MINUTE)

    assert content() == before


def test_a_corrected_issue_changes_only_the_corrected_entry(engine: Engine) -> None:
    ingest(engine, issue())
    with store.reading(engine) as db:
        before = {e.id: e for e in entries.of_issue(db, SLUG, DAY)}
    first, second, third = issue().articles
    corrected = replace(second, paragraphs=(second.paragraphs[0].replace("三个", "四个"),))

    ingest(engine, issue(first, corrected, third), now=NOW + MINUTE)

    with store.reading(engine) as db:
        after = {e.id: e for e in entries.of_issue(db, SLUG, DAY)}
        found = issues.find(db, SLUG, DAY)
    assert found is not None
    assert (found.added, found.updated) == (NOW, NOW + MINUTE)
    changed = [e for e in after.values() if e != before[e.id]]
    assert [e.article.paragraphs for e in changed] == [corrected.paragraphs]
    assert changed[0].updated == NOW + MINUTE
    assert changed[0].path == before[changed[0].id].path
    assert changed[0].published == before[changed[0].id].published


def test_a_new_warning_is_written_without_touching_an_entry(engine: Engine) -> None:
    ingest(engine, issue())

    revision = ingest(engine, issue(warnings=("number 4711 twice",)), now=NOW + MINUTE)

    with store.reading(engine) as db:
        found = issues.find(db, SLUG, DAY)
    assert revision.empty
    assert found is not None
    assert found.warnings == ("number 4711 twice",)
    assert found.updated == NOW + MINUTE


def test_page_texts_come_back_to_the_character(engine: Engine) -> None:
    odd = "第一版\0\f\r\n\ud800 𠮷 e\u0301\u3000"
    paper = issue(article())

    with store.writing(engine) as db:
        issues.save(db, PAPER, paper, (Source("scan.txt", odd, 1),), revise(PAPER, paper, (), NOW), NOW)

    with store.reading(engine) as db:
        assert issues.page_sources(db, SLUG, DAY) == (Source("p1", odd, 1),)


def test_a_page_that_is_gone_from_the_issue_is_gone_from_the_store(engine: Engine) -> None:
    ingest(engine, issue())

    ingest(engine, issue(*issue().articles[:2]), now=NOW + MINUTE)

    with store.reading(engine) as db:
        assert [s.page for s in issues.page_sources(db, SLUG, DAY)] == [1]
        found = issues.find(db, SLUG, DAY)
    assert found is not None
    assert found.pages == ((1, "要闻"),)


def test_a_page_without_text_and_a_text_without_title_are_kept(engine: Engine) -> None:
    paper = issue()

    with store.writing(engine) as db:
        texts = (*sources(paper)[:1], Source("p9", "广告", 9))
        issues.save(db, PAPER, paper, texts, revise(PAPER, paper, (), NOW), NOW)

    with store.reading(engine) as db:
        found = issues.find(db, SLUG, DAY)
        assert [s.page for s in issues.page_sources(db, SLUG, DAY)] == [1, 9]
    assert found is not None
    assert found.pages == ((1, "要闻"), (2, "综合"), (9, None))


@pytest.mark.parametrize(
    "texts",
    [(Source("x", "a"),), (Source("p1", "a", 1), Source("p1", "b", 1))],
    ids=["no page", "page twice"],
)
def test_texts_must_say_which_page_they_are(engine: Engine, texts: tuple[Source, ...]) -> None:
    paper = issue()

    with pytest.raises(IssueError, match="one text for each page"), store.writing(engine) as db:
        issues.save(db, PAPER, paper, texts, revise(PAPER, paper, (), NOW), NOW)

    with store.reading(engine) as db:
        assert issues.find(db, SLUG, DAY) is None


def test_an_issue_without_a_date_is_refused(engine: Engine) -> None:
    paper = issue()

    with pytest.raises(IssueError, match="without a date"), store.writing(engine) as db:
        issues.save(db, PAPER, issue(day=None), sources(paper), revise(PAPER, paper, (), NOW), NOW)


def test_issues_have_neighbours(engine: Engine) -> None:
    days = [DAY + timedelta(days=n) for n in (0, 1, 4)]
    for day in days:
        ingest(engine, issue(article(day.day), day=day))

    with store.reading(engine) as db:
        assert issues.before(db, SLUG, days[0]) is None
        assert issues.after(db, SLUG, days[2]) is None
        found = [
            issues.before(db, SLUG, days[2]),
            issues.after(db, SLUG, days[1]),
            issues.newest(db, SLUG),
            *issues.latest(db, SLUG, 2),
            *issues.latest(db, SLUG, 2, offset=2),
            *issues.between(db, SLUG, days[0], days[1]),
        ]
        assert issues.newest(db, "another") is None
        assert issues.latest(db, "another", 5) == ()
        assert issues.count(db, SLUG) == 3
    wanted = [days[1], days[2], days[2], days[2], days[1], days[0], days[0], days[1]]
    assert [i and i.date for i in found] == wanted
    assert all(i and i.pages == ((1, "要闻"),) for i in found)


def test_a_paper_is_due_for_publishing_until_its_last_change_is_published(engine: Engine) -> None:
    ingest(engine, issue())
    with store.reading(engine) as db:
        ((_, seen),) = issues.due_for_publishing(db)
    ingest(engine, issue(article(5)), now=NOW + MINUTE)  # while it was being published

    with store.writing(engine) as db:
        issues.mark_published(db, SLUG, seen, "x")
    with store.reading(engine) as db:
        ((slug, counter),) = issues.due_for_publishing(db)
    with store.writing(engine) as db:
        issues.mark_published(db, slug, counter, "x")
        issues.mark_published(db, slug, seen, "x")  # a slow publisher does not turn it back

    with store.reading(engine) as db:
        assert (slug, counter) == (SLUG, seen + 1)
        assert issues.due_for_publishing(db) == ()
    ingest(engine, issue(article(5)), now=NOW + MINUTE)
    with store.reading(engine) as db:
        assert issues.due_for_publishing(db) == ()
