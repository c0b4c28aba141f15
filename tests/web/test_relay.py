"""Bots get each message once, in print order, short enough; and what they may not, they are told in one line."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import jsonschema
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as some
from limits import RateLimitItemPerMinute

from syndicate.model import Byline, Issue
from syndicate.render.budget import Unit, size
from syndicate.services import Services
from syndicate.settings import CHECKOUT
from syndicate.store.relays import Cursor
from syndicate.web import create_app, cursors, relay, waiting
from tests.samples import DAY, NOW, PAPER, article, ingest, issue

LATER = NOW + timedelta(hours=1)
FEED = "/qinglan/relay/all.json"


@pytest.fixture(autouse=True)
def awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits is told at once."""
    monkeypatch.setattr(waiting, "LOOK", 0.01)


def poll(client: FlaskClient, path: str = FEED, **asked: object) -> dict[str, Any]:
    answer = client.get(path, query_string={key: str(value) for key, value in asked.items()})
    assert answer.status_code == 200, answer.text
    said = json.loads(answer.data)
    jsonschema.validate(said, SCHEMA)
    return dict(said)


def told(said: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["kind"], one["url"].rsplit("/qinglan/")[1]) for one in said["messages"]]


DESCRIPTION = json.loads((CHECKOUT / "templates/web/relay.openapi.json").read_text())
SCHEMA = {"$ref": "#/components/schemas/Answer", "components": DESCRIPTION["components"]}
NEW = [("new", f"{DAY}/1/1"), ("new", f"{DAY}/1/2"), ("new", f"{DAY}/2/1")]


def test_a_bot_gets_the_newest_issue_in_print_order_and_then_nothing(
    client: FlaskClient, services: Services
) -> None:
    ingest(services.db, issue(day=DAY - timedelta(days=1)))
    ingest(services.db, issue())

    first = poll(client)
    second = poll(client, after=first["cursor"])

    assert told(first) == NEW
    assert not first["more"]
    assert told(second) == []
    assert second["cursor"] == first["cursor"]


def test_a_bot_that_wants_only_a_cursor_gets_what_comes_after(
    client: FlaskClient, services: Services
) -> None:
    ingest(services.db, issue())
    begun = poll(client, after="now")
    assert told(begun) == []

    ingest(services.db, issue(day=DAY + timedelta(days=1)))

    assert len(told(poll(client, after=begun["cursor"]))) == 3


def test_page_by_page_nothing_comes_twice_and_nothing_is_left_out(
    client: FlaskClient, services: Services
) -> None:
    ingest(services.db, issue())
    came, asked = [], poll(client, limit=1)
    while True:
        came += told(asked)
        if not asked["more"]:
            break
        asked = poll(client, limit=1, after=asked["cursor"])

    assert came == NEW


def test_the_same_cursor_gives_the_same_messages(client: FlaskClient, services: Services) -> None:
    ingest(services.db, issue())
    cursor = poll(client, limit=1)["cursor"]

    assert poll(client, after=cursor) == poll(client, after=cursor)


def test_a_correction_and_a_withdrawal_are_messages_of_their_own(
    client: FlaskClient, services: Services
) -> None:
    ingest(services.db, issue())
    cursor = poll(client)["cursor"]
    ingest(services.db, issue(article(1, headline="更正后的标题"), article(2)), now=LATER)

    said = poll(client, after=cursor)

    assert told(said) == [("corrected", f"{DAY}/1/1"), ("withdrawn", f"{DAY}/2/1")]
    assert "更正后的标题" in said["messages"][0]["text"]
    assert "更正" in said["messages"][0]["text"].split("\n")[0]
    assert "news" not in said["messages"][1]
    assert told(poll(client, after=said["cursor"])) == []


def test_who_was_away_gets_the_corrected_text_once_and_nothing_of_the_withdrawn(
    client: FlaskClient, services: Services
) -> None:
    cursor = poll(client, after="now")["cursor"]
    ingest(services.db, issue())
    ingest(services.db, issue(article(1, headline="更正后的标题"), article(2)), now=LATER)

    said = poll(client, after=cursor, limit=1)
    rest = poll(client, after=said["cursor"])

    assert told(said) == NEW[:1]
    assert "更正后的标题" in said["messages"][0]["text"]
    assert told(rest) == NEW[1:2]
    assert told(poll(client, after=rest["cursor"])) == []


