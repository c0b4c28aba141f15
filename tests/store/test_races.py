"""Several processes at once: each thread here has a connection of its own, as a process would."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from sqlalchemy import Engine, text

from syndicate import store
from syndicate.model import DeliveryState
from syndicate.store import deliveries, entries, issues, subscriptions
from tests.conftest import opened
from tests.samples import DAY, NOW, PAPER, article, ingest, issue, subscribe
from tests.store.test_deliveries import plan

T = TypeVar("T")
RACERS = 4


def race(url: str, run: Callable[[Engine], T]) -> list[T]:
    """What each of several racers got that started at the same moment."""
    start = threading.Barrier(RACERS)

    def racer(_: int) -> T:
        with opened(url) as engine:
            start.wait(timeout=10)
            return run(engine)

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(racer, range(RACERS)))


@pytest.fixture
def readers(engine: Engine) -> None:
    for n in range(5):
        subscribe(engine, f"{n}@example.org")


def test_a_digest_is_planned_by_one(database_url: str, engine: Engine, readers: None) -> None:
    def planned(engine: Engine) -> bool:
        with store.writing(engine) as db:
            return plan(db) is not None

    won = race(database_url, planned)

    assert sorted(won) == [False] * (RACERS - 1) + [True]
    with store.reading(engine) as db:
        assert deliveries.counts(db)[DeliveryState.DUE] == 5


def test_a_delivery_is_claimed_by_one(database_url: str, engine: Engine, readers: None) -> None:
    with store.writing(engine) as db:
        plan(db)

    def take_all(engine: Engine) -> list[int]:
        mark = secrets.token_hex(4)
        taken: list[int] = []
        while True:
            with store.writing(engine) as db:
                came = deliveries.claim(db, mark, NOW, 1)
            if not came:
                return taken
            taken += [one.id for one in came]

    taken = race(database_url, take_all)

    assert sorted(number for numbers in taken for number in numbers) == [1, 2, 3, 4, 5]


def test_a_confirmation_is_asked_for_by_one(database_url: str, engine: Engine) -> None:
    wish = subscribe(engine, confirmed=False)

    def claim(engine: Engine) -> bool:
        with store.writing(engine) as db:
            return subscriptions.claim_asking(db, wish.id, NOW) is not None

    assert sum(race(database_url, claim)) == 1


def test_one_address_that_asks_twice_at_once_is_one_subscription(database_url: str, engine: Engine) -> None:
    found = race(database_url, lambda engine: subscribe(engine, "li@example.org", confirmed=False))

    assert len({wish.id for wish in found}) == 1


def test_the_same_issue_read_twice_at_once_is_stored_once(database_url: str, engine: Engine) -> None:
    revisions = race(database_url, lambda engine: ingest(engine, issue()))

    assert sorted(len(r.new) for r in revisions) == [0] * (RACERS - 1) + [3]
    with store.reading(engine) as db:
        assert len(entries.of_issue(db, PAPER.slug, DAY, withdrawn=True)) == 3
        assert [counter for _, counter in issues.due_for_publishing(db)] == [1]


def test_a_reader_sees_one_moment_while_others_write(database_url: str, engine: Engine) -> None:
    ingest(engine, issue())

    with store.reading(engine) as db:
        before = entries.of_issue(db, PAPER.slug, DAY)
        with opened(database_url) as other:
            ingest(other, issue(article(4)))
        after = entries.of_issue(db, PAPER.slug, DAY)

    assert before == after
    with store.reading(engine) as db:
        assert entries.of_issue(db, PAPER.slug, DAY) != before


def test_several_processes_may_start_on_an_empty_database(bare_url: str) -> None:
    race(bare_url, store.migrate)

    with opened(bare_url) as engine, store.reading(engine) as db:
        assert db.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
