"""The log of events: in print order, each once, and only of what is published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib import import_module
from itertools import count

from alembic.migration import MigrationContext
from alembic.operations import Operations
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import Engine, select

from syndicate import store
from syndicate.model import Article, Byline, PushKind
from syndicate.store import entries as ledger
from syndicate.store import relays
from syndicate.store.tables import entries, relay_events, relay_names
from tests.samples import DAY, NOW, PAPER, article, ingest, issue

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


@dataclass
class Listener:
    """A bot's group: which articles it has, each in which version."""

    feed: str
    cursor: relays.Cursor = field(default_factory=lambda: relays.Cursor(0))
    has: dict[str, object] = field(default_factory=dict)

    def poll(self, engine: Engine, limit: int) -> bool:
        """One answer; every message of it says something that the group did not know. True when there is no more."""
        with store.reading(engine) as db:
            found, self.cursor = relays.happened(db, PAPER.slug, self.feed, self.cursor, limit)
            last = relays.newest(db, PAPER.slug)
        for one in found:
            match one.kind:
                case PushKind.NEW:
                    assert one.entry.id not in self.has
                    self.has[one.entry.id] = one.entry.updated
                case PushKind.CORRECTED:
                    assert self.has[one.entry.id] != one.entry.updated
                    self.has[one.entry.id] = one.entry.updated
                case _:
                    del self.has[one.entry.id]
        return self.cursor.at >= last


FEEDS = ("all", "section-yaowen", "section-zonghe", "page-1")
STEPS = some.lists(
    some.tuples(some.sampled_from(["mend", "toggle", "move"]), some.integers(0, 3))
    | some.tuples(some.sampled_from(FEEDS), some.integers(1, 3)),
    max_size=14,
)
DAYS = count()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_between_two_answers_each_group_knows_what_the_paper_says(
    engine: Engine, steps: list[tuple[str, int]]
) -> None:
    """And is told nothing that it knew: see Listener. An article that moves stays known where it stood."""
    day, now = DAY + timedelta(days=next(DAYS)), NOW
    with store.reading(engine) as db:
        begin = relays.Cursor(relays.newest(db, PAPER.slug))
    listeners = {feed: Listener(feed, begin) for feed in FEEDS}
    shown, said, moved = [True] * 4, [0] * 4, [False] * 4
    for what, n in [("toggle", 3), *steps]:
        now += timedelta(minutes=1)
        if what in FEEDS:
            listeners[what].poll(engine, n)
            continue
        shown[n] ^= what == "toggle" and n > 0
        said[n] += what == "mend"
        moved[n] ^= what == "move"
        ingest(engine, issue(*_printed(shown, said, moved), day=day), now=now)

    for listener in listeners.values():
        while not listener.poll(engine, 2):
            pass
    with store.reading(engine) as db:
        live = ledger.of_issue(db, PAPER.slug, day)
    assert listeners["all"].has == {e.id: e.updated for e in live}
    assert listeners["page-1"].has == {e.id: e.updated for e in live}
    for section in ("yaowen", "zonghe"):
        here = {e.id: e.updated for e in live if e.section == section}
        has = listeners[f"section-{section}"].has
        assert here.items() <= has.items() <= {e.id: e.updated for e in live}.items()


def _printed(shown: list[bool], said: list[int], moved: list[bool]) -> Iterator[Article]:
    for n in range(4):
        if shown[n]:
            section = "zonghe" if moved[n] else "yaowen"
            yield article(n + 1, headline=f"第{n}条，第{said[n]}稿", section=section)


def test_what_was_printed_before_names_were_noted_stands_under_them_from_its_first_event(
    engine: Engine,
) -> None:
    written = replace(article(1), byline=Byline(reporters=("何晓楠", "郑文海")), series="乡村手记②")
    ingest(engine, issue(written, article(2)))
    ingest(engine, issue(replace(written, headline="更正后的标题"), article(2)), now=LATER)
    noted = relay_names_of(engine)

    with store.writing(engine) as db:
        for table in ("relay_names", "account_pictures"):
            db.exec_driver_sql(f"DROP TABLE {table}")
        with Operations.context(MigrationContext.configure(db)):
            import_module("syndicate.store.migrations.versions.0009_relay_names").upgrade()

    assert noted == [("byline-何晓楠", 1), ("byline-郑文海", 1), ("series-乡村手记", 1)]
    assert relay_names_of(engine) == noted


def relay_names_of(engine: Engine) -> list[tuple[str, int]]:
    """The feeds of names that were noted, and since which event."""
    with store.reading(engine) as db:
        return sorted((row.feed, row.seq) for row in db.execute(select(relay_names)))