def test_a_moved_article_is_new_to_its_section_and_nothing_to_others(
    client: FlaskClient, services: Services
) -> None:
    ingest(services.db, issue())
    cursors = {
        feed: poll(client, f"/qinglan/relay/{feed}.json")["cursor"]
        for feed in ("all", "section-yaowen", "section-zonghe")
    }
    moved = article(2, section="zonghe")
    third = article(3, page=2, page_title="综合", section="zonghe")
    ingest(services.db, issue(article(1), moved, third), now=LATER)

    came = {
        feed: told(poll(client, f"/qinglan/relay/{feed}.json", after=cursor))
        for feed, cursor in cursors.items()
    }

    assert came == {"all": [], "section-yaowen": [], "section-zonghe": [("new", f"{DAY}/1/2")]}


def test_a_bot_that_was_away_for_a_month_catches_up(client: FlaskClient, services: Services) -> None:
    cursor = poll(client, after="now")["cursor"]
    days = [date(2026, 10, 1) + timedelta(days=n) for n in range(30)]
    for day in days:
        ingest(services.db, issue(day=day, number=None), now=NOW)
    came: list[tuple[str, str]] = []
    more = True
    while more:
        said = poll(client, after=cursor, limit=7)
        came, cursor, more = came + told(said), said["cursor"], said["more"]

    assert came == [("new", f"{day}/{place}") for day in days for place in ("1/1", "1/2", "2/1")]


def test_what_is_taken_back_between_two_answers_is_not_mentioned(
    client: FlaskClient, services: Services
) -> None:
    ingest(services.db, issue())
    first = poll(client, limit=1)
    ingest(services.db, issue(article(1), article(2, headline="更正后的标题")), now=LATER)
    second = poll(client, after=first["cursor"], limit=1)
    third = poll(client, after=second["cursor"], limit=1)

    assert told(second) == NEW[1:2]
    assert "更正后的标题" in second["messages"][0]["text"]
    assert (told(third), third["more"]) == ([], False)


def test_what_was_taken_back_and_is_there_again_is_new_again(client: FlaskClient, services: Services) -> None:
    ingest(services.db, issue())
    cursor = poll(client)["cursor"]
    ingest(services.db, issue(article(1), article(2)), now=LATER)
    taken_back = poll(client, after=cursor)
    ingest(services.db, issue(), now=LATER + timedelta(hours=1))
    again = poll(client, after=taken_back["cursor"])

    assert (told(taken_back), told(again)) == ([("withdrawn", f"{DAY}/2/1")], NEW[2:])
    assert again["messages"][0]["id"] != again["messages"][0]["entry"]
    assert told(poll(client, after=cursor)) == []  # who slept through it has it still


def test_a_section_hears_of_what_moved_away_and_was_taken_back(
    client: FlaskClient, services: Services
) -> None:
    yaowen = "/qinglan/relay/section-yaowen.json"
    ingest(services.db, issue())
    cursor = poll(client, yaowen)["cursor"]
    third = article(3, page=2, page_title="综合", section="zonghe")
    ingest(services.db, issue(article(1), article(2, section="zonghe"), third), now=LATER)
    ingest(services.db, issue(article(1), third), now=LATER)

    assert told(poll(client, yaowen, after=cursor)) == [("withdrawn", f"{DAY}/1/2")]


def test_messages_keep_to_wechat_s_limits(client: FlaskClient, services: Services) -> None:
    endless = article(1, headline="很长的标题，" * 60, paragraphs=("很长的一段，没有句号，" * 400,) * 40)
    ingest(services.db, issue(endless, article(2, headline="👍🏽" * 80, paragraphs=())))

    for one in poll(client)["messages"]:
        assert size(one["text"], Unit.BYTES) <= 2048
        assert size(one["markdown"], Unit.BYTES) <= 4096
        (card,) = one["news"]
        assert size(card["title"], Unit.BYTES) <= 128
        assert size(card["description"], Unit.BYTES) <= 512
        draft = one["draft"]
        assert size(draft["title"], Unit.UTF16) <= 32
        assert size(draft["digest"], Unit.UTF16) <= 128
        assert size(draft["content"], Unit.UTF16) < 20_000
        assert size(draft["content"], Unit.BYTES) < 1_000_000


