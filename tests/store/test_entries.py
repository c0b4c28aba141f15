"""The ledger: entries by issue, by address, newest first, by section, name and series."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

from syndicate import store
from syndicate.model import Byline, Kind, address_part
from syndicate.store import entries
from tests.samples import DAY, MINUTE, NOW, PAPER, article, ingest, issue, photo

SLUG = PAPER.slug


def test_an_entry_comes_back_as_it_was_given(engine: Engine) -> None:
    given = [new.entry for new in ingest(engine, issue()).new]

    with store.reading(engine) as db:
        assert list(entries.of_issue(db, SLUG, DAY)) == given
        assert [entries.find(db, SLUG, DAY, e.page, e.n) for e in given] == given
        assert entries.find(db, SLUG, DAY, 1, 99) is None
    assert all(e.article.spans == {} for e in given)


def test_a_withdrawn_entry_stays_as_a_tombstone(engine: Engine) -> None:
    ingest(engine, issue(article(1), article(2)))

    ingest(engine, issue(article(2)), now=NOW + MINUTE)

    with store.reading(engine) as db:
        gone = entries.find(db, SLUG, DAY, 1, 1)
        assert [e.n for e in entries.of_issue(db, SLUG, DAY)] == [2]
        assert [e.n for e in entries.of_issue(db, SLUG, DAY, withdrawn=True)] == [1, 2]
        assert [e.n for e in entries.latest(db, SLUG, limit=9)] == [2]
        assert entries.count(db, SLUG) == 1
    assert gone is not None
    assert gone.withdrawn == NOW + MINUTE


def test_what_comes_back_has_its_id_and_no_tombstone(engine: Engine) -> None:
    given = [new.entry for new in ingest(engine, issue(article(1), article(2))).new]
    ingest(engine, issue(article(2)), now=NOW + MINUTE)

    ingest(engine, issue(article(1), article(2)), now=NOW + 2 * MINUTE)

    with store.reading(engine) as db:
        assert list(entries.of_issue(db, SLUG, DAY)) == given


def test_newest_first_is_page_order_within_an_issue(engine: Engine) -> None:
    for days in (0, 1):
        pages = (article(1), photo(2), article(3, page=2))
        ingest(engine, issue(*pages, day=DAY + timedelta(days=days)), now=NOW + timedelta(days=days))

    with store.reading(engine) as db:
        found = entries.latest(db, SLUG, limit=5)
        rest = entries.latest(db, SLUG, limit=5, offset=5)

    assert [(e.date.day, e.page, e.n) for e in (*found, *rest)] == [
        *((17, page, n) for page, n in ((1, 1), (1, 2), (2, 1))),
        *((16, page, n) for page, n in ((1, 1), (1, 2), (2, 1))),
    ]
    assert len({e.published for e in (*found, *rest)}) == 6


def test_only_articles_and_photos_are_published(engine: Engine) -> None:
    kinds = [Kind.ARTICLE, Kind.PHOTO, Kind.NOTICE, Kind.ADVERTISEMENT, Kind.INDEX]
    by = Byline(reporters=("金露茜",), raw="记者 金露茜")

    ingest(engine, issue(*(article(n, kind=kind, byline=by) for n, kind in enumerate(kinds, 1))))

    with store.reading(engine) as db:
        assert [e.article.kind for e in entries.latest(db, SLUG, limit=9)] == kinds[:2]
        assert [e.article.kind for e in entries.of_issue(db, SLUG, DAY)] == kinds
        assert entries.count(db, SLUG, byline="金露茜") == 2


def test_since_gives_all_of_that_time_and_at_least_the_limit(engine: Engine) -> None:
    for day in range(4):
        ingest(
            engine,
            issue(article(1), article(2), day=DAY + timedelta(days=day)),
            now=NOW + timedelta(days=day),
        )
    third = NOW + timedelta(days=2, hours=-12)

    with store.reading(engine) as db:
        assert len(entries.latest(db, SLUG, limit=1, since=third)) == 4
        assert len(entries.latest(db, SLUG, limit=7, since=third)) == 7
        assert len(entries.latest(db, SLUG, limit=3)) == 3


def test_entries_are_found_by_section_byline_and_series(engine: Engine) -> None:
    long = "走进" + "乡村" * 30
    by = Byline(reporters=("金露茜", "O'Hara & Söhne"), correspondents=("金露茜",))
    pages = (
        article(1, byline=by),
        article(2, series=long, section="zonghe"),
        photo(3, section="zonghe"),
    )
    ingest(engine, issue(*pages))

    with store.reading(engine) as db:
        assert [e.n for e in entries.latest(db, SLUG, limit=9, section="zonghe")] == [2, 3]
        assert [e.n for e in entries.latest(db, SLUG, limit=9, byline="金露茜")] == [1]
        assert [e.n for e in entries.latest(db, SLUG, limit=9, series=address_part(long))] == [2]
        assert entries.latest(db, SLUG, limit=9, byline=address_part(long)) == ()
        assert entries.count(db, SLUG, section="zonghe") == 2
        names = entries.bylines(db, SLUG)
        assert entries.series(db, SLUG) == ((address_part(long), long),)
        assert entries.bylines(db, "another") == ()
    assert dict(names) == {address_part(name): name for name in ("金露茜", "O'Hara & Söhne", "江照")}


def test_a_corrected_name_leaves_no_trace_of_the_wrong_one(engine: Engine) -> None:
    ingest(engine, issue(article(1, byline=Byline(reporters=("金露西",)), series="换界")))

    ingest(engine, issue(article(1, byline=Byline(reporters=("金露茜",)), series="换届")), now=NOW + MINUTE)

    with store.reading(engine) as db:
        assert entries.bylines(db, SLUG) == (("金露茜", "金露茜"),)
        assert entries.series(db, SLUG) == (("换届", "换届"),)
        assert entries.latest(db, SLUG, limit=9, byline="金露西") == ()


def test_the_names_of_a_withdrawn_article_are_withdrawn(engine: Engine) -> None:
    ingest(engine, issue(article(1, byline=Byline(reporters=("金露茜",)), series="换届"), article(2)))

    ingest(engine, issue(article(2)), now=NOW + MINUTE)

    with store.reading(engine) as db:
        assert entries.bylines(db, SLUG) == entries.series(db, SLUG) == ()


def test_characters_no_database_likes_do_no_harm(engine: Engine) -> None:
    hostile = "a\0b\ud800'; DROP TABLE entries; --\f\u202e"

    given = [
        new.entry
        for new in ingest(
            engine,
            issue(
                article(1, headline=hostile, byline=Byline((hostile,)), series=hostile, page_title=hostile)
            ),
        ).new
    ]

    again = ingest(
        engine,
        issue(article(1, headline=hostile, byline=Byline((hostile,)), series=hostile, page_title=hostile)),
    )
    with store.reading(engine) as db:
        assert list(entries.of_issue(db, SLUG, DAY)) == given
        assert len(entries.bylines(db, SLUG)) == 1
    assert again.empty


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({}, "ix_entries_publication_published"),
        ({"section": "yaowen"}, "ix_entries_publication_section_published"),
        ({"byline": "金露茜"}, "ix_names_publication_kind_part"),
    ],
    ids=["all", "section", "byline"],
)
def test_feeds_are_read_by_an_index(engine: Engine, wanted: dict[str, str], index: str) -> None:
    said: list[tuple[str, tuple[object, ...]]] = []
    event.listen(engine, "before_cursor_execute", lambda *args: said.append((args[2], args[3])))

    with store.reading(engine) as db:
        entries.latest(db, SLUG, limit=5, **wanted)  # type: ignore[arg-type]  # all are names
        query, values = said[-1]
        steps = [step[3] for step in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)]

    assert any(index in step for step in steps)
    assert not any(step.startswith("SCAN") for step in steps)
    if "byline" in wanted:
        assert not any("ix_entries_publication_published" in step for step in steps)


def test_the_parts_of_a_series_stand_under_one_name(engine: Engine) -> None:
    ingest(engine, issue(article(1, series="我在村里有份新工作 ①"), article(2, series="我在村里有份新工作②")))
    ingest(engine, issue(article(3, series="我在村里有份新工作（三）"), day=DAY + timedelta(days=1)))

    with store.reading(engine) as db:
        ((part, name),) = entries.series(db, SLUG)
        found = entries.latest(db, SLUG, limit=9, series=part)

    assert name == "我在村里有份新工作"
    assert len(found) == 3
