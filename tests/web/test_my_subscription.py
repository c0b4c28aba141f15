"""A subscriber's own page: whoever holds its address may change, pause, move, take along and delete; a GET never does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from syndicate import store
from syndicate.deliver.tokens import Tokens
from syndicate.jobs import mail_confirmations
from syndicate.model import Choice, Rhythm, Subscription, SubscriptionState, Wish
from syndicate.services import Services
from syndicate.store import subscriptions, suppressions
from tests.samples import NOW, subscribe

ADDRESS = "reader@example.org"
NEW = "new@elsewhere.example"


@pytest.fixture
def reader(services: Services) -> Subscription:
    """Somebody who gets the whole paper."""
    return subscribe(services.db, ADDRESS)


def now(services: Services, number: int = 1) -> Subscription:
    with store.reading(services.db) as db:
        found = subscriptions.find(db, number)
    assert found is not None
    return found


def page(services: Services, number: int = 1, lang: str = "") -> str:
    return f"/qinglan/mine/{services.tokens.manage(number)}{lang and f'?lang={lang}'}"


def do(services: Services, client: FlaskClient, what: str, **said: object) -> TestResponse:
    return client.post(page(services), data={"do": what, **said})


def letters(services: Services) -> list[str]:
    """The texts of all mail that has gone out, decoded."""
    from email import message_from_bytes, policy

    found = sorted((services.settings.data / "outbox").rglob("*"))
    messages = [message_from_bytes(f.read_bytes(), policy=policy.default) for f in found if f.is_file()]
    return [f"To: {m['To']}\n{m.get_body(('plain',)).get_content()}" for m in messages]  # type: ignore[union-attr]  # they all have one


def link(text: str, kind: str) -> str:
    found = re.search(rf"https://paper\.example(/qinglan/{kind}/\S+)", text)
    assert found is not None
    return found[1]


def test_all_choices_can_be_changed(printed: Services, front: FlaskClient) -> None:
    subscribe(printed.db, ADDRESS)

    answer = do(
        printed,
        front,
        "change",
        sections="zonghe",
        bylines="何晓楠",
        series="我在村里有份新工作",
        words="水利 灌区，橘农",
        rhythm="weekly",
        weekly_day="2",
        hour="7",
        zone="Europe/Berlin",
        language="en",
    )

    assert answer.status_code == 303
    choice = Choice(("zonghe",), ("何晓楠",), ("我在村里有份新工作",), ("水利 灌区", "橘农"))
    assert now(printed).wish == Wish(choice, Rhythm.WEEKLY, "en", 2, 7, "Europe/Berlin")
    shown = front.get(answer.headers["Location"]).text
    assert "已保存" in shown or "保存" in shown
    for chosen in ('value="zonghe" checked', 'value="何晓楠" checked', 'value="weekly" checked'):
        assert chosen in shown


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"words": "一,二,三,四,五,六"}, "words"),
        ({"words": "长" * 41}, "words"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"hour": "24"}, "hour"),
        ({"rhythm": "daily"}, "rhythm"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field_and_changes_nothing(
    services: Services, client: FlaskClient, reader: Subscription, said: dict[str, str], words: str
) -> None:
    answer = do(services, client, "change", sections="zonghe", **said)

    assert answer.status_code == 422
    assert f'id="refused-{words}"' in answer.text
    assert 'value="zonghe" checked' in answer.text
    assert now(services) == reader


@pytest.mark.parametrize("weeks", [1, 2, 4])
def test_a_pause_of_some_weeks(
    services: Services, client: FlaskClient, reader: Subscription, weeks: int
) -> None:
    assert do(services, client, "pause", weeks=weeks).status_code == 303

    assert now(services).paused_until == NOW + timedelta(weeks=weeks)
    assert 'value="resume"' in client.get(page(services)).text

    do(services, client, "resume")
    assert now(services).paused_until is None


def test_a_pause_until_a_day_ends_where_the_reader_is(
    services: Services, client: FlaskClient, reader: Subscription
) -> None:
    do(services, client, "pause", until="2026-12-24")
    assert now(services).paused_until == datetime(2026, 12, 23, 16, tzinfo=UTC)

    for bad in ("", "2026-11-16", "2020-01-01", "2030-01-01", "nix", "9999-12-31", "0001-01-01"):
        assert do(services, client, "pause", until=bad).status_code == 422, bad


def test_the_new_address_agrees_before_anything_moves(
    services: Services, client: FlaskClient, reader: Subscription
) -> None:
    assert do(services, client, "move", address=NEW).status_code == 303
    mail_confirmations.run(services)
    (letter,) = letters(services)
    assert f"To: {NEW}" in letter
    assert ADDRESS not in letter
    there = link(letter, "move")

    assert client.get(there).status_code == 200
    assert now(services) == now(services)
    assert now(services).state is SubscriptionState.CONFIRMED
    client.post(there)

    assert now(services).why == subscriptions.MOVED
    assert (now(services, 2).address, now(services, 2).state) == (NEW, SubscriptionState.CONFIRMED)


def test_old_links_open_nothing_at_the_new_address(
    services: Services, client: FlaskClient, reader: Subscription
) -> None:
    do(services, client, "move", address=NEW)
    client.post(f"/qinglan/move/{services.tokens.move(1, NEW)}")

    for answer in (client.get(page(services)), client.get(f"{page(services)}/export.json")):
        assert NEW not in answer.text
    do(services, client, "change", rhythm="none")
    do(services, client, "pause", weeks=4)
    client.post(f"{page(services)}/delete")

    assert now(services, 2).wish == reader.wish
    assert now(services, 2).state is SubscriptionState.CONFIRMED


def test_a_link_to_move_serves_once_and_only_as_long_as_it_is_wanted(
    services: Services, client: FlaskClient, reader: Subscription
) -> None:
    do(services, client, "move", address="first@example.org")
    do(services, client, "move", address=NEW)
    assert client.post(f"/qinglan/move/{services.tokens.move(1, 'first@example.org')}").status_code == 410
    do(services, client, "stay")
    assert client.post(f"/qinglan/move/{services.tokens.move(1, NEW)}").status_code == 410

    assert now(services) == reader


def test_who_is_subscribed_and_signs_up_again_is_told_by_mail_and_nowhere_else(
    services: Services, client: FlaskClient, reader: Subscription
) -> None:
    client.post("/qinglan/subscribe", data={"address": ADDRESS.upper(), "rhythm": "weekly"})
    client.post("/qinglan/subscribe", data={"address": ADDRESS})
    mail_confirmations.run(services)
    mail_confirmations.run(services)

    (letter,) = letters(services)
    assert client.get(link(letter, "mine")).status_code == 200
    assert now(services) == reader


def test_all_that_is_stored_can_be_taken_along(
    services: Services, client: FlaskClient, reader: Subscription
) -> None:
    answer = client.get(f"{page(services)}/export.json")

    assert answer.json is not None
    assert answer.json["subscription"]["address"] == ADDRESS
    assert answer.json["deliveries"] == []
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_only_pressing_the_button_deletes(
    services: Services, client: FlaskClient, reader: Subscription
) -> None:
    address = f"{page(services)}/delete"
    for look in (client.get, client.head):
        look(address)
    assert now(services) == reader

    client.post(address)

    assert (now(services).address, now(services).why) == ("", subscriptions.DELETED)
    assert client.get(page(services)).status_code == 404
    assert client.get(f"{page(services)}/export.json").status_code == 404
    assert client.get(address).status_code == 200
    assert client.post(address).status_code == 200
    assert client.post(f"/qinglan/confirm/{services.tokens.confirm(1)}").status_code == 200
    assert now(services).state is SubscriptionState.ENDED


def test_who_left_can_still_take_along_and_delete(
    services: Services, client: FlaskClient, reader: Subscription
) -> None:
    client.post(f"/qinglan/leave/{services.tokens.leave(1)}")

    assert client.get(page(services)).status_code == 200
    assert client.get(f"{page(services)}/export.json").status_code == 200
    do(services, client, "change", rhythm="weekly")
    assert now(services).rhythm is Rhythm.ISSUE
    client.post(f"{page(services)}/delete")
    assert now(services).address == ""


def test_confirming_lifts_a_suppression(services: Services, client: FlaskClient) -> None:
    with store.writing(services.db) as db:
        suppressions.add(db, ADDRESS, suppressions.BOUNCED, "", NOW)
    client.post("/qinglan/subscribe", data={"address": ADDRESS})
    mail_confirmations.run(services)
    (letter,) = letters(services)

    client.post(link(letter, "confirm"))

    with store.reading(services.db) as db:
        assert suppressions.find(db, ADDRESS) is None


def test_whom_a_person_ruled_out_gets_not_even_a_question(services: Services, client: FlaskClient) -> None:
    with store.writing(services.db) as db:
        suppressions.add(db, ADDRESS, suppressions.OPERATOR, "", NOW)
    client.post("/qinglan/subscribe", data={"address": ADDRESS})

    mail_confirmations.run(services)

    assert not (services.settings.data / "outbox").exists()


def test_forged_and_foreign_links_are_not_found(
    services: Services, client: FlaskClient, reader: Subscription
) -> None:
    forged = Tokens("another secret")
    for address in (
        f"/qinglan/mine/{forged.manage(1)}",
        f"/qinglan/mine/{services.tokens.leave(1)}",
        f"/qinglan/mine/{services.tokens.manage(99)}",
        f"/qinglan/move/{forged.move(1, NEW)}",
        f"/qinglan/move/{services.tokens.manage(1)}",
        f"/qinglan/mine/{services.tokens.move(1, NEW)}",
        f"/nix/mine/{services.tokens.manage(1)}",
    ):
        assert client.get(address).status_code == 404, address
        assert client.post(address).status_code == 404, address


def test_an_unknown_wish_is_not_understood(
    services: Services, client: FlaskClient, reader: Subscription
) -> None:
    assert do(services, client, "nix").status_code == 400
    assert client.post(page(services)).status_code == 400


@pytest.mark.parametrize("language", ["", "en"])
def test_the_pages_are_kept_nowhere_and_tell_nobody(
    services: Services, client: FlaskClient, reader: Subscription, language: str
) -> None:
    for address in (
        page(services),
        f"{page(services)}/delete",
        f"/qinglan/move/{services.tokens.move(1, NEW)}",
    ):
        answer = client.get(address, query_string={"lang": language})

        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer.text
        assert "Set-Cookie" not in answer.headers


def test_a_letter_and_the_page_that_it_opens_speak_one_language(
    services: Services, client: FlaskClient
) -> None:
    client.post("/qinglan/subscribe", data={"address": ADDRESS, "language": "en"})
    mail_confirmations.run(services)
    (letter,) = letters(services)

    there = link(letter, "confirm")

    assert "Confirm the subscription" in client.get(there).text
    assert "You are subscribed" in client.post(there).text
