"""Polls that wait: for an event, at most so long; nobody keeps the others from it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from flask.testing import FlaskClient

from syndicate.errors import StoreError
from syndicate.services import Services
from syndicate.web import create_app, waiting
from syndicate.web.waiting import OF_ONE, SEATS, Ended, Waiting
from tests.samples import ingest, issue

FEED = "/qinglan/relay/all.json"


@dataclass
class Paper:
    """A paper whose last event is said here."""

    last: int = 0
    away: bool = False
    looked: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def newest(self, _: str) -> int:
        self.looked += 1
        if self.away:
            raise StoreError("away")
        return self.last


@pytest.fixture(autouse=True)
def awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LOOK", 0.01)


@pytest.fixture
def people() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as people:
        yield people


def seat(people: ThreadPoolExecutor, room: Waiting, bot: str, seconds: float = 20) -> Future[Ended]:
    """Somebody who waits, and has a seat or none by now."""
    before = len(room._polls)
    told = people.submit(room.wait, "qinglan", bot, 0, seconds)
    end = time.monotonic() + 5
    while len(room._polls) == before and not told.done() and before < SEATS and time.monotonic() < end:
        time.sleep(0.001)
        if sum(one.bot == bot for one in room._polls) >= OF_ONE:
            break
    return told


def test_all_who_wait_are_woken_by_one_who_looks(people: ThreadPoolExecutor) -> None:
    paper = Paper()
    room = Waiting(paper.newest, paper.stopping)
    told = [seat(people, room, f"bot {n}") for n in range(SEATS)]

    looked = sum(thread.name == "waiting polls" for thread in threading.enumerate())
    paper.last = 1

    assert looked == 1
    assert {one.result(5) for one in told} == {Ended.HAPPENED}


def test_who_waits_in_vain_is_told_when_the_time_is_over() -> None:
    paper = Paper()

    assert Waiting(paper.newest, paper.stopping).wait("qinglan", "bot", 0, 0.05) is Ended.TIME


def test_a_server_that_ends_lets_all_go(people: ThreadPoolExecutor) -> None:
    paper = Paper()
    told = seat(people, Waiting(paper.newest, paper.stopping), "bot")

    paper.stopping.set()

    assert told.result(5) is Ended.TIME


def test_who_cannot_be_looked_for_is_woken_to_find_out(people: ThreadPoolExecutor) -> None:
    paper = Paper()
    told = seat(people, Waiting(paper.newest, paper.stopping), "bot")

    paper.away = True

    assert told.result(5) is Ended.HAPPENED


def test_who_asks_and_hangs_up_takes_only_his_own_seats(people: ThreadPoolExecutor) -> None:
    paper = Paper()
    room = Waiting(paper.newest, paper.stopping)
    hung_up = [seat(people, room, "rude") for _ in range(10 * OF_ONE)]
    honest = seat(people, room, "honest")

    assert sum(one.bot == "rude" for one in room._polls) <= OF_ONE
    assert not honest.done()
    paper.last = 1
    assert honest.result(5) is Ended.HAPPENED
    assert {one.result(5) for one in hung_up} == {Ended.CROWDED, Ended.HAPPENED}


def test_when_all_seats_are_taken_who_has_the_most_gives_one_up(people: ThreadPoolExecutor) -> None:
    paper = Paper()
    room = Waiting(paper.newest, paper.stopping)
    told = [seat(people, room, f"bot {n // OF_ONE}") for n in range(SEATS)]

    honest = seat(people, room, "honest")

    end = time.monotonic() + 5
    while not any(one.done() for one in told) and time.monotonic() < end:
        time.sleep(0.01)
    assert [one.result() for one in told if one.done()] == [Ended.CROWDED]
    assert not honest.done()
    paper.stopping.set()


def test_where_everybody_has_one_seat_who_comes_late_finds_none(people: ThreadPoolExecutor) -> None:
    paper = Paper()
    room = Waiting(paper.newest, paper.stopping)
    for n in range(SEATS):
        seat(people, room, f"bot {n}")

    assert room.wait("qinglan", "late", 0, 20) is Ended.CROWDED
    paper.stopping.set()


def test_a_third_bot_gets_its_long_poll_while_two_clients_have_hung_up(
    services: Services, people: ThreadPoolExecutor
) -> None:
    app = create_app(services)
    cursor = json.loads(app.test_client().get(f"{FEED}?after=now").data)["cursor"]

    def wait(address: str) -> dict[str, object]:
        visitor: FlaskClient = app.test_client()
        answer = visitor.get(
            f"{FEED}?after={cursor}&wait=20", environ_base={"REMOTE_ADDR": f"198.51.100.{address}"}
        )
        return dict(json.loads(answer.data))

    for n in (1, 2):
        for _ in range(5):
            people.submit(wait, str(n))
    third = people.submit(wait, "3")
    time.sleep(0.3)
    assert not third.done()
    ingest(services.db, issue())

    assert len(third.result(10)["messages"]) == 3  # type: ignore[arg-type]  # a list


def test_who_finds_no_seat_is_answered_at_once(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = json.loads(client.get(f"{FEED}?after=now").data)["cursor"]
    monkeypatch.setattr(waiting, "SEATS", 0)

    answer = client.get(FEED, query_string={"after": cursor, "wait": 30})

    assert answer.headers["Retry-After"] == "10"
    assert json.loads(answer.data)["messages"] == []
