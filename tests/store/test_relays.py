"""The log of events: in print order, each once, and only of what is published."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, select

from syndicate import store
from syndicate.store import relays
from syndicate.store.tables import entries, relay_events
from tests.samples import NOW, PAPER, article, ingest, issue

LATER = NOW + timedelta(hours=1)


def happened(engine: Engine) -> list[tuple[str, int, int, str]]:
    """Kind, page and number of the article, and its section then, in order."""
    query = (
        select(relay_events.c.kind, entries.c.page, entries.c.n, relay_events.c.section)
        .join(entries, entries.c.id == relay_events.c.entry)
        .order_by(relay_events.c.seq)
    )
    with store.reading(engine) as db:
        return [(row.kind, row.page, row.n, row.section) for row in db.execute(query)]


def test_a_new_issue_is_told_in_print_order(engine: Engine) -> None:
    ingest(engine, issue())
    ingest(engine, issue(), now=LATER)

    assert happened(engine) == [
        ("new", 1, 1, "yaowen"),
        ("new", 1, 2, "yaowen"),
        ("new", 2, 1, "zonghe"),
    ]


def test_a_correction_and_a_withdrawal_are_told_after_it(engine: Engine) -> None:
    ingest(engine, issue())
    ingest(engine, issue(article(1, headline="更正后的标题"), article(2)), now=LATER)

    assert happened(engine)[3:] == [("corrected", 1, 1, "yaowen"), ("withdrawn", 2, 1, "zonghe")]


def test_a_moved_article_is_told_as_moved_only(engine: Engine) -> None:
    ingest(engine, issue())
    ingest(
        engine,
        issue(
            article(1, section="zonghe"), article(2), article(3, page=2, page_title="综合", section="zonghe")
        ),
        now=LATER,
    )

    assert happened(engine)[3:] == [("moved", 1, 1, "zonghe")]


def test_the_newest_event_is_the_paper_s_own(engine: Engine) -> None:
    with store.reading(engine) as db:
        assert relays.newest(db, PAPER.slug) == 0
    ingest(engine, issue())

    with store.reading(engine) as db:
        assert relays.newest(db, PAPER.slug) == 3
        assert relays.newest(db, "another") == 0