@pytest.mark.parametrize(
    "asked",
    [
        {"after": "nonsense"},
        {"after": "!"},
        {"after": "MS4xLjIuMw"},
        {"after": "青"},
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "x"},
        {"wait": "31"},
        {"wait": "-1"},
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(client: FlaskClient, asked: dict[str, str]) -> None:
    answer = client.get(FEED, query_string=asked)

    assert answer.status_code == 400
    assert set(json.loads(answer.data)) == {"error"}


@pytest.mark.parametrize(
    "path",
    [
        "nobody/relay/all",
        *(
            f"qinglan/relay/{feed}"
            for feed in (
                "nothing", "page-x", "page-0", "section-nix", "issues", "section-", "all-", "byline-何小楠",
                "series-nix", "toutiao",
            )
        ),
        "qinglan/relay/a b",
    ],
)  # fmt: skip
def test_an_unknown_paper_or_feed_is_not_found(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/{path}.json")

    assert answer.status_code == 404
    assert answer.mimetype == "application/json"
    assert set(json.loads(answer.data)) == {"error"}


def test_only_reading_is_allowed_and_that_is_said_in_json(client: FlaskClient) -> None:
    answer = client.post(FEED)

    assert (answer.status_code, answer.mimetype) == (405, "application/json")
    assert "GET" in answer.headers["Allow"]


def test_a_database_that_is_away_is_said_in_json(client: FlaskClient, services: Services) -> None:
    database = services.settings.data / "syndicate.sqlite"
    services.db.dispose()
    database.rename(database.with_suffix(".away"))
    database.mkdir()

    answer = client.get(FEED)

    assert (answer.status_code, answer.mimetype) == (503, "application/json")
    assert answer.headers["Retry-After"]


def named(*names: str, series: str | None = None) -> Issue:
    return issue(replace(article(1), byline=Byline(reporters=names), series=series), article(2))


@pytest.mark.parametrize("feed", ["byline-何晓楠", "series-乡村手记"])
def test_a_name_s_bots_hear_of_the_correction_that_takes_the_name_away(
    client: FlaskClient, services: Services, feed: str
) -> None:
    path = f"/qinglan/relay/{feed}.json"
    ingest(services.db, named("何晓楠", series="乡村手记"))
    first = poll(client, path)
    ingest(services.db, named("郑文海"), now=LATER)
    corrected = poll(client, path, after=first["cursor"])
    ingest(services.db, issue(article(2)), now=LATER + timedelta(hours=1))
    withdrawn = poll(client, path, after=corrected["cursor"])

    assert told(first) == [("new", f"{DAY}/1/1")]
    assert told(corrected) == [("corrected", f"{DAY}/1/1")]
    assert told(withdrawn) == [("withdrawn", f"{DAY}/1/1")]


def test_an_article_is_new_to_who_gets_its_byline_later(client: FlaskClient, services: Services) -> None:
    path = "/qinglan/relay/byline-郑文海.json"
    ingest(services.db, issue(replace(article(2), byline=Byline(reporters=("郑文海",)))))
    cursor = poll(client, path)["cursor"]
    both = replace(article(1), byline=Byline(reporters=("郑文海",)))
    ingest(services.db, issue(both, replace(article(2), byline=Byline(reporters=("郑文海",)))), now=LATER)

    assert told(poll(client, path, after=cursor)) == [("new", f"{DAY}/1/2")]


def test_a_renamed_section_is_found_under_its_new_name(client: FlaskClient) -> None:
    answer = client.get("/qinglan/relay/section-toutiao.json?after=now&limit=3")

    assert answer.status_code == 301
    assert answer.headers["Location"] == "/qinglan/relay/section-yaowen.json?after=now&limit=3"


def test_a_cursor_of_a_newer_database_is_refused(client: FlaskClient, services: Services) -> None:
    ingest(services.db, issue())

    assert client.get(FEED, query_string={"after": cursors.written(Cursor(99), "qinglan")}).status_code == 400


STEPS = some.lists(some.tuples(some.integers(1, 10**6), some.integers(1, 10**6)), max_size=40)


@given(some.integers(0, 10**9), STEPS)
def test_a_cursor_is_read_as_it_was_written(seen: int, steps: list[tuple[int, int]]) -> None:
    cursor, newest = Cursor(seen), seen
    for on, more in steps:
        newest = max(newest, cursor.at + on + more)
        cursor = cursor.come(cursor.at + on, newest)

    written = cursors.written(cursor, "qinglan")
    assert cursors.read(written, "qinglan") == cursor
    assert cursors.read(written, "another") is None


@given(some.text())
def test_no_text_breaks_the_reading_of_cursors(text: str) -> None:
    read = cursors.read(text, "qinglan")

    assert read is None or isinstance(read, Cursor)


@given(some.integers(0, 10**9), some.data())
def test_half_of_a_cursor_is_none(seen: int, data: some.DataObject) -> None:
    written = cursors.written(Cursor(seen).come(seen + 7, seen + 900), "qinglan")
    half = written[: data.draw(some.integers(0, len(written) - 1))]
    place = data.draw(some.integers(0, len(written) - 1))
    other = data.draw(some.sampled_from("AZaz09-_").filter(lambda mark: mark != written[place]))

    assert cursors.read(half, "qinglan") is None
    assert cursors.read(written[:place] + other + written[place + 1 :], "qinglan") is None


def test_cursors_of_the_first_kind_are_still_good() -> None:
    assert cursors.read("MS4xMi4yMC4zMA", "qinglan") == Cursor(12, ((20, 30),))


def test_a_poll_with_nothing_new_is_answered_by_its_etag_until_something_happens(
    client: FlaskClient, services: Services
) -> None:
    ingest(services.db, issue())
    path = f"{FEED}?after={poll(client)['cursor']}"
    first = client.get(path)

    again = [client.get(path, headers={"If-None-Match": first.headers["ETag"]}) for _ in range(3)]
    whole = client.get(path)
    ingest(services.db, issue(day=DAY + timedelta(days=1)))
    time.sleep(0.3)
    new = client.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert {answer.status_code for answer in again} == {304}
    assert whole.data == first.data
    assert new.status_code == 200
    assert len(json.loads(new.data)["messages"]) == 3


def test_a_long_poll_answers_when_something_comes(client: FlaskClient, services: Services) -> None:
    cursor = poll(client, after="now")["cursor"]
    threading.Timer(0.2, ingest, (services.db, issue())).start()

    begun = time.monotonic()
    said = poll(client, after=cursor, wait=20)

    assert told(said) == NEW
    assert time.monotonic() - begun < 15  # it did not wait until the end


def test_a_long_poll_with_nothing_new_ends_with_its_time(client: FlaskClient) -> None:
    assert told(poll(client, after=poll(client, after="now")["cursor"], wait=1)) == []


def test_who_asks_too_often_is_told_when_to_come_again(client: FlaskClient, services: Services) -> None:
    ingest(services.db, issue())
    answers = [client.get(FEED) for _ in range(relay.A_MINUTE + 1)]

    assert [a.status_code for a in answers] == [200] * relay.A_MINUTE + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61


@pytest.mark.parametrize("asked", ["", "&wait=0", "&limit=5&wait=0", "&other=1"])
def test_polls_with_nothing_new_count_for_no_limit(
    client: FlaskClient, services: Services, asked: str
) -> None:
    ingest(services.db, issue())
    path = f"{FEED}?after={poll(client)['cursor']}{asked}"
    tag = client.get(path).headers["ETag"]

    codes = {client.get(path, headers={"If-None-Match": tag}).status_code for _ in range(2 * relay.A_MINUTE)}

    assert codes == {304}


@pytest.mark.parametrize(
    ("proxies", "forwarded", "codes"),
    [
        (0, "198.51.100.{n}", [200, 429]),  # said by a stranger, from wherever
        (1, "198.51.100.{n}", [200, 200]),
        (1, "203.0.113.{n}, 198.51.100.1", [200, 429]),
        (1, "2001:db8:1:2::{n}", [200, 429]),
    ],
)
def test_rates_are_counted_by_address_as_one_s_own_proxies_tell_it(
    services: Services, monkeypatch: pytest.MonkeyPatch, proxies: int, forwarded: str, codes: list[int]
) -> None:
    monkeypatch.setattr(relay, "_RATE", RateLimitItemPerMinute(1))
    settings = replace(services.settings, trusted_proxies=proxies)
    visitor = create_app(replace(services, settings=settings)).test_client()
    ingest(services.db, issue())

    came = [visitor.get(FEED, headers={"X-Forwarded-For": forwarded.format(n=n)}) for n in (1, 2)]

    assert [answer.status_code for answer in came] == codes


def test_a_paper_that_wants_tokens_answers_only_its_bots(services: Services) -> None:
    ingest(services.db, issue())
    paper = replace(PAPER, relay_tokens=(("group", hashlib.sha256(b"t0ken").hexdigest()),))
    papers = tuple(paper if known.slug == paper.slug else known for known in services.settings.publications)
    visitor = create_app(
        replace(services, settings=replace(services.settings, publications=papers))
    ).test_client()

    def asked(*authorization: str) -> int:
        headers = {"Authorization": authorization[0]} if authorization else {}
        return visitor.get(FEED, headers=headers).status_code

    assert asked("Bearer t0ken") == 200
    assert [asked(), asked("Bearer t0kem"), asked("Basic t0ken"), asked("Bearer ")] == [401] * 4


def test_the_description_says_what_is_answered(client: FlaskClient) -> None:
    said = json.loads(client.get("/relay/openapi.json").data)

    assert said["openapi"].startswith("3.1")
    assert said["servers"] == [{"url": "https://paper.example"}]
    assert set(said["paths"]["/{paper}/relay/{feed}.json"]["get"]["responses"]) == {
        "200", "301", "304", "400", "401", "404", "429", "503",
    }  # fmt: skip
    jsonschema.Draft202012Validator.check_schema(said["components"]["schemas"]["Answer"])
    parameters = said["paths"]["/{paper}/relay/{feed}.json"]["get"]["parameters"]
    bounds = {one["name"]: one["schema"].get("maximum") for one in parameters}
    assert (bounds["limit"], bounds["wait"]) == (relay.MOST, relay.LONGEST)
